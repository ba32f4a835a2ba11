#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of convert_tflite.py. Exit code 77: a package it needs is missing.

With STATIQ_CXX, a compiler's command line that finds statiq's headers, what the converter writes is compiled too.
"""

import contextlib
import importlib.util
import io
import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
absent = [package for package in ("flatbuffers", "numpy") if importlib.util.find_spec(package) is None]
absent += [program for program in ("flatc",) if shutil.which(program) is None]
if absent:
    print("skipped: no", *absent)
    sys.exit(77)

import numpy as np

import convert_tflite
from graphs import Builder
from tflite import flatbuffer, golden, nodes, safetensors
from tflite.model import ConversionError


def converted(graph, network="net"):
    """Return the header, the tensors and the metadata."""
    text, content = convert_tflite.convert(graph, network, network, "net.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "net.safetensors")
        path.write_bytes(content)
        return text, *safetensors.read(path)


def lines_of(text):
    """The header's lines without their indentation and the comment at their end."""
    return [line.partition(" // ")[0].strip() for line in text.splitlines()]


# ---- networks of known structure ----------------------------------------------------------------------------------


def inverted_residuals():
    b = Builder((1, 16, 16, 3))
    x = b.conv(b.input, 8, (3, 3), (2, 2), activation="RELU6")
    x = b.conv(b.depthwise(x, activation="RELU6"), 4)
    for expanded, out, stride in ((12, 6, 2), (18, 6, 1), (18, 8, 1), (24, 8, 1)):
        y = b.conv(x, expanded, activation="RELU6")
        y = b.conv(b.depthwise(y, stride=(stride, stride), activation="RELU6"), out)
        x = b.add(x, y) if b.shape(x) == b.shape(y) else y
    x = b.conv(x, 20, activation="RELU6")
    return b.graph(b.softmax(b.dense(b.mean(x), 5)))


def separables():
    b = Builder((1, 12, 12, 1), "UINT8")
    x = b.depthwise(b.input, 4, per_channel=False, activation="RELU")
    for out, stride in ((8, 1), (8, 2), (16, 2)):
        x = b.depthwise(x, stride=(stride, stride), per_channel=False, activation="RELU")
        x = b.conv(x, out, per_channel=False, activation="RELU")
    return b.graph(b.conv(b.pool(x, "AVERAGE_POOL_2D", (3, 3), (2, 2)), 2, per_channel=False))


def dense_connections():
    b = Builder((1, 9, 7, 5))
    parts = [b.conv(b.input, 6, (3, 3), activation="RELU6")]
    for _ in range(3):
        x = b.concat(*parts) if len(parts) > 1 else parts[0]
        parts.append(b.requantize(b.conv(x, 4, (3, 3), activation="RELU"), parts[0]))
    return b.graph(b.dense(b.concat(*parts), 3))


def crossing_sums():
    b = Builder((1, 6, 6, 4))
    first = b.conv(b.input, 4, (3, 3), activation="RELU")
    second = b.conv(first, 4, (3, 3))
    third = b.conv(second, 4, (3, 3), activation="RELU6")
    x = b.conv(b.add(second, b.add(first, third)), 4)
    x = b.add(b.add(x, b.input), first, "RELU")
    return b.graph(b.add(x, x))


def branches():
    b = Builder((1, 8, 8, 6))
    x = b.conv(b.input, 6, (3, 3))
    for _ in range(2):
        p = b.conv(x, 4)
        q = b.requantize(b.conv(b.conv(x, 3, activation="RELU"), 5, (3, 3)), p)
        r = b.requantize(b.conv(b.pool(x, "MAX_POOL_2D", (3, 3), (1, 1), "SAME"), 6), p)
        x = b.concat(p, q, r)
    return b.graph(b.mean(x))


