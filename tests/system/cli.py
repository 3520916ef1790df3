#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model from outside: python3 cli.py VIGIL_MODEL.  Prints TAP.

Needs nothing but Python: the model is EMO_1M with formula weights, the picture the
formula picture, whose logits are those of the published implementation in double.
"""
import base64
import json
import math
import os
import re
import struct
import subprocess
import zlib

import formula_model
from cli_case import TOOL, main, ok, read_png, refuse, run, run_json, text_of, write

CLASSES = 1000
LABELS = [f"class {i}" for i in range(10)]
LABELS[0] = "Zug\xe4nglich \u732b"
LABELS[1] = "red\x1b[31m\nline"

# Of the published implementation, float64: every 63rd logit, and the rms of all.
LOGITS = [-1.21103255, 0.56115106, -2.38855582, -0.66757223, 1.27921224, 1.05171478,
          1.90990271, -1.75040843, -1.02927924, 1.78316172, 0.32480278, 1.67872701,
          -0.65962114, 0.73451796, 1.03563081, 1.35170742]
LOGITS_RMS = 1.29968513
LOGITS_TOLERANCE = 1.5e-5
TOP = [231, 492, 658, 390, 101]  # by logits, for pixels as they are

# Tap stage2.1, [1, 48, 28, 28]: values at (k * 2654435761 + 12345) mod 37632.
TAP = [-0.162012011, 1.02221894, -2.58067703, -0.120696142, 2.07098842, -3.50404787,
       -0.699769497, 0.283091724, -0.259052545, -4.4077363, -1.51197767, -0.461147428]
TAP_RMS = 1.21437292
TAP_TOLERANCE = 1e-4

# 24 x 16 pixels, the upper half red and the lower blue as stored; orientation 6, so that
# upright it is 16 x 24 with blue on the left.
TURNED_JPEG = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAA0JCgsK
CA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4O
DhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAAR
CAAQABgDAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAUG/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABYB
AQEBAAAAAAAAAAAAAAAAAAAHBf/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AM+xlJAAQliSoAB/
/9k=
""")

# ---- Files -----------------------------------------------------------------------------

