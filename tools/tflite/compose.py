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


MOST_NESTED = 2  # joins in one another


def compose(nodes):
    """Return the chain that is the whole network.

    A join whose branches begin at one value and touch nothing else is written as branches. What is left is a sequence
    of layers and joins that refer to earlier ones.
    """
    return _Composer(nodes).network()


class _Composer:
    def __init__(self, nodes):
        self.nodes = nodes
        self.readers = [[] for _ in nodes]
        self.above = [None] * len(nodes)  # the last node on every way to a node: its immediate dominator
        for index, node in enumerate(nodes):
            for source in node.inputs:
                self.readers[source].append(index)
            if node.inputs:
                self.above[index] = node.inputs[0]
                for other in node.inputs[1:]:
                    self.above[index] = self._common(self.above[index], other)

    def _common(self, a, b):
        while a != b:
            if a > b:
                a = self.above[a]
            else:
                b = self.above[b]
        return a

    def _is_join(self, index):
        return self.nodes[index].kind in ("add", "concat")

    def network(self):
        nested, inside = {}, set()
        for index in reversed(range(len(self.nodes))):
            if self._is_join(index) and index not in inside:
                within = set()
                join = self._nest(index, within, MOST_NESTED)
                readers = {reader for node in within for reader in self.readers[node]}
                if join is not None and readers <= within | {index}:
                    nested[index] = join
                    inside |= within
        chain, last = [], None
        for index, node in enumerate(self.nodes):
            if index in inside:
                continue
            if self._is_join(index) and index not in nested:
                chain.append(Join(index, [[] if source == last else [Reference(source)] for source in node.inputs]))
            else:
                if self.above[index] != last:
                    chain.append(Reference(self.above[index]))
                chain.append(nested.get(index, Layer(index)))
            last = index
        return chain

    def _nest(self, index, within, depth):
        """Return a join as branches, or None where that takes a node twice. `within` gains the nodes inside."""
        if depth == 0:
            return None
        start = self.above[index]
        branches = [self._branch(start, end, within, depth) for end in self.nodes[index].inputs]
        if None in branches or not any(branches):
            return None
        if self.nodes[index].kind == "add":  # in any order: the body first, then what it is added to
            branches.sort(key=len, reverse=True)
        return Join(index, branches)

    def _branch(self, start, end, within, depth):
        branch = []
        while end != start:
            part = self._nest(end, within, depth - 1) if self._is_join(end) else Layer(end)
            if part is None or end in within:
                return None
            within.add(end)
            branch.append(part)
            end = self.above[end]
        return branch[::-1]
