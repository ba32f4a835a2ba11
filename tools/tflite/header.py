# SPDX-License-Identifier: Apache-2.0
"""The C++ header: number types, functions for what repeats, the network."""

import collections

from .compose import Block, Join, Layer, Reference
from .formats import Formats
from .layer import choose_padding, text
from .name import Stack
from .share import share

WIDTH = 120
DESCRIPTIONS = {
    "separable": "A depthwise and a pointwise convolution, dw<Index> and pw<Index>.",
    "bottleneck": "Expands the channels, filters each, projects them.",
    "depthwise_separable": "A depthwise and a pointwise convolution.",
    "convolutions": "What a block does beside its shortcut.",
    "shortcut": "Fits a block's input to its output.",
}


def header(graph, nodes, chain, network, namespace, parameters_file):
    """Return the text of the header."""
    choose_padding(nodes)
    formats = Formats(nodes)
    functions, calls = share(nodes, formats, chain)
    writer = _Writer(nodes, formats, calls)
    floating = nodes[-1].numbers is None
    lines = ["#pragma once", "", *_introduction(graph, nodes, network, parameters_file), ""]
    floats = ["graph/network", "operations/library"]
    numbers = ["graph/network", "numeric/number", "operations/library", "passes/choose_numbers", "passes/fuse_activations"]
    lines += [f"#include <statiq/{name}.hpp>" for name in (floats if floating else numbers)]
    lines += ["", f"namespace {namespace} {{", "", "namespace sq = statiq;", ""]
    lines += [f"using {alias} = {kind};" for alias, kind in formats.aliases] + [""] * bool(formats.aliases)
    for function in functions:
        lines += [*writer.function(function), ""]
    lines += [*writer.body(network, chain), ""]
    name, base = f"struct {network} final", f": sq::network<decltype({network}_body())> {{}};"
    lines += [f"{name} {base}"] if len(name) + len(base) < WIDTH else [name, f"    {base}"]
    if network != "network":
        lines.append(f"using network = {network};")
    if not floating:
        lines += ["", "/// The network with its activations fused and its numbers chosen: what the integers are for."]
        chosen = ", ".join(["sq::activations_fused<network>", *formats.numbers])
        lines.append(f"using numbers = sq::numbers_chosen<{chosen}>;")
    return "\n".join([*lines, "", f"}} // namespace {namespace}", ""])


def _introduction(graph, nodes, network, parameters_file):
    floating = nodes[-1].numbers is None
    count = collections.Counter(operator.kind for operator in graph.operators)
    words = f"Made from {graph.source} by statiq's tools/convert_tflite.py. Its operators:".split()
    words += [f"{number} {kind}," for kind, number in count.most_common()]
    words[-1] = f"{words[-1][:-1]}."
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > WIDTH - 4:
            lines.append("")
        lines[-1] += f" {word}"
    load = f"load<{network}>" if floating else "load_integers<numbers>"
    file = " ".join(parameters_file.split())  # a line break in its name would end the comment
    lines.append(f" Its {'parameters' if floating else 'integers'} are in {file}, for statiq::{load}.")
    if all(node.dtype == "INT8" for node in nodes if node.kind in ("convolution", "dense")) and not floating:
        lines.append(" Under statiq::gemmlowp they give the integers that TensorFlow Lite's reference kernels give.")
    return [f"//{line}" for line in lines]


