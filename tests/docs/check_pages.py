#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles, configures and runs what the pages and the headers' comments show. README.md beside this file says how a
block gets what it needs.

check_pages.py code --source DIR --compiler "g++ -std=c++20 -Iinclude"     every block of C++
check_pages.py cmake --source DIR --compiler g++ --package DIR             every block of CMake, with the installed package
check_pages.py recipes --source DIR --compiler "g++ …"                     the blocks that a script runs
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from blocks import PageError, pages_of, read_page
from units import FIXTURES, refusals_of, units_of


def compile_text(compiler, text, folder):
    """(whether it compiles, what the compiler says)"""
    source = folder / "shown.cpp"
    source.write_text(text, encoding="utf-8")
    command = [*shlex.split(compiler), "-O0", "-fsyntax-only", "-fdiagnostics-color=never", "-fmessage-length=0",
               f"-I{FIXTURES}", str(source)]
    # The C locale keeps the compiler to plain quotes.
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return result.returncode == 0, result.stderr


def plain(text):
    """Names without spaces and namespaces, as compilers write them in several ways."""
    return text.replace("statiq::", "").replace(" ", "")


def check_code(pages, compiler):
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for headers, text in units_of(pages).items():
            compiles, output = compile_text(compiler, text, Path(folder))
            if not compiles:
                failures.append(f"with {', '.join(headers)}:\n{output}")
        for refusal in refusals_of(pages):
            compiles, output = compile_text(compiler, refusal.unit, Path(folder))
            if compiles:
                failures.append(f"{refusal.page}:{refusal.line}: the page says that this is refused; it compiles")
            elif plain(refusal.says) not in plain(output):
                failures.append(f"{refusal.page}:{refusal.line}: refused, but not with {refusal.says}:\n{output}")
    return failures


def check_cmake(pages, compiler, package):
    failures = []
    for block in [b for _, blocks, _ in pages for b in blocks if b.language == "cmake"]:
        with tempfile.TemporaryDirectory() as folder:
            parts = [(FIXTURES / f"{name}.cmake").read_text(encoding="utf-8") for name in block.marks.fixtures]
            Path(folder, "CMakeLists.txt").write_text(
                "\n".join(["cmake_minimum_required(VERSION 3.25)", "project(shown LANGUAGES CXX)", *parts, *block.lines]))
            result = subprocess.run(
                ["cmake", "-S", folder, "-B", f"{folder}/build", f"-DCMAKE_CXX_COMPILER={compiler}",
                 f"-DCMAKE_PREFIX_PATH={package}"], capture_output=True, text=True)
            if result.returncode != 0:
                failures.append(f"{block.page}:{block.line}: CMake does not configure this:\n{result.stderr}")
    return failures


def check_recipes(pages, source, compiler):
    """The blocks of a page that name one script are files of its working folder: 1.sh, 2.cpp and so on."""
    recipes = {}
    for page, blocks, _ in pages:
        for block in blocks:
            if block.marks.runner:
                recipes.setdefault((page, block.marks.runner), []).append(block)
    failures = []
    for (page, runner), blocks in recipes.items():
        script = FIXTURES / f"{runner}.sh"
        with tempfile.TemporaryDirectory() as folder:
            for number, block in enumerate(blocks, 1):
                Path(folder, f"{number}.{block.language}").write_text("\n".join([*block.lines, ""]), encoding="utf-8")
            result = subprocess.run(["sh", "-eu", str(script)], cwd=folder, capture_output=True, text=True,
                                    env={**os.environ, "CXX": compiler, "SOURCE": str(source), "WITH": str(FIXTURES)})
            if result.returncode != 0:
                failures.append(f"{page}:{blocks[0].line}: {script.name} fails ({result.returncode}):\n"
                                f"{result.stdout}{result.stderr}")
            else:
                print(f"{page.name}: {result.stdout.strip()}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["code", "cmake", "recipes"])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--package", default="", help="where statiq is installed")
    arguments = parser.parse_args()
    try:
        pages = [(page, *read_page(page)) for page in pages_of(arguments.source)]
        if arguments.what == "code":
            failures = check_code(pages, arguments.compiler)
        elif arguments.what == "cmake":
            failures = check_cmake(pages, arguments.compiler, arguments.package)
        else:
            failures = check_recipes(pages, arguments.source, arguments.compiler)
    except PageError as error:
        failures = [str(error)]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
