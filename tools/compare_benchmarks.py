#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Puts statiq's and its peer's times side by side, from Google Benchmark's JSON.

    tools/compare_benchmarks.py --run build/release/benchmarks/statiq_bench_networks --cpu 1 --save results.json
    tools/compare_benchmarks.py results.json

The clock of a machine drifts and other programs disturb it: only times taken next to each other can be compared. A round
is one pass over all benchmarks, in which the engines stand next to each other; the ratio shown is the median of the
rounds' ratios. Files hold one round for each repetition. Single threads are compared by processor time, which other
programs cannot take, several threads by real time.
"""

import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys

NAME = re.compile(r"(?P<subject>[^/]+)/(?P<engine>[^/]+)/(?P<numbers>[^/]+)/threads:(?P<threads>\d+)$")
MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}

Key = collections.namedtuple("Key", "subject numbers threads")


class Times:
    """Microseconds by (subject, numbers, threads), engine and round, and the rates that came with them."""

    def __init__(self):
        self.by_key = {}
        self.rates = {}

    def add(self, document, number):
        """Adds one file's benchmarks: its repetition r is round (number, r)."""
        for entry in document["benchmarks"]:
            if entry.get("run_type", "iteration") != "iteration":
                continue
            if entry.get("error_occurred"):
                sys.exit(f"{entry['name']}: {entry.get('error_message', 'failed')}")
            match = NAME.match(entry["run_name"])
            if not match:
                continue
            key = Key(match["subject"], match["numbers"], int(match["threads"]))
            clock = "cpu_time" if key.threads == 1 else "real_time"
            time = entry[clock] * MICROSECONDS[entry["time_unit"]]
            engines = self.by_key.setdefault(key, {})
            engines.setdefault(match["engine"], {})[number, entry.get("repetition_index", 0)] = time
            for rate in ("GMAC/s", "of_peak"):
                if rate in entry:
                    work = entry[rate] * entry["cpu_time"] * MICROSECONDS[entry["time_unit"]]
                    self.rates[key, rate] = work  # what is divided by the time to give the rate


