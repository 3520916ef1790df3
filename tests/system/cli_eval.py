#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model eval: python3 cli_eval.py VIGIL_MODEL DETECTOR CLASSIFIER.

Random scenes are held against the definition of the COCO tool, written out below in plain
Python.  Networks with formula weights look at small pictures; what `infer` says of them is
taken for the truth, so that their figures are known.  Prints TAP.

Compared once with another implementation in NumPy: 2819 detections made by disturbing the
boxes of 500 pictures of VOC2007 give AP50:95 0.2266, AP50 0.3394, AP75 0.2544, AR100 0.4209
over the 20 classes and 0.2589, 0.4107, 0.2798, 0.4248 over three merged ones in both, each
class within 5e-10, as far as the JSON has digits.
"""
import json
import math
import os
import random
import struct
import sys
import zlib

import formula_model
from cli_case import main, ok, read_png, refuse, run, run_json, text_of, write

DETECTOR, CLASSIFIER = (os.path.abspath(name) for name in sys.argv[2:4])
LABELS = ["zero", "one", "two", "three", "traffic light"]  # of the detector
SEED = int(os.environ.get("VIGIL_TEST_SEED", "20071"))
FIGURES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100")
SIZES = ((96, 128), (60, 80), (128, 96))  # height x width of the pictures


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


def make_files():
    images = []
    for number, (height, width) in enumerate(SIZES):
        rows = formula_model.formula_picture(height + 8 * number, width)[8 * number:]
        write(f"{number}.png", formula_model.png(width, height, rows))
        images.append(image(number, width=width, height=height))
    save("plain.json", coco(images, [truth(0, 1, 10, 10, 30, 40)], LABELS))
    save("empty.json", [])


# ---- The definition ---------------------------------------------------------------------

THRESHOLDS = [0.5 + t * ((0.95 - 0.5) / 9) for t in range(10)]
RECALLS = [r * 0.01 for r in range(101)]
AREAS = {"all": (0, 1e10), "small": (0, 32 ** 2), "medium": (32 ** 2, 96 ** 2),
         "large": (96 ** 2, 1e10)}


def overlap(d, g, crowd):
    w = min(d[0] + d[2], g[0] + g[2]) - max(d[0], g[0])
    h = min(d[1] + d[3], g[1] + g[3]) - max(d[1], g[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (d[2] * d[3] if crowd else d[2] * d[3] + g[2] * g[3] - w * h)


def match(detections, boxes, threshold, least, most):
    """Of one class in one picture: [(score, taken, ignored)] and the number of positives."""
    def ignored(g):
        return g["ignore"] or not least <= g["area"] <= most
    boxes = sorted(boxes, key=ignored)
    taken, rows = [False] * len(boxes), []
    for d in sorted(detections, key=lambda d: -d["score"])[:100]:
        best, at = min(threshold, 1 - 1e-10), None
        for k, g in enumerate(boxes):
            if taken[k] and not g["crowd"]:
                continue
            if at is not None and not ignored(boxes[at]) and ignored(g):
                break
            iou = overlap(d["bbox"], g["bbox"], g["crowd"])
            if iou >= best:
                best, at = iou, k
        if at is None:
            area = d["bbox"][2] * d["bbox"][3]
            rows.append((d["score"], False, not least <= area <= most))
        else:
            taken[at] = True
            rows.append((d["score"], True, ignored(boxes[at])))
    return rows, sum(not ignored(g) for g in boxes)


def curve(rows, positives):
    """Average precision and recall of [(score, taken, ignored)] of all pictures."""
    precision, recall, hits, wrong = [], [], 0, 0
    for _, taken, ignored in sorted(rows, key=lambda row: -row[0]):
        hits += taken and not ignored
        wrong += not taken and not ignored
        recall.append(hits / positives)
        precision.append(hits / (hits + wrong + 2.0 ** -52))
    points = [max((p for p, r in zip(precision, recall) if r >= wanted), default=0)
              for wanted in RECALLS]
    return sum(points) / 101, hits / positives


def rate(images, name, truths, detections):
    """The figures of one class, None where there is nothing to be found."""
    table = {}
    for area, (least, most) in AREAS.items():
        for t, threshold in enumerate(THRESHOLDS):
            rows, positives = [], 0
            for i in images:
                some, n = match(
                    [d for d in detections if (d["image"], d["name"]) == (i, name)],
                    [g for g in truths if g["image"] == i and g["name"] in (name, None)],
                    threshold, least, most)
                rows += some
                positives += n
            table[area, t] = curve(rows, positives) if positives else (None, None)
        if table[area, 0][0] is not None:
            table[area] = sum(table[area, t][0] for t in range(10)) / 10
    recalls = [table["all", t][1] for t in range(10)]
    return {"ap": table.get("all"), "ap50": table["all", 0][0], "ap75": table["all", 5][0],
            "ap_small": table.get("small"), "ap_medium": table.get("medium"),
            "ap_large": table.get("large"),
            "ar100": None if None in recalls else sum(recalls) / 10}


def off(got, wanted):
    """The largest difference of figures; infinite where one is missing on one side."""
    if (got is None) != (wanted is None):
        return math.inf
    return 0 if got is None else abs(got - wanted)


# ---- Random scenes ----------------------------------------------------------------------

def some_box(rng):
    side = rng.choice((8, 32, 60, 130))
    return [rng.randrange(80) * 1.0, rng.randrange(80) * 1.0,
            side * rng.choice((0.5, 1, 1.25)), side * rng.choice((0.5, 1, 1.25))]


def random_scene(rng):
    """Annotations and results with crowds, ignored and difficult boxes, many equal scores,
    boxes that overlap exactly as much as a threshold asks, ids in no order."""
    ids = rng.sample(range(1, 50), 6)
    annotations, results = [], []
    for i in ids:
        for _ in range(rng.randrange(7)):
            more = rng.choice(({}, {}, {}, {"iscrowd": 1}, {"ignore": 1}, {"difficult": 0},
                               {"iscrowd": 1, "difficult": 1}, {"area": 500.5}))
            annotations.append(truth(i, rng.randrange(4), *some_box(rng), **more))
        boxes = [a["bbox"] for a in annotations if a["image_id"] == i]
        for _ in range(rng.choice((0, 3, 9, 240))):
            x, y, w, h = rng.choice(boxes) if boxes and rng.random() < 0.8 else some_box(rng)
            x, w = x + rng.choice((0, 0, 1, 2, 5)), w * rng.choice((1, 1, 0.75, 0.5, 1.1))
            results.append(found(i, rng.randrange(4), rng.randrange(20) / 20, x, y, w, h))
    rng.shuffle(results)
    return ids, annotations, results


def reference(ids, annotations, results, names, gt, det):
    """What the tool must say, with maps from names to classes (None: a region)."""
    truths = [dict(bbox=a["bbox"], image=a["image_id"], name=gt[names[a["category_id"]]],
                   area=a.get("area", a["bbox"][2] * a["bbox"][3]),
                   crowd=bool(a.get("iscrowd")) and "difficult" not in a,
                   ignore=bool(a.get("iscrowd") or a.get("ignore") or a.get("difficult"))
                   or gt[names[a["category_id"]]] is None)
              for a in annotations if names[a["category_id"]] in gt]
    detections = [dict(d, image=d["image_id"], name=det[names[d["category_id"]]])
                  for d in results]
    classes = list(dict.fromkeys(c for c in gt.values() if c is not None))
    return {name: rate(sorted(ids), name, truths, detections) for name in classes}


def compare(got, wanted, name):
    rows = {row["label"]: row for row in got["classes"]}
    worst = max((off(rows[c][f], wanted[c][f]) for c in wanted for f in FIGURES),
                default=math.inf)
    for f in FIGURES:
        values = [figures[f] for figures in wanted.values() if figures[f] is not None]
        mean = sum(values) / len(values) if values else None
        worst = max(worst, off(got["mean"][f], mean))
    ok(list(rows) == list(wanted) and worst <= 1e-9,
       f"{name}: {got['mean']['positives']} boxes, {got['mean']['detections']} detections, "
       f"off by {worst:.2g}", f"{got}\n{wanted}")


def check_random():
    names = ["a", "b", "c", "d"]
    print(f"# seed {SEED}")
    for trial in range(12):
        rng = random.Random(SEED + trial)
        ids, annotations, results = random_scene(rng)
        save("scene.json", coco([image(i) for i in ids], annotations, names))
        save("results.json", results)
        same = {name: name for name in names}
        compare(run_json("eval", "--coco", "scene.json", "--detections", "results.json"),
                reference(ids, annotations, results, names, same, same),
                f"random scene {trial}")
        gt, det = {"a": "one", "b": None, "c": "one"}, dict(same, a="one", c="one", d="one")
        save("maps.json", {"other": {"gt": {}}, "this": {"gt": gt, "det": det}})
        compare(run_json("eval", "--coco", "scene.json", "--detections", "results.json",
                         "--class-map", "maps.json:this"),
                reference(ids, annotations, results, names, gt, det),
                f"random scene {trial} with a class map")


# ---- Files ------------------------------------------------------------------------------

def figures_of(name, *args):
    got = run_json("eval", "--coco", name, *args)
    return got and {row["label"]: row for row in got["classes"]}, got


def check_choice():
    """Which pictures and boxes count."""
    images = [image(9, split="val", source="x"), image(3, split="train", source="x"),
              image(5, split="val", source="y"), image(4, split="val", source="y")]
    save("c.json", coco(images, [truth(i, 0, 0, 0, 10, 10) for i in (9, 3, 5, 4, 77)],
                        ["a"]))
    save("d.json", [found(i, 0, 0.5, 0, 0, 10, 10) for i in (9, 3)])
    args = ("--detections", "d.json")
    for pictures, recall, *more in ((4, 0.5), (3, 1 / 3, "--split", "val"),
                                    (2, 1, "--source", "x"), (1, 1, "--limit", "1"),
                                    (2, 0, "--split", "val", "--limit", "2"),
                                    (1, 1, "--source", "x", "--split", "train")):
        got = run_json("eval", "--coco", "c.json", *args, *more)
        ok(got["pictures"] == pictures and off(got["mean"]["ar100"], recall) < 1e-9,
           f"{more}: {pictures} pictures, recall {recall:.3g}", got)
    save("m.json", {"gt": {"a": "thing"}})
    rows, _ = figures_of("c.json", *args, "--class-map", "m.json")
    ok(list(rows) == ["thing"] and rows["thing"]["ar100"] == 0.5,
       "without det the map of categories is that of labels", rows)
    save("m.json", {"gt": {"a": "thing"}, "det": {"b": "thing"}})
    rows, got = figures_of("c.json", *args, "--class-map", "m.json")
    ok(rows["thing"]["ar100"] == 0 and got["dropped"] == 2,
       "detections that are no class are dropped and counted", got)
    text = text_of("eval", "--coco", "c.json", *args)
    ok(text.splitlines()[0].split() == "BOXES FOUND AP50:95 AP50 AP75 SMALL MEDIUM LARGE "
       "AR100 CLASS".split() and text.splitlines()[1].split()
       == ["4", "2", "0.5050", "0.5050", "0.5050", "0.5050", "-", "-", "0.5000", "a"],
       "a table", text)


def check_large():
    """100000 boxes and as many detections, those of one picture among them."""
    rng = random.Random(SEED)
    boxes = [truth(rng.randrange(5000) if k % 10 else 0, rng.randrange(80),
                   rng.random() * 600, rng.random() * 400, 30, 20) for k in range(100000)]
    save("c.json", coco([image(i) for i in range(5000)], boxes,
                        [f"c{i}" for i in range(80)]))
    save("d.json", [dict(b, score=rng.random()) for b in boxes])
    got = run_json("eval", "--coco", "c.json", "--detections", "d.json")
    ok(got["mean"]["positives"] == 100000 and got["mean"]["ap50"] > 0.9,
       "100000 boxes", got and got["mean"])


def check_files_refused():
    good = coco([image(1)], [truth(1, 0, 0, 0, 1, 1)], ["a"])
    text = json.dumps(good)

    def bad(pattern, old, new):
        with open("bad.json", "w", encoding="utf-8") as file:
            assert old in text, old
            file.write(text.replace(old, new, 1))
        refuse(1, pattern, "eval", "--coco", "bad.json", "--detections", "empty.json")

    box = '"bbox": [0, 0, 1, 1]'
    for value, pattern in (("[0, 0, -1, 1]", "negative size: -1 x 1"), ("[0, 0, 1]", "four"),
                           ("[0, 0, 1, null]", "four numbers"), ('"0 0 1 1"', "four"),
                           ("[0, 0, 1, NaN]", "not valid JSON at byte"),
                           ("[0, 0, 1, 1e999]", "not valid JSON at byte")):
        bad(f"bad.json.*{pattern}", box, f'"bbox": {value}')
    bad(r"annotations\[0\]: bbox must", box, '"box": []')
    bad(r"annotations\[0\]: category_id 7 is none of the 1 categories",
        '"category_id": 0', '"category_id": 7')
    bad(r"annotations\[0\]: image_id must be an integer", '"image_id": 1', '"image_id": "1"')
    bad(r"annotations\[0\]: area is negative: -4", box, box + ', "area": -4')
    bad(r"annotations\[0\]: iscrowd must", box, box + ', "iscrowd": "yes"')
    bad("two images have the id 1", '"images": [', '"images": [{"id": 1, "file_name": ""}, ')
    bad("two categories have the id 0", '"categories": [',
        '"categories": [{"id": 0, "name": "b"}, ')
    bad(r"images\[0\]: file_name is missing", "file_name", "file")
    bad(r"images\[0\]: width -2: must be 0\.\.1e\+06", '"id": 1', '"id": 1, "width": -2')
    bad(r"images\[0\]: must be an object", '"images": [', '"images": [5, ')
    bad("images must be an array", '"images": [', '"pictures": [')
    bad("annotations must be an array", "annotations", "boxes")
    bad("none of its 0 categories is a class", '{"id": 0, "name": "a"}', "")
    bad("not valid JSON", text[-1], "")
    save("good.json", good)
    for pattern, value in ((r"detections\[0\]: image_id 2 is none of the 1 images of good",
                            found(2, 0, 0.5, 0, 0, 1, 1)),
                           (r"\[0\]: category_id 3 ", found(1, 3, 0.5, 0, 0, 1, 1)),
                           (r"\[0\]: bbox has a negative size: 1 x -3",
                            found(1, 0, 0.5, 0, 0, 1, -3)),
                           (r"\[0\]: score is missing", truth(1, 0, 0, 0, 1, 1)),
                           (r"\[0\]: score must be a number", found(1, 0, "x", 0, 0, 1, 1))):
        save("bad.json", [value])
        refuse(1, pattern, "eval", "--coco", "good.json", "--detections", "bad.json")
    refuse(1, "detections must be an array", "eval", "--coco", "good.json", "--detections",
           "good.json")
    refuse(1, "none.json: No such file", "eval", "--coco", "none.json", "--detections",
           "empty.json")
    refuse(1, "none.json: No such file", "eval", "--coco", "good.json", "--detections",
           "none.json")
    refuse(1, "none of its 1 images counts", "eval", "--coco", "good.json", "--detections",
           "empty.json", "--split", "val")
    save("m.json", {"x": {"gt": {"a": 1}}})
    for pattern, option in (("m.json: has no \"gt\"", "m.json"), ("no entry 'y'", "m.json:y"),
                            ("'a' must be a string or null", "m.json:x")):
        refuse(1, pattern, "eval", "--coco", "good.json", "--detections", "empty.json",
               "--class-map", option)


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


main([make_files], [check_random, check_choice, check_large, check_files_refused,
                    check_options, check_detector, check_broken_pictures, check_classifier,
                    check_crop, check_lists_refused, check_segmenter, check_masks_refused])
