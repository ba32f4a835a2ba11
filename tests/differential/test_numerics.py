#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The model that the differential tests compare with, against TensorFlow Lite Micro's outputs in tests/data/golden.

Exit code 77: NumPy is missing.
"""
import json
import pathlib
import struct
import sys
import unittest

sys.dont_write_bytecode = True
try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)

import functions
import numerics
from numerics import Format, Gemmlowp, Map, Window

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "data" / "golden"
TYPES = {"I8": "i1", "U8": "u1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "F32": "<f4", "F64": "<f8"}
INT8 = Format(8, "asymmetric_signed")
INT16 = Format(16, "symmetric_full_range")
ACTIVATIONS = {"NONE": "", "RELU": "relu", "RELU6": "relu6", "RELU_N1_TO_1": "relu_n1_to_1"}


def cases(name):
    """Each case of a file, and a function that gives its tensors, as int64 or as they are stored."""
    content = (GOLDEN / f"{name}.safetensors").read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size])

    def tensors(case):
        def tensor(which, stored=False):
            entry = header[f"c{case['case']}.{which}"]
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            values = np.frombuffer(content[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
            return values if stored else values.astype(np.int64)
        return tensor

    for case in json.loads((GOLDEN / f"{name}.json").read_text())["cases"]:
        yield case, tensors(case)


def map_of(case, prefix):
    return Map(np.float32(case[f"{prefix}_scale"]), case[f"{prefix}_zero_point"])


class Model(unittest.TestCase):
    def equal(self, ours, expected):
        np.testing.assert_array_equal(ours.reshape(expected.shape), expected)

    def linear(self, case, tensor, x, weights, window, groups, out, rounds_product):
        before, after = map_of(case, "input"), map_of(case, "output")
        scales = np.resize(np.array(case["filter_scale"], np.float32), out[2])
        bias = tensor("bias") if case["has_bias"] else np.zeros(out[2], np.int64)
        acc = numerics.convolution(x, before.zero, weights, np.zeros(out[2], np.int64), bias, window, groups, out)
        clamp = numerics.clamp_of(ACTIVATIONS[case["fused_activation"]], after, INT8)
        factors = numerics.linear_factors(Gemmlowp, before.scale, scales, after.scale, rounds_product)
        y = [numerics.requantize(Gemmlowp, acc[..., c], factor, after.zero, clamp) for c, factor in enumerate(factors)]
        self.equal(np.stack(y, axis=3), tensor("output"))

    @staticmethod
    def window(case, kernel):
        dilation = case.get("dilation_h", 1), case.get("dilation_w", 1)
        return Window(tuple(kernel), (case["stride_h"], case["stride_w"]), dilation, (case["pad_top"], case["pad_left"]))

    def test_convolutions(self):
        for name in ("conv2d", "conv2d_grouped", "depthwise_conv2d"):
            for case, tensor in cases(f"ops/{name}"):
                weights, x = tensor("filter"), tensor("input")
                kernel = weights.shape[1:3]
                if name == "depthwise_conv2d":
                    weights = weights.transpose(3, 1, 2, 0)
                groups = x.shape[3] // weights.shape[3]
                self.linear(case, tensor, x, weights, self.window(case, kernel), groups, case["output_shape"][1:], False)

    def test_fully_connected(self):
        for case, tensor in cases("ops/fully_connected"):
            weights = tensor("filter")[:, None, None, :]
            x = tensor("input").reshape(-1, 1, 1, weights.shape[3])
            self.linear(case, tensor, x, weights, Window(), 1, (1, 1, len(weights)), len(case["filter_scale"]) == 1)

    def test_sums(self):
        for name in ("add", "add_broadcast"):
            for case, tensor in cases(f"ops/{name}"):
                after = map_of(case, "output")
                inputs = np.broadcast_arrays(tensor("input1"), tensor("input2"))
                clamp = numerics.clamp_of(ACTIVATIONS[case["fused_activation"]], after, INT8)
                maps = [map_of(case, "input1"), map_of(case, "input2")]
                y = numerics.add(Gemmlowp, inputs, maps, [INT8, INT8], after, clamp)
                self.equal(y, tensor("output"))

    def test_pools(self):
        for name, pool in (("max_pool2d", numerics.max_pool), ("average_pool2d", numerics.average_pool)):
            for case, tensor in cases(f"ops/{name}"):
                window = self.window(case, (case["filter_h"], case["filter_w"]))
                clamp = case["activation_min"], case["activation_max"]
                self.equal(pool(tensor("input"), window, tuple(case["output_shape"][1:]), clamp), tensor("output"))

    def test_means(self):
        compared = 0
        for case, tensor in cases("ops/mean"):
            if len(case["input_shape"]) == 4 and sorted(axis % 4 for axis in case["axis"]) == [1, 2]:
                before, after = map_of(case, "input"), map_of(case, "output")
                self.equal(numerics.mean(Gemmlowp, tensor("input"), before, after, (-128, 127)), tensor("output"))
                compared += 1
        self.assertGreater(compared, 0)

    def test_conversions(self):
        for case, tensor in cases("ops/requantize"):
            ends = np.iinfo(tensor("output", stored=True).dtype)
            before, after = map_of(case, "input"), map_of(case, "output")
            self.equal(numerics.rescale(Gemmlowp, tensor("input"), before, after, (ends.min, ends.max)), tensor("output"))

    def test_products(self):
        for name in ("int8", "uint8", "int16"):
            for case, tensor in cases(f"ops2/mul_{name}"):
                maps = [map_of(case, "input1"), map_of(case, "input2")]
                clamp = case["activation_min"], case["activation_max"]
                y = numerics.multiply(Gemmlowp, [tensor("input1"), tensor("input2")], maps, map_of(case, "output"), clamp)
                self.equal(y, tensor("output"))

    def test_functions(self):
        for file, name, form in (("logistic_int8", "sigmoid", INT8), ("tanh_int8", "tanh", INT8),
                                 ("tanh_uint8", "tanh", Format(8, "asymmetric")), ("hard_swish_int8", "hard_swish", INT8),
                                 ("elu_int8", "elu", INT8), ("logistic_int16", "sigmoid", INT16),
                                 ("tanh_int16", "tanh", INT16)):
            for case, tensor in cases(f"ops2/{file}"):
                before, after = map_of(case, "input"), map_of(case, "output")
                y = functions.apply(Gemmlowp, name, tensor("input"), before, form, after, form, fixed=True)
                self.equal(y, tensor("output"))

    def test_leaky_relu(self):
        for name, form in (("int8", INT8), ("int16", INT16)):
            for case, tensor in cases(f"ops2/leaky_relu_{name}"):
                before, after = map_of(case, "input"), map_of(case, "output")
                y = functions.leaky_rule(tensor("input") - before.zero, before.scale, after.scale, case["alpha"])
                self.equal(np.clip(y + after.zero, form.lowest, form.highest), tensor("output"))

    def test_softmax(self):
        for case, tensor in cases("ops/softmax"):
            if case["beta"] == 1:
                self.equal(numerics.softmax(tensor("input"), np.float32(case["input_scale"]), INT8), tensor("output"))


if __name__ == "__main__":
    unittest.main()
