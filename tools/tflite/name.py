# SPDX-License-Identifier: Apache-2.0
"""Blocks, and names for layers: conv0, dw1, pw1, block2.expand, fc."""

import dataclasses

from .compose import Block, Join, Layer, Reference
from .nodes import LINEAR

ROLES = ("separable", "bottleneck", "depthwise_separable", "convolutions", "layers", "shortcut", "branch<number>")


@dataclasses.dataclass
class Stack:
    """Layers after one another that make a known structure: what may repeat, and then becomes a function."""

    role: str  # one of ROLES
    layers: list
    index: int | None = None  # of dw<index> and pw<index>


def name(nodes, chain):
    """Return the chain with blocks and names, and statiq's name of every node."""
    named = _Namer(nodes).network(chain)
    return named, _Resolver(nodes).run(named)


class _Namer:
    def __init__(self, nodes):
        self.nodes = nodes
        self.last_linear = max((i for i, node in enumerate(nodes) if node.kind in LINEAR), default=None)
        self.last_plain = None  # of the network's own convolutions, where blocks come before it
        self.dense_count = sum(node.kind == "dense" for node in nodes)
        self.dense_seen = 0

    def _node(self, part):
        return self.nodes[part.node] if isinstance(part, Layer) else None

    # ---- what structures look like ------------------------------------------------------------------------------

    def _is_convolution(self, part):
        node = self._node(part)
        return node is not None and node.kind == "convolution"

    def _is_pointwise(self, part):
        node = self._node(part)
        return node is not None and node.is_pointwise

    def _is_depthwise(self, part):
        node = self._node(part)
        return node is not None and node.is_depthwise

    def _is_projection(self, part):
        return self._is_pointwise(part) and not self._node(part).activation and self._node(part).window.stride == (1, 1)

    def _is_bottleneck(self, parts):
        """MobileNetV2's: expand, filter each channel, project without activation."""
        return (
            len(parts) == 3
            and self._is_pointwise(parts[0])
            and bool(self._node(parts[0]).activation)
            and self._is_depthwise(parts[1])
            and self._is_projection(parts[2])
        )

    def _is_separable(self, parts):
        return len(parts) == 2 and self._is_depthwise(parts[0]) and self._is_pointwise(parts[1])

    def _has_bottlenecks(self, chain):
        if any(self._is_bottleneck(chain[i : i + 3]) for i in range(len(chain))):
            return True
        joins = [part for part in chain if isinstance(part, Join)]
        return any(self._has_bottlenecks(branch) for join in joins for branch in join.branches)

    # ---- the network --------------------------------------------------------------------------------------------

    def network(self, chain):
        projecting = self._has_bottlenecks(chain)
        units = [part for part in chain if isinstance(part, Join) or self._is_convolution(part)]
        starts_with_convolution = units and isinstance(units[0], Layer) and not self._is_depthwise(units[0])
        index = 0 if starts_with_convolution else 1
        features = [part for part in units if not self._scores(part)]
        if projecting and len(features) > 1 and isinstance(features[-1], Layer):
            self.last_plain = features[-1].node
        result, at = [], 0
        while at < len(chain):
            part = chain[at]
            length = 1
            if isinstance(part, Reference):
                result.append(part)
                index -= 1
            elif isinstance(part, Join):
                result.append(self._block(part, index))
            elif self._is_bottleneck(chain[at : at + 3]):
                length = 3
                result.append(Block(f"block{index}", [self._stack(chain[at : at + 3])]))
            elif self._is_separable(chain[at : at + 2]):
                length = 2
                pair = chain[at : at + 2]
                if projecting and self._is_projection(pair[1]):
                    result.append(Block(f"block{index}", [self._stack(pair)]))
                else:
                    result.append(self._separable(pair, index))
            else:
                result.append(self._single(part, index))
                index -= self._node(part).kind != "convolution"
            index += 1
            at += length
        return result

    def _block(self, join, index):
        if any(branch and not isinstance(branch[0], Reference) for branch in join.branches):
            return Block(f"block{index}", [self._join(join)])
        return Block(f"{'sum' if self.nodes[join.node].kind == 'add' else 'concat'}{index}", [join])

    def _single(self, part, index):
        node = self._node(part)
        if node.kind == "dense":
            self.dense_seen += 1
            part.name = "fc" if self.dense_count == 1 else f"fc{self.dense_seen}"
        elif node.kind == "convolution":
            if self._scores(part):
                part.name = "logits"
            elif part.node == self.last_plain:
                part.name = "conv_last"
            else:
                part.name = f"dw{index}" if node.is_depthwise else f"conv{index}"
        return part

    def _scores(self, part):
        """Whether a convolution is a network's classifier."""
        return self._is_pointwise(part) and self._node(part).out[:2] == (1, 1) and part.node == self.last_linear

    def _separable(self, pair, index):
        pair[0].name, pair[1].name = f"dw{index}", f"pw{index}"
        return Stack("separable", pair, index)

    # ---- inside blocks ------------------------------------------------------------------------------------------

    def _join(self, join):
        bodies = [branch for branch in join.branches if branch]
        pair = self.nodes[join.node].kind == "add" and len(bodies) == 2
        branches = []
        for i, branch in enumerate(join.branches):
            if len(bodies) < 2 or (pair and i == 0):
                branches.append(self._branch(branch))
            else:
                branches.append(self._named_branch(branch, "shortcut" if pair else f"branch{i + 1}"))
        return Join(join.node, branches)

    def _named_branch(self, chain, label):
        if len(chain) == 1 and isinstance(chain[0], Layer) and self._node(chain[0]).kind in LINEAR:
            chain[0].name = label
            return [Stack(label, chain)]
        parts = self._branch(chain)
        if isinstance(parts[0], Stack):
            parts[0].role = label
        return [Block(label, parts)] if len(chain) > 1 else parts

    def _branch(self, chain):
        if len(chain) > 1 and all(isinstance(part, Layer) for part in chain):
            return [self._stack(chain)]
        result, ordinal = [], 0
        for part in chain:
            ordinal += isinstance(part, Join) or (isinstance(part, Layer) and self._node(part).kind in LINEAR)
            if isinstance(part, Join):
                result.append(Block(f"join{ordinal}", [self._join(part)]))
            else:
                self._name_by_kind(part, ordinal)
                result.append(part)
        return result

    def _name_by_kind(self, part, ordinal):
        node = self._node(part)
        if node is not None and node.kind in LINEAR:
            part.name = f"{'fc' if node.kind == 'dense' else 'dw' if node.is_depthwise else 'conv'}{ordinal}"

    def _stack(self, layers):
        if self._is_bottleneck(layers):
            for part, label in zip(layers, ("expand", "depthwise", "project")):
                part.name = label
            return Stack("bottleneck", layers)
        if self._is_separable(layers):
            layers[0].name = "depthwise"
            layers[1].name = "project" if self._is_projection(layers[1]) else "pointwise"
            return Stack("depthwise_separable", layers)
        ordinal = 0
        for part in layers:
            ordinal += self._node(part).kind in LINEAR
            self._name_by_kind(part, ordinal)
        return Stack("convolutions" if all(part.name for part in layers) else "layers", layers)


