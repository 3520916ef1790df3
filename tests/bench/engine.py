#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every network of the engine on formula weights at its native size, with one thread and
with two, which take turns.

    engine.py --library build/gcc/models/libvigil.so [VARIANT...]
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True
import blocks
import vigil_library


def arguments():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("variants", nargs="*", metavar="VARIANT", help="these only")
    ap.add_argument("--library", default="build/gcc/models/libvigil.so")
    ap.add_argument("--isa", help="level to force on the engine, as avx2")
    ap.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    ap.add_argument("--neighbours", type=int, default=0, metavar="N",
                    help="other processes that keep a processor busy each")
    ap.add_argument("--rounds", type=int, default=12)
    ap.add_argument("--block", type=float, default=80, help="milliseconds of a turn")
    ap.add_argument("--json", metavar="FILE")
    args = ap.parse_args()
    if args.rounds < 4:
        ap.error(f"{args.rounds} rounds are too few for quartiles, 4 are the least")
    return args


def measure(args, name, classes):
    contestants = []
    try:
        for threads in args.threads:
            contestants.append(blocks.Contestant(
                str(threads), isa=args.isa, runtime="vigil", threads=threads, variant=name,
                classes=classes, library=os.path.abspath(args.library)))
        with blocks.neighbours(args.neighbours):
            medians = blocks.take_turns(contestants, args.rounds, args.block)
    finally:
        for c in contestants:
            c.close()
    first = medians[contestants[0].name]["wall"]
    return dict(
        about=contestants[0].about,
        ms={n: {c: blocks.quartiles(v) for c, v in clocks.items()}
            for n, clocks in medians.items()},
        faster={n: blocks.ratios(first, clocks["wall"]) for n, clocks in medians.items()})


def line(row):
    text = f"{row['variant']:26} {row['size']:4} {row['macs'] / 1e6:8.0f}"
    for threads, times in row["ms"].items():
        cpu, (low, wall, high) = times["cpu"][1], times["wall"]
        text += f"{cpu:10.2f} {wall:10.2f} ({low:.2f}-{high:.2f})"
        if row["faster"][threads] != (1, 1, 1):
            text += " {1:6.2f}x".format(*row["faster"][threads])
    print(text, flush=True)


def main():
    args, rows = arguments(), []
    known = {v[0]: v for v in vigil_library.variants(args.library)}
    for name in args.variants:
        if name not in known:
            sys.exit(f"libvigil has no network '{name}'")
    machine = blocks.machine()
    print("{processor}, {processors} processors, load {load}, {time}".format(**machine))
    print("Variant, side of the input, million MACs; then for "
          f"{', '.join(map(str, args.threads))} threads: milliseconds of processor time, of "
          "the wall clock (quartiles), how many times faster than the first.\n")
    for name in args.variants or known:
        _, family, task, size, classes, macs = known[name]
        rows.append(dict(variant=name, family=family, task=task, size=size, macs=macs,
                         **measure(args, name, classes)))
        line(rows[-1])
    blocks.write_json(args.json, dict(machine=machine, about=rows[0]["about"],
                                      neighbours=args.neighbours,
                                      rounds=args.rounds, block_ms=args.block,
                                      networks=rows))


main()
