#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests examples/train (its path in STATIQ_TRAIN) on the digits that come with the examples."""
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest

TRAIN = os.environ.get("STATIQ_TRAIN", "")
DATA = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"
SHORT = {"--epochs": 2, "--optimizer": "adam", "--schedule": "constant", "--batch": 20, "--augment": "shift"}


def short(*words):
    """The options of a short training, but those that are given."""
    return [word for name, value in SHORT.items() if name not in words for word in (name, value)] + list(words)


def run(*words):
    return subprocess.run([TRAIN, *map(str, words)], capture_output=True, text=True, timeout=600)


def metadata(path):
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length])["__metadata__"]


class Train(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def trained(self, *words):
        result = run(*short(*words))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def refused(self, *words):
        result = run(*short(*words))
        self.assertNotEqual(result.returncode, 0, words)
        return result.stderr

    def test_help_lists_everything(self):
        text = run("--help").stdout
        for word in ("--network", "--data", "--labels", "--epochs", "--from", "--resume", "--checkpoint", "--fake-quantize",
                     "--scheme", "--seed", "--threads", "--batch", "--optimizer", "--rate", "--schedule", "--augment",
                     "--l2-depthwise", "--custom-l2", "--smoothing", "--average", "--quiet", "digits", "vgg_small",
                     "mobilenet_v1_small_friendly", "repvgg_s0", "repvgg_s4", "cosine", "nesterov", "crop_flip",
                     "symmetric_channel", "x / 8 - 1"):
            self.assertIn(word, text)

    def test_prints_three_accuracies_and_how_often_two_disagree(self):
        result = self.trained("--epochs", 40)
        self.assertEqual(result.stderr, "")  # no terminal, no progress
        accuracy = {name: float(re.search(rf"{name} +(\d+\.\d\d)", result.stdout)[1])
                    for name in ("float", "simulated", "integer")}
        self.assertGreater(accuracy["float"], 50)  # a guess has 10
        others, images, far = map(int, re.search(
            r"another class for (\d+) of (\d+) images, for (\d+) of these", result.stdout).groups())
        self.assertEqual((images, far), (300, 0))
        self.assertLessEqual(abs(accuracy["simulated"] - accuracy["integer"]), 100 * others / images + 0.01)

    def test_quantized_training_deploys_what_it_measured(self):
        weights = self.folder / "float.safetensors"
        self.trained("--epochs", 40, "--weights", weights)
        for numbers in ("8,8", "4,8", "8,4"):
            for scheme in ("symmetric_channel", "asymmetric_tensor"):
                result = self.trained("--from", weights, "--fake-quantize", numbers, "--scheme", scheme, "--rate", 1e-4)
                measured = float(result.stdout.splitlines()[2].split()[4])
                simulated = float(re.search(r"simulated +(\d+\.\d\d)", result.stdout)[1])
                self.assertEqual(measured, simulated, numbers + scheme)  # its way forward is the simulation's
        self.assertIn("expected 8,8 or 4,8 or 8,4", self.refused("--fake-quantize", "5,5"))
        self.assertIn("as in 8,8", self.refused("--fake-quantize", "8"))
        self.assertIn("asymmetric_tensor", self.refused("--fake-quantize", "8,8", "--scheme", "symmetric_tensor"))

    def test_deploys_in_several_numbers_and_reports_them(self):
        weights, report = self.folder / "float.safetensors", self.folder / "report.json"
        self.trained("--epochs", 40, "--weights", weights)
        numbers = ["asymmetric_tensor:8,8", "asymmetric_tensor:2,8", "symmetric_channel:8,8"]
        words = [word for one in numbers for word in ("--deploy", one)]
        result = self.trained("--epochs", 0, "--from", weights, "--report", report, *words)
        found = json.loads(report.read_text())
        self.assertEqual([f"{d['scheme']}:{d['bits']}" for d in found["deployments"]], numbers)
        self.assertEqual([f"{d['simulated_percent']:.2f}" for d in found["deployments"]],
                         re.findall(r"simulated +(\d+\.\d\d)", result.stdout))
        eight, two, channel = found["deployments"]
        self.assertGreater(eight["simulated_percent"], two["simulated_percent"])
        self.assertIsNotNone(channel["integer_percent"])
        self.assertIsNone(two["integer_percent"])  # simulated alone
        self.assertEqual((found["epochs"], found["settings"]["network"]), ([], "digits"))
        self.assertIn("SCHEME:W,A", self.refused("--deploy", "asymmetric_tensor"))
        self.assertIn("SCHEME:W,A", self.refused("--deploy", "exact:8,8"))
        self.assertIn("report", self.refused("--report", self.folder / "absent" / "report.json"))

    def test_a_resumed_training_is_the_uninterrupted_one(self):
        whole, again, half, resumed = (self.folder / name for name in ("whole", "again", "half", "resumed"))
        self.trained("--checkpoint", whole)
        self.trained("--threads", 2, "--checkpoint", again)
        self.assertEqual(whole.read_bytes(), again.read_bytes())  # the same seed, the same bits, whatever the threads
        self.trained("--epochs", 1, "--checkpoint", half)
        self.assertNotEqual(whole.read_bytes(), half.read_bytes())
        self.trained("--seed", 7, "--resume", half, "--checkpoint", resumed)
        self.assertEqual(whole.read_bytes(), resumed.read_bytes())
        differing = self.refused("--resume", half, "--rate", 0.5)
        self.assertIn("rate '0.003", differing)
        self.assertIn("instead of '0.5'", differing)
        self.assertEqual(metadata(half)["network"], "digits")

    def test_a_loss_that_is_not_finite_stops_and_names_a_layer(self):
        checkpoint = self.folder / "kept"
        self.trained("--optimizer", "sgd", "--rate", 0.01, "--checkpoint", checkpoint)
        before = checkpoint.read_bytes()
        message = self.refused("--optimizer", "sgd", "--rate", 3e38, "--checkpoint", checkpoint)
        self.assertRegex(message, r"the loss is -?(nan|inf); the first values that are not finite are those of layer '\w+")
        self.assertIn(str(checkpoint), message)
        self.assertEqual(checkpoint.read_bytes(), before)

    def test_wrong_input_is_named(self):
        images, labels = DATA / "digits_train_images.npy", DATA / "digits_train_labels.npy"
        self.assertIn("digits_test_labels.npy", self.refused("--data", images, "--labels", DATA / "digits_test_labels.npy"))
        self.assertIn("needed for vgg_small", self.refused("--network", "vgg_small"))
        self.assertIn("[count, 32, 32, 3]", self.refused("--network", "vgg_small", "--data", images, "--labels", labels,
                                                         "--test-data", images, "--test-labels", labels))
        self.assertIn("pw9", self.refused("--no-decay", "fc,pw9"))
        self.assertIn("batches of 401", self.refused("--batch", 401))
        self.assertIn("conv0.weight", self.refused("--from", DATA / "digits_expected.safetensors"))
        self.assertIn("excludes", self.refused("--from", DATA / "digits.safetensors", "--resume",
                                               DATA / "digits.safetensors"))
        self.assertIn("--optimizer", self.refused("--optimizer", "newton"))


if __name__ == "__main__":
    unittest.main()
