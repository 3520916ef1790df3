# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of vigil-model share: running it, looking at what it wrote, and TAP."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

TOOL = os.path.abspath(sys.argv[1])
count = failed = 0


def ok(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    name = name.replace("\n", "\\n").replace("#", "")
    print(f"{'' if good else 'not '}ok {count} - {name}")
    if not good and detail:
        print("# " + str(detail).replace("\n", "\n# "))
    sys.stdout.flush()


def run(*args, **kwargs):
    env = dict(os.environ, **kwargs.pop("env", {}))
    kwargs.setdefault("stdout", subprocess.PIPE)
    result = subprocess.run([TOOL, *args], stderr=subprocess.PIPE, env=env, timeout=240,
                            **kwargs)
    result.stderr = result.stderr.decode()
    return result


def run_json(*args, **kwargs):
    result = run(*args, "--json", **kwargs)
    if result.returncode or result.stderr:
        ok(False, " ".join(args), result.stderr)
        return None
    return json.loads(result.stdout)


def text_of(*args):
    result = run(*args)
    ok(result.returncode == 0 and not result.stderr, " ".join(args) + " succeeds",
       result.stderr)
    return result.stdout.decode()


def refuse(status, pattern, *args, **kwargs):
    """One line on standard error that matches, nothing else, and the exit status."""
    result = run(*args, **kwargs)
    line = result.stderr
    good = (result.returncode == status and not result.stdout
            and re.fullmatch(r"vigil-model: [^\n]+\n", line) and re.search(pattern, line))
    ok(bool(good), f"refused with {status}: {' '.join(args)}",
       f"status {result.returncode}, wanted {status} and /{pattern}/:\n{line}")


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def read_png(name):
    """Width, height and rows [height][width] of (red, green, blue) of an 8-bit RGB file."""
    data, at, packed = open(name, "rb").read(), 8, b""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) == (8, 2), (depth, kind)
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if name == b"IDAT" else b""
        at += size + 12
    lines, rows, above = zlib.decompress(packed), [], bytes(3 * width)
    for y in range(height):
        line = bytearray(lines[y * (3 * width + 1):(y + 1) * (3 * width + 1)])
        row = bytearray(3 * width)
        for i, value in enumerate(line[1:]):
            a, b = row[i - 3] if i > 2 else 0, above[i]
            c = above[i - 3] if i > 2 else 0
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))
            row[i] = (value + (0, a, b, (a + b) // 2, paeth[2])[line[0]]) & 255
        rows.append([tuple(row[3 * x:3 * x + 3]) for x in range(width)])
        above = row
    return width, height, rows


def main(makers, checks):
    """Makes the files in a folder that is thrown away, then runs the checks there."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for make in makers:
            make()
        for check in checks:
            try:
                check()
            except Exception as error:  # a case that broke off has failed
                ok(False, f"{check.__name__}: {error!r}")
        os.chdir("/")
    print(f"1..{count}")
    sys.exit(failed != 0)
