#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes predictions.json: what real networks predict when they are quantized, by NumPy alone.

It is written from docs/numerics.md and shares nothing with the C++ code: batch norm is folded in double, weights,
biases and activations are rounded to their integers and computed with as reals.

Two right implementations differ by the roundings of float sums, which decide ties, and these move scores. So each network
is run a second time with its ranges longer by a millionth, and the move of a score has a standard deviation d. That of the
difference of two scores is sqrt(2) d. Where the best two scores are nearer to each other than four of these, roundings may
decide: -1 - class is written instead of the class.

Run as write_predictions.py DATA, where DATA is the folder that STATIQ_DATA names.
"""
import json
import pathlib
import struct
import sys

import numpy as np

DATA = pathlib.Path(sys.argv[1])
BATCH = 20


def read_safetensors(path):
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32"
        tensors[name] = np.frombuffer(content[8 + size + begin:8 + size + end], "<f4").reshape(entry["shape"])
    return tensors


class Layer:
    """A convolution (weights out, in, row, column) or the dense layer, with what follows it."""

    def __init__(self, weight, bias, stride=1, same=True, highest=None):
        self.weight, self.bias, self.stride, self.same, self.highest = weight, bias, stride, same, highest

    def run(self, x):
        if self.weight.ndim == 2:
            return x @ self.weight.T + self.bias
        out, depth, kernel, _ = self.weight.shape
        size = -(-x.shape[1] // self.stride)
        # TensorFlow's 'same' puts the odd one behind; PyTorch's padding=1 is one all round.
        total = max(0, (size - 1) * self.stride + kernel - x.shape[1])
        before = total // 2 if self.same else (kernel - 1) // 2
        padded = np.pad(x, ((0, 0), (before, kernel), (before, kernel), (0, 0)))
        y = np.broadcast_to(self.bias, (len(x), size, size, out)).astype(np.float32)
        for row in range(kernel):
            for column in range(kernel):
                taps = padded[:, row:row + self.stride * size:self.stride, column:column + self.stride * size:self.stride]
                taps = taps[:, :size, :size]
                weight = self.weight[:, :, row, column]
                y += taps * weight[:, 0] if depth == 1 and out == x.shape[3] else taps @ weight.T
        return np.clip(y, 0, self.highest) if self.highest else y


def mobilenet_v1(path):
    """Batch norm folded."""
    stored = read_safetensors(path)

    def folded(name, stride):
        norm = {key: stored[f"{name}.bn.{key}"].astype(np.float64) for key in ("gamma", "beta", "mean", "var")}
        alpha = norm["gamma"] / np.sqrt(norm["var"] + float(np.float32(1e-3)))
        weight = stored[f"{name}.weight"] * alpha[:, None, None, None]
        bias = norm["beta"] - alpha * norm["mean"]
        return Layer(weight.astype(np.float32), bias.astype(np.float32), stride, highest=6)

    layers = [folded("conv0", 2)]
    for index, stride in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1), 1):
        layers += [folded(f"dw{index}", stride), folded(f"pw{index}", 1)]
    return layers, Layer(stored["fc.weight"], stored["fc.bias"])


def mobileone(path):
    stored = read_safetensors(path)
    names = dict.fromkeys(name.rsplit(".", 1)[0] for name in stored if name.startswith("stage"))
    layers = []
    for name in names:
        first = name == "stage0" or name.endswith(".0")
        layers.append(Layer(stored[f"{name}.weight"], stored[f"{name}.bias"], 2 if first else 1, same=False, highest=np.inf))
    return layers, Layer(stored["fc.weight"], stored["fc.bias"])


def half_away(x):
    return np.trunc(x + np.copysign(np.float32(0.5), x))


def affine(low, high):
    """Scale and zero point of 8 bits between these ends, or of several ranges in arrays."""
    low, high = np.minimum(low, 0).astype(np.float32), np.maximum(high, 0).astype(np.float32)
    scale = (high - low) / np.float32(255)
    scale = np.where(scale > 0, scale, np.float32(1))
    return scale, np.clip(half_away(-low / scale), 0, 255)


def rounded(x, low, high):
    scale, zero = affine(low, high)
    return scale * (np.clip(half_away(x / scale) + zero, 0, 255) - zero)


# Of weights: what they are after rounding, and the scale of each channel.


def asymmetric_tensor(weight):
    ends = weight.min(), weight.max()
    return rounded(weight, *ends), affine(*ends)[0]


def asymmetric_channel(weight):
    axes = tuple(range(1, weight.ndim))
    ends = weight.min(axes, keepdims=True), weight.max(axes, keepdims=True)
    return rounded(weight, *ends), affine(*ends)[0].ravel()


def symmetric_channel(weight):
    largest = np.abs(weight).max(tuple(range(1, weight.ndim)), keepdims=True)
    largest = np.where(largest > 0, largest, np.float32(127))
    scale = largest / np.float32(127)
    return half_away(weight * (np.float32(127) / largest)) * scale, scale.ravel()


def quantized(layer, weights, ends):
    """@param ends of the layer's inputs, or None: these and the bias stay reals"""
    weight, scale = weights(layer.weight)
    bias = layer.bias
    if ends is not None:
        unit = affine(*map(np.float32, ends))[0].astype(np.float64) * scale
        bias = (half_away(bias / unit) * unit).astype(np.float32)
    return Layer(weight, bias, layer.stride, layer.same, layer.highest)


