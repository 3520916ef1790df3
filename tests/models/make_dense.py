#!/usr/bin/env python3
"""make_dense.py REFERENCE OUT PATTERN...: packs results of detectors and segmenters for the
golden test, as make_goldens.py does those of classifiers.

REFERENCE is a folder of JSON files with samples of the raw outputs of the original
implementation in float64 and of its inner maps in float32.  OUT gets, little-endian:

    "VGDN", u32 count, then for each golden
    name char[80], u32 height width classes tensors, u64 seed parameters macs, f64 gain,
    f32 mean[3] std[3], then for each tensor
    name char[80], u32 kind, shape[4], samples, f32 tolerance, f32 values[samples]

kind 0: a map [h][w][c] under its name; 2: the values [first, first + c) of each anchor in
all outputs of the network, one after another, where an anchor has `w` values: shape
[anchors][w][c][first]; 3: `shape[0]` detections, values x0 y0 x1 y1 in fractions of the
input, score and class of each.  Samples are chosen as in make_goldens.py, those of a map
from [c][h][w], those of anchors from [anchors][c]. tolerance is absolute: 1e-4 of the
rms of the tensor. Auxiliary heads, which only training runs, are not among the
parameters; the expansion of pixels that EMO pads its windows with, which the original
computes and throws away, is not among the MACs.
"""

import glob
import json
import math
import os
import re
import struct
import sys

from make_goldens import MAP, floats, pack_tap, sample_index, text, transformers_name

ANCHORS, DETECTIONS = 2, 3
COCO = 80  # classes of all detectors


def network_name(golden):
    name = golden["name"]
    if name.startswith("hf_"):
        return name[3:] + "@transformers"
    return name + "@ml-cvnets" if re.match(r"deeplabv3_mobilevit(v2)?_", name) else name


def is_tap(module, shape):
    """Whether the network names this value: maps of backbone and heads."""
    parts = ("backbone.", "encoder.", "decode_head.", "seg_head.", "extra_layers.")
    twice = module == "seg_head.aspp.aspp_layer" or module.startswith("seg_head.classifier")
    return module.startswith(parts) and len(shape) == 4 and not twice


def pack_feature(module, t, network):
    if network.endswith("@transformers"):
        root = re.search("mobilevit(v2)?", network)[0]
        module = transformers_name(module[len("encoder."):], root)
    module = re.sub(r"decode_head.(image_pool|psp_modules.\d)", r"\g<0>.1", module)
    _, c, h, w = t["shape"]
    return pack_tap(module, MAP, [h, w, c], t["sample64"], 1e-4 * t["rms"])


def features(golden, network):
    for module, t in golden["features"].items():
        if network.endswith("@transformers") and not module.startswith("encoder."):
            continue
        if is_tap(module, t["shape"]):
            yield pack_feature(module, t, network)


def samples(t):
    """Samples in the order of sample_index(); the reference has small tensors whole."""
    values = t["f64_sample256"] if "f64_sample256" in t else t["f64_sample512"]
    numel = math.prod(t["shape"])
    if len(values) < numel:
        return values
    return [values[sample_index(k, numel)] for k in range(numel)]


def padding_macs(golden):
    """MACs of the 1 x 1 convolutions `v` over padded pixels of EMO's windows."""
    sizes = re.search(r"'window_sizes': \[(\d+)", golden.get("cfg", {}).get("backbone", ""))
    shapes = {key[0]: key[1] for key in golden["keys"]}
    maps = {m.split(".")[1]: t["shape"][2:] for m, t in golden["features"].items()
            if m.startswith("backbone.")}
    total = 0
    for name, shape in shapes.items():
        if sizes and name.endswith(".v.conv.weight") and name.replace(".v.", ".qk.") in shapes:
            h, w = maps[name.split(".")[1]]
            side = int(sizes[1])
            padded = -(-h // side) * -(-w // side) * side * side
            total += shape[0] * shape[1] * (padded - h * w)
    return total


def pack_output(name, t):
    if len(t["shape"]) == 4:
        _, c, h, w = t["shape"]
        return pack_tap(name, MAP, [h, w, c], samples(t), 1e-4 * t["rms"])
    _, anchors, c = t["shape"]
    shape = [anchors, 4 + 1 + COCO, c, 0 if name == "locations" else 4]
    return pack_tap(name, ANCHORS, shape, samples(t), 1e-4 * t["rms"])


def detections(golden):
    """Not of RetinaNet: its logits on formula weights are so large that the best scores are
    equal in float32, and rounding decides which of them are the best 100."""
    d, size, found = golden.get("detections", {}), golden["input"], []
    if golden["name"].startswith("ssdlite_"):
        sides = [size["width"], size["height"]] * 2
        found = [[x / side for x, side in zip(box, sides)] + [box[4], label]
                 for box, label in zip(d["boxes_scores"], d["labels"])]
    elif golden["name"].startswith("ssd_"):  # class 0 is the background
        found = [box + [score, label - 1]
                 for box, score, label in zip(d["boxes"], d["scores"], d["labels"])]
    if found:
        yield pack_tap("detections", DETECTIONS, [d["n"], 6], sum(found, []), 1e-4)


def pack(path):
    with open(path) as f:
        g = json.load(f)
    i, params = g["input"], g["params"]
    network = network_name(g)
    scale = 255 if "mean" in i else 1
    mean, std = i.get("mean", [0, 0, 0]), i.get("std", [1, 1, 1])
    classes = g["outputs"]["low"]["shape"][1] if "low" in g["outputs"] else COCO
    extra = params.get("auxiliary_head", 0) + params.get("aux_head", 0)
    tensors = [pack_output(n, t) for n, t in g["outputs"].items()]
    tensors += [*features(g, network), *detections(g)]
    out = [text(network)]
    out.append(struct.pack("<4I", i["height"], i["width"], classes, len(tensors)))
    counts = (params["total"] - extra, g["macs"]["total"] - padding_macs(g))
    out.append(struct.pack("<3Qd", g["seed"], *counts, g["gain"]))
    out.append(floats([v / scale for v in mean]) + floats([v / scale for v in std]))
    return b"".join(out + tensors)


def main(reference, out, *patterns):
    paths = sorted(p for q in patterns for p in glob.glob(os.path.join(reference, q + ".json")))
    goldens = [pack(p) for p in paths]
    with open(out, "wb") as f:
        f.write(b"VGDN" + struct.pack("<I", len(goldens)) + b"".join(goldens))


main(*sys.argv[1:])