def median_ratio(ours, theirs):
    """Median over rounds of how many times as fast ours is, and its quartiles; None without a common round."""
    ratios = sorted(theirs[r] / ours[r] for r in ours if r in theirs)
    if not ratios:
        return None
    return statistics.median(ratios), ratios[len(ratios) // 4], ratios[(3 * len(ratios)) // 4]


def rows_of(times, ours, peer):
    for key, engines in times.by_key.items():
        row = {"key": key}
        if ours in engines:
            row["ours"] = statistics.median(engines[ours].values())
            for rate in ("GMAC/s", "of_peak"):
                if (key, rate) in times.rates:
                    row[rate] = times.rates[key, rate] / row["ours"]
        # Narrow weights are compared with the peer's bytes: it has none.
        theirs = engines.get(peer) or times.by_key.get(key._replace(numbers="int8"), {}).get(peer)
        if theirs:
            row["theirs"] = statistics.median(theirs.values())
            row["ratio"] = median_ratio(engines.get(ours, {}), theirs)
        yield row


def print_table(times, ours, peer):
    rows = list(rows_of(times, ours, peer))
    if not rows:
        sys.exit("no benchmark in these files has a name like <subject>/<engine>/<numbers>/threads:<n>")
    print(f"| subject | numbers | threads | {ours}, µs | {peer}, µs | times as fast | quartiles | GMAC/s | of peak |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        key = row["key"]
        mine = f"{row['ours']:.1f}" if "ours" in row else ""
        theirs = f"{row['theirs']:.1f}" if "theirs" in row else ""
        ratio, spread = "", ""
        if row.get("ratio"):
            ratio = f"{row['ratio'][0]:.2f}"
            spread = f"{row['ratio'][1]:.2f}–{row['ratio'][2]:.2f}"
        rate = f"{row['GMAC/s']:.0f}" if "GMAC/s" in row else ""
        peak = f"{100 * row['of_peak']:.0f}%" if "of_peak" in row else ""
        print(f"| {key.subject} | {key.numbers} | {key.threads} | {mine} | {theirs} | {ratio} | {spread} "
              f"| {rate} | {peak} |")
    print_sums(times, ours, peer)
    print_number_types(times, ours)


def print_sums(times, ours, peer):
    """The depthwise layers together: each is small, and their sum is what a network feels."""
    for numbers in ("int8", "float32"):
        chosen = [e for k, e in times.by_key.items()
                  if k.subject.startswith("dw_") and k.numbers == numbers and k.threads == 1 and {ours, peer} <= set(e)]
        rounds = set.intersection(*(set(e[ours]) & set(e[peer]) for e in chosen)) if chosen else set()
        if len(chosen) < 2 or not rounds:
            continue
        total = [{r: sum(e[engine][r] for e in chosen) for r in rounds} for engine in (ours, peer)]
        ratio = median_ratio(*total)
        print(f"\nDepthwise layers summed, {numbers}: {ratio[0]:.2f} times as fast ({ratio[1]:.2f}–{ratio[2]:.2f}).")


def print_number_types(times, ours):
    lines = []
    for key, engines in times.by_key.items():
        floating = times.by_key.get(key._replace(numbers="float32"), {})
        if key.numbers == "float32" or ours not in engines or ours not in floating:
            continue
        ratio = median_ratio(engines[ours], floating[ours])
        if ratio:
            lines.append(f"| {key.subject} | {key.numbers} | {key.threads} | {ratio[0]:.2f} |")
    if lines:
        print(f"\n| {ours} | numbers | threads | times as fast as its float32 |\n| --- | --- | --- | --- |")
        print("\n".join(lines))


def run(arguments):
    """Runs the benchmarks as many rounds as asked for; returns one document that holds them all."""
    command = [os.path.abspath(arguments.run), "--benchmark_format=json",
               f"--benchmark_min_time={arguments.min_time}", f"--benchmark_filter={arguments.filter}"]
    if arguments.cpu is not None:
        command = ["taskset", "-c", arguments.cpu] + command
    whole = None
    for number in range(arguments.rounds):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
        document = json.loads(done.stdout)
        for entry in document["benchmarks"]:
            entry["repetition_index"] = number
        if whole is None:
            whole = document
        else:
            whole["benchmarks"] += document["benchmarks"]
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="results of --benchmark_format=json")
    parser.add_argument("--run", metavar="PROGRAM", help="a benchmark program to run instead of reading files")
    parser.add_argument("--rounds", type=int, default=15, help="passes over all benchmarks (%(default)s)")
    parser.add_argument("--min-time", default="0.05", help="seconds for a benchmark in a round (%(default)s)")
    parser.add_argument("--filter", default=".", help="regular expression of benchmark names")
    parser.add_argument("--cpu", help="processors to run on, as taskset names them: 1, or 0,1")
    parser.add_argument("--save", metavar="FILE", help="where to keep the results of --run")
    parser.add_argument("--ours", default="statiq")
    parser.add_argument("--peer", default="onednn")
    arguments = parser.parse_args()
    if bool(arguments.files) == bool(arguments.run):
        parser.error("either files or --run")
    if arguments.run and arguments.rounds < 1:
        parser.error("--rounds is at least 1")
    times = Times()
    if arguments.run:
        document = run(arguments)
        if arguments.save:
            half_written = f"{arguments.save}.{os.getpid()}.tmp"
            with open(half_written, "w", encoding="utf-8") as file:
                json.dump(document, file)
            os.replace(half_written, arguments.save)
        times.add(document, 0)
    for number, name in enumerate(arguments.files):
        try:
            with open(name, encoding="utf-8") as file:
                times.add(json.load(file), number)
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"{name}: {error}")
    print_table(times, arguments.ours, arguments.peer)


if __name__ == "__main__":
    main()