def everything():
    b = Builder((1, 3, 11, 10))
    x = b.conv(b.transpose(b.input, (0, 2, 3, 1)), 8, (3, 3), padding="VALID", bias=False)
    x = b.clamp(x, "RELU_N1_TO_1")
    x = b.conv(x, 8, (3, 3), groups=4, dilation=(2, 2), activation="RELU_N1_TO_1")
    x = b.depthwise(x, 2, (3, 5), stride=(2, 1), activation="RELU")
    x = b.pad(b.clamp(x, "RELU6", same_numbers=False), 1, 2, 0, 1)
    x = b.conv(x, 8, (3, 3), padding="VALID")
    y = b.clamp(b.conv(x, 8), "RELU", same_numbers=False)
    x = b.add(b.pool(x, "MAX_POOL_2D", stride=(1, 1), padding="SAME", activation="RELU6"), y, "RELU6")
    x = b.add(x, b.reshape(b.mean(x), (1, 1, 1, 8)))
    x = b.pad(b.pool(x, "AVERAGE_POOL_2D", stride=(1, 2)), 0, 1, 1, 0)
    x = b.reshape(b.clamp(x, "RELU"), (1, 24, 8))
    return b.graph(b.dense(b.dense(x, 9, "RELU"), 4))


MAKERS = (inverted_residuals, separables, dense_connections, crossing_sums, branches, everything)
NETWORKS = {make.__name__: make for make in MAKERS}


# ---- tests --------------------------------------------------------------------------------------------------------