class _Resolver:
    """Gives nodes the names that statiq's graph builder gives them, and references their labels."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.names = [""] * len(nodes)
        self.order = []  # (name, node), as built; the node is None where an activation still follows

    def run(self, chain):
        self._chain(chain, "")
        return self.names

    def _chain(self, chain, path):
        for part in chain:
            if isinstance(part, Layer):
                self._layer(part, _inside(path, part.name))
            elif isinstance(part, Stack):
                self._chain(part.layers, path)
            elif isinstance(part, Block):
                self._chain(part.chain, _inside(path, part.name))
            elif isinstance(part, Join):
                for branch in part.branches:
                    self._chain(branch, path)
                self._layer(part, path)
            else:
                self._refer(part)

    def _layer(self, part, path):
        node = self.nodes[part.node]
        self.names[part.node] = self._append(node.kind, path, None if node.activation else part.node)
        if node.activation:
            self._append(node.activation, path, part.node)

    def _append(self, kind, path, node):
        own = kind in LINEAR and path
        wanted = path if own else _inside(path, kind)
        taken = {name for name, _ in self.order}
        if wanted in taken:
            wanted = _inside(path, kind) if own else wanted
            ordinal = 2
            while f"{wanted}_{ordinal}" in taken:
                ordinal += 1
            wanted = f"{wanted}_{ordinal}"
        self.order.append((wanted, node))
        return wanted

    def _refer(self, reference):
        """The shortest label whose last layer so far is the one meant."""
        words = next(name for name, node in self.order if node == reference.node).split(".")
        for length in range(1, len(words) + 1):
            label = ".".join(words[:length])
            inside = [node for name, node in self.order if name == label or name.startswith(label + ".")]
            if inside and inside[-1] == reference.node:
                reference.label = label
                return
        raise AssertionError(f"no label for node {reference.node}")


def _inside(path, name):
    return f"{path}.{name}" if path and name else path or name
