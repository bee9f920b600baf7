"""The structure that both languages share: paired cells, headings, equations, pictures, hints, and the length of cells."""

import re
from collections.abc import Iterator
from itertools import groupby

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.languages import words
from dalle_edu.classroom.builder.source import Cell, Lesson

LINES = 18  # the most in a cell of code that is no exercise, no quiz and no claims
_PARTS = {
    "headings": r"^(#+) .*",
    "equations": r"\$\$(.*?)\$\$",
    "pictures": r"!\[[^\]]*\]\(([^)]*)\)",
    "hints": r"<(details)>",
}
_PARTIES = {"headings": "les titres", "equations": "les équations", "pictures": "les images", "hints": "les indices"}


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """Cells without a translation, differences between the editions, prose without a language, and cells that are too long."""
    yield from _differences(lesson)
    for cell in lesson.cells:
        if cell.kind == "markdown" and cell.language is None and words(cell.text):
            yield Complaint(
                lesson.path,
                cell.line,
                f"prose without a language; write it in each, with lang: {start(cell.text)}",
                f"de la prose sans langue ; écrivez-la dans chacune, avec lang : {start(cell.text)}",
            )
        count = cell.text.count("\n") + 1
        if cell.kind == "code" and not (cell.is_exercise or cell.is_quiz or cell.implements or cell.is_claims) and count > LINES:
            yield Complaint(
                lesson.path,
                cell.line,
                f"a cell has {count} lines, more than {LINES}; split it: {start(cell.text)}",
                f"une cellule a {count} lignes, plus de {LINES} ; coupez-la : {start(cell.text)}",
            )
        if not cell.text.strip():
            yield Complaint(lesson.path, cell.line, "an empty cell; take it out", "une cellule vide ; ôtez-la")


def pairs(lesson: Lesson) -> Iterator[tuple[Cell, Cell]]:
    """The French and the English cell of each pair, where there are as many of both between two cells of code."""
    for fr, en in _sides(lesson):
        if len(fr) == len(en):
            yield from zip(fr, en, strict=True)


def structure(text: str) -> dict[str, list[tuple[str, int]]]:
    """The parts of a piece of prose that both languages share: levels of headings, displayed equations, pictures, folded hints.

    Each comes with its place in the text, counted in lines from 0.
    """
    plain = re.sub(r"```.*?```", lambda found: re.sub(r"[^\n]", "", found.group()), text, flags=re.DOTALL)
    found = {}
    for what, pattern in _PARTS.items():
        flags = re.DOTALL if what == "equations" else re.MULTILINE
        found[what] = [(_spoken(each[1]), plain.count("\n", 0, each.start())) for each in re.finditer(pattern, plain, flags)]
    return found


def start(text: str) -> str:
    """The first words of a text, on one line."""
    return " ".join(text.split())[:70]


def _sides(lesson: Lesson) -> Iterator[tuple[list[Cell], list[Cell]]]:
    for is_prose, group in groupby(lesson.cells, key=lambda cell: cell.kind == "markdown"):
        if is_prose:
            cells = list(group)
            yield [cell for cell in cells if cell.language == "fr"], [cell for cell in cells if cell.language == "en"]


def _differences(lesson: Lesson) -> Iterator[Complaint]:
    for fr, en in _sides(lesson):
        if len(fr) != len(en):
            most, least = (fr, en) if len(fr) > len(en) else (en, fr)
            lone = most[len(least)] if least else most[-1]
            yield Complaint(
                lesson.path,
                lone.line,
                f"{len(fr)} cells in French and {len(en)} in English; each has its translation, near: {start(lone.text)}",
                f"{len(fr)} cellules en français et {len(en)} en anglais ; chacune a sa traduction, près de : {start(lone.text)}",
            )
            continue
        for left, right in zip(fr, en, strict=True):
            for what in ("slide", "slide_only", "tags", "own_numbers"):
                if left.metadata.get(what) != right.metadata.get(what):
                    yield _differing(lesson, right.line, what, what, left, right)
            here, there = structure(left.text), structure(right.text)
            for what in _PARTS:
                ours, theirs = [text for text, _ in here[what]], [text for text, _ in there[what]]
                shorter = min(len(ours), len(theirs))
                if ours != theirs:
                    count = next((i for i, (our, their) in enumerate(zip(ours, theirs, strict=False)) if our != their), shorter)
                    line = right.first + there[what][count][1] if count < len(theirs) else left.first + here[what][count][1]
                    yield _differing(lesson, line, what, _PARTIES[what], left, right)


def _differing(lesson: Lesson, line: int, what: str, quoi: str, left: Cell, right: Cell) -> Complaint:
    verb = "differ" if what.endswith("s") else "differs"
    return Complaint(
        lesson.path,
        line,
        f"{what} {verb} between the languages (cells at lines {left.line} and {right.line}); make them the same",
        f"entre les langues (cellules des lignes {left.line} et {right.line}) diffèrent : {quoi} ; mettez-les d'accord",
    )


def _spoken(equation: str) -> str:
    """An equation without words, spaces and decimal commas; words in it are translated."""
    return re.sub(r"\\(text|operatorname|mathrm)\{[^}]*\}|\s", "", equation.replace("{,}", "."))
