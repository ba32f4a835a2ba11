# SPDX-License-Identifier: Apache-2.0
"""Structures that repeat become functions; what differs between the places becomes their parameters."""

import dataclasses

from .compose import Block, Join
from .layer import key, slots
from .name import Stack

CLASSES = ("channels", "multiplier", "groups", "kernel", "dilation", "stride")


@dataclasses.dataclass
class Function:
    name: str
    role: str
    stack: Stack  # one of those it stands for
    parameters: list  # of names
    values: dict  # (layer's place in the stack, slot) to a parameter's name or a number
    indexed: bool


@dataclasses.dataclass
class Call:
    function: Function
    arguments: list


def share(nodes, formats, chain):
    """Return the functions and, by a stack's identity, the call that stands for it."""
    groups = {}
    for stack in _stacks(chain):
        identity = (stack.role, *(key(nodes, formats, part, stack.index) for part in stack.layers))
        groups.setdefault(identity, []).append(stack)
    functions, calls = [], {}
    for group in groups.values():
        if len(group) < 2:
            continue
        function, arguments = _function(nodes, group)
        if len(group[0].layers) == 1 and not function.parameters:
            continue
        same = sum(other.role == function.role for other in functions)
        function.name = function.role if same == 0 else f"{function.role}_{same + 1}"
        functions.append(function)
        for stack, values in zip(group, arguments):
            calls[id(stack)] = Call(function, values)
    return functions, calls


def _stacks(chain):
    for part in chain:
        if isinstance(part, Stack):
            yield part
        elif isinstance(part, Block):
            yield from _stacks(part.chain)
        elif isinstance(part, Join):
            for branch in part.branches:
                yield from _stacks(branch)


def _function(nodes, group):
    """A function for stacks that differ in numbers only, and each one's arguments."""
    found = {}  # (class, its numbers over the group) to where they stand
    values = {}
    for place, part in enumerate(group[0].layers):
        for slot, (kind, _) in slots(nodes, part).items():
            numbers = tuple(slots(nodes, stack.layers[place])[slot][1] for stack in group)
            values[place, slot] = numbers[0]
            if len(set(numbers)) > 1:
                found.setdefault((kind, numbers), []).append((place, slot))
    indexed = group[0].index is not None
    parameters, arguments = [], [[stack.index] if indexed else [] for stack in group]
    for (kind, numbers), places in sorted(found.items(), key=lambda item: CLASSES.index(item[0][0])):
        parameter = _parameter_name(group[0], kind, places, [k for k, _ in found].count(kind) == 1, parameters)
        parameters.append(parameter)
        values.update(dict.fromkeys(places, parameter))
        for argument, number in zip(arguments, numbers):
            argument.append(number)
    return Function("", group[0].role, group[0], parameters, values, indexed), arguments


def _parameter_name(stack, kind, places, alone, taken):
    layer = stack.layers[places[-1][0]]
    label = "".join(word.capitalize() for word in layer.name.split("_"))
    if kind == "channels":
        if layer.name == "expand":
            wanted = "Expanded"
        elif layer is stack.layers[-1] and (len(stack.layers) > 1 or not alone) and len(places) == 1:
            wanted = "OutChannels"
        else:
            wanted = "Channels" if alone else f"{label}Channels"
    else:
        wanted = kind.capitalize()
        ways = {slot.rpartition("_")[2] for _, slot in places}
        if kind in ("kernel", "stride", "dilation") and len(ways) == 1:
            wanted += {"h": "Height", "w": "Width"}[ways.pop()]
    while wanted in taken:
        wanted = f"{label}{wanted}" if not wanted.startswith(label) else f"{wanted}{len(taken) + 1}"
    return wanted
