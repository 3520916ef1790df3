#!/usr/bin/env python3
"""make_goldens.py REFERENCE OUT PATTERN...: packs reference results for the golden test.

REFERENCE is a folder of JSON files, one a network and input size, with the logits of the
original implementation in float64 and samples of its inner maps and attention weights;
PATTERN names some of them ("EMO_*", "fine/EMO_*").  Attention weights that lie whole beside
them (mf_attn/MODEL__MODULE.npy) are sampled more closely.  OUT gets, little-endian:

    "VGLD", u32 count, then for each golden
    name char[80], u32 height width classes taps, u64 seed parameters macs, f64 gain,
    f32 mean[3] std[3], f32 logits[classes], then for each tap
    name char[80], u32 kind, shape[4], samples, f32 tolerance, f32 values[samples]

kind 0: a map, shape [h][w][c][0]; sample k is element (k * 2654435761 + 12345) mod numel of
[c][h][w], or element k where there are at most 64.  kind 1: any other tensor, whose samples
are chosen the same way from its own order.  tolerance is absolute: 1e-4 of the rms of a map;
of attention weights the same or 1e-5 of the greatest, above what float32 did to the reference
itself.  (That alone says little: where rounding grows on the way, it is three times as much on
another machine.)
"""

import ast
import glob
import os
import json
import math
import re
import struct
import sys

MAP, OTHER = 0, 1
CLOSE = 256  # samples of attention weights that are there whole


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def text(name):
    assert len(name) < 80, name
    return name.encode().ljust(80, b"\0")


def sample_index(k, numel):
    return k if numel <= 64 else (k * 2654435761 + 12345) % numel


def read_npy(path):
    """Shape and values of a little-endian C-ordered array of floats."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + size].decode())
    assert not header["fortran_order"] and header["descr"] in ("<f4", "<f8"), path
    body = data[10 + size :]
    kind = header["descr"][1:].replace("f4", "f").replace("f8", "d")
    return header["shape"], struct.unpack(f"<{len(body) // struct.calcsize(kind)}{kind}", body)


# ---- Names: those of the reference's modules, as the network calls its values ----------


def network_name(name, family):
    for prefix, naming in (("cvnets_", "ml-cvnets"), ("hf_", "transformers")):
        if name.startswith(prefix):
            return f"{name[len(prefix):]}@{naming}"
    return name + "@timm" if family in ("MobileViT", "MobileViTv2") else name


def transformers_name(module, root):
    """A module of ml-cvnets under the names of Hugging Face."""
    module = module.replace("conv_1x1_exp", f"{root}.conv_1x1_exp")
    if module == "conv_1":
        return f"{root}.conv_stem"
    m = re.fullmatch(r"layer_(\d)(?:\.1\.global_rep\.(\d)\..*)?", module)
    if not m:
        return module
    layer = f"{root}.encoder.layer.{int(m[1]) - 1}"
    return f"{layer}.transformer.layer.{m[2]}.attention" if m[2] else layer


def tap_name(module, network):
    module = re.sub(r"\.softmax$", "", module)
    if network.endswith("@transformers"):
        return transformers_name(module, network.split("_")[0])
    return re.sub(r"\[0\]$", "", re.sub(r"\[1\]$", ".tokens", module))


# Values that the network does not have: repeated under a second name, or internal ones.
def is_extra(module, network):
    second = re.match(r"mobilevitv2|mobilevitv3_\d", network)
    return module == "local_global[1]" or (
        second and module in ("final_conv", "conv_1x1_exp"))


# ---- Packing ---------------------------------------------------------------------------


def pack_tap(name, kind, shape, values, tolerance):
    shape = (list(shape) + [0, 0, 0, 0])[:4]
    head = struct.pack("<6If", kind, *shape, len(values), tolerance)
    return text(name) + head + floats(values)


def pack_feature(module, t, network):
    shape = t["shape"]
    if module == "local_global[0]":
        module = "local_global[1]"
    name = tap_name(module, network)
    if module.endswith("[1]"):  # tokens [t][1][d]
        kind, shape = OTHER, [1, shape[0], shape[2]]
    elif len(shape) == 4 and shape[2] * shape[3] > 1:
        kind, shape = MAP, [shape[2], shape[3], shape[1]]
    else:
        kind, shape = OTHER, [shape[1]]
    return pack_tap(name, kind, shape, t["f64_sample64"], 1e-4 * t["rms"])


def pack_attention(s, golden, whole):
    network = network_name(golden["name"], golden["family"])
    module, shape, values = s["module"], s["shape"], s["sample64"]
    rms = math.sqrt(sum(v * v for v in values) / len(values))
    tolerance = max(1e-5 * s["max"], 1e-4 * rms) + s["f32_vs_f64_max_abs"]
    if os.path.exists(whole):
        _, everything = read_npy(whole)
        numel = len(everything)
        if numel > 64:
            values = [everything[sample_index(k, numel)] for k in range(min(CLOSE, numel))]
    if len(shape) == 4 and shape[0] == shape[1] == 1:  # scores [1][1][p][n]
        shape = [shape[2], 1, 1, shape[3]]
    return pack_tap(tap_name(module, network) + ".attention", OTHER, shape, values, tolerance)


def pack(path, reference):
    with open(path) as f:
        g = json.load(f)
    i, logits = g["input"], g["logits_f64"]
    network = network_name(g["name"], g["family"])
    taps = [pack_feature(m, t, network) for m, t in g["features"].items()
            if not is_extra(m, network)]
    native = (i["height"], i["width"], g["seed"]) == (224, 224, 0)
    for s in g["softmax"]:
        whole = f"{g['name']}__{s['module']}.npy" if native else ""
        taps.append(pack_attention(s, g, os.path.join(reference, "mf_attn", whole or "none")))
    out = [text(network)]
    out.append(struct.pack("<4I", i["height"], i["width"], len(logits), len(taps)))
    out.append(struct.pack("<3Qd", g["seed"], g["params"]["total"], g["macs"]["total"], g["gain"]))
    out.append(floats(i["mean"]) + floats(i["std"]) + floats(logits))
    return b"".join(out + taps)


def main(reference, out, *patterns):
    paths = sorted(p for q in patterns for p in glob.glob(os.path.join(reference, q + ".json")))
    goldens = [pack(p, reference) for p in paths]
    with open(out, "wb") as f:
        f.write(b"VGLD" + struct.pack("<I", len(goldens)) + b"".join(goldens))


if __name__ == "__main__":
    main(*sys.argv[1:])
