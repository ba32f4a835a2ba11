#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Train the demo network "digits" and write examples/data/.

The network is a small depthwise-separable classifier of 8x8 digits, trained
with batch norm kept apart from the weights so that folding it is left to
statiq. Every random choice comes from SEED, on one thread, so a second run on
the same machine and packages writes the same bytes; another processor or
PyTorch may round differently and train to slightly different weights.

Needs Debian's python3-torch, python3-sklearn and python3-numpy; --report needs
NumPy alone.
"""

import argparse
import json
import pathlib
import struct

import numpy as np

SEED = 20180623
EPOCHS = 100
BATCH = 32
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-4
BN_EPSILON = 1e-3
CLASSES = 10
TEST_PER_CLASS = 60
CALIBRATION_PER_CLASS = 10

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
FEATURES = LAYERS[-1][2]

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


# ---------------------------------------------------------------- data


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


# ---------------------------------------------------------------- training


def build(torch):
    """The network as a torch module on NCHW input."""
    nn = torch.nn

    class Digits(nn.Module):
        def __init__(self):
            super().__init__()
            for name, inputs, outputs, kernel, stride, depthwise in LAYERS:
                convolution = nn.Conv2d(
                    inputs, outputs, kernel, stride, bias=False, groups=inputs if depthwise else 1
                )
                self.add_module(name, convolution)
                self.add_module(name + "_bn", nn.BatchNorm2d(outputs, eps=BN_EPSILON))
            self.fc = nn.Linear(FEATURES, CLASSES)

        def forward(self, x):
            for name, _, _, kernel, stride, _ in LAYERS:
                # TensorFlow 'same' on an even extent: stride 2 pads the far side only.
                total = kernel - stride if kernel > 1 else 0
                near, far = total // 2, total - total // 2
                x = nn.functional.pad(x, (near, far, near, far))
                x = getattr(self, name + "_bn")(getattr(self, name)(x))
                x = nn.functional.relu6(x)
            return self.fc(x.mean((2, 3)))

    return Digits()


def shifted(images, random):
    """Each image (N,8,8) moved by -1, 0 or 1 pixels in y and x; background comes in."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    moves = random.randint(0, 3, (len(images), 2))
    return np.stack([p[y : y + 8, x : x + 8] for p, (y, x) in zip(padded, moves)])


def train(torch, images, labels):
    """Train on float images (N,8,8) and return the network of the last step."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    random = np.random.RandomState(SEED)
    network = build(torch)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    batches = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=EPOCHS * batches
    )
    network.train()
    for epoch in range(EPOCHS):
        order = random.permutation(len(images))
        moved = shifted(images, random)
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            x = torch.from_numpy(moved[chosen][:, None])
            loss = torch.nn.functional.cross_entropy(network(x), torch.from_numpy(labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:3d}  training loss {total / batches:.4f}", flush=True)
    return network.eval()


def named_weights(network):
    """The network's parameters under the file's names, float32."""

    def array(tensor):
        return tensor.detach().numpy().astype("<f4")

    weights = {}
    for name, *_ in LAYERS:
        norm = getattr(network, name + "_bn")
        weights[name + ".weight"] = array(getattr(network, name).weight)
        weights[name + ".bn.gamma"] = array(norm.weight)
        weights[name + ".bn.beta"] = array(norm.bias)
        weights[name + ".bn.mean"] = array(norm.running_mean)
        weights[name + ".bn.var"] = array(norm.running_var)
    weights["fc.weight"] = array(network.fc.weight)
    weights["fc.bias"] = array(network.fc.bias)
    return weights


def generate(folder):
    """Train and write every file."""
    import sklearn.datasets
    import torch

    bunch = sklearn.datasets.load_digits()
    images, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int64)
    train_set, calibration_set, test_set = split_indices(labels)

    network = train(torch, preprocess(images[train_set]), labels[train_set])
    weights = named_weights(network)

    # In float64, so that the reference is the float32 weights' exact answer but for the
    # last rounding, whatever the processor's float32 summation order.
    with torch.no_grad():
        x = torch.from_numpy(preprocess(images[test_set])[:, None]).double()
        logits = network.double()(x).numpy()
    predictions = logits.argmax(1)
    correct = int((predictions == labels[test_set]).sum())
    accuracy = f"{correct} of {len(test_set)} test images ({100 * correct / len(test_set):.2f}%)"
    print(f"float test accuracy: {accuracy}")

    metadata = {
        "arch": "digits: conv0 3x3 1->8; dw1 3x3; pw1 8->16; dw2 3x3 stride 2; pw2 16->32; "
        "dw3 3x3; pw3 32->32; global average pool; fc 32->10",
        "input": "8x8x1, x/8-1 (pixels 0..16 to -1..1)",
        "layout": "conv OIHW; depthwise C,1,KH,KW; fc [out,in]",
        "bn_eps": str(BN_EPSILON),
        "act": "ReLU6 after every conv+BN; none after fc",
        "padding": "TF SAME: stride-2 3x3 pads bottom/right by 1 only; stride-1 pads 1 all round",
        "strides": "dw2=2, all others 1",
        "accuracy": accuracy,
        "origin": "tools/train_digits.py",
        "data": DATA_LICENCE,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "digits.safetensors", weights, metadata)
    write_safetensors(
        folder / "digits_expected.safetensors",
        {"logits": logits.astype("<f4"), "predictions": predictions.astype("<i4")},
        {
            "what": "digits.safetensors on digits_test_images.npy: PyTorch in float64, "
            "logits rounded to float32",
            "accuracy": accuracy,
            "data": DATA_LICENCE,
        },
    )
    np.save(folder / "digits_test_images.npy", images[test_set][..., None])
    np.save(folder / "digits_test_labels.npy", labels[test_set].astype("<i4"))
    np.save(folder / "digits_calibration_images.npy", images[calibration_set][..., None])


# ---------------------------------------------------------------- report


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


def report(folder):
    """Check the stored files against each other and print the batch norm's ranges."""
    weights, metadata = read_safetensors(folder / "digits.safetensors")
    expected, _ = read_safetensors(folder / "digits_expected.safetensors")
    images = np.load(folder / "digits_test_images.npy")
    labels = np.load(folder / "digits_test_labels.npy")
    logits = reference_logits(weights, images)
    print(f"stored:  {metadata['accuracy']}")
    print(f"NumPy:   {(logits.argmax(1) == labels).sum()} of {len(labels)}")
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
        "--output", type=pathlib.Path, default=default, help="folder (default: examples/data)"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="train and write nothing: recompute the logits of the stored files in NumPy, "
        "compare, and print the batch norm's range per layer",
    )
    arguments = parser.parse_args()
    if arguments.report:
        report(arguments.output)
    else:
        generate(arguments.output)


if __name__ == "__main__":
    main()
