#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What vigil-convert refuses, and how: convert_refused.py VIGIL_CONVERT.  Prints TAP.

Checkpoints are written without PyTorch (torch_files.py).
"""
import argparse
import os
import random
import struct
import subprocess
import sys
import zipfile

try:
    import numpy
except ImportError:
    print("1..0 # SKIP needs python3-numpy")
    sys.exit(0)

import torch_files as torch
from convert_case import check, convert, done, folder, ok, refused, run

def check_malice():
    marker = folder / "marker"
    command = f"touch {marker}"
    evil = {"posix.system": torch.Call(os.system, command),
            "builtins.eval": torch.Call(eval, f"__import__('os').system('{command}')"),
            "builtins.getattr": torch.Call(getattr, "x", "upper"),
            "commands.Popen": torch.Call(subprocess.Popen, command),
            "models.emo.EMO": torch.Call(torch.stand_in("models.emo", "EMO"))}
    for writer in (torch.write_zip, torch.write_legacy):
        for name, call in evil.items():
            refused(f"{writer.__name__[6:]} that calls {name}", f"refers to {name}, which",
                    {"w": torch.floats([1.0]), "x": call}, writer=writer)
            ok(not marker.exists(), "nothing was run")

    @check("--inert reads a global as dead data and runs nothing either")
    def _():
        root = {"net": {"w": torch.floats([1.0])}, "x": evil["posix.system"]}
        assert list(convert(root, "--inert", "posix.system")[1]) == ["w"]
        assert not marker.exists()

    def opcodes(code):
        return b"\x80\x02" + code + b"."

    attribute = b"\x8c\x08builtins\x8c\x0bprint.x.y.z\x93"
    for name, code, message in (
            ("a dotted global", attribute, "refers to builtins.print.x.y.z"),
            ("the extension registry", b"\x82\x01", "is damaged, or no checkpoint"),
            ("INST", b"(iposix\nsystem\n", "is damaged, or no checkpoint"),
            ("a call of a number", b"K\x05)R", "calls something that is not a name"),
            ("the state of a list", b"]}b", "sets the state of a list"),
            ("a foreign persistent id", b"K\x05Q", "refers to something outside"),
            ("one nested too deep", b"N" + b"\x85" * 100000 + b"Q",
             "is damaged, or no checkpoint (RecursionError"),
            ("foreign encodings", b"c_codecs\nencode\n\x8c\1a\x8c\5utf-7\x86R",
             "encodes text as utf-7")):
        refused(name, message, data=opcodes(code))
    big = b"X" + struct.pack("<I", 2**20) + b"a" * 2**20
    refused("a pickle that multiplies its contents", "copies more than 67108864 values",
            data=opcodes(big + b"q\1c_codecs\nencode\nq\0" + b"h\0h\1\x85R" * 99))


def check_bounds():
    f = torch.Storage("Float", bytes(16))
    for name, arguments, message in (
            ("past the storage", ((2, 3),), "'t' reaches element 5 of a storage that has 4"),
            ("offset past it", ((1,), (1,), 4), "reaches element 4 of a storage"),
            ("stride past it", ((2,), (4,)), "reaches element 4 of a storage"),
            ("overflow", ((2**62, 2**62), (1, 1)), "reaches element 9223372036854775806"),
            ("negative offset", ((1,), (1,), -1), "that is not a count: (-1, 1, 1)"),
            ("negative stride", ((2,), (-1,), 3), "that is not a count: (3, 2, -1)"),
            ("negative shape", ((-2,), (1,)), "that is not a count: (0, -2, 1)"),
            ("real shape", ((1.0,), (1,)), "that is not a count: (0, 1.0, 1)"),
            ("true as shape", ((True,), (1,)), "that is not a count: (0, True, 1)"),
            ("too few strides", ((1, 1), (1,)), "has 2 dimensions and 1 strides"),
            ("nine dimensions", ((1,) * 9, (1,) * 9), "has 9 dimensions and 9 strides"),
            ("expanded to petabytes", ((2**50,), (0,)), "that expand to 4503599627370496")):
        refused(name, message, {"t": torch.tensor(f, *arguments)})
    for writer, message in ((torch.write_zip, "has 16 bytes in storage 0, not 20"),
                            (torch.write_legacy, "has 4 elements in storage 0, whose")):
        refused(f"{writer.__name__[6:]}: fewer elements than the pickle says", message,
                {"t": torch.tensor(torch.Storage("Float", bytes(16), count=5), (4,))},
                writer=writer)
        refused(f"{writer.__name__[6:]}: a storage is missing", "0",
                {"t": torch.tensor(f, (4,))}, writer=writer, leave_out=("0",))
        refused(f"{writer.__name__[6:]}: a negative count",
                "has a storage of -1 elements of type torch.FloatStorage",
                {"t": torch.tensor(torch.Storage("Float", bytes(16), count=-1), (4,))},
                writer=writer)
    refused("complex numbers", "refers to torch.ComplexFloatStorage",
            {"t": torch.tensor(torch.Storage("ComplexFloat", bytes(16)), (2,))})
    refused("a name with NUL", "cannot be stored", {"a\0b": torch.floats([1.0])})
    refused("a number as name", "cannot be stored", {3: torch.floats([1.0])})
    refused("the name __metadata__", "cannot be stored", {"__metadata__": torch.floats([1])})


def check_containers():
    w = {"w": torch.floats([1.0] * 8)}
    refused("a compressed archive", "compressed; PyTorch does not compress", w,
            compression=zipfile.ZIP_DEFLATED)
    refused("TorchScript", "is a TorchScript program", w, extra=["archive/constants.pkl"])
    refused("two data.pkl", "with 2 data.pkl", w, extra=["other/data.pkl"])
    refused("safetensors", "is a safetensors file already",
            data=struct.pack("<Q", 2) + b"{}")
    refused("a tar archive", "is a tar archive",
            data=bytes(257) + b"ustar\0" + bytes(300))
    refused("an empty file", "is damaged, or no checkpoint (EOFError", data=b"")
    refused("text", "is damaged, or no checkpoint", data=b"hello, world\n")
    for writer in (torch.write_zip, torch.write_legacy):
        writer(folder / "in.pth", w)
        data = (folder / "in.pth").read_bytes()
        for keep in (len(data) - 1, len(data) // 2, 70, 9):
            refused(f"{writer.__name__[6:]} cut from {len(data)} to {keep} bytes", "",
                    data=data[:keep])


def check_damage(seed, rounds):
    """Random damage: converted or refused in one line, never another end."""
    generator, wrong = random.Random(seed), []
    source, target = folder / "in.pth", folder / "out.safetensors"
    for writer in (torch.write_zip, torch.write_legacy):
        writer(source, {"net": {"a": torch.floats([1.0] * 8), "b": torch.floats([2.0])},
                        "args": argparse.Namespace(lr=0.1)})
        whole = source.read_bytes()
        for _ in range(rounds):
            data = bytearray(whole)
            for _ in range(generator.choice((1, 1, 2, 8))):
                data[generator.randrange(len(data))] = generator.randrange(256)
            source.write_bytes(data)
            try:
                status, out, err = run(source, target)
                if status == 0:
                    torch.read_safetensors(target)
                elif status != 1 or err.count("\n") != 1:
                    wrong.append(err)
            except Exception as error:
                wrong.append(f"{type(error).__name__}: {error}")
    ok(not wrong, f"{2 * rounds} damaged files, seed {seed}: {len(wrong)} end badly",
       "\n".join(wrong[:3]))


check_malice()
check_bounds()
check_containers()
check_damage(1, 200)
done()
