# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of models/training share: PyTorch, where there is one, and TAP."""
import functools
import os
import re
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
# Learned tokens.
TOKENS = r"^tokens.weight|\.(tokens|queries|positions).weight$"
MASK = (1 << 64) - 1
count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)
    return good


def done():
    print(f"1..{count}")
    sys.exit(failed > 0)


def off(ours, theirs):
    """The largest difference of logits, relative to their rms."""
    theirs = numpy.asarray(theirs, numpy.float64)
    if ours.shape != theirs.shape:
        return numpy.inf
    return float(abs(ours - theirs).max() / numpy.sqrt((theirs**2).mean()))


def uniform(name, n, seed):
    """n values in -1..1 that follow from the name."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    u = numpy.uint64
    with numpy.errstate(over="ignore"):
        z = numpy.arange(n, dtype=u) + u(base ^ seed) + u(0x9E3779B97F4A7C15)
        z = (z ^ (z >> u(30))) * u(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> u(27))) * u(0x94D049BB133111EB)
        z ^= z >> u(31)
    return ((z >> u(40)).astype(numpy.float64) / 8388608 - 1).astype(numpy.float32)


def formula(name, tensor, seed, gain):
    """What models/core/formula.h makes of a tensor of that name and shape."""
    f, last = numpy.float32, name.rsplit(".", 1)[-1]
    r = uniform(name, tensor.numel(), seed).reshape(tensor.shape)
    if last == "running_var":
        r = f(1) + f(0.5) * r
    elif tensor.ndim > 1 and not re.search(TOKENS, name):
        r *= f(numpy.sqrt(3 / tensor[0].numel()) * gain)
    elif tensor.ndim == 1:
        r = f(1) + f(0.25) * r if last == "weight" else f(0.1) * r
    return torch.from_numpy(r)


def fill(model, seed, gain):
    """Formula weights, the names of the model's own state dict telling them."""
    state = {n: formula(n, t, seed, gain) for n, t in model.state_dict().items()
             if not n.endswith("num_batches_tracked")}
    model.load_state_dict(state, strict=False)


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
