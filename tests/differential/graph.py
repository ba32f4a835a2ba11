# SPDX-License-Identifier: Apache-2.0
"""Random small graphs: the C++ expression that a user would write, and the nodes it stands for.

Extents are inferred here a second time, by the rules of docs/weights.md and of TensorFlow's and PyTorch's padding.
"""
from dataclasses import dataclass, replace

import numpy as np

from numerics import INT32, Format, Window, accumulator_interval

ACTIVATIONS = ("relu", "relu6", "relu_n1_to_1")
# As C++ spells them. Those that need an exponential are as exact in float as the C library's is: few entries depend on it.
FUNCTIONS = {"sigmoid": "sigmoid", "tanh": "statiq::tanh", "hard_sigmoid": "hard_sigmoid", "hard_swish": "hard_swish",
             "elu": "elu", "leaky_relu": "leaky_relu<0.1>"}
CLAMPED = ("add", "multiply")  # joins that take an activation as their clamp


@dataclass
class Node:
    kind: str
    inputs: list
    out: tuple
    window: Window = Window()
    groups: int = 1
    axes: tuple = (0, 1, 2)
    fused: str = ""
    function: str = ""     # of a function of each value
    fixed: bool = False    # whether its output has fixed numbers
    form: Format = None    # of the output
    weight: Format = None  # of linear nodes

    @property
    def is_linear(self):
        return self.kind in ("convolution", "dense")

    @property
    def applied(self):
        return self.fused or (self.kind if self.kind in ACTIVATIONS else "")


# Their integers keep the input's scale and zero point.
KEEPING = ("max_pool", "average_pool", "reshape", "transpose", "pad", "broadcast", "upsample", *ACTIVATIONS)


@dataclass(frozen=True)
class Family:
    """The number formats of one program: they decide which kernels are compiled."""
    activations: tuple
    weights: tuple
    softmax: bool = True


def channelwise(bits, symmetry="symmetric"):
    return Format(bits, symmetry, "per_channel")


FAMILIES = (
    Family((Format(8, "asymmetric"),), (channelwise(8), Format(8, "symmetric"))),
    Family((Format(8, "asymmetric_signed"),), (channelwise(8), Format(8, "symmetric"))),
    Family((Format(8, "asymmetric"), Format(5, "asymmetric")), (channelwise(4), channelwise(8, "asymmetric"))),
    Family((Format(16, "asymmetric_signed"), Format(12, "symmetric")), (channelwise(8), Format(8, "symmetric")),
           softmax=False),
    Family((Format(7, "symmetric_full_range"), Format(8, "asymmetric_signed")), (Format(6, "asymmetric"), channelwise(2))),
    Family((Format(4, "asymmetric"), Format(8, "symmetric_unsigned")), (channelwise(5), Format(8, "asymmetric_signed"))),
)


