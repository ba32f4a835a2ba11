# SPDX-License-Identifier: Apache-2.0
"""Safetensors files: little-endian u64 header length, JSON header padded to 8 bytes, then the data."""

import json
import struct

import numpy as np

TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "U32": "<u4",
    "I16": "<i2",
    "U16": "<u2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
NAMES = {np.dtype(dtype): name for name, dtype in TYPES.items()}


def dump(tensors, metadata):
    """Return a file's bytes. Wide types go first, so that every tensor is aligned to its elements."""
    header, data, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        content = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(content)],
        }
        data.append(content)
        offset += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data)


def read(path):
    """Return (tensors, metadata). Raises ValueError when the file is damaged."""
    file = path.read_bytes()
    if len(file) < 8:
        raise ValueError(f"{path} is no safetensors file")
    (length,) = struct.unpack_from("<Q", file)
    header = json.loads(file[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(file[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
