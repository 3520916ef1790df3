# SPDX-License-Identifier: LGPL-2.1-or-later
"""vigil-cameras from outside: python3 cli_cameras.py VIGIL_CAMERAS.  Prints TAP.

Whether this machine has cameras is not known; camera.sh looks at some in a guest.
"""
import json
import re
import sys

from cli_case import ok, run
import cli_case

NOWHERE = "name:no camera is called so"


def usage_cases():
    for args, word in (
        (["--jsn"], "unknown option '--jsn'"),
        (["-x"], "unknown option '-x'"),
        (["--json=1"], "unknown option '--json=1'"),
        (["0", "1"], "unexpected argument '1'"),
        (["name:"], 'Nothing follows "name:"'),
        (["12345"], "12345 is above 9999"),
    ):
        result = run(*args)
        ok(result.returncode == 2 and word in result.stderr and not result.stdout
           and result.stderr.startswith("vigil-cameras: ")
           and result.stderr.count("\n") == 1, f"{args} is refused", result.stderr)


def help_cases():
    for option in ("--help", "-h"):
        result = run(option)
        ok(not result.returncode and b"Usage: vigil-cameras" in result.stdout
           and b"--json" in result.stdout, f"{option} helps")
    version = run("--version").stdout.decode()
    ok(re.fullmatch(r"vigil-cameras \d+\.\d+\.\d+\n", version), "version", version)


def missing_cases():
    for name, word in ((NOWHERE, "no camera"), ("/dev/null", "is not a camera"),
                       ("/nowhere/at/all", "no camera at /nowhere/at/all")):
        result = run(name)
        ok(result.returncode == 1 and word in result.stderr.lower() + result.stderr
           and result.stderr.count("\n") == 1, f"{name} is not found", result.stderr)


def list_cases():
    result = run("--json")
    cameras = json.loads(result.stdout)
    ok(not result.returncode and isinstance(cameras, list), "a list", result.stderr)
    ok(all({"name", "device", "bus", "serial", "modes", "controls"} <= set(c)
           for c in cameras), "of cameras")
    table = run().stdout.decode()
    ok(all(c["device"] in table for c in cameras) and (cameras or "No camera" in table),
       "and the same as text", table)
    with open("/dev/full", "wb") as full:
        result = run(stdout=full)
    ok(result.returncode == 1 and "cannot write" in result.stderr,
       "a full disk is told", result.stderr)


usage_cases()
help_cases()
missing_cases()
list_cases()
print(f"1..{cli_case.count}")
sys.exit(cli_case.failed > 0)
