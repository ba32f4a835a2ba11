# SPDX-License-Identifier: Apache-2.0
"""The parameters of a network as statiq reads them: integers with load_integers, floats with load."""

import numpy as np

from .nodes import KEEPS_NUMBERS, LINEAR


def parameters(nodes, names):
    """Return the tensors of a parameter file by their names."""
    tensors = {}
    for node, name in zip(nodes, names):
        if node.kind in LINEAR:
            tensors[f"{name}.weight"] = np.ascontiguousarray(node.weight)
            if node.bias is not None:
                tensors[f"{name}.bias"] = node.bias
        if node.numbers is None:
            continue
        if node.kind in LINEAR:
            tensors[f"{name}.weight.scale"] = node.weight_scales
            zeros = np.zeros(len(node.weight_scales), np.int32)
            zeros[:] = node.weight_zero_points
            tensors[f"{name}.weight.zero_point"] = zeros
        if node.kind not in KEEPS_NUMBERS and node.kind != "softmax":
            tensors[f"{name}.scale"] = np.array([node.numbers[0]], np.float32)
            tensors[f"{name}.zero_point"] = np.array([node.numbers[1]], np.int32)
    return tensors


def metadata(graph, network, nodes, names):
    """Return what a parameter file says of itself, and where it has the TensorFlow Lite graph's tensors."""
    described = {
        "network": network,
        "source": graph.source,
        "kind": "float" if nodes[-1].numbers is None else "integers",
    }
    for node, name in zip(nodes, names):
        for tensor in node.tensors:
            described[f"tensor.{tensor}"] = name
    return described
