"""Checks of exercises: a verdict under the cell, and the library's version in place of one that is not right yet.

    neuron = check("perceptron:neuron")
    expect(table, [1, 1, 0, 1], "the table")

`check` judges the student's version of that name, and returns it if it is right; otherwise the library's stands in, and says so where it is
used. `expect` judges a value.
"""

import inspect
import math
import re
import secrets
import sys
from collections.abc import Callable
from typing import Any

from dalle_edu import __version__
from dalle_edu.classroom.checking.attempt import attempt, patience
from dalle_edu.classroom.checking.cases import SHORT, apart, written
from dalle_edu.classroom.checking.comparing import Difference, differences
from dalle_edu.classroom.checking.diagnosis import diagnose
from dalle_edu.classroom.checking.proof import library_version
from dalle_edu.classroom.checking.standin import note_right, replaced_by, stand_in, used_here
from dalle_edu.classroom.checking.verdict import Verdict, grade_strictly, show
from dalle_edu.classroom.desk.attempts import noted, noted_value
from dalle_edu.language import say

__all__ = ["check", "compare", "expect", "grade_strictly"]
TOLERANCE = 1e-5  # largest difference that comes from rounding, as sums are taken in another order
_ABSENT = object()


def check(target: Any, former: str | None = None) -> Any:
    """Show the verdict on the student's version of `target`, "module:name", which is the function or class of that name in the notebook.

    Returns the version if it is right, and otherwise the library's, which stands in for it. Notebooks of version 0.1 give the version first
    and the target second; where the library knows a target no more, the verdict says so. Raises `LookupError` for a target that no
    reference checks.
    """
    if former is not None:
        return _checked(former, target, {})
    names = _namespace()
    return _checked(target, names.get(target.partition(":")[2], _ABSENT), names)


def _checked(target: str, given: Any, names: dict[str, Any]) -> Any:
    name, version = target.partition(":")[2], replaced_by(given)
    try:
        library_version(target)
    except LookupError:
        show(_unknown(target))
        return None if given is _ABSENT else given
    verdict = _unrun(name, version) or diagnose(version, target, secrets.randbelow(2**31))
    if verdict.right:
        note_right(version, library_version(target))
    else:  # in `names` too: a grade is given by an error, and what follows is graded as well
        given = names[name] = stand_in(library_version(target), version, name)
    show(noted(target, version, verdict))
    return given


def _unknown(target: str) -> Verdict:
    """A verdict for an exercise that this version of the library does not have."""
    en = f"The course has no exercise “{target}” in its version {__version__}: this notebook was made with another."
    en += "\nSave it and close it, then run `dalle-edu lessons get` in a terminal: it brings the new lesson, with your answers in it."
    fr = f"Le cours n'a pas d'exercice « {target} » dans sa version {__version__} : ce notebook vient d'une autre."
    fr += "\nEnregistrez-le et fermez-le, puis lancez `dalle-edu lessons get` dans un terminal : la nouvelle leçon aura vos réponses."
    return Verdict("unchecked", say(en, fr))


def _namespace() -> dict[str, Any]:
    """The names of the notebook, or of the module that called `check`."""
    try:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is not None:
            return shell.user_ns
    except ImportError:
        pass
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dalle_edu."):
        frame = frame.f_back
    return frame.f_globals


def _unrun(name: str, version: Any) -> Verdict | None:
    """A verdict where the last cell that writes `name` has not defined it, because it has an error or was never run."""
    if version is _ABSENT:
        en = f"There is no `{name}` yet: run the cell above, in which you write it, then this one."
        en += "\nIf that cell ends in a NameError, run the first cell of the lesson before."
        fr = f"`{name}` n'existe pas encore : lancez la cellule ci-dessus, où vous l'écrivez, puis celle-ci."
        fr += "\nSi elle finit par NameError, lancez d'abord la première cellule de la leçon."
        return Verdict("unrun", say(en, fr))
    cells = [cell for cell in _namespace_cells() if re.search(rf"^(def|class)\s+{name}\b", cell, flags=re.MULTILINE)]
    if not cells or not callable(version):
        return None
    try:
        source = inspect.getsource(version)
    except (OSError, TypeError):
        return None
    if source.strip() in cells[-1]:
        return None
    en = f"The cell in which you last wrote `{name}` stopped, and this is an earlier version: mend that cell and run it first."
    fr = f"La cellule où vous avez écrit `{name}` la dernière fois s'est arrêtée, et ceci est une version d'avant : réparez et relancez."
    return Verdict("unrun", say(en, fr))


