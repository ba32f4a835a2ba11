#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compute what the digits network answers, in NumPy alone: write examples/data/digits_expected.safetensors.

The weights are those that the trainer (examples/train) leaves in digits.safetensors; nothing here
shares code with statiq. --report writes nothing, compares with the stored answers and prints the
batch norm's ranges. Needs Debian's python3-numpy.
"""

import argparse
import json
import pathlib
import struct

import numpy as np

BN_EPSILON = float(np.float32(1e-3))  # the network's is a float

# name, input channels, output channels, kernel size, stride, depthwise
LAYERS = (
    ("conv0", 1, 8, 3, 1, False),
    ("dw1", 8, 8, 3, 1, True),
    ("pw1", 8, 16, 1, 1, False),
    ("dw2", 16, 16, 3, 2, True),
    ("pw2", 16, 32, 1, 1, False),
    ("dw3", 32, 32, 3, 1, True),
    ("pw3", 32, 32, 1, 1, False),
)

DATA_LICENCE = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine "
    "Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0"
)


# ---------------------------------------------------------------- files


def write_safetensors(path, tensors, metadata):
    """Little-endian u64 header length, JSON header padded to 8 bytes, then the data."""
    names = {np.dtype("<f4"): "F32", np.dtype("<i4"): "I32"}
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        start = len(data)
        data += np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, len(data)],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    """Return (tensors, metadata) of a file of F32 and I32 tensors."""
    types = {"F32": "<f4", "I32": "<i4"}
    file = path.read_bytes()
    (length,) = struct.unpack_from("<Q", file)
    header = json.loads(file[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(file[start:end], types[entry["dtype"]]).reshape(
            entry["shape"]
        )
    return tensors, metadata


# ---------------------------------------------------------------- the network


def preprocess(images):
    """Pixels 0..16 (uint8) to -1..1; exact in float32."""
    return images.astype(np.float32) / 8 - 1


def reference_logits(weights, images):
    """Float64 logits from the stored tensors alone: channels last, batch norm unfolded.

    Shares no code with the training network: padding follows TensorFlow's formula from
    the extents, and a convolution is a plain sum over taps.
    """
    x = preprocess(images).astype(np.float64)
    for name, _, outputs, kernel, stride, depthwise in LAYERS:
        weight = weights[name + ".weight"].astype(np.float64)
        size = x.shape[1]
        out = -(-size // stride)
        total = max((out - 1) * stride + kernel - size, 0)
        y = np.zeros((len(x), out, out, outputs))
        for oy, ox, ky, kx in np.ndindex(out, out, kernel, kernel):
            iy, ix = oy * stride + ky - total // 2, ox * stride + kx - total // 2
            if 0 <= iy < size and 0 <= ix < size:
                pixel, tap = x[:, iy, ix], weight[:, :, ky, kx]
                y[:, oy, ox] += pixel * tap[:, 0] if depthwise else pixel @ tap.T
        gamma, beta, mean, var = (
            weights[f"{name}.bn.{key}"].astype(np.float64)
            for key in ("gamma", "beta", "mean", "var")
        )
        y = (y - mean) / np.sqrt(var + BN_EPSILON) * gamma + beta
        x = np.clip(y, 0, 6)
    pooled = x.mean((1, 2))
    return pooled @ weights["fc.weight"].astype(np.float64).T + weights["fc.bias"]


# ---------------------------------------------------------------- the answers


def answers(folder):
    """Return (weights, logits, labels) of the test images."""
    weights, _ = read_safetensors(folder / "digits.safetensors")
    logits = reference_logits(weights, np.load(folder / "digits_test_images.npy"))
    return weights, logits, np.load(folder / "digits_test_labels.npy")


def accuracy(logits, labels):
    right = int((logits.argmax(1) == labels).sum())
    return f"{right} of {len(labels)} test images ({100 * right / len(labels):.2f}%)"


def write(folder):
    _, logits, labels = answers(folder)
    print(accuracy(logits, labels))
    write_safetensors(
        folder / "digits_expected.safetensors",
        {
            "logits": logits.astype("<f4"),
            "predictions": logits.argmax(1).astype("<i4"),
        },
        {
            "what": "digits.safetensors on digits_test_images.npy: NumPy in float64, "
            "logits rounded to float32",
            "accuracy": accuracy(logits, labels),
            "data": DATA_LICENCE,
        },
    )


def report(folder):
    """Check the stored files against each other and print the batch norm's ranges."""
    weights, logits, labels = answers(folder)
    expected, metadata = read_safetensors(folder / "digits_expected.safetensors")
    print(f"stored:  {metadata['accuracy']}")
    print(f"now:     {accuracy(logits, labels)}")
    print(f"largest |logit - expected| {np.abs(logits - expected['logits']).max():.2e}")
    print(f"predictions that differ {(logits.argmax(1) != expected['predictions']).sum()}")

    print("\nlayer   alpha = gamma / sqrt(var + eps)   channel max |alpha w|   largest/smallest")
    for name, *_ in LAYERS:
        alpha = weights[name + ".bn.gamma"] / np.sqrt(weights[name + ".bn.var"] + BN_EPSILON)
        folded = np.abs(alpha * np.abs(weights[name + ".weight"]).max((1, 2, 3)))
        print(
            f"{name:6}  {alpha.min():10.3f} .. {alpha.max():<10.3f}"
            f"         {folded.min():8.3f} .. {folded.max():<8.3f}"
            f"   {folded.max() / folded.min():10.1f}"
        )


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "examples" / "data"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=pathlib.Path, default=default, help="default: examples/data"
    )
    parser.add_argument("--report", action="store_true", help="write nothing; compare and print")
    arguments = parser.parse_args()
    (report if arguments.report else write)(arguments.folder)


if __name__ == "__main__":
    main()
