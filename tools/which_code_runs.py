#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/which_code_runs.md: the loop nest, number format and step of a convolution on each instruction set.

The tables are a constant that which_code_runs.cpp computes by the kernels' own choices. It is read from the compiler's
assembly, so no machine has to have the instruction sets. With --check the page is compared instead (a test does so).
STATIQ_CXX is the compiler for x86-64 with its flags, and aarch64-linux-gnu-g++ the one for Arm: where that is missing,
Arm's table stays as it is. Exit code 77: STATIQ_CXX makes no code for x86-64.
"""
import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "which_code_runs.md"
KERNELS = "include/statiq/kernels"
X86 = ["-march=x86-64-v4", "-mavx512vnni"]
ARM = ["-march=armv8.2-a+dotprod"]
X86_NAMES = ["SSE2", "SSE4.1", "AVX2", "AVX-VNNI", "AVX-512", "AVX-512 VNNI"]
ARM_NAMES = ["NEON", "NEON with dot product"]

# What is run under a name: the template, and the header that has it.
NESTS = [
    ("blocked", "convolve_panels", "convolution/blocked/loop.hpp", "byte_format", "convolution/blocked/byte_format.hpp",
     "float_format", "convolution/blocked/float_format.hpp"),
    ("rows", "depthwise_rows", "convolution/depthwise/rows.hpp", "byte_columns_format",
     "convolution/depthwise/byte_columns.hpp", None, None),
    ("columns", "depthwise_columns", "convolution/depthwise/columns.hpp", "byte_columns_format",
     "convolution/depthwise/byte_columns.hpp", "float_columns_format", "convolution/depthwise/float_columns.hpp"),
    ("channels", "depthwise_channels", "convolution/depthwise/channels.hpp", "byte_depthwise_format",
     "convolution/depthwise/byte_channels.hpp", "float_depthwise_format", "convolution/depthwise/float_channels.hpp"),
    ("reference", "convolution", "reference/convolution.hpp", None, None, None, None),
]
STEPS = [
    ("plain, dot product", "multiply_steps", "blocked/steps.hpp",
     "one instruction multiplies four bytes by four and adds them to 32 bits (`simd/dot_accumulate.hpp`)"),
    ("plain, pairs", "multiply_steps", "blocked/steps.hpp",
     "16 bits hold a sum of two products, whatever the inputs are (`simd/pair_products.hpp`)"),
    ("plain, widened", "multiply_steps", "blocked/steps.hpp",
     "bytes are widened to 16 bits first (`simd/dot_accumulate.hpp`)"),
    ("narrow", "multiply_narrow_steps", "blocked/narrow_steps.hpp",
     "16 bits hold this many such sums, which are widened together"),
    ("checked", "multiply_checked_steps", "blocked/checked_steps.hpp",
     "16 bits hold a sum of two products where inputs are small: inputs are tested, and few large ones corrected; "
     "where many are large, all are widened (`multiply_widened_steps`, `blocked/widened_steps.hpp`)"),
]

INTRODUCTION = f"""# Which code runs

The choices of a convolution, as the kernels make them. `tools/which_code_runs.py` makes this page from the functions that
choose: `byte_nest_of` and `float_nest_of` (`{KERNELS}/convolution/nests.hpp`), `exact_pair_sums` and `step_of`
(`{KERNELS}/convolution/blocked`). The front door is `{KERNELS}/convolution.hpp`;
`convolution/vector_convolution.hpp` calls the nest.

