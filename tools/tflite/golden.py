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
            [
                Operator(index, entry["op"], entry["inputs"], entry["outputs"], dict(entry["options"]))
                for index, entry in enumerate(graph["operators"])
            ],
            graph["inputs"],
            graph["outputs"],
        )
    except OSError as error:
        raise ConversionError(f"cannot read {error.filename}: {error.strerror}") from None
    except KeyError as error:
        raise ConversionError(f"{folder} has no {error}") from None
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise ConversionError(f"{folder} is damaged: {error}") from None


def _tensor(entry, index, constants):
    if entry["index"] != index:
        raise ValueError(f"tensor {entry['index']} stands in place {index}")
    quantization = None
    if entry["quantization"] and entry["quantization"]["scale"]:
        scales = np.array(entry["quantization"]["scale"], np.float32)
        zeros = np.zeros(len(scales), np.int64)
        zeros[:] = entry["quantization"]["zero_point"]
        quantization = Quantization(scales, zeros, entry["quantization"]["quantized_dimension"])
    shape = tuple(entry["shape"])
    data = constants[f"t{index}"].reshape(shape) if entry["is_constant"] else None
    return Tensor(index, entry["name"], entry["dtype"], shape, quantization, data)