def _namespace_cells() -> list[str]:
    """The cells that the notebook has run, with or without success, but for the one that is running."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return []
    shell = get_ipython()
    return [] if shell is None else list(shell.user_ns.get("In", []))[:-1]


def expect(value: Any, right: Any, what: str, tolerance: float = TOLERANCE) -> None:
    """Show the verdict on a value that the student computed; `what` is its name in the message.

    `value` may be a function without arguments that gives it: then an error in it is a verdict, too. Where the library's version stood in
    for an exercise in the same cell, the value says nothing of the student's, and the verdict waits.
    """
    if callable(value) and not isinstance(value, type):
        value = _computed(value, what)
    if isinstance(value, Verdict):
        show(noted_value(what, value))
        return
    waits = used_here()
    if value is not ... and waits:
        names = ", ".join(f"`{name}`" for name in waits)
        show(Verdict("untouched", say(f"{what}: comes once {names} is yours.", f"{what} : viendra quand {names} sera de vous.")))
        return
    show(noted_value(what, compare(value, right, what, tolerance)))


def _computed(function: Callable[[], Any], what: str) -> Any:
    done = attempt(function, 5 * patience())  # it may draw pictures
    print(done.printed, end="")
    if done.error is None:
        return done.answer
    if isinstance(done.error, NotImplementedError):
        return ...
    if isinstance(done.error, NameError):
        en = f"{what}: `{done.error.name}` is not known yet: run the first cell of the lesson, and the cell where it is written."
        fr = f"{what} : `{done.error.name}` n'est pas encore connu : lancez la première cellule de la leçon, et celle où il est écrit."
        return Verdict("unrun", say(en, fr))
    error = f"{type(done.error).__name__}: {done.error}".rstrip(": ")
    en = f"{what}: it stopped with {error}. Look at the types and shapes that it is made of."
    fr = f"{what} : arrêt sur {error}. Regardez les types et les formes de ce dont cela est fait."
    return Verdict("raised", say(en, fr))


def compare(value: Any, right: Any, what: str, tolerance: float = TOLERANCE) -> Verdict:
    """The verdict on a value: right within `tolerance`, or how it differs. An ellipsis means that the student has not answered yet."""
    if value is ... or (isinstance(value, (tuple, list)) and any(part is ... for part in value)):
        return Verdict("untouched", say(f"{what}: your turn.", f"{what} : à vous."))
    found = value
    if isinstance(right, (tuple, list)) and hasattr(value, "tolist"):
        found = type(right)(value.tolist()) if isinstance(value.tolist(), list) else value
    difference = next(differences(found, right, tolerance), None)
    if difference is None:
        return Verdict("right", say(f"{what}: right.", f"{what} : juste."))
    place = f" ({difference.where})" if difference.where else ""
    if difference.kind == "value" and math.prod(getattr(difference.wanted, "shape", ())) > SHORT:
        return Verdict("wrong", f"{what}{say(': not yet.', ' : pas encore.')} {_where_they_differ(difference, place)}", difference.size)
    found, wanted = written(difference.found), written(difference.wanted)
    en = f"{what}: not yet. Yours is {found}{place}; wanted {wanted}."
    fr = f"{what} : pas encore. Vous avez {found}{place} ; il faut {wanted}."
    return Verdict("wrong", say(en, fr), difference.size)


def _where_they_differ(difference: Difference, place: str) -> str:
    """Of two arrays too long to be written out: how many numbers differ, and the first that does."""
    count, total, first = difference.count, math.prod(difference.wanted.shape), list(difference.first)
    both = [value[difference.first].item() for value in (difference.found, difference.wanted)]
    found, wanted = map(written, both)
    if found == wanted:
        found, wanted = apart(*both)
    en = f"{count:,} of {total:,} numbers {'differs' if count == 1 else 'differ'}{place}, the first at {first}: yours is {found}"
    fr = f"{count:,} nombre{'s' if count > 1 else ''} sur {total:,} diffère{'nt' if count > 1 else ''}{place}".replace(",", " ")
    return say(f"{en}; wanted {wanted}.", f"{fr}, d'abord en {first} : vous avez {found} ; il faut {wanted}.")
