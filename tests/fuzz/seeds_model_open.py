#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seed corpus of the model_open target: seeds_model_open.py FOLDER."""
import json
import pathlib
import struct
import sys

METADATA = {
    "size": {"input_height": "160", "input_width": "96"},
    "crop": {"resize": "crop", "resize_shorter": "256"},
    "small-crop": {"resize": "crop", "resize_shorter": "64"},
    "bgr": {"channel_order": "bgr", "mean": "0.1 0.2 0.3", "std": "1, 2, 4"},
    "numbers": {"mean": "[-.5, 0.5, 1.]", "std": "0.5 0 1"},
    "labels": {"labels": '["person", "caf\u00e9", ""]'},
    "two-labels": {"labels": '["person", "empty"]'},
    "window": {"window": "16", "variant": "EMO_1M", "family": "emo"},
    "other-variant": {"variant": "EMO_6M", "task": "classification"},
    "bad-size": {"input_height": "31"},
    "int8": {"precision": "int8", "int8_ranges": '{"|||stage4.0.v.conv":[-3.5,4]}'},
    "bad-range": {"int8_ranges": '{"|||stage4.0.v.conv":[0.5,1e300]}'},
    "no-range": {"precision": "int8"},
    "control": {"resize": "\x1b[2J\n"},
}


def whole(header, data=b""):
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"\0" + struct.pack("<Q", len(text)) + text + data


def tensor(shape, end):
    return {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}


def change(*places):
    return b"\2" + b"".join(struct.pack("<I", at | value << 24) for at, value in places)


def seeds():
    yield "empty", b""
    yield "no-tensors", whole({})
    yield "stem", whole({"stage0.0.convs.0.0.weight": tensor([24, 3, 3, 3], 2592)},
                        bytes(2592))
    yield "head", whole({"head.weight": tensor([2, 168], 1344)}, bytes(1344))
    yield "prefix", whole({"module.head.bias": tensor([7], 28)}, bytes(28))
    yield "no-classes", whole({"head.weight": tensor([0, 168], 0)})
    yield "many-classes", whole({"head.weight": tensor([65537, 0], 0)})
    yield "other", whole({"conv1.weight\n": tensor([1], 4)}, bytes(4))
    yield "unchanged", change()
    yield "infinite", change((1200001, 0x7C), (1200000, 0))
    yield "name", change((32, ord("x")))
    yield "length", change((0, 0xFF))
    for name, members in METADATA.items():
        text = json.dumps(members, separators=(",", ":"))[1:-1]
        yield "metadata-" + name, b"\1" + text.encode()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
