#!/usr/bin/env python3
"""Trains a detector of persons, vehicles and animals (SSDLite over EMO) and measures it.

The pictures come from a folder of data packs with a reader of its own (`read_packs.py`) and
a score (`eval_det.py`): `voc07` and `cctv`.  A run is one stage; the next one starts from
its weights, at another size if need be, the first one from a classifier:

    train_detector.py --data DATA --size 192 --epochs 9 --init cls.pt --out det192.pt
    train_detector.py --data DATA --size 256 --epochs 14 --init det192.pt --out det256.pt
    train_detector.py --data DATA --size 256 --evaluate det256.pt

A run that was interrupted goes on from the last epoch it finished when it is started again
with the same --out.  `export.py` turns the result into a model file.
"""

import argparse
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import ssdlite
import training
from training import normalise, to_input

CLASSES = ("person", "vehicle", "animal")
CLASS_MAP = "voc_super3"  # of maps.json
SIDE = 320  # pictures are kept as squares of this size
ANCHOR_SIZES = (0.07, 0.16, 0.32, 0.48, 0.64, 0.80, 0.96)
POSITIVE, NEGATIVE = 0.5, 0.4  # IoU with an object; between them an anchor is neither
NEAREST, NEAR = 5, 0.3  # so many anchors of an object are positive from that IoU on
NEGATIVES = 3  # for each positive anchor, the hardest
PLACE_WEIGHT = 3  # of the loss of places against that of classes
GREY = 0.45  # around pictures
PLAIN_FROM = 0.8  # of the epochs: the last ones see no mosaics
IGNORED, NO_BOX = -1, -2  # in place of a class: teaches nothing; fills up a list


def window_for(size):
    """EMO's attention window that divides both maps it is used on, of strides 16 and 32."""
    return math.ceil(size / 32)


def load_pack(data, pack, split, class_map):
    """(pictures uint8 [n][SIDE][SIDE][3], boxes [n] of [k][5]: corners in 0..1 and class
    or IGNORED; exhaustive bool [n]: whether what has no box is background)."""
    sys.path.insert(0, data)
    from PIL import Image
    from read_packs import coco

    folder = os.path.join(data, pack)
    records = json.load(open(os.path.join(folder, "annotations.json")))["images"]
    partly = {r["file_name"] for r in records if not r.get("exhaustive", 1)}
    pictures, boxes, exhaustive = [], [], []
    for path, (w, h), rows in coco(folder, split):
        picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC)
        pictures.append(np.asarray(picture))
        exhaustive.append(os.path.basename(path) not in partly)
        kept = []
        for x0, y0, x1, y1, name, ignore in rows:
            if name in class_map:
                c = class_map[name]
                c = IGNORED if ignore or c is None else CLASSES.index(c)
                kept.append((x0 / w, y0 / h, x1 / w, y1 / h, c))
        boxes.append(np.array(kept, np.float32).reshape(-1, 5))
    return np.stack(pictures), boxes, np.array(exhaustive)


def load_pictures(data, cache):
    """All pictures to train on, decoded once: pictures, boxes padded to [n][most][5] (class
    NO_BOX behind the last) and exhaustive."""
    path = os.path.join(cache, "detector")
    if not os.path.exists(path + ".npz"):
        class_map = json.load(open(os.path.join(data, "maps.json")))[CLASS_MAP]["gt"]
        packs = [load_pack(data, p, "train", class_map) for p in ("voc07", "cctv")]
        boxes = [b for p in packs for b in p[1]]
        padded = np.full((len(boxes), max(map(len, boxes)), 5), NO_BOX, np.float32)
        for row, b in zip(padded, boxes):
            row[: len(b)] = b
        os.makedirs(cache, exist_ok=True)
        np.save(path + ".npy", np.concatenate([p[0] for p in packs]))
        np.savez(path + ".npz", boxes=padded, exhaustive=np.concatenate([p[2] for p in packs]))
    z = np.load(path + ".npz")
    return np.load(path + ".npy", mmap_mode="r"), z["boxes"], z["exhaustive"]


