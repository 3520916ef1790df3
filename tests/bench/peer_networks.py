# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks of models/training on random weights, written for every runtime."""
import contextlib
import os
import sys
import warnings

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path += [os.path.join(here, "../models")]
from torch_case import numpy, picture, randomise, torch

import export
import networks
from safetensors_file import write_safetensors

OPSET = 17  # the first with layer norm
CLASSES = {"classification": 1000, "detection": 80, "segmentation": 150}
# Networks that know no native size of their own here, and those measured without --all.
DENSE_SIZES = {"ssdlite": 320, "deeplabv3": 512}
DENSE = ("ssdlite_emo_1M", "deeplabv3_emo_1M")
SMALL = ("EMO_1M", "EMO_5M", "mobile_former_26m", "mobile_former_294m", "mobilevit_xxs",
         "mobilevit_s", "mobilevitv2_100", "mobilevitv3_s")


def task_of(variant):
    return {"ssdlite": "detection", "deeplabv3": "segmentation"}.get(
        variant.split("_")[0], "classification")


def write(variant, size, folder):
    """model.safetensors, model.onnx and input.npy [1][3][size][size]."""
    task, window = task_of(variant), size // 32
    torch.manual_seed(7)
    model = networks.build(variant, CLASSES[task], window).eval()
    randomise(model, 1 if networks.VARIANTS[variant] == "mobile_former" else 1.25)
    tensors = networks.rename(model.state_dict(), networks.namings(variant)[0])
    metadata = dict(family=networks.VARIANTS[variant], variant=variant, task=task,
                    input_height=str(size), input_width=str(size))
    if networks.has_windows(variant):
        metadata["window"] = str(window)
    path = os.path.join(folder, "model.safetensors")
    write_safetensors(path, {n: t.numpy() for n, t in tensors.items()
                             if not n.endswith("num_batches_tracked")}, metadata)
    mean, std = numpy.float32(export.MEAN), numpy.float32(export.STD)
    x = (picture(size, size) / numpy.float32(255) - mean) / std
    x = numpy.ascontiguousarray(x.transpose(2, 0, 1)[None])
    numpy.save(os.path.join(folder, "input.npy"), x)
    x = torch.from_numpy(x)
    # What tracing warns of, sizes becoming constants, is wanted: they are.
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        torch.onnx.export(model, x, os.path.join(folder, "model.onnx"),
                          input_names=["input"], opset_version=OPSET)
