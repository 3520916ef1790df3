#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Detectors and segmenters of the engine against PyTorch on random weights, with windows
and anchors from the file; prints TAP.

    torch_dense.py VIGIL_MODEL
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
import train_segmenter
from formula_model import png

TOLERANCE = 1e-4  # of the rms of an output, as for the goldens of such networks
CLASSES = 3
ANCHOR_SIZES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
MEAN, STD = numpy.float32(export.MEAN), numpy.float32(export.STD)
(vigil_model,) = sys.argv[1:]


def exported(model, variant, size, trained, folder):
    """As training leaves a network behind and export.py writes it."""
    source, target = (os.path.join(folder, n) for n in ("trained.pt", "trained.safetensors"))
    names = [f"class {i}" for i in range(CLASSES)]
    torch.save(dict(average=model.state_dict(), names=names, **trained), source)
    sys.argv = ["export.py", source, target, "--variant", variant, "--size", str(size)]
    with contextlib.redirect_stdout(sys.stderr):
        export.main()
    return target


def both(variant, window, height, width, trained, *options):
    """(what the engine answers, what PyTorch does) to one picture."""
    torch.manual_seed(7)
    model = networks.build(variant, CLASSES, window).eval()
    randomise(model, 1.25)
    pixels = picture(height, width)
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "picture.png")
        with open(image, "wb") as f:
            f.write(png(width, height, [row.tobytes() for row in pixels]))
        path = exported(model, variant, height, trained, folder)
        answer = subprocess.run([vigil_model, "infer", path, image, "--raw", "--json", *options],
                                check=True, stdout=subprocess.PIPE).stdout
    x = (pixels / numpy.float32(255) - MEAN) / STD
    with torch.no_grad():
        return json.loads(answer), model(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()))


def values_of(outputs, kind, n):
    """The maps [1][6 n][H][W] of all levels as [anchors][n]."""
    rows = []
    for level in range(ssdlite.LEVELS):
        t = outputs[f"{kind}_{level}"]
        rows.append(numpy.array(t["values"]).reshape(t["shape"][1], -1).T.reshape(-1, n))
    return numpy.concatenate(rows)


def compare(name, ours, theirs):
    worst = off(ours, theirs)
    ok(worst <= TOLERANCE, f"{name}: off by {worst:.2g} rms (may be {TOLERANCE})")


def check_detector():
    size = 160

    def same(ours, theirs):
        corners = [ours["x"], ours["y"], ours["x"] + ours["width"], ours["y"] + ours["height"]]
        return (ours["index"] == theirs[5] and abs(ours["score"] - theirs[4]) < 1e-4
                and abs(numpy.array(corners) / size - theirs[:4]).max() < 1e-4)

    answer, (scores, deltas) = both(
        "ssdlite_emo_1M", 5, size, size, dict(anchor_sizes=ANCHOR_SIZES),
        "--threshold", "0.02", "--max-detections", "100")
    for kind, theirs in (("cls", scores[0]), ("reg", deltas[0])):
        compare(kind, values_of(answer["outputs"], kind, theirs.shape[1]), theirs)
    theirs = ssdlite.detect(scores[0], deltas[0], ssdlite.anchors(size, size, ANCHOR_SIZES))
    ours = answer["detections"]
    ok(len(ours) == len(theirs) >= 20, f"{len(ours)} detections, {len(theirs)} of PyTorch")
    matches = sum(map(same, ours, theirs))
    ok(matches == len(theirs), f"{matches} of {len(theirs)} are the same, in the same order")


def check_segmenter():
    answer, theirs = both("deeplabv3_emo_1M", train_segmenter.WINDOW, train_segmenter.HEIGHT,
                          train_segmenter.WIDTH, dict(miou=0.5))
    low = answer["outputs"]["low"]
    compare("low", numpy.array(low["values"]).reshape(low["shape"]), theirs)


check_detector()
check_segmenter()
done()
