#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model calibrate and --precision: python3 cli_calibrate.py VIGIL_MODEL.  Prints TAP.

EMO_1M on formula weights is calibrated on a few pictures and run both ways.
"""
import json
import math
import os
import struct

import formula_model
from cli_case import main, ok, refuse, run, run_json, text_of, write

CLASSES = 10
SIZE = ("--size", "64x64")


def make_files():
    os.mkdir("pictures")
    os.mkdir("nothing")
    for i, (height, width) in enumerate(((64, 64), (96, 64), (70, 110))):
        picture = formula_model.png(width, height,
                                    formula_model.formula_picture(height, width))
        write(f"pictures/{'bac'[i]}.{('png', 'PNG', 'png')[i]}", picture)
    write("pictures/notes.txt", b"no picture")
    write("nothing/notes.txt", b"no picture")
    tensors = formula_model.formula_tensors(CLASSES)
    write("plain.safetensors", formula_model.safetensors(tensors))
    write("said.safetensors", formula_model.safetensors(
        tensors, {"resize": "stretch", "note": "caf\u00e9"}))


def header_and_data(name):
    data = open(name, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def layers_of(name):
    """Weights whose inputs have ranges."""
    ranges = json.loads(header_and_data(name)[0]["__metadata__"]["int8_ranges"])
    return {key.split("|")[-1] for key in ranges}


def calibrate(name, out, *args):
    return run_json("calibrate", name, "--images", "pictures", "--out", out, *SIZE, *args)


def skipping(out, *args):
    """The same where a picture is broken, which one line tells."""
    result = run("calibrate", "plain.safetensors", "--images", "pictures", "--out", out,
                 *SIZE, "--skip-broken", "--json", *args)
    ok(result.returncode == 0 and result.stderr.count("\n") == 1
       and "0.png" in result.stderr, "a broken picture is told", result.stderr)
    return json.loads(result.stdout)


def logits(name, precision):
    return run_json("infer", name, "pictures/b.png", *SIZE, "--raw", "--precision",
                    precision)["logits"]


# ---- Cases -----------------------------------------------------------------------------

def check_file():
    got = calibrate("plain.safetensors", "bytes.safetensors")
    ok(got["pictures"] == 3 and got["skipped"] == 0
       and 0 <= got["int8_layers"] <= got["calibrated_layers"], "pictures are counted", got)
    before, data = header_and_data("plain.safetensors")
    after, same = header_and_data("bytes.safetensors")
    metadata = after.pop("__metadata__")
    ok(after == before and same == data, "tensors stay as they are")
    ranges = json.loads(metadata["int8_ranges"])
    ok(metadata["precision"] == "int8" and len(ranges) == got["calibrated_layers"] > 10
       and all(low <= 0 <= high for low, high in ranges.values()), "ranges are written",
       metadata)
    names = layers_of("bytes.safetensors")
    ok({name + ".weight" for name in names} <= set(before) and "head" not in names,
       "of layers of the network, not of its last", names)


def check_metadata():
    calibrate("said.safetensors", "floats.safetensors", "--precision", "float32")
    metadata = header_and_data("floats.safetensors")[0]["__metadata__"]
    ok((metadata["resize"], metadata["note"], metadata["precision"])
       == ("stretch", "caf\u00e9", "float32"), "other metadata stays", metadata)
    calibrate("bytes.safetensors", "again.safetensors")
    ok(header_and_data("again.safetensors") == header_and_data("bytes.safetensors"),
       "calibrated again it is the same")
    calibrate("again.safetensors", "again.safetensors")
    ok(header_and_data("again.safetensors") == header_and_data("bytes.safetensors"),
       "in its own place, too")


def check_exclude():
    calibrate("plain.safetensors", "fewer.safetensors", "--exclude", "stage4.0.v.conv",
              "--exclude", "stage3.1.proj.conv")
    all_layers, fewer = layers_of("bytes.safetensors"), layers_of("fewer.safetensors")
    ok(fewer < all_layers and all_layers - fewer == {"stage4.0.v.conv", "stage3.1.proj.conv"},
       "excluded layers have no range", all_layers - fewer)
    refuse(2, "--exclude head: no layer", "calibrate", "plain.safetensors", "--images",
           "pictures", "--out", "no.safetensors", *SIZE, "--exclude", "head")
    ok(not os.path.exists("no.safetensors"), "and nothing is written")


def check_precision():
    info = run_json("info", "bytes.safetensors")["precision"]
    layers = info["int8_layers"]
    ok((info["name"], info["origin"], info["calibrated"]) == ("int8", "metadata", True),
       "info tells the precision", info)
    info = run_json("info", "bytes.safetensors", "--precision", "float32")["precision"]
    ok((info["name"], info["origin"], info["int8_layers"]) == ("float32", "option", 0),
       "and that of an option", info)
    info = run_json("info", "plain.safetensors")["precision"]
    ok((info["name"], info["origin"], info["calibrated"])
       == ("float32", "scheme default", False), "and of files that do not say", info)
    text = text_of("info", "bytes.safetensors")
    ok(f"int8 in {layers} layers" in text and "(metadata)" in text, "also as text", text)
    kinds = [row["kind"] for row in
             run_json("info", "bytes.safetensors", "--layers")["layers"]]
    ok(sum(kind.endswith(" int8") for kind in kinds) == layers,
       f"{layers} layers are listed so", kinds)
    bench = run_json("bench", "bytes.safetensors", *SIZE, "--runs", "1")["precision"]
    ok(bench["name"] == "int8" and bench["int8_layers"] == layers, "bench tells it", bench)


def check_answers():
    exact = logits("plain.safetensors", "auto")
    ok(logits("bytes.safetensors", "float32") == exact, "float32 is as before")
    got = logits("bytes.safetensors", "int8")
    off = math.sqrt(sum((a - b) ** 2 for a, b in zip(got, exact))
                    / sum(b ** 2 for b in exact))
    layers = run_json("info", "bytes.safetensors")["precision"]["int8_layers"]
    ok(0 < off < 0.1 if layers else off == 0,
       f"int8 in {layers} layers is off by {off:.3g} of the size of the logits")
    ok(logits("bytes.safetensors", "auto") == got, "auto is what the file says")
    ok(logits("floats.safetensors", "auto") == logits("said.safetensors", "float32"),
       "float32 if it says so")


def check_broken():
    write("pictures/0.png", b"\x89PNG\r\n\x1a\n")
    refuse(1, "0.png", "calibrate", "plain.safetensors", "--images", "pictures", "--out",
           "no.safetensors", *SIZE)
    got = skipping("skipped.safetensors")
    ok((got["pictures"], got["skipped"]) == (3, 1), "broken pictures are left out", got)
    got = skipping("one.safetensors", "--limit", "2")
    ok((got["pictures"], got["skipped"]) == (1, 1), "--limit counts pictures", got)
    only = run("calibrate", "plain.safetensors", "--images", "pictures", "--out",
               "no.safetensors", "--skip-broken", "--limit", "1")
    ok(only.returncode == 1 and "no picture could be read" in only.stderr
       and not os.path.exists("no.safetensors"), "one picture at least must be read",
       only.stderr)
    os.remove("pictures/0.png")


def check_refused():
    for pattern, args in (
            ("FILE is missing", []),
            ("--images is missing", ["plain.safetensors", "--out", "a"]),
            ("--out is missing", ["plain.safetensors", "--images", "pictures"]),
            ("--precision int4: must be", ["a", "--precision", "int4"])):
        refuse(2, pattern, "calibrate", *args)
    for pattern, name, folder, out in (
            ("no-such-file", "no-such-file", "pictures", "no.safetensors"),
            ("no-folder", "plain.safetensors", "no-folder", "no.safetensors"),
            ("nothing: no picture", "plain.safetensors", "nothing", "no.safetensors"),
            ("no-folder/a", "plain.safetensors", "pictures", "no-folder/a")):
        refuse(1, pattern, "calibrate", name, "--images", folder, "--out", out,
               "--skip-broken", *SIZE)
    for command in (["info"], ["infer"], ["bench"]):
        args = [*command, "plain.safetensors"] + ["pictures/b.png"] * (command == ["infer"])
        refuse(1, "was not calibrated.*vigil-model calibrate", *args, "--precision", "int8")
    ok(run("info", "plain.safetensors", "--precision", "auto").returncode == 0,
       "auto needs no calibration")


main([make_files], [check_file, check_metadata, check_exclude, check_precision,
                    check_answers, check_broken, check_refused])
