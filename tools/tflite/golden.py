# SPDX-License-Identifier: Apache-2.0
"""Reads a folder of test vectors that holds a TensorFlow Lite graph as text.

graph.json has `inputs` and `outputs` (tensor indices), `tensors` (each with index, name, dtype, shape, is_constant and
quantization: null, or scale[], zero_point[] and quantized_dimension) and `operators` in execution order (op, inputs,
outputs, options); weights.safetensors has the constants as `t<index>`.
"""

import json

import numpy as np

from . import safetensors
from .model import ConversionError, Graph, Operator, Quantization, Tensor


def read(folder):
    """Return the graph in a folder of test vectors."""
    try:
        graph = json.loads((folder / "graph.json").read_text())
        constants, _ = safetensors.read(folder / "weights.safetensors")
        return Graph(
            folder.resolve().name,
            [_tensor(entry, index, constants) for index, entry in enumerate(graph["tensors"])],
            [_operator(entry, index) for index, entry in enumerate(graph["operators"])],
            _integers(graph["inputs"], "the graph's inputs"),
            _integers(graph["outputs"], "the graph's outputs"),
        )
    except OSError as error:
        raise ConversionError(f"cannot read {error.filename}: {error.strerror}") from None
    except KeyError as error:
        raise ConversionError(f"{folder} has no {error}") from None
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise ConversionError(f"{folder} is damaged: {error}") from None


def _of(kind, value, what):
    if not isinstance(value, kind):
        raise ValueError(f"{what}: {json.dumps(value)}")
    return value


def _integers(values, what):
    return [int(_of(int, value, what)) for value in _of(list, values, what)]


def _operator(entry, index):
    place = f"operator {index}"
    options = _of(dict, entry["options"], f"{place}'s options")
    for name, value in options.items():
        if value is not None:
            _of((str, int, float, list), value, f"{place}'s {name}")
    return Operator(
        index,
        _of(str, entry["op"], f"{place}'s op"),
        _integers(entry["inputs"], f"{place}'s inputs"),
        _integers(entry["outputs"], f"{place}'s outputs"),
        options,
    )


def _tensor(entry, index, constants):
    place = f"tensor {index}"
    if entry["index"] != index:
        raise ValueError(f"tensor {entry['index']} stands in place {index}")
    quantization = None
    if entry["quantization"] and entry["quantization"]["scale"]:
        scales = np.array(_of(list, entry["quantization"]["scale"], f"{place}'s scales"), np.float32).reshape(-1)
        zeros = np.zeros(len(scales), np.int64)
        zeros[:] = _integers(entry["quantization"]["zero_point"], f"{place}'s zero points")
        axis = _of(int, entry["quantization"]["quantized_dimension"], f"{place}'s quantized dimension")
        quantization = Quantization(scales, zeros, axis)
    shape = tuple(_integers(entry["shape"], f"{place}'s shape"))
    data = constants[f"t{index}"].reshape(shape) if entry["is_constant"] else None
    name, dtype = (_of(str, entry[key], f"{place}'s {key}") for key in ("name", "dtype"))
    return Tensor(index, name, dtype, shape, quantization, data)
