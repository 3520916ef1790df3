#!/usr/bin/env python3
"""Writes a trained classifier as a model file for the engine (safetensors).

    export.py cls.pt cameras10-emo-1m.safetensors --size 128 --half
"""

import argparse
import json
import os
import struct

import numpy as np
import torch

from train_classifier import MEAN, STD, window_for


def write_safetensors(path, tensors, metadata):
    """tensors: name -> NumPy array of float16 or float32."""
    kinds = {np.dtype(np.float16): "F16", np.dtype(np.float32): "F32"}
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, a in tensors.items():
        data = np.ascontiguousarray(a).tobytes()
        header[name] = dict(
            dtype=kinds[a.dtype], shape=list(a.shape), data_offsets=[at, at + len(data)]
        )
        blobs.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    os.replace(path + ".part", path)


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