def random_views(n, g, shape=1.0, furthest=1.6):
    """(centre [n][2], half size [n][2], mirror [n]) of the part of a picture to be shown in
    a space `shape` times as wide as high; larger than the picture makes objects small."""

    def u(lo, hi, *shape):
        return torch.rand((n, *shape), generator=g) * (hi - lo) + lo

    whole = torch.rand((n, 1), generator=g) < 0.2
    zoom = u(math.log(0.45), math.log(furthest), 1).exp()
    stretch = u(-0.2, 0.2).exp() * math.sqrt(shape)
    size = zoom * torch.stack([stretch, 1 / stretch], 1)
    size = torch.where(whole, torch.ones(()), size)
    centre = 0.5 + u(-0.5, 0.5, 2) * (1 - size).abs()
    return centre, size / 2, torch.rand(n, generator=g) < 0.5


def boxes_in_view(boxes, centre, half, mirror):
    """Boxes as the view shows them, clipped; those of which a quarter or less is left teach
    nothing."""
    low, size = (centre - half)[:, None], 2 * half[:, None]
    b = boxes.clone()
    b[..., 0:2], b[..., 2:4] = (b[..., 0:2] - low) / size, (b[..., 2:4] - low) / size
    b[mirror] = torch.cat([1 - b[mirror][..., 2:3], b[mirror][..., 1:2],
                           1 - b[mirror][..., 0:1], b[mirror][..., 3:]], -1)
    whole = (b[..., 2:4] - b[..., 0:2]).prod(-1)
    b[..., :4] = b[..., :4].clamp(0, 1)
    left = (b[..., 2:4] - b[..., 0:2]).prod(-1)
    classes = b[..., 4]
    classes[(left <= 0.25 * whole) & (classes >= 0)] = IGNORED
    classes[left <= 1e-5] = NO_BOX
    return b


