# SPDX-License-Identifier: Apache-2.0
"""Builds TensorFlow Lite graphs with random weights, for tests."""

import numpy as np

from tflite.model import Graph, Operator, Quantization, Tensor


class Builder:
    """Methods that add an operator take and return tensor indices."""

    def __init__(self, shape, dtype="INT8", seed=1):
        self.random = np.random.default_rng(seed)
        self.tensors, self.operators = [], []
        self.input = self.activation(shape, dtype)

    def graph(self, output, source="made.tflite"):
        return Graph(source, self.tensors, self.operators, [self.input], [output])

    # ---- tensors ------------------------------------------------------------------------------------------------

    def tensor(self, shape, dtype, quantization=None, data=None):
        index = len(self.tensors)
        self.tensors.append(Tensor(index, f"made/{index}", dtype, tuple(shape), quantization, data))
        return index

    def activation(self, shape, dtype="INT8", numbers=None):
        if dtype == "FLOAT32":
            return self.tensor(shape, dtype)
        low = {"INT8": -128, "UINT8": 0}[dtype]
        scale, zero = numbers or (self.random.uniform(0.02, 0.1), low + self.random.integers(100, 156))
        return self.tensor(shape, dtype, Quantization(np.float32([scale]), np.int64([zero])))

    def like(self, other, shape):
        """An activation with another's numbers."""
        return self.tensor(shape, self.tensors[other].dtype, self.tensors[other].quantization)

    def constant(self, values, dtype="INT32"):
        types = {"INT32": np.int32, "INT64": np.int64, "FLOAT32": np.float32}
        values = np.array(values, types[dtype])
        return self.tensor(values.shape, dtype, None, values)

    def weights(self, shape, channels, axis, dtype, per_channel):
        if dtype == "FLOAT32":
            return self.tensor(shape, dtype, None, self.random.normal(size=shape).astype(np.float32))
        scales = self.random.uniform(0.002, 0.01, channels if per_channel else 1).astype(np.float32)
        zeros = np.zeros(len(scales), np.int64)
        if dtype == "UINT8":
            zeros += self.random.integers(100, 156)
            data = self.random.integers(0, 256, shape).astype(np.uint8)
        else:
            data = self.random.integers(-127, 128, shape).astype(np.int8)
        return self.tensor(shape, dtype, Quantization(scales, zeros, axis), data)

    def shape(self, index):
        return self.tensors[index].shape

    def dtype(self, index):
        return self.tensors[index].dtype

    # ---- operators ----------------------------------------------------------------------------------------------

    def operator(self, kind, inputs, output, **options):
        self.operators.append(Operator(len(self.operators), kind, inputs, [output], options))
        return output

    def _windowed(self, x, kernel, stride, dilation, padding):
        extents = []
        for extent, k, s, d in zip(self.shape(x)[1:3], kernel, stride, dilation):
            reach = (k - 1) * d + 1
            extents.append(-(-extent // s) if padding == "SAME" else (extent - reach) // s + 1)
        return extents

    def conv(
        self,
        x,
        channels,
        kernel=(1, 1),
        stride=(1, 1),
        dilation=(1, 1),
        padding="SAME",
        activation="NONE",
        groups=1,
        depthwise=False,
        bias=True,
        per_channel=True,
    ):
        """CONV_2D, or DEPTHWISE_CONV_2D with `channels` output channels in all."""
        depth, dtype = self.shape(x)[3], self.dtype(x)
        if depthwise:
            filters = self.weights((1, *kernel, channels), channels, 3, dtype, per_channel)
        else:
            filters = self.weights((channels, *kernel, depth // groups), channels, 0, dtype, per_channel)
        inputs = [x, filters]
        if bias:
            values = self.random.integers(-2000, 2000, channels)
            inputs.append(self.constant(values, "FLOAT32" if dtype == "FLOAT32" else "INT32"))
        output = self.activation((1, *self._windowed(x, kernel, stride, dilation, padding), channels), dtype)
        options = {
            "padding": padding,
            "stride_h": stride[0],
            "stride_w": stride[1],
            "dilation_h": dilation[0],
            "dilation_w": dilation[1],
            "fused_activation": activation,
        }
        if depthwise:
            options["depth_multiplier"] = channels // depth
        return self.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, output, **options)

    def depthwise(self, x, multiplier=1, kernel=(3, 3), **options):
        return self.conv(x, self.shape(x)[3] * multiplier, kernel, depthwise=True, **options)

    def dense(self, x, channels, activation="NONE"):
        size = int(np.prod(self.shape(x)))
        inputs = [x, self.weights((channels, size), channels, 0, self.dtype(x), False)]
        output = self.activation((1, channels), self.dtype(x))
        return self.operator("FULLY_CONNECTED", inputs, output, fused_activation=activation, weights_format="DEFAULT")

    def pool(self, x, kind, kernel=(2, 2), stride=(2, 2), padding="VALID", activation="NONE"):
        output = self.like(x, (1, *self._windowed(x, kernel, stride, (1, 1), padding), self.shape(x)[3]))
        return self.operator(
            kind,
            [x],
            output,
            padding=padding,
            filter_h=kernel[0],
            filter_w=kernel[1],
            stride_h=stride[0],
            stride_w=stride[1],
            fused_activation=activation,
        )

    def mean(self, x):
        output = self.activation((1, self.shape(x)[3]), self.dtype(x))
        return self.operator("MEAN", [x, self.constant([1, 2])], output)

    def add(self, x, y, activation="NONE"):
        shape = np.broadcast_shapes(self.shape(x), self.shape(y))
        return self.operator("ADD", [x, y], self.activation(shape, self.dtype(x)), fused_activation=activation)

    def concat(self, *inputs):
        """Tensors of the same numbers: see `requantize`."""
        shape = (*self.shape(inputs[0])[:3], sum(self.shape(x)[3] for x in inputs))
        return self.operator("CONCATENATION", list(inputs), self.like(inputs[0], shape), axis=3)

    def requantize(self, x, like):
        """x with the numbers of another tensor."""
        return self.operator("QUANTIZE", [x], self.like(like, self.shape(x)))

    def reshape(self, x, shape):
        return self.operator("RESHAPE", [x, self.constant(shape)], self.like(x, shape))

    def transpose(self, x, axes):
        return self.operator(
            "TRANSPOSE", [x, self.constant(axes)], self.like(x, [self.shape(x)[axis] for axis in axes])
        )

    def pad(self, x, top, bottom, left, right):
        _, height, width, channels = self.shape(x)
        amounts = self.constant([[0, 0], [top, bottom], [left, right], [0, 0]])
        output = self.like(x, (1, height + top + bottom, width + left + right, channels))
        return self.operator("PAD", [x, amounts], output)

    def clamp(self, x, kind, same_numbers=True):
        output = self.like(x, self.shape(x)) if same_numbers else self.activation(self.shape(x), self.dtype(x))
        return self.operator(kind, [x], output)

    def softmax(self, x):
        numbers = (1 / 256, {"INT8": -128, "UINT8": 0}.get(self.dtype(x)))
        return self.operator("SOFTMAX", [x], self.activation(self.shape(x), self.dtype(x), numbers), beta=1.0)
