"""Where a lesson speaks: passages of prose in markdown cells, in strings, comments and translated docstrings, and in its title.

Each passage knows its language, and the line of the file of each of its characters.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dalle_edu.classroom.builder.source import Cell, Lesson
from dalle_edu.world.catalogue import LANGUAGES

HOLE = "\ufffc"  # stands for each character of what is no prose
_CODE = r"```.*?```|~~~.*?~~~|`[^`\n]*(?:\n[^`\n]+)?`"
_FORMULA = r"\$\$.*?\$\$|(?<!\\)\$[^$]*\$"
_ADDRESS = r"(?<=\])\([^)]*\)|<!--.*?-->|</?[A-Za-z][^>]*>|https?://[^\s)>»]+|\{[a-z:-]+\}`[^`]*`"
ITALIC = r"(?<!\*)\*(?![*\s])(?:[^*\n]|\n(?!\s*\n))+?(?<!\s)\*(?!\*)|\b_(?:[^_\n]|\n(?!\s*\n))+?_\b"
_AS_WRITTEN = re.compile(f"{_CODE}|{_FORMULA}|{_ADDRESS}", re.DOTALL)
_CODE_ALONE = re.compile(_CODE, re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """Prose of one edition: its text and, for each line of it, its line in the file.

    `source` holds the lines of the file that a string was written on: a string may be written in pieces.
    """

    language: str
    text: str
    lines: tuple[int, ...]
    kind: str = "markdown"  # or "string", "comment", "title"
    source: tuple[str, ...] = ()

    def line(self, offset: int) -> int:
        """The line in the file of a character of the text."""
        if not self.source:
            return self.lines[min(self.text.count("\n", 0, offset), len(self.lines) - 1)]
        before = re.split(rf"[\n{HOLE}]", self.text[:offset])[-1]
        after = re.split(rf"[\n{HOLE}]", self.text[offset:])[0]
        for words in (before[-12:] + after[:12], after[:16], after[:8], before[-8:], after[:4]):
            for number, line in enumerate(self.source):
                if words.strip() and words in line:
                    return self.lines[0] + number
        return self.lines[0]


def masked(text: str, filled: str = HOLE) -> str:
    """A text of the same length whose code, formulas, addresses and HTML are `filled`; the ends of its lines stay."""
    return _AS_WRITTEN.sub(lambda found: re.sub(r"[^\n]", filled, found.group()), text)


def without_code(text: str) -> str:
    """A text of the same length whose code is blank."""
    return _CODE_ALONE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


@lru_cache(maxsize=4096)
def tree(code: str) -> ast.Module | None:
    """Code as a tree; none where it is no Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return None


def passages(lesson: Lesson) -> Iterator[Passage]:
    """All passages of a lesson, in the order of the file."""
    for language in LANGUAGES:
        if lesson.title.get(language):
            yield Passage(language, lesson.title[language], (lesson.lines.get("title", 1),), "title")
    for cell in lesson.cells:
        if cell.kind == "markdown":
            if cell.language in LANGUAGES:
                count = cell.text.count("\n") + 1
                yield Passage(cell.language, cell.text, tuple(range(cell.first, cell.first + count)))
        elif not cell.is_claims:
            yield from said(cell)
            yield from _comments(cell)
            if cell.implements:
                yield from _docstrings(cell)


def said(cell: Cell) -> Iterator[Passage]:
    """The two strings of each `say(en, fr)` in a cell of code."""
    for call in says(cell):
        for language, argument in zip(("en", "fr"), call.args, strict=False):
            text = written(argument)
            if text.strip():
                yield _string(cell, argument, text, language)


def says(cell: Cell) -> Iterator[ast.Call]:
    """The calls of `say` in a cell of code."""
    for node in ast.walk(tree(cell.text) or ast.Module([], [])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            yield node


def unsaid(cell: Cell) -> Iterator[tuple[str, int]]:
    """The strings of a cell of code that are in no `say`, with their lines."""
    inside = {id(part) for call in says(cell) for part in ast.walk(call)}
    for node in ast.walk(tree(cell.text) or ast.Module([], [])):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value, cell.first + node.lineno - 1


def written(node: ast.AST) -> str:
    """The text of a string as it is written, with a hole for each value that is put into it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(written, node.values))
    if isinstance(node, ast.FormattedValue):
        return HOLE
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return written(node.left) + written(node.right)
    return ""


def _string(cell: Cell, node: ast.expr, text: str, language: str) -> Passage:
    end = node.end_lineno or node.lineno
    source = tuple(cell.text.split("\n")[node.lineno - 1 : end])
    return Passage(language, text, (cell.first + node.lineno - 1,), "string", source)


def _comments(cell: Cell) -> Iterator[Passage]:
    for number, line in enumerate(cell.text.split("\n")):
        if found := re.match(r"\s*# (en|fr): (.+)", line):
            yield Passage(found[1], found[2], (cell.first + number,), "comment")
        elif cell.implements and (found := re.match(r"# .+? => (.+)", line)):
            yield Passage("fr", found[1], (cell.first + number,), "comment")


def _docstrings(cell: Cell) -> Iterator[Passage]:
    for node in (tree(cell.text) or ast.Module([], [])).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield _string(cell, node.value, node.value.value, "fr")