def show(x, boxes, height, width, g, furthest=1.6):
    """Random views of pictures, height x width, and their boxes."""
    n = len(x)
    centre, half, mirror = random_views(n, g, width / height, furthest)
    sign = 1 - 2 * mirror.float()
    zero = torch.zeros(n)
    theta = torch.stack(
        [
            torch.stack([2 * half[:, 0] * sign, zero, 2 * centre[:, 0] - 1], 1),
            torch.stack([zero, 2 * half[:, 1], 2 * centre[:, 1] - 1], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, (n, 3, height, width), align_corners=False)
    x = F.grid_sample(x - GREY, grid, "bilinear", "zeros", align_corners=False) + GREY
    return x, boxes_in_view(boxes, centre, half, mirror)


def mosaic(x, boxes, exhaustive, size, g):
    """Four views side by side, which make objects small and many (as in YOLOv4, arXiv
    2004.10934, section 3.3); of pictures with all their objects boxed."""
    usable, x = exhaustive.nonzero()[:, 0], F.avg_pool2d(x, 2)
    cut_y, cut_x = torch.randint(int(0.35 * size), int(0.65 * size) + 1, (2,), generator=g).tolist()
    canvas, found = torch.empty(len(x), 3, size, size), []
    for y0, y1 in ((0, cut_y), (cut_y, size)):
        for x0, x1 in ((0, cut_x), (cut_x, size)):
            pick = usable[torch.randint(len(usable), (len(x),), generator=g)]
            part, b = show(x[pick], boxes[pick], y1 - y0, x1 - x0, g, furthest=1.2)
            canvas[:, :, y0:y1, x0:x1] = part
            b[..., 0:4:2] = (b[..., 0:4:2] * (x1 - x0) + x0) / size
            b[..., 1:4:2] = (b[..., 1:4:2] * (y1 - y0) + y0) / size
            found.append(b)
    return canvas, torch.cat(found, 1)


def augment(x, boxes, exhaustive, size, g, mosaics):
    """Random view or, of a share `mosaics` of the batches, mosaic; colour, softness; to
    size x size.  Returns pictures, boxes and which pictures have all their objects boxed."""
    n = len(x)
    if torch.rand((), generator=g) < mosaics and exhaustive.any():
        x, boxes = mosaic(x, boxes, exhaustive, size, g)
        exhaustive = torch.ones_like(exhaustive)
    else:
        if x.shape[-1] >= 1.5 * size:
            x = F.interpolate(x, scale_factor=0.75, mode="bilinear", antialias=True)
        x, boxes = show(x, boxes, size, size, g)

    def u(lo, hi):
        return torch.rand((n, 1, 1, 1), generator=g) * (hi - lo) + lo

    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * u(0.5, 1.4) * (torch.rand((n, 1, 1, 1), generator=g) > 0.12)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * u(0.6, 1.4) + mean * u(0.65, 1.35)
    return normalise(x.clamp_(0, 1)), packed(boxes), exhaustive


def packed(boxes):
    """The same boxes with the places that hold none (NO_BOX) last, and few of those."""
    none = boxes[..., 4] == NO_BOX
    order = none.int().argsort(1)
    most = max(1, int((~none).sum(1).max()))
    return boxes.gather(1, order[..., None].expand(-1, -1, 5))[:, :most]


def assign(boxes, anchor):
    """What each anchor [A] stands for, from boxes [B][K][5]: (class [B][A], with
    len(CLASSES) the background and -1 neither; corners [B][A][4])."""
    real, teaches = boxes[..., 4] != NO_BOX, boxes[..., 4] >= 0
    overlap = ssdlite.iou(ssdlite.corners(anchor)[None], boxes[..., :4])
    usable = overlap.masked_fill(~teaches[:, None], -1)
    best, which = usable.max(2)
    # A small object has few anchors of a high IoU: its nearest ones stand for it, and the
    # best one however little they overlap.
    top_iou, top = (t.tolist() for t in usable.topk(NEAREST, 1))
    best_, which_ = best.numpy(), which.numpy()  # the same memory, of faster access
    for b, k in teaches.nonzero().tolist():
        for i in reversed(range(NEAREST)):
            a = top[b][i][k]
            if i == 0 or (top_iou[b][i][k] >= NEAR and which_[b, a] == k):
                best_[b, a], which_[b, a] = 2, k
    kind = boxes[..., 4].gather(1, which).long()
    excused = overlap.masked_fill(~(real & ~teaches)[:, None], -1).max(2)[0] > NEGATIVE
    kind = torch.where(best >= POSITIVE, kind, torch.full_like(kind, len(CLASSES)))
    kind[((best >= NEGATIVE) | excused) & (best < POSITIVE)] = -1
    return kind, boxes[..., :4].gather(1, which[..., None].expand(-1, -1, 4))


def detection_loss(scores, deltas, boxes, exhaustive, anchor):
    """Softmax loss over positive and the hardest negative anchors (arXiv 1512.02325, section
    2.2), generalised IoU of the positive ones (arXiv 1902.09630, section 3.1)."""
    kind, corners = assign(boxes, anchor)
    background = len(CLASSES)
    positive = (kind >= 0) & (kind < background)
    loss = F.cross_entropy(scores.transpose(1, 2), kind.clamp(min=0), reduction="none")
    negative = (kind == background) & exhaustive[:, None]
    hardness = loss.detach().masked_fill(~negative, -1)
    rank = hardness.argsort(1, descending=True).argsort(1)
    wanted = (NEGATIVES * positive.sum(1, keepdim=True)).clamp(min=8)
    chosen = positive | (negative & (rank < wanted))
    count = positive.sum().clamp(min=1)
    found = ssdlite.decode(deltas[positive], anchor.expand(len(boxes), -1, -1)[positive])
    place = (1 - ssdlite.generalised_iou(found, corners[positive])).sum()
    return loss[chosen].sum() / count, PLACE_WEIGHT * place / count


@torch.no_grad()
def detections(model, data, pack, size, sizes, batch=25):
    """Of the validation split of a pack: {picture: rows as of eval_det.py, in pixels}."""
    sys.path.insert(0, data)
    from PIL import Image
    from read_packs import coco

    model.eval()
    anchor, found = ssdlite.anchors(size, size, sizes), {}
    rows = list(coco(os.path.join(data, pack), "val"))
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        pictures = [Image.open(p).convert("RGB") for p, _, _ in part]
        pictures = [np.asarray(i.resize((size, size), Image.BILINEAR)) for i in pictures]
        scores, deltas = model(normalise(to_input(np.stack(pictures))))
        for (path, (w, h), _), s, d in zip(part, scores, deltas):
            found[os.path.basename(path)] = [
                (x0 * w, y0 * h, x1 * w, y1 * h, score, CLASSES[c])
                for x0, y0, x1, y1, score, c in ssdlite.detect(s, d, anchor)
            ]
    return found


def evaluate(model, data, size):
    """AP50 by class on the validation split of voc07, and of persons on clinic cameras."""
    sys.path.insert(0, data)
    import eval_det

    class_map = json.load(open(os.path.join(data, "maps.json")))[CLASS_MAP]["gt"]
    result = {}
    for pack, cmap, source in (
        ("voc07", class_map, None),
        ("cctv", None, "adiandrianto/YOLOv8-clinical-trial-subject-counter"),
    ):
        gts, _, classes = eval_det.load_gt(
            os.path.join(data, pack, "annotations.json"), cmap, "val", source)
        found = detections(model, data, pack, size, ANCHOR_SIZES)
        rows = eval_det.evaluate(gts, {k: v for k, v in found.items() if k in gts}, classes)
        result[pack] = {c: r["ap50"] for c, r in rows.items()}
        result[pack]["mean"] = eval_det.mean(rows, "ap50")
        result[pack]["mean AP"] = eval_det.mean(rows, "ap")
    return result


def picture_weights(boxes, exhaustive, preferred):
    """In which share of the epochs each picture is seen.  Without a preferred class in all;
    else pictures without it in about half, and half as often where not all objects are boxed."""
    if preferred is None:
        return np.ones(len(boxes))
    has = (boxes[..., 4] == CLASSES.index(preferred)).any(1)
    return np.where(has, 1.0, 0.55) * np.where(exhaustive, 1.0, 0.5)


def drawn(weights, count, random):
    """So many of the pictures in random order, drawn by their weights."""
    chosen = (random.random(len(weights)) < weights).nonzero()[0]
    return np.resize(random.permutation(chosen), count)


def train(args, model):
    pictures, boxes, exhaustive = load_pictures(args.data, args.cache)
    boxes, exhaustive = torch.from_numpy(boxes), torch.from_numpy(exhaustive)
    anchor = ssdlite.anchors(args.size, args.size, ANCHOR_SIZES)
    g = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(training.parameter_groups(model, args))
    average = training.Average(model, 0.998)
    start = training.resume(args, model, optimizer, average, g)
    weights = picture_weights(boxes, exhaustive, args.prefer)
    steps = int(weights.sum()) // args.batch
    for epoch in range(start, args.epochs):
        model.train()
        model.backbone.freeze(args.freeze)
        order = drawn(weights, steps * args.batch, np.random.default_rng(args.seed + epoch))
        mosaics = args.mosaics if epoch < PLAIN_FROM * args.epochs else 0
        began, total = time.time(), np.zeros(2)
        for step in range(steps):
            training.set_pace(optimizer, epoch, step, steps, args)
            pick = np.sort(order[step * args.batch : (step + 1) * args.batch])
            x, view, whole = augment(
                to_input(pictures[pick]), boxes[pick], exhaustive[pick], args.size, g, mosaics)
            x = x.contiguous(memory_format=torch.channels_last)
            scores, deltas = model(x)
            losses = detection_loss(scores, deltas, view, whole, anchor)
            training.learn(sum(losses), model, optimizer, average, clip=10.0)
            total += [l.item() for l in losses]
            if step % 25 == 24:
                speed = (step + 1) * args.batch / (time.time() - began)
                print(f"epoch {epoch + 1}/{args.epochs} step {step + 1}/{steps} loss: classes "
                      f"{total[0] / (step + 1):.3f}, boxes {total[1] / (step + 1):.3f}; "
                      f"{speed:.1f} pictures/s", flush=True)
        more = dict(names=CLASSES, anchor_sizes=ANCHOR_SIZES)
        if (epoch + 1) % 2 == 0 or epoch + 1 == args.epochs:
            measured = training.evaluated(
                average, model, lambda m: evaluate(m, args.data, args.size))
            print(f"epoch {epoch + 1}: AP50", json.dumps(measured), flush=True)
            more["ap50"] = measured["voc07"]["mean"]
        training.save(args.out, model, average, optimizer, epoch + 1, g, **more)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    training.add_options(ap, ssdlite.VARIANTS, "ssdlite_emo_1M", epochs=10, batch=32, lr=1e-3,
                         warmup=100)
    ap.add_argument("--cache", default="build/training", help="decoded pictures are kept here")
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--freeze", type=int, default=2, help="stages of the backbone, from the first")
    ap.add_argument("--mosaics", type=float, default=0.5, help="share of the batches")
    ap.add_argument("--prefer", choices=CLASSES, metavar="CLASS",
                    help="see pictures without this class half as often, and so those in "
                    "which not all objects are boxed")
    args = training.start(ap)
    model = ssdlite.SSDLite(args.variant, len(CLASSES), window_for(args.size))
    model = model.to(memory_format=torch.channels_last)
    if args.init or args.evaluate:
        training.load_weights(model, args.evaluate or args.init, "backbone.")
    if args.evaluate:
        print(json.dumps(evaluate(model, args.data, args.size)))
    else:
        train(args, model)


if __name__ == "__main__":
    main()
