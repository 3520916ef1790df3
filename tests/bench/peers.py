#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine against other runtimes: the same networks, the same random weights, the same
input.  Outputs are compared first; README.md beside this file tells how times are taken.

    peers.py --library build/gcc/models/libvigil.so [--all | VARIANT[:SIZE]...]
"""
import argparse
import importlib.util
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import numpy

import blocks
import vigil_library

PEERS = {"onnxruntime": "python3-onnxruntime", "openvino": None}  # and what has them
TOLERANCE = 1e-4  # of the rms of an output; both compute in float32


def arguments():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("variants", nargs="*", metavar="VARIANT[:SIZE]")
    ap.add_argument("--all", action="store_true", help="all networks of models/training")
    ap.add_argument("--library", default="build/gcc/models/libvigil.so")
    ap.add_argument("--onnxruntime", metavar="FILE",
                    help="a libonnxruntime.so, in place of the Python package")
    ap.add_argument("--without-avx512", metavar="FILE",
                    help="libwithout-avx512.so, beside the benches of the same build")
    ap.add_argument("--peers", default=",".join(PEERS), help="comma-separated, of %(default)s")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=24)
    ap.add_argument("--block", type=float, default=80, help="milliseconds of a turn")
    ap.add_argument("--clock", choices=blocks.CLOCKS,
                    help="what ratios are of: processor time (the default of one thread) "
                    "or the wall clock (of more)")
    ap.add_argument("--json", metavar="FILE")
    args = ap.parse_args()
    args.clock = args.clock or ("cpu" if args.threads == 1 else "wall")
    args.peers = args.peers.split(",") if args.peers else []
    for peer in args.peers:
        if peer not in PEERS:
            ap.error(f"no peer '{peer}', only {', '.join(PEERS)}")
    for file in filter(None, (args.onnxruntime, args.without_avx512)):
        if not os.path.exists(file):
            ap.error(f"there is no {file}")
    args.without_avx512 = args.without_avx512 or built_beside(args.library)
    if args.rounds < 4:
        ap.error(f"{args.rounds} rounds are too few for quartiles, 4 are the least")
    return args


def built_beside(library):
    file = os.path.join(os.path.dirname(library), "../tests/bench/libwithout-avx512.so")
    return file if os.path.exists(file) else None


def present(args):
    found = []
    for peer in args.peers:
        if importlib.util.find_spec(peer) or (peer == "onnxruntime" and args.onnxruntime):
            found.append(peer)
        else:
            package = f" (Debian 13: apt install {PEERS[peer]})" if PEERS[peer] else ""
            print(f"ABSENT: {peer} is not installed, not measured{package}", flush=True)
    return found


def chosen(args, known):
    """(variant, side of the input) of each network to measure."""
    import peer_networks as p

    names = args.variants
    if args.all:
        names = [v for v in p.networks.VARIANTS if p.task_of(v) == "classification"]
    if not names:
        names = p.SMALL
    for name in [*names, *(p.DENSE if args.all or not args.variants else ())]:
        variant, _, size = name.partition(":")
        if variant not in known or variant not in p.networks.VARIANTS:
            sys.exit(f"'{variant}' has no definition in models/training, or none in libvigil")
        native = p.DENSE_SIZES.get(variant.split("_")[0], known[variant][3])
        yield variant, int(size) if size else native


def start(args, peers, folder):
    """Every runtime as it is; and before, where that is AVX-512 for ours, in processes
    that take the processor for one without it."""
    job = dict(folder=folder, threads=args.threads)
    own = {"vigil": dict(library=os.path.abspath(args.library)),
           "onnxruntime": dict(onnxruntime=args.onnxruntime)}

    def contestants(level, preload=None):
        return [blocks.Contestant(runtime + level, preload=preload, runtime=runtime,
                                  **job, **own.get(runtime, {}))
                for runtime in ["vigil", *peers]]

    found = contestants("")
    if args.without_avx512 and not found[0].about.endswith("avx2"):
        found = contestants("@avx2", args.without_avx512) + found
    return found


def pairs(contestants):
    """Names of a peer and of ours, at the same level."""
    for c in contestants:
        runtime, at, level = c.name.partition("@")
        if runtime != "vigil":
            yield c.name, "vigil" + at + level


def differences(contestants, folder):
    """Name -> largest difference from the first contestant, relative to the rms."""
    def outputs(contestant):
        path = os.path.join(folder, f"{contestant.name}.npz")
        contestant.ask(f"outputs {path}")
        with numpy.load(path) as found:
            return [found[f"arr_{i}"].astype(float) for i in range(len(found.files))]

    ours, found = outputs(contestants[0]), {}
    for c in contestants[1:]:
        theirs = outputs(c)
        if [a.shape for a in ours] != [a.shape for a in theirs]:
            sys.exit(f"{c.name}: {[a.size for a in theirs]} values come out, "
                     f"{[a.size for a in ours]} of {contestants[0].name}")
        found[c.name] = max(float(abs(a - b).max() / numpy.sqrt((b * b).mean()))
                            for a, b in zip(ours, theirs))
        if not found[c.name] <= TOLERANCE:
            sys.exit(f"{c.name}: outputs differ by {found[c.name]:.2g} of their rms, "
                     f"may by {TOLERANCE}")
    return found


def measure(args, peers, variant, size):
    import peer_networks

    with tempfile.TemporaryDirectory() as folder:
        peer_networks.write(variant, size, folder)
        contestants = start(args, peers, folder)
        try:
            off = differences(contestants, folder)
            medians = blocks.take_turns(contestants, args.rounds, args.block)
        finally:
            for c in contestants:
                c.close()
    return dict(
        variant=variant, size=size, differences=off,
        about={c.name: c.about for c in contestants},
        ms={name: {clock: blocks.quartiles(values) for clock, values in clocks.items()}
            for name, clocks in medians.items()},
        ratios={f"{peer}/{ours}": {clock: blocks.ratios(medians[peer][clock],
                                                        medians[ours][clock])
                                   for clock in blocks.CLOCKS}
                for peer, ours in pairs(contestants)})


def heading(row, clock):
    for name, about in row["about"].items():
        print(f"{name}: {about}")
    kind = "of processor time" if clock == "cpu" else "by the wall clock"
    print(f"Milliseconds {kind}, median of the rounds; ratios peer / vigil with their "
          "quartiles, above 1: vigil is faster.\n")
    print(f"{'':24}" + "".join(f"{name:>17}" for name in row["ms"])
          + "".join(f"{name:>34}" for name in row["ratios"]))


def line(row, clock):
    print(f"{row['variant']:19} {row['size']:4}"
          + "".join(f"{t[clock][1]:17.2f}" for t in row["ms"].values())
          + "".join("{1:20.2f} ({0:.2f}-{2:.2f})".format(*r[clock])
                    for r in row["ratios"].values()), flush=True)


def means(rows, known, clock):
    """Geometric means of the ratios by family, and of all."""
    families = {}
    for row in rows:
        families.setdefault(known[row["variant"]][1], []).append(row)
    families["all"] = rows
    return {family: {name: blocks.geometric_mean([r["ratios"][name][clock][1] for r in of])
                     for name in rows[0]["ratios"]} for family, of in families.items()}


def main():
    args = arguments()
    known = {v[0]: v for v in vigil_library.variants(args.library)}
    peers, rows = present(args), []
    if not peers:
        sys.exit("no peer to measure against")
    machine = blocks.machine()
    print("{processor}, {processors} processors, load {load}, {time}".format(**machine))
    for variant, size in chosen(args, known):
        rows.append(measure(args, peers, variant, size))
        if len(rows) == 1:
            heading(rows[0], args.clock)
        line(rows[-1], args.clock)
    found = means(rows, known, args.clock)
    print("\nGeometric means")
    for family, values in found.items():
        print(f"{family:24}" + " " * 17 * len(rows[0]["ms"])
              + "".join(f"{v:34.2f}" for v in values.values()))
    blocks.write_json(args.json, dict(
        machine=machine, threads=args.threads, rounds=args.rounds, block_ms=args.block,
        clock=args.clock, tolerance=TOLERANCE, networks=rows, geometric_means=found))


main()
