#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the quantization experiments of docs/experiments.md with examples/evaluate and prints their tables.

Each experiment is a few runs of evaluate, whose command lines it prints; their JSON reports stay in the output folder, for
tools/plot_report.py. Debian: python3 alone.
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time

SCHEMES = ["asymmetric_tensor", "symmetric_channel", "asymmetric_channel"]


class Runs:
    """Runs evaluate, once for each name, and keeps the reports."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.seconds = 0.0

    def data(self, network):
        weights = {
            "mobilenet_v1_0.25_224": "mobilenet_v1_0.25_224_bn",
            "mobilenet_v1_0.75_224": "mobilenet_v1_0.75_224_bn",
            "mobilenet_v1_1.0_224_to_dw13": "mobilenet_v1_1.0_224_bn_without_pw13",
            "vww_96": "vww_96_mobilenet_v1_0.25_bn",
        }[network]
        small = network == "vww_96"
        images = self.arguments.images96 if small else self.arguments.images
        words = ["--network", network, "--weights", str(self.arguments.weights / (weights + ".safetensors"))]
        words += ["--images", str(images), "--calibration", str(images)]
        return words if small or network.endswith("dw13") else words + ["--labels", str(self.arguments.labels)]

    def run(self, name, network, *words):
        report = self.arguments.out / (name + ".json")
        command = [str(self.arguments.evaluate), *self.data(network), *map(str, words), "--report", str(report)]
        shown = [word.rsplit("/", 1)[-1] if "/" in word else word for word in command]
        print("    " + shlex.join(shown), flush=True)
        if not (self.arguments.keep and report.exists()):
            started = time.time()
            subprocess.run(command + ["--quiet"], check=True, stdout=subprocess.DEVNULL)
            self.seconds += time.time() - started
        return json.loads(report.read_text())


def table(header, rows):
    print("\n| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def fixed(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def scheme(report, name):
    return next(s for s in report["schemes"] if s["name"] == name)


def score(line):
    """Top-1, or agreement where there are no labels, or decibels where there are no classes."""
    if line.get("top1") is not None:
        return fixed(line["top1"])
    if line.get("agreement") is not None:
        return fixed(line["agreement"]) + " agree"
    sqnr = line["output"]["sqnr"]
    return "exact" if sqnr is None else f"{sqnr:.1f} dB"


def tables_2_and_3(runs):
    print("\n### 1. Weights alone, weights and activations (P2 tables 2 and 3)\n")
    rows = []
    for network in ("mobilenet_v1_0.25_224", "mobilenet_v1_0.75_224", "vww_96", "mobilenet_v1_1.0_224_to_dw13"):
        extra = ["--count", 20] if network.endswith("dw13") else []
        report = runs.run("tables_" + network, network, "--scheme", *SCHEMES, "--bits", "8,32", "8,8", *extra)
        alone = runs.run("activations_" + network, network, "--scheme", SCHEMES[0], "--bits", "32,8", *extra)
        for bits, what in ((" W8", "weights"), (" W8A8", "weights, activations")):
            rows.append([network, what] + [score(scheme(report, s + bits)) for s in SCHEMES]
                        + [score(alone["schemes"][0]) if bits == " W8A8" else "", score(report["float"])])
    table(["network", "8 bits", *[s.replace("_", ", ") for s in SCHEMES], "activations only", "float"], rows)


def repairs(runs):
    print("\n### 2. Repairing variances, correcting biases (P1 section 2.3.1)\n")
    rows = []
    for network in ("mobilenet_v1_0.25_224", "mobilenet_v1_0.75_224"):
        line = [network]
        for repair in ([], ["variance"], ["bias"], ["variance", "bias"]):
            words = ["--repair", *repair] if repair else []
            report = runs.run("_".join(["repair", network, *repair]), network, "--scheme", "asymmetric_tensor", "--bits",
                              "8,8", *words)
            line.append(score(report["schemes"][0]))
        rows.append(line + [score(report["float"])])
    table(["asymmetric, tensor, W8A8", "as trained", "variance", "bias", "variance and bias", "float"], rows)

    rows = []
    for network in ("mobilenet_v1_0.25_224", "mobilenet_v1_0.75_224", "mobilenet_v1_1.0_224_to_dw13"):
        report = json.loads((runs.arguments.out / ("tables_" + network + ".json")).read_text())
        depthwise = [d for d in report["distributions"] if d["depthwise"]]
        dead = {d["layer"]: sum(c["dead"] for c in d["channels"]) for d in depthwise}
        both = sum(c["dead"] and c["outlier"] for d in depthwise for c in d["channels"])
        largest = max((abs(c["alpha"]), d["layer"]) for d in depthwise for c in d["channels"])
        rows.append([network, sum(dead.values()), both, ", ".join(f"{k} {v}" for k, v in dead.items() if v),
                     f"{largest[0]:.2f} ({largest[1]})",
                     f"{min(c['variance'] for d in depthwise for c in d['channels']):.1e}",
                     sum(not d["verdict"]["weights_friendly"] for d in report["distributions"])])
    table(["depthwise layers", "constant channels", "of these outliers", "where", "largest alpha", "least variance",
           "layers against C1"], rows)


def bits(runs):
    print("\n### 3. Bits (P2 tables 5 and 6), and mixtures of widths\n")
    widths = (8, 7, 6, 5, 4, 3, 2)
    for network, count in (("mobilenet_v1_0.25_224", 650), ("mobilenet_v1_0.75_224", 325)):
        few = ["--count", count, "--layer-images", 8]
        report = runs.run("bits_" + network, network, "--scheme", "asymmetric_channel", "--bits",
                          *[f"{w},{a}" for a in (32, 8, 4) for w in widths], *few)
        rows = []
        for a, what in (("", "float"), ("A8", "8"), ("A4", "4")):
            rows.append([what] + [score(scheme(report, f"asymmetric_channel W{w}{a}")) for w in widths])
        print(f"\n{network}, {count} images, float {score(report['float'])}: activation bits by weight bits")
        table(["activations", *[f"W{w}" for w in widths]], rows)

        mixed = runs.run("mixed_" + network, network, "--scheme", "asymmetric_channel", "--bits", "8,8", "--budget-bits",
                         3, 4, 5, 6, *few)
        rows = []
        for budget in (3, 4, 5, 6):
            line = next(s for s in mixed["schemes"] if s["name"].endswith(f"mixed {budget:.2f} bits"))
            uniform = scheme(report, f"asymmetric_channel W{budget}A8")
            used = [line["widths"][k] for k in line["widths"]]
            rows.append([budget, score(uniform), score(line), f"{line['weight_bits'] / 8000:.0f}",
                         f"{min(used)} to {max(used)}"])
        table(["bits a weight", "uniform", "mixed", "kB", "widths used"], rows)


def observers(runs):
    print("\n### 4. Observers; equalization and bias correction\n")
    names = ["min_max", "moving_average", "percentile", "percentile_99.9", "entropy", "entropy_without_zeros",
             "least_squares"]
    rows = []
    for network, count in (("mobilenet_v1_0.25_224", 650), ("mobilenet_v1_0.75_224", 325)):
        found = {}
        for name in names:
            words = ["--scheme", "asymmetric_channel", "--bits", "8,8", "8,6", "8,4", "--observer", name, "--count", count,
                     "--layer-images", 8]
            found[name] = runs.run(f"observer_{name}_{network}", network, *words)
        for a in (8, 6, 4):
            rows.append([network, f"W8A{a}"] + [score(scheme(found[n], f"asymmetric_channel W8A{a}")) for n in names])
    table(["network", "numbers", *names], rows)

    rows = []
    settings = [[], ["equalize"], ["bias"], ["equalize", "bias"]]
    found = [runs.run("_".join(["vww", *s]), "vww_96", "--scheme", "asymmetric_tensor", "asymmetric_channel", "--bits",
                      "8,8", "6,8", "5,8", "4,8", *(["--repair", *s] if s else [])) for s in settings]
    for kind in ("asymmetric_tensor", "asymmetric_channel"):
        for w in (8, 6, 5, 4):
            rows.append([kind.replace("_", ", "), f"W{w}A8"] + [score(scheme(r, f"{kind} W{w}A8")) for r in found])
    table(["vww_96", "numbers", "as trained", "equalized", "bias corrected", "both"], rows)

    rows = []
    for network in ("mobilenet_v1_0.25_224", "mobilenet_v1_0.75_224"):
        found = [runs.run("_".join(["low", network, *s]), network, "--scheme", "asymmetric_channel", "--bits", "6,8", "5,8",
                          "4,8", "--count", 325, "--layer-images", 8, *(["--repair", *s] if s else []))
                 for s in ([], ["bias"])]
        for w in (6, 5, 4):
            rows.append([network, f"W{w}A8"] + [score(scheme(r, f"asymmetric_channel W{w}A8")) for r in found])
    table(["asymmetric, channel", "numbers", "as trained", "bias corrected"], rows)

    network = "mobilenet_v1_0.25_224"
    found = runs.run("relu_" + network, network, "--scheme", "asymmetric_tensor", "asymmetric_channel", "--repair", "relu",
                     "equalize", "bias")
    table(["mobilenet_v1_0.25_224, ReLU for ReLU6, equalized, bias corrected", "top-1"],
          [["float", score(found["float_repaired"])]] + [[s["name"], score(s)] for s in found["schemes"]])


def loss_sources(runs):
    print("\n### 5. The five loss sources\n")
    names = ["input", "weight", "saturation", "requantization", "clipping"]
    for network in ("mobilenet_v1_0.25_224", "mobilenet_v1_0.75_224"):
        rows = []
        for what, name in (("as trained, per tensor", "repair_" + network),
                           ("variance and bias, per tensor", f"repair_{network}_variance_bias"),
                           ("as trained, per channel", "tables_" + network)):
            report = json.loads((runs.arguments.out / (name + ".json")).read_text())
            line = report["schemes"][0] if "channel" not in what else scheme(report, "asymmetric_channel W8A8")
            rows.append([what] + [fixed(line["sources"][n]["sqnr"], 1) for n in names]
                        + [fixed(line["output"]["sqnr"], 1)])
        print(f"\n{network}: each source alone in all layers, SQNR of the logits in dB")
        table(["numbers", *names, "all"], rows)
    network = "mobilenet_v1_0.75_224"
    before = json.loads((runs.arguments.out / f"repair_{network}.json").read_text())["schemes"][0]["layers"]
    after = json.loads((runs.arguments.out / f"repair_{network}_variance.json").read_text())["schemes"][0]["layers"]
    rows = []
    for x, y in zip(before, after):
        sources = [fixed(x["sources"][n]["sqnr"], 1) for n in names]
        rows.append([x["layer"], *sources, fixed(x["theoretical_sqnr"], 1), fixed(y["sources"]["weight"]["sqnr"], 1),
                     fixed(x["accumulated"]["sqnr"], 1), fixed(y["accumulated"]["sqnr"], 1)])
    print(f"\n{network}, W8A8 per tensor, layer by layer (dB): each source alone in this layer alone, P1 (8)'s theory of "
          "requantization, the weights' after repairing variances; and accumulated, before and after")
    table(["layer", *names, "theory", "weight, repaired", "accumulated", "repaired"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluate", type=pathlib.Path, default="build/release/examples/evaluate")
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="folder of the weight files")
    parser.add_argument("--images", type=pathlib.Path, required=True, help="ImageNet images, 224x224")
    parser.add_argument("--labels", type=pathlib.Path, required=True)
    parser.add_argument("--images96", type=pathlib.Path, required=True, help="the same at 96x96, for vww_96")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("experiments"), help="folder for the reports")
    parser.add_argument("--keep", action="store_true", help="use reports that are there already")
    runs = Runs(parser.parse_args())
    runs.arguments.out.mkdir(parents=True, exist_ok=True)
    for experiment in (tables_2_and_3, repairs, bits, observers, loss_sources):
        experiment(runs)
    print(f"evaluate ran for {runs.seconds:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
