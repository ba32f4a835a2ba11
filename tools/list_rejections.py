#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/rejections.md: what statiq refuses at compile time, and what to write instead.

The page is made from tests/must_not_compile, whose files hold a mistake each, and from the comments of the rejections'
types in the headers. With --check it is compared instead (a test does so).
"""
import argparse
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rejections.md"
INTRODUCTION = """# Rejections

What a type can exclude does not compile. Each message fits a screen: it is a sentence, or a type that carries the
layer's name and the numbers. A layer's name is spelt letter by letter, `layer_name<'f', 'c'>`, because every compiler
prints that.

Each entry shows a mistake that is refused so, and the same code as it compiles. `tools/list_rejections.py` makes this
page from the tests.
"""


def documented_types():
    """Of each rejection's type: its template head, and the comment above it."""
    found = {}
    pattern = re.compile(r"((?:^///.*\n)*)^template <([^>]*)>\nstruct (\w+) : rejection", re.M)
    for header in sorted((ROOT / "include").rglob("*.hpp")):
        for comment, parameters, name in pattern.findall(header.read_text(encoding="utf-8")):
            words = [re.sub(r"(?:class|int|bool|std::int64_t|auto|std::size_t|number_format)\s*\.{0,3}\s*", "", p).strip()
                     for p in parameters.split(",")]
            text = " ".join(line.removeprefix("///").strip() for line in comment.splitlines())
            text = text.replace("...", "…")  # as the pages write sketches
            found[name] = (f"{name}<{', '.join(words)}>", text)
    return found


def headline(source, types):
    """What a test expects the compiler to say: the name of a type, or a sentence."""
    expected = re.search(r"^// rejects: (.*)$", source, re.M)[1]
    is_type = re.match(r"(?:statiq::)?(\w+)<", expected)
    if is_type and is_type[1] in types:
        return is_type[1]
    sentence = re.sub(r"^\((.*?)\|.*\)$", r"\1", re.sub(r"\\(.)", r"\1", expected)).replace(".?", "").split(".*")[0]
    return sentence.removeprefix("fatal error: ").removeprefix("statiq: ")


def branches(source):
    """The mistake, and what stands for it."""
    parts = re.search(r"#if(n?)def STATIQ_REJECT\n(.*?)#endif", source, re.S)
    if not parts:
        return "", ""
    first, _, second = parts[2].partition("#else\n")
    wrong, right = (second, first) if parts[1] else (first, second)
    return wrong.rstrip(), right.rstrip()


def shown(label, code):
    lines = [line for line in code.splitlines() if line.strip()]
    return [f"{label if i == 0 else '':10}{line}" for i, line in enumerate(lines)]


def page():
    types = documented_types()
    entries = {}
    for test in sorted((ROOT / "tests" / "must_not_compile").glob("*.cpp")):
        source = test.read_text(encoding="utf-8")
        wrong, right = branches(source)
        cases = entries.setdefault(headline(source, types), [])
        if wrong and (wrong, right) not in cases:
            cases.append((wrong, right))
    sentences = sorted((h for h in entries if h not in types and entries[h]), key=str.lower)
    lines = [INTRODUCTION, "## By type", ""]
    for name in sorted(h for h in entries if h in types and entries[h]):
        head, comment = types[name]
        lines += [f"### `{head}`", ""] + ([*textwrap.wrap(comment, 120), ""] if comment else []) + examples(entries[name])
    lines += ["## By sentence", ""]
    for sentence in sentences:
        lines += [f"### {escaped(sentence)}", ""] + examples(entries[sentence])
    return "\n".join(lines).rstrip() + "\n"


def escaped(sentence):
    return re.sub(r"([<>*_|])", r"\\\1", sentence)


def examples(cases):
    lines = []
    for wrong, right in cases:
        lines += ["```text", *shown("refused", wrong), *shown("compiles", right), "```", ""]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare the page instead of writing it")
    text = page()
    if parser.parse_args().check:
        if PAGE.read_text(encoding="utf-8") != text:
            sys.exit(f"{PAGE} is not what tools/list_rejections.py writes: run it")
        return
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
