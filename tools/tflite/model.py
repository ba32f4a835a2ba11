# SPDX-License-Identifier: Apache-2.0
"""A TensorFlow Lite graph, whatever file it came from."""

import dataclasses

import numpy as np


def printable(text):
    """Return the text as one line that no terminal obeys: names in a file may hold any characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ConversionError(Exception):
    """Something that cannot be converted, in words for the user, which may quote names from the file."""

    def __init__(self, words):
        super().__init__(printable(words))


@dataclasses.dataclass
class Quantization:
    """real = scale * (q - zero_point), with one scale, or one for each index of `axis`."""

    scales: np.ndarray  # float32
    zero_points: np.ndarray  # int64, as many
    axis: int = 0


@dataclasses.dataclass
class Tensor:
    index: int
    name: str
    dtype: str  # as TensorFlow Lite calls it: INT8, FLOAT32, ...
    shape: tuple
    quantization: Quantization | None = None
    data: np.ndarray | None = None  # of a constant


@dataclasses.dataclass
class Operator:
    """`options` holds what the kind has of: padding (SAME or VALID), stride_h, stride_w, dilation_h, dilation_w,
    depth_multiplier, filter_h, filter_w, fused_activation (NONE, RELU, ...), weights_format, axis, beta."""

    index: int
    kind: str  # CONV_2D, ...
    inputs: list  # of tensor indices; -1: absent
    outputs: list
    options: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Graph:
    source: str  # the file's name
    tensors: list
    operators: list  # in execution order
    inputs: list
    outputs: list

    def __post_init__(self):
        for tensor in [*self.inputs, *self.outputs]:
            self._check(tensor, "the graph")
        for operator in self.operators:
            if not operator.outputs or operator.outputs[0] < 0:
                raise ConversionError(f"operator {operator.index}, {operator.kind}, has no output")
            for tensor in operator.outputs:
                self._check(tensor, f"operator {operator.index}, {operator.kind},")
            for tensor in operator.inputs:
                if tensor != -1:
                    self._check(tensor, f"operator {operator.index}, {operator.kind},")

    def _check(self, tensor, user):
        if not 0 <= tensor < len(self.tensors):
            raise ConversionError(f"{user} uses tensor {tensor} of {len(self.tensors)}")

    def place(self, operator):
        """How messages name an operator."""
        output = self.tensors[operator.outputs[0]]
        return f"operator {operator.index}, {operator.kind}, which makes tensor {output.index}, '{output.name}'"
