#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model eval with networks: python3 cli_eval_networks.py VIGIL_MODEL DETECTOR CLASSIFIER.

Networks with formula weights look at small pictures; what `infer` says of them is taken for
the truth, or changed in known ways, so that their figures are known.  Prints TAP.
"""
import json
import os
import random
import struct
import sys
import zlib

import formula_model
from cli_case import main, ok, read_png, refuse, run, run_json, text_of, write
from eval_case import FIGURES, SEED, coco, found, image, off, save, truth

DETECTOR, CLASSIFIER = (os.path.abspath(name) for name in sys.argv[2:4])
LABELS = ["zero", "one", "two", "three", "traffic light"]  # of the detector
SIZES = ((96, 128), (60, 80), (128, 96))  # height x width of the pictures


def make_files():
    images = []
    for number, (height, width) in enumerate(SIZES):
        rows = formula_model.formula_picture(height + 8 * number, width)[8 * number:]
        write(f"{number}.png", formula_model.png(width, height, rows))
        images.append(image(number, width=width, height=height))
    save("plain.json", coco(images, [truth(0, 1, 10, 10, 30, 40)], LABELS))
    save("empty.json", [])


def check_options():
    for pattern, *args in (
            ("needs --coco, --classification or --masks", DETECTOR),
            ("--coco needs --images", DETECTOR, "--coco", "plain.json"),
            ("--detections needs --coco", "--detections", "empty.json"),
            ("FILE is missing", "--coco", "plain.json", "--images", "."),
            ("takes no network: unexpected", DETECTOR, "--coco", "plain.json",
             "--detections", "empty.json"),
            ("--threshold does not go with --detections", "--coco", "plain.json",
             "--detections", "empty.json", "--threshold", "0.1"),
            ("--class-map does not go with --classification", CLASSIFIER,
             "--classification", "l.csv", "--class-map", "m.json"),
            ("--limit 0: must be a whole number", "--limit", "0")):
        refuse(2, pattern, "eval", *args)
    write("l.csv", b"file,label\n0.png,one\n")
    refuse(2, "this is for detection; EMO_1M is a network for classification", "eval",
           CLASSIFIER, "--coco", "plain.json", "--images", ".")
    refuse(2, "this is for classification; ssdlite_emo_1M", "eval", DETECTOR,
           "--classification", "l.csv")
    text = text_of("eval", "--help")
    ok(all(word in text for word in ("[FILE]", "--coco", "--detections", "--classification",
                                     "--skip-broken", "--class-map", "--limit")),
       "help of eval", text)


# ---- Detectors --------------------------------------------------------------------------

def infer_all(*args):
    """What infer finds, as results, in the order of the pictures."""
    rows = []
    for number in range(len(SIZES)):
        got = run_json("infer", DETECTOR, f"{number}.png", *args)
        rows += [found(number, d["index"], d["score"], d["x"], d["y"], d["width"],
                       d["height"]) for d in got["detections"]]
    return rows


def check_detector():
    rows = infer_all("--threshold", "0.3")
    save("rows.json", rows)
    boxes = [truth(r["image_id"], r["category_id"], *r["bbox"])
             for k, r in enumerate(rows) if k % 3 == 0]
    plain = json.load(open("plain.json", encoding="utf-8"))
    save("c.json", dict(plain, annotations=boxes))
    by_file = run_json("eval", "--coco", "c.json", "--detections", "rows.json")
    by_run = run_json("eval", DETECTOR, "--coco", "c.json", "--images", ".", "--threshold",
                      "0.3")
    worst = max(off(by_run["mean"][f], by_file["mean"][f]) for f in FIGURES)
    counts = [(row["label"], row["positives"], row["detections"])
              for row in by_run["classes"]]
    ok(worst < 1e-6 and 0.1 < by_run["mean"]["ap50"] < 0.99 and by_run["pictures"] == 3
       and counts == [(row["label"], row["positives"], row["detections"])
                      for row in by_file["classes"]],
       f"{len(rows)} detections give the figures of their file, off by {worst:.2g}",
       f"{by_run}\n{by_file}")
    ok(by_run["file"] == DETECTOR and by_file["file"] is None
       and by_file["detections_file"] == "rows.json", "files in JSON", by_run)
    best = infer_all("--max-detections", "3")
    save("c.json", dict(plain, annotations=[truth(r["image_id"], r["category_id"], *r["bbox"])
                                            for r in best]))
    got = run_json("eval", DETECTOR, "--coco", "c.json", "--images", ".",
                   "--max-detections", "3", "--threads", "1")
    ok(got["mean"]["detections"] == 9 and off(got["mean"]["ap"], 1) < 1e-9,
       "a detector is right about what it found itself", got)
    moved = dict(plain, categories=[{"id": i, "name": f"my {name}"}
                                    for i, name in enumerate(LABELS)])
    save("moved.json", dict(moved, annotations=boxes))
    save("m.json", {"gt": {f"my {name}": name for name in LABELS}, "det": {"zero": "zero"}})
    refuse(1, "none of the 5 classes of .* 'zero'.* of moved.json .*'my zero'.*--class-map",
           "eval", DETECTOR, "--coco", "moved.json", "--images", ".")
    got = run_json("eval", DETECTOR, "--coco", "moved.json", "--images", ".", "--threshold",
                   "0.3", "--class-map", "m.json")
    ok(got["mean"] == by_run["mean"], "a class map brings names together", got["mean"])


def check_broken_pictures():
    plain = json.load(open("plain.json", encoding="utf-8"))
    write("text.png", b"not a picture\n")
    args = ("eval", DETECTOR, "--coco", "c.json", "--images", ".")
    for pattern, record in (("./none.png: No such file", dict(file_name="none.png")),
                            ("text.png: neither a PNG", dict(file_name="text.png")),
                            ("0.png: 128x96 pixels .*, but c.json says 64x96",
                             dict(file_name="0.png", width=64, height=96))):
        save("c.json", dict(plain, images=plain["images"] + [dict(record, id=70)],
                            annotations=plain["annotations"] + [truth(70, 1, 0, 0, 9, 9)]))
        refuse(1, pattern, *args)
        result = run(*args, "--skip-broken", "--json")
        got = json.loads(result.stdout)
        ok(result.returncode == 0 and got["skipped"] == 1 and got["pictures"] == 3
           and got["mean"]["positives"] == 1 and pattern[-8:] in result.stderr,
           f"--skip-broken: {pattern}", f"{got}\n{result.stderr}")
    result = run(*args, "--skip-broken", "--progress")
    ok("4 of 4 pictures, " in result.stderr and b", 1 skipped" in result.stdout,
       "--progress counts all pictures", result.stderr)


# ---- Classifiers ------------------------------------------------------------------------

def check_classifier():
    told = [run_json("infer", CLASSIFIER, f"{n}.png", "--top", "10")["top"] for n in range(3)]
    names = [[row["label"] for row in top] for top in told]
    # Right, in the best five, behind them; and a class that is asked for by its index.
    rows = [("0.png", names[0][0]), ("1.png", names[1][3]), ("2.png", names[2][7]),
            ("0.png", str(told[0][0]["index"]))]
    lines = "".join(f'"{file}",{label}\n' for file, label in rows)
    write("l.csv", ("file,label\n" + lines).encode())
    got = run_json("eval", CLASSIFIER, "--classification", "l.csv")
    ok((got["pictures"], got["top1"], got["top5"]) == (4, 0.5, 0.75), "top 1 and top 5", got)
    places, counts = got["confusion"]["classes"], got["confusion"]["counts"]
    wanted = {}
    for k, (file, _) in enumerate(rows):
        true = told[int(file[0])][(0, 3, 7, 0)[k]]["index"]
        pair = (true, told[int(file[0])][0]["index"])
        wanted[pair] = wanted.get(pair, 0) + 1
    ok({(a, b): counts[i][k] for i, a in enumerate(places) for k, b in enumerate(places)
        if counts[i][k]} == wanted, "confusion matrix", f"{got['confusion']} {wanted}")
    ok(sum(row["pictures"] for row in got["classes"]) == 4
       and {row["index"] for row in got["classes"]} == {pair[0] for pair in wanted},
       "classes that there are", got["classes"])
    text = text_of("eval", CLASSIFIER, "--classification", "l.csv")
    ok(text.splitlines()[-1].split() == ["4", "0.5000", "0.7500", "(all)"], "a table", text)
    write("l.csv", f"split,file,extra,label\r\na,0.png,\"x,\"\"y\nz\",{names[0][0]}\r\n\r\n"
          f"b,1.png,,{names[1][3]}\r\n".encode())
    got = run_json("eval", CLASSIFIER, "--classification", "l.csv", "--split", "b")
    ok((got["pictures"], got["top1"]) == (1, 0), "columns in any order, --split", got)


def check_crop():
    """A crop is what a picture of its own would be, but for pixels beyond its border."""
    height, width = SIZES[0]
    rows = formula_model.formula_picture(height, width)
    write("half.png", formula_model.png(64, height, [row[:192] for row in rows]))
    label = run_json("infer", CLASSIFIER, "half.png", "--top", "1")["top"][0]["label"]
    write("l.csv", f"file,label,x0,y0,x1,y1\n0.png,{label},0,0,64,{height}\n"
          f"half.png,{label},,,,\n".encode())
    got = run_json("eval", CLASSIFIER, "--classification", "l.csv")
    ok((got["pictures"], got["top1"]) == (2, 1), "a crop", got)


def check_lists_refused():
    for pattern, text in (
            ("l.csv:2: the network has no label 'unicorn', and its classes are 0..9",
             "file,label\n0.png,unicorn\n"),
            ("l.csv:1: there is no column 'label'", "file,class\n0.png,one\n"),
            ("l.csv:1: there is no column 'y1'", "file,label,x0,y0,x1\n0.png,one,1,1,1\n"),
            ("l.csv:1: there is no column 'file'", ""),
            ("l.csv: none of its 2 lines counts", "file,label\n"),
            ("l.csv:3: label is missing", "file,label\n0.png,one\n0.png\n"),
            ("l.csv:2: a quote has no end", "file,label\n\"0.png,one\n"),
            ("l.csv:2: there is text behind a quote", "file,label\n\"0.png\"x,one\n"),
            ("l.csv:2: 3 of x0, y0, x1 and y1", "file,label,x0,y0,x1,y1\n0.png,one,1,1,2,\n"),
            ("l.csv:2: y1 '9q' is not a number",
             "file,label,x0,y0,x1,y1\n0.png,one,1,1,2,9q\n"),
            ("l.csv:2: the crop 5, 1 to 2, 9 is empty",
             "file,label,x0,y0,x1,y1\n0.png,one,5,1,2,9\n"),
            ("l.csv:2: x0 'nan' is not a number",
             "file,label,x0,y0,x1,y1\n0.png,one,nan,1,2,9\n"),
            ("l.csv:2: the crop ends at 200, 9; ./0.png has 128 x 96 pixels",
             "file,label,x0,y0,x1,y1\n0.png,one,1,1,200,9\n"),
            ("l.csv: holds a NUL character", "file,label\n0.png,\0one\n"),
            ("./none.png: No such file", "file,label\nnone.png,one\n")):
        write("l.csv", text.encode())
        refuse(1, pattern, "eval", CLASSIFIER, "--classification", "l.csv")
    refuse(1, "l.csv:1: there is no column 'split'", "eval", CLASSIFIER, "--classification",
           "l.csv", "--split", "val")
    write("l.csv", b"file,label\nnone.png,one\n0.png,one\n")
    result = run("eval", CLASSIFIER, "--classification", "l.csv", "--skip-broken", "--json")
    got = json.loads(result.stdout)
    ok(result.returncode == 0 and (got["pictures"], got["skipped"]) == (1, 1),
       "--skip-broken", got)


# ---- Segmenters -------------------------------------------------------------------------

def color_of(index):
    """The colour map of PASCAL VOC, which infer --mask uses."""
    rgb = [0, 0, 0]
    for bit in range(8):
        rgb[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
    return tuple(rgb)


def palette_png(width, height, rows, colors):
    """The bytes of an 8-bit PNG whose samples are indices of colors."""
    plain = formula_model.png(width, height, rows, 3)
    data = b"PLTE" + bytes(part for color in colors for part in color)
    return (plain[:33] + struct.pack(">I", len(data) - 4) + data
            + struct.pack(">I", zlib.crc32(data)) + plain[33:])


def seen_mask(picture):
    """Rows of the class of each pixel, as infer says."""
    run_json("infer", "psp.safetensors", picture, "--mask", "seen.png")
    index = {color_of(i): i for i in range(7)}
    return [bytearray(index[color] for color in row) for row in read_png("seen.png")[2]]


def check_segmenter():
    write("psp.safetensors", formula_model.safetensors(
        formula_model.filled(formula_model.pspnet_1m(7)),
        {"input_height": "64", "input_width": "96"}))
    for folder in ("pictures", "masks"):
        os.mkdir(folder)
    wanted = [[0, 0, 0] for _ in range(7)]  # known, found, both
    rng, ignored = random.Random(SEED), 0
    for number, (height, width) in enumerate(SIZES):
        os.rename(f"{number}.png", f"pictures/{number}.png")
        rows = seen_mask(f"pictures/{number}.png")
        for row in rows:
            for x, seen in enumerate(row):
                row[x] = rng.choice((seen, seen, seen, rng.randrange(6), 6 + 5 * (x & 1)))
                ignored += row[x] == 11
                if row[x] != 11:
                    wanted[row[x]][0] += 1
                    wanted[seen][1] += 1
                    wanted[row[x]][2] += seen == row[x]
        colors = [color_of(i) for i in range(12)]
        write(f"masks/{number}.png", palette_png(width, height, rows, colors) if number else
              formula_model.png(width, height, [bytes(row) for row in rows], 0))
    args = ("eval", "psp.safetensors", "--images", "pictures", "--masks", "masks")
    got = run_json(*args, "--ignore-index", "11")
    counts = [[row["pixels"], row["found"]] for row in got["classes"]]
    shares = [both / (known + found - both) for known, found, both in wanted
              if known + found]
    ok(counts == [row[:2] for row in wanted] and ignored and len(set(map(tuple, counts))) > 3,
       f"pixels of each class, {ignored} to ignore", f"{counts} {wanted}")
    ok(off(got["mean_iou"], sum(shares) / len(shares)) < 1e-9
       and off(got["accuracy"], sum(row[2] for row in wanted)
               / sum(row[0] for row in wanted)) < 1e-9,
       f"intersection over union: {got['mean_iou']:.4g}", got)
    ok(off(got["classes"][6]["accuracy"], wanted[6][2] / wanted[6][0]) < 1e-9,
       "accuracy of a class")
    text = text_of(*args, "--ignore-index", "11", "--limit", "2")
    ok(text.splitlines()[0].split() == ["PIXELS", "IOU", "ACC", "CLASS"]
       and text.splitlines()[-1].endswith("of all pixels right, 2 pictures"), "a table", text)
    refuse(1, "masks/0.png: a pixel is of class 11; the network has 0..6", *args)


def check_masks_refused():
    args = ("eval", "psp.safetensors", "--images", "pictures", "--masks", "bad")
    os.mkdir("bad")
    refuse(1, "bad: has no files that end in .png", *args)
    refuse(1, "no: .*No such file", *args[:-1], "no")
    rows = [bytes(8)] * 8
    for pattern, name, data in (
            ("bad/0.png: 8x8 pixels .*, but pictures/0.png has 128x96", "0.png",
             formula_model.png(8, 8, rows, 0)),
            ("8-bit grey or have a palette; this is of 8 bits and PNG colour type 2", "0.png",
             formula_model.png(8, 8, [bytes(24)] * 8)),
            ("colour 1 of the palette occurs twice", "0.png",
             palette_png(8, 8, rows, [(1, 2, 3), (1, 2, 3)])),
            ("bad/0.png: has no palette", "0.png", formula_model.png(8, 8, rows, 3)),
            ("bad/0.png: not a PNG", "0.png", b"P5 8 8 255"),
            ("pictures: has no picture x.jpg, .jpeg or .png", "x.png",
             formula_model.png(8, 8, rows, 0))):
        write(f"bad/{name}", data)
        refuse(1, pattern, *args)
        os.remove(f"bad/{name}")
    write("bad/x.png", formula_model.png(8, 8, rows, 0))
    write("bad/1.png", formula_model.png(80, 60, [bytes(80)] * 60, 0))
    result = run(*args, "--skip-broken", "--json")
    got = json.loads(result.stdout)
    ok(result.returncode == 0 and (got["pictures"], got["skipped"]) == (1, 1)
       and got["classes"][0]["pixels"] == 4800, "--skip-broken", got)


main([make_files], [check_options, check_detector, check_broken_pictures, check_classifier,
                    check_crop, check_lists_refused, check_segmenter, check_masks_refused])