class Draw:
    """One graph. `text` is the C++ expression, `nodes` the graph with activations fused into their producers."""

    def __init__(self, seed, family, nodes=14):
        self.random = np.random.default_rng(seed)
        self.family = family
        self.nodes = []
        self.text = self.body(nodes)
        self.nodes = fused(self.nodes)

    # ---- chance

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def chance(self, probability):
        return self.random.random() < probability

    def upto(self, low, high):
        return int(self.random.integers(low, high + 1))

    # ---- nodes

    def append(self, kind, inputs, out, form, **more):
        self.nodes.append(Node(kind, list(inputs), tuple(out), form=form, **more))
        return len(self.nodes) - 1

    @staticmethod
    def fits(products, before, weight):
        """Whether any sum of that many products is certain to be an int32."""
        low, high = accumulator_interval(products, before, weight)
        return low >= INT32[0] and high <= INT32[1]

    def formats(self):
        return self.pick(*self.family.weights), self.pick(*self.family.activations)

    def axis(self, size):
        """A window along one axis: kernel, stride, dilation, and how many values it spans."""
        kernel, dilation = self.upto(1, 5), self.pick(1, 1, 1, 2)
        reach = (kernel - 1) * dilation + 1
        if reach > size + 2:
            kernel, dilation, reach = 1, 1, 1
        return kernel, self.pick(1, 1, 2, 3), dilation, reach

    def window(self, size, is_pool):
        """A window over an image, its options in C++ and the output's extents."""
        rows, columns = self.axis(size[0]), self.axis(size[1])
        if is_pool:
            rows, columns = ((kernel, stride, 1, kernel) for kernel, stride, _, _ in (rows, columns))
        options = [f"kernel<{rows[0]}, {columns[0]}>", f"stride<{rows[1]}, {columns[1]}>"]
        if not is_pool:
            options.append(f"dilation<{rows[2]}, {columns[2]}>")
        before, out = [], []
        rule = self.pick("same", "valid", "sides")
        if rule == "valid" and (rows[3] > size[0] or columns[3] > size[1]):
            rule = "same"
        sides = []
        for (kernel, stride, _, reach), extent in zip((rows, columns), size):
            if rule == "same":
                out.append(-(-extent // stride))
                before.append(max(0, (out[-1] - 1) * stride + reach - extent) // 2)
                continue
            first = last = 0
            if rule == "sides":
                most = min(reach - 1, extent - 1)
                first, last = self.upto(0, most), self.upto(0, most)
                last += max(0, reach - extent - first - last)
                if is_pool and last >= kernel:
                    first, last = last // 2, last - last // 2
                sides += [first, last]
            before.append(first)
            out.append((extent + first + last - reach) // stride + 1)
        options.append("padding_sides<" + ", ".join(map(str, sides)) + ">" if rule == "sides" else rule)
        window = Window((rows[0], columns[0]), (rows[1], columns[1]), (rows[2], columns[2]), tuple(before))
        return window, ", ".join(options), tuple(out)

    # ---- parts of a body: each appends nodes behind `at` and returns its text and its last node

    def activated(self, text, at, probability=0.5):
        """Perhaps an activation of its own, which the library fuses where it can."""
        if not self.chance(probability):
            return text, at
        kind = self.pick(*ACTIVATIONS)
        node = self.nodes[at]
        return f"{text} | {kind}", self.append(kind, [at], node.out, node.form)

    def linear(self, at, channels=None):
        """A convolution of any kind; with `channels` the image keeps its size."""
        before = self.nodes[at]
        height, width, depth = before.out
        weight, form = self.formats()
        window, options, size = self.window((height, width), is_pool=False)
        if channels is not None:
            kernel = (self.pick(1, 3), self.pick(1, 3))
            window = Window(kernel, before=((kernel[0] - 1) // 2, (kernel[1] - 1) // 2))
            options, size = f"kernel<{kernel[0]}, {kernel[1]}>", (height, width)
        out = channels or self.pick(1, 3, 5, 8, 16, 17, 24, 33, 40)
        groups = 1
        if channels in (None, depth) and self.chance(0.35):
            multiplier = 1 if channels else self.pick(1, 1, 1, 2, 3)
            groups, out = depth, depth * multiplier
            text = f"depthwise_multiplied<{multiplier}>({options})"
        else:
            shared = [g for g in range(2, 9) if depth % g == 0 and out % g == 0 and g != depth]
            if shared and self.chance(0.3):
                groups = self.pick(*shared)
                options += f", groups<{groups}>"
            text = f"conv<{out}>({options})"
        if not self.fits(window.kernel[0] * window.kernel[1] * (depth // groups), before.form, weight):
            return self.rearranged(at)
        node = self.append("convolution", [at], (*size, out), form, window=window, groups=groups, weight=weight)
        text, node = self.activated(text, node)
        return f"with<{weight.name}, {form.name}>({text})", node

    def pool(self, at):
        before = self.nodes[at]
        kind = self.pick("max_pool", "average_pool")
        window, options, size = self.window(before.out[:2], is_pool=True)
        node = self.append(kind, [at], (*size, before.out[2]), before.form, window=window)
        return self.activated(f"{kind}({options})", node, 0.2)

    def rearranged(self, at):
        """Integers in other places or of another scale; else an activation of its own."""
        before = self.nodes[at]
        height, width, depth = before.out
        kind = self.pick("transpose", "pad", "upsample", "convert", "activation")
        if kind == "transpose":
            axes = tuple(int(a) for a in self.random.permutation(3))
            node = self.append("transpose", [at], [before.out[a] for a in axes], before.form, axes=axes)
            return f"transpose<{axes[0]}, {axes[1]}, {axes[2]}>", node
        if kind == "pad":
            top, bottom, left, right = (self.upto(0, 2) for _ in range(4))
            node = self.append("pad", [at], (height + top + bottom, width + left + right, depth), before.form,
                               window=Window(before=(top, left)))
            return f"pad<{top}, {bottom}, {left}, {right}>", node
        if kind == "upsample" and height * width <= 64:
            rows, columns = self.upto(1, 2), self.upto(1, 3)
            node = self.append("upsample", [at], (height * rows, width * columns, depth), before.form)
            return f"upsample<{rows}, {columns}>", node
        if kind == "convert":
            weight, form = self.formats()
            return f"with<{weight.name}, {form.name}>(convert)", self.append("convert", [at], before.out, form)
        return self.activated("identity", at, 1)

    def function(self, at):
        """A function of each value. Where tables have 16 bits, the last bit of float shows: no function that few C libraries
        round correctly."""
        before, (weight, form) = self.nodes[at], self.formats()
        wide = max(before.form.bits, form.bits) > 8
        name = self.pick(*(name for name in FUNCTIONS if not (wide and name in ("tanh", "elu"))))
        fixed = name in ("sigmoid", "tanh") and self.chance(0.6)
        word = f"with_fixed_numbers({FUNCTIONS[name]})" if fixed else FUNCTIONS[name]
        node = self.append("function", [at], before.out, form, function=name, fixed=fixed)
        return f"with<{weight.name}, {form.name}>({word})", node

    def product(self, at):
        """An image times itself, times another, or times a factor that is repeated over pixels or channels."""
        weight, form = self.formats()
        before = self.nodes[at]
        count_before = len(self.nodes)
        kind = self.pick("square", "excitation", "excitation", "mask", "image")
        text, end = "identity", at
        if kind == "excitation":
            end = self.append("global_average_pool", [at], (1, 1, before.out[2]), form)
            gate, end = self.function(end)
            text = f"with<{weight.name}, {form.name}>(global_average_pool) | {gate}"
        elif kind in ("mask", "image"):
            text, end = self.linear(at, 1 if kind == "mask" else before.out[2])
        factor, out = self.nodes[end], before.out
        fits = all(a == b or a == 1 for a, b in zip(factor.out, out)) and (factor.out[:2] in (out[:2], (1, 1)))
        # Products of 16-bit integers fit int32 where these have no zero points.
        if not fits or (form.bits > 8 and (before.form.has_zero_point or factor.form.has_zero_point)):
            del self.nodes[count_before:]
            return self.function(at)
        swapped = self.chance(0.5)
        texts, ends = ["identity", text], [at, end]
        if swapped:
            texts, ends = texts[::-1], ends[::-1]
        node = self.append("multiply", ends, out, form)
        text, node = self.activated(f"multiply({', '.join(texts)})", node, 0.3)
        return f"with<{weight.name}, {form.name}>({text})", node

    def joined(self, at):
        """A sum or a concatenation of branches over one tensor; its inputs are stored alike."""
        weight, form = self.formats()
        before = self.nodes[at]
        kind = self.pick("add", "concat")
        texts, ends, depth = [], [], 0
        for branch in range(self.pick(2, 2, 2, 3, 4)):
            channels = before.out[2] if kind == "add" else self.pick(3, 4, 8, 16)
            if branch and self.chance(0.3):
                text, end = "identity", at
            elif kind == "add" and self.chance(0.2):
                end = self.append("global_average_pool", [at], (1, 1, before.out[2]), form)
                end = self.append("broadcast", [end], before.out, form)
                text = (f"with<{weight.name}, {form.name}>(global_average_pool) | "
                        f"broadcast<{before.out[0]}, {before.out[1]}, {before.out[2]}>")
            else:
                count_before = len(self.nodes)
                text, end = self.linear(at, channels)
                out = self.nodes[end].out
                if out[:2] != before.out[:2] or (kind == "add" and out != before.out):
                    del self.nodes[count_before:]
                    text, end = "identity", at
            texts.append(text)
            ends.append(end)
            depth += self.nodes[end].out[2]
        out = before.out if kind == "add" else (*before.out[:2], depth)
        node = self.append(kind, ends, out, form)
        text, node = self.activated(f"{kind}({', '.join(texts)})", node, 0.4 if kind == "add" else 0)
        # The outer numbers are for the join: the branches' layers have their own.
        return f"with<{weight.name}, {form.name}>({text})", node

    def tail(self, at):
        """Down to a vector, and perhaps to probabilities."""
        texts = []
        weight, form = self.formats()
        size = int(np.prod(self.nodes[at].out))
        if not self.fits(size, self.nodes[at].form, weight) or size > 400 or self.chance(0.5):
            at = self.append("global_average_pool", [at], (1, 1, self.nodes[at].out[2]), form)
            texts.append(f"with<{weight.name}, {form.name}>(global_average_pool)")
        else:
            at = self.append("reshape", [at], (1, 1, size), self.nodes[at].form)
            texts.append("flatten")
        weight, form = self.formats()
        out = self.pick(1, 4, 10, 33, 70)
        is_dense = self.fits(self.nodes[at].out[2], self.nodes[at].form, weight)
        if is_dense:
            at = self.append("dense", [at], (1, 1, out), form, weight=weight)
            text, at = self.activated(f"dense<{out}>", at)
            texts.append(f"with<{weight.name}, {form.name}>({text})")
        if is_dense and self.family.softmax and self.chance(0.6):
            form = replace(self.family.activations[0], bits=8, symmetry=wide_symmetry(self.nodes[at].form))
            at = self.append("softmax", [at], self.nodes[at].out, form)
            texts.append(f"with<{weight.name}, {form.name}>(softmax)")
        return texts

    def body(self, nodes):
        weight, form = self.formats()
        shape = (self.upto(3, 10), self.upto(3, 10), self.pick(1, 2, 3, 5, 8, 16, 19))
        at = self.append("input", [], shape, form)
        texts = [f"with<{weight.name}, {form.name}>(input<{shape[0]}, {shape[1]}, {shape[2]}>)"]
        while len(self.nodes) < nodes:
            part = self.pick(self.linear, self.linear, self.linear, self.pool, self.rearranged, self.joined, self.joined,
                             self.function, self.product)
            if np.prod(self.nodes[at].out[:2]) > 200 or self.nodes[at].out[2] > 120:
                part = self.pool if self.nodes[at].out[2] <= 120 else self.linear
            text, at = part(at)
            texts.append(text)
        return "\n    | ".join(texts + self.tail(at))


def wide_symmetry(form):
    return "asymmetric" if form.lowest == 0 else "asymmetric_signed"


def fused(nodes):
    """An activation that alone reads a convolution, a dense layer, a sum or a product becomes its clamp."""
    readers = [sum(node.inputs.count(i) for node in nodes) for i in range(len(nodes))]
    result, moved = [], []
    for node in nodes:
        producer = result[moved[node.inputs[0]]] if node.inputs else None
        if (node.kind in ACTIVATIONS and readers[node.inputs[0]] == 1 and not producer.fused
                and (producer.is_linear or producer.kind in CLAMPED)):
            producer.fused = node.kind
            moved.append(moved[node.inputs[0]])
            continue
        moved.append(len(result))
        result.append(replace(node, inputs=[moved[i] for i in node.inputs]))
    return result
