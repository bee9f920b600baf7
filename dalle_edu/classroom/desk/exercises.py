"""The exercises of the lessons, with their solutions, as the builder wrote them: `lessons/<language>/exercises.json`."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FILE = "exercises.json"
_PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Exercise:
    """An exercise of a lesson, in one language.

    `number` and `level` are those of the notebook. `key` is the same in every language: the object of the library that is implemented,
    such as "perceptron:step", or the first name of an exercise of the lesson's own. `names` are those that its cell defines, `stub` is
    the cell to fill in and `solution` the filled one. `asked` are the texts by which `expect` calls its values.
    """

    number: int
    level: int
    key: str
    names: tuple[str, ...]
    stub: str
    solution: str
    asked: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is the lesson's own exercise, and not one on the library's code."""
        return ":" not in self.key


def exercises_path(language: str) -> Path:
    """The path of the exercises in a language: inside an installed package, or in `lessons` of a clone; the latter if neither has them."""
    places = [place / "lessons" / language / FILE for place in (_PACKAGE / "_shipped", _PACKAGE.parent)]
    return next((place for place in places if place.is_file()), places[-1])


def exercises(lesson: str, language: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson, such as "01_perceptron"; none where the file is missing, or is not one of these."""
    try:
        found = json.loads(exercises_path(language).read_text(encoding="utf-8"))[lesson]
        return tuple(_read(one) for one in found)
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _read(given: dict[str, Any]) -> Exercise:
    known: dict[str, Any] = {field.name: given[field.name] for field in fields(Exercise)}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return Exercise(**known)
