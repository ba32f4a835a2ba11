#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compile time, compiler memory and code size of networks, as docs/performance.md lists them.

    tools/measure_builds.py [--compiler g++ --compiler clang++] [--flags "-O2 -march=native"]

Two programs a network: `inference` runs integers that are given (what an embedded program holds), `whole` goes from float
parameters by deploying, calibrating and quantizing to the running model. Seconds are the compiler's processor time, the
least of --runs, megabytes its peak memory, kilobytes the code and constants of the object file (`size`'s text).
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

NETWORKS = {
    "mobilenet_v1_1.0_224": ("<statiq/networks/mobilenet_v1.hpp>", "statiq::networks::mobilenet_v1<100, 224>"),
    "mobilenet_v2_1.0_224": ("<statiq/networks/mobilenet_v2.hpp>", "statiq::networks::mobilenet_v2<100, 224>"),
    "repvgg_a0_224": ("<statiq/networks/repvgg.hpp>", "statiq::networks::repvgg<statiq::networks::repvgg_a0>"),
    "mobilenet_v1_0.25_96": ("<statiq/networks/mobilenet_v1.hpp>", "statiq::networks::mobilenet_v1<25, 96>"),
}

NUMBERS = """
using graph = statiq::deployed<net>;
using weight = statiq::quantized<8, statiq::symmetric, statiq::per_channel>;
using activation = statiq::quantized<8, statiq::asymmetric>;
using numbers = statiq::numbers_chosen<graph, weight, activation>;
"""

INFERENCE = """
#include <statiq/execute/integer_network.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include {header}
using net = {type};
{numbers}
using network = statiq::integer_network<numbers>;
const std::uint8_t* run(const network::parameters_type& from, std::span<std::uint8_t, network::arena_size> arena,
                        std::span<const std::uint8_t, network::input_size> input) {{
    return network(from, arena).run(input).data();
}}
"""

WHOLE = """
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <array>
#include <span>
#include {header}
using net = {type};
{numbers}
struct samples {{
    std::span<const float> all;
    [[nodiscard]] std::size_t size() const {{ return all.size() / statiq::input_extents<net>.size(); }}
    [[nodiscard]] std::span<const float> operator[](std::size_t i) const {{
        return all.subspan(i * statiq::input_extents<net>.size(), statiq::input_extents<net>.size());
    }}
}};
float run(const statiq::parameters<net>& trained, std::span<const float> images) {{
    const auto deployed = statiq::deploy(trained);
    auto model = statiq::quantize<weight, activation>(deployed, statiq::calibrate(deployed, samples{{images}}));
    return model(samples{{images}}[0])[0];
}}
"""

# So many equal layers: what each costs is the difference.
STACKS = (8, 16, 32)
STACK = """
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
template <int Count>
constexpr auto layers() {{
    if constexpr (Count == 1)
        return statiq::conv<16>(statiq::kernel<3>) | statiq::relu;
    else
        return statiq::conv<16>(statiq::kernel<3>) | statiq::relu | layers<Count - 1>();
}}
struct stack final : statiq::network<decltype(statiq::input<20, 20, 16> | layers<{count}>())> {{}};
"""


def measure(command, source, folder):
    """Compile; return seconds, megabytes and kilobytes."""
    path = folder / "network.cpp"
    path.write_text(source)
    made = folder / "network.o"
    errors = folder / "errors.txt"
    with errors.open("w", encoding="utf-8") as sink:
        child = subprocess.Popen([*command, "-c", str(path), "-o", str(made)], stderr=sink)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{shlex.join(command)}: {errors.read_text(encoding='utf-8')}")
    size = subprocess.run(["size", str(made)], check=True, capture_output=True, text=True).stdout
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, int(size.splitlines()[1].split()[0]) / 1000


def best(command, source, folder, runs):
    return [min(values) for values in zip(*(measure(command, source, folder) for _ in range(runs)))]


def include_options():
    """What the programs need beside statiq, where pkg-config knows of it."""
    options = [f"-I{ROOT / 'include'}"]
    found = subprocess.run(["pkg-config", "--cflags", "xsimd"], capture_output=True, text=True)
    return options + (re.findall(r"-I\S+", found.stdout) if found.returncode == 0 else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append", help="g++ and clang++ unless given")
    parser.add_argument("--flags", default="-O2 -march=native", help="(%(default)s)")
    parser.add_argument("--filter", default=".", help="regular expression of network names")
    parser.add_argument("--runs", type=int, default=1, help="compilations of each program (%(default)s)")
    arguments = parser.parse_args()
    compilers = arguments.compiler or ["g++", "clang++"]
    print("| network | program | " + " | ".join(f"{c}, s | MB | kB" for c in compilers) + " |")
    print("| --- | --- |" + " --- | --- | --- |" * len(compilers))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        commands = [[c, "-std=c++20", *shlex.split(arguments.flags), *include_options()] for c in compilers]
        for network, (header, kind) in NETWORKS.items():
            if not re.search(arguments.filter, network):
                continue
            for program, text in (("inference", INFERENCE), ("whole", WHOLE)):
                source = text.format(header=header, type=kind, numbers=NUMBERS)
                cells = []
                for command in commands:
                    seconds, megabytes, kilobytes = best(command, source, folder, arguments.runs)
                    cells += [f"{seconds:.1f}", f"{megabytes:.0f}", f"{kilobytes:.0f}"]
                print(f"| {network} | {program} | " + " | ".join(cells) + " |", flush=True)
        for compiler, command in zip(compilers, commands):
            sizes = []
            for count in STACKS:
                (folder / "stack.hpp").write_text(STACK.format(count=count))
                source = INFERENCE.format(header='"stack.hpp"', type="stack", numbers=NUMBERS)
                sizes.append(measure([*command, f"-I{folder}"], source, folder)[2])
            grown = (sizes[-1] - sizes[0]) * 1000 / (STACKS[-1] - STACKS[0])
            listed = ", ".join(f"{count} layers {kb:.1f} kB" for count, kb in zip(STACKS, sizes))
            print(f"\n{compiler}: equal layers, {listed}: {grown:.0f} bytes for each more.", flush=True)


if __name__ == "__main__":
    main()
