#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make_dense_mobile_former.py OUT: goldens of the detectors over Mobile-Former.

Nobody published these, so that models/training/mobile_former_detectors.py defines them:
what it computes in float64 on formula weights is packed here in the format that
make_dense.py tells, and attention weights [heads][queries][keys] as in make_goldens.py.
Needs PyTorch.
"""
import contextlib
import re
import struct
import sys

from torch_case import fill, numpy, picture, torch

import mobile_former
import mobile_former_detectors as detectors
import torch_macs
from make_goldens import MAP, OTHER, floats, pack_tap, sample_index, text

SAMPLES, OUTPUT_SAMPLES, DETECTIONS = 48, 256, 3
SEED, GAIN = 0, 1.0
MEAN, STD = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])

# Variant, height, width, and whether inner values are compared too.
CASES = (
    ("retinanet_mobile_former_26m", 96, 128, True),
    ("retinanet_mobile_former_26m", 100, 130, False),
    ("retinanet_mobile_former_508m", 96, 64, False),
    ("e2e_mobile_former_151m", 96, 128, True),
    ("e2e_mobile_former_151m", 100, 130, False),
    ("e2e_mobile_former_214m", 96, 64, False),
    ("e2e_mobile_former_294m", 100, 130, True),
    ("e2e_mobile_former_508m", 96, 64, False),
)


def packed(name, kind, shape, values, tolerance, most):
    """values: an array in the order that samples are chosen from."""
    values = values.reshape(-1)
    chosen = [sample_index(k, len(values)) for k in range(min(most, len(values)))]
    return pack_tap(name, kind, shape, values[chosen].tolist(), tolerance)


def pack_map(name, t, most=SAMPLES):
    """Of [1][C][H][W], or of a list [1][n][C]."""
    t = t.numpy()[0]
    if t.ndim == 2:
        t = t.T[:, None]
    c, h, w = t.shape
    rms = numpy.sqrt((t**2).mean())
    return packed(name, MAP, [h, w, c], t, 1e-4 * rms, most)


@contextlib.contextmanager
def watched(model, taps):
    """Fills taps, name -> packed, while the model runs."""
    modules, inside = {m: n for n, m in model.named_modules()}, []
    attention, shares = mobile_former.attention, mobile_former.MobileToFormer.shares

    def watch_attention(q, k, v, heads):
        weights = mobile_former.logits(q, k, heads).softmax(-1).numpy()[0]
        name = modules[inside[-1]] + ".attention"
        taps[name] = packed(name, OTHER, [1, *weights.shape], weights,
                            1e-4 * weights.max(), SAMPLES)
        return attention(q, k, v, heads)

    def watch_shares(self, *inputs):
        y = shares(self, *inputs)
        name = modules[self].replace("local_global", "shares")
        taps[name] = pack_map(name, y)
        return y

    def enter(m, inputs):
        inside.append(m)

    def leave(m, inputs, y):
        inside.pop()
        name = modules[m]
        if isinstance(m, (mobile_former.Block, mobile_former.Lite)):
            names = [name, f"{name}.queries", f"{name}.positions"]
            if len(y) < 3:
                names[1] = f"{name}.tokens"
            for part, value in zip(names, y):
                if part.split(".")[-1] != "tokens" or not isinstance(m, mobile_former.Lite):
                    taps[part] = pack_map(part, value)
        elif name == "head.projection" or re.fullmatch(r"neck\.fpn_convs\.\d", name):
            taps[name] = pack_map(name, y)

    handles = [h for m in modules for h in (m.register_forward_pre_hook(enter),
                                            m.register_forward_hook(leave))]
    mobile_former.attention = watch_attention
    mobile_former.MobileToFormer.shares = watch_shares
    try:
        yield
    finally:
        mobile_former.attention = attention
        mobile_former.MobileToFormer.shares = shares
        for handle in handles:
            handle.remove()


def pack_detections(outputs):
    found = detectors.detections(outputs).numpy()
    return pack_tap("detections", DETECTIONS, found.shape, found.ravel().tolist(), 1e-4)


def pack(variant, height, width, inner):
    model = detectors.build(variant).eval()
    fill(model, SEED, GAIN)
    parameters = sum(p.numel() for p in model.parameters())
    macs = torch_macs.count(model, height, width)
    model.double()
    x = (picture(height, width) / numpy.float32(255) - MEAN) / STD
    x = torch.from_numpy(x.transpose(2, 0, 1)[None].astype(numpy.float64))
    taps = {}
    with torch.no_grad(), watched(model, taps) if inner else contextlib.nullcontext():
        outputs = model(x)
    tensors = [pack_map(n, t, OUTPUT_SAMPLES) for n, t in outputs.items()]
    tensors += taps.values()
    if variant.startswith("e2e_"):
        tensors.append(pack_detections(outputs))
    head = struct.pack("<4I", height, width, detectors.COCO, len(tensors))
    head += struct.pack("<3Qd", SEED, parameters, macs, GAIN)
    return text(variant) + head + floats(MEAN) + floats(STD) + b"".join(tensors)


def main(out):
    goldens = [pack(*case) for case in CASES]
    with open(out, "wb") as f:
        f.write(b"VGDN" + struct.pack("<I", len(goldens)) + b"".join(goldens))


main(*sys.argv[1:])
