# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of vigil-model eval share: files in the form of COCO, and figures."""
import json
import math
import os

SEED = int(os.environ.get("VIGIL_TEST_SEED", "20071"))
FIGURES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100")


def save(name, value):
    with open(name, "w", encoding="utf-8") as file:
        json.dump(value, file)


def image(number, **more):
    return dict(id=number, file_name=f"{number}.png", **more)


def truth(picture, category, *box, **more):
    return dict(image_id=picture, category_id=category, bbox=list(box), **more)


def found(picture, category, score, *box):
    return dict(image_id=picture, category_id=category, bbox=list(box), score=score)


def coco(images, annotations, names):
    return {"images": images, "annotations": annotations,
            "categories": [{"id": i, "name": name} for i, name in enumerate(names)]}


def off(got, wanted):
    """The difference of two figures; infinite where one is missing on one side."""
    if (got is None) != (wanted is None):
        return math.inf
    return 0 if got is None else abs(got - wanted)
