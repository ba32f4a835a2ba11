# SPDX-License-Identifier: Apache-2.0
"""Translation units that hold the pages' C++: each page a namespace, each error at the page's own line."""
import re
from dataclasses import dataclass, field
from pathlib import Path

from blocks import PageError

FIXTURES = Path(__file__).parent / "with"
EVERYTHING = "<statiq/statiq.hpp>"
INCLUDE = re.compile(r"\s*#\s*include\s*([<\"][^>\"]+[>\"])")
# A line of refused code says with what, whether it is a comment on the page or not.
REFUSED_COMMENT = re.compile(r"(\s*)// (.+?)\s+refused: (.+)")
REFUSED_CODE = re.compile(r"(.+?)\s*// refused: (.+)")


@dataclass
class Refusal:
    """One line that must not compile: where it is, and what the compiler must say."""
    page: Path
    line: int
    says: str
    unit: str


@dataclass
class Scope:
    """Blocks of a page that build on one another: a namespace, and one function for all that is indented."""
    page: Path
    includes: list = field(default_factory=list)  # that the page shows
    preambles: list = field(default_factory=list) # the fixtures' includes
    declarations: list = field(default_factory=list)
    statements: list = field(default_factory=list)

    @property
    def shown_headers(self):
        return tuple(sorted(set(self.includes))) or (EVERYTHING,)

    def text(self, name):
        using = "using namespace statiq;" if self.page.suffix == ".hpp" else "namespace sq = statiq;"
        return "\n".join([f"namespace {name} {{", using, *self.declarations,
                          "int shown() {", *self.statements, "return 0;", "}", "}", ""])


def new_scope(page):
    """A header's comments speak of that header."""
    if page.suffix != ".hpp":
        return Scope(page)
    return Scope(page, preambles=[f'#include "{page}"'])


def add_fixture(scope, name, to, page, line):
    """What a fixture has before its first empty line (what it includes) goes to the top of the unit, the rest to where
    the block stands."""
    path = FIXTURES / (name + ".inc")
    if not path.is_file():
        raise PageError(f"{page}:{line}: there is no {path}")
    lines = path.read_text(encoding="utf-8").split("\n")
    body = lines.index("")
    preamble = "\n".join(lines[:body])
    if preamble not in scope.preambles:
        scope.preambles.append(preamble)
    to += [f'#line {body + 1} "{path}"', *lines[body:]]


def code_of(block, scope, refused_line=None):
    """A block's lines. The refused ones are left out, but for the one that is asked for."""
    code = []
    for offset, text in enumerate(block.lines):
        comment, bare = REFUSED_COMMENT.fullmatch(text), REFUSED_CODE.fullmatch(text)
        if include := INCLUDE.match(text):
            scope.includes.append(include[1])
            text = ""
        elif comment:
            text = comment[1] + comment[2] if offset == refused_line else ""
        elif bare:
            text = bare[1] if offset == refused_line else ""
        code.append(text)
    return [f'#line {block.line} "{block.page}"', *code]


def add_block(scope, block, refused_line=None):
    to = scope.statements if block.in_function else scope.declarations
    for name in block.marks.fixtures:
        add_fixture(scope, name, to, block.page, block.line)
    to += code_of(block, scope, refused_line)


def scopes_of(page, blocks):
    """The page's C++ blocks in their scopes, and the blocks of each."""
    scopes, members = [], []
    for block in blocks:
        if block.language != "cpp":
            continue
        if not scopes or block.marks.apart:
            scopes.append(new_scope(page))
            members.append([])
        add_block(scopes[-1], block)
        members[-1].append(block)
    return scopes, members


def scope_of_calls(calls):
    """The expressions of a paragraph, in a function of their own."""
    scope = new_scope(calls.page)
    scope.declarations.append("using namespace statiq;")
    for name in calls.fixtures:
        add_fixture(scope, name, scope.declarations, calls.page, calls.line)
    for line, expression in calls.expressions:
        scope.statements += [f'#line {line} "{calls.page}"', f"static_cast<void>({expression});"]
    return scope


def unit_of(headers, scopes):
    """One translation unit: what the pages include, what the fixtures do, and the scopes."""
    preambles = [f"#include {header}" for header in headers]
    for scope in scopes:
        preambles += [p for p in scope.preambles if p not in preambles]
    # A page may name the library before anything of it is included.
    return "\n".join([*preambles, "namespace statiq {}", *(s.text(f"shown_{i}") for i, s in enumerate(scopes))])


def units_of(pages):
    """{headers: text} of what must compile: pages that show the same includes are one unit, since parsing them is what
    takes long. `pages` are (page, blocks, calls)."""
    by_headers = {}
    for page, blocks, calls in pages:
        for scope in scopes_of(page, blocks)[0] + [scope_of_calls(c) for c in calls]:
            by_headers.setdefault(scope.shown_headers, []).append(scope)
    return {headers: unit_of(headers, scopes) for headers, scopes in by_headers.items()}


def refusals_of(pages):
    """What must not compile: each refused line in a unit with nothing but its own scope as far as it."""
    refusals = []
    for page, blocks, _ in pages:
        for members in scopes_of(page, blocks)[1]:
            for index, block in enumerate(members):
                for offset, text in enumerate(block.lines):
                    match = REFUSED_COMMENT.fullmatch(text) or REFUSED_CODE.fullmatch(text)
                    if not match:
                        continue
                    scope = new_scope(page)
                    for earlier in members[:index]:
                        add_block(scope, earlier)
                    add_block(scope, block, offset)
                    # Without `#line` no compiler prints the page's own line, which says what it should say.
                    unit = re.sub(r"#line .*", "", unit_of(scope.shown_headers, [scope]))
                    refusals.append(Refusal(page, block.line + offset, match.groups()[-1], unit))
    return refusals