class Lowering(unittest.TestCase):
    def test_window_rules_mean_the_same(self):
        """Every rule a window may be written with gives the operator's extents and padding."""
        sizes = itertools.product(range(1, 9), range(1, 5), range(1, 4), range(1, 3), range(0, 3), range(0, 3))
        for extent, kernel, stride, dilation, before, after in sizes:
            reach = (kernel - 1) * dilation + 1
            if extent + before + after < reach:
                continue
            sides = (before, after, before, after)
            rules = nodes.window_rules((extent,) * 2, (kernel,) * 2, (stride,) * 2, (dilation,) * 2, sides)
            self.assertEqual(rules[-1], sides)
            wanted = ((extent + before + after - reach) // stride + 1, before)
            out = -(-extent // stride)  # TensorFlow's 'same': as many outputs as strides, the odd zero behind
            same = out, max(0, (out - 1) * stride + reach - extent) // 2
            valid = (extent - reach) // stride + 1, 0
            self.assertEqual("same" in rules, same == wanted, (extent, kernel, stride, dilation, sides))
            self.assertEqual("valid" in rules, valid == wanted, (extent, kernel, stride, dilation, sides))

    def test_convolution_weights_are_stored_output_channel_first(self):
        b = Builder((1, 5, 4, 6))
        graph = b.graph(b.depthwise(b.conv(b.input, 4, (3, 2), groups=2), 3))
        conv, depthwise = (graph.tensors[operator.inputs[1]].data for operator in graph.operators)
        _, tensors, _ = converted(graph)
        self.assertEqual(tensors["conv0.weight"].shape, (4, 3, 3, 2))
        self.assertEqual(tensors["dw1.weight"].shape, (12, 1, 3, 3))
        for o, y, x, c in np.ndindex(conv.shape):
            self.assertEqual(tensors["conv0.weight"][o, c, y, x], conv[o, y, x, c])
        for _, y, x, o in np.ndindex(depthwise.shape):
            self.assertEqual(tensors["dw1.weight"][o, 0, y, x], depthwise[0, y, x, o])

    def test_dense_weights_behind_an_image_count_channel_first(self):
        b = Builder((1, 3, 2, 5))
        graph = b.graph(b.dense(b.input, 4))
        weights = graph.tensors[graph.operators[0].inputs[1]].data.astype(int)
        image = b.random.integers(-128, 128, (3, 2, 5))
        text, tensors, _ = converted(graph)
        self.assertIn("| sq::flatten", lines_of(text))
        products = tensors["fc.weight"].astype(int) @ image.transpose(2, 0, 1).reshape(-1)
        np.testing.assert_array_equal(products, weights @ image.reshape(-1))

    def test_dense_weights_follow_a_flatten_through_sums_and_conversions(self):
        b = Builder((1, 3, 2, 5))
        flat = b.reshape(b.input, (1, 30))
        graph = b.graph(b.dense(b.requantize(b.add(flat, flat), b.input), 4))
        weights = graph.tensors[graph.operators[-1].inputs[1]].data.astype(int)
        image = b.random.integers(-128, 128, (3, 2, 5))
        _, tensors, _ = converted(graph)
        products = tensors["fc.weight"].astype(int) @ image.transpose(2, 0, 1).reshape(-1)
        np.testing.assert_array_equal(products, weights @ image.reshape(-1))

    def test_sums_of_tensors_that_are_flattened_differently_are_refused(self):
        b = Builder((1, 3, 2, 5))
        dense = b.dense(b.input, 30)
        graph = b.graph(b.dense(b.add(dense, b.reshape(b.input, (1, 30))), 4))
        with self.assertRaisesRegex(ConversionError, "flattened differently"):
            converted(graph)

    def test_a_pad_becomes_its_convolutions_padding(self):
        b = Builder((1, 8, 8, 4))
        x = b.conv(b.pad(b.input, 1, 1, 1, 1), 4, (3, 3), (2, 2), padding="VALID")
        y = b.pad(x, 1, 0, 0, 0)
        z = b.add(b.conv(y, 4, (3, 3), padding="VALID"), b.conv(y, 4, (3, 3), padding="VALID"))
        text, _, metadata = converted(b.graph(z))
        self.assertIn("sq::conv<4>(sq::kernel<3>, sq::stride<2>, sq::padding<1>)", text)
        self.assertIn("sq::pad<1, 0, 0, 0>", text)  # two read it
        self.assertEqual(metadata[f"tensor.{y}"], "pad")

    def test_standalone_activations(self):
        """Fused where that is the same; behind a conversion where the activation has other numbers."""
        b = Builder((1, 4, 4, 3))
        x = b.conv(b.input, 4)
        y = b.clamp(x, "RELU6")
        z = b.clamp(b.conv(y, 4), "RELU", same_numbers=False)
        text, tensors, metadata = converted(b.graph(z))
        self.assertIn('| sq::named<"conv0">(sq::pointwise<4> | sq::relu6)', lines_of(text))
        layers = [line for line in lines_of(text) if line.startswith("|")]
        self.assertEqual(layers[-2:], ["| sq::convert", "| sq::relu;"])
        self.assertEqual(metadata[f"tensor.{y}"], "conv0")
        self.assertNotIn(f"tensor.{x}", metadata)
        self.assertEqual(metadata[f"tensor.{z}"], "relu")
        self.assertIn("convert.scale", tensors)

    def test_an_activation_is_not_fused_into_a_layer_that_others_read(self):
        b = Builder((1, 4, 4, 3))
        x = b.conv(b.input, 4)
        y = b.clamp(x, "RELU")
        _, _, metadata = converted(b.graph(b.add(b.conv(x, 4), y)))
        self.assertEqual((metadata[f"tensor.{x}"], metadata[f"tensor.{y}"]), ("conv0", "block1.relu"))

    def test_numbers(self):
        b = Builder((1, 4, 4, 3))
        x = b.conv(b.input, 5, bias=False)
        graph = b.graph(b.dense(x, 2))
        graph.tensors[graph.operators[1].inputs[1]].data[0, 0] = -128
        text, tensors, _ = converted(graph)
        self.assertIn("using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;", text)
        self.assertIn("using dense_weight = sq::quantized<8, sq::symmetric_full_range, sq::per_tensor>;", text)
        self.assertIn("sq::pointwise<5>(sq::without_bias)", text)
        self.assertNotIn("conv0.bias", tensors)
        quantization = graph.tensors[x].quantization
        self.assertEqual(tensors["conv0.scale"], quantization.scales)
        self.assertEqual(tensors["conv0.zero_point"], quantization.zero_points)
        self.assertEqual(tensors["conv0.weight.scale"].shape, (5,))
        self.assertEqual(tensors["fc.weight.zero_point"].tolist(), [0])

    def test_float_ends_of_an_integer_network_are_left_to_the_program(self):
        b = Builder((1, 4, 4, 3), "FLOAT32")
        x = b.operator("QUANTIZE", [b.input], b.activation((1, 4, 4, 3)))
        y = b.conv(x, 4)
        z = b.operator("DEQUANTIZE", [y], b.activation((1, 4, 4, 4), "FLOAT32"))
        _, tensors, metadata = converted(b.graph(z))
        self.assertEqual(metadata[f"tensor.{x}"], "input")
        self.assertEqual(metadata[f"tensor.{y}"], "conv0")
        self.assertEqual(tensors["input.scale"], b.tensors[x].quantization.scales)

    def test_float_network(self):
        b = Builder((1, 4, 4, 3), "FLOAT32")
        text, tensors, metadata = converted(b.graph(b.dense(b.conv(b.input, 4, (3, 3), activation="RELU6"), 2)))
        self.assertEqual(metadata["kind"], "float")
        self.assertNotIn("numbers", text)
        self.assertEqual(sorted(tensors), ["conv0.bias", "conv0.weight", "fc.weight"])
        self.assertEqual(tensors["conv0.weight"].dtype, np.float32)


class Header(unittest.TestCase):
    def test_inverted_residuals(self):
        text, _, metadata = converted(inverted_residuals())
        lines = lines_of(text)
        for line in (
            "template <int Expanded, int OutChannels, int Stride>",
            "constexpr auto bottleneck() {",
            '| sq::named<"conv0">(sq::conv<8>(sq::kernel<3>, sq::stride<2>) | sq::relu6)',
            '| sq::named<"block2">(bottleneck<12, 6, 2>())',
            '| sq::named<"block3">(sq::residual(bottleneck<18, 6, 1>()))',
            '| sq::named<"conv_last">(sq::pointwise<20> | sq::relu6)',
            "struct net final : sq::network<decltype(net_body())> {};",
        ):
            self.assertIn(line, lines)
        self.assertEqual(len([line for line in lines if line.startswith('| sq::named<"block')]), 5)
        names = set(metadata.values())
        self.assertLessEqual({"block1.depthwise", "block1.project", "block3.expand", "block3.add", "fc"}, names)

    def test_separables(self):
        text, tensors, _ = converted(separables())
        lines = lines_of(text)
        self.assertIn("template <int Index, int OutChannels, int Stride>", lines)
        self.assertIn("| separable<3, 16, 2>()", lines)
        self.assertIn('| sq::named<"conv0">(sq::conv<4>(sq::kernel<3>) | sq::relu)', lines)
        self.assertIn("| sq::average_pool(sq::kernel<3>)", lines)  # one window: its stride is idle
        self.assertIn("using weight = sq::quantized<8, sq::asymmetric, sq::per_tensor>;", lines)
        self.assertLessEqual({"dw1.weight", "pw3.weight", "logits.weight"}, set(tensors))
        self.assertEqual(tensors["dw1.weight"].dtype, np.uint8)

    def test_every_layer_stands_in_the_header_once(self):
        for name, make in NETWORKS.items():
            graph = make()
            _, tensors, metadata = converted(graph)
            linear = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
            wanted = sum(operator.kind in linear for operator in graph.operators)
            self.assertEqual(sum(tensor.endswith(".weight") for tensor in tensors), wanted, name)
            self.assertEqual(metadata[f"tensor.{graph.inputs[0]}"], "input")

    def test_file_names_stay_in_comments(self):
        graph = separables()
        graph.source = "a\nint b;.tflite"
        text, _ = convert_tflite.convert(graph, "net", "net", "c\nint d;.safetensors")
        self.assertEqual([line for line in text.splitlines() if line.startswith("int")], [])

    def test_references(self):
        lines = lines_of(converted(crossing_sums())[0])
        self.assertIn('| sq::named<"sum3">(sq::add(sq::from<"conv0">, sq::identity))', lines)
        self.assertIn('| sq::named<"sum6">(sq::add(sq::identity, sq::from<"input">))', lines)
        self.assertIn('| sq::named<"sum8">(sq::add(sq::identity, sq::identity));', lines)

    @unittest.skipUnless(os.environ.get("STATIQ_CXX"), "STATIQ_CXX is not set")
    def test_statiq_takes_what_is_written(self):
        """The header compiles, and statiq gives its layers the names that the parameter file uses."""
        program = ""
        with tempfile.TemporaryDirectory() as folder:
            for name, make in NETWORKS.items():
                text, tensors, metadata = converted(make(), name)
                pathlib.Path(folder, f"{name}.hpp").write_text(text)
                program += f'#include "{name}.hpp"\n'
                layers = {re.sub(r"(\.weight)?\.(weight|bias|scale|zero_point)$", "", tensor) for tensor in tensors}
                layers |= {value for key, value in metadata.items() if key.startswith("tensor.")}
                for layer in sorted(layers):
                    program += f'static_assert(statiq::find_node<{name}::numbers>("{layer}") >= 0);\n'
            pathlib.Path(folder, "names.cpp").write_text(program)
            command = [*shlex.split(os.environ["STATIQ_CXX"]), "-fsyntax-only", "names.cpp"]
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""))


