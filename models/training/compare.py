#!/usr/bin/env python3
"""Checks a shipped classifier on the whole validation split: the engine against PyTorch.

    compare.py --data DATA --model cameras10-emo-1m.safetensors [--library libvigil.so]

Both get the same input tensors and the same (stored) weights.  Prints how many pictures
get the same top class, the largest difference of a logit relative to the rms of all
logits, and the accuracy of both per class.
"""

import argparse
import ctypes
import json

import numpy as np
import torch

import networks
from safetensors_file import read_safetensors
from train_classifier import accuracy, load_pictures
from training import normalise, to_input


class VigilError(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class VigilTensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("rank", ctypes.c_int),
        ("shape", ctypes.c_int * 4),
        ("data", ctypes.POINTER(ctypes.c_float)),
    ]


class Engine:
    """A session of libvigil at the model's own input size."""

    def __init__(self, library, model, size):
        self.lib, self.size = ctypes.CDLL(library), size
        self.lib.vigil_session_input.restype = ctypes.POINTER(ctypes.c_float)
        self.lib.vigil_session_output.restype = ctypes.POINTER(VigilTensor)
        self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        error = VigilError()
        for call, args in (
            (self.lib.vigil_model_open, (model.encode(), ctypes.byref(self.model))),
            (self.lib.vigil_session_open, (self.model, None, ctypes.byref(self.session))),
        ):
            if call(*args, ctypes.byref(error)):
                raise SystemExit(error.message.decode())

    def __call__(self, x):
        """Logits [n][classes] of tensors [n][3][size][size]."""
        out = []
        for picture in x.permute(0, 2, 3, 1).contiguous().numpy():
            ctypes.memmove(
                self.lib.vigil_session_input(self.session), picture.ctypes.data, picture.nbytes
            )
            self.lib.vigil_session_run(self.session)
            t = self.lib.vigil_session_output(self.session, ctypes.c_size_t(0)).contents
            out.append(np.ctypeslib.as_array(t.data, (t.shape[0],)).copy())
        return np.stack(out)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True, help="folder of the data packs")
    ap.add_argument("--cache", default="build/training")
    ap.add_argument("--model", required=True)
    ap.add_argument("--library", default="build/gcc/models/libvigil.so")
    args = ap.parse_args()
    pictures, labels, is_train, names, _ = load_pictures(args.data, "cls", args.cache)
    pictures, labels = pictures[~is_train], labels[~is_train]
    tensors, metadata = read_safetensors(args.model)
    size = int(metadata["input_height"])
    window = int(metadata.get("window", 7))
    model = networks.build(metadata["variant"], len(names), window).eval()
    networks.load(model, tensors)
    engine, ours, theirs = Engine(args.library, args.model, size), [], []
    for at in range(0, len(pictures), 64):
        x = to_input(pictures[at : at + 64])
        x = torch.nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True)
        x = normalise(x)
        with torch.no_grad():
            theirs.append(model(x).numpy())
        ours.append(engine(x))
    ours, theirs = np.concatenate(ours), np.concatenate(theirs)
    rms = np.sqrt((theirs.astype(np.float64) ** 2).mean())
    report = dict(
        pictures=len(labels),
        same_top1=float((ours.argmax(1) == theirs.argmax(1)).mean()),
        worst_logit_difference_rms=float(np.abs(ours - theirs).max() / rms),
        engine_top1=accuracy(ours, labels, names)[0],
        pytorch_top1=accuracy(theirs, labels, names)[0],
        per_class=accuracy(ours, labels, names)[1],
    )
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
