#!/usr/bin/env python3
"""Trains a classifier of camera scenes and measures it.

The pictures come from a folder of data packs with a reader of its own (`read_packs.py`):
`cls` (10 camera classes) and `pretrain` (200 classes at 64 x 64).  A run is one stage; the
next one starts from its weights:

    train_classifier.py --data DATA --task pretrain --size 64  --epochs 6  --out pre.pt
    train_classifier.py --data DATA --task cls      --size 128 --epochs 10 --out cls.pt --init pre.pt
    train_classifier.py --data DATA --task cls      --size 128 --evaluate cls.pt

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

import networks
import training
from training import normalise, to_input




def window_for(size):
    """EMO's attention window that covers the stride-16 map whole: no padding is computed."""
    return math.ceil(size / 16)


CONTEXT = 1.6  # how far around an object training looks, in sides of its box


def with_context(pack, k):
    """Object k of the box pack with its surroundings, and where its box lies in that
    (x0, y0, x1, y1 in -1..1)."""
    from PIL import Image

    row = pack.rows[k]
    x0, y0, x1, y1 = (int(row[c]) for c in ("x0", "y0", "x1", "y1"))
    image = Image.open(os.path.join(pack.root, row["origin"])).convert("RGB")
    dx, dy = (x1 - x0) * (CONTEXT - 1) / 2, (y1 - y0) * (CONTEXT - 1) / 2
    ox0, oy0 = max(0, round(x0 - dx)), max(0, round(y0 - dy))
    ox1, oy1 = min(image.width, round(x1 + dx)), min(image.height, round(y1 + dy))
    box = [2 * (v - o) / n - 1 for v, o, n in
           ((x0, ox0, ox1 - ox0), (y0, oy0, oy1 - oy0), (x1, ox0, ox1 - ox0), (y1, oy0, oy1 - oy0))]
    return image.crop((ox0, oy0, ox1, oy1)), box


def load_pictures(data, task, cache):
    """(pictures uint8 [n][side][side][3], labels, is_train, class names, boxes [n][4]).
    Pictures are stretched to a square, as the classifier sees them.  Objects to train on
    come with their surroundings; `boxes` tells where they are, in -1..1."""
    path = os.path.join(cache, f"{task}.npz")
    if not os.path.exists(path):
        sys.path.insert(0, data)
        from read_packs import Cls, Pretrain
        from PIL import Image

        if task == "cls":
            pack, side = Cls(data), 160
            train = [r["split"] == "train" for r in pack.rows]
        else:
            pack, side = Pretrain(data), 64
            train = pack.split == 0
        pictures = np.empty((len(pack), side, side, 3), np.uint8)
        labels = np.empty(len(pack), np.int64)
        boxes = np.tile(np.float32([-1, -1, 1, 1]), (len(pack), 1))
        names = [c if isinstance(c, str) else c["words"] for c in pack.classes]
        for k in range(len(pack)):
            im, labels[k] = pack[k]
            if task == "cls" and train[k] and pack.rows[k]["kind"] == "crop":
                if not names[labels[k]].startswith("empty"):
                    im, boxes[k] = with_context(pack, k)
            pictures[k] = np.asarray(im.resize((side, side), Image.BICUBIC))
        os.makedirs(cache, exist_ok=True)
        np.savez(path, pictures=pictures, labels=labels, train=np.array(train),
                 names=np.array(names), boxes=boxes)
    z = np.load(path)
    names = [str(n) for n in z["names"]]
    return z["pictures"], z["labels"], z["train"], names, z["boxes"]


