# SPDX-License-Identifier: Apache-2.0
"""The layers' graph as statiq composes it: chains, joins of branches, and references to earlier layers.

A chain is a list of parts, each reading the one before; the first reads what the chain is applied to."""

import dataclasses


@dataclasses.dataclass
class Layer:
    """One node, and the activation fused into it."""

    node: int
    name: str = ""


@dataclasses.dataclass
class Join:
    """Branches over one value, joined by node `node`."""

    node: int
    branches: list  # of chains; an empty one hands the value on


@dataclasses.dataclass
class Block:
    """named<name>(chain)"""

    name: str
    chain: list


@dataclasses.dataclass
class Reference:
    """Continues from an earlier node, wherever that stands."""

    node: int
    label: str = ""


def compose(nodes):
    """Return the chain that is the whole network.

    A join's branches begin at the last node that every path to it goes through (its immediate dominator). What more
    than one branch needs is written in the first of them; the others refer to it.
    """
    return _Composer(nodes).chain(None, len(nodes) - 1)


class _Composer:
    def __init__(self, nodes):
        self.nodes = nodes
        self.placed = set()
        self.above = [None] * len(nodes)  # immediate dominators
        for index, node in enumerate(nodes):
            if node.inputs:
                common = node.inputs[0]
                for other in node.inputs[1:]:
                    common = self._common(common, other)
                self.above[index] = common

    def _common(self, a, b):
        while a != b:
            if a > b:
                a = self.above[a]
            else:
                b = self.above[b]
        return a

    def _path(self, start, end):
        """The nodes that every way from start to end goes through, without start."""
        path = []
        while end != start:
            path.append(end)
            end = self.above[end]
        return path[::-1]

    def chain(self, start, end):
        path = self._path(start, end)
        chain = []
        known = [i for i, node in enumerate(path) if node in self.placed]
        if known:
            chain.append(Reference(path[known[-1]]))
            path = path[known[-1] + 1 :]
        for index in path:
            node = self.nodes[index]
            if node.kind in ("add", "concat"):
                chain.append(Join(index, self._branches(index, node)))
            else:
                chain.append(Layer(index))
            self.placed.add(index)
        return chain

    def _branches(self, index, node):
        start = self.above[index]
        ends = list(node.inputs)
        if node.kind == "add":  # in any order: the body first, then what it is added to
            ends.sort(key=lambda end: -len(self._path(start, end)))
        return [self.chain(start, end) for end in ends]
