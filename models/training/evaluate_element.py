#!/usr/bin/env python3
"""Accuracy of a shipped classifier through a real pipeline.

Every validation picture is written as a JPEG at its own size, decoded by decodebin and
looked at by vigilclassify, its answer read from the element's messages:

    meson devenv -C build/gcc models/training/evaluate_element.py --data DATA [--model FILE]
"""

import argparse
import json
import os
import sys
import tempfile

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def write_pictures(data, folder):
    """(path, label) of each validation picture, at most 160 px long as the pack gives it."""
    sys.path.insert(0, data)
    from read_packs import Cls

    pack, out = Cls(data, split="val"), []
    for k in range(len(pack)):
        picture, label = pack[k]
        path = os.path.join(folder, f"{k:05}.jpg")
        picture.save(path, quality=95, subsampling=0)
        out.append((path, pack.classes[label]))
    return out


def classify(path, model):
    pipeline = Gst.parse_launch(
        "filesrc name=file ! decodebin ! videoconvert ! "
        "vigilclassify name=classify post-messages=true ! fakesink"
    )
    pipeline.get_by_name("file").set_property("location", path)
    if model:
        pipeline.get_by_name("classify").set_property("model", model)
    pipeline.set_state(Gst.State.PLAYING)
    bus, label = pipeline.get_bus(), None
    while True:
        kinds = Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = bus.timed_pop_filtered(10 * Gst.SECOND, kinds)
        if message is None or message.type == Gst.MessageType.ERROR:
            raise SystemExit(f"{path}: {message.parse_error() if message else 'no answer'}")
        if message.type == Gst.MessageType.EOS:
            break
        if message.get_structure().get_name() == "vigil-classification":
            label = message.get_structure().get_string("label")
    pipeline.set_state(Gst.State.NULL)
    return label


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True, help="folder of the data packs")
    ap.add_argument("--model", help="default: the shipped one")
    args = ap.parse_args()
    Gst.init(None)
    with tempfile.TemporaryDirectory() as folder:
        pictures = write_pictures(args.data, folder)
        right = sum(classify(path, args.model) == label for path, label in pictures)
    print(json.dumps(dict(pictures=len(pictures), top1=right / len(pictures))))


if __name__ == "__main__":
    main()
