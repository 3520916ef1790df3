#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make_detections.py REFERENCE OUT [all]: packs raw outputs of detectors and their results.

REFERENCE is a folder of JSON files, one a detector, with anchors and detections of the
original implementation, and of npy/NAME__OUTPUT.npy with the raw outputs of its head.

The raw outputs are 8 MB, most of which no result depends on, so that OUT gets only the
classes whose score is above the threshold: of each level (mmdetection) the best 1500, of each
class (ml-cvnets v2) the best 500, which is half as much again as the originals look at.  What
a softmax loses thereby is made up for: the background gets the logarithm of the sum of the
exponentials of everything left out, the background's own included, so that scores stay what
they are but for its rounding to float32.  "all" leaves nothing out.  Little-endian:

    "VGDT", u32 count, then for each detector
    name char[80], u32 rules height width classes levels channels background joined
    u32 map[levels][2] (height, width)
    u32 total recorded, then recorded times f32 box[4] score, u32 class: box corners in
        fractions of the input, class without background
    u32 samples, then times u32 index, f32 value: anchors, as recorded, index in [anchors][4]
    u32 anchors, then for each
    u32 index, f32 box[4] background, u8 kept, then kept times u8 class, f32 logit

channels: classes and background, which is channel `background`, or none where that is
`channels`; joined: each anchor's box lies before its channels in one map.
rules: 0 mmdetection SSD, 1 mmdetection RetinaNet, 2 ml-cvnets v1, 3 ml-cvnets v2.  A golden
without recorded detections checks anchors only.
"""

import ast
import json
import math
import os
import struct
import sys

MMDET_SSD, MMDET_RETINANET, CVNETS_V1, CVNETS_V2 = range(4)
GOLDENS = (("ssdlite_emo_1M_320x320", MMDET_SSD),
           ("retinanet_emo_1M_256x320", MMDET_RETINANET),
           ("ssd_mobilevit_xxs_320x320", CVNETS_V1),
           ("ssd_mobilevitv2_050_320x320", CVNETS_V2),
           ("ssd_mobilevitv2_050_256x320", CVNETS_V2))  # anchors only: no npy
CLASSES = 80
CHANNELS = (CLASSES + 1, CLASSES, CLASSES + 1, CLASSES + 1)
BACKGROUND = (CLASSES, CLASSES, 0, 0)  # RetinaNet: no such channel
THRESHOLD = (0.02, 0.05, 0.05, 0.01)
PER_LEVEL, PER_CLASS = 1500, 500
ANCHOR_SAMPLES = 2048


def read_npy(path):
    """Shape and values of a little-endian C-ordered array of float32."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + size].decode())
    assert not header["fortran_order"] and header["descr"] == "<f4", path
    body = data[10 + size :]
    return header["shape"], struct.unpack(f"<{len(body) // 4}f", body)


# ---- Raw outputs: for each level a list of (box deltas, logits), one an anchor ------------