def walk(network, x, visit):
    """Each tensor on its way through `visit(index, tensor)`, which may replace it."""
    layers, head = network
    x = visit(0, x)
    for index, layer in enumerate(layers, 1):
        x = visit(index, layer.run(x))
    x = visit(len(layers) + 1, x.mean(axis=(1, 2), dtype=np.float64).astype(np.float32))
    return visit(len(layers) + 2, head.run(x))


def ranges(network, images):
    ends = {}

    def observe(index, x):
        low, high = ends.get(index, (np.inf, -np.inf))
        ends[index] = (min(low, x.min()), max(high, x.max()))
        return x

    for first in range(0, len(images), BATCH):
        walk(network, images[first:first + BATCH], observe)
    return ends


def scores(network, images, weights, ends=None):
    """@param ends of the activations, or None: they stay reals"""
    layers, head = network
    before = [None] * (len(layers) + 2) if ends is None else [ends[i] for i in range(len(layers) + 2)]
    network = ([quantized(layer, weights, e) for layer, e in zip(layers, before)], quantized(head, weights, before[-1]))
    visit = (lambda index, x: x) if ends is None else (lambda index, x: rounded(x, *map(np.float32, ends[index])))
    return np.concatenate([walk(network, images[first:first + BATCH], visit) for first in range(0, len(images), BATCH)])


def predictions(network, images, weights, ends=None):
    found = scores(network, images, weights, ends)
    move = 1e-4 * found.std()  # of float sums alone
    if ends is not None:
        longer = {index: (low * (1 + 1e-6), high * (1 + 1e-6)) for index, (low, high) in ends.items()}
        move = (scores(network, images, weights, longer) - found).std()
    best = np.sort(found, axis=1)[:, -2:]
    classes = found.argmax(axis=1)
    return np.where(best[:, 1] - best[:, 0] > 4 * np.sqrt(2) * move, classes, -1 - classes).tolist()


def main():
    pixels = np.load(DATA / "images/imagenet_val163_224_u8_nhwc.npy")
    labels = np.load(DATA / "images/imagenet_val163_labels_i32.npy")
    plain = (pixels / 127.5 - 1).astype(np.float32)
    normalized = ((pixels / 255 - [.485, .456, .406]) / [.229, .224, .225]).astype(np.float32)
    weights = DATA / "weights"
    result = {}

    def add(name, network, images, rounding, ends):
        result[name] = predictions(network, images, rounding, ends)
        classes = np.array(result[name])
        right = np.where(classes < 0, -1 - classes, classes) == labels
        print(f"{name}: {right.sum()} right, {(classes < 0).sum()} undecided", flush=True)

    for width in ("0.25", "0.75"):
        network = mobilenet_v1(weights / f"mobilenet_v1_{width}_224_bn.safetensors")
        add(f"mobilenet_v1_{width}, per channel", network, plain, asymmetric_channel, ranges(network, plain[:40]))
    network = mobileone(weights / "mobileone_s0_deploy.safetensors")
    ends = ranges(network, normalized[:100])
    add("mobileone_s0, weights per tensor", network, normalized, asymmetric_tensor, None)
    add("mobileone_s0, weights per channel", network, normalized, asymmetric_channel, None)
    add("mobileone_s0, per tensor", network, normalized, asymmetric_tensor, ends)
    add("mobileone_s0, symmetric per channel", network, normalized, symmetric_channel, ends)
    lines = [f"{json.dumps(name)}: {json.dumps(classes)}" for name, classes in result.items()]
    (pathlib.Path(__file__).parent / "predictions.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
