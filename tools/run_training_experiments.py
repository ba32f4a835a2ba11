#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the training experiments of docs/training.md with examples/train and prints their tables.

Every training is done once for each seed, its command line is printed, and its weights and JSON report stay in the output
folder. A cell is the mean over the seeds, with the least and greatest where there are several. Debian: python3 alone.
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time

from run_experiments import fixed, table

PER_TENSOR, PER_CHANNEL = "asymmetric_tensor", "symmetric_channel"


class Trainings:
    """Runs train, once for each name and seed, and keeps weights and reports."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.seconds = 0.0

    def weights(self, name, seed):
        return self.arguments.out / f"{name}_{seed}.safetensors"

    def run(self, name, network, *words, base=None, deploy=None):
        """Reports, one a seed. `base` names the training whose weights this one begins with."""
        return [self.run_seed(name, seed, network, words, base, deploy) for seed in self.arguments.seeds]

    def run_seed(self, name, seed, network, words, base, deploy):
        a = self.arguments
        report = a.out / f"{name}_{seed}.json"
        command = [a.train, "--network", network, "--data", a.data / "cifar10_train12500_jpegsource_u8_nhwc.npy",
                   "--labels", a.data / "cifar10_train12500_labels_i32.npy",
                   "--test-data", a.data / "cifar10_test2500_jpegsource_u8_nhwc.npy",
                   "--test-labels", a.data / "cifar10_test2500_labels_i32.npy",
                   "--seed", seed, "--threads", a.threads, *words, "--weights", self.weights(name, seed), "--report", report]
        if base:
            command += ["--from", self.weights(base, seed)]
        for numbers in deploy or ():
            command += ["--deploy", numbers]
        command = [str(word) for word in command]
        print("    " + shlex.join(word.rsplit("/", 1)[-1] for word in command), flush=True)
        if not (a.keep and report.exists()):
            started = time.time()
            # 1: simulated and integer classes differ by more than a tie somewhere; the report says where.
            if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode not in (0, 1):
                sys.exit("train failed")
            self.seconds += time.time() - started
        return json.loads(report.read_text())


def spread(values):
    values = list(values)
    mean = sum(values) / len(values)
    return fixed(mean) if len(values) == 1 else f"{mean:.2f} ({min(values):.2f}–{max(values):.2f})"


def float_score(reports):
    return spread(report["deployments"][0]["float_percent"] for report in reports)


def score(reports, numbers):
    """Simulated accuracy; integer accuracy is the same but for ties, which `disagreements` counts."""
    scheme, bits = numbers.split(":")
    return spread(next(d["simulated_percent"] for d in report["deployments"] if (d["scheme"], d["bits"]) == (scheme, bits))
                  for report in reports)


def disagreements(*all_reports):
    found = [d for reports in all_reports for report in reports for d in report["deployments"]
             if d["integer_percent"] is not None]
    print(f"simulated and integer class differ for {sum(d['other_classes'] for d in found)} images in {len(found)} "
          f"deployments, for {sum(d['other_classes_far'] for d in found)} by more than a step of the output\n")


def vgg(trainings):
    print("\n### 1. VGG, float, after training, in training (P6)\n")
    eight = f"{PER_TENSOR}:8,8"
    four = f"{PER_TENSOR}:4,8"
    trained = trainings.run("vgg", "vgg_small", "--epochs", 10, "--batch", 128, "--optimizer", "adam", "--rate", 0.003,
                            "--decay", 1e-4, deploy=[eight, four])
    rows = [["after training", float_score(trained), score(trained, eight), score(trained, four)]]
    tuned = {}
    for bits in ("8,8", "4,8"):
        tuned[bits] = trainings.run(f"vgg_trained_{bits[0]}", "vgg_small", "--epochs", 4, "--batch", 128, "--optimizer",
                                    "adam", "--rate", 3e-4, "--decay", 1e-4, "--fake-quantize", bits, "--scheme",
                                    PER_TENSOR, "--estimator", "identity", "--range-momentum", 0.95, base="vgg")
    rows.append(["in training", float_score(tuned["8,8"]), score(tuned["8,8"], eight), score(tuned["4,8"], four)])
    table(["vgg_small, per tensor", "float", "W8A8", "W4A8"], rows)
    disagreements(trained, tuned["8,8"])


SMALL = ["--epochs", 10, "--augment", "crop_flip", "--optimizer", "nesterov", "--rate", 0.1, "--warm-up", 1]


def separable(trainings):
    print("\n### 2. Batch norm, ReLU6 and decay in depthwise layers (P1 figure 5)\n")
    numbers = [f"{PER_TENSOR}:{bits}" for bits in ("8,8", "6,8", "5,8")] + [f"{PER_CHANNEL}:8,8"]
    rows, every = [], []
    for name, network, words in (
            ("original", "mobilenet_v1_small", ["--decay", 5e-4]),
            ("no batch norm and ReLU6 in depthwise layers", "mobilenet_v1_small_plain_depthwise", ["--decay", 5e-4]),
            ("ReLU for ReLU6 as well", "mobilenet_v1_small_friendly", ["--decay", 5e-4]),
            ("and L2 on depthwise weights", "mobilenet_v1_small_friendly", ["--decay", 5e-4, "--l2-depthwise", 5e-3])):
        label = "small_" + str(len(rows))
        reports = trainings.run(label, network, *SMALL, *words, deploy=numbers)
        every.append(reports)
        rows.append([name, float_score(reports)] + [score(reports, n) for n in numbers])
    table(["network", "float", "W8A8 per tensor", "W6A8", "W5A8", "W8A8 per channel"], rows)
    disagreements(*every)


def repvgg(trainings):
    print("\n### 3. RepVGG's blocks (P4 table 2)\n")
    numbers = [f"symmetric_tensor:{bits}" for bits in ("8,8", "6,8", "4,8")] + [f"{PER_CHANNEL}:8,8"]
    rows, norms = [], []
    for setting in ("s0", "s1", "s2", "s3", "s4"):
        reports = trainings.run("repvgg_" + setting, "repvgg_" + setting, *trainings.arguments.repvgg, deploy=numbers)
        rows.append([setting.upper(), float_score(reports)] + [score(reports, n) for n in numbers])
        of = {}
        for report in reports:
            for branch in report["branches"]:
                of.setdefault(branch["norm"], []).append((branch["mean"], branch["largest"]))
        for norm, pairs in of.items():
            norms.append([setting.upper(), norm, fixed(sum(p[0] for p in pairs) / len(pairs)),
                          fixed(max(p[1] for p in pairs))])
    table(["setting", "float", "W8A8 per tensor", "W6A8", "W4A8", "W8A8 per channel"], rows)
    table(["setting", "batch norm", "mean of gamma / sqrt(epsilon + sigma²)", "greatest"], norms)


def whitepaper(trainings):
    print("\n### 4. After training and in training (P2 tables 4, 5, 6; section 4)\n")
    base, network = "small_0", "mobilenet_v1_small"
    tune = ["--epochs", 3, "--augment", "crop_flip", "--rate", 1e-3, "--decay", 5e-4]
    numbers = [f"{scheme}:{bits}" for bits in ("8,8", "4,8", "8,4") for scheme in (PER_TENSOR, PER_CHANNEL)]
    after = trainings.run("small_0_again", network, "--epochs", 0, base=base, deploy=numbers)
    longer = trainings.run("small_0_longer", network, *tune, base=base)

    def quantized(label, bits, scheme, *words, start=base):
        return trainings.run(f"small_{label}", network, *(tune if start else SMALL), *words, "--fake-quantize", bits,
                             "--scheme", scheme, base=start)

    rows, every = [], [after]
    for bits in ("8,8", "4,8", "8,4"):
        line = [f"W{bits[0]}A{bits[2]}"] + [score(after, f"{s}:{bits}") for s in (PER_TENSOR, PER_CHANNEL)]
        for scheme in (PER_TENSOR, PER_CHANNEL):
            tuned = quantized(f"{scheme}_{bits.replace(',', '')}", bits, scheme)
            every.append(tuned)
            line.append(score(tuned, f"{scheme}:{bits}"))
        rows.append(line)
    print(f"\nfloat {float_score(after)}; trained on as long in float {float_score(longer)}")
    table(["mobilenet_v1_small", "after training, per tensor", "per channel", "in training, per tensor", "per channel"], rows)
    disagreements(*every)

    bits, scheme = "4,8", PER_CHANNEL
    rows = [["as above: from a float network, norms frozen, deployed rounding",
             score(quantized(f"{scheme}_48", bits, scheme), f"{scheme}:{bits}")]]
    for name, words, start in (
            ("from random weights", ["--folding", "corrected", "--freeze", 8, "--decay", 5e-4], None),
            ("norms corrected, then frozen after two of the three epochs", ["--folding", "corrected", "--freeze", 2], base),
            ("norms folded naively", ["--folding", "naive"], base),
            ("stochastic rounding", ["--rounding", "stochastic"], base),
            ("gradients pass where activations saturate", ["--estimator", "identity"], base),
            ("an average of the weights, 0.999", ["--average", 0.999], base)):
        label = "variant_" + "_".join(str(w).strip("-") for w in words)
        rows.append([name, score(quantized(label, bits, scheme, *words, start=start), f"{scheme}:{bits}")])
    table(["W4A8 per channel, in training", "accuracy"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=pathlib.Path, default="build/release/examples/train")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of CIFAR-10's images and labels")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["vgg", "separable", "repvgg", "whitepaper"], nargs="+")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("trainings"), help="folder for weights and reports")
    parser.add_argument("--keep", action="store_true", help="use reports that are there already")
    trainings = Trainings(parser.parse_args())
    trainings.arguments.repvgg = ["--epochs", 6, "--augment", "crop_flip", "--optimizer", "nesterov", "--rate", 0.1,
                                  "--warm-up", 1, "--decay", 5e-4]
    trainings.arguments.out.mkdir(parents=True, exist_ok=True)
    for experiment in (vgg, separable, repvgg, whitepaper):
        if not trainings.arguments.only or experiment.__name__ in trainings.arguments.only:
            experiment(trainings)
    print(f"train ran for {trainings.seconds:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
