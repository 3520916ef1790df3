#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the time of a network grows with the pixels of its input, on formula weights with
one thread; the sizes take turns.

    scaling.py --library build/gcc/models/libvigil.so [VARIANT...]

Tells each size's time a pixel, and the power of the pixels that fits best: 1 is linear.
"""
import argparse
import math
import os
import sys

sys.dont_write_bytecode = True
import blocks
import vigil_library

VARIANTS = ("EMO_1M", "mobilevitv2_100", "mobile_former_294m", "ssdlite_emo_1M")


def arguments():
    ap = argparse.ArgumentParser(description=" ".join(__doc__.splitlines()[0:2]))
    ap.add_argument("variants", nargs="*", metavar="VARIANT",
                    help=f"instead of {', '.join(VARIANTS)}")
    ap.add_argument("--library", default="build/gcc/models/libvigil.so")
    ap.add_argument("--isa", help="level to force on the engine, as avx2")
    ap.add_argument("--sides", type=int, nargs="+", default=[128, 192, 256, 384, 512, 640],
                    help="of the input, pixels")
    ap.add_argument("--rounds", type=int, default=12)
    ap.add_argument("--block", type=float, default=80, help="milliseconds of a turn")
    ap.add_argument("--json", metavar="FILE")
    args = ap.parse_args()
    if args.rounds < 4 or len(args.sides) < 2:
        ap.error("4 rounds and 2 sides are the least")
    return args


def measure(args, name, classes):
    """Side -> quartiles of the processor time of a run, milliseconds."""
    contestants = []
    try:
        for side in args.sides:
            contestants.append(blocks.Contestant(
                str(side), isa=args.isa, runtime="vigil", threads=1, variant=name,
                classes=classes, side=side, library=os.path.abspath(args.library)))
        medians = blocks.take_turns(contestants, args.rounds, args.block)
    finally:
        for c in contestants:
            c.close()
    return {int(n): blocks.quartiles(clocks["cpu"]) for n, clocks in medians.items()}


def power(times):
    """The slope of a line through logarithms of pixels and medians, by least squares."""
    x = [2 * math.log(side) for side in times]
    y = [math.log(t[1]) for t in times.values()]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return (sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) /
            sum((a - mean_x) ** 2 for a in x))


def main():
    args, rows = arguments(), []
    known = {v[0]: v for v in vigil_library.variants(args.library)}
    for name in args.variants or VARIANTS:
        if name not in known:
            sys.exit(f"libvigil has no network '{name}'")
    machine = blocks.machine()
    print("{processor}, {processors} processors, load {load}, {time}".format(**machine))
    print("Nanoseconds of processor time a pixel at each side, the power of the pixels.\n")
    print(f"{'':26}" + "".join(f"{side:8}" for side in args.sides) + f"{'power':>9}")
    for name in args.variants or VARIANTS:
        times = measure(args, name, known[name][4])
        rows.append(dict(variant=name, ms=times, power=power(times)))
        print(f"{name:26}" + "".join(f"{1e6 * t[1] / side ** 2:8.1f}"
                                     for side, t in times.items()) +
              f"{rows[-1]['power']:9.3f}", flush=True)
    blocks.write_json(args.json, dict(machine=machine, rounds=args.rounds,
                                      block_ms=args.block, networks=rows))


main()
