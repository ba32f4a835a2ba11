# SPDX-License-Identifier: Apache-2.0
"""From operators to statiq's layers: shapes without the batch, padding, numbers, parameters in statiq's layout."""

import collections
import math

import numpy as np

from .model import ConversionError
from .nodes import KEEPS_NUMBERS, LINEAR, Node, Window, same_padding, window_rules
from .order import in_file_order

ACTIVATIONS = {"NONE": "", "RELU": "relu", "RELU6": "relu6", "RELU_N1_TO_1": "relu_n1_to_1"}
LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255)}
OPTION_TYPES = {"padding": str, "fused_activation": str, "weights_format": str, "beta": (int, float)}
MOST_INPUTS = 8  # of a statiq join


def lower(graph):
    """Return the layers in execution order; the first is the input, the last the output."""
    return _Lowering(graph).run()


class _Lowering:
    def __init__(self, graph):
        self.graph = graph
        self.nodes = []
        self.value = {}  # of a tensor: its node's index
        self.operators = []
        self.readers = collections.Counter()  # of a tensor: operators that need it
        self.renamed = collections.Counter()  # of a node: operators that only give its value another name
        self.here = ""

    def fail(self, reason):
        raise ConversionError(f"{self.here}: {reason}" if self.here else reason)

    def run(self):
        graph = self.graph
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            self.fail(f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs: a statiq network has one of each")
        output = self._live_operators(graph.outputs[0])
        self._input(graph.inputs[0])
        for operator in self.operators:
            self.here = graph.place(operator)
            convert = getattr(self, f"_{operator.kind.lower()}", None) if operator.kind in OPERATORS else None
            if convert is None:
                self.fail("statiq has no such layer")
            convert(operator)
        self.here = ""
        if output not in self.value:
            self.fail("the output does not depend on the input")
        return self._trimmed(self.value[output])

    def _live_operators(self, output):
        """Find the operators the output needs. A conversion of it to float is left to the program."""
        makers = {tensor: operator for operator in self.graph.operators for tensor in operator.outputs}
        last = makers.get(output)
        if last is not None and last.kind == "DEQUANTIZE":
            output = last.inputs[0]
        needed, open_tensors = set(), [output]
        while open_tensors:
            operator = makers.get(open_tensors.pop())
            if operator is not None and operator.index not in needed:
                needed.add(operator.index)
                open_tensors += [tensor for tensor in operator.inputs if tensor >= 0]
        self.operators = [operator for operator in self.graph.operators if operator.index in needed]
        for operator in self.operators:
            self.readers.update(operator.inputs)
        self.readers[output] += 1
        return output

    def _trimmed(self, output):
        """The nodes without those that nothing reads (a pad that has become a convolution's), the output last."""
        live, waiting = set(), [output]
        while waiting:
            index = waiting.pop()
            if index not in live:
                live.add(index)
                waiting += self.nodes[index].inputs
        order = sorted(live)
        moved = {old: new for new, old in enumerate(order)}
        nodes = [self.nodes[index] for index in order]
        for node in nodes:
            node.inputs = [moved[index] for index in node.inputs]
        return nodes

    # ---- tensors ------------------------------------------------------------------------------------------------

    def _extents(self, tensor):
        shape = tensor.shape
        if not 2 <= len(shape) <= 4 or shape[0] != 1 or min(shape) < 1:
            self.fail(
                f"tensor '{tensor.name}' is {list(shape)}: statiq's tensors are [1, height, width, channels], "
                "[1, width, channels] or [1, channels]"
            )
        return (1,) * (4 - len(shape)) + tuple(shape[1:])

    def _axis(self, tensor, axis):
        """Which of height, width and channels an axis is; negative for the batch."""
        rank = len(tensor.shape)
        return (axis + rank if axis < 0 else axis) + 3 - rank

    def _numbers(self, tensor):
        if tensor.dtype == "FLOAT32":
            return None
        if tensor.dtype not in LIMITS:
            self.fail(f"tensor '{tensor.name}' is {tensor.dtype}: activations are INT8, UINT8 or FLOAT32")
        if tensor.quantization is None or len(tensor.quantization.scales) != 1:
            self.fail(f"tensor '{tensor.name}' is {tensor.dtype} without one scale and zero point")
        scale, zero = tensor.quantization.scales[0], int(tensor.quantization.zero_points[0])
        low, high = LIMITS[tensor.dtype]
        if not (math.isfinite(scale) and scale > 0 and low <= zero <= high):
            self.fail(f"tensor '{tensor.name}' has scale {scale} and zero point {zero}")
        return scale, zero

    def _constant(self, operator, position, what):
        index = operator.inputs[position] if position < len(operator.inputs) else -1
        if index < 0:
            self.fail(f"it has no {what}")
        tensor = self.graph.tensors[index]
        if tensor.data is None:
            self.fail(f"its {what} are computed, not constant")
        if tensor.data.shape != tensor.shape:
            self.fail(f"its {what} are {tensor.dtype}")
        return tensor

    def _operand(self, operator, position=0):
        """Return the node an operator reads."""
        if position >= len(operator.inputs):
            self.fail(f"it has {len(operator.inputs)} inputs")
        index = operator.inputs[position]
        if index < 0:
            self.fail(f"input {position} is absent")
        if index not in self.value:
            tensor = self.graph.tensors[index]
            reason = "is made by no earlier operator" if tensor.data is None else "is a constant"
            self.fail(f"input {position}, '{tensor.name}', {reason}: statiq's layers read earlier layers")
        return self.value[index]

    def _output(self, operator):
        return self.graph.tensors[operator.outputs[0]]

    def _option(self, operator, name, default=None):
        value = operator.options.get(name, default)
        if value is None:
            self.fail(f"it has no option {name}")
        if not isinstance(value, OPTION_TYPES.get(name, int)):
            self.fail(f"its option {name} is {value!r}")
        return value

    # ---- nodes --------------------------------------------------------------------------------------------------

    def _append(self, kind, inputs, out, dtype, numbers, **fields):
        node = Node(kind, inputs, tuple(out), dtype, numbers, place=self.here, **fields)
        if kind != "input":
            source = self.nodes[inputs[0]]
            if (source.dtype == "FLOAT32") != (dtype == "FLOAT32"):
                self.fail(f"it makes {dtype} of {source.dtype}")
            if kind in KEEPS_NUMBERS and (source.dtype, source.numbers) != (dtype, numbers):
                self.fail(f"its output has other numbers, {_text(node)}, than its input, {_text(source)}")
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _append_like(self, kind, source, out, **fields):
        """A node that keeps its input's numbers."""
        node = self.nodes[source]
        return self._append(kind, [source], out, node.dtype, node.numbers, **fields)

    def _finish(self, operator, index):
        """An operator's output is that node's: check what the file says of it."""
        tensor, node = self._output(operator), self.nodes[index]
        if self._extents(tensor) != node.out:
            self.fail(f"its output is {list(tensor.shape)}, but {list(node.out)} follows from its input")
        self.value[tensor.index] = index
        node.tensors.append(tensor.index)

    def _fused(self, operator):
        name = self._option(operator, "fused_activation", "NONE")
        if name not in ACTIVATIONS:
            self.fail(f"statiq has no activation {name}")
        return ACTIVATIONS[name]

    def _input(self, index):
        tensor = self.graph.tensors[index]
        out = self._extents(tensor)
        node = self._append("input", [], out, tensor.dtype, self._numbers(tensor), tensors=[index])
        self.value[index] = node

    # ---- linear operators ---------------------------------------------------------------------------------------

    def _conv_2d(self, operator):
        filters = self._constant(operator, 1, "weights")  # OHWI
        if len(filters.shape) != 4:
            self.fail(f"its weights are {list(filters.shape)}")
        source = self._operand(operator)
        channels = self.nodes[source].out[2]
        if filters.shape[3] == 0 or channels % filters.shape[3] != 0:
            self.fail(f"its weights read {filters.shape[3]} of {channels} channels")
        self._convolution(operator, filters.data.transpose(0, 3, 1, 2), 0, channels // filters.shape[3])

    def _depthwise_conv_2d(self, operator):
        filters = self._constant(operator, 1, "weights")  # 1HW(C * multiplier)
        if len(filters.shape) != 4 or filters.shape[0] != 1:
            self.fail(f"its weights are {list(filters.shape)}")
        channels = self.nodes[self._operand(operator)].out[2]
        if filters.shape[3] != channels * self._option(operator, "depth_multiplier"):
            self.fail(f"its weights make {filters.shape[3]} of {channels} channels")
        self._convolution(operator, filters.data.transpose(3, 0, 1, 2), 3, channels)

    def _convolution(self, operator, weight, axis, groups):
        source = self._operand(operator)
        stride = self._option(operator, "stride_h"), self._option(operator, "stride_w")
        dilation = self._option(operator, "dilation_h", 1), self._option(operator, "dilation_w", 1)
        source, window = self._window(operator, source, weight.shape[2:], stride, dilation)
        out = self._window_extents(window, weight.shape[0])
        weight = self._in_file_order(source, weight, groups)
        self._linear(operator, "convolution", source, out, weight, axis, window=window, groups=groups)

    def _window(self, operator, source, kernel, stride, dilation):
        """Return the node that a window reads and the window. A pad before a convolution becomes its padding."""
        padding = self._option(operator, "padding")
        if padding not in ("SAME", "VALID"):
            self.fail(f"it has {padding}")
        if min(*kernel, *stride, *dilation) < 1:
            self.fail(f"it has kernel {kernel}, stride {stride} and dilation {dilation}")
        sides = (0, 0, 0, 0)
        node = self.nodes[source]
        if padding == "SAME":
            axes = zip(node.out, kernel, stride, dilation)
            sides = sum((same_padding(*axis) for axis in axes), ())
        elif node.kind == "pad" and "CONV" in operator.kind and self._only_reader(source):
            sides, source = node.sides, node.inputs[0]
        extents = self.nodes[source].out[:2]
        rules = window_rules(extents, kernel, stride, dilation, sides)
        return source, Window(extents, tuple(kernel), tuple(stride), tuple(dilation), rules)

    def _only_reader(self, node):
        """Whether one operator reads a node."""
        reads = sum(self.readers[tensor] for tensor, source in self.value.items() if source == node)
        return reads - self.renamed[node] == 1

    def _window_extents(self, window, channels):
        sides = window.rules[-1]
        extents = []
        for axis in (0, 1):
            padded = window.extents[axis] + sum(sides[2 * axis : 2 * axis + 2])
            reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1
            extents.append((padded - reach) // window.stride[axis] + 1)
        if min(extents) < 1:
            self.fail(f"its window, {list(window.kernel)}, is larger than its input, {list(window.extents)}")
        return (*extents, channels)

    def _fully_connected(self, operator):
        if self._option(operator, "weights_format", "DEFAULT") != "DEFAULT":
            self.fail(f"its weights are in {operator.options['weights_format']}")
        weight = self._constant(operator, 1, "weights").data
        source = self._operand(operator)
        if weight.ndim != 2 or math.prod(self.nodes[source].out) != weight.shape[1]:
            self.fail(f"its weights are {list(weight.shape)} for an input of {list(self.nodes[source].out)}")
        if self.nodes[source].out[:2] != (1, 1):
            source = self._append_like("reshape", source, (1, 1, weight.shape[1]))
        self._linear(operator, "dense", source, (1, 1, weight.shape[0]), self._in_file_order(source, weight), 0)

    def _in_file_order(self, source, weight, groups=1):
        try:
            return in_file_order(self.nodes, source, weight, groups)
        except ValueError as error:
            self.fail(str(error))

    def _linear(self, operator, kind, source, out, weight, axis, **fields):
        tensor = self._constant(operator, 1, "weights")
        output = self._output(operator)
        floating = output.dtype == "FLOAT32"
        if tensor.dtype not in (("FLOAT32",) if floating else tuple(LIMITS)):
            self.fail(f"its weights are {tensor.dtype} and its output {output.dtype}")
        fields |= {"weight": weight, "activation": self._fused(operator)}
        if not floating:
            fields |= self._weight_numbers(tensor, axis, out[2])
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            bias = self._constant(operator, 2, "biases")
            if bias.dtype != ("FLOAT32" if floating else "INT32") or bias.data.size != out[2]:
                self.fail(f"its biases are {bias.dtype} {list(bias.shape)} for {out[2]} output channels")
            fields["bias"] = bias.data.reshape(-1)
        self._finish(operator, self._append(kind, [source], out, output.dtype, self._numbers(output), **fields))

    def _weight_numbers(self, tensor, axis, channels):
        quantization = tensor.quantization
        count = 0 if quantization is None else len(quantization.scales)
        if count not in (1, channels):
            self.fail(f"its weights have {count} scales for {channels} output channels")
        if count > 1 and quantization.axis != axis:
            self.fail(f"its weights' scales are along axis {quantization.axis}, not that of the output channels")
        if not np.all(np.isfinite(quantization.scales) & (quantization.scales > 0)):
            self.fail("a scale of its weights is not positive")
        low, high = LIMITS[tensor.dtype]
        if np.any((quantization.zero_points < low) | (quantization.zero_points > high)):
            self.fail(f"a zero point of its weights is outside {tensor.dtype}")
        return {"weight_scales": quantization.scales, "weight_zero_points": quantization.zero_points}

    # ---- other operators ----------------------------------------------------------------------------------------

    def _pool(self, operator, kind):
        source = self._operand(operator)
        kernel = self._option(operator, "filter_h"), self._option(operator, "filter_w")
        stride = self._option(operator, "stride_h"), self._option(operator, "stride_w")
        source, window = self._window(operator, source, kernel, stride, (1, 1))
        out = self._window_extents(window, self.nodes[source].out[2])
        pool = self._like_output(operator, kind, source, out, window=window)
        activation = self._fused(operator)
        self._finish(operator, self._append_like(activation, pool, out) if activation else pool)

    def _like_output(self, operator, kind, source, out, **fields):
        """A node with the numbers the file gives the operator's output."""
        output = self._output(operator)
        return self._append(kind, [source], out, output.dtype, self._numbers(output), **fields)

    def _max_pool_2d(self, operator):
        self._pool(operator, "max_pool")

    def _average_pool_2d(self, operator):
        self._pool(operator, "average_pool")

    def _mean(self, operator):
        source = self._operand(operator)
        extents = self.nodes[source].out
        tensor = self.graph.tensors[operator.inputs[0]]
        axes = self._constant(operator, 1, "axes").data.reshape(-1)
        axes = {self._axis(tensor, int(axis)) for axis in axes}
        if not axes <= {0, 1} or any(extents[axis] != 1 for axis in {0, 1} - axes):
            self.fail("it is not over height and width")
        self._finish(operator, self._like_output(operator, "global_average_pool", source, (1, 1, extents[2])))

    def _softmax(self, operator):
        if self._option(operator, "beta", 1) != 1:
            self.fail(f"its beta is {operator.options['beta']}, not 1")
        source = self._operand(operator)
        if self.nodes[source].out[:2] != (1, 1):
            self.fail(f"its input is {list(self.nodes[source].out)}: statiq's softmax is over one vector")
        node = self._like_output(operator, "softmax", source, self.nodes[source].out)
        numbers, dtype = self.nodes[node].numbers, self.nodes[node].dtype
        if dtype != self.nodes[source].dtype:
            self.fail(f"it makes {dtype} of {self.nodes[source].dtype}")
        if numbers is not None and numbers != (np.float32(1 / 256), LIMITS[dtype][0]):
            self.fail(f"its output has {_text(self.nodes[node])}: statiq's has scale 1/256 and the lowest zero point")
        self._finish(operator, node)

    def _reshape(self, operator):
        """Data stays where it is, so that only a change of extents is a layer."""
        source = self._operand(operator)
        out = self._extents(self._output(operator))
        if math.prod(out) != math.prod(self.nodes[source].out):
            self.fail(f"it makes {list(out)} of {list(self.nodes[source].out)}")
        node = self._like_output(operator, "reshape", source, out)
        if out == self.nodes[source].out:
            self.nodes.pop()
            node = source
            self.renamed[node] += 1
        self._finish(operator, node)

    def _transpose(self, operator):
        source = self._operand(operator)
        tensor = self.graph.tensors[operator.inputs[0]]
        order = [int(axis) for axis in self._constant(operator, 1, "axes").data.reshape(-1)]
        rank = len(tensor.shape)
        if sorted(order) != list(range(rank)) or order[0] != 0:
            self.fail(f"it is of axes {order}: statiq's is of height, width and channels")
        axes = (*range(4 - rank), *(self._axis(tensor, axis) for axis in order[1:]))
        out = [self.nodes[source].out[axis] for axis in axes]
        self._finish(operator, self._like_output(operator, "transpose", source, out, axes=axes))

    def _pad(self, operator):
        source = self._operand(operator)
        rank = len(self.graph.tensors[operator.inputs[0]].shape)
        amounts = self._constant(operator, 1, "amounts").data
        if amounts.shape != (rank, 2) or np.any(amounts < 0):
            self.fail(f"its amounts are {amounts.tolist()}")
        amounts = [[0, 0]] * (4 - rank) + amounts[1:].tolist() if not np.any(amounts[0]) else None
        if amounts is None or amounts[2] != [0, 0]:
            self.fail("it is not around height and width")
        sides = (*amounts[0], *amounts[1])
        height, width, channels = self.nodes[source].out
        out = (height + sum(sides[:2]), width + sum(sides[2:]), channels)
        self._finish(operator, self._like_output(operator, "pad", source, out, sides=sides))

    def _quantize(self, operator):
        source = self._operand(operator)
        node, output = self.nodes[source], self._output(operator)
        if node.kind == "input" and node.dtype == "FLOAT32" and self._only_reader(source):
            # The program makes the integers the network begins with.
            node.dtype, node.numbers, node.tensors = output.dtype, self._numbers(output), []
            self._finish(operator, source)
        else:
            self._finish(operator, self._like_output(operator, "convert", source, node.out))

    def _add(self, operator):
        if len(operator.inputs) != 2:
            self.fail(f"it has {len(operator.inputs)} inputs")
        sources = [self._operand(operator, i) for i in (0, 1)]
        shapes = [self.nodes[source].out for source in sources]
        out = tuple(max(pair) for pair in zip(*shapes))
        for i, shape in enumerate(shapes):
            if any(extent not in (1, wanted) for extent, wanted in zip(shape, out)):
                self.fail(f"it adds {list(shapes[0])} and {list(shapes[1])}")
            if shape != out:
                sources[i] = self._append_like("broadcast", sources[i], out)
        self._join(operator, "add", sources, out, activation=self._fused(operator))

    def _concatenation(self, operator):
        sources = [self._operand(operator, i) for i in range(len(operator.inputs))]
        if len(sources) > MOST_INPUTS:
            self.fail(f"it has {len(sources)} inputs, more than {MOST_INPUTS}")
        if self._fused(operator):
            self.fail("statiq has no activation in a concatenation")
        axis = self._axis(self.graph.tensors[operator.inputs[0]], self._option(operator, "axis"))
        nodes = [self.nodes[source] for source in sources]
        if axis != 2 or any(node.out[:2] != nodes[0].out[:2] for node in nodes):
            self.fail("it is not along channels")
        output = self._output(operator)
        if any((node.dtype, node.numbers) != (output.dtype, self._numbers(output)) for node in nodes):
            self.fail("its inputs and its output have different numbers")
        if len(sources) == 1:
            self.renamed[sources[0]] += 1
            self._finish(operator, sources[0])
            return
        self._join(operator, "concat", sources, (*nodes[0].out[:2], sum(node.out[2] for node in nodes)))

    def _join(self, operator, kind, sources, out, **fields):
        output = self._output(operator)
        if any(self.nodes[source].dtype != output.dtype for source in sources):
            self.fail(f"it makes {output.dtype} of {[self.nodes[source].dtype for source in sources]}")
        self._finish(operator, self._append(kind, sources, out, output.dtype, self._numbers(output), **fields))

    def _clamp(self, operator):
        source = self._operand(operator)
        node, output = self.nodes[source], self._output(operator)
        activation = ACTIVATIONS[operator.kind]
        numbers = self._numbers(output)
        if (node.dtype, node.numbers) != (output.dtype, numbers):
            source = self._append("convert", [source], node.out, output.dtype, numbers)
        elif node.kind in (*LINEAR, "add") and not node.activation and self._only_reader(source):
            node.activation, node.tensors = activation, []
            self._finish(operator, source)
            return
        self._finish(operator, self._append_like(activation, source, node.out))

    _squeeze = _expand_dims = _reshape
    _relu = _relu6 = _relu_n1_to_1 = _clamp


OPERATORS = {
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "EXPAND_DIMS",
    "FULLY_CONNECTED",
    "MAX_POOL_2D",
    "MEAN",
    "PAD",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RESHAPE",
    "SOFTMAX",
    "SQUEEZE",
    "TRANSPOSE",
}


def _text(node):
    if node.numbers is None:
        return node.dtype
    return f"{node.dtype} with scale {node.numbers[0]} and zero point {node.numbers[1]}"
