#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine against PyTorch on random weights; prints TAP.

    torch_engine.py VIGIL_MODEL VIGIL_CONVERT

Small variants of every family that the engine lists, in every naming scheme, come to it as
export.py writes them, and as torch.save() does, through vigil-convert.
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile

from torch_case import SMALLEST, done, numpy, off, ok, picture, randomise, run, torch

import export
import networks
from formula_model import png

TOLERANCE = 2e-5  # of the rms of the logits
CLASSES = 10
MEAN, STD = numpy.float32(export.MEAN), numpy.float32(export.STD)
vigil_model, vigil_convert = sys.argv[1:]


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def exported(model, variant, naming, folder):
    source, target = (os.path.join(folder, n) for n in ("trained.pt", "trained.safetensors"))
    names = [f"class {i}" for i in range(CLASSES)]
    torch.save(dict(average=model.state_dict(), names=names, top1=0.5), source)
    sys.argv = ["export.py", source, target, "--variant", variant, "--size", "112"]
    if naming != "official":
        sys.argv += ["--naming", naming]
    with contextlib.redirect_stdout(sys.stderr):
        export.main()
    return target


def converted(model, variant, naming, folder):
    source, target = (os.path.join(folder, n) for n in ("saved.pth", "saved.safetensors"))
    torch.save({"state_dict": networks.rename(model.state_dict(), naming)}, source)
    output_of(sys.executable, vigil_convert, source, target, "--channel-order=rgb",
              "--mean=" + " ".join(map(str, MEAN)), "--std=" + " ".join(map(str, STD)))
    return target


def check(variant, naming, folder):
    torch.manual_seed(7)
    model = networks.build(variant, CLASSES).eval()
    randomise(model, 1 if networks.VARIANTS[variant] == "mobile_former" else 1.25)
    for prepare, size in ((exported, (224, 256)), (converted, (240, 208))):
        image = os.path.join(folder, "picture.png")
        pixels = picture(*size)
        with open(image, "wb") as f:
            f.write(png(size[1], size[0], [row.tobytes() for row in pixels]))
        path = prepare(model, variant, naming, folder)
        answer = json.loads(output_of(vigil_model, "infer", path, image, "--resize=none",
                                      "--raw", "--json"))
        theirs = run(model, (pixels / numpy.float32(255) - MEAN) / STD)
        worst = off(numpy.array(answer["logits"]), theirs)
        ok(worst <= TOLERANCE, f"{variant} in names of {naming}, {prepare.__name__}, "
           f"{size[0]}x{size[1]}: off by {worst:.2g} rms (may be {TOLERANCE})")


def main():
    families = {}
    for v in json.loads(output_of(vigil_model, "list", "--json")):
        if v["task"] == "classification":
            families.setdefault(v["family"], set()).add(v["variant"])
    with tempfile.TemporaryDirectory() as folder:
        for family, variants in families.items():
            left = sorted(variants - set(networks.VARIANTS))
            ok(not left, " ".join([f"{family}: variants without a definition in PyTorch:",
                                   str(len(left)), *left]))
            chosen = [v for v in SMALLEST if v in variants]
            ok(chosen, f"{family}: some are compared")
            for variant in chosen:
                for naming in networks.namings(variant):
                    check(variant, naming, folder)
    done()


main()
