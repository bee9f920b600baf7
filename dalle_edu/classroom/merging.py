"""A student's notebook and a newer edition of its lesson, merged: the lesson is the new one, and nothing that the student wrote is lost.

An exercise is known by its target, or by the names that it defines, since its text may have changed. What is as the lesson made it gives
way to the new text; answers go to the cells of their exercises; all else that the student wrote stands after the cell that it followed.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from dalle_edu.classroom.identity import as_made, facts, identity, made_of, source
from dalle_edu.language import language_named

Cell = dict[str, Any]
Notebook = dict[str, Any]


def merge(theirs: Notebook, new: Notebook, kept_as: str, language: str) -> Notebook:
    """The new notebook with what the student wrote in theirs, and a note at its head that names the file in which theirs is kept."""
    cells, places = [deepcopy(cell) for cell in new["cells"]], _Places(new["cells"])
    own: dict[int, list[Cell]] = defaultdict(list)
    here, carried, made, noted = -1, 0, set(made_of(theirs)), bool(facts(theirs))
    for cell in theirs["cells"]:
        exercise = facts(cell).get("exercise", "") if noted else _defined(cell)
        place, untouched = places.of(cell, exercise), as_made(cell, made)
        if place is None:
            if not untouched:
                own[here] += [*_farewell(cell, language), deepcopy(cell)]
            continue
        here = place
        if untouched and source(cell) != source(cells[place]):
            continue  # the exercise has a new text, and the student has not begun it
        if not untouched and exercise and places.take(place):
            own[place] += _restated(cells[place], cell, language)
            cells[place] = _answered(cells[place], cell)
            carried += 1
        elif not untouched and exercise:
            own[place].append(deepcopy(cell))  # a second answer
        elif places.take(place):
            cells[place] = {
                **deepcopy(cell),
                "metadata": {**cell.get("metadata", {}), **cells[place]["metadata"]},
                "id": cells[place]["id"],
            }
    merged = [*own[-1], *(each for place, cell in enumerate(cells) for each in (cell, *own[place]))]
    merged.insert(1, _note(_news(theirs, new, kept_as, carried, language)))
    metadata = {**theirs.get("metadata", {}), "dalle_edu": new["metadata"]["dalle_edu"]}
    return {**new, "cells": list(_with_ids(merged)), "metadata": metadata}


class _Places:
    """Where the cells of the new notebook are, by id, and its exercises, by what they define; each is taken once."""

    def __init__(self, cells: list[Cell]):
        self.by_id = {cell["id"]: place for place, cell in enumerate(cells)}
        self.by_exercise = {name: place for place, cell in enumerate(cells) for name in _names(facts(cell).get("exercise", ""))}
        self.taken: set[int] = set()

    def of(self, cell: Cell, exercise: str) -> int | None:
        """The place of a cell of the student's; none for a cell of their own, and for one that the lesson has no more."""
        for name in _names(exercise):
            if name in self.by_exercise:
                return self.by_exercise[name]
        return self.by_id.get(cell.get("id") or identity(cell["cell_type"], source(cell)))

    def take(self, place: int) -> bool:
        """Whether a place was still free."""
        free = place not in self.taken
        self.taken.add(place)
        return free


def _defined(cell: Cell) -> str:
    """What a cell of the lesson's defines, in a notebook of a version that did not note its exercises."""
    text = source(cell)
    if cell.get("cell_type") != "code" or len(str(cell.get("id"))) != len(identity("", "")) or "check(" in text:
        return ""
    return ",".join(re.findall(r"^(?:(?:def|class) +)?(\w+)(?= *[=(:])", text, flags=re.MULTILINE))


def _names(exercise: str) -> list[str]:
    """The names by which an exercise is known: "perceptron:step" also by "step", which stays when the module moves."""
    return [name.split(":")[-1] for name in exercise.split(",") if name]


def _answered(empty: Cell, answer: Cell) -> Cell:
    """The cell of an exercise with a student's answer in it, and what they saw below it if the exercise is the same."""
    same = facts(empty).get("stub") in (facts(answer).get("stub"), answer.get("id"))
    seen: Cell = {key: deepcopy(answer[key]) for key in ("outputs", "execution_count") if key in answer} if same else {}
    return {**empty, "source": source(answer), **seen}


def _restated(empty: Cell, answer: Cell, language: str) -> list[Cell]:
    """A note with an exercise's new text, where it is not the one that the answer was written for."""
    if facts(empty).get("stub") in (facts(answer).get("stub"), answer.get("id")):
        return []
    fr = "**Cet exercice a changé.** Votre réponse est ci-dessus ; voici le nouvel énoncé, à reprendre si la vôtre ne va plus :"
    en = "**This exercise has changed.** Your answer is above; here is the new text, to start again from if yours no longer fits:"
    return [_note(f"{language_named(language).worded(en, fr)}\n\n```python\n{source(empty)}\n```")]


def _farewell(cell: Cell, language: str) -> list[Cell]:
    """A note before an answer whose exercise the lesson has no more."""
    if not facts(cell).get("exercise"):
        return []
    fr, en = (
        "Cet exercice n'est plus dans la leçon ; voici votre réponse.",
        "This exercise is no longer in the lesson; here is your answer.",
    )
    return [_note(language_named(language).worded(en, fr))]


def _news(theirs: Notebook, new: Notebook, kept_as: str, carried: int, language: str) -> str:
    before, after = facts(theirs).get("version", "0.1"), facts(new).get("version", "")
    fr = f"**Cette leçon a changé** (version {before}, puis {after}). Vos réponses y sont, {carried} en tout, et ce que vous aviez ajouté."
    en = f"**This lesson has changed** (version {before}, then {after}). Your answers are in it, {carried} in all, and what you had added."
    told = language_named(language).worded
    kept = told("Your notebook from before is kept:", "Votre notebook d'avant est gardé :")
    return f"{told(en, fr)} {kept} `{kept_as}`."


def _note(text: str) -> Cell:
    return {"cell_type": "markdown", "id": identity("markdown", text), "metadata": {}, "source": text}


def _with_ids(cells: list[Cell]) -> Iterator[Cell]:
    """The cells, each with an id that no other has; Colab leaves them out."""
    seen: set[str] = set()
    for cell in cells:
        name, again = cell.get("id") or identity(cell["cell_type"], source(cell)), 0
        while name in seen:
            again += 1
            name = identity(cell["cell_type"], source(cell), again)
        seen.add(name)
        yield {**cell, "id": name}
