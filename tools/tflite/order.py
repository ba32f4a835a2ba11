# SPDX-License-Identifier: Apache-2.0
"""In which order statiq's parameter files count a tensor's channels: include/statiq/io/channel_order.hpp in Python."""

import numpy as np

BEGINS_ANEW = ("input", "convolution", "dense")


def file_order(nodes, index):
    """Return, of each channel as files count them, the channel in memory; None where every order is right.

    Files flatten channel by channel, statiq pixel by pixel. Raises ValueError where channels of two orders are added.
    """
    node = nodes[index]
    natural = np.arange(node.out[2])
    if node.kind in BEGINS_ANEW:
        return natural
    if node.kind == "add":
        orders = [order for order in (file_order(nodes, i) for i in node.inputs) if order is not None]
        if any(not np.array_equal(orders[0], order) for order in orders):
            raise ValueError("tensors that are flattened differently are added")
        return orders[0] if orders else None
    if node.kind == "concat":
        starts = np.cumsum([0, *(nodes[i].out[2] for i in node.inputs)])
        return np.concatenate([start + _order(nodes, i) for start, i in zip(starts, node.inputs)])
    height, width, channels = nodes[node.inputs[0]].out
    if node.kind == "reshape" and channels != node.out[2]:
        if node.out[:2] != (1, 1):
            return natural
        pixels = np.arange(height * width)
        return (pixels[None, :] * channels + _order(nodes, node.inputs[0])[:, None]).reshape(-1)
    if node.kind == "transpose" and node.axes[2] != 2:
        return natural
    if node.kind == "broadcast" and channels != node.out[2]:
        return None
    return file_order(nodes, node.inputs[0])


def _order(nodes, index):
    order = file_order(nodes, index)
    return np.arange(nodes[index].out[2]) if order is None else order


def in_file_order(nodes, source, weight, groups=1):
    """Return weights [out, in / groups, ...] with their inputs as files count them. Raises ValueError as above."""
    order = _order(nodes, source)
    if np.array_equal(order, np.arange(len(order))):
        return weight
    if groups > 1:
        raise ValueError("groups read a flattened image, whose values files count in another order")
    return weight[:, order]
