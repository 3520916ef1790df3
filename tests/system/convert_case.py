# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of vigil-convert share: TAP, a scratch folder, ways to run the tool."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import sys
import tempfile

import torch_files as torch

TOOL = os.path.abspath(sys.argv[1])
count = failed = 0
scratch = tempfile.TemporaryDirectory()
folder = pathlib.Path(scratch.name) / "files"  # nothing but in.pth and out.safetensors
folder.mkdir()


def ok(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name.replace('#', '')}")
    if not good and detail:
        for line in str(detail).splitlines():
            print(f"#   {line}")


def skip(reason):
    global count
    count += 1
    print(f"ok {count} # SKIP {reason}")


def done():
    scratch.cleanup()
    print(f"1..{count}")
    sys.exit(failed > 0)


def load_tool():
    loader = importlib.machinery.SourceFileLoader("vigil_convert", TOOL)
    spec = importlib.util.spec_from_loader("vigil_convert", loader)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(TOOL))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


tool = load_tool()


def run(*arguments):
    """-> (status, stdout, stderr) of the tool, in this process."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["vigil-convert", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = tool.main()
    except SystemExit as stop:
        status = stop.code
    finally:
        sys.argv = before
    return status, out.getvalue(), err.getvalue()


def convert(root, *options, writer=torch.write_zip, **details):
    """-> (metadata, tensors) of what becomes of `root`."""
    source, target = folder / "in.pth", folder / "out.safetensors"
    target.unlink(missing_ok=True)
    writer(source, root, **details)
    status, out, err = run(source, target, *options)
    if status:
        raise AssertionError(f"status {status}: {err}")
    return torch.read_safetensors(target)


def check(name):
    """A test is a function; what it raises makes it fail."""
    def wrap(function):
        try:
            function()
            ok(True, name)
        except Exception as error:
            ok(False, name, f"{type(error).__name__}: {error}")
    return wrap


def refused(name, message, root=None, *options, writer=torch.write_zip, data=None,
            **details):
    """The tool gives one line with `message`, status 1 and no file."""
    source, target = folder / "in.pth", folder / "out.safetensors"
    target.write_bytes(b"as before")
    if data is not None:
        source.write_bytes(data)
    else:
        writer(source, root, **details)
    status, out, err = run(source, target, *options)
    good = status == 1 and err.startswith("vigil-convert: ") and err.count("\n") == 1 and \
        message in err and str(source) in err and target.read_bytes() == b"as before" and \
        sorted(p.name for p in folder.iterdir()) == ["in.pth", "out.safetensors"]
    ok(good, f"{name}: {err.strip().split(': ', 2)[-1]}", f"status {status}: {err}{out}")
