#!/usr/bin/env python3
"""Writes a trained network as a model file for the engine (safetensors).

    export.py cls.pt cameras10-emo-1m.safetensors --size 128 --half
    export.py vit.pt cls-vit.safetensors --variant mobilevitv2_050 --naming timm
    export.py det.pt det.safetensors --variant ssdlite_emo_1M --size 256 --half
    export.py seg.pt seg.safetensors --variant deeplabv3_emo_1M --half
"""

import argparse
import json
import os

import numpy as np
import torch

import networks
from safetensors_file import write_safetensors
import train_classifier
import train_detector
import train_segmenter
from training import MEAN, STD


def of_its_task(variant, size, saved):
    """What a trained classifier, detector or segmenter adds to the metadata; `size`: the
    sides of the first two, which are square."""
    height = width = size
    if "anchor_sizes" in saved:
        window = train_detector.window_for(size)
        own = dict(task="detection", anchor_sizes=" ".join(map(str, saved["anchor_sizes"])))
    elif networks.VARIANTS[variant].startswith("deeplabv3"):
        height, width = train_segmenter.HEIGHT, train_segmenter.WIDTH
        window, own = train_segmenter.WINDOW, dict(task="segmentation")
    else:
        window, own = train_classifier.window_for(size), dict(task="classification")
    if networks.has_windows(variant):
        own["window"] = str(window)
    for measured in ("top1", "ap50", "miou"):
        if measured in saved:
            own["validation_" + measured] = f"{saved[measured]:.4f}"
    return dict(own, input_height=str(height), input_width=str(width))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("checkpoint")
    ap.add_argument("out")
    ap.add_argument("--variant", default="EMO_1M", choices=networks.VARIANTS, metavar="NAME")
    ap.add_argument("--naming", help="of MobileViT v1, v2: ml-cvnets, timm or transformers")
    ap.add_argument("--size", type=int, default=128)
    ap.add_argument("--half", action="store_true", help="store matrices as float16")
    args = ap.parse_args()
    known = networks.namings(args.variant)
    naming = args.naming or known[0]
    if naming not in known:
        ap.error(f"{args.variant} has no naming '{naming}', only {', '.join(known)}")
    saved = torch.load(args.checkpoint, map_location="cpu")
    model = networks.build(args.variant, len(saved["names"]))
    networks.load(model, saved["average"])
    tensors = {}
    for name, value in networks.rename(model.state_dict(), naming).items():
        if name.endswith("num_batches_tracked"):
            continue
        # Matrices lose nothing that shows; norms and biases stay exact, they are small.
        kind = np.float16 if args.half and value.ndim > 1 else np.float32
        tensors[name] = value.numpy().astype(kind)
    metadata = dict(
        format="pt",
        family=networks.VARIANTS[args.variant],
        variant=args.variant,
        labels=json.dumps(saved["names"]),
        channel_order="rgb",
        mean=" ".join(str(v) for v in MEAN),
        std=" ".join(str(v) for v in STD),
        resize="stretch",
        licence="see the card beside this file",
        **of_its_task(args.variant, args.size, saved),
    )
    write_safetensors(args.out, tensors, metadata)
    print(f"{args.out}: {os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