def make_models():
    tensors = formula_model.formula_tensors(CLASSES)
    whole = formula_model.safetensors(tensors)
    write("emo.safetensors", whole)
    ten = [(n, (10,) + s[1:], d[:len(d) * 10 // CLASSES]) if n.startswith("head.")
           else (n, s, d) for n, s, d in tensors]
    write("labels.safetensors", formula_model.safetensors(ten, {
        "labels": json.dumps(LABELS), "channel_order": "bgr", "input_height": "96",
        "input_width": "128", "resize": "stretch"}))
    write("none.safetensors", formula_model.safetensors(ten, {"resize": "none"}))
    write("nan.safetensors", formula_model.safetensors(
        [(n, s, struct.pack("<f", math.nan) * 10 if n == "head.bias" else d)
         for n, s, d in ten]))
    write("missing.safetensors", formula_model.safetensors(
        [t for t in ten if t[0] != "stage3.4.qk.conv.bias"]))
    write("other.safetensors", formula_model.safetensors([("w", (2,), bytes(8))]))
    write("short.safetensors", whole[:len(whole) // 2])
    write("empty.safetensors", b"")
    write("text.safetensors", b"version https://example.org\noid sha256:0123\nsize 9\n")
    write("header.safetensors", struct.pack("<Q", 1 << 60) + whole[8:4096])
    write("json.safetensors", struct.pack("<Q", 8) + b"{\"a\": [}")


def resized_header(png, width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (png[:12] + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
            + png[33:])


def make_pictures():
    rows = formula_model.formula_picture(224, 224)
    whole = formula_model.png(224, 224, rows)
    write("formula.png", whole)
    write("small.png", formula_model.png(96, 64, [row[:288] for row in rows[:64]]))
    write("grey.png", formula_model.png(64, 64, [row[:64] for row in rows[:64]], 0))
    opaque = [bytes(b for x in range(0, 288, 3) for b in row[x:x + 3] + b"\0")
              for row in rows[:64]]
    write("alpha.png", formula_model.png(96, 64, opaque, 6))
    write("short.png", whole[:len(whole) // 2])
    write("rows.png", resized_header(formula_model.png(224, 100, rows[:100]), 224, 224))
    write("wide.png", resized_header(whole, 32769, 4))
    write("bomb.png", resized_header(whole, 32768, 32768))
    write("turned.jpg", TURNED_JPEG)
    write("short.jpg", TURNED_JPEG[:-40])
    write("unended.jpg", TURNED_JPEG[:-2])
    write("unended.png", whole[:-12])
    write("text.png", b"not a picture\n")
    write("empty.png", b"")
    write("picture.gif", b"GIF89a\x01\0\x01\0\0\0\0;")


# ---- Cases -----------------------------------------------------------------------------

def check_help():
    version = text_of("--version")
    ok(re.fullmatch(r"vigil-model \d+\.\d+\.\d+\n", version), "version", version)
    general = text_of("--help")
    for command, words in (("list", ["--json"]),
                           ("info", ["FILE", "--json", "--layers", "--attention"]),
                           ("infer", ["FILE", "IMAGE", "--size", "--resize", "--top",
                                      "--channel-order", "--threads", "--raw", "--tap",
                                      "--attention"]),
                           ("bench", ["VARIANT", "--runs", "--threads", "--layers",
                                      "--precision"]),
                           ("calibrate", ["FILE", "--images", "--out", "--exclude"])):
        text = text_of(command, "--help")
        ok(all(word in text for word in words) and command in general,
           f"help of {command} names all it takes", text)


def check_list():
    rows = {row["variant"]: row for row in run_json("list")}
    ok(rows["EMO_1M"] == {"family": "emo", "variant": "EMO_1M", "task": "classification",
                          "parameters": 1361168, "macs": 255237672,
                          "input": {"height": 224, "width": 224}},
       "list --json describes EMO_1M", rows["EMO_1M"])
    lines = text_of("list").splitlines()
    ok(len(lines) == len(rows) + 1 and len({len(line) for line in lines}) == 1
       and any(line.split() == ["emo", "EMO_1M", "classification", "1361168",
                                "255237672", "224x224"] for line in lines),
       "list prints aligned columns", "\n".join(lines))


def check_info():
    info = run_json("info", "emo.safetensors")
    wanted = ("file family variant task naming parameters macs input classes labels "
              "memory_bytes").split()
    ok(all(key in info for key in wanted), "info --json has every key", info.keys())
    ok((info["family"], info["variant"], info["task"], info["naming"],
        info["parameters"], info["macs"], info["classes"])
       == ("emo", "EMO_1M", "classification", "official", 1361168, 255237672, CLASSES),
       "info recognises the file", info)
    rules = info["input"]
    ok((rules["height"], rules["width"], rules["channel_order"], rules["resize"])
       == (224, 224, "rgb", "crop") and rules["mean"] == [0.485, 0.456, 0.406]
       and rules["std"] == [0.229, 0.224, 0.225], "info shows the scheme's input", rules)
    ok(set(rules["origin"].values()) == {"scheme default"}
       and set(rules["origin"]) == {"size", "channel_order", "mean", "std", "resize"},
       "each setting is a scheme default", rules)
    ok(4 * 1361168 * 0.9 < info["memory_bytes"] < 4 * 1361168 * 2, "memory is plausible",
       info["memory_bytes"])
    text = text_of("info", "emo.safetensors")
    ok(all(re.search(pattern, text, re.M) for pattern in
           (r"^variant +EMO_1M$", r"^parameters +1361168$",
            r"^input +224x224 +\(scheme default\)$",
            r"^mean +0\.485 0\.456 0\.406 +\(scheme default\)$")),
       "info prints the same as text", text)


def check_metadata():
    info = run_json("info", "labels.safetensors")
    rules, origin = info["input"], info["input"]["origin"]
    ok((rules["height"], rules["width"], rules["channel_order"], rules["resize"])
       == (96, 128, "bgr", "stretch"), "metadata overrides the scheme", rules)
    ok(all(origin[key] == "metadata" for key in ("size", "channel_order", "resize"))
       and origin["mean"] == "scheme default", "origins tell metadata", origin)
    ok(info["labels"][0] == LABELS[0] and info["labels"][2] == "class 2"
       and info["labels"][1] == "red?[31m?line",
       "labels are UTF-8 without control characters", info["labels"][:3])
    text = text_of("info", "labels.safetensors") + text_of(
        "infer", "labels.safetensors", "small.png", "--top", "10")
    ok(LABELS[0] in text and "\x1b" not in text, "no control characters in text", text)


def check_layers():
    layers = run_json("info", "emo.safetensors", "--layers")["layers"]
    by_name = {layer["name"]: layer for layer in layers}
    ok(len(by_name) == len(layers), "names of layers are unique")
    ok(by_name["stage2.1"]["shape"] == [1, 48, 28, 28]
       and by_name["head"]["shape"] == [1, CLASSES], "layers have tap shapes",
       [by_name.get("stage2.1"), by_name.get("head")])
    ok(sum(layer["macs"] for layer in layers) + merged(224, 224) == 255237672,
       "MACs of the layers and those saved add up", sum(layer["macs"] for layer in layers))
    ok(by_name["head"]["parameters"] == 168 * CLASSES + CLASSES, "parameters of a layer",
       by_name["head"])
    text = text_of("info", "emo.safetensors", "--layers")
    ok(all(name in text for name in by_name), "info --layers lists all as text")
    taps = [part for name in by_name for part in ("--tap", name)]
    got = run_json("infer", "emo.safetensors", "formula.png", *taps)["taps"]
    ok({name: layer["shape"] for name, layer in by_name.items()}
       == {name: tap["shape"] for name, tap in got.items()},
       "every listed layer can be tapped, in the listed shape")
    ok(all(len(tap["values"]) == math.prod(tap["shape"]) for tap in got.values()),
       "taps have as many values as their shape says")


def check_numbers():
    got = run_json("infer", "emo.safetensors", "formula.png", "--resize", "none", "--raw",
                   "--tap", "stage2.1", "--tap", "norm", "--threads", "1")
    worst = max(abs(a - b) for a, b in zip(got["logits"][::63], LOGITS)) / LOGITS_RMS
    ok(len(got["logits"]) == CLASSES and worst <= LOGITS_TOLERANCE,
       f"logits off by {worst:.2g} rms (may be {LOGITS_TOLERANCE})")
    rms = math.sqrt(sum(v * v for v in got["logits"]) / CLASSES)
    ok(abs(rms - LOGITS_RMS) < 1e-5, f"rms of the logits {rms}")
    tap = got["taps"]["stage2.1"]
    n = len(tap["values"])
    picked = [tap["values"][(k * 2654435761 + 12345) % n] for k in range(len(TAP))]
    worst = max(abs(a - b) for a, b in zip(picked, TAP)) / TAP_RMS
    ok(tap["shape"] == [1, 48, 28, 28] and worst <= TAP_TOLERANCE,
       f"tap stage2.1 in the order of its shape off by {worst:.2g} rms "
       f"(may be {TAP_TOLERANCE})")
    ok(list(got["taps"]) == ["stage2.1", "norm"], "taps in the order asked for")
    ok([row["index"] for row in got["top"]] == TOP, "best five classes", got["top"])
    total = sum(math.exp(v) for v in got["logits"])
    worst = max(abs(math.exp(got["logits"][row["index"]]) / total - row["score"])
                for row in got["top"])
    ok(worst < 1e-6, f"scores are the softmax of the logits ({worst:.2g})", got["top"])
    again = run_json("infer", "emo.safetensors", "formula.png", "--resize", "none", "--raw",
                     "--threads", "2")
    worst = max(abs(a - b) for a, b in zip(got["logits"], again["logits"]))
    ok(worst / LOGITS_RMS <= LOGITS_TOLERANCE, f"two threads differ by {worst:.2g}")
    text = text_of("infer", "emo.safetensors", "formula.png", "--raw", "--tap", "norm",
                   "--resize", "none", "--threads", "1")
    printed = dict(re.findall(r"^ *(\d+)  (-?[0-9.e+-]+)$", text, re.M))
    ok(len(printed) == CLASSES and all(float(printed[str(i)]) == got["logits"][i]
                                       for i in range(CLASSES)),
       "text has the same logits, to nine digits")
    ok(re.search(r"^norm +1x168x7x7 ", text, re.M), "text sums up a tap")
    ok(re.match(r"0\.\d{4} +231 +\S", text), "text begins with the best class", text[:80])


def check_attention_list():
    maps = run_json("info", "emo.safetensors", "--attention")["attention"]
    ok(len(maps) == 9 and maps[0] == {
        "name": "stage3.1.attention", "kind": "windows", "block": 0, "windows": 4,
        "heads": 4, "queries": 49, "keys": 49, "tokens": 0,
        "map": {"height": 14, "width": 14}}, "info --attention --json", maps[:1])
    text = text_of("info", "emo.safetensors", "--attention")
    ok(re.search(r"^stage4\.2\.attention +windows +8 +1 +8 +49 +49 +7x7$", text, re.M)
       and all(row["name"] in text for row in maps), "info --attention as text", text)
    ok("attention" not in run_json("info", "emo.safetensors"), "only where asked for")


def check_attention_numbers():
    query = 14 * 5 + 3  # row 5, column 3: token 7 * 2 + 1 of window (1, 1)
    got = run_json("infer", "emo.safetensors", "formula.png", "--resize", "none", "--tap",
                   "stage3.1.attention", "--attention",
                   f"stage3.1.attention:2:{query}=query.json", "--attention",
                   "stage4.2.attention=all.json")
    tap = got["taps"]["stage3.1.attention"]
    row = ((3 * 4 + 2) * 49 + 7 * 2 + 1) * 49
    one = json.load(open("query.json"))
    expected = [0.0] * 196
    for key in range(49):
        expected[(key // 7 * 2 + 1) * 14 + key % 7 * 2 + 1] = tap["values"][row + key]
    ok(one.pop("values") == expected and tap["shape"] == [4, 4, 49, 49],
       "a query's weights lie at the pixels of its window")
    ok(one == {"name": "stage3.1.attention", "kind": "windows", "block": 0, "head": 2,
               "token": query, "picture": {"height": 224, "width": 224},
               "map": {"height": 14, "width": 14},
               "place": {"x": -7.5, "y": -7.5, "width": 224.0, "height": 224.0}},
       "what the map is and where it lies", one)
    every = json.load(open("all.json"))
    ok(every["head"] is None and every["token"] is None and len(every["values"]) == 49
       and abs(sum(every["values"]) - 1) < 1e-5, "all heads and tokens by default", every)
    run_json("infer", "emo.safetensors", "formula.png", "--resize", "none", "--attention",
             "stage4.2.attention:mean:all=same.json")
    ok(json.load(open("same.json")) == every, "mean and all say the same")


def check_attention_picture():
    run_json("infer", "emo.safetensors", "formula.png", "--resize", "none", "--attention",
             "stage3.1.attention=heat.png", "--attention", "stage3.1.attention=heat.json")
    values = json.load(open("heat.json"))["values"]
    width, height, heat = read_png("heat.png")
    _, _, plain = read_png("formula.png")
    ok((width, height) == (224, 224), "the heat picture has the size of the picture")
    cold, hot = (values.index(value) for value in (min(values), max(values)))
    # Cells are centred on every 16th pixel, from the first.
    pixel = {at: [rows[at // 14 * 16][at % 14 * 16] for rows in (plain, heat)]
             for at in (cold, hot)}
    ok(pixel[cold][0] == pixel[cold][1], "the smallest value leaves the picture",
       pixel[cold])
    expected = tuple(round(0.2 * was + 0.8 * color)
                     for was, color in zip(pixel[hot][0], (255, 250, 150)))
    ok(all(abs(a - b) <= 1 for a, b in zip(pixel[hot][1], expected)),
       "the largest is shown hottest", f"{pixel[hot]} {expected}")
    for name in ("small.png", "alpha.png"):
        run_json("infer", "emo.safetensors", name, "--attention",
                 "stage4.1.attention:3:24=cropped.png")
        width, height, heat = read_png("cropped.png")
        rows = read_png("small.png")[2]
        touched = {(y, x) for y in range(64) for x in range(96) if heat[y][x] != rows[y][x]}
        ok((width, height) == (96, 64) and len(touched) > 1000
           and all(4 <= y < 60 and 20 <= x < 76 for y, x in touched),
           f"{name}: only what the network was shown is drawn over", len(touched))


def check_attention_refused():
    for status, pattern, value in (
            (1, "no tap 'stage9'", "stage9=x.png"),
            (1, "'norm' is no attention", "norm=x.png"),
            (1, r"head 4; may be -1 .*3", "stage3.1.attention:4=x.png"),
            (1, r"query pixel 196; may be -1 to 195", "stage3.1.attention:0:196=x.json"),
            (1, r"no/x\.png: ", "stage3.1.attention=no/x.png"),
            (1, r"no/x\.json: No such file", "stage3.1.attention=no/x.json"),
            (2, r"NAME\[:HEAD\[:TOKEN\]\]=FILE", "stage3.1.attention"),
            (2, "=FILE", "stage3.1.attention=x.gif"), (2, "=FILE", "=x.png"),
            (2, "=FILE", "a:=x.png"), (2, "=FILE", "a:0:=x.png"),
            (2, "=FILE", "a:all=x.png"), (2, "=FILE", "a:0:0:0=x.png"),
            (2, "=FILE", "a:-1=x.png"), (2, "=FILE", "a:9999999999=x.png")):
        refuse(status, pattern, "infer", "emo.safetensors", "formula.png", "--attention",
               value)
        ok(not os.path.exists("x.png") and not os.path.exists("x.json"),
           "nothing was written")
    refuse(2, "--attention needs a value", "infer", "a", "b", "--attention")
    refuse(2, "--attention takes no value", "info", "a", "--attention=b")
    if os.path.exists("/dev/full"):
        os.symlink("/dev/full", "full.json")
        os.symlink("/dev/full", "full.png")
        for name in ("full.json", "full.png"):
            refuse(1, name, "infer", "emo.safetensors", "formula.png", "--attention",
                   "stage3.1.attention=" + name)


def check_options():
    got = run_json("infer", "emo.safetensors", "formula.png")
    ok(list(got)[:1] == ["file"] and {"task", "top", "input"} <= set(got)
       and got["task"] == "classification" and len(got["top"]) == 5
       and "logits" not in got and "taps" not in got, "infer --json keys", got)
    ok({"index", "label", "score"} == set(got["top"][0])
       and isinstance(got["top"][0]["label"], str), "keys of a class", got["top"])
    got = run_json("infer", "labels.safetensors", "small.png", "--top", "100000")
    ok(len(got["top"]) == 10 and got["top"] == sorted(
        got["top"], key=lambda row: (-row["score"], row["index"])),
       "--top past the classes gives all, best first", got["top"])
    got = run_json("infer", "emo.safetensors", "small.png", "--size", "64x96", "--resize",
                   "stretch", "--channel-order", "bgr", "--tap", "stage1.1")
    rules = got["input"]
    ok((rules["height"], rules["width"], rules["channel_order"], rules["resize"])
       == (64, 96, "bgr", "stretch")
       and [rules["origin"][key] for key in ("size", "channel_order", "resize", "mean")]
       == ["option", "option", "option", "scheme default"],
       "options are used and told as origin", rules)
    ok(got["taps"]["stage1.1"]["shape"] == [1, 32, 16, 24], "--size is height first",
       got["taps"]["stage1.1"]["shape"])
    same = [run_json("infer", "labels.safetensors", "small.png", "--raw", *more)["logits"]
            for more in ([], ["--resize", "model", "--channel-order", "model"],
                         ["--channel-order", "rgb"], ["--resize", "letterbox"],
                         ["--resize", "crop"])]
    ok(same[0] == same[1], "model stands for the file's own settings")
    ok(all(same[0] != other for other in same[2:]), "each other setting changes logits")
    got = run_json("infer", "none.safetensors", "small.png")
    ok((got["input"]["height"], got["input"]["width"]) == (64, 96),
       "a file that says none runs at the size of the picture", got["input"])
    refuse(1, r"small\.png: .*64.*96|small\.png: .*96.*64", "infer", "none.safetensors",
           "small.png", "--size", "64x64")


def check_pictures():
    logits = {name: run_json("infer", "labels.safetensors", name, "--raw")
              for name in ("small.png", "alpha.png", "grey.png", "turned.jpg")}
    worst = max(abs(a - b) for a, b in zip(logits["small.png"]["logits"],
                                           logits["alpha.png"]["logits"]))
    ok(worst <= LOGITS_TOLERANCE,
       f"alpha is dropped, the colours under it kept: logits differ by {worst:.2g}")
    ok(logits["small.png"]["picture"] == {"height": 64, "width": 96}, "size of a picture")
    ok(logits["grey.png"]["picture"] == {"height": 64, "width": 64}, "a grey picture")
    ok(logits["turned.jpg"]["picture"] == {"height": 24, "width": 16},
       "the orientation of a JPEG is applied", logits["turned.jpg"]["picture"])
    side = 96
    blue, red = b"\0\0\xfe" * (side // 2), b"\xfe\0\0" * (side // 2)
    write("upright.png", formula_model.png(side, side, [blue + red] * side))
    write("mirrored.png", formula_model.png(side, side, [red + blue] * side))
    upright, turned, mirrored = (
        run_json("infer", "labels.safetensors", name, "--raw", "--size", "96x96")["logits"]
        for name in ("upright.png", "turned.jpg", "mirrored.png"))

    def distance(a, b):
        return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))
    ok(distance(turned, upright) < distance(turned, mirrored) / 2, "and to the right side",
       f"{distance(turned, upright)} {distance(turned, mirrored)}")


def merged(height, width):
    """MACs that merging EMO's projection of the stem into what follows saves."""
    return 24 * 24 * (height // 2) * (width // 2)


def check_bench():
    keys = ("threads isa size runs median_ms min_ms p95_ms gflops peak_gflops "
            "share_of_peak").split()
    got = run_json("bench", "EMO_1M", "--runs", "3", "--size", "64x96", "--threads", "1")
    ok(all(key in got for key in keys), "bench --json has every key", got.keys())
    ok((got["threads"], got["size"], got["runs"]) == (1, "64x96", 3)
       and got["isa"] in ("vnni", "avx512", "avx2", "sse2", "neon", "c"), "bench: settings", got)
    ok(0 < got["min_ms"] <= got["median_ms"] <= got["p95_ms"], "bench: times", got)
    done = got["macs"] - merged(64, 96)
    ok(math.isclose(got["gflops"], 2 * done / got["median_ms"] / 1e6, rel_tol=1e-6)
       and math.isclose(got["share_of_peak"], got["gflops"] / got["peak_gflops"],
                        rel_tol=1e-6), "bench: speed follows from MACs and median", got)
    ok(got["peak_gflops"] > 0.5, "bench: a peak was measured", got["peak_gflops"])
    got = run_json("bench", "labels.safetensors", "--runs", "3", "--layers")
    ok(got["size"] == "96x128" and sum(row["macs"] for row in got["layers"])
       == got["macs"] - merged(96, 128), "bench of a file, layer by layer")
    ok(math.isclose(sum(row["share"] for row in got["layers"]), 1, rel_tol=1e-6)
       and all(row["ms"] >= 0 for row in got["layers"]), "shares of the layers are one")
    text = text_of("bench", "EMO_1M", "--runs", "1", "--size", "32x32", "--layers")
    ok(re.search(r"^median +\d+\.\d+ ms$", text, re.M)
       and re.search(r"^head +linear +1x1000 ", text, re.M), "bench as text", text)


def check_usage():
    for pattern, args in (
            ("list, info, infer, bench, eval or calibrate", []),
            ("'frobnicate'", ["frobnicate"]),
            ("'--frobnicate'", ["--frobnicate"]),
            ("unexpected argument 'x'", ["list", "x"]),
            ("unknown option '--layers'", ["list", "--layers"]),
            ("FILE is missing", ["info"]),
            ("unexpected argument 'b'", ["info", "a", "b"]),
            ("IMAGE is missing", ["infer", "a"]),
            ("unknown option '-x'", ["infer", "-x", "a", "b"]),
            ("--json takes no value", ["infer", "--json=1", "a", "b"]),
            ("--tap needs a value", ["infer", "a", "b", "--tap"]),
            (r"--top 0: .*1\.\.", ["infer", "a", "b", "--top", "0"]),
            (r"--top 5x: .*1\.\.", ["infer", "a", "b", "--top=5x"]),
            (r"--top : .*1\.\.", ["infer", "a", "b", "--top", ""]),
            (r"--top 99999999999999999999: ", ["infer", "a", "b", "--top", "9" * 20]),
            (r"--threads -1: .*1\.\.1024", ["infer", "a", "b", "--threads", "-1"]),
            (r"--threads 1025: ", ["bench", "a", "--threads", "1025"]),
            (r"--size 224: .*32\.\.4096", ["infer", "a", "b", "--size", "224"]),
            (r"--size 31x64: ", ["infer", "a", "b", "--size", "31x64"]),
            (r"--size 64x4097: ", ["infer", "a", "b", "--size", "64x4097"]),
            (r"--size 64x64x3: ", ["infer", "a", "b", "--size", "64x64x3"]),
            (r"--resize zoom: .*letterbox", ["infer", "a", "b", "--resize", "zoom"]),
            (r"--channel-order grb: .*bgr", ["infer", "a", "b", "--channel-order", "grb"]),
            (r"--runs 0: .*1\.\.", ["bench", "a", "--runs", "0"]),
            ("FILE\\|VARIANT is missing", ["bench"])):
        refuse(2, pattern, *args)
    refuse(1, "'EMO_9M'.* variant", "bench", "EMO_9M")


def check_bad_files():
    for name, pattern in (("nothing.safetensors", "nothing"), ("empty.safetensors", "empty"),
                          ("short.safetensors", r"short.*\d.*\d"),
                          ("text.safetensors", "text"), ("header.safetensors", "header"),
                          ("json.safetensors", "json"), ("other.safetensors", "other"),
                          ("missing.safetensors", r"stage3\.4\.qk\.conv\.bias"),
                          (".", ""), ("formula.png", "formula"), ("two\nlines", "two")):
        for command in (["info", name], ["infer", name, "formula.png"], ["bench", name]):
            refuse(1, pattern, *command)
    for name, pattern in (("nothing.png", "nothing.png: No such file"),
                          ("empty.png", "empty.png: neither a PNG nor a JPEG"),
                          ("text.png", "text.png: neither"), (".", "directory"),
                          ("picture.gif", "picture.gif: neither"),
                          ("short.png", "short.png: .*cut short"),
                          ("rows.png", "rows.png: .*cut short"),
                          ("short.jpg", "short.jpg: .*cut short"),
                          ("unended.jpg", "unended.jpg: .*cut short"),
                          ("unended.png", "unended.png: .*cut short"),
                          ("wide.png", "wide.png: 32769x4 .*32768"),
                          ("bomb.png", "bomb.png: 32768x32768 .*268435456")):
        refuse(1, pattern, "infer", "emo.safetensors", name)
    refuse(1, "stage9", "infer", "emo.safetensors", "formula.png", "--tap", "stage9.9")
    refuse(1, "nan.safetensors: .*not finite", "infer", "nan.safetensors", "small.png")


def check_output():
    with open("/dev/full", "wb") as full:
        for args in (["list"], ["list", "--json"], ["info", "emo.safetensors"],
                     ["infer", "emo.safetensors", "formula.png", "--raw", "--json"]):
            refuse(1, "standard output", *args, stdout=full)
    for args in (["list"], ["info", "emo.safetensors", "--layers", "--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        refuse(1, "standard output: Broken pipe", *args, stdout=writer)
        os.close(writer)
    closed = subprocess.run(["sh", "-c", '"$0" list >&-', TOOL], stderr=subprocess.PIPE)
    ok(closed.returncode == 1 and closed.stderr.startswith(b"vigil-model: cannot write"),
       "a closed standard output", closed.stderr)
    os.makedirs("shipped", exist_ok=True)
    write("shipped/tenfold.safetensors", open("labels.safetensors", "rb").read())
    info = run_json("info", "tenfold",
                    env={"VIGIL_MODEL_PATH": os.path.abspath("shipped")})
    ok(info is not None and info["classes"] == 10, "a shipped model by its name", info)


main([make_models, make_pictures],
     [check_help, check_list, check_info, check_metadata, check_layers, check_numbers,
      check_attention_list, check_attention_numbers, check_attention_picture,
      check_attention_refused, check_options, check_pictures, check_bench, check_usage,
      check_bad_files, check_output])
