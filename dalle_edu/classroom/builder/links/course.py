"""The course as references know it: the lessons that are planned, those that are written, their sections and exercises."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dalle_edu.classroom.builder.complaints import Faults
from dalle_edu.classroom.builder.hollow import names_bound
from dalle_edu.classroom.builder.links.anchors import headings
from dalle_edu.classroom.builder.source import Lesson, read_lesson

COURSE = "course.json"
_OURS = Path(__file__).parents[4] / "lessons" / COURSE


@dataclass(frozen=True)
class Section:
    """A section of a lesson in one language: its heading as written, its id, its number if it has one, and its title without number."""

    heading: str
    id: str
    number: str
    title: str


@dataclass(frozen=True)
class Course:
    """The titles of all lessons of the course by number, and the lessons that are written."""

    titles: dict[str, dict[str, str]]
    lessons: dict[str, Lesson]

    @classmethod
    def of(cls, lessons: Iterable[Lesson], folder: Path) -> "Course":
        """The course of these lessons; `folder` may hold the titles of all that are planned, course.json, and ours counts otherwise."""
        path = folder / COURSE if (folder / COURSE).exists() else _OURS
        planned = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        written = {lesson.number: lesson for lesson in lessons}
        titles = {each["number"]: each["title"] for each in planned} | {number: each.title for number, each in written.items()}
        return cls(titles, written)

    @classmethod
    def around(cls, lesson: Lesson) -> "Course":
        """The course of a lesson and of those beside it on disk; those that cannot be read are left out."""
        beside = [_read(path, path.stat().st_mtime_ns) for path in sorted(lesson.path.parent.glob("*.py")) if path != lesson.path]
        return cls.of([*(each for each in beside if each is not None and each.number), lesson], lesson.path.parents[1])

    def sections(self, number: str, language: str) -> list[Section]:
        """The sections of a lesson in one language; none where the lesson is not written."""
        lesson = self.lessons.get(number)
        return [_section(text, name) for text, name in headings(lesson, language)] if lesson is not None else []

    def section(self, number: str, name: str, language: str) -> Section | None:
        """The section of a lesson with this id, if there is one."""
        return next((each for each in self.sections(number, language) if each.id == name), None)

    def exercises(self, number: str) -> list[set[str]]:
        """The exercises of a lesson in order, each by all its names: what it defines, and its target, such as "attention:attend"."""
        cells = self.lessons[number].cells if number in self.lessons else ()
        return [
            {cell.implements, cell.implements.split(":")[-1]} if cell.implements else names_bound(cell.text)
            for cell in cells
            if cell.is_exercise
        ]

    def levels(self, number: str) -> list[int]:
        """The levels of a lesson's exercises, in order."""
        return [cell.metadata["level"] for cell in self.lessons[number].cells if cell.is_exercise] if number in self.lessons else []

    def exercise(self, number: str, name: str) -> int:
        """The number of an exercise of a lesson, given by number or name; 0 where it has none such."""
        found = self.exercises(number)
        if name.isdecimal():
            return int(name) if int(name) <= len(found) else 0
        return next((place for place, names in enumerate(found, 1) if name in names), 0)


def _section(heading: str, name: str) -> Section:
    numbered = re.match(r"(\d+)\. (.*)", heading)
    return Section(heading, name, numbered[1], numbered[2]) if numbered else Section(heading, name, "", heading)


@cache
def _read(path: Path, changed: int) -> Lesson | None:
    try:
        return read_lesson(path)
    except Faults:
        return None