def augment(x, boxes, size, g, strength=1.0):
    """Random view around the box, stretch, small turn, mirror, colour, softness; to size x
    size.  Half the sources are small pictures: softness must not become a class.  strength
    below 1 weakens all of it."""
    n, t = len(x), strength

    def u(lo, hi, *shape):
        return torch.rand((n, *shape), generator=g) * (hi - lo) + lo

    zoom = u(1 - 0.65 * t, 1 + t).sqrt()
    stretch, angle = u(-0.29 * t, 0.29 * t).exp().sqrt(), u(-0.14 * t, 0.14 * t)
    flip = (torch.rand(n, generator=g) < 0.5).float() * 2 - 1
    half_x, half_y = (boxes[:, 2] - boxes[:, 0]) / 2, (boxes[:, 3] - boxes[:, 1]) / 2
    sx, sy = zoom * stretch, zoom / stretch
    move_x = (boxes[:, 2] + boxes[:, 0]) / 2 + u(-1, 1) * (1 - sx).abs() * half_x
    move_y = (boxes[:, 3] + boxes[:, 1]) / 2 + u(-1, 1) * (1 - sy).abs() * half_y
    sx, sy = sx * half_x, sy * half_y
    theta = torch.stack(
        [
            torch.stack([flip * sx * angle.cos(), -sy * angle.sin(), move_x], 1),
            torch.stack([flip * sx * angle.sin(), sy * angle.cos(), move_y], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, (n, 3, size, size), align_corners=False)
    x = F.grid_sample(x, grid, "bilinear", "reflection", align_corners=False)

    soft = torch.rand(n, generator=g) < 0.3 * t
    if soft.any():
        low = int(torch.randint(size // 4, size * 3 // 4, (1,), generator=g))
        small = F.interpolate(x[soft], (low, low), mode="area")
        x[soft] = F.interpolate(small, (size, size), mode="bilinear", align_corners=False)
    grey = x.mean(1, keepdim=True)
    keep = u(1 - 0.5 * t, 1 + 0.4 * t, 1, 1, 1) * (torch.rand((n, 1, 1, 1), generator=g) > 0.12 * t)
    x = grey + (x - grey) * keep
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * u(1 - 0.4 * t, 1 + 0.4 * t, 1, 1, 1) + mean * u(1 - 0.35 * t, 1 + 0.35 * t, 1, 1, 1)
    x = x + torch.randn(x.shape, generator=g) * u(0, 0.04 * t, 1, 1, 1)
    return normalise(x.clamp_(0, 1))


@torch.no_grad()
def predict(model, pictures, size, batch=128):
    """Probabilities [n][classes] of square pictures, resized to size with antialiasing."""
    model.eval()
    out = []
    for at in range(0, len(pictures), batch):
        x = to_input(pictures[at : at + batch])
        if x.shape[-1] != size:
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
        out.append(model(normalise(x)).softmax(1))
    return torch.cat(out).numpy()


def accuracy(probabilities, labels, names):
    top = probabilities.argmax(1)
    per_class = {n: float((top[labels == k] == k).mean()) for k, n in enumerate(names)}
    return float((top == labels).mean()), per_class


def train(args, model, pictures, labels, is_train, names, boxes):
    g = torch.Generator().manual_seed(args.seed)
    index = np.flatnonzero(is_train)
    val = np.flatnonzero(~is_train)
    weight = np.bincount(labels[index], minlength=len(names)) ** -args.balance
    weight = weight[labels[index]] / weight[labels[index]].sum()
    optimizer = torch.optim.AdamW(training.parameter_groups(model, args))
    average = training.Average(model)
    start = training.resume(args, model, optimizer, average, g)
    rng = np.random.default_rng(args.seed + start)
    steps = len(index) // args.batch
    best = 0.0
    for epoch in range(start, args.epochs):
        model.train()
        order = rng.choice(index, size=steps * args.batch, replace=args.balance > 0, p=weight)
        if args.balance == 0:
            order = rng.permutation(index)
        began, total = time.time(), 0.0
        for step in range(steps):
            training.set_pace(optimizer, epoch, step, steps, args)
            pick = order[step * args.batch : (step + 1) * args.batch]
            box = torch.from_numpy(boxes[pick])
            x = augment(to_input(pictures[pick]), box, args.size, g, args.augment)
            y = torch.from_numpy(labels[pick])
            loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
            training.learn(loss, model, optimizer, average, clip=5.0)
            total += loss.item()
            if step % 50 == 49:
                speed = (step + 1) * args.batch / (time.time() - began)
                print(
                    f"epoch {epoch + 1}/{args.epochs} step {step + 1}/{steps} "
                    f"loss {total / (step + 1):.3f} {speed:.0f} pictures/s",
                    flush=True,
                )
        top1, per_class = training.evaluated(average, model, lambda m: accuracy(
            predict(m, pictures[val], args.size), labels[val], names))
        best = max(best, top1)
        print(f"epoch {epoch + 1}: val top-1 {top1:.4f} (best {best:.4f})", flush=True)
        if len(names) <= 20:
            print("  " + ", ".join(f"{k} {v:.3f}" for k, v in per_class.items()), flush=True)
        training.save(args.out, model, average, optimizer, epoch + 1, g, names=names, top1=top1)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    training.add_options(ap, networks.VARIANTS, "EMO_1M", epochs=10, batch=64, lr=2e-3,
                         warmup=300)
    ap.add_argument("--cache", default="build/training", help="decoded pictures are kept here")
    ap.add_argument("--task", choices=("cls", "pretrain"), default="cls")
    ap.add_argument("--size", type=int, default=128)
    ap.add_argument("--balance", type=float, default=0.0, help="0 as they come, 1 all alike")
    ap.add_argument("--augment", type=float, default=1.0, help="strength, 0 to 1")
    args = training.start(ap)
    pictures, labels, is_train, names, boxes = load_pictures(args.data, args.task, args.cache)
    model = networks.build(args.variant, len(names), window_for(args.size))
    model = model.to(memory_format=torch.channels_last)
    if args.init or args.evaluate:
        training.load_weights(model, args.evaluate or args.init)
    if args.evaluate:
        val = ~is_train
        top1, per_class = accuracy(predict(model, pictures[val], args.size), labels[val], names)
        print(json.dumps(dict(pictures=int(val.sum()), top1=top1, per_class=per_class)))
        return
    train(args, model, pictures, labels, is_train, names, boxes)


if __name__ == "__main__":
    main()