class Refusals(unittest.TestCase):
    def refused(self, graph, *words):
        with self.assertRaises(ConversionError) as caught:
            converted(graph)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_unsupported_operator(self):
        b = Builder((1, 4, 4, 3))
        x = b.conv(b.input, 4)
        y = b.operator("LOGISTIC", [x], b.activation((1, 4, 4, 4)))
        self.refused(b.graph(y), "operator 1", "LOGISTIC", b.tensors[y].name)

    def test_names_stay_on_one_line_that_no_terminal_obeys(self):
        b = Builder((1, 4, 4, 3))
        y = b.operator("LOGISTIC", [b.conv(b.input, 4)], b.activation((1, 4, 4, 4)))
        b.tensors[y].name = "a\nb\r\x1b[2J\x9b\u2028\u202e'"
        self.refused(b.graph(y), "tensor", r"'a\nb\r\x1b[2J\x9b\u2028\u202e''")
        with self.assertRaises(ConversionError) as caught:
            converted(b.graph(y))
        self.assertTrue(str(caught.exception).isprintable())

    def test_unsupported_variants(self):
        def beta(b):
            x = b.softmax(b.dense(b.input, 4))
            b.operators[-1].options["beta"] = 2.0
            return x

        def rows(b):
            return b.softmax(b.input)

        def mean_over_channels(b):
            return b.operator("MEAN", [b.input, b.constant([3])], b.activation((1, 4, 4)))

        def padded_channels(b):
            amounts = b.constant([[0, 0], [0, 0], [0, 0], [0, 2]])
            return b.operator("PAD", [b.input, amounts], b.like(b.input, (1, 4, 4, 5)))

        def concat_of_rows(b):
            x = b.concat(b.input, b.input)
            b.operators[-1].options["axis"] = 1
            return x

        def concat_of_other_numbers(b):
            return b.concat(b.input, b.conv(b.input, 3))

        def added_constant(b):
            other = b.tensor((1, 4, 4, 3), "INT8", b.tensors[b.input].quantization, np.zeros((1, 4, 4, 3), np.int8))
            return b.add(b.input, other)

        def wide(b):
            x = b.conv(b.input, 3)
            b.tensors[x].dtype = "INT16"
            return x

        def batch(b):
            x = b.conv(b.input, 3)
            b.tensors[x].shape = (2, 4, 4, 3)
            return x

        def computed_weights(b):
            x = b.conv(b.input, 3)
            b.tensors[b.operators[-1].inputs[1]].data = None
            return x

        def shape(b):
            x = b.conv(b.input, 3, (3, 3))
            b.tensors[x].shape = (1, 3, 4, 3)
            return x

        def activation(b):
            return b.conv(b.input, 3, activation="TANH")

        def scales(b):
            x = b.conv(b.input, 3)
            b.tensors[b.operators[-1].inputs[1]].quantization.axis = 3
            return x

        for variant, word in (
            (beta, "beta"),
            (rows, "softmax"),
            (mean_over_channels, "height and width"),
            (padded_channels, "height and width"),
            (concat_of_rows, "channels"),
            (concat_of_other_numbers, "different numbers"),
            (added_constant, "constant"),
            (wide, "INT16"),
            (batch, "[2, 4, 4, 3]"),
            (computed_weights, "weights"),
            (shape, "[1, 3, 4, 3]"),
            (activation, "TANH"),
            (scales, "axis 3"),
        ):
            with self.subTest(variant.__name__):
                b = Builder((1, 4, 4, 3))
                self.refused(b.graph(variant(b)), b.operators[-1].kind, word)


