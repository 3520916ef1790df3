#!/usr/bin/env python3
"""make_goldens.py REFERENCE OUT PATTERN...: packs reference results for the golden test.

REFERENCE is a folder of JSON files, one a network and input size, with the logits of the
original implementation in float64 and samples of its inner maps; PATTERN names some of
them ("EMO_*").  OUT gets, little-endian:

    "VGLD", u32 count, then for each golden
    name char[32], u32 height width classes taps, u64 seed parameters macs, f64 gain,
    f32 mean[3] std[3], f32 logits[classes], then for each tap
    name char[32], u32 channels height width samples, f32 rms, f32 values[samples]

Sample k of a tap is element (k * 2654435761 + 12345) mod numel of [c][h][w], or element k
where there are at most 64.
"""

import glob
import json
import os
import struct
import sys


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def text(name):
    return name.encode().ljust(32, b"\0")


def pack(g):
    i, logits, taps = g["input"], g["logits_f64"], g["features"]
    out = [text(g["name"])]
    out.append(struct.pack("<4I", i["height"], i["width"], len(logits), len(taps)))
    out.append(struct.pack("<3Qd", g["seed"], g["params"]["total"], g["macs"]["total"], g["gain"]))
    out.append(floats(i["mean"]) + floats(i["std"]) + floats(logits))
    for name, t in taps.items():
        samples = t["f64_sample64"]
        c, h, w = (t["shape"][1:] + [1, 1])[:3]
        out.append(text(name) + struct.pack("<4I", c, h, w, len(samples)))
        out.append(floats([t["rms"]]) + floats(samples))
    return b"".join(out)


def main(reference, out, *patterns):
    paths = sorted(p for q in patterns for p in glob.glob(os.path.join(reference, q + ".json")))
    goldens = [pack(json.load(open(p))) for p in paths]
    with open(out, "wb") as f:
        f.write(b"VGLD" + struct.pack("<I", len(goldens)) + b"".join(goldens))


main(*sys.argv[1:])
