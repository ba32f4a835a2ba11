# SPDX-License-Identifier: Apache-2.0
"""One layer in statiq's words."""

import collections


def choose_padding(nodes):
    """Decide how to write each window's padding: where several ways mean the same, the one most of the network uses."""
    for node in nodes:
        if node.window is not None:
            node.window.rule = None
            if node.kind != "convolution":
                node.window.rule = next(rule for rule in ("valid", "same") if rule in node.window.rules)
            elif {"same", "valid"} <= set(node.window.rules):
                node.window.rule = "same"
    while undecided := [node.window for node in nodes if node.window is not None and node.window.rule is None]:
        rules = collections.Counter(rule for window in undecided for rule in window.rules)
        names = {"same": 2, "valid": 1}
        commonest = max(rules, key=lambda rule: (rules[rule], names.get(rule, 0)))
        for window in undecided:
            if commonest in window.rules:
                window.rule = commonest


def slots(nodes, part):
    """Return the numbers of a layer that may be parameters of a function: name to (class, number)."""
    node = nodes[part.node]
    found = {}
    if node.kind in ("convolution", "dense"):
        if node.is_depthwise:
            found["multiplier"] = ("multiplier", node.out[2] // node.groups)
        else:
            found["out"] = ("channels", node.out[2])
            found["groups"] = ("groups", node.groups)
    if node.window is not None:
        window = node.window
        pairs = {"kernel": window.kernel, "dilation": window.dilation}
        if not _stride_is_kernel(node):
            pairs["stride"] = window.stride
        for name, (height, width) in pairs.items():
            found[f"{name}_h"], found[f"{name}_w"] = (name, height), (name, width)
    return found


def key(nodes, formats, part, index=None):
    """Return what two layers must share for a function to stand for both. A layer's own index is not part of it."""
    node = nodes[part.node]
    name = part.name if index is None else part.name.removesuffix(str(index))
    rule = node.window.rule if node.window is not None else None
    shape = tuple(slots(nodes, part)) or text(nodes, formats, part)
    return name, node.kind, node.is_pointwise, node.activation, node.bias is None, rule, formats.of(part.node), shape


def text(nodes, formats, part, values=None):
    """Return a layer without its activation. `values` gives slots other values than the layer's own numbers."""
    node = nodes[part.node]
    plain = _plain(node, {slot: number for slot, (_, number) in slots(nodes, part).items()} | (values or {}))
    numbers = formats.of(part.node)
    return f"sq::with<{numbers}>({plain})" if numbers else plain


def _plain(node, values):
    if node.kind == "reshape" and node.out[:2] == (1, 1):
        return "sq::flatten"
    arguments = {
        "input": node.out,
        "reshape": node.out,
        "broadcast": node.out,
        "transpose": node.axes,
        "pad": node.sides,
        "dense": (values.get("out"),),
    }.get(node.kind)
    if node.kind in ("convolution", "max_pool", "average_pool"):
        return _with_options(*_windowed(node, values))
    words = f"sq::{node.kind}" + (f"<{', '.join(map(str, arguments))}>" if arguments else "")
    return _with_options(words, ["sq::without_bias"] if node.kind == "dense" and node.bias is None else [])


def _windowed(node, values):
    """The layer's word, and its options where they are not the word's defaults."""
    default = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1)}
    rule = "same"
    if node.kind != "convolution":
        word, rule = f"sq::{node.kind}", "valid"
        default |= {"kernel": (2, 2), "stride": None}  # its kernel: see slots
    elif node.is_depthwise:
        word = "sq::depthwise" if values["multiplier"] == 1 else f"sq::depthwise_multiplied<{values['multiplier']}>"
        default["kernel"] = (3, 3)
    else:
        word = f"sq::{'pointwise' if node.is_pointwise else 'conv'}<{values['out']}>"
    options = []
    for name in ("kernel", "stride", "dilation"):
        pair = values.get(f"{name}_h"), values.get(f"{name}_w")
        if pair not in (default[name], (None, None)):
            options.append(f"sq::{name}<{_pair(*pair)}>")
    if node.window.rule != rule:
        options.append(_padding(node.window.rule))
    if values.get("groups", 1) != 1:
        options.append(f"sq::groups<{values['groups']}>")
    if node.kind == "convolution" and node.bias is None:
        options.append("sq::without_bias")
    return word, options


def _stride_is_kernel(node):
    """Whether a pool's stride is its default: its kernel, or any where there is but one window."""
    window = node.window
    if node.kind == "convolution":
        return False
    one_window = window.rule == "valid" and all(extent < 2 * k for extent, k in zip(window.extents, window.kernel))
    return window.stride == window.kernel or (one_window and node.out[:2] == (1, 1))


def _padding(rule):
    if isinstance(rule, str):
        return f"sq::{rule}"
    top, bottom, left, right = rule
    if (top, left) == (bottom, right):
        return f"sq::padding<{_pair(top, left)}>"
    return f"sq::padding_sides<{top}, {bottom}, {left}, {right}>"


def _pair(height, width):
    return f"{height}" if height == width else f"{height}, {width}"


def _with_options(word, options):
    return f"{word}({', '.join(options)})" if options else word
