# SPDX-License-Identifier: LGPL-2.1-or-later
"""EMO_1M with formula weights as a safetensors file, and the formula picture as a PNG.

Every weight follows from its tensor's name (see models/core/formula.h), so that a test
knows the logits of the published architecture without a weight file of 5 MB.
"""
import array
import json
import math
import struct
import sys
import zlib

MASK = (1 << 64) - 1
GAIN = 1.25

# Channels of the input, the output, the expanded map, kernel and blocks of each stage.
STAGES = (
    (24, 32, (96, 64), 3, 2, False),
    (32, 48, (160, 120), 3, 2, False),
    (48, 80, (288, 240), 5, 8, True),
    (80, 168, (560, 588), 5, 3, True),
)


def batch_norm(name, channels):
    return [(f"{name}.{part}", (channels,))
            for part in ("weight", "bias", "running_mean", "running_var")]


def block(name, channels, out, expanded, kernel, late, attention):
    if late:
        tensors = [(f"{name}.norm.norm.weight", (channels,)),
                   (f"{name}.norm.norm.bias", (channels,))]
    else:
        tensors = batch_norm(f"{name}.norm", channels)
    if attention:
        tensors += [(f"{name}.qk.conv.weight", (2 * channels, channels, 1, 1)),
                    (f"{name}.qk.conv.bias", (2 * channels,))]
    tensors += [(f"{name}.v.conv.weight", (expanded, channels, 1, 1)),
                (f"{name}.v.conv.bias", (expanded,)),
                (f"{name}.conv_local.conv.weight", (expanded, 1, kernel, kernel))]
    tensors += batch_norm(f"{name}.conv_local.norm", expanded)
    return tensors + [(f"{name}.proj.conv.weight", (out, expanded, 1, 1))]


def emo_1m(classes):
    """Names and shapes of all tensors, in the order of the published file."""
    tensors = [("stage0.0.convs.0.0.weight", (24, 3, 3, 3)),
               ("stage0.0.convs.0.0.bias", (24,))]
    tensors += batch_norm("stage0.0.convs.0.1", 24)
    tensors += [("stage0.1.conv_local.conv.weight", (24, 1, 3, 3))]
    tensors += batch_norm("stage0.1.conv_local.norm", 24)
    for part in ("conv_reduce", "conv_expand"):
        tensors += [(f"stage0.1.se.{part}.weight", (24, 24, 1, 1)),
                    (f"stage0.1.se.{part}.bias", (24,))]
    tensors += [("stage0.1.proj.conv.weight", (24, 24, 1, 1))]
    for stage, (channels, out, expanded, kernel, blocks, late) in enumerate(STAGES, 1):
        for j in range(blocks):
            tensors += block(f"stage{stage}.{j}", out if j else channels, out,
                             expanded[min(j, 1)], kernel, late, late and j > 0)
    return tensors + [("norm.norm.weight", (168,)), ("norm.norm.bias", (168,)),
                      ("head.weight", (classes, 168)), ("head.bias", (classes,))]


def backbone_1m():
    """EMO_1M as heads have it: under a prefix, without what follows the stages."""
    return [("backbone." + name, shape) for name, shape in emo_1m(1)
            if name.startswith("stage")]


def conv_bn(name, shape):
    return [(f"{name}.conv.weight", shape)] + batch_norm(f"{name}.bn", shape[0])


def ssdlite_1m(classes):
    """ssdlite_emo_1M, in the names of mmdetection."""
    tensors, channels, maps = backbone_1m(), 168, [80, 168]
    for i, out in enumerate((512, 256, 256, 128)):
        name, half = f"neck.extra_layers.{i}", out // 2
        tensors += conv_bn(f"{name}.0", (half, channels, 1, 1))
        tensors += conv_bn(f"{name}.1.depthwise_conv", (half, 1, 3, 3))
        tensors += conv_bn(f"{name}.1.pointwise_conv", (out, half, 1, 1))
        channels = out
        maps.append(out)
    for i, width in enumerate(maps):
        for branch, out in (("cls", 6 * (classes + 1)), ("reg", 6 * 4)):
            name = f"bbox_head.{branch}_convs.{i}"
            tensors += conv_bn(f"{name}.0", (width, 1, 3, 3))
            tensors += [(f"{name}.1.weight", (out, width, 1, 1)), (f"{name}.1.bias", (out,))]
    return tensors


def pspnet_1m(classes):
    """pspnet_emo_1M, in the names of mmsegmentation, with a part for training only."""
    tensors = backbone_1m()
    for i in range(4):
        tensors += conv_bn(f"decode_head.psp_modules.{i}.1", (256, 168, 1, 1))
    tensors += conv_bn("decode_head.bottleneck", (256, 168 + 4 * 256, 3, 3))
    return tensors + [("decode_head.conv_seg.weight", (classes, 256, 1, 1)),
                      ("decode_head.conv_seg.bias", (classes,)),
                      ("auxiliary_head.conv_seg.bias", (classes,))]


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scale_and_offset(name, shape):
    last = name.rsplit(".", 1)[-1]
    if last == "running_mean":
        return float32(0.1), 0.0
    if last == "running_var":
        return 0.5, 1.0
    if len(shape) >= 2:
        return float32(math.sqrt(3.0 / math.prod(shape[1:])) * GAIN), 0.0
    return (0.25, 1.0) if last == "weight" else (float32(0.1), 0.0)


def values(name, shape):
    """The float32 values in row-major order, little-endian."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    scale, offset = scale_and_offset(name, shape)
    out = array.array("f", bytes(4 * math.prod(shape)))
    z0 = base + 0x9E3779B97F4A7C15
    for i in range(len(out)):
        z = (z0 + i) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        r = ((z ^ (z >> 31)) >> 40) / 8388608.0 - 1.0
        out[i] = r * scale + offset
    if sys.byteorder == "big":
        out.byteswap()
    return out.tobytes()


def safetensors(tensors, metadata=None):
    """The bytes of a safetensors file of [(name, shape, float32 bytes)]."""
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, shape, data in tensors:
        header[name] = {"dtype": "F32", "shape": list(shape),
                        "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(t[2] for t in tensors)


def filled(tensors):
    return [(name, shape, values(name, shape)) for name, shape in tensors]


def formula_tensors(classes):
    return filled(emo_1m(classes))


def triangle(p, period):
    return abs(p % (2 * period) - period) * 255 // period


def formula_picture(height, width):
    """height rows of RGB bytes."""
    rows = []
    for y in range(height):
        row = bytearray()
        for x in range(width):
            inside = (3 * x - width) ** 2 + (3 * y - height) ** 2 < height * width // 2
            for c in range(3):
                smooth = (triangle(x * (c + 1) + 37 * c, 64)
                          + triangle(y * (3 - c) + 11 * c, 48)) // 2
                texture = ((7 * x + 13 * y + 29 * c) ^ (x * y + 17 * c)) & 63
                v = smooth * 3 // 4 + texture
                row.append(min(max(255 - v if inside else v, 0), 255))
        rows.append(bytes(row))
    return rows


def png(width, height, rows, color_type=2):
    """The bytes of a PNG of 8-bit rows: color_type 0 grey, 2 RGB, 6 RGBA."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))
