#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Train a network small enough to run inside a compiler; write tests/execute/tiny_digits.hpp.

    8x8x1 -> 3x3 stride 2, 6 channels, ReLU -> 3x3 stride 2, 8 channels, ReLU -> dense 10

It is trained in float and quantized after training, with the definitions of docs/numerics.md written
down once more in NumPy: symmetric 8-bit weights with one scale an output channel, 8-bit activations
with a zero point and the range seen on the training images, int32 biases. The header holds the
integers, the first ten test images (one of each class), and the outputs that NumPy computes for them.

Needs Debian's python3-torch, python3-sklearn and python3-numpy. Every random choice comes from SEED, on
one thread.
"""

import argparse
import pathlib

import numpy as np

SEED = 20180623
CLASSES = 10
TEST_PER_CLASS = 60
CALIBRATION_PER_CLASS = 10
EPOCHS = 60
BATCH = 32
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-3
STRIDE = 2
CHANNELS = (6, 8)
IMAGES = 10


def split_indices(labels):
    """Return (train, calibration, test): shuffled, calibration a subset of train.

    Calibration and test hold equally many of each class, and so does each run of
    ten of their images: any prefix of a multiple of ten is balanced too.
    """
    random = np.random.RandomState(SEED)
    by_class = [random.permutation(np.flatnonzero(labels == c)) for c in range(CLASSES)]

    def balanced(begin, end):
        return np.concatenate(
            [random.permutation([of[i] for of in by_class]) for i in range(begin, end)]
        )

    test = balanced(0, TEST_PER_CLASS)
    calibration = balanced(TEST_PER_CLASS, TEST_PER_CLASS + CALIBRATION_PER_CLASS)
    train = random.permutation(np.concatenate([of[TEST_PER_CLASS:] for of in by_class]))
    return train, calibration, test


def preprocess(images):
    """Pixels 0..16 (uint8) to -1..1; exact in float32."""
    return images.astype(np.float32) / 8 - 1


def shifted(images, random):
    """Each image (N,8,8) moved by -1, 0 or 1 pixels in y and x; background comes in."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    moves = random.randint(0, 3, (len(images), 2))
    return np.stack([p[y : y + 8, x : x + 8] for p, (y, x) in zip(padded, moves)])


def train(torch, images, labels):
    """Float parameters, as (weight, bias) of each layer: convolutions OIHW, dense [out, in]."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    random = np.random.RandomState(SEED)
    nn = torch.nn
    # TensorFlow 'same' at stride 2 on an even extent pads the far side only.
    network = nn.Sequential(
        nn.ConstantPad2d((0, 1, 0, 1), 0.0),
        nn.Conv2d(1, CHANNELS[0], 3, STRIDE),
        nn.ReLU(),
        nn.ConstantPad2d((0, 1, 0, 1), 0.0),
        nn.Conv2d(CHANNELS[0], CHANNELS[1], 3, STRIDE),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * CHANNELS[1], CLASSES),
    )
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=EPOCHS * batches
    )
    for _ in range(EPOCHS):
        order = random.permutation(len(images))
        moved = shifted(images, random)
        for batch in range(batches):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            x = torch.from_numpy(moved[chosen][:, None])
            loss = nn.functional.cross_entropy(network(x), torch.from_numpy(labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    layers = [m for m in network if isinstance(m, (nn.Conv2d, nn.Linear))]
    return [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in layers]


def windows(x, pad_value):
    """The 3x3 stride 2 windows of images (N,H,W,C), padded below and right: (N,H/2,W/2,3,3,C)."""
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=pad_value)
    out = x.shape[1] // STRIDE
    rows = [
        [padded[:, y * STRIDE : y * STRIDE + 3, z * STRIDE : z * STRIDE + 3] for z in range(out)]
        for y in range(out)
    ]
    return np.stack([np.stack(row, 1) for row in rows], 1)


def float_layers(weights, x):
    """Every layer's output, channels last; `weights` in natural order (OHWI, dense [out, in])."""
    outputs = []
    for weight, bias in weights:
        if weight.ndim == 4:
            x = np.maximum(np.einsum("nyxklc,oklc->nyxo", windows(x, 0.0), weight) + bias, 0)
        else:
            x = x.reshape(len(x), -1) @ weight.T + bias
        outputs.append(x)
    return outputs


def half_away(x):
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def choose_affine(low, high):
    """Scale (float32) and zero point of unsigned bytes for a range."""
    low, high = np.float32(min(low, 0)), np.float32(max(high, 0))
    scale = (high - low) / np.float32(255)
    return scale, int(np.clip(half_away(-low / scale), 0, 255))


def quantize(weights, input_map, ranges):
    """Integers of each layer, given the range of each layer's output."""
    layers, before = [], input_map
    for (weight, bias), (low, high) in zip(weights, ranges):
        rows = weight.reshape(len(weight), -1)
        scales = np.abs(rows).max(1).astype(np.float32) / np.float32(127)
        integers = np.clip(half_away(rows / scales[:, None]), -127, 127).astype(np.int32)
        steps = np.float64(before[0]) * scales.astype(np.float64)
        layers.append(
            {
                "weight": integers.reshape(weight.shape),
                "scales": scales,
                "bias": half_away(bias.astype(np.float64) / steps).astype(np.int32),
                "output": choose_affine(low, high),
            }
        )
        before = layers[-1]["output"]
    return layers


