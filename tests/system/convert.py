#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What vigil-convert makes of checkpoints: convert.py VIGIL_CONVERT.  Prints TAP.

Checkpoints are written without PyTorch (torch_files.py); where it is installed, it writes
some of its own as well.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import pickle
import stat
import struct
import subprocess
import sys

try:
    import numpy
except ImportError:
    print("1..0 # SKIP needs python3-numpy")
    sys.exit(0)

import torch_files as torch
from convert_case import TOOL, check, convert, done, folder, ok, refused, run, skip

# ---- What is converted ---------------------------------------------------------------

def one(dtype, shape, data):
    return {"t": (dtype, shape, data)}


DATA = {"Float": "F32", "Half": "F16", "BFloat16": "BF16", "Double": "F64", "Long": "I64",
        "Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL"}


def check_types():
    root, expected = collections.OrderedDict(), {}
    for kind, dtype in DATA.items():
        data = bytes(i * 37 % 2 if kind == "Bool" else i * 37 % 251
                     for i in range(6 * torch.SIZES[kind]))
        root[kind] = torch.tensor(torch.Storage(kind, data), (2, 3))
        expected[kind] = dtype, (2, 3), data
    for writer in (torch.write_zip, torch.write_legacy):
        @check(f"{writer.__name__[6:]}: every type, bit for bit")
        def _():
            assert convert(root, writer=writer)[1] == expected

    @check("a zip archive written on a big-endian machine")
    def _():
        swapped = {kind: torch.tensor(torch.Storage(kind, struct.pack(code, *range(3))),
                                      (3,))
                   for kind, code in (("Float", ">3f"), ("Long", ">3q"), ("Byte", ">3B"))}
        _, got = convert(swapped, order=b"big")
        assert got["Float"][2] == struct.pack("<3f", 0, 1, 2), got
        assert got["Long"][2] == struct.pack("<3q", 0, 1, 2), got
        assert got["Byte"][2] == bytes(range(3)), got

    @check("untyped storage with the type beside it")
    def _():
        sys.modules["torch"].bfloat16 = torch.stand_in("torch", "bfloat16")
        t = torch.Call(torch.rebuild_tensor_v3, torch.Storage("Untyped", b"abcdef"), 1,
                       (2,), (1,), False, {}, sys.modules["torch"].bfloat16)
        assert convert({"t": t})[1] == one("BF16", (2,), b"cdef")


