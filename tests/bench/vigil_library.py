# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvigil through ctypes: as much of it as the benches need."""
import ctypes

import numpy


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("rank", ctypes.c_int),
                ("shape", ctypes.c_int * 4), ("data", ctypes.POINTER(ctypes.c_float))]


class InputOptions(ctypes.Structure):
    _fields_ = [("height", ctypes.c_int), ("width", ctypes.c_int),
                *((f"has_{what}", ctypes.c_bool)
                  for what in ("channel_order", "mean", "std", "resize")),
                ("channel_order", ctypes.c_int), ("mean", ctypes.c_float * 3),
                ("std", ctypes.c_float * 3), ("resize", ctypes.c_int)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("input", InputOptions), ("threads", ctypes.c_int),
                ("taps", ctypes.c_void_p), ("n_taps", ctypes.c_size_t),
                ("attention", ctypes.c_bool), ("precision", ctypes.c_int),
                ("calibrate", ctypes.c_bool)]


class Variant(ctypes.Structure):
    _fields_ = [("family", ctypes.c_char_p), ("name", ctypes.c_char_p),
                ("task", ctypes.c_int), ("height", ctypes.c_int), ("width", ctypes.c_int),
                ("classes", ctypes.c_int), ("parameters", ctypes.c_uint64),
                ("macs", ctypes.c_uint64)]


class InputRules(ctypes.Structure):
    """The first fields of VigilInput, which is only ever pointed at."""

    _fields_ = [("height", ctypes.c_int), ("width", ctypes.c_int)]


TASKS = ("classification", "detection", "segmentation")
FORMULA_GAIN = 1.25


def load(path):
    library = ctypes.CDLL(path)
    library.vigil_isa.restype = ctypes.c_char_p
    library.vigil_variant_count.restype = ctypes.c_size_t
    library.vigil_session_input.restype = ctypes.POINTER(ctypes.c_float)
    library.vigil_session_input_rules.restype = ctypes.POINTER(InputRules)
    library.vigil_session_output.restype = ctypes.POINTER(Tensor)
    return library


def variants(path):
    """Every network the library can run, in its order: (name, family, task, side of its
    native input, classes, MACs)."""
    library, v = load(path), Variant()
    for i in range(library.vigil_variant_count()):
        library.vigil_variant_get(ctypes.c_size_t(i), ctypes.byref(v), None)
        yield (v.name.decode(), v.family.decode(), TASKS[v.task], v.height, v.classes, v.macs)


class Session:
    """A network, ready to run."""

    def __init__(self, library, threads, file=None, variant=None, classes=0, side=0):
        """file: of weights; or else `variant`, on formula weights.  side: of the input,
        pixels; 0: its own size."""
        self.library, self.error = load(library), Error()
        self.handle, model = ctypes.c_void_p(), ctypes.c_void_p()
        e, m = ctypes.byref(self.error), ctypes.byref(model)
        if file:
            self.check(self.library.vigil_model_open(file.encode(), m, e))
        else:
            self.check(self.library.vigil_model_open_formula(
                variant.encode(), ctypes.c_uint64(0), ctypes.c_double(FORMULA_GAIN),
                classes, m, e))
        options = SessionOptions(threads=threads)
        options.input.height = options.input.width = side
        self.check(self.library.vigil_session_open(model, ctypes.byref(options),
                                                   ctypes.byref(self.handle), e))
        self.library.vigil_model_close(m)
        self.run = lambda: self.library.vigil_session_run(self.handle)

    def check(self, status):
        if status:
            raise SystemExit(self.error.message.decode())

    def fill(self, x):
        """x: float32 [height][width][3]; None: numbers in -2..2 that are always the same."""
        rules = self.library.vigil_session_input_rules(self.handle).contents
        shape = rules.height, rules.width, 3
        if x is None:
            x = numpy.random.default_rng(1).uniform(-2, 2, shape).astype(numpy.float32)
        if x.shape != shape or x.dtype != numpy.float32:
            raise SystemExit(f"input is {x.dtype} {x.shape}, the session takes {shape}")
        x = numpy.ascontiguousarray(x)
        ctypes.memmove(self.library.vigil_session_input(self.handle), x.ctypes.data, x.nbytes)

    def outputs(self):
        """Name -> array, in the order of the head."""
        found = {}
        while True:
            t = self.library.vigil_session_output(self.handle, ctypes.c_size_t(len(found)))
            if not t:
                return found
            t = t.contents
            shape = tuple(t.shape[: t.rank])
            found[t.name.decode()] = numpy.ctypeslib.as_array(t.data, shape).copy()

    def isa(self):
        return self.library.vigil_isa().decode()
