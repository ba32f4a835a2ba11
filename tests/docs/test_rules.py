#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each way in which a page can be wrong is found, and right pages pass. The pages here include no header of statiq."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import blocks
import check_pages

COMPILER = os.environ.get("STATIQ_CXX", "c++") + " -std=c++20"
HEADER = "```cpp\n#include <cstddef>\n```\n"  # with it, the page does not include all of statiq


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def read(self, text, name="page.md"):
        page = self.folder / name
        page.write_text(text, encoding="utf-8")
        return (page, *blocks.read_page(page))

    def failures(self, text, name="page.md"):
        return check_pages.check_code([self.read(text, name)], COMPILER)

    def refuses_page(self, text, words):
        with self.assertRaisesRegex(blocks.PageError, words):
            self.read(text)

    def test_code_that_compiles_passes(self):
        self.assertEqual(self.failures(HEADER + "```cpp\nstd::size_t size = 3;\n```\n"), [])

    def test_blocks_build_on_one_another(self):
        self.assertEqual(self.failures(HEADER + "```cpp\nstruct a {};\n```\ntext\n```cpp\nstruct b : a {};\n```\n"), [])

    def test_indented_blocks_are_one_function(self):
        page = HEADER + "```cpp\n    int sum = 0;\n```\n```cpp\nint f();\n```\n```cpp\n        sum += f();\n```\n"
        self.assertEqual(self.failures(page), [])

    def test_an_error_is_at_the_pages_line(self):
        (failure,) = self.failures(HEADER + "\n```cpp\nint right;\nwrong wrong;\n```\n")
        self.assertIn(f"{self.folder}/page.md:7:", failure)

    def test_what_a_page_does_not_include_is_missing(self):
        (failure,) = self.failures(HEADER + "```cpp\nstd::vector<int> missing;\n```\n")
        self.assertIn("vector", failure)

    def test_a_block_apart_sees_nothing_of_those_before(self):
        page = HEADER + "```cpp\nstruct a {};\n```\n<!-- apart -->\n```cpp\n#include <cstdint>\n\nstruct b : a {};\n```\n"
        self.assertEqual(len(self.failures(page)), 1)

    def test_a_comment_of_a_header(self):
        header = "#pragma once\nnamespace statiq {\n/// Text.\n/// ```cpp\n/// %s value;\n/// ```\ninline int f();\n}\n"
        def failures(code):
            page, found, calls = self.read(header % code, "a.hpp")
            scope = check_pages.units_of([(page, found, calls)])
            (text,) = scope.values()
            return check_pages.compile_text(COMPILER, text.replace("#include <statiq/statiq.hpp>", ""), self.folder)
        self.assertTrue(failures("int")[0])
        compiles, output = failures("wrong")
        self.assertFalse(compiles)
        self.assertIn("a.hpp:5:", output)

    def test_refused_code(self):
        page = HEADER + ("```cpp\ntemplate <int A, int B>\nstruct mismatch;\n"
                         "int a = 1;\n%s\n```\n")
        for right in ("// int b = mismatch<1, 2>{};      refused: mismatch<1, 2>",
                      "int b = mismatch<1, 2>{}; // refused: mismatch<1, 2>"):
            self.assertEqual(self.failures(page % right), [])
        (failure,) = self.failures(page % "int b = a; // refused: mismatch<1, 2>")
        self.assertIn("page.md:8: the page says that this is refused; it compiles", failure)
        (failure,) = self.failures(page % "int b = mismatch<2, 2>{}; // refused: mismatch<1, 2>")
        self.assertIn("refused, but not with mismatch<1, 2>", failure)

    def test_inline_calls_are_compiled_where_the_page_says_with_what(self):
        found = self.read("<!-- calls with: layers -->\nSay `a<1>(b)`, `c(d,\ne)`, `f<…>(x)` and `g`.\n\nOr `h(1)`.\n")[2]
        self.assertEqual([[text for _, text in calls.expressions] for calls in found], [["a<1>(b)", "c(d, e)"]])

    def test_a_call_of_a_template_that_nobody_compiles(self):
        text = "Text.\n\nSay `load<net>(path)`.\n"
        self.refuses_page(text, r"page.md:3: `load<net>\(path\)` is a call that nobody")
        self.read(text, "CHANGELOG.md")

    def test_marks_and_fences(self):
        self.refuses_page("```\ntext\n```\n", "page.md:1: a block of code says its language")
        self.refuses_page("```c++\nint a;\n```\n", "says its language")
        self.refuses_page("```cpp\nint a;\n", "does not end")
        self.refuses_page("<!-- within: a -->\n", "unknown mark")

    def test_a_fixture_that_is_not_there(self):
        with self.assertRaisesRegex(blocks.PageError, "there is no .*nothing.inc"):
            self.failures("<!-- with: nothing -->\n```cpp\nint a;\n```\n")

    def test_cmake(self):
        compiler = os.environ.get("STATIQ_CXX", "c++")
        self.assertEqual(check_pages.check_cmake([self.read("```cmake\nset(a 1)\n```\n")], compiler, ""), [])
        (failure,) = check_pages.check_cmake([self.read("```cmake\nno_such_command()\n```\n")], compiler, "")
        self.assertIn("page.md:2: CMake does not configure this", failure)


if __name__ == "__main__":
    unittest.main()