1. Find the layer in [the first table](#loop-nests): it says which loop nest runs. [The second](#where-they-are) has its files.
2. If the nest is `blocked`, find the instruction set and the width of the weights in [the third](#steps-and-tiles): it says
   how products are summed.

Constant evaluation, 16-bit numbers, processors without vectors and `STATIQ_NO_SIMD` run the reference.

## Loop nests

Inputs and outputs are bytes, signed or unsigned, and weights bytes; the columns are the 32-bit lanes of a register: 4 for
SSE and NEON, 8 for AVX2 and AVX-VNNI, 16 for AVX-512. The last column is float, on all of them. Images here are 56 x 56;
an image narrower than its window's columns takes `channels` instead of `columns`.
"""


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def constant(compiler, flags):
    """The tables, as compiled for an instruction set: {"nests": rows, "steps": rows}."""
    with tempfile.TemporaryDirectory() as folder:
        assembly = Path(folder) / "tables.s"
        command = [*compiler, "-std=c++20", *flags, f"-I{ROOT / 'include'}", "-O0", "-S", "-o", str(assembly),
                   str(ROOT / "tools" / "which_code_runs.cpp")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            fail(result.stderr)
        lines = assembly.read_text(encoding="utf-8").splitlines()
    characters = b""
    for line in lines[lines.index(next(l for l in lines if l.startswith("statiq_which_code_runs:"))) + 1:]:
        number = re.match(r"\s*\.byte\s+(\d+)", line)
        words = re.match(r'\s*\.(ascii|asciz|string)\s+"(.*)"', line)
        if number:
            characters += bytes([int(number[1])])
        elif words:
            characters += words[2].encode().decode("unicode_escape").encode("latin-1")
        else:
            break
    found = re.fullmatch(r"nests\n(.*)steps\n(.*)end\n", characters.rstrip(b"\0").decode(), re.S)
    return {"nests": found[1], "steps": found[2]}


def steps_table(names, rows):
    rows = rows.splitlines()
    if len(rows) != len(names):
        fail(f"which_code_runs: {len(rows)} instruction sets where {len(names)} have names")
    head = "| instruction set | registers | 8-bit weights | 7 bits | 5 bits | 4 bits | float |\n" + "| --- " * 7 + "|\n"
    return head + "".join(f"| {name} {row}\n" for name, row in zip(names, rows))


def named(name, header):
    """A link to a header that has this name."""
    if name is None:
        return "–"
    path = f"{KERNELS}/{header}"
    if not re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")):
        fail(f"which_code_runs: {path} has no {name}")
    return f"`{name}`, [{header.removeprefix('convolution/')}](../{path})"


def page(compiler, arm_compiler, current):
    x86 = constant(compiler, X86)
    includes = [flag for flag in compiler if flag.startswith("-I")]
    text = INTRODUCTION
    text += "\n| layer | 4 lanes | 8 lanes | 16 lanes | float |\n" + "| --- " * 5 + "|\n" + x86["nests"]
    text += "\nDepthwise layers whose weights have zero points run the same nests with one more sum (`with_zero_points`).\n"
    text += "\n## Where they are\n\n| nest | loops | bytes | float |\n" + "| --- " * 4 + "|\n"
    for nest, loops, header, byte, byte_header, real, real_header in NESTS:
        text += (f"| {nest} | {named(loops, header)} | {named(byte, byte_header)} | {named(real, real_header)} |\n")
    text += """
Weights of 4 and 2 bits share bytes in memory. The blocked nest expands a panel to bytes at a time
(`expanded_panels`, `weights/expand_sub_bytes.hpp`); depthwise layers keep bytes.

## Steps and tiles

How the blocked nest sums products of 8-bit inputs and symmetric weights, and its largest tile: pixels x output channels. The
formats of a layer bound its sums (`pair_sums_of`, `execute`): weights with zero points take more of the 16 bits, narrower inputs
less.

"""
    text += steps_table(X86_NAMES, x86["steps"])
    text += "\n"
    if arm_compiler:
        text += steps_table(ARM_NAMES, constant([arm_compiler, *includes], ARM)["steps"])
    else:
        kept = re.search(r"\| instruction set [^\n]*\n[^\n]*\n\| NEON .*?\n(?=\n)", current, re.S)
        text += kept[0] if kept else fail(f"{PAGE}: no table of Arm, and no aarch64-linux-gnu-g++ to make it")
    text += "\n| step | code | why it is exact |\n" + "| --- " * 3 + "|\n"
    for step, function, header, why in STEPS:
        text += f"| {step} | {named(function, 'convolution/' + header)} | {why} |\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare the page instead of writing it")
    arguments = parser.parse_args()
    compiler = shlex.split(os.environ.get("STATIQ_CXX", "g++"))
    target = subprocess.run([*compiler, "-dumpmachine"], capture_output=True, text=True, check=False).stdout
    if not target.startswith("x86_64"):
        print(f"which_code_runs: the compiler is for {target.strip()}")
        sys.exit(77)
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    made = page(compiler, shutil.which("aarch64-linux-gnu-g++"), current)
    if not arguments.check:
        PAGE.write_text(made, encoding="utf-8")
    elif made != current:
        fail(f"{PAGE.relative_to(ROOT)} is not what the kernels choose: run tools/which_code_runs.py")


if __name__ == "__main__":
    main()
