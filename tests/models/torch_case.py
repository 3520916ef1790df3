# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of models/training share: PyTorch, where there is one, and TAP."""
import functools
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path += [os.path.join(here, "../../models/training"), os.path.join(here, "../system")]
try:
    import numpy
    import torch
except ImportError as missing:
    print(f"1..0 # SKIP {missing} (Debian: apt install python3-torch)")
    sys.exit(0)
from formula_model import formula_picture

torch.set_num_threads(1)

# A small variant of each family, and of each way its blocks are built.
SMALLEST = ("EMO_1M", "mobile_former_26m", "mobilevit_xxs", "mobilevitv2_050",
            "mobilevitv3_xxs", "mobilevitv3_050")
count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)


def done():
    print(f"1..{count}")
    sys.exit(failed > 0)


def off(ours, theirs):
    """The largest difference of logits, relative to their rms."""
    theirs = numpy.asarray(theirs, numpy.float64)
    if ours.shape != theirs.shape:
        return numpy.inf
    return float(abs(ours - theirs).max() / numpy.sqrt((theirs**2).mean()))


@functools.lru_cache(maxsize=None)
def picture(height, width):
    """The formula picture, uint8 [H][W][3]."""
    rows = formula_picture(height, width)
    return numpy.frombuffer(b"".join(rows), numpy.uint8).reshape(height, width, 3)


def randomise(model, gain):
    """All tensors, norms and running statistics too; attentions get to choose."""
    for name, t in model.state_dict().items():
        if name.endswith("running_var") or t.ndim == 1 and name.endswith("weight"):
            t.uniform_(0.5, 1.5)
        elif t.ndim == 1:
            t.normal_(0, 0.1)
        elif t.ndim > 1:
            t.normal_(0, gain * t[0].numel() ** -0.5)


def run(model, x):
    """Logits of one input [H][W][3]."""
    x = torch.from_numpy(x.transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        return model(x)[0].numpy()
