#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests examples/evaluate (its path in STATIQ_EVALUATE) and plot_report.py on the digits that come with the examples."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

EVALUATE = os.environ.get("STATIQ_EVALUATE", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"


def run(*words):
    return subprocess.run([EVALUATE, *map(str, words)], capture_output=True, text=True, timeout=300)


class Evaluate(unittest.TestCase):
    def refused(self, *words):
        result = run(*words)
        self.assertNotEqual(result.returncode, 0, words)
        return result.stderr

    def test_help_lists_everything(self):
        text = run("--help").stdout
        for word in ("--network", "--weights", "--images", "--labels", "--calibration", "--scheme", "--bits", "--observer",
                     "--repair", "--report", "mobilenet_v1_0.75_224", "vww_96", "symmetric_channel", "entropy",
                     "least_squares", "equalize", "variance", "bias", "x / 127.5 - 1"):
            self.assertIn(word, text)

    def test_table_and_report_say_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "r.json"
            result = run("--scheme", "symmetric_channel", "--bits", "8,8", "4,8", "8,32", "32,8", "--count", 100, "--report",
                         path)
            self.assertEqual(result.returncode, 0, result.stderr)
            report = json.loads(path.read_text())
        self.assertEqual([s["name"] for s in report["schemes"]],
                         ["symmetric_channel W8A8", "symmetric_channel W4A8", "symmetric_channel W8",
                          "symmetric_channel floatA8"])
        for scheme in report["schemes"]:
            line = next(x for x in result.stdout.splitlines() if x.startswith(scheme["name"] + " "))
            cells = line.split()[2:]
            self.assertEqual(cells[0], f"{scheme['top1']:.2f}")
            self.assertEqual(cells[2], f"{scheme['agreement']:.2f}")
            self.assertEqual(cells[3], f"{scheme['output']['sqnr']:.1f}")
            for layer in scheme["layers"]:
                self.assertEqual(set(layer["sources"]), {"input", "weight", "saturation", "requantization", "clipping"})
        four, eight = report["schemes"][1], report["schemes"][0]
        self.assertLess(four["output"]["sqnr"], eight["output"]["sqnr"])
        self.assertEqual(2 * four["weight_bits"], eight["weight_bits"])
        self.assertTrue(all(d["verdict"]["text"] for d in report["distributions"]))
        # With float weights a layer alone loses less.
        for floating, integer in zip(report["schemes"][3]["layers"], eight["layers"]):
            if floating["operation"] == "convolution":
                self.assertGreater(floating["isolated"]["sqnr"], integer["isolated"]["sqnr"])

    def test_a_layer_of_its_own_width_and_budgets(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "r.json"
            words = ["--scheme", "symmetric_channel", "--bits", "4,8", "--count", 50, "--report", path]
            self.assertEqual(run(*words, "--override", "fc=8,16", "dw1=6").returncode, 0)
            layers = {x["layer"]: x for x in json.loads(path.read_text())["schemes"][0]["layers"]}
            self.assertEqual((layers["fc"]["weight_bits"], layers["fc"]["activation_bits"]), (8, 16))
            self.assertEqual((layers["dw1"]["weight_bits"], layers["dw1"]["activation_bits"]), (6, 8))
            self.assertEqual(layers["pw1"]["weight_bits"], 4)
            self.assertEqual(run(*words, "--budget-bits", 4, 5).returncode, 0)
            mixed = json.loads(path.read_text())["schemes"]
            weights = 2568
            self.assertLessEqual(mixed[0]["weight_bits"], 4 * weights)
            self.assertLessEqual(mixed[1]["weight_bits"], 5 * weights)
            self.assertLess(mixed[0]["output"]["sqnr"], mixed[1]["output"]["sqnr"])

    def test_repairs_and_observers_run(self):
        for words in (["--repair", "variance", "bias"], ["--repair", "relu", "equalize"], ["--observer", "entropy"],
                      ["--observer", "percentile", "--layer-observer", "fc=min_max"], ["--observer", "moving_average", "--batch",
                                                                                      10], ["--layers"]):
            result = run("--scheme", "asymmetric_tensor", "--count", 20, *words)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_wrong_input_is_refused_with_what_is_wrong(self):
        self.assertIn("mobilenet", self.refused("--network", "resnet"))
        self.assertIn("--weights", self.refused("--network", "vww_96"))
        self.assertIn("nowhere.npy", self.refused("--images", "nowhere.npy"))
        self.assertIn("expected 2 to 16, or 32 for float, found '17'", self.refused("--bits", "17,8"))
        self.assertIn("two numbers", self.refused("--bits", "8"))
        self.assertIn("found 'x'", self.refused("--bits", "x,8"))
        self.assertIn("its sums may need", self.refused("--scheme", "symmetric_tensor", "--bits", "16,16"))
        self.assertIn("in groups of 32 under integer sums", self.refused("--scheme", "symmetric_group32", "--bits", "4,8"))
        self.assertIn("no layer of this name", self.refused("--override", "dw9=8"))
        self.assertIn("layer=bits", self.refused("--override", "dw1"))
        self.assertIn("2 bits at least", self.refused("--budget-bytes", "10"))
        self.assertIn("uint8 images [count, 96, 96, 3]",
                      self.refused("--network", "vww_96", "--weights", self.vww_weights(), "--images",
                                   DATA / "digits_test_images.npy", "--calibration", DATA / "digits_test_images.npy")
                      if self.vww_weights() else "uint8 images [count, 96, 96, 3]")
        self.assertIn("digits_test_labels.npy", self.refused("--images", DATA / "digits_test_labels.npy"))
        self.assertIn("int32 labels", self.refused("--images", DATA / "digits_calibration_images.npy", "--labels",
                                                   DATA / "digits_test_labels.npy"))
        self.assertIn("conv0.weight", self.refused("--weights", DATA / "digits_expected.safetensors"))
        with tempfile.TemporaryDirectory() as folder:
            empty = pathlib.Path(folder) / "none.idx"
            empty.write_bytes(struct.pack(">BBBB4I", 0, 0, 8, 4, 0, 8, 8, 1))
            self.assertIn("none.idx: expected at least one image, found none", self.refused("--images", empty))
            self.assertIn("at least one image", self.refused("--calibration", empty))
        self.assertIn("/no/such/folder/r.json: expected a folder that takes a new file",
                      self.refused("--count", 5, "--scheme", "symmetric_channel", "--report", "/no/such/folder/r.json"))

    @staticmethod
    def vww_weights():
        path = pathlib.Path(os.environ.get("STATIQ_DATA", ROOT / ".." / "shared" / "data"))
        path = path / "weights" / "vww_96_mobilenet_v1_0.25_bn.safetensors"
        return path if path.exists() else None


class Plots(unittest.TestCase):
    TOOL = ROOT / "tools" / "plot_report.py"

    def draw(self, *words):
        return subprocess.run([sys.executable, str(self.TOOL), *map(str, words)], capture_output=True, text=True, timeout=300)

    def test_every_picture_is_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "digits.json"
            self.assertEqual(run("--scheme", "symmetric_channel", "--count", 30, "--report", report).returncode, 0)
            result = self.draw(report, "--out", folder)
            if result.returncode == 77:
                self.skipTest(result.stderr)
            self.assertEqual(result.returncode, 0, result.stderr)
            for name in ("digits_sqnr", "digits_alpha", "digits_weights", "digits_activations",
                         "digits_sources_symmetric_channel_W8A8"):
                picture = (pathlib.Path(folder) / (name + ".png")).read_bytes()
                width, height = struct.unpack(">II", picture[16:24])
                self.assertTrue(picture.startswith(b"\x89PNG") and width > 300 and height > 200, name)

    def test_other_files_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "other.json"
            other.write_text('{"schemes": []}')
            result = self.draw(other)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("expected a report", result.stderr)


if __name__ == "__main__":
    if not EVALUATE:
        print("STATIQ_EVALUATE names no program", file=sys.stderr)
        sys.exit(77)
    unittest.main()
