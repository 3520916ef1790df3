#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-model eval without a network: python3 cli_eval.py VIGIL_MODEL.

Random scenes are held against the definition of the COCO tool, written out below in plain
Python, to 1e-9.  Prints TAP.

Compared once with the COCO tool itself (evaluateImg and accumulate of its cocoeval.py): 50000
boxes that a detector of three classes found in 500 pictures of VOC2007, difficult ones as
crowds, give AP50:95 0.148690510, AP50 0.409174703, AP75 0.0784332288, 0.0677878216,
0.0712697761 and 0.248223292 for small, medium and large ones, AR100 0.295798899; of person
0.107189803 and 0.357706274 at IoU 0.5: all that the JSON has digits for is the same.  2819
disturbed boxes of the 20 classes, difficult ones left out as VOC does it, agree to 5e-10 with
another implementation in NumPy.  (The 101 recalls are multiples of the float 0.01, as the COCO
tool has them; rounded ones move AP of single classes by up to 0.007.)
"""
import json
import math
import random

from cli_case import main, ok, refuse, run_json, text_of
from eval_case import FIGURES, SEED, coco, found, image, off, save, truth


def make_files():
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


main([make_files], [check_random, check_choice, check_large, check_files_refused])