def mmdet_level(reference, name, level, channels):
    rows = []
    for kind, n in (("reg", 4), ("cls", channels)):
        (_, depth, h, w), values = read_npy(
            os.path.join(reference, "npy", f"{name}__{kind}_{level}.npy"))
        plane = h * w
        rows.append([values[a * n * plane + cell : (a + 1) * n * plane : plane]
                     for cell in range(plane) for a in range(depth // n)])
    return list(zip(*rows))


def cvnets_levels(reference, name, counts):
    outputs = []
    for kind in ("locations", "confidences"):
        (_, anchors, n), values = read_npy(os.path.join(reference, "npy", f"{name}__{kind}.npy"))
        outputs.append([values[a * n : (a + 1) * n] for a in range(anchors)])
    anchors, levels, at = list(zip(*outputs)), [], 0
    for n in counts:
        levels.append(anchors[at : at + n])
        at += n
    assert at == len(anchors)
    return levels


# ---- What to keep of them ---------------------------------------------------------------


def scores_of(logits, rules):
    if rules == MMDET_RETINANET:
        return [1 / (1 + math.exp(-x)) for x in logits]
    top = max(logits)
    shares = [math.exp(x - top) for x in logits]
    total = sum(shares)
    return [s / total for s in foreground(shares, rules)]


def foreground(row, rules):
    return row[1:] if BACKGROUND[rules] == 0 else row[:CLASSES]


def choose(levels, rules, everything):
    """Pairs (anchor, class) to keep."""
    buckets, anchor = {}, 0
    for level, rows in enumerate(levels):
        for _, logits in rows:
            for c, score in enumerate(scores_of(logits, rules)):
                if score > THRESHOLD[rules] or everything:
                    key = level if rules in (MMDET_SSD, MMDET_RETINANET) else c
                    buckets.setdefault(key, []).append((-score, anchor, c))
            anchor += 1
    limit = (PER_LEVEL, PER_LEVEL, None, PER_CLASS)[rules]
    return {pair[1:] for b in buckets.values()
            for pair in sorted(b)[: None if everything else limit]}


def background_of(logits, kept, rules):
    if rules == MMDET_RETINANET:
        return 0
    rest = [x for c, x in enumerate(foreground(logits, rules)) if c not in kept]
    return math.log(math.fsum(math.exp(x) for x in [logits[BACKGROUND[rules]], *rest]))


def pack_outputs(levels, rules, everything):
    chosen = {}
    for anchor, c in choose(levels, rules, everything):
        chosen.setdefault(anchor, []).append(c)
    rows = [row for level in levels for row in level]
    out = [struct.pack("<I", len(chosen))]
    for anchor in sorted(chosen):
        deltas, logits = rows[anchor]
        kept = sorted(chosen[anchor])
        rest = background_of(logits, set(kept), rules)
        out.append(struct.pack("<I5fB", anchor, *deltas, rest, len(kept)))
        values = foreground(logits, rules)
        out.extend(struct.pack("<Bf", c, values[c]) for c in kept)
    return b"".join(out)


# ---- Anchors and detections -------------------------------------------------------------


def sample_index(k, numel):
    return k if numel <= 64 else (k * 2654435761 + 12345) % numel


def mmdet_anchors(priors):
    """Those of the first cell of each level, and samples of the level."""
    out, first = [], 0
    for base, samples, n in zip(priors["base_anchors"], priors["sample64"], priors["per_level"]):
        out += [(first + i, v) for i, v in enumerate(v for box in base for v in box)]
        out += [(first + sample_index(k, 4 * n), v) for k, v in enumerate(samples)]
        first += 4 * n
    return out


def cvnets_anchors(anchors, path):
    numel = 4 * anchors["n"]
    samples = [(sample_index(k, numel), v) for k, v in enumerate(anchors["sample64"])]
    if os.path.exists(path):
        _, values = read_npy(path)
        indices = [sample_index(k, numel) for k in range(ANCHOR_SAMPLES)]
        samples += [(i, values[i]) for i in indices]
    return samples


def detections(g, rules):
    """Total, and of those recorded (box in fractions, score, class)."""
    d = g["detections"]
    if rules in (CVNETS_V1, CVNETS_V2):
        return d["n"], [(b, s, c - 1) for b, s, c in zip(d["boxes"], d["scores"], d["labels"])]
    h, w = g["input"]["height"], g["input"]["width"]
    return d["n"], [([x0 / w, y0 / h, x1 / w, y1 / h], s, c)
                    for (x0, y0, x1, y1, s), c in zip(d["boxes_scores"], d["labels"])]


def map_sizes(g, rules):
    if rules in (MMDET_SSD, MMDET_RETINANET):
        return g["priors"]["featmap"]
    h, w = g["input"]["height"], g["input"]["width"]
    return [[-(-h // s), -(-w // s)] if s > 0 else [1, 1] for s in g["anchors"]["output_strides"]]


def pack(reference, name, rules, everything):
    with open(os.path.join(reference, name + ".json")) as f:
        g = json.load(f)
    maps = map_sizes(g, rules)
    cvnets = rules in (CVNETS_V1, CVNETS_V2)
    total, recorded, levels = *detections(g, rules), []
    if not cvnets:
        levels = [mmdet_level(reference, name, i, CHANNELS[rules])
                  for i in range(len(maps))]
        anchors = mmdet_anchors(g["priors"])
    else:
        anchors = cvnets_anchors(
            g["anchors"], os.path.join(reference, "npy", f"{name}__anchors.npy"))
        if os.path.exists(os.path.join(reference, "npy", f"{name}__locations.npy")):
            counts = [h * w * n for (h, w), n in zip(maps, g["anchors"]["per_os"])]
            levels = cvnets_levels(reference, name, counts)
    if not levels:
        total, recorded = 0, []
    out = [name.encode().ljust(80, b"\0")]
    out.append(struct.pack("<8I", rules, g["input"]["height"], g["input"]["width"], CLASSES,
                           len(maps), CHANNELS[rules], BACKGROUND[rules], cvnets))
    out += [struct.pack("<2I", h, w) for h, w in maps]
    out.append(struct.pack("<2I", total, len(recorded)))
    out += [struct.pack("<5fI", *box, score, c) for box, score, c in recorded]
    out.append(struct.pack("<I", len(anchors)))
    out += [struct.pack("<If", *a) for a in anchors]
    out.append(pack_outputs(levels, rules, everything))
    return b"".join(out)


def main(reference, out, everything=""):
    packed = [pack(reference, *golden, everything == "all") for golden in GOLDENS]
    with open(out, "wb") as f:
        f.write(b"VGDT" + struct.pack("<I", len(packed)) + b"".join(packed))


main(*sys.argv[1:])