def check_layouts():
    whole = torch.Storage("Float", struct.pack("<12f", *range(12)))
    for name, arguments, values in (
            ("transposed", ((4, 3), (1, 4)), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
            ("offset and step", ((2, 2), (6, 2), 1), [1, 3, 7, 9]),
            ("expanded", ((2, 3), (0, 1), 9), [9, 10, 11, 9, 10, 11]),
            ("scalar", ((), (), 11), [11]),
            ("no elements", ((0, 3), (3, 1), 11), [])):
        for writer in (torch.write_zip, torch.write_legacy):
            @check(f"{writer.__name__[6:]}: {name} becomes contiguous")
            def _():
                got = convert({"t": torch.tensor(whole, *arguments)}, writer=writer)[1]
                data = struct.pack(f"<{len(values)}f", *values)
                assert got == one("F32", arguments[0], data), got

    @check("tensors may share a storage")
    def _():
        got = convert({"a": torch.tensor(whole, (2,), None, 1),
                       "b": torch.tensor(whole, (2,), None, 2)})[1]
        assert [struct.unpack("<2f", got[n][2]) for n in "ab"] == [(1, 2), (2, 3)], got

    @check("legacy: a view of a storage begins where it says")
    def _():
        view = torch.Storage("Float", b"", view=(4, 5))
        view.root = whole
        got = convert({"t": torch.tensor(view, (2,), None, 3)},
                      writer=torch.write_legacy)[1]
        assert struct.unpack("<2f", got["t"][2]) == (7, 8), got


def check_places():
    w = {"w": torch.floats([1.0])}
    other = {"w": torch.floats([2.0])}
    for keys in (["net"], ["net_E"], ["state_dict"], ["state_dict_ema"], ["model"],
                 ["model_ema"], ["ema"], ["module"], ["state_dict", "model"]):
        @check(f"weights under {'/'.join(keys)} are found")
        def _():
            root = w
            for key in reversed(keys):
                root = {"epoch": 3, key: root, "best": torch.floats([0.5])}
            assert list(convert(root)[1]) == ["w"]

    @check("net_E goes before net, --key chooses")
    def _():
        root = {"net": w, "net_E": other, "extra": {"deep": w}, "none": None}
        assert convert(root)[1]["w"][2] == struct.pack("<f", 2)
        assert convert(root, "--key", "net")[1]["w"][2] == struct.pack("<f", 1)
        assert convert(root, "--key=extra", "--key=deep")[1]["w"][2] == \
            struct.pack("<f", 1)

    @check("'module.' is taken off when all names have it")
    def _():
        two = {"module.a.b": torch.floats([1]), "module.c": torch.floats([2])}
        assert set(convert(two)[1]) == {"a.b", "c"}
        two["model.d"] = two.pop("module.c")
        assert set(convert(two)[1]) == {"module.a.b", "model.d"}

    refused("no weights", "has no tensors at its top or under net_E", {"epoch": 3, "x": []})
    refused("a wrong key", "has no 'nett'; the keys there are net", {"net": w}, "--key",
            "nett")
    refused("a key without weights", "has no tensors under 'epoch'", {"epoch": 3, "net": w},
            "--key", "epoch")
    refused("a number", "has no tensors", 3)


def check_companions():
    """What training leaves beside the weights."""
    numpy_scalar = torch.function("numpy.core.multiarray", "scalar")
    adam = torch.stand_in("torch.optim.adam", "Adam")()
    adam.state = {"step": 7}
    weights = collections.OrderedDict(w=torch.floats([1.0]))
    weights._metadata = collections.OrderedDict(version=1)
    path = pathlib.PurePosixPath("/x")
    root = {"args": argparse.Namespace(lr=0.1, path=path), "out": path,
            "optimizer": adam, "when": datetime.datetime(2024, 1, 2), "kinds": {1, 2},
            "epoch": torch.Call(numpy_scalar, b"\3\0\0\0"), "net": weights,
            "device": torch.Call(torch.function("torch", "device"), "cuda", 0),
            "counts": collections.Counter("aab"), "raw": b"\xff\0",
            "d": collections.defaultdict(list, a=[1])}
    if path.__class__.__module__ == "pathlib":  # Python 3.13 calls it so
        root["out"] = torch.Call(torch.function("pathlib._local", "PurePosixPath"), "/", "x")
    for writer in (torch.write_zip, torch.write_legacy):
        @check(f"{writer.__name__[6:]}: options, optimizer, numbers are passed over")
        def _():
            assert list(convert(root, writer=writer)[1]) == ["w"]

    @check("parameters are tensors, other values are left out and named")
    def _():
        source, target = folder / "in.pth", folder / "out.safetensors"
        torch.write_zip(source, {"p": torch.Call(torch.rebuild_parameter,
                                                 torch.floats([4.0]), True, {}),
                                 "q": torch.floats([1.0]), "n\n": 3})
        status, out, err = run(source, target)
        assert status == 0 and "left out 'n?'" in out, out + err
        assert set(torch.read_safetensors(target)[1]) == {"p", "q"}

    @check("a dictionary of NumPy arrays")
    def _():
        a = numpy.arange(6, dtype=">f4").reshape(2, 3)
        source, target = folder / "in.pth", folder / "out.safetensors"
        source.write_bytes(pickle.dumps({"a": a, "f": numpy.asfortranarray(a)}, 2))
        status, out, err = run(source, target)
        assert status == 0 and "plain pickle" in out, err
        data = struct.pack("<6f", *range(6))
        assert torch.read_safetensors(target)[1] == {"a": ("F32", (2, 3), data),
                                                     "f": ("F32", (2, 3), data)}


def check_half():
    @check("--half: rounded to nearest; what does not fit keeps its type")
    def _():
        bf16 = torch.tensor(torch.Storage("BFloat16", struct.pack("<2H", 0x3f80, 0xc000)),
                            (2,))
        double = torch.tensor(torch.Storage("Double", struct.pack("<2d", 1e-3, 7e4)), (2,))
        count = torch.tensor(torch.Storage("Long", bytes(8)), ())
        got = convert({"f": torch.floats([0.1, 65519.0, float("inf")]), "b": bf16,
                       "s": torch.tensor(bf16.arguments[0], (), offset=1),
                       "v": torch.floats([1.0, 65520.0]), "d": double, "n": count},
                      "--half")[1]
        assert got["f"] == ("F16", (3,), struct.pack("<2e", 0.1, 65504) + b"\0|"), got["f"]
        assert got["b"] == ("F16", (2,), struct.pack("<2e", 1, -2)), got["b"]
        assert got["s"] == ("F16", (), struct.pack("<e", -2)), got["s"]
        assert got["v"] == ("F32", (2,), struct.pack("<2f", 1, 65520)), got["v"]
        assert got["d"] == ("F32", (2,), struct.pack("<2f", 1e-3, 7e4)), got["d"]
        assert got["n"] == ("I64", (), bytes(8)), got["n"]


# ---- Command line --------------------------------------------------------------------


def check_metadata():
    labels = folder.parent / "labels.txt"
    labels.write_text("cat\nZug\u00e4nge, \"a\"\n\u732b\n", encoding="utf-8")
    w = {"w": torch.floats([1.0])}

    @check("metadata keys and values")
    def _():
        got = convert(w, "--family=emo", "--variant=EMO_1M", "--task=classification",
                      "--label-file", labels, "--input-size=128x160",
                      "--mean=0.485, 0.456 0.406", "--std", "+.229 224e-3 0.225",
                      "--channel-order=bgr", "--resize=crop", "--resize-shorter=256",
                      "--window=7")[0]
        assert json.loads(got.pop("labels")) == ["cat", "Zug\u00e4nge, \"a\"", "\u732b"]
        assert got.pop("converter").startswith("vigil-convert ")
        assert got == {"format": "pt", "source": "in.pth", "family": "emo",
                       "variant": "EMO_1M", "task": "classification",
                       "input_height": "128", "input_width": "160",
                       "mean": "0.485 0.456 0.406", "std": "0.229 0.224 0.225",
                       "channel_order": "bgr", "resize": "crop", "resize_shorter": "256",
                       "window": "7"}, got

    @check("without options there is only where it came from")
    def _():
        assert set(convert(w)[0]) == {"format", "source", "converter"}

    source, target = folder / "in.pth", folder / "out.safetensors"
    for content, message in ((b"a\n\nb\n", "line 2 is not a label"),
                             (b"a\n\xff\n", "byte 2 is not UTF-8"),
                             (b"a\n\0\n", "line 2 is not a label"),
                             (None, "No such file")):
        labels.unlink(missing_ok=True)
        if content:
            labels.write_bytes(content)
        status, _, err = run(source, target, "--label-file", labels)
        ok(status == 1 and str(labels) in err and message in err and err.count("\n") == 1,
           f"labels {content}: {message}", err)
    for option, value in (("--mean", "1 2"), ("--mean", "1 2 x"), ("--mean", "1 2 nan"),
                          ("--mean", "1 2 1e7"), ("--std", "1 1 1e-12"), ("--window", "1"),
                          ("--std", "1 0 1"), ("--input-size", "31"),
                          ("--input-size", "64x5000"), ("--input-size", "axb"),
                          ("--window", "0"), ("--resize", "zoom"), ("--family", "a b"),
                          ("--channel-order", "rbg"), ("--resize-shorter", "-3")):
        status, _, err = run(source, target, f"{option}={value}")
        ok(status == 2 and option in err, f"{option}={value} is a usage error", err)


def check_files():
    source, target = folder / "in.pth", folder / "out.safetensors"
    torch.write_zip(source, {"a\x1b": torch.floats([1.0, 2.0], (2, 1)),
                             "b": torch.floats([3.0])})
    target.unlink(missing_ok=True)
    status, out, err = run(source, "--list")
    ok(status == 0 and "a? F32 [2, 1]\nb F32 [1]\n" in out and not target.exists(),
       "--list prints names, types, shapes and writes nothing", out + err)
    status, out, err = run(source)
    ok(status == 2 and "OUT is missing" in err, "OUT is needed otherwise", err)
    before = os.umask(0o027)
    status, out, err = run(source, target)
    os.umask(before)
    ok(status == 0 and stat.S_IMODE(target.stat().st_mode) == 0o640,
       "the file has the mode the umask leaves", err)
    ok("zip archive; 2 tensors at the top level, 3 values" in out and "F32" in out,
       "a summary says what was taken", out)
    status, out, err = run(source, source)
    ok(status == 1 and "input and output at once" in err, "IN is not overwritten", err)
    for path, message in ((folder / "none.pth", "No such file"), (folder, "directory")):
        status, out, err = run(path, target)
        ok(status == 1 and message in err and str(path) in err, f"IN: {message}", err)
    status, out, err = run(source, folder / "none" / "out.safetensors")
    ok(status == 1 and f"{folder}/none/out.safetensors: No such file" in err,
       "OUT in no folder", err)
    ok(sorted(p.name for p in folder.iterdir()) == ["in.pth", "out.safetensors"],
       "nothing else is left behind")
    program = subprocess.run([TOOL, source, target], capture_output=True, text=True)
    ok(program.returncode == 0 and not program.stderr, "it runs as a program",
       program.stderr)
    program = subprocess.run([TOOL, "--version"], capture_output=True, text=True)
    ok(program.returncode == 0 and program.stdout.startswith("vigil-convert "), "--version")


# ---- The real one --------------------------------------------------------------------

SAVE = """
import collections, sys, torch
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
state = net.state_dict()
state["half"], state["bf16"] = torch.randn(5).half(), torch.randn(5).bfloat16()
state["t"] = torch.arange(12).reshape(3, 4).t()
optimizer = torch.optim.AdamW(net.parameters())
net(torch.randn(2, 3, 8, 8)).sum().backward()
optimizer.step()
torch.save({"net": state, "optimizer": optimizer.state_dict(), "epoch": 2}, sys.argv[1],
           _use_new_zipfile_serialization=sys.argv[2] == "zip")
for name, value in state.items():
    value = value.contiguous()
    value = value.view(torch.int16) if value.dtype is torch.bfloat16 else value
    print(name, list(value.shape), value.numpy().tobytes().hex(), sep="|")
"""


def check_torch():
    probe = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True)
    for kind in ("zip", "legacy"):
        if probe.returncode:
            skip(f"{kind} by torch.save(): PyTorch is not installed (python3-torch)")
            continue

        @check(f"{kind} by torch.save(), bit for bit")
        def _():
            source, target = folder / "in.pth", folder / "out.safetensors"
            saved = subprocess.run([sys.executable, "-c", SAVE, source, kind], text=True,
                                   capture_output=True, check=True).stdout
            status, out, err = run(source, target)
            assert status == 0, err
            got = torch.read_safetensors(target)[1]
            lines = [line.split("|") for line in saved.splitlines()]
            assert {n for n, _, _ in lines} == set(got), out
            for name, shape, data in lines:
                assert str(list(got[name][1])) == shape, f"{name} {got[name][1]} {shape}"
                assert got[name][2].hex() == data, name


check_types()
check_layouts()
check_places()
check_companions()
check_half()
check_metadata()
check_files()
check_torch()
done()
