# SPDX-License-Identifier: LGPL-2.1-or-later
"""A model for the element tests: EMO_1M with formula weights, ten labelled classes and
an input of 96 x 96, so that a run takes a few milliseconds.

    make_model.py FOLDER_OF_FORMULA_MODEL OUTPUT
"""
import json
import sys

sys.path.insert(0, sys.argv[1])
import formula_model  # noqa: E402

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

with open(sys.argv[2], "wb") as out:
    out.write(formula_model.safetensors(
        formula_model.formula_tensors(len(LABELS)),
        {"labels": json.dumps(LABELS), "input_height": "96", "input_width": "96",
         "resize": "stretch", "channel_order": "rgb", "mean": "0.485,0.456,0.406",
         "std": "0.229,0.224,0.225"}))
