"""What `check` and `expect` tell the desk: each verdict on an exercise of the open lesson is noted.

After two different wrong versions the verdict offers the solution. Blanks and comments do not make another version.
"""

import ast
import hashlib
import inspect
import re
from dataclasses import replace
from typing import Any

from dalle_edu.classroom.builder.hollow import names_bound
from dalle_edu.classroom.checking.verdict import Verdict
from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.exercises import Exercise
from dalle_edu.classroom.desk.notebook import cells, names, shell
from dalle_edu.classroom.desk.opening import opened

TRIES = 2  # different wrong versions, after which the solution may be opened
_NOT_JUDGED = ("right", "untouched", "unrun", "unchecked")
_parts: dict[str, tuple[str, set[str]]] = {}  # of exercises with several values: the answer, and those of its values that are right


def noted(target: str, version: Any, verdict: Verdict) -> Verdict:
    """Note the verdict on a version of `target`; returns it, with the solution where it may be opened."""
    lesson = opened()
    if lesson is None:
        return verdict
    exercise = lesson.find(target)
    if exercise is None and lesson.exercises:
        return verdict  # it is no exercise of this lesson
    return _noted(lesson.name, target, exercise, version_source(target.split(":")[1], version), verdict)


def noted_value(what: str, verdict: Verdict) -> Verdict:
    """Note the verdict on a value of an exercise of the lesson's own; returns it, with the solution where it may be opened.

    An exercise with several values is right when all of them are.
    """
    lesson = opened()
    exercise = None if lesson is None else lesson.asking(what)
    if lesson is None or exercise is None:
        return verdict
    source = value_source(exercise)
    if not source and shell() is not None and not set(exercise.names) <= set(names()):
        return verdict  # nothing was written
    if verdict.right and len(exercise.asked) > 1:
        answer, right = _parts.get(exercise.key, ("", set()))
        _parts[exercise.key] = answer, right = source, {what} | (right if answer == source else set())
        if right < set(exercise.asked):
            return verdict
    return _noted(lesson.name, exercise.key, exercise, source, verdict)


def _noted(lesson: str, key: str, exercise: Exercise | None, source: str, verdict: Verdict) -> Verdict:
    if verdict.right:

        def edit(entry: record.Entry) -> None:
            entry.done, entry.right = True, source or entry.right

        record.change(lesson, key, edit)
        return verdict
    if verdict.kind in _NOT_JUDGED:
        return verdict
    version = fingerprint(source or verdict.text)

    def add(entry: record.Entry) -> None:
        entry.tries += [version] if version not in entry.tries else []
        if verdict.mistake is not None and verdict.mistake.name not in entry.mistakes:
            entry.mistakes.append(verdict.mistake.name)

    entry = record.change(lesson, key, add)
    if exercise is None or len(entry.tries) < TRIES:
        return verdict
    return replace(verdict, solution=exercise.solution, opens=f'solution("{exercise.names[0]}")')


# ---------------------------------------------------------------- the text of an answer


def version_source(name: str, version: Any) -> str:
    """The cell in which a version was written, or its own text if that cell checks it too; empty where neither is known."""
    try:
        own = inspect.getsource(version).strip()
    except (OSError, TypeError):
        own = ""
    written = [cell for cell in cells() if re.search(rf"^(def|class)\s+{name}\b", cell, flags=re.MULTILINE) and own in cell]
    return written[-1].strip() if written and not (own and "check(" in written[-1]) else own


def value_source(exercise: Exercise) -> str:
    """The cells that last defined the names of an exercise of the lesson's own; empty where none did."""
    last: dict[str, int] = {}
    ran = cells()
    for place, cell in enumerate(ran):
        last |= dict.fromkeys(_bound(cell) & set(exercise.names), place)
    return "\n\n".join(ran[place].strip() for place in sorted(set(last.values())))


def _bound(cell: str) -> set[str]:
    try:
        return names_bound(cell)
    except SyntaxError:  # it never ran, or has commands of IPython
        return set()


def fingerprint(source: str) -> str:
    """What tells one version from another; the same whatever the blanks and comments."""
    try:
        source = ast.unparse(ast.parse(source))
    except SyntaxError:
        source = " ".join(source.split())
    return hashlib.sha256(source.encode()).hexdigest()[:16]
