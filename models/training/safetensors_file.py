"""Safetensors files, as far as training needs them."""

import json
import os
import struct

import numpy as np
import torch


def read_safetensors(path):
    """(name -> float32 tensor, metadata)"""
    kinds = {"F16": np.float16, "F32": np.float32}
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + n])
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, t in header.items():
        first, last = (8 + n + o for o in t["data_offsets"])
        values = np.frombuffer(data[first:last], kinds[t["dtype"]]).reshape(t["shape"])
        tensors[name] = torch.from_numpy(values.astype(np.float32))
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    """tensors: name -> NumPy array of float16 or float32."""
    kinds = {np.dtype(np.float16): "F16", np.dtype(np.float32): "F32"}
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, a in tensors.items():
        data = np.ascontiguousarray(a).tobytes()
        header[name] = dict(
            dtype=kinds[a.dtype], shape=list(a.shape), data_offsets=[at, at + len(data)]
        )
        blobs.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    os.replace(path + ".part", path)