def write_golden(folder, graph):
    """A graph in the test vectors' layout."""

    def quantization(q):
        if q is None:
            return None
        scales = [float(s) for s in q.scales]
        return {"scale": scales, "zero_point": q.zero_points.tolist(), "quantized_dimension": q.axis}

    tensors = [
        {
            "index": tensor.index,
            "name": tensor.name,
            "dtype": tensor.dtype,
            "shape": list(map(int, tensor.shape)),
            "is_constant": tensor.data is not None,
            "quantization": quantization(tensor.quantization),
        }
        for tensor in graph.tensors
    ]
    operators = [
        {"op": operator.kind, "inputs": operator.inputs, "outputs": operator.outputs, "options": operator.options}
        for operator in graph.operators
    ]
    content = {"inputs": graph.inputs, "outputs": graph.outputs, "tensors": tensors, "operators": operators}
    (folder / "graph.json").write_text(json.dumps(content))
    constants = {f"t{tensor.index}": tensor.data for tensor in graph.tensors if tensor.data is not None}
    (folder / "weights.safetensors").write_bytes(safetensors.dump(constants, {}))


OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "SOFTMAX": "SoftmaxOptions",
    "CONCATENATION": "ConcatenationOptions",
    "ADD": "AddOptions",
}
FIELDS = {
    "dilation_h": "dilation_h_factor",
    "dilation_w": "dilation_w_factor",
    "filter_h": "filter_height",
    "filter_w": "filter_width",
    "fused_activation": "fused_activation_function",
}


