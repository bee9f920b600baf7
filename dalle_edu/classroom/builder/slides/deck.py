"""The slides of a lesson, as its source has them: which cells each slide shows, its notes, its id, and what it is for.

A cell with `slide="slide"` or `"subslide"` begins a slide, `"fragment"` goes on with it, `"notes"` is for who speaks. Notes begin with
their minutes, "5 min.". The first cell of a slide may say what the slide is for:

    slide_for="goals"            what the lesson teaches, what it needs
    slide_for="exercises 1-3"    the class works: the slide gives the title and the minutes, its notes say what to hand out ("1, 4-6" too)
    slide_for="quiz mystery"     the class answers the quiz of that name: the builder adds its choices and answers to the notes
    slide_for="closing"          what to keep, where to read on

The first slide has the lesson's title; the builder makes it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dalle_edu.classroom.builder.links.anchors import slug
from dalle_edu.classroom.builder.source import Cell, Lesson, edition

COURSE = {"en": "DALL·E, from the perceptron to the picture", "fr": "DALL·E, du perceptron à l'image"}
TITLE = "title"  # the id of the first slide, and what it is for
BEGINS = ("slide", "subslide")
_PURPOSE = re.compile(r"goals|closing|exercises \d+(-\d+)?(, ?\d+(-\d+)?)*|quiz \w+")
_MINUTES = re.compile(r"\s*(\d+) min\b")


@dataclass(frozen=True)
class Slide:
    """A slide: its number in the deck, from 1, its id, the line that it begins on, what it is for, the cells it shows, and its notes."""

    number: int
    id: str
    line: int
    purpose: str
    cells: tuple[Cell, ...]
    notes: tuple[Cell, ...]

    @property
    def kind(self) -> str:
        """The first word of what it is for: "title", "goals", "exercises", "quiz", "closing", or "" for a slide that teaches."""
        return self.purpose.split(" ")[0]

    @cached_property
    def minutes(self) -> int | None:
        """The minutes that its notes begin with, if they do."""
        found = _MINUTES.match(self.notes[0].text) if self.notes else None
        return int(found[1]) if found else None

    @property
    def quiz(self) -> str:
        """The name of the quiz that it announces, or ""."""
        return self.purpose.removeprefix("quiz ") if self.kind == "quiz" else ""

    @property
    def exercises(self) -> tuple[int, ...]:
        """The numbers of the exercises that it announces."""
        spans = re.findall(r"(\d+)(?:-(\d+))?", self.purpose) if self.kind == "exercises" else []
        return tuple(number for first, last in spans for number in range(int(first), int(last or first) + 1))


def slides_of(lesson: Lesson, language: str) -> list[Slide]:
    """The slides of a lesson in one language, the title first; the same ids in every language, those of the English headings."""
    groups = _groups(lesson, language)
    names = _ids([TITLE, *(_heading(cells) for cells in _groups(lesson, "en")[1:])])
    found = []
    for number, (cells, name) in enumerate(zip(groups, names, strict=False), 1):
        shown = tuple(cell for cell in cells if cell.metadata["slide"] != "notes")
        purpose = TITLE if number == 1 else str(shown[0].metadata.get("slide_for", "")) if shown else ""
        line = cells[0].line if cells and number > 1 else 1
        found.append(Slide(number, name, line, purpose, shown, tuple(cell for cell in cells if cell.metadata["slide"] == "notes")))
    return found


def is_purpose(text: str) -> bool:
    """Whether `slide_for` may say this."""
    return _PURPOSE.fullmatch(text) is not None


def _groups(lesson: Lesson, language: str) -> list[list[Cell]]:
    """The cells of each slide; the first slide is the title's, with what comes before the first cell that begins one."""
    groups: list[list[Cell]] = [[]]
    for cell in edition(lesson.cells, language):
        kind = cell.metadata.get("slide", "skip")
        if kind in BEGINS:
            groups.append([cell])
        elif kind != "skip":
            groups[-1].append(cell)
    return groups


def _heading(cells: Sequence[Cell]) -> str:
    found = [re.search(r"^#+ +(.+?)\s*$", cell.text, flags=re.MULTILINE) for cell in cells if cell.kind == "markdown"]
    return next((match[1] for match in found if match), "slide")


def _ids(headings: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for name in map(slug, headings):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names
