# SPDX-License-Identifier: Apache-2.0
"""The blocks of code on a page or in a header's comments, and the marks that stand above them."""
import re
from dataclasses import dataclass, field
from pathlib import Path

LANGUAGES = ("cpp", "cmake", "sh", "text")
KINDS = ("with", "run by", "calls with")
MARK = re.compile(r"<!-- (apart|(?:%s): [\w./ -]+) -->" % "|".join(KINDS))
FENCE = re.compile(r"```(.*)")
# Inline code that calls a template: `load<net>(path)`. With an ellipsis it is a sketch.
TEMPLATE_CALL = re.compile(r"[\w:.]+<[^`…]*>\([^`…]+\)")


class PageError(Exception):
    """What is wrong with a page, with its name and line."""


@dataclass
class Marks:
    apart: bool = False
    fixtures: list = field(default_factory=list)  # with: files of tests/docs/with
    runner: str = ""                              # run by: a script of tests/docs/with


@dataclass
class Block:
    page: Path
    line: int  # of the first line of code
    language: str
    lines: list
    marks: Marks

    @property
    def in_function(self):
        """Statements are indented on the pages, as they are in the function they stand in."""
        first = next((line for line in self.lines if line.strip()), "")
        return first.startswith(" ")


@dataclass
class Calls:
    """The inline code of one paragraph or table that a mark `calls with:` stands above."""
    page: Path
    line: int
    expressions: list  # (line, text)
    fixtures: list


def comment_lines(text):
    """A header's lines, each without what makes it a comment of Doxygen's; other lines are empty."""
    return [match[1] if (match := re.match(r"\s*/// ?(.*)", line)) else "" for line in text.split("\n")]


def page_lines(page):
    text = page.read_text(encoding="utf-8")
    return comment_lines(text) if page.suffix == ".hpp" else text.split("\n")


def read_mark(page, number, text, marks):
    """Adds one mark to those of the block that follows; returns the fixtures of `calls with`, else nothing."""
    match = MARK.fullmatch(text)
    if not match:
        raise PageError(f"{page}:{number}: unknown mark {text}; there are apart, with:, run by: and calls with:")
    kind, _, names = match[1].partition(": ")
    if kind == "apart":
        marks.apart = True
    elif kind == "with":
        marks.fixtures += names.split()
    elif kind == "run by":
        marks.runner = names
    else:
        return names.split()
    return None


def spans(first, lines):
    """The inline code of a paragraph: (line, text). Code may go over the end of a line."""
    text = "\n".join(lines)
    for match in re.finditer(r"`([^`]+)`", text):
        yield first + text[:match.start()].count("\n"), " ".join(match[1].split())


def read_page(page):
    """The blocks, and the calls in inline code. Raises PageError for what cannot be checked."""
    blocks, calls = [], []
    lines = page_lines(page)
    marks, call_fixtures, at = Marks(), None, 0
    while at < len(lines):
        text = lines[at].strip()
        if fence := FENCE.match(text):
            language, begin = fence[1].strip(), at + 1
            if language not in LANGUAGES:
                raise PageError(f"{page}:{at + 1}: a block of code says its language: {', '.join(LANGUAGES)}")
            end = next((i for i in range(begin, len(lines)) if lines[i].strip() == "```"), None)
            if end is None:
                raise PageError(f"{page}:{at + 1}: this block does not end")
            blocks.append(Block(page, begin + 1, language, lines[begin:end], marks))
            marks, at = Marks(), end + 1
        elif text.startswith("<!--"):
            call_fixtures = read_mark(page, at + 1, text, marks) or call_fixtures
            at += 1
        elif text:
            begin = at
            while at < len(lines) and lines[at].strip() and not FENCE.match(lines[at].strip()):
                at += 1
            paragraph = list(spans(begin + 1, lines[begin:at]))
            if call_fixtures is not None:
                shown = [(n, code) for n, code in paragraph if "(" in code and "…" not in code]
                calls.append(Calls(page, begin + 1, shown, call_fixtures))
            elif page.suffix == ".md" and page.name != "CHANGELOG.md":  # which names calls that are no more
                for number, code in paragraph:
                    if TEMPLATE_CALL.fullmatch(code):
                        raise PageError(f"{page}:{number}: `{code}` is a call that nobody compiles: say "
                                        "<!-- calls with: FIXTURE --> above the paragraph")
            call_fixtures = None
        else:
            at += 1
    return blocks, calls


def pages_of(source):
    """All pages of the repository, and the headers whose comments hold code."""
    folders = [p for p in source.iterdir() if p.is_dir() and p.name != "build" and not p.name.startswith(".")]
    pages = sorted(source.glob("*.md")) + sorted(p for folder in folders for p in folder.rglob("*.md"))
    headers = sorted((source / "include").rglob("*.hpp"))
    return pages + [h for h in headers if "```" in h.read_text(encoding="utf-8")]
