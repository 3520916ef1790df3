# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads PyTorch checkpoints without PyTorch, for vigil-convert.

A checkpoint is a pickle, and a pickle is a program.  It is read here by a machine that
knows the few opcodes torch.save() writes and never imports or calls what the file names:
a global becomes a Global, calling one looks its name up in CALLS, and what is only dead
weight beside the tensors (options, optimizers) becomes a Dead.
"""
import contextlib
import io
import math
import os
import pickle
import zipfile

import numpy as np

MAX_PICKLE = 64 << 20  # bytes of data.pkl
MAX_RANK = 8

# Name in the file to the NumPy code of its bits.
CODES = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "I64": "i8", "I32": "i4",
         "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1",
         "BOOL": "u1", "F8_E4M3": "u1", "F8_E5M2": "u1"}
STORAGES = {"Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16",
            "Long": "I64", "Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8",
            "Bool": "BOOL", "Untyped": "U8"}
TORCH_DTYPES = {"float64": "F64", "double": "F64", "float32": "F32", "float": "F32",
                "float16": "F16", "half": "F16", "bfloat16": "BF16", "int64": "I64",
                "long": "I64", "int32": "I32", "int": "I32", "int16": "I16",
                "short": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16",
                "uint32": "U32", "uint64": "U64", "bool": "BOOL",
                "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
NUMPY_DTYPES = {**{code: name for name, code in CODES.items() if name[0] in "FIU" and
                   not name.startswith("F8")}, "b1": "BOOL"}

# Globals that stand beside the weights in training checkpoints; read as dead data.  A
# name that ends in a dot covers all that begins with it.
INERT = ("argparse.Namespace", "types.SimpleNamespace", "datetime.", "decimal.Decimal",
         "uuid.UUID", "collections.deque", "pathlib.Path", "pathlib.PosixPath",
         "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib.PureWindowsPath", "builtins.object",
         "builtins.int", "builtins.float", "builtins.str", "builtins.bool",
         "builtins.list", "builtins.dict", "builtins.tuple", "builtins.bytes",
         "builtins.bytearray", "builtins.complex", "builtins.slice", "builtins.range",
         "builtins.set", "builtins.frozenset",
         "numpy.", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter",
         "torch.Generator", "torch.optim.", "torch.cuda.amp.", "torch.amp.",
         "omegaconf.", "easydict.EasyDict", "addict.addict.Dict", "yacs.config.CfgNode",
         "mmcv.utils.config.", "mmengine.config.", "mmengine.logging.")


class Problem(Exception):
    """What to tell the user, in one sentence that follows the name of the file."""

    def __init__(self, message, path=None):
        super().__init__(message)
        self.path = path


@contextlib.contextmanager
def untrusted():
    """Whatever a damaged file leads to in here becomes a Problem."""
    try:
        yield
    except (Problem, OSError, MemoryError):
        raise
    except Exception as error:
        detail = f"{type(error).__name__}: {printable(error)}".removesuffix(": ")
        raise Problem(f"is damaged, or no checkpoint ({detail})") from error


def printable(text):
    text = str(text)
    text = text if len(text) <= 200 else text[:98] + "..." + text[-98:]
    return "".join(c if c.isprintable() else "?" for c in text)


def elements(data, code):
    """The whole elements in `data`, in little-endian order."""
    count = len(data) // np.dtype(code).itemsize
    return np.frombuffer(data, code, count).astype("<" + code[1:], copy=False)


# ---- What the pickle can make --------------------------------------------------------


class Global:
    """A name the file refers to; never looked up anywhere but in CALLS."""

    def __init__(self, name):
        self.name = name


class Dead:
    """Stands for an object of a class that is not needed; swallows its contents."""

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass


class Storage:
    """A run of elements in the container: [start, start + count) of storage `key`."""

    def __init__(self, dtype, count, read, start=0):
        self.dtype, self.count, self.read, self.start = dtype, count, read, start


class Tensor:
    def __init__(self, storage, offset, shape, stride, dtype=None):
        if not isinstance(storage, Storage):
            raise Problem("has a tensor without a storage")
        self.storage, self.offset = storage, offset
        self.shape, self.stride = tuple(shape), tuple(stride)
        self.dtype = dtype or storage.dtype
        self.out = self.dtype  # as it will be written

    @property
    def count(self):
        return math.prod(self.shape)

    def bytes(self):
        """As it will be written."""
        return self.count * np.dtype(CODES[self.out]).itemsize

    def check(self, name):
        """Every element lies inside the storage."""
        numbers = (self.offset, *self.shape, *self.stride)
        if any(type(n) is not int or n < 0 for n in numbers):
            raise Problem(f"tensor '{name}' has a shape, stride or offset that is not a "
                          f"count: {printable(numbers)}")
        if len(self.shape) != len(self.stride) or len(self.shape) > MAX_RANK:
            raise Problem(f"tensor '{name}' has {len(self.shape)} dimensions and "
                          f"{len(self.stride)} strides; at most {MAX_RANK} are read")
        size = [np.dtype(CODES[d]).itemsize for d in (self.dtype, self.storage.dtype)]
        have = self.storage.count * size[1] // size[0]
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride))
        if self.count and last >= have:
            raise Problem(f"tensor '{name}' reaches element {last} of a storage that has "
                          f"{have}")

    def array(self):
        """Row-major little-endian elements; BF16 and F8 as unsigned integers."""
        code = CODES[self.dtype]
        if not self.count:
            return np.empty(self.shape, "<" + code)
        flat = self.storage.read(self.storage, code)
        stride = [s * flat.itemsize for s in self.stride]
        view = np.lib.stride_tricks.as_strided(flat[self.offset:], self.shape, stride,
                                               writeable=False)
        return np.ascontiguousarray(view).reshape(self.shape)

    def floats(self):
        array = self.array()
        if self.dtype == "BF16":
            bits = array.reshape(-1).astype("<u4") << np.uint32(16)
            return bits.view("<f4").reshape(self.shape)
        return array


class NumpyDtype:
    def __init__(self, code, *_):
        self.code, self.order = printable(code), "<"

    def set_state(self, state):
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.order = state[1]


class NumpyArray:
    """Before its state is set, nothing; after it, with a plain dtype, a tensor."""
    tensor = None

    def set_state(self, state):
        _, shape, dtype, fortran, data = state
        data = data.encode("latin1") if isinstance(data, str) else data
        name = isinstance(dtype, NumpyDtype) and NUMPY_DTYPES.get(dtype.code)
        if not name or not isinstance(data, bytes):
            return
        strides, step = [], 1
        for n in shape if fortran else reversed(shape):
            strides.append(step)
            step *= n
        count = len(data) // np.dtype(CODES[name]).itemsize
        storage = Storage(name, count, lambda _, code: elements(data, dtype.order + code))
        self.tensor = Tensor(storage, 0, shape, strides if fortran else strides[::-1])


def torch_dtype(value):
    name = value.name if isinstance(value, Global) else ""
    if name.removeprefix("torch.") not in TORCH_DTYPES:
        raise Problem(f"has a tensor of the unknown type {printable(name)}")
    return TORCH_DTYPES[name.removeprefix("torch.")]


def rebuild_tensor(storage, offset, shape, stride, *_):
    return Tensor(storage, offset, shape, stride)


def rebuild_tensor_v3(storage, offset, shape, stride, grad, hooks, dtype, *_):
    return Tensor(storage, offset, shape, stride, torch_dtype(dtype))


def rebuild_parameter(data, *_):
    return data


def rebuild_from_type(function, _, arguments, *__):
    return call(function, arguments)


def encode(text, encoding="utf-8"):
    if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise Problem(f"encodes text as {printable(encoding)}")
    return text.encode(encoding)


def dead(*_):
    return Dead()


CALLS = {
    "collections.OrderedDict": dict,
    "collections.Counter": dict,
    "collections.defaultdict": lambda *_: {},
    "torch.Size": tuple,
    "_codecs.encode": encode,
    "copyreg._reconstructor": dead,
    "torch._utils._rebuild_tensor": rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter,
    "torch._tensor._rebuild_from_type_v2": rebuild_from_type,
    "numpy.dtype": NumpyDtype,
    "numpy.core.multiarray._reconstruct": lambda *_: NumpyArray(),
}


def call(function, arguments):
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise Problem("calls something that is not a name")
    return CALLS.get(function.name, dead)(*arguments)


def storage_dtype(name):
    """'torch.FloatStorage', 'torch.cuda.FloatStorage', 'torch.storage.UntypedStorage'."""
    module, _, kind = name.rpartition(".")
    if module in ("torch", "torch.cuda", "torch.storage") and kind.endswith("Storage"):
        return STORAGES.get(kind.removesuffix("Storage"))
    return None


OPCODES = """PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT BININT1
    BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE
    BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 EMPTY_TUPLE
    TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM
    SETITEMS EMPTY_SET ADDITEMS FROZENSET GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD
    BINPERSID PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET MEMOIZE""".split()


# What other versions of Python and NumPy call the same.
OTHER_NAMES = {"__builtin__.": "builtins.", "copy_reg.": "copyreg.",
               "numpy._core.": "numpy.core.", "pathlib._local.": "pathlib."}


class Reader(pickle._Unpickler):  # the one written in Python: its opcodes are a table
    """Runs a pickle without importing or calling anything it names."""
    dispatch = {getattr(pickle, name)[0]:
                pickle._Unpickler.dispatch[getattr(pickle, name)[0]] for name in OPCODES}

    def __init__(self, file, inert, storage=None):
        super().__init__(file, encoding="latin1")
        self.inert, self.storage, self.copied = inert, storage, 0

    def find_class(self, module, name):
        full = f"{module}.{name}"
        for other, usual in OTHER_NAMES.items():
            full = full.replace(other, usual)
        known = (full in CALLS or full in self.inert or storage_dtype(full) or
                 full.removeprefix("torch.") in TORCH_DTYPES or
                 any(full == i or i[-1] == "." and full.startswith(i) for i in INERT))
        if not known:
            full = printable(full)
            raise Problem(f"refers to {full}, which has no place among weights; nothing was "
                          f"run (if it is harmless: --inert {full})")
        return Global(full)

    def persistent_load(self, pid):
        if not self.storage or not isinstance(pid, tuple) or len(pid) not in (5, 6) or \
                pid[0] != "storage" or not isinstance(pid[1], Global):
            raise Problem(f"refers to something outside that is no storage: "
                          f"{printable(pid)}")
        dtype, (key, _, count, *view) = storage_dtype(pid[1].name), pid[2:]
        if not dtype or type(count) is not int or count < 0:
            raise Problem(f"has a storage of {printable(count)} elements of type "
                          f"{printable(pid[1].name)}")
        return self.storage(dtype, str(key), count, view[0] if view else None)

    def spend(self, values):
        """A call may copy its arguments, and a pickle names the same ones many times."""
        self.copied += sum(len(v) for v in values if hasattr(v, "__len__"))
        if self.copied > MAX_PICKLE:
            raise Problem(f"copies more than {MAX_PICKLE} values in its pickle")

    def load_reduce(self):
        arguments = self.stack.pop()
        self.spend(arguments)
        self.stack[-1] = call(self.stack[-1], arguments)

    def load_build(self):
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, (NumpyDtype, NumpyArray)):
            self.spend(state)
            target.set_state(state)
        elif not isinstance(target, (Dead, dict, Tensor)):
            raise Problem(f"sets the state of a {type(target).__name__}")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build


# ---- Containers ----------------------------------------------------------------------


class Zip:
    """torch.save() since 1.6: FOLDER/data.pkl, FOLDER/data/KEY, FOLDER/byteorder."""
    kind = "zip archive"

    def __init__(self, file, inert):
        self.zip = zipfile.ZipFile(file)
        names = [n for n in self.zip.namelist() if n.split("/")[-1] == "data.pkl"]
        if len(names) != 1:
            raise Problem(f"is a zip archive with {len(names)} data.pkl; PyTorch writes 1")
        self.folder = names[0].removesuffix("data.pkl")
        if self.folder + "constants.pkl" in self.zip.namelist():
            raise Problem("is a TorchScript program; save its state_dict() instead")
        order = self.folder + "byteorder"
        order = self.member(order, 16) if order in self.zip.namelist() else b"little"
        self.order = ">" if order == b"big" else "<"
        self.last = None, None
        data = self.member(names[0], MAX_PICKLE)
        self.root = Reader(io.BytesIO(data), inert, self.storage).load()

    def member(self, name, limit):
        try:
            info = self.zip.getinfo(name)
        except KeyError:
            raise Problem(f"has no member {printable(name)}") from None
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
            raise Problem(f"has a member {printable(name)} of {info.file_size} bytes, "
                          f"{'compressed' if info.compress_type else 'stored'}; PyTorch "
                          f"does not compress, and at most {limit} are expected")
        return self.zip.read(name)

    def storage(self, dtype, key, count, view):
        def read(storage, code):
            if self.last[0] != key:
                limit = count * np.dtype(CODES[dtype]).itemsize
                self.last = key, self.member(f"{self.folder}data/{key}", limit)
                if len(self.last[1]) != limit:
                    raise Problem(f"has {len(self.last[1])} bytes in storage "
                                  f"{printable(key)}, not {limit}")
            return elements(self.last[1], self.order + code)
        return Storage(dtype, count, read)


class Legacy:
    """torch.save() before 1.6: pickles one after the other, then the storages."""
    kind = "pickle of PyTorch before 1.6"
    MAGIC = 0x1950a86a20f9469cfc6c

    def __init__(self, file, inert):
        self.file, self.roots, self.places = file, {}, {}
        self.size = os.fstat(file.fileno()).st_size
        self.root = Reader(file, inert).load()
        if type(self.root) is not int or self.root != self.MAGIC:
            self.kind = "plain pickle"
            return
        protocol = Reader(file, inert).load()
        if protocol != 1001:
            raise Problem(f"has protocol {printable(protocol)}; 1001 is known")
        Reader(file, inert).load()
        self.root = Reader(file, inert, self.storage).load()
        self.find_storages(Reader(file, inert).load())

    def find_storages(self, keys):
        if not isinstance(keys, list):
            raise Problem("has no list of storages")
        for key in map(str, keys):
            if key not in self.roots:
                raise Problem(f"lists storage {printable(key)}, which no tensor uses")
            dtype, count = self.roots[key]
            stored = int.from_bytes(self.file.read(8), "little")
            begin, size = self.file.tell(), count * np.dtype(CODES[dtype]).itemsize
            if stored != count or begin + size > self.size:
                raise Problem(f"has {stored} elements in storage {printable(key)}, whose "
                              f"tensors need {count}, and {self.size - begin} bytes left")
            self.places[key] = begin
            self.file.seek(size, os.SEEK_CUR)

    def storage(self, dtype, key, count, view):
        if self.roots.setdefault(key, (dtype, count)) != (dtype, count):
            raise Problem(f"has storage {printable(key)} with two types or sizes")

        def read(storage, code):
            if key not in self.places:
                raise Problem(f"does not hold storage {printable(key)}")
            size = np.dtype(CODES[dtype]).itemsize
            self.file.seek(self.places[key] + storage.start * size)
            return elements(self.file.read(storage.count * size), "<" + code)
        if view is None:
            return Storage(dtype, count, read)
        _, start, length = view
        if any(type(n) is not int or n < 0 for n in (start, length)) or \
                start + length > count:
            raise Problem(f"has a view of storage {printable(key)} that ends beyond its "
                          f"{count} elements")
        return Storage(dtype, length, read, start)


def open_checkpoint(file, inert=()):
    """The container in a binary file: its `kind` in words and the object at its `root`.
    Globals named in `inert` are dead data as well.  Use it inside untrusted()."""
    head = file.read(263)
    file.seek(0)
    if head.startswith(b"PK\3\4"):
        return Zip(file, inert)
    if head[8:9] == b"{":
        raise Problem("is a safetensors file already")
    if head[257:262] == b"ustar":
        raise Problem("is a tar archive of PyTorch before 0.1.10, which is not read")
    return Legacy(file, inert)
