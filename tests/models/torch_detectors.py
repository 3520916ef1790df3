#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Detectors over Mobile-Former: the engine against their definitions in PyTorch.

    torch_detectors.py VIGIL_MODEL VIGIL_CONVERT

Weights come to the engine from a safetensors file and through vigil-convert; raw outputs
and, of the set prediction, detections are compared.  Prints TAP.
"""
import json
import os
import subprocess
import sys
import tempfile

from torch_case import done, fill, numpy, off, ok, picture, torch

import mobile_former_detectors as detectors
from formula_model import png
from safetensors_file import write_safetensors

TOLERANCE = 1e-4  # of the rms of an output
BOX_TOLERANCE = 0.01  # pixels
CLASSES = 7
MEAN, STD = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])
CASES = (("retinanet_mobile_former_26m", 96, 130), ("retinanet_mobile_former_96m", 70, 64),
         ("e2e_mobile_former_151m", 96, 130), ("e2e_mobile_former_294m", 70, 64))
vigil_model, vigil_convert = sys.argv[1:]


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def stored(model, folder):
    path = os.path.join(folder, "stored.safetensors")
    write_safetensors(path, {n: t.numpy() for n, t in model.state_dict().items()
                             if not n.endswith("num_batches_tracked")}, {})
    return path


def converted(model, folder):
    source, path = (os.path.join(folder, n) for n in ("saved.pth", "saved.safetensors"))
    torch.save({"state_dict": model.state_dict()}, source)
    output_of(sys.executable, vigil_convert, source, path)
    return path


def compare_detections(name, found, outputs, height, width):
    """Both best first; equal scores are rare, near ones may change places."""
    sides = numpy.array([width, height, width, height])
    theirs = detectors.detections(outputs).numpy()
    ours = numpy.array([[d["x"], d["y"], d["x"] + d["width"], d["y"] + d["height"],
                         d["score"], d["index"]] for d in found])
    if not ok(ours.shape == theirs.shape, f"{name}: {len(ours)} detections"):
        return
    theirs[:, :4] *= sides
    tolerance = numpy.array([BOX_TOLERANCE] * 4 + [1e-4, 0])
    near = (abs(ours[:, None] - theirs[None]) <= tolerance).all(2)
    ok(near.any(0).all() and near.any(1).all(), f"{name}: detections are the definition's")


def check(variant, height, width, prepare, folder):
    model = detectors.build(variant, CLASSES).eval()
    fill(model, 3, 1.0)
    pixels, image = picture(height, width), os.path.join(folder, "picture.png")
    with open(image, "wb") as f:
        f.write(png(width, height, [row.tobytes() for row in pixels]))
    answer = json.loads(output_of(vigil_model, "infer", prepare(model, folder), image,
                                  f"--size={height}x{width}", "--resize=none", "--raw",
                                  "--json", "--max-detections=100"))
    x = (pixels / numpy.float32(255) - MEAN) / STD
    with torch.no_grad():
        outputs = model(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()))
    name = f"{variant} {height}x{width}, {prepare.__name__}"
    ok(list(answer["outputs"]) == list(outputs), f"{name}: {len(outputs)} outputs")
    worst = 0
    for output, theirs in outputs.items():
        if theirs.ndim == 3:  # of queries
            theirs = theirs.transpose(1, 2)[:, :, None]
        ours = answer["outputs"][output]
        values = numpy.array(ours["values"], numpy.float64).reshape(ours["shape"])
        worst = max(worst, off(values, theirs))
    ok(worst <= TOLERANCE, f"{name}: off by {worst:.2g} rms (may be {TOLERANCE})")
    if variant.startswith("e2e_"):
        compare_detections(name, answer["detections"], outputs, height, width)


def check_listed():
    """Every variant that the engine lists is defined, with as many parameters."""
    listed = {v["variant"]: v["parameters"]
              for v in json.loads(output_of(vigil_model, "list", "--json"))
              if v["family"] in ("retinanet-mobile-former", "e2e-mobile-former")}
    ok(set(listed) == set(detectors.NETWORKS), f"{len(listed)} variants")
    for variant, parameters in listed.items():
        model = detectors.build(variant)
        have = sum(p.numel() for p in model.parameters())
        ok(have == parameters, f"{variant}: {parameters} parameters, defined {have}")


def main():
    check_listed()
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            check(*case, stored, folder)
        for case in CASES[::2]:
            check(*case, converted, folder)
    done()


main()
