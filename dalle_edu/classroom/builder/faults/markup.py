"""Marks that open and close: blocks of code, folded hints, emphasis, comments of HTML."""

import re
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import without_code
from dalle_edu.classroom.builder.source import Cell, Lesson

_TAGS = ("details", "summary", "div", "span", "table", "sub", "sup", "b", "i", "em", "strong")


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """Marks of prose that are not closed, each at the line that opens it."""
    for cell in lesson.cells:
        if cell.kind == "markdown":
            for line, en, fr in (*_fences(cell), *_html(cell), *_spans(cell)):
                yield Complaint(lesson.path, cell.first + line, en, fr)


def _fences(cell: Cell) -> Iterator[tuple[int, str, str]]:
    opened: tuple[str, int] | None = None
    for number, line in enumerate(cell.text.split("\n")):
        if mark := re.match(r"\s*(`{3,}|~{3,}|:{3,})(.*)", line):
            if opened is None:
                opened = (mark[1], number)
            elif mark[1].startswith(opened[0]) and not mark[2].strip():
                opened = None
    if opened is not None:
        yield opened[1], f"{opened[0]} is not closed; close it by {opened[0]}", f"{opened[0]} n'est pas fermé ; fermez-le par {opened[0]}"


def _html(cell: Cell) -> Iterator[tuple[int, str, str]]:
    text = without_code(cell.text)
    for tag in _TAGS:
        opened: list[int] = []
        for found in re.finditer(rf"<(/?){tag}\b[^>]*>", text):
            line = text.count("\n", 0, found.start())
            if not found[1]:
                if opened and tag in ("details", "summary"):
                    yield opened.pop(), f"<{tag}> is not closed; write </{tag}>", f"<{tag}> n'est pas fermé ; écrivez </{tag}>"
                opened.append(line)
            elif opened:
                opened.pop()
            else:
                yield line, f"</{tag}> closes nothing; open it by <{tag}>", f"</{tag}> ne ferme rien ; ouvrez par <{tag}>"
        for line in opened:
            yield line, f"<{tag}> is not closed; write </{tag}>", f"<{tag}> n'est pas fermé ; écrivez </{tag}>"


def _spans(cell: Cell) -> Iterator[tuple[int, str, str]]:
    """Inline code and strong words that are not closed in their paragraph."""
    text = re.sub(r"(?ms)^\s*(```|~~~).*", "", without_code(cell.text))  # of a block that is not closed something else is told
    begin = 0
    for paragraph in re.split(r"(\n\s*\n|\n(?=\s*[-*] |\s*\d+\. |\|))", text):
        for mark in ("`", "**"):
            places = [found.start() for found in re.finditer(re.escape(mark), paragraph)]
            if len(places) % 2:
                line = text.count("\n", 0, begin + places[-1])
                yield line, f"{mark} is not closed in its paragraph; close it", f"{mark} n'est pas fermé dans son paragraphe ; fermez-le"
        begin += len(paragraph)