class _Writer:
    def __init__(self, nodes, formats, calls):
        self.nodes = nodes
        self.formats = formats
        self.calls = calls

    # ---- functions and the network ------------------------------------------------------------------------------

    def function(self, function):
        parameters = [f"int {name}" for name in (["Index"] if function.indexed else []) + function.parameters]
        parts = []
        for place, part in enumerate(function.stack.layers):
            values = {slot: value for (at, slot), value in function.values.items() if at == place}
            name = f'"{part.name}"'
            if function.indexed:
                name = f'sq::label("{part.name.removesuffix(str(function.stack.index))}") + Index'
            parts.append(self._named(name if part.name else "", self._activated(part, text_values=values)))
        description = [f"/// {DESCRIPTIONS[function.role]}"] if function.role in DESCRIPTIONS else []
        template = [f"template <{', '.join(parameters)}>"] if parameters else []
        start = "    return "
        first, *others = _layout(("|", parts), len(start), WIDTH - 1)
        body = [start + first, *others]
        body[-1] += ";"
        return [*description, *template, f"constexpr auto {function.name}() {{", *body, "}"]

    def body(self, network, chain):
        """The network, one line for each of its parts, with the extents it has made."""
        lines = []
        chain = _with_references(chain)
        comments = [" x ".join(map(str, self.nodes[_last(part)].out)) for part in chain]
        width = WIDTH - len(" // ") - max(map(len, comments))
        for i, (part, comment) in enumerate(zip(chain, comments)):
            start = "    return " if i == 0 else "           | "
            made = _layout(self._part(part), len(start), width)
            made[0] = start + made[0]
            lines += [(line, "") for line in made[:-1]] + [(made[-1], comment)]
        lines[-1] = (lines[-1][0] + ";", lines[-1][1])
        column = max(len(line) for line, comment in lines if comment)
        aligned = [f"{line:{column}} // {comment}" if comment else line for line, comment in lines]
        return [f"constexpr auto {network}_body() {{", *aligned, "}"]

    # ---- expressions: text, ("|", expressions) or (call, expressions) -------------------------------------------

    def _chain(self, chain):
        parts = []
        for part in chain:
            made = self._part(part)
            parts += made[1] if isinstance(made, tuple) and made[0] == "|" else [made]
        return parts[0] if len(parts) == 1 else ("|", parts)

    def _part(self, part):
        if isinstance(part, list):
            return self._chain(part)
        if isinstance(part, Layer):
            return self._named(f'"{part.name}"' if part.name else "", self._activated(part))
        if isinstance(part, Block):
            return self._named(f'"{part.name}"', self._chain(part.chain))
        if isinstance(part, Join):
            return self._join(part)
        if isinstance(part, Stack):
            return self._call(self.calls[id(part)]) if id(part) in self.calls else self._chain(part.layers)
        return f'sq::from<"{part.label}">'

    def _call(self, call):
        arguments = f"<{', '.join(map(str, call.arguments))}>" if call.arguments else ""
        return f"{call.function.name}{arguments}()"

    def _named(self, name, expression):
        return (f"sq::named<{name}>", [expression]) if name else expression

    def _activated(self, part, text_values=None):
        plain = text(self.nodes, self.formats, part, text_values)
        activation = self.nodes[part.node].activation
        return ("|", [plain, f"sq::{activation}"]) if activation else plain

    def _join(self, join):
        node = self.nodes[join.node]
        branches = [self._chain(branch) if branch else "sq::identity" for branch in join.branches]
        bodies = [branch for branch in join.branches if branch and not isinstance(branch[0], Reference)]
        if node.kind == "add" and len(branches) == 2 and branches[1] == "sq::identity" and bodies:
            joined = ("sq::residual", branches[:1])
        else:
            joined = (f"sq::{node.kind}", branches)
        return ("|", [joined, f"sq::{node.activation}"]) if node.activation else joined


def _with_references(chain):
    """The chain with every reference and the part that reads it as one part."""
    parts = []
    for part in chain:
        if parts and isinstance(parts[-1], Reference):
            parts[-1] = [parts[-1], part]
        else:
            parts.append(part)
    return parts


def _last(part):
    """The node whose value a part has."""
    if isinstance(part, list):
        return _last(part[-1])
    if isinstance(part, Block):
        return _last(part.chain[-1])
    return part.layers[-1].node if isinstance(part, Stack) else part.node


def _flat(expression):
    if isinstance(expression, str):
        return expression
    head, parts = expression
    if head == "|":
        return " | ".join(_flat(part) for part in parts)
    return f"{head}({', '.join(_flat(part) for part in parts)})"


def _layout(expression, column, width):
    """Lines of an expression whose first begins at a column; the others are indented. One more character fits."""
    flat = _flat(expression)
    if isinstance(expression, str) or column + len(flat) < width:
        return [flat]
    head, parts = expression
    lines = []
    if head == "|":
        for i, part in enumerate(parts):
            made = _layout(part, column, width)
            made[-1] += " |" if i + 1 < len(parts) else ""
            lines += made if i == 0 else [" " * column + made[0], *made[1:]]
        return lines
    inner = column + len(head) + 1
    for i, part in enumerate(parts):
        made = _layout(part, inner, width)
        made[-1] += "," if i + 1 < len(parts) else ")"
        lines += [f"{head}({made[0]}", *made[1:]] if i == 0 else [" " * inner + made[0], *made[1:]]
    return lines
