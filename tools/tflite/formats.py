# SPDX-License-Identifier: Apache-2.0
"""Number types: the network's own, and those of the layers that differ from it."""

import collections

import numpy as np

from .nodes import KEEPS_NUMBERS, LINEAR
from .model import ConversionError

ACTIVATIONS = {
    "INT8": "sq::quantized<8, sq::asymmetric_signed>",
    "UINT8": "sq::quantized<8, sq::asymmetric>",
}
ACTIVATION_NAMES = {"INT8": "signed_activation", "UINT8": "unsigned_activation"}


class Formats:
    """`aliases` lists (name, C++ type); `numbers` the aliases that are the network's own, as numbers_chosen<...> takes
    them; `of(index)` is what stands in with<...> around a node, or ""."""

    def __init__(self, nodes):
        self.aliases = []
        self.numbers = []
        self._with = [""] * len(nodes)
        if nodes[-1].numbers is None:
            return
        weights, own = self._weights(nodes)
        activations = self._activations(nodes)
        self.numbers = ["weight", "activation"] + [own["dense"]] * (own["dense"] != "weight")
        for index, node in enumerate(nodes):
            weight = weights.get(index, "weight")
            activation = "activation" if node.kind in KEEPS_NUMBERS else activations[node.dtype]
            if activation != "activation":
                if node.kind in ("add", "concat"):
                    raise ConversionError(f"{node.place}: a network of {nodes[-1].dtype} cannot join {node.dtype}")
                self._with[index] = f"{weight}, {activation}"
            elif weight != own.get(node.kind, "weight"):
                self._with[index] = weight

    def of(self, index):
        return self._with[index]

    def _weights(self, nodes):
        """Return the alias of each linear layer's weight type, and those of most convolutions and dense layers."""
        types = {i: _weight_type(node) for i, node in enumerate(nodes) if node.kind in LINEAR}
        # Where one layer uses the lowest integer, layers of the same granularity may: that is one type fewer.
        full = {granularity for symmetry, granularity in types.values() if symmetry == "symmetric_full_range"}
        for i, (symmetry, granularity) in types.items():
            if symmetry == "symmetric" and granularity in full:
                types[i] = ("symmetric_full_range", granularity)
        names, own = {}, {}
        for kind in LINEAR:
            counts = collections.Counter(types[i] for i in types if nodes[i].kind == kind)
            for common, _ in counts.most_common(1):
                alone = all(nodes[i].kind == kind for i in types if types[i] == common)
                own[kind] = names.setdefault(common, f"{kind if alone else common[1]}_weight" if names else "weight")
        if not names:
            names["symmetric", "tensor"] = "weight"
        for kind in types.values():
            names.setdefault(kind, f"weight_{len(names) + 1}")
        for (symmetry, granularity), alias in names.items():
            self.aliases.append((alias, f"sq::quantized<8, sq::{symmetry}, sq::per_{granularity}>"))
        own.setdefault("dense", "weight")
        return {i: names[kind] for i, kind in types.items()}, own

    def _activations(self, nodes):
        """The alias of each type of activation."""
        counts = collections.Counter(node.dtype for node in nodes if node.kind not in KEEPS_NUMBERS)
        names = {}
        for dtype, _ in counts.most_common():
            names[dtype] = ACTIVATION_NAMES[dtype] if names else "activation"
            self.aliases.append((names[dtype], ACTIVATIONS[dtype]))
        return names


def _weight_type(node):
    if node.weight.dtype == np.uint8:
        symmetry = "asymmetric"
    elif np.any(node.weight_zero_points):
        symmetry = "asymmetric_signed"
    else:
        symmetry = "symmetric_full_range" if node.weight.min() == -128 else "symmetric"
    return symmetry, "tensor" if len(node.weight_scales) == 1 else "channel"