def write_tflite(path, graph):
    """A graph as a .tflite file, made by flatc."""
    kinds = sorted({operator.kind for operator in graph.operators})
    buffers, tensors, operators = [{}], [], []
    for tensor in graph.tensors:
        entry = {"shape": list(map(int, tensor.shape)), "type": tensor.dtype, "name": tensor.name}
        if tensor.data is not None:
            entry["buffer"] = len(buffers)
            buffers.append({"data": list(tensor.data.tobytes())})
        if tensor.quantization is not None:
            q = tensor.quantization
            entry["quantization"] = {
                "scale": [float(s) for s in q.scales],
                "zero_point": q.zero_points.tolist(),
                "quantized_dimension": q.axis,
            }
        tensors.append(entry)
    for operator in graph.operators:
        entry = {"opcode_index": kinds.index(operator.kind), "inputs": operator.inputs, "outputs": operator.outputs}
        if operator.kind in OPTIONS:
            options = {FIELDS.get(name, name): value for name, value in operator.options.items()}
            options.pop("weights_format", None)  # 0 by default
            entry |= {"builtin_options_type": OPTIONS[operator.kind], "builtin_options": options}
        operators.append(entry)
    model = {
        "version": 3,
        "operator_codes": [{"builtin_code": kind} for kind in kinds],
        "subgraphs": [
            {"tensors": tensors, "inputs": graph.inputs, "outputs": graph.outputs, "operators": operators}
        ],
        "buffers": buffers,
    }
    text = path.with_suffix(".json")
    text.write_text(json.dumps(model))
    command = ["flatc", "--binary", "-o", str(path.parent), str(flatbuffer.SCHEMA), str(text)]
    subprocess.run(command, check=True, capture_output=True)


