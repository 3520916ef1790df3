#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seed corpus of the safetensors target: seeds_safetensors.py FOLDER.

One file per thing the parser decides about, each a few hundred bytes at most, so that the
fuzzer begins next to every branch.
"""
import json
import pathlib
import struct
import sys

SIZES = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8,
         "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16,
         "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64,
         "F64": 64, "I64": 64, "U64": 64}


def pack(header, data=b"", length=None):
    if not isinstance(header, bytes):
        header = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def seeds():
    yield "empty", b""
    yield "no-tensors", pack({})
    yield "padded", pack(b"{}      ")
    for dtype, bits in SIZES.items():
        yield dtype.lower(), pack({"a": tensor(dtype, [4], 0, bits // 2)},
                                  bytes(range(bits // 2)))
    yield "scalar", pack({"s": tensor("F32", [], 0, 4)}, b"\0\0\x80?")
    yield "zero-elements", pack({"z": tensor("F32", [0, 3], 0, 0)})
    yield "rank8", pack({"r": tensor("U8", [1] * 8, 0, 1)}, b"x")
    yield "metadata", pack({"__metadata__": {"family": "emo", "labels": '["a","b"]',
                                             "mean": "0.485 0.456 0.406"}})
    yield "utf8-name", pack({"caf\u00e9\n": tensor("F16", [1], 0, 2)}, b"\0<")
    many = {f"stage{i}.0.conv.weight": tensor("F32", [2, 1], 8 * i, 8 * i + 8)
            for i in range(9)}
    yield "many", pack(many, bytes(72))
    two = {"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 4, 8)}
    yield "reversed", pack({"b": two["b"], "a": two["a"]}, bytes(8))
    yield "overlap", pack({**two, "b": tensor("U8", [4], 3, 7)}, bytes(7))
    yield "hole", pack({**two, "b": tensor("U8", [4], 5, 9)}, bytes(9))
    yield "trailing", pack(two, bytes(9))
    yield "cut-data", pack(two, bytes(7))
    yield "cut-header", pack(two)[:30]
    yield "huge-length", pack({}, length=2**64 - 1)
    yield "long-length", pack({}, length=2**22)
    yield "overflow", pack({"a": tensor("F64", [2**32, 2**31, 2], 0, 8)}, bytes(8))
    yield "negative", pack({"a": tensor("F64", [-1], 0, 8)}, bytes(8))
    yield "real", pack({"a": tensor("F64", [1.0], 0, 8)}, bytes(8))
    yield "duplicate", pack(b'{"a":{"dtype":"U8","dtype":"U8"}}')
    yield "nul-name", pack(b'{"a\\u0000":{}}')
    yield "escapes", pack(b'{"\\ud83d\\ude00\\"\\\\\\/\\b":{}}')
    yield "deep", pack(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}")
    yield "zip", b"PK\3\4\0\0\0\0\0\0"
    yield "pickle", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
