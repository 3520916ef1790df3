#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Detections of the engine against PyTorch on random weights, with windows and anchors
from the file; prints TAP.

    torch_detector.py VIGIL_MODEL
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile

from torch_case import done, numpy, off, ok, picture, randomise, torch

import export
import networks
import ssdlite
from formula_model import png

TOLERANCE = 1e-4  # of the rms of an output, as for the goldens of detectors
VARIANT, CLASSES, SIZE, WINDOW = "ssdlite_emo_1M", 3, 160, 5
ANCHOR_SIZES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
MEAN, STD = numpy.float32(export.MEAN), numpy.float32(export.STD)
(vigil_model,) = sys.argv[1:]


def exported(model, folder):
    source, target = (os.path.join(folder, n) for n in ("trained.pt", "trained.safetensors"))
    names = [f"class {i}" for i in range(CLASSES)]
    torch.save(dict(average=model.state_dict(), names=names, anchor_sizes=ANCHOR_SIZES), source)
    sys.argv = ["export.py", source, target, "--variant", VARIANT, "--size", str(SIZE)]
    with contextlib.redirect_stdout(sys.stderr):
        export.main()
    return target


def values_of(outputs, kind, n):
    """The maps [1][6 n][H][W] of all levels as [anchors][n]."""
    rows = []
    for level in range(ssdlite.LEVELS):
        t = outputs[f"{kind}_{level}"]
        rows.append(numpy.array(t["values"]).reshape(t["shape"][1], -1).T.reshape(-1, n))
    return numpy.concatenate(rows)


def same_detection(ours, theirs):
    """In pixels; the rows of detect() are fractions."""
    corners = [ours["x"], ours["y"], ours["x"] + ours["width"], ours["y"] + ours["height"]]
    return (ours["index"] == theirs[5] and abs(ours["score"] - theirs[4]) < 1e-4
            and abs(numpy.array(corners) / SIZE - theirs[:4]).max() < 1e-4)


def main():
    torch.manual_seed(7)
    model = networks.build(VARIANT, CLASSES, WINDOW).eval()
    randomise(model, 1.25)
    with tempfile.TemporaryDirectory() as folder:
        pixels = picture(SIZE, SIZE)
        image = os.path.join(folder, "picture.png")
        with open(image, "wb") as f:
            f.write(png(SIZE, SIZE, [row.tobytes() for row in pixels]))
        command = [vigil_model, "infer", exported(model, folder), image, "--raw", "--json",
                   "--threshold", "0.02", "--max-detections", "100"]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    x = torch.from_numpy(((pixels / numpy.float32(255) - MEAN) / STD).transpose(2, 0, 1)[None])
    with torch.no_grad():
        scores, deltas = (y[0] for y in model(x.contiguous()))
    for kind, theirs in (("cls", scores), ("reg", deltas)):
        worst = off(values_of(answer["outputs"], kind, theirs.shape[1]), theirs.numpy())
        ok(worst <= TOLERANCE, f"{kind}: off by {worst:.2g} rms (may be {TOLERANCE})")
    anchor = ssdlite.anchors(SIZE, SIZE, ANCHOR_SIZES)
    theirs = ssdlite.detect(scores, deltas, anchor)
    ours = answer["detections"]
    ok(len(ours) == len(theirs) >= 20, f"{len(ours)} detections, {len(theirs)} of PyTorch")
    same = sum(map(same_detection, ours, theirs))
    ok(same == len(theirs), f"{same} of {len(theirs)} are the same, in the same order")
    done()


main()