class Files(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_tool(self, *arguments):
        """Return the exit code, what was said, and the files it left."""
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        outputs = ["--header", str(out / "net.hpp"), "--integers", str(out / "net.safetensors")]
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            code = convert_tflite.main([*map(str, arguments), "--name", "net", *outputs])
        return code, errors.getvalue(), sorted(path.name for path in out.iterdir())

    def test_both_front_ends_read_the_same_graph(self):
        for name, make in NETWORKS.items():
            graph = make()
            write_golden(self.folder, graph)
            write_tflite(self.folder / "made.tflite", graph)
            wanted = converted(graph)
            for read in (golden.read(self.folder), flatbuffer.read(self.folder / "made.tflite")):
                text, tensors, metadata = converted(read)
                self.assertEqual(lines_of(text)[5:], lines_of(wanted[0])[5:], name)
                self.assertEqual(sorted(tensors), sorted(wanted[1]), name)
                for tensor in tensors:
                    np.testing.assert_array_equal(tensors[tensor], wanted[1][tensor], tensor)
                self.assertEqual(metadata | {"source": ""}, wanted[2] | {"source": ""}, name)

    def test_command_line(self):
        write_tflite(self.folder / "made.tflite", inverted_residuals())
        code, errors, files = self.run_tool(self.folder / "made.tflite", "--namespace", "a::b")
        self.assertEqual((code, errors, files), (0, "", ["net.hpp", "net.safetensors"]))
        text = (self.folder / "out" / "net.hpp").read_text()
        self.assertTrue(text.startswith("#pragma once\n"))
        self.assertIn("namespace a::b {", text)
        self.assertIn("made.tflite", text)

    def test_a_refused_model_leaves_no_files(self):
        b = Builder((1, 4, 4, 3))
        write_tflite(self.folder / "made.tflite", b.graph(b.operator("TANH", [b.input], b.activation((1, 4, 4, 3)))))
        code, errors, files = self.run_tool(self.folder / "made.tflite")
        self.assertEqual((code, files), (1, []))
        self.assertIn("operator 0, TANH, which makes tensor 1, 'made/1'", errors)

    def test_an_output_that_cannot_be_written_leaves_no_files(self):
        write_tflite(self.folder / "made.tflite", separables())
        (self.folder / "out" / "net.safetensors").mkdir(parents=True)
        code, errors, files = self.run_tool(self.folder / "made.tflite")
        self.assertEqual((code, files), (1, ["net.safetensors"]))
        self.assertIn("net.safetensors", errors)

    def test_missing_files(self):
        for arguments in ((self.folder / "absent.tflite",), ("--golden", self.folder / "absent")):
            code, errors, files = self.run_tool(*arguments)
            self.assertEqual((code, files), (1, []))
            self.assertIn("absent", errors)

    def test_names_that_are_not_names(self):
        for name in ("1st", "for", "a b", "weight", "separable", "a__b"):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                convert_tflite.main(["m.tflite", "--name", name, "--header", "h", "--integers", "i"])

    def test_damaged_files(self):
        """Cut and altered files are refused in words or converted, whatever they hold; never half."""
        path = self.folder / "made.tflite"
        write_tflite(path, everything())
        whole = path.read_bytes()
        random = np.random.default_rng(5)
        cuts = [whole[:length] for length in (0, 4, 8, 20, *random.integers(20, len(whole), 8))]
        altered = []
        for _ in range(40):
            data = bytearray(whole)
            for place in random.integers(8, len(whole), 40):
                data[place] = random.integers(0, 256)
            altered.append(bytes(data))
        altered.append(b"\0\0\0\0TFL3" + b"\xff" * 64)
        altered.append(whole[:4] + b"ABCD" + whole[8:])
        refused = 0
        for data in (*cuts, *altered):
            path.write_bytes(data)
            code, errors, files = self.run_tool(path)
            self.assertEqual((bool(errors), bool(files)), (code == 1, code == 0))
            refused += code
            for file in files:
                (self.folder / "out" / file).unlink()
        self.assertGreaterEqual(refused, len(cuts) + 2)

    def test_what_is_damaged_is_named(self):
        graph = separables()
        weights = graph.tensors[graph.operators[2].inputs[1]]
        weights.data = weights.data.reshape(-1)[1:]
        write_tflite(self.folder / "made.tflite", graph)
        code, errors, files = self.run_tool(self.folder / "made.tflite")
        self.assertEqual((code, files), (1, []))
        self.assertIn(f"made.tflite is damaged: tensor {weights.index}, '{weights.name}'", errors)

    def test_damaged_vectors(self):
        """A graph with parts taken out or replaced is refused in words or converted."""
        write_golden(self.folder, everything())
        whole = (self.folder / "graph.json").read_text()
        random = np.random.default_rng(6)
        refused = 0
        for _ in range(300):
            graph = json.loads(whole)
            places, waiting = [], [graph]
            while waiting:
                part = waiting.pop()
                for key, value in part.items() if isinstance(part, dict) else enumerate(part):
                    places.append((part, key))
                    waiting += [value] if isinstance(value, (dict, list)) else []
            part, key = places[random.integers(len(places))]
            wrong = [None, -1, 10**9, "X", [], {}, 1.5, True][random.integers(8)]
            if random.integers(4) == 0:
                del part[key]
            else:
                part[key] = wrong
            (self.folder / "graph.json").write_text(json.dumps(graph))
            code, errors, files = self.run_tool("--golden", self.folder)
            self.assertEqual((bool(errors), bool(files)), (code == 1, code == 0), (key, wrong))
            refused += code
            for file in files:
                (self.folder / "out" / file).unlink()
        self.assertGreater(refused, 100)


if __name__ == "__main__":
    unittest.main()
