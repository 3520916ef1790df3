#!/usr/bin/env python3
"""Writes a trained classifier as a model file for the engine (safetensors).

    export.py cls.pt cameras10-emo-1m.safetensors --size 128 --half
"""

import argparse
import json
import os

import numpy as np
import torch

from safetensors_file import write_safetensors
from train_classifier import MEAN, STD, window_for


def half_is_safe(name):
    """Matrices lose nothing that shows; norms and biases stay exact, they are small."""
    return name.endswith("conv.weight") or name == "head.weight"


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("checkpoint")
    ap.add_argument("out")
    ap.add_argument("--variant", default="EMO_1M")
    ap.add_argument("--size", type=int, default=128)
    ap.add_argument("--half", action="store_true", help="store matrices as float16")
    args = ap.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu")
    tensors = {}
    for name, value in saved["average"].items():
        if name.endswith("num_batches_tracked"):
            continue
        kind = np.float16 if args.half and half_is_safe(name) else np.float32
        tensors[name] = value.numpy().astype(kind)
    metadata = dict(
        format="pt",
        family="emo",
        variant=args.variant,
        task="classification",
        labels=json.dumps(saved["names"]),
        input_height=str(args.size),
        input_width=str(args.size),
        channel_order="rgb",
        mean=" ".join(str(v) for v in MEAN),
        std=" ".join(str(v) for v in STD),
        resize="stretch",
        window=str(window_for(args.size)),
        validation_top1=f"{saved['top1']:.4f}",
        licence="see the card beside this file",
    )
    write_safetensors(args.out, tensors, metadata)
    print(f"{args.out}: {os.path.getsize(args.out)} bytes, top-1 {saved['top1']:.4f}")


if __name__ == "__main__":
    main()