def integer_layers(layers, input_map, x):
    """The last output of the integer network, bytes in, bytes out: the scheme float_multiplier."""
    before = input_map
    x = x.astype(np.int64)
    for index, layer in enumerate(layers):
        weight, last = layer["weight"].astype(np.int64), index + 1 == len(layers)
        if weight.ndim == 4:
            centred = windows(x - before[1], 0)
            acc = np.einsum("nyxklc,oklc->nyxo", centred, weight) + layer["bias"]
        else:
            acc = (x.reshape(len(x), -1) - before[1]) @ weight.T + layer["bias"]
        scale, zero_point = layer["output"]
        real = np.float64(before[0]) * layer["scales"].astype(np.float64) / np.float64(scale)
        scaled = np.rint(acc.astype(np.float32) * real.astype(np.float32)).astype(np.int64)
        x = np.clip(scaled + zero_point, 0 if last else zero_point, 255)
        before = layer["output"]
    return x


# ---------------------------------------------------------------- the header


def floating(value):
    """The shortest decimal that is this float32."""
    return str(np.float32(value)) + "F"


def array(kind, name, values, text):
    values = list(values)
    lines, line = [], "   "
    for value in values:
        item = f" {text(value)},"
        if len(line) + len(item) > 118:
            lines.append(line)
            line = "   "
        line += item
    lines.append(line)
    body = "\n".join(lines)[:-1]
    return f"inline constexpr std::array<{kind}, {len(values)}> {name}{{{{\n{body}}}}};\n"


def header(layers, input_map, images, labels, outputs, accuracy):
    names = ["first", "second", "head"]
    map_text = lambda m: f"{{{floating(m[0])}, {m[1]}}}"
    parts = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Generated by tools/train_tiny_digits.py: do not edit.",
        "#pragma once",
        "",
        "// clang-format off",
        "#include <statiq/numeric/affine.hpp>",
        "",
        "#include <array>",
        "#include <cstdint>",
        "",
        f"/// A classifier of 8 x 8 digits in {sum(l['weight'].size for l in layers)} weights. {accuracy}",
        "/// Weights are in natural order, symmetric, with one scale an output channel.",
        "/// Images and training data: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine",
        "/// Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0; pixels 0 to 16 of the set's test images.",
        "namespace tiny_digits {",
        "",
        f"inline constexpr statiq::affine input_map{map_text(input_map)}; ///< a pixel is its own integer",
        "",
    ]
    for name, layer in zip(names, layers):
        parts.append(array("std::int32_t", f"{name}_weight", layer["weight"].ravel(), str))
        parts.append(
            array("statiq::affine", f"{name}_weight_map", layer["scales"], lambda s: map_text((s, 0)))
        )
        parts.append(array("std::int32_t", f"{name}_bias", layer["bias"], str))
        parts.append(f"inline constexpr statiq::affine {name}_map{map_text(layer['output'])};\n")
    parts.append("/// Test images 0 to 9, one after another, and their classes.")
    parts.append(array("std::uint8_t", "images", images.ravel(), str))
    parts.append(array("int", "labels", labels, str))
    parts.append("/// The network's ten integer outputs for each image, as NumPy computes them.")
    parts.append(array("std::uint8_t", "outputs", outputs.ravel(), str))
    parts.append("} // namespace tiny_digits\n")
    return "\n".join(parts)


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "tests/execute/tiny_digits.hpp"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=default)
    arguments = parser.parse_args()

    import sklearn.datasets
    import torch

    bunch = sklearn.datasets.load_digits()
    pixels, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int64)
    train_set, _, test_set = split_indices(labels)
    images = preprocess(pixels)

    trained = train(torch, images[train_set], labels[train_set])
    natural = [(w.transpose(0, 2, 3, 1), b) for w, b in trained[:-1]]
    flattened, bias = trained[-1]
    by_pixel = flattened.reshape(CLASSES, CHANNELS[-1], 4).transpose(0, 2, 1)
    natural.append((by_pixel.reshape(flattened.shape), bias))

    seen = float_layers(natural, images[train_set][..., None])
    input_map = (np.float32(1 / 8), 8)
    layers = quantize(natural, input_map, [(y.min(), y.max()) for y in seen])

    logits = float_layers(natural, images[test_set][..., None])[-1]
    outputs = integer_layers(layers, input_map, pixels[test_set][..., None])
    right = [int((y.argmax(1) == labels[test_set]).sum()) for y in (logits, outputs)]
    accuracy = f"Of {len(test_set)} test images it knows {right[0]} in float, {right[1]} in these integers."
    print(accuracy)
    first = test_set[:IMAGES]
    print("first ten:", labels[first], outputs[:IMAGES].argmax(1))
    arguments.output.write_text(
        header(layers, input_map, pixels[first], labels[first], outputs[:IMAGES], accuracy)
    )


if __name__ == "__main__":
    main()
