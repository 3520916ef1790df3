# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timing by short blocks that take turns, so that whatever else the machine does meets all
contestants alike; and what is told of them."""
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
CLOCKS = ("cpu", "wall")


class Contestant:
    """A process of contestant.py; `isa`: a level that VIGIL_ISA forces, or None; `preload`:
    a library that it starts with, or None."""

    def __init__(self, name, isa=None, preload=None, **job):
        self.name = name
        env = dict(os.environ, OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
        env.pop("VIGIL_ISA", None)
        if isa:
            env["VIGIL_ISA"] = isa
        if preload:
            env["LD_PRELOAD"] = os.path.abspath(preload)
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(here, "contestant.py"), json.dumps(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.about = self.reply()["about"]

    def reply(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.reply()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def take_turns(contestants, rounds, ms):
    """Name -> clock -> the median time of a run in each round, milliseconds.  Every second
    round goes backwards."""
    medians = {c.name: {clock: [] for clock in CLOCKS} for c in contestants}
    for i in range(rounds):
        for c in contestants[:: -1 if i % 2 else 1]:
            times = c.ask(f"block {ms}")
            for clock in CLOCKS:
                medians[c.name][clock].append(statistics.median(times[clock]))
    return medians


@contextlib.contextmanager
def neighbours(count):
    """So many other processes that compute all the time."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def quartiles(values):
    """(lower quartile, median, upper quartile)"""
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def ratios(theirs, ours):
    """Quartiles of the ratio of times within a round; above 1: ours is faster."""
    return quartiles([a / b for a, b in zip(theirs, ours)])


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def machine():
    """The processor and how busy it is with other things."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return dict(processor=model, processors=len(os.sched_getaffinity(0)),
                load=[round(v, 2) for v in os.getloadavg()],
                time=time.strftime("%Y-%m-%d %H:%M:%S"))


def write_json(path, result):
    if path:
        with open(path, "w") as f:
            json.dump(result, f, indent=1)
            f.write("\n")
