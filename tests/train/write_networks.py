#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes networks.safetensors: outputs, gradients and moving statistics of two small networks by PyTorch, in float64.

Each network runs on one batch, by the batch's statistics and by moving ones. Parameters and inputs are floats, so that
both sides begin with the same numbers. Needs Debian's python3-torch and python3-numpy.
"""

import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn

BATCH = 4


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


class Separable(nn.Module):
    """Convolutions as in MobileNetV1, with and without strides."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "conv0": nn.Conv2d(3, 8, 3, 2, 1, bias=False),
                "dw1": nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False),
                "pw1": nn.Conv2d(8, 12, 1, bias=False),
                "dw2": nn.Conv2d(12, 12, 3, 2, 1, groups=12, bias=False),
                "pw2": nn.Conv2d(12, 16, 1, bias=False),
                "fc": nn.Linear(16, 5),
            }
        )
        convolutions = [name for name in self.layers if name != "fc"]
        self.norms = nn.ModuleDict({name: norm(self.layers[name].out_channels) for name in convolutions})

    def forward(self, x):
        for name in self.norms:
            x = nn.functional.relu6(self.norms[name](self.layers[name](x)))
        return self.layers["fc"](x.mean((2, 3)))


class Branches(nn.Module):
    """Sums, a concatenation, groups, dilation, pools and a flat batch norm."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "square": nn.Conv2d(4, 4, 3, 1, 1, bias=False),
                "point": nn.Conv2d(4, 4, 1, bias=False),
                "grouped": nn.Conv2d(4, 6, 3, 1, 2, dilation=2, groups=2),
                "strided": nn.Conv2d(10, 8, 3, 2, 1),
                "hidden": nn.Linear(8 * 2 * 2, 9, bias=False),
                "fc": nn.Linear(9, 4),
            }
        )
        self.norms = nn.ModuleDict(
            {
                "square": norm(4),
                "point": norm(4),
                "same": norm(4),
                "strided": norm(8),
                "hidden": nn.BatchNorm1d(9, eps=1e-5, momentum=0.1),
            }
        )

    def forward(self, x):
        layers, norms = self.layers, self.norms
        square = norms["square"](layers["square"](x))
        x = torch.relu(square + norms["point"](layers["point"](x)) + norms["same"](x))
        x = torch.cat([torch.relu(layers["grouped"](x)), nn.functional.max_pool2d(x, 3, 1, 1)], 1)
        x = nn.functional.relu6(norms["strided"](layers["strided"](x)))
        x = nn.functional.avg_pool2d(x, 2, 2)
        x = torch.relu(norms["hidden"](layers["hidden"](x.flatten(1))))
        return torch.softmax(layers["fc"](x), 1)


def tensors_of(prefix, network, gradients):
    """Every parameter, or its gradient, and every moving statistic, under statiq's names."""
    found = {}
    for name, layer in network.layers.items():
        for kind, tensor in layer.named_parameters():
            found[f"{prefix}.{name}.{kind}"] = tensor.grad if gradients else tensor
    for name, layer in network.norms.items():
        for kind, tensor in {"gamma": layer.weight, "beta": layer.bias}.items():
            found[f"{prefix}.{name}.bn.{kind}"] = tensor.grad if gradients else tensor
        found[f"{prefix}.{name}.bn.mean"] = layer.running_mean
        found[f"{prefix}.{name}.bn.var"] = layer.running_var
    return {name: tensor.detach().numpy().copy() for name, tensor in found.items()}


def run(name, network, image, outputs):
    network.double()
    with torch.no_grad():
        for kind, parameter in network.named_parameters():
            if kind.startswith("norms") and kind.endswith("weight"):
                parameter.uniform_(0.5, 1.5)
            elif kind.startswith("norms"):
                parameter.uniform_(-0.5, 0.5)
        for layer in network.norms.values():
            layer.running_mean.uniform_(-0.5, 0.5)
            layer.running_var.uniform_(0.5, 2)
        for tensor in list(network.parameters()) + [b for b in network.buffers() if b.is_floating_point()]:
            tensor.copy_(tensor.float().double())
    x = torch.rand(BATCH, *image, dtype=torch.float32).double() * 2 - 1
    factors = torch.rand(BATCH, outputs, dtype=torch.float32).double() * 2 - 1
    written = {
        f"{name}.input": x.permute(0, 2, 3, 1).numpy().astype("<f4"),
        f"{name}.factors": factors.numpy().astype("<f4"),
    }
    for key, value in tensors_of(name, network, gradients=False).items():
        written[key] = value.astype("<f4")
    for mode in ("moving", "batch"):  # the second one moves the statistics
        network.train(mode == "batch")
        network.zero_grad()
        result = network(x)
        (result * factors).sum().backward()
        written[f"{mode}.{name}.output"] = result.detach().numpy().copy()
        written.update(tensors_of(f"{mode}.{name}", network, gradients=True))
    return written


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        raw = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": {8: "F64", 4: "F32"}[tensor.dtype.itemsize],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    torch.manual_seed(20170413)
    tensors = run("separable", Separable(), (3, 12, 12), 5)
    tensors.update(run("branches", Branches(), (4, 8, 8), 4))
    write_safetensors(pathlib.Path(__file__).with_name("networks.safetensors"), tensors)
