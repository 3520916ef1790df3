#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what `meson test` ran, case by case: count.py BUILD/meson-logs/testlog.json

Prints one line `FAIL name` or `SKIP name: reason` for each case that did not pass, and
last `passed failed skipped`.  A test that prints TAP counts as its cases; one that dies,
runs out of time or ends before its plan is a failed case more.
"""
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b *(\d+)? *-? *(.*)$")
SKIPPED = re.compile(r"^(.*?)# *SKIP\S* *(.*)$", re.IGNORECASE)
BAD = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


def cases(output):
    """(outcome, name, reason) of each TAP case; indented ones belong to another."""
    for line in output.splitlines():
        case = CASE.match(line)
        if not case:
            continue
        skip = SKIPPED.match(case[3])
        if skip and not case[1]:
            yield "SKIP", skip[1].strip() or f"case {case[2]}", skip[2].strip()
        else:
            yield "FAIL" if case[1] else "PASS", case[3].strip() or f"case {case[2]}", ""


def outcomes(test):
    """The outcomes of one line of the log."""
    output = test.get("stdout", "")
    found = list(cases(output))
    if test["result"] in BAD and not any(o == "FAIL" for o, _, _ in found):
        found.append(("FAIL", f"({test['result']}, exit status {test['returncode']})", ""))
    if not found:
        last = (output.strip().splitlines() or ["no reason given"])[-1]
        skipped = test["result"] == "SKIP"
        reason = re.sub(r"^1\.\.0 *# *(SKIP\S*)? *", "", last) if skipped else ""
        found = [("SKIP" if skipped else "PASS", "", reason)]
    return found


def main(path):
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    with open(path, encoding="utf-8", errors="replace") as log:
        for test in map(json.loads, log):
            for outcome, name, reason in outcomes(test):
                count[outcome] += 1
                if outcome != "PASS":
                    print(outcome, test["name"], name, f"# {reason}" if reason else "")
    print(count["PASS"], count["FAIL"], count["SKIP"])


main(sys.argv[1])
