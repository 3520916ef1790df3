#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model infer with detectors and segmenters: python3 cli_dense.py VIGIL_MODEL.

Needs nothing but Python: networks over EMO_1M with formula weights look at the formula
picture, in which the published implementations find what stands here.  Prints TAP.
"""
import json
import math
import os
import re

import formula_model
from cli_case import main, ok, read_png, refuse, run_json, text_of, write

# Of mmdetection: the best boxes x0 y0 x1 y1 in 320 x 320 pixels, and their scores.
BEST = [(31.6339035, 189.264877, 110.454826, 221.359329, 0.944448352),
        (242.06279, 242.61795, 273.704895, 288.110443, 0.933692276),
        (173.721771, 99.3238449, 200.353394, 135.071991, 0.932570219)]
BEST_CLASS, COUNT, ABOVE_088 = 19, 200, 22

# Of mmsegmentation at 224 x 320: pixels of each class, and samples of the logits
# [1, 150, 7, 10] at (k * 2654435761 + 12345) mod 10500 with their rms.
PIXELS = {97: 45051, 44: 13056, 134: 10117, 67: 1161, 20: 847, 59: 739, 34: 546, 123: 163}
LOW = [2.08817071, 0.800469773, -1.9256888, 1.24748803, -0.527381512, -0.893657915]
LOW_RMS, TOLERANCE = 1.58316991, 1e-4


def make_files():
    for name, tensors in (("ssd", formula_model.ssdlite_1m(80)),
                          ("psp", formula_model.pspnet_1m(150))):
        write(f"{name}.safetensors",
              formula_model.safetensors(formula_model.filled(tensors)))
    for name, height, width in (("square", 320, 320), ("wide", 224, 320)):
        rows = formula_model.formula_picture(height, width)
        write(f"{name}.png", formula_model.png(width, height, rows))


def corners(row):
    return (row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"])


def check_detections():
    got = run_json("infer", "ssd.safetensors", "square.png")
    rows = got["detections"]
    ok(got["task"] == "detection" and "top" not in got and "outputs" not in got,
       "keys of a detector", list(got))
    ok(len(rows) == COUNT and all(a["score"] >= b["score"] for a, b in zip(rows, rows[1:])),
       f"{len(rows)} detections, best first")
    close = all(row["index"] == BEST_CLASS and abs(row["score"] - best[4]) < 1e-4
                and all(abs(a - b) < 0.02 for a, b in zip(corners(row), best))
                for row, best in zip(rows, BEST))
    ok(close, "the best are those of mmdetection", rows[:3])
    ok(set(rows[0]) == {"index", "label", "score", "x", "y", "width", "height"}
       and rows[0]["label"] == "cow", "keys and label of a detection", rows[0])
    few = run_json("infer", "ssd.safetensors", "square.png", "--threshold", "0.93")
    ok([row["score"] for row in few["detections"]]
       == [row["score"] for row in rows if row["score"] > 0.93], "--threshold")
    few = run_json("infer", "ssd.safetensors", "square.png", "--max-detections", "7")
    ok(few["detections"] == rows[:7], "--max-detections")
    loose = run_json("infer", "ssd.safetensors", "square.png", "--iou-threshold", "1")
    ok(loose["detections"] != rows and loose["detections"][0] == rows[0],
       "--iou-threshold 1 leaves boxes that overlap")
    for name in ("cow", "19"):
        few = run_json("infer", "ssd.safetensors", "square.png", "--class", name)
        ok(few["detections"] and {row["label"] for row in few["detections"]} == {"cow"},
           f"--class {name}")
    both = run_json("infer", "ssd.safetensors", "square.png", "--class", "cow", "--class",
                    "0", "--max-detections", "10000")
    ok({row["index"] for row in both["detections"]} <= {0, 19}, "--class twice")


def check_placed():
    """A picture of another shape: boxes are in its pixels, whatever the network saw."""
    for rule in ("stretch", "letterbox", "crop"):
        got = run_json("infer", "ssd.safetensors", "wide.png", "--resize", rule)
        boxes = [corners(row) for row in got["detections"]]
        ok(boxes and all(0 <= x0 < x1 <= 320.01 and 0 <= y0 < y1 <= 224.01
                         for x0, y0, x1, y1 in boxes),
           f"{rule}: {len(boxes)} boxes inside the picture")


def check_detection_outputs():
    got = run_json("infer", "ssd.safetensors", "square.png", "--raw")
    shapes = {name: t["shape"] for name, t in got["outputs"].items()}
    ok(shapes == {f"{kind}_{i}": [1, c, side, side] for kind, c in (("cls", 486), ("reg", 24))
                  for i, side in enumerate((20, 10, 5, 3, 2, 1))}, "--raw: all outputs", shapes)
    ok(all(len(t["values"]) == math.prod(t["shape"]) for t in got["outputs"].values()),
       "and all their values")
    text = text_of("infer", "ssd.safetensors", "square.png", "--raw", "--max-detections", "2")
    ok(re.search(r"^0\.9444 +19 +31\.6 +189\.3 +78\.8 +32\.1 +cow$", text, re.M),
       "detections as text", text)
    ok(re.search(r"^cls_0 +1x486x20x20 ", text, re.M), "text sums up the outputs", text)


def check_mask():
    got = run_json("infer", "psp.safetensors", "wide.png", "--resize", "none", "--raw",
                   "--mask", "mask.png")
    counts = {row["index"]: row["pixels"] for row in got["classes"]}
    off = sum(abs(counts.get(c, 0) - PIXELS.get(c, 0)) for c in set(counts) | set(PIXELS))
    ok(got["task"] == "segmentation" and off <= 4,
       f"pixels of each class are those of mmsegmentation, {off} off", counts)
    ok(all(math.isclose(row["share"], row["pixels"] / (224 * 320), rel_tol=1e-6)
           for row in got["classes"]) and list(counts.values())
       == sorted(counts.values(), reverse=True), "shares, most first", got["classes"])
    ok(got["classes"][0]["label"] is not None, "labels of ADE20K", got["classes"][0])
    low = got["outputs"]["low"]
    picked = [low["values"][(k * 2654435761 + 12345) % 10500] for k in range(len(LOW))]
    worst = max(abs(a - b) for a, b in zip(picked, LOW)) / LOW_RMS
    ok(low["shape"] == [1, 150, 7, 10] and worst <= TOLERANCE,
       f"logits off by {worst:.2g} rms (may be {TOLERANCE})")
    width, height, rows = read_png("mask.png")
    colors = {}
    for row in rows:
        for color in row:
            colors[color] = colors.get(color, 0) + 1
    # 97 is 01 100 001 in binary: the highest bit of red, the next of blue, the third of red.
    ok((width, height) == (320, 224) and sorted(colors.values()) == sorted(counts.values())
       and colors[(160, 0, 64)] == counts[97], "the mask has a colour for each class", colors)
    text = text_of("infer", "psp.safetensors", "wide.png", "--resize", "none", "--raw")
    ok(re.match(r" SHARE  CLASS  LABEL\n0\.\d{4} +97  \S", text), "shares as text", text[:200])
    ok(re.search(r"^low +1x150x7x10 ", text, re.M), "text sums up the output", text)
    got = run_json("infer", "psp.safetensors", "wide.png", "--resize", "crop", "--size",
                   "64x64", "--mask", "mask.png")
    # The middle 64 of round(320 * 64 / 224) = 91 columns, that is 225 of the picture's.
    ok(sum(row["pixels"] for row in got["classes"]) == 224 * 225,
       "pixels that were cut off have no class", got["classes"])
    void = sum(row.count((224, 224, 192)) for row in read_png("mask.png")[2])
    ok(void == 224 * (320 - 225), f"and a colour of their own: {void}")
    got = run_json("infer", "psp.safetensors", "wide.png", "--size", "64x64", "--tap", "seg")
    ok(got["taps"]["seg"]["shape"] == [1, 150, 64, 64], "logits of full size on demand")


def check_refused():
    for pattern, network, *args in (
            ("--top is for classification; ssdlite_emo_1M is a network for detection",
             "ssd", "--top", "5"),
            ("--threshold is for detection; pspnet_emo_1M is .* segmentation",
             "psp", "--threshold", "0.5"),
            ("--mask is for segmentation", "ssd", "--mask", "x.png"),
            (r"--threshold 1.5: must be a number, 0\.\.1", "ssd", "--threshold", "1.5"),
            ("--threshold nan", "ssd", "--threshold", "nan"),
            ("--threshold 0x1", "ssd", "--threshold", "0x1"),
            ("--iou-threshold -1", "ssd", "--iou-threshold", "-1"),
            ("--max-detections 0: ", "ssd", "--max-detections", "0"),
            ("--mask x.jpg: ", "psp", "--mask", "x.jpg")):
        refuse(2, pattern, "infer", f"{network}.safetensors", "wide.png", *args)
    for name in ("unicorn", "80", "-1", ""):
        refuse(1, f"--class {name}: .*0\\.\\.79", "infer", "ssd.safetensors", "wide.png",
               "--class", name)
    refuse(1, "no/mask.png", "infer", "psp.safetensors", "wide.png", "--size", "64x64",
           "--mask", "no/mask.png")
    ok(not os.path.exists("x.png"), "nothing was written")


def check_listed():
    rows = {row["variant"]: row for row in run_json("list")}
    ok(rows["ssdlite_emo_1M"]["task"] == "detection"
       and rows["deeplabv3_emo_5M"]["task"] == "segmentation"
       and rows["retinanet_emo_2M"]["input"] == {"height": 800, "width": 1344},
       "list shows tasks and sizes", json.dumps(rows.get("retinanet_emo_2M")))
    info = run_json("info", "ssd.safetensors")
    ok((info["variant"], info["task"], info["classes"], info["label_set"], info["naming"])
       == ("ssdlite_emo_1M", "detection", 80, "coco80", "mmdetection"), "info of a detector")
    text = text_of("bench", "ssdlite_emo_1M", "--runs", "1", "--json")
    ok(json.loads(text)["macs"] == rows["ssdlite_emo_1M"]["macs"],
       "bench of a variant has its published classes")


main([make_files], [check_detections, check_placed, check_detection_outputs, check_mask,
                    check_refused, check_listed])
