#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The networks of models/training against the original implementations; prints TAP.

    torch_definitions.py [--all] GOLDENS...     files packed by make_goldens.py

Parameters are counted and logits compared on formula weights (models/core/formula.h),
whose values follow from the tensors' names: those of every naming scheme are checked too.
Without --all: small variants, at their native size and one that halves to odd maps.
"""
import struct
import sys

from torch_case import SMALLEST, done, formula, numpy, off, ok, picture, run

import networks

QUICK_SIZES = ((224, 224), (240, 200), (240, 208), (256, 256))
TOLERANCE = 1.5e-5  # of the rms of the logits


def goldens(path):
    """(name, size, seed, parameters, gain, mean, std, logits) of each in the file."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] == b"VGLD", path
    at = 8
    for _ in range(struct.unpack_from("<I", data, 4)[0]):
        name = data[at : at + 80].rstrip(b"\0").decode()
        h, w, classes, taps, seed, parameters, _, gain = struct.unpack_from(
            "<4I3Qd", data, at + 80)
        numbers = numpy.frombuffer(data, "<f4", 6 + classes, at + 128)
        yield name, (h, w), seed, parameters, gain, numbers[:3], numbers[3:6], numbers[6:]
        at += 152 + 4 * classes
        for _ in range(taps):
            at += 108 + 4 * struct.unpack_from("<I", data, at + 100)[0]


def check(name, size, seed, parameters, gain, mean, std, logits):
    variant, _, naming = name.partition("@")
    model = networks.build(variant, len(logits)).eval()
    state = networks.rename(model.state_dict(), naming or networks.namings(variant)[0])
    networks.load(model, {n: formula(n, t, seed, gain) for n, t in state.items()
                          if not n.endswith("num_batches_tracked")})
    worst = off(run(model, (picture(*size) / numpy.float32(255) - mean) / std), logits)
    have = sum(p.numel() for p in model.parameters())
    ok(have == parameters, f"{name} has {have} parameters, the original {parameters}")
    ok(worst <= TOLERANCE, f"{name} {size[0]}x{size[1]} seed {seed}: logits off by "
       f"{worst:.2g} rms (may be {TOLERANCE})")


def main(everything, paths):
    seen = set()
    for path in paths:
        for golden in goldens(path):
            name, size, seed = golden[:3]
            quick = name.split("@")[0] in SMALLEST and size in QUICK_SIZES and seed == 0
            if (everything or quick) and (name, size, seed) not in seen:
                check(*golden)
            seen.add((name, size, seed))
    if everything:
        # Detectors and segmenters are compared with the engine's, in torch_dense.py.
        names = {name.split("@")[0] for name, _, _ in seen}
        families = {networks.VARIANTS[name] for name in names}
        left = {v for v, family in networks.VARIANTS.items() if family in families} - names
        ok(not left, f"every variant has a golden, {len(left)} have none")
    done()


arguments = sys.argv[1:]
main("--all" in arguments, [a for a in arguments if a != "--all"])
