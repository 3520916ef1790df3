#!/usr/bin/env python3
"""Trains a segmenter of street scenes (DeepLabv3 over EMO) and measures it.

The pictures come from the folder `segm` of the data packs: `train`, `val` and `test` with
masks of class indices beside them (`train_mask` ...) and `meta.json`.

    train_segmenter.py --data DATA --epochs 80 --init cls.pt --out seg.pt
    train_segmenter.py --data DATA --evaluate seg.pt

A run that was interrupted goes on from the last epoch it finished when it is started again
with the same --out.  `export.py` turns the result into a model file.
"""

import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import deeplabv3
import training
from train_detector import random_views
from training import normalise, to_input

HEIGHT, WIDTH = 384, 512  # of the input, and the shape of CamVid's pictures
WINDOW = 4  # EMO's attention windows; divides the maps of HEIGHT x WIDTH and of CROP
CROP = 256  # side of the views to train on


def load_split(data, split):
    """(pictures uint8 [n][H][W][3], masks uint8 [n][H][W], names of classes, void)."""
    from PIL import Image

    folder = os.path.join(data, "segm")
    meta = json.load(open(os.path.join(folder, "meta.json")))
    pictures, masks = [], []
    for name in sorted(os.listdir(os.path.join(folder, split))):
        stem = os.path.splitext(name)[0]
        pictures.append(np.asarray(Image.open(os.path.join(folder, split, name)).convert("RGB")))
        masks.append(np.asarray(Image.open(os.path.join(folder, split + "_mask", stem + ".png"))))
    void = meta["void_index"]
    return np.stack(pictures), np.stack(masks), meta["classes"][:void], void


def augment(x, mask, g):
    """Random view, mirror, colour; pictures [n][3][CROP][CROP] and masks alike.  What lies
    outside the picture is void (-1)."""
    n = len(x)
    centre, half, mirror = random_views(n, g)
    # A view of the whole would be as wide as two crops.
    half = half * 0.75
    centre = 0.5 + (centre - 0.5) + (torch.rand((n, 2), generator=g) - 0.5) * (1 - 2 * half).clamp(0)
    half = half * torch.tensor([HEIGHT / WIDTH, 1.0])
    sign, zero = 1 - 2 * mirror.float(), torch.zeros(n)
    theta = torch.stack(
        [
            torch.stack([2 * half[:, 0] * sign, zero, 2 * centre[:, 0] - 1], 1),
            torch.stack([zero, 2 * half[:, 1], 2 * centre[:, 1] - 1], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, (n, 3, CROP, CROP), align_corners=False)
    x = F.grid_sample(x - 0.45, grid, "bilinear", "zeros", align_corners=False) + 0.45
    labels = F.grid_sample(mask[:, None].float() + 1, grid, "nearest", "zeros", align_corners=False)

    def u(lo, hi):
        return torch.rand((n, 1, 1, 1), generator=g) * (hi - lo) + lo

    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * u(0.5, 1.4)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * u(0.6, 1.4) + mean * u(0.6, 1.4)
    return normalise(x.clamp_(0, 1)), labels[:, 0].long() - 1


def class_weights(masks, classes):
    """Rare classes count more (arXiv 1606.02147, section 5.2: 1 / ln(1.02 + p))."""
    share = np.bincount(masks.ravel(), minlength=classes)[:classes] / masks.size
    return torch.tensor(1 / np.log(1.02 + share), dtype=torch.float32)


@torch.no_grad()
def evaluate(model, data, split):
    """Intersection over union of each class, their mean, and the share of pixels that are
    right, at the size of the pictures; void does not count."""
    model.eval()
    pictures, masks, names, void = load_split(data, split)
    confusion = np.zeros((len(names), len(names)), np.int64)
    for at in range(0, len(pictures), 8):
        x = to_input(pictures[at : at + 8])
        x = F.interpolate(x, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)
        low = model(normalise(x))
        found = deeplabv3.full_size(low, *masks.shape[1:]).argmax(1).numpy()
        truth = masks[at : at + 8]
        known = truth != void
        pair = truth[known].astype(np.int64) * len(names) + found[known]
        confusion += np.bincount(pair, minlength=confusion.size).reshape(confusion.shape)
    right = confusion.diagonal()
    union = confusion.sum(0) + confusion.sum(1) - right
    iou = {n: float(r / max(1, u)) for n, r, u in zip(names, right, union)}
    return dict(miou=float(np.mean(list(iou.values()))),
                pixels=float(right.sum() / confusion.sum()), iou=iou)


def train(args, model):
    pictures, masks, names, void = load_split(args.data, "train")
    x_all = to_input(pictures)
    masks_all = torch.from_numpy(np.where(masks == void, -1, masks.astype(np.int64)))
    weight = class_weights(masks, len(names))
    g = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(training.parameter_groups(model, args))
    average = training.Average(model, 0.995)
    start = training.resume(args, model, optimizer, average, g)
    steps = len(pictures) // args.batch
    began = time.time()
    for epoch in range(start, args.epochs):
        model.train()
        order = np.random.default_rng(args.seed + epoch).permutation(len(pictures))
        total = 0.0
        for step in range(steps):
            training.set_pace(optimizer, epoch, step, steps, args)
            pick = order[step * args.batch : (step + 1) * args.batch]
            x, labels = augment(x_all[pick], masks_all[pick], g)
            low = model(x.contiguous(memory_format=torch.channels_last))
            logits = deeplabv3.full_size(low, CROP, CROP)
            loss = F.cross_entropy(logits, labels, weight, ignore_index=-1)
            training.learn(loss, model, optimizer, average, clip=5.0)
            total += loss.item()
        print(f"epoch {epoch + 1}/{args.epochs}: loss {total / steps:.3f}, "
              f"{time.time() - began:.0f} s", flush=True)
        more = dict(names=names)
        if (epoch + 1) % 10 == 0 or epoch + 1 == args.epochs:
            measured = training.evaluated(average, model, lambda m: evaluate(m, args.data, "val"))
            print("  val", json.dumps(measured), flush=True)
            more["miou"] = measured["miou"]
        training.save(args.out, model, average, optimizer, epoch + 1, g, **more)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    training.add_options(ap, deeplabv3.VARIANTS, "deeplabv3_emo_1M", epochs=80, batch=8, lr=1e-3,
                         warmup=50)
    ap.add_argument("--split", default="test", help="what --evaluate measures")
    args = training.start(ap)
    classes = len(load_split(args.data, "val")[2])
    model = deeplabv3.DeepLabv3(args.variant, classes, WINDOW)
    model = model.to(memory_format=torch.channels_last)
    if args.init or args.evaluate:
        training.load_weights(model, args.evaluate or args.init, "backbone.")
    if args.evaluate:
        print(json.dumps(evaluate(model, args.data, args.split)))
    else:
        train(args, model)


if __name__ == "__main__":
    main()
