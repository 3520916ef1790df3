#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes goldens.h: small pictures resized by PIL and OpenCV.

    /usr/bin/python3 tests/vision/make_goldens.py > tests/vision/goldens.h

Needs python3-pil, python3-numpy and python3-opencv; the tests need only goldens.h.
"""

import cv2
import numpy
import PIL
from PIL import Image


def picture(width, height):
    """The picture that goldens.c makes again: slopes with noise, far from 0 and 255."""
    rows = []
    for y in range(height):
        for x in range(width):
            for c in range(3):
                i = (y * width + x) * 3 + c
                noise = (i * 2654435761 & 0xFFFFFFFF) >> 27
                rows.append(60 + (x * (3 + c) + y * (5 - c)) % 101 + noise)
    return numpy.array(rows, numpy.uint8).reshape(height, width, 3)


def scaled(width, height, shorter):
    """torchvision.transforms.Resize: the shorter side becomes `shorter`."""
    if width < height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def center_crop(pixels, side):
    """torchvision.transforms.CenterCrop: round() rounds half to even."""
    height, width = pixels.shape[:2]
    top = int(round((height - side) / 2.0))
    left = int(round((width - side) / 2.0))
    return pixels[top : top + side, left : left + side]


def resize(library, how, pixels, size, box):
    if library == "opencv":
        return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    method = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[how]
    return numpy.asarray(Image.fromarray(pixels).resize(size, method, box=box))


SIDE = 12
CASES = [  # library, filter, width, height, shorter side (0: stretch), box
    ("pil", "bicubic", 43, 31, 14, None),
    ("pil", "bicubic", 31, 43, 14, None),
    ("pil", "bilinear", 31, 43, 14, None),
    ("pil", "bilinear", 26, 26, 12, None),
    ("pil", "bicubic", 97, 61, 0, None),
    ("pil", "bilinear", 97, 61, 0, None),
    ("pil", "bicubic", 7, 5, 0, None),
    ("pil", "bilinear", 5, 7, 0, None),
    ("pil", "bicubic", 37, 23, 0, (3.25, 2.5, 30.125, 20.75)),
    ("pil", "bilinear", 37, 23, 0, (3.25, 2.5, 30.125, 20.75)),
    ("opencv", "point", 44, 31, 14, None),
    ("opencv", "point", 97, 61, 0, None),
    ("opencv", "point", 24, 24, 0, None),
    ("opencv", "point", 7, 5, 0, None),
]
FILTERS = {
    "bilinear": "VIGIL_FILTER_BILINEAR",
    "bicubic": "VIGIL_FILTER_BICUBIC",
    "point": "VIGIL_FILTER_POINT_BILINEAR",
}


def main():
    print("/* SPDX-License-Identifier: LGPL-2.1-or-later */")
    print(f"/* Made by make_goldens.py with PIL {PIL.__version__} and OpenCV", end=" ")
    print(f"{cv2.__version__}; do not edit. */")
    print("/* clang-format off */")
    print(f"#define GOLDEN_SIDE {SIDE}")
    print("static const Golden goldens[] = {")
    for library, how, width, height, shorter, box in CASES:
        pixels = picture(width, height)
        size = scaled(width, height, shorter) if shorter else (SIDE, SIDE)
        out = resize(library, how, pixels, size, box)
        if shorter:
            out = center_crop(out, SIDE)
        x0, y0, x1, y1 = box or (0, 0, width, height)
        print(f'{{ "{library}", {FILTERS[how]}, {width}, {height}, {shorter},')
        print(f"  {{ {x0}, {y0}, {x1}, {y1} }}, {{")
        values = [str(v) for v in out.reshape(-1)]
        for i in range(0, len(values), 18):
            print("  " + ",".join(values[i : i + 18]) + ",")
        print("} },")
    print("};")


if __name__ == "__main__":
    main()
