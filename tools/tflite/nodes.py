# SPDX-License-Identifier: Apache-2.0
"""statiq's layers as the converter knows them."""

import dataclasses

import numpy as np

CLAMPS = ("relu", "relu6", "relu_n1_to_1")
# Kinds whose integers are their input's, at the same scale and zero point.
KEEPS_NUMBERS = ("max_pool", "average_pool", "reshape", "transpose", "pad", "broadcast", *CLAMPS)
LINEAR = ("convolution", "dense")


@dataclasses.dataclass
class Window:
    """`rules` lists every way to write the padding down that means the same: "same", "valid" or
    (top, bottom, left, right). `rule` is the one chosen."""

    extents: tuple  # of the image it moves over
    kernel: tuple
    stride: tuple
    dilation: tuple
    rules: list
    rule: str | tuple | None = None


@dataclasses.dataclass
class Node:
    """A layer of statiq's graph as it is after activations are fused."""

    kind: str  # statiq's name of the operation
    inputs: list  # of nodes' indices
    out: tuple  # height, width, channels
    dtype: str
    numbers: tuple | None = None  # scale (float32) and zero point of the output; None: float
    activation: str = ""  # fused
    window: Window | None = None
    groups: int = 1
    axes: tuple = ()  # transpose
    sides: tuple = ()  # pad: top, bottom, left, right
    weight: np.ndarray | None = None  # in the layout of statiq's parameter files
    weight_scales: np.ndarray | None = None
    weight_zero_points: np.ndarray | None = None
    bias: np.ndarray | None = None
    tensors: list = dataclasses.field(default_factory=list)  # of TensorFlow Lite that hold its output
    place: str = ""

    @property
    def is_depthwise(self):
        return self.kind == "convolution" and self.groups > 1 and self.weight.shape[1] == 1

    @property
    def is_pointwise(self):
        return self.kind == "convolution" and self.groups == 1 and self.window.kernel == (1, 1)


def same_padding(extent, kernel, stride, dilation):
    """Return TensorFlow's padding of one axis, before and after."""
    reach = (kernel - 1) * dilation + 1
    total = max(0, (-(-extent // stride) - 1) * stride + reach - extent)
    return total // 2, total - total // 2


def window_rules(extents, kernel, stride, dilation, sides):
    """Return every padding rule under which a window computes what it does with explicit sides."""

    def resolved(sides):
        axes = zip(extents, kernel, stride, dilation, (sides[:2], sides[2:]))
        return [((e + sum(s) - (k - 1) * d - 1) // t + 1, s[0]) for e, k, t, d, s in axes]

    same = sum((same_padding(*axis) for axis in zip(extents, kernel, stride, dilation)), ())
    wanted = resolved(sides)
    rules = [name for name, other in (("same", same), ("valid", (0, 0, 0, 0))) if resolved(other) == wanted]
    return [*rules, tuple(sides)]
