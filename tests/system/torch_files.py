# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files as torch.save() writes them, made without PyTorch.

Pickles name modules and functions; here stand empty modules of those names, so that
Python's own pickler writes the same opcodes that PyTorch does.
"""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile

MAGIC = 0x1950a86a20f9469cfc6c
SYS_INFO = {"protocol_version": 1001, "little_endian": True,
            "type_sizes": {"short": 2, "int": 4, "long": 4}}


def stand_in(module, name, kind=None):
    """A class or function `module.name` that pickles by its name."""
    parts = module.split(".")
    for i in range(len(parts)):
        full = ".".join(parts[:i + 1])
        sys.modules.setdefault(full, types.ModuleType(full))
    made = kind or type(name, (), {})
    made.__module__, made.__qualname__, made.__name__ = module, name, name
    setattr(sys.modules[module], name, made)
    return made


def function(module, name):
    return stand_in(module, name, types.FunctionType((lambda *_: None).__code__, {}))


rebuild_tensor = function("torch._utils", "_rebuild_tensor_v2")
rebuild_tensor_v3 = function("torch._utils", "_rebuild_tensor_v3")
rebuild_parameter = function("torch._utils", "_rebuild_parameter")
KINDS = {kind: stand_in("torch", kind + "Storage") for kind in
         ("Float", "Half", "BFloat16", "Double", "Long", "Int", "Short", "Char", "Byte",
          "Bool", "ComplexFloat")}
KINDS["Untyped"] = stand_in("torch.storage", "UntypedStorage")
SIZES = {"Float": 4, "Half": 2, "BFloat16": 2, "Double": 8, "Long": 8, "Int": 4, "Short": 2,
         "Char": 1, "Byte": 1, "Bool": 1, "Untyped": 1, "ComplexFloat": 8}


class Storage:
    """`count` is what the pickle says of it; `view`: (start, length), legacy only."""

    def __init__(self, kind, data, count=None, view=None):
        self.kind, self.data, self.view = kind, data, view
        self.count = len(data) // SIZES[kind] if count is None else count


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state

    def __reduce__(self):
        return self.function, self.arguments, self.state


def tensor(storage, shape, stride=None, offset=0):
    if stride is None:
        stride, step = [], 1
        for n in reversed(shape):
            stride.insert(0, step)
            step *= n
    return Call(rebuild_tensor, storage, offset, tuple(shape), tuple(stride), False,
                collections.OrderedDict())


def floats(values, shape=None):
    data = struct.pack(f"<{len(values)}f", *values)
    return tensor(Storage("Float", data), shape or (len(values),))


class Pickler(pickle.Pickler):
    def __init__(self, file, legacy):
        super().__init__(file, protocol=2)
        self.legacy, self.keys = legacy, {}

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        root = getattr(value, "root", value)
        key = self.keys.setdefault(id(root), (str(len(self.keys)), root))[0]
        pid = "storage", KINDS[value.kind], key, "cpu", root.count
        if self.legacy:
            pid += (value.view and (key + "v", *value.view),)
        return pid


def write_zip(path, root, order=None, compression=zipfile.ZIP_STORED, leave_out=(),
              extra=()):
    file = io.BytesIO()
    pickler = Pickler(file, False)
    pickler.dump(root)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", file.getvalue())
        if order:
            archive.writestr("archive/byteorder", order)
        for key, storage in pickler.keys.values():
            if key not in leave_out:
                archive.writestr(f"archive/data/{key}", storage.data)
        archive.writestr("archive/version", "3\n")
        for name in extra:
            archive.writestr(name, b"")


def write_legacy(path, root, leave_out=()):
    with open(path, "wb") as file:
        for value in (MAGIC, 1001, SYS_INFO):
            pickle.dump(value, file, protocol=2)
        pickler = Pickler(file, True)
        pickler.dump(root)
        keys = [(k, s) for k, s in pickler.keys.values() if k not in leave_out]
        pickle.dump([k for k, _ in keys], file, protocol=2)
        for _, storage in keys:
            file.write(struct.pack("<q", len(storage.data) // SIZES[storage.kind]))
            file.write(storage.data)


def read_safetensors(path):
    """-> (metadata, {name: (dtype, shape, bytes)}), with the rules of the format held."""
    with open(path, "rb") as file:
        data = file.read()
    length, = struct.unpack("<Q", data[:8])
    assert length % 8 == 0 and data[8:9] == b"{"
    import json
    header = json.loads(data[8:8 + length])
    metadata, tensors, end = header.pop("__metadata__", {}), {}, 0
    data = data[8 + length:]
    for name, entry in header.items():
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name} begins at {begin}, not {end}"
        size = int(entry["dtype"].lstrip("BFIUOL") or 8) // 8
        assert begin % size == 0, f"{name} of {entry['dtype']} begins at {begin}"
        tensors[name] = entry["dtype"], tuple(entry["shape"]), data[begin:stop]
        end = stop
    assert end == len(data), f"{len(data)} bytes, tensors end at {end}"
    return metadata, tensors
