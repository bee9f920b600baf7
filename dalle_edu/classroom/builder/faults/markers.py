"""The facts that a cell's marker states: closed sets of keys, tags, slide types and levels, and what may stand together."""

import re
from collections.abc import Iterator
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.source import Cell, Lesson
from dalle_edu.world.catalogue import LANGUAGES

SLIDE_TYPES = ("slide", "subslide", "fragment", "notes", "skip")
LEVELS = (1, 2, 3)
TAGS = ("hide-input", "output-only-slide")
_PROSE = {"lang", "slide", "slide_only", "slide_for", "tags", "own_numbers"}
_CODE = {"slide", "slide_only", "slide_for", "tags", "implements", "hollow", "level", "quiz", "scratch", "claims"}
_EXCLUSIVE = ("level", "quiz", "scratch", "claims")  # a cell is one of these at most


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """The faults of the markers of all cells."""
    for cell in lesson.cells:
        for en, fr in _wrong(cell):
            yield Complaint(lesson.path, cell.line, en, fr)


def _wrong(cell: Cell) -> Iterator[tuple[str, str]]:
    metadata, known = cell.metadata, _PROSE if cell.kind == "markdown" else _CODE
    for key in metadata:
        if key == "lang" and cell.kind == "code":
            yield "code with a language; code exists once: leave lang out", "du code avec une langue ; le code est unique : ôtez lang"
        elif key not in known:
            names = ", ".join(sorted(known))
            what, quoi = ("prose", "de la prose") if cell.kind == "markdown" else ("code", "du code")
            yield f"unknown metadata {key}; a cell of {what} may have {names}", f"métadonnée inconnue {key} ; {quoi} peut avoir {names}"
        elif key == "tags":
            yield from _wrong_tags(metadata["tags"])
        else:
            yield from _wrong_value(key, metadata[key])
    if "implements" in metadata and "level" not in metadata:
        yield "an exercise without a level; add level=1, 2 or 3", "un exercice sans niveau ; ajoutez level=1, 2 ou 3"
    if "hollow" in metadata and "implements" not in metadata:
        yield (
            "hollow without implements; it names methods of a class of the library",
            "hollow sans implements ; il nomme des méthodes d'une classe",
        )
    both = [key for key in _EXCLUSIVE if metadata.get(key)]
    if len(both) > 1:
        yield f"a cell is one of {', '.join(both)}; leave the others out", f"une cellule est l'un de {', '.join(both)} ; ôtez les autres"


def _wrong_tags(tags: Any) -> Iterator[tuple[str, str]]:
    known = ", ".join(TAGS)
    if not isinstance(tags, list):
        yield f'tags is {tags!r}; write tags=["hide-input"]', f'tags vaut {tags!r} ; écrivez tags=["hide-input"]'
        return
    for tag in tags:
        if tag not in TAGS:
            yield f"unknown tag {tag!r}; known are {known}", f"étiquette inconnue {tag!r} ; il y a {known}"


def _wrong_value(key: str, value: Any) -> Iterator[tuple[str, str]]:
    sets: dict[str, tuple[Any, ...]] = {
        "lang": LANGUAGES,
        "slide": SLIDE_TYPES,
        "level": LEVELS,
        "slide_only": (True,),
        "own_numbers": (True,),
        "scratch": (True,),
        "claims": (True,),
    }
    if key in sets:
        if not any(value == known and type(value) is type(known) for known in sets[key]):
            names = ", ".join("true" if known is True else str(known) for known in sets[key])
            yield f"{key} is {value!r}; it is one of {names}", f"{key} vaut {value!r} ; il faut l'un de {names}"
    elif key == "implements":
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", value):
            yield (
                f'implements is {value!r}; name a module and an object, "attention:attend"',
                f'implements vaut {value!r} ; nommez un module et un objet, "attention:attend"',
            )
    elif key == "hollow":
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            yield f'hollow is {value!r}; list methods, ["forward"]', f'hollow vaut {value!r} ; listez des méthodes, ["forward"]'
    elif key == "quiz" and not (isinstance(value, str) and re.fullmatch(r"[a-z0-9_]+", value)):
        yield (
            f'quiz is {value!r}; give it a name of small letters, "neuron"',
            f'quiz vaut {value!r} ; donnez un nom en minuscules, "neuron"',
        )
