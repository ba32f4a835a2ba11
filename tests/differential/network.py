# SPDX-License-Identifier: Apache-2.0
"""A graph's numbers, drawn at random, and its execution by the model in numerics.py."""
from dataclasses import dataclass

import numpy as np

import functions
import numerics
from graph import KEEPING
from numerics import INT32, Gemmlowp, Map


@dataclass
class Numbers:
    """Of one node: the output's map; of linear nodes weights (out, row, column, in), their maps and biases, too."""
    output: Map = None
    weights: np.ndarray = None
    scales: np.ndarray = None  # float32, one for each output channel
    zeros: np.ndarray = None
    bias: np.ndarray = None


class Network:
    """`samples` are its inputs; `run` gives every node's integers."""

    def __init__(self, nodes, seed):
        self.nodes = nodes
        self.random = np.random.default_rng([seed, 1])
        # Scales that are powers of two make multipliers of which every other product is a tie.
        self.has_ties = self.random.random() < 0.5
        self.samples = self.draw_samples()
        self.numbers = [Numbers() for _ in nodes]
        # What a node's scale should be follows from its values, so numbers are drawn as the nodes are run.
        tensors = []
        for index, node in enumerate(nodes):
            self.draw_numbers(index, node, tensors)
            tensors.append(self.compute(index, node, tensors, Gemmlowp))

    def run(self, scheme):
        tensors = []
        for index, node in enumerate(self.nodes):
            tensors.append(self.compute(index, node, tensors, scheme))
        return tensors

    # ---- drawing

    def draw_samples(self):
        form, shape = self.nodes[0].form, self.nodes[0].out
        ends = (form.lowest, form.highest)
        middle = self.random.integers(form.lowest, form.highest, endpoint=True)
        near = np.clip(self.random.integers(middle - 3, middle + 3, shape, endpoint=True), *ends)
        anything = [self.random.integers(*ends, shape, endpoint=True) for _ in range(3)]
        return np.stack(anything + [self.random.choice(ends, shape), near, np.full(shape, form.lowest),
                                    np.full(shape, form.highest)]).astype(np.int64)

    def scale(self, real):
        """About that, as float32."""
        if self.has_ties:
            return np.float32(2.0**np.round(np.log2(real)))
        return np.float32(real * self.random.uniform(0.7, 1.4))

    def zero(self, form):
        """Mostly around the middle, else at an end or anywhere."""
        if not form.has_zero_point:
            return 0
        span, middle = form.highest - form.lowest, (form.lowest + form.highest + 1) // 2
        near = middle + self.random.integers(-span // 8, span // 8 + 1)
        return int(self.random.choice([near, near, near, form.lowest, form.highest,
                                       self.random.integers(form.lowest, form.highest, endpoint=True)]))

    def output_map(self, form, reals):
        """Mostly the map that the values need; now and then one that is too coarse, or that saturates nearly all."""
        low, high = min(float(reals.min()), 0.0), max(float(reals.max()), 0.0)
        if not form.has_zero_point:
            high = max(high, -low) if form.lowest < 0 else high
            low = high * form.lowest / form.highest
        span, steps = max(high - low, 1e-3), form.highest - form.lowest
        if self.random.random() < 0.07:
            return Map(self.scale(span / steps * self.random.choice([1e-2, 1e3])), self.zero(form))
        scale = self.scale(span / steps * self.random.uniform(0.6, 1.3))
        zero = form.lowest - low / float(scale) if form.has_zero_point else 0
        return Map(scale, int(np.clip(np.rint(zero), form.lowest, form.highest)))

    def draw_numbers(self, index, node, tensors):
        own = self.numbers[index]
        before = [self.numbers[i].output for i in node.inputs]
        reals = [(tensors[i] - m.zero) * float(m.scale) for i, m in zip(node.inputs, before)]
        if node.kind in KEEPING:
            own.output = before[0]
        elif node.kind == "softmax":
            own.output = Map(np.float32(1 / 256), node.form.lowest)
        elif node.kind == "input":
            own.output = Map(self.scale(10.0**self.random.uniform(0, 1) / (node.form.highest - node.form.lowest)),
                             self.zero(node.form))
        elif node.is_linear:
            own.output = self.output_map(node.form, self.draw_layer(index, node, tensors))
        elif node.kind == "add":
            own.output = self.output_map(node.form, sum(reals))
        elif node.kind == "multiply":
            own.output = self.output_map(node.form, reals[0] * reals[1])
        elif node.kind == "function":
            results = functions.REAL[node.function](reals[0].astype(np.float32))
            own.output = (functions.fixed_output(node.function, node.form) if node.fixed
                          else self.output_map(node.form, results))
        else:
            own.output = self.output_map(node.form, np.concatenate([r.ravel() for r in reals]))

    def draw_layer(self, index, node, tensors):
        """Weights, scales and biases of a linear layer. Return the reals of its sums, as large as activations' ends."""
        own, form, channels = self.numbers[index], node.weight, node.out[2]
        shape, before = tensors[node.inputs[0]].shape, self.numbers[node.inputs[0]].output
        depth = shape[1] * shape[2] * shape[3] if node.kind == "dense" else shape[3] // node.groups
        own.weights = self.random.integers(form.lowest, form.highest,
                                           (channels, *node.window.kernel, depth), endpoint=True)
        if self.random.random() < 0.2:
            own.weights = np.where(self.random.random(own.weights.shape) < 0.5, form.lowest, form.highest)
        per_channel = form.granularity == "per_channel"
        drawn = channels if per_channel else 1
        own.zeros = np.resize([self.zero(form) for _ in range(drawn)], channels)
        own.bias = np.zeros(channels, np.int64)
        own.bias = self.draw_bias(self.accumulate(index, node, tensors), own, node)
        sums = self.accumulate(index, node, tensors) * float(before.scale)
        unit = 10.0**self.random.uniform(0, 1.2) / (np.abs(sums).max() or 1.0)
        own.scales = np.resize([self.scale(unit * self.random.uniform(0.3, 1)) for _ in range(drawn)], channels)
        return sums * own.scales.astype(np.float64)

    def draw_bias(self, sums, own, node):
        """Around what centres the sums; now and then as large as the proof of the accumulators leaves room for."""
        before = self.nodes[node.inputs[0]].form
        low, high = numerics.accumulator_interval(own.weights[0].size, before, node.weight)
        room = min(low - INT32[0], INT32[1] - high)
        noise = self.random.normal(0, sums.std() / 2 + 1, len(own.bias))
        bias = np.clip(np.rint(noise - sums.mean(axis=(0, 1, 2))), -room, room).astype(np.int64)
        if self.random.random() < 0.05:
            bias[self.random.integers(len(bias))] = self.random.choice([-room, room])
        return bias

    # ---- running

    def accumulate(self, index, node, tensors):
        own, source = self.numbers[index], node.inputs[0]
        x, zero = tensors[source], self.numbers[source].output.zero
        if node.kind == "dense":
            x = x.reshape(len(x), 1, 1, -1)
        return numerics.convolution(x, zero, own.weights, own.zeros, own.bias, node.window, node.groups, node.out)

    def compute(self, index, node, tensors, scheme):
        own = self.numbers[index].output
        inputs = [tensors[i] for i in node.inputs]
        before = [self.numbers[i].output for i in node.inputs]
        clamp = numerics.clamp_of(node.applied, own, node.form)
        x = inputs[0] if inputs else None
        if node.kind == "input":
            return self.samples
        if node.is_linear:
            return self.linear(index, node, tensors, scheme, clamp)
        if node.kind == "add":
            forms = [self.nodes[i].form for i in node.inputs]
            return numerics.add(scheme, inputs, before, forms, own, clamp)
        if node.kind == "multiply":
            return numerics.multiply(scheme, inputs, before, own, clamp)
        if node.kind == "function":
            form = self.nodes[node.inputs[0]].form
            return functions.apply(scheme, node.function, x, before[0], form, own, node.form, node.fixed)
        if node.kind == "concat":
            parts = [numerics.rescale(scheme, part, m, own, clamp) for part, m in zip(inputs, before)]
            return np.concatenate(parts, axis=3)
        if node.kind == "convert":
            return numerics.rescale(scheme, x, before[0], own, clamp)
        if node.kind == "global_average_pool":
            return numerics.mean(scheme, x, before[0], own, clamp)
        if node.kind == "softmax":
            return numerics.softmax(x, before[0].scale, node.form)
        if node.kind in ("max_pool", "average_pool"):
            return getattr(numerics, node.kind)(x, node.window, node.out, clamp)
        return np.clip(self.moved(node, x, own.zero), *clamp)

    def linear(self, index, node, tensors, scheme, clamp):
        own, source = self.numbers[index], node.inputs[0]
        one_scale = node.weight.granularity == "per_tensor" or node.out[2] == 1
        rounds_product = one_scale and (node.kind == "dense" or self.nodes[source].form.lowest == 0)
        factors = numerics.linear_factors(scheme, self.numbers[source].output.scale, own.scales, own.output.scale,
                                          rounds_product)
        acc = self.accumulate(index, node, tensors)
        return np.stack([numerics.requantize(scheme, acc[..., c], factor, own.output.zero, clamp)
                         for c, factor in enumerate(factors)], axis=3)

    @staticmethod
    def moved(node, x, zero):
        """Operations that move integers, and activations, which leave them where they are."""
        if node.kind == "transpose":
            return x.transpose(0, *(axis + 1 for axis in node.axes))
        if node.kind == "pad":
            result = np.full((len(x), *node.out), zero, np.int64)
            top, left = node.window.before
            result[:, top:top + x.shape[1], left:left + x.shape[2]] = x
            return result
        if node.kind == "broadcast":
            return np.broadcast_to(x, (len(x), *node.out))
        if node.kind == "upsample":
            rows, columns = node.out[0] // x.shape[1], node.out[1] // x.shape[2]
            return x.repeat(rows, axis=1).repeat(columns, axis=2)
        return x.reshape(len(x), *node.out)
