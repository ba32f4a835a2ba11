#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes optimizers.safetensors: PyTorch's optimizers in float64 on recorded gradients.

The gradients are given, not computed, so that nothing but the update is compared. Needs
Debian's python3-torch and python3-numpy.
"""

import json
import pathlib
import struct

import numpy as np
import torch

STEPS = 40
VALUES = 7


def trajectories():
    random = np.random.default_rng(20181031)
    start = random.normal(size=VALUES)
    # Sizes from 1e-6 to 1e2, a value whose gradient is always zero, and signs that change.
    gradients = random.normal(size=(STEPS, VALUES)) * 10.0 ** np.linspace(-6, 2, VALUES)
    gradients[:, 3] = 0
    rates = 0.1 * 0.95 ** np.arange(STEPS)
    makers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=1.0),
        "momentum": lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.8, nesterov=True),
        "adam": lambda p: torch.optim.Adam(p, lr=1.0),
        "adam_fast": lambda p: torch.optim.Adam(p, lr=1.0, betas=(0.5, 0.9), eps=1e-3),
    }
    written = {"start": start, "gradients": gradients, "rates": rates}
    for name, maker in makers.items():
        parameter = torch.tensor(start, requires_grad=True)
        optimizer = maker([parameter])
        after = []
        for gradient, rate in zip(gradients, rates):
            optimizer.param_groups[0]["lr"] = rate
            parameter.grad = torch.tensor(gradient)
            optimizer.step()
            after.append(parameter.detach().numpy().copy())
        written[name] = np.array(after)
    return written


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, dtype="<f8").tobytes()
        header[name] = {
            "dtype": "F64",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    write_safetensors(pathlib.Path(__file__).with_name("optimizers.safetensors"), trajectories())
