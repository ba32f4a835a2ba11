#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Times a training step of MobileNetV1 on 64 images of 32 x 32 in statiq and in PyTorch, in turns.

    tools/compare_training.py build/benchmarks/benchmarks/statiq_bench_training --widths 25 50 --threads 2

The clock of a machine drifts and other programs disturb it, so the two take turns, and the ratio shown is the median of
the rounds' ratios, with its quartiles. Single threads are compared by processor time, which other programs cannot take,
several threads by real time. PyTorch runs in channels_last, its faster layout for these networks; the same
network, batch, loss and optimizer. Needs Debian's python3-torch.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

BATCH = 64
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]


def mobilenet(width):
    def scaled(channels):
        return channels * width // 100

    def normed(convolution):
        return [convolution, nn.BatchNorm2d(convolution.out_channels, eps=1e-3), nn.ReLU6()]

    channels = scaled(32)
    layers = normed(nn.Conv2d(3, channels, 3, 2, 1, bias=False))
    for out, stride in BLOCKS:
        layers += normed(nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False))
        layers += normed(nn.Conv2d(channels, scaled(out), 1, bias=False))
        channels = scaled(out)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class PyTorch:
    def __init__(self, width, threads):
        self.threads = threads
        self.network = mobilenet(width).to(memory_format=torch.channels_last)
        self.images = torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
        self.labels = torch.arange(BATCH) % 10
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)

    def seconds(self, steps):
        clock = time.process_time if self.threads == 1 else time.perf_counter
        begin = clock()
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(self.network(self.images), self.labels).backward()
            self.optimizer.step()
        return (clock() - begin) / steps


class Statiq:
    def __init__(self, program, width, threads):
        self.threads = threads
        self.process = subprocess.Popen(
            [program, str(width), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def seconds(self, steps):
        print(steps, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("the benchmark program ended early")
        real, processor = map(float, answer.split())
        return processor if self.threads == 1 else real

    def end(self):
        """Ends the program; the most memory it had, in MB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.process.communicate()
        return peak / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="statiq_bench_training")
    parser.add_argument("--widths", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=3, help="in each turn")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(f"{options.threads} threads, {options.rounds} rounds of {options.steps} steps, PyTorch {torch.__version__}")
    print(f"{'width':>6}{'statiq, ms':>12}{'PyTorch, ms':>13}{'ratio':>8}{'quartiles':>16}{'statiq, MB':>12}")
    for width in options.widths:
        ours, theirs = Statiq(options.program, width, options.threads), PyTorch(width, options.threads)
        ours.seconds(1), theirs.seconds(2)
        rounds = [(ours.seconds(options.steps), theirs.seconds(options.steps)) for _ in range(options.rounds)]
        low, middle, high = statistics.quantiles([b / a for a, b in rounds], n=4)
        print(
            f"{width / 100:>6}{1e3 * statistics.median(a for a, _ in rounds):>12.1f}"
            f"{1e3 * statistics.median(b for _, b in rounds):>13.1f}{middle:>8.2f}{low:>9.2f} – {high:.2f}"
            f"{ours.end():>11.0f}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"PyTorch's process, all widths: {peak:.0f} MB at most")


if __name__ == "__main__":
    main()
