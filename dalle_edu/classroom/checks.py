"""Checks of exercises: a student's version of a function or class is compared with the library's, and the difference is diagnosed.

`neuron = check(neuron, "perceptron:neuron")` shows a verdict: the version is right, differs by so much, stopped at a line, or behaves like
a classic mistake. It returns the version if that is right, and the library's otherwise, so that the rest of the lesson works.
"""

import linecache
import math
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch

from dalle_edu.classroom.comparing import copied, gap, is_value
from dalle_edu.classroom.proof import Mistake, Reference, mistakes, references
from dalle_edu.language import say

TOLERANCE = 1e-5  # largest difference that comes from rounding, as sums are taken in another order


@dataclass(frozen=True)
class Verdict:
    """What a check found; `text` tells the student.

    `kind` is "right", "untouched" (the exercise is not done yet), "unchecked" (a package needed for the comparison is missing), "raised",
    "shape", "wrong" or "mistake". `difference` is the largest absolute one, infinite where the answers cannot be compared. `mistake` is the
    classic mistake that was recognised.
    """

    kind: str
    text: str
    difference: float = 0.0
    mistake: Mistake | None = None

    @property
    def right(self) -> bool:
        """Whether the version or value is right."""
        return self.kind == "right"

    def __repr__(self) -> str:
        return f"{_MARK[self.kind]} {self.text}"

    def _repr_html_(self) -> str:
        colour = {"right": "#009E73", "untouched": "#56B4E9"}.get(self.kind, "#D55E00")
        lines = escape(self.text).replace("\n", "<br>")
        return f'<div style="border-left: 4px solid {colour}; padding: .3em .8em" role="status">{_MARK[self.kind]} {lines}</div>'


_MARK = {"right": "✓", "untouched": "…", "unchecked": "?", "raised": "✗", "shape": "✗", "wrong": "✗", "mistake": "✗"}


def check(version: Any, target: str) -> Any:
    """Show the verdict on a version of `target` ("module:name" within `dalle_edu.bricks`).

    Returns the version if it is right, and the library's otherwise. Raises `LookupError` for a target that no reference checks.
    """
    verdict = diagnose(version, target)
    show(verdict)
    return version if verdict.right else library_version(target)


def expect(value: Any, right: Any, what: str, tolerance: float = TOLERANCE) -> None:
    """Show the verdict on a value that the student computed; `what` is its name in the message."""
    show(compare(value, right, what, tolerance))


def compare(value: Any, right: Any, what: str, tolerance: float = TOLERANCE) -> Verdict:
    """The verdict on a value: right within `tolerance`, or how it differs. An ellipsis means that the student has not answered yet."""
    if value is ...:
        return Verdict("untouched", say(f"{what}: your turn.", f"{what} : à vous."))
    if isinstance(value, np.ndarray) and isinstance(right, (list, tuple)):
        right = np.array(right)
    difference = gap(value, right)
    if difference <= tolerance:
        return Verdict("right", say(f"{what}: right.", f"{what} : juste."), difference)
    return _differs(what, value, right, difference)


def grade_strictly() -> None:
    """Let `show` raise `AssertionError` for all that is not right, from here on in this process: nbgrader gives no point for an error."""
    os.environ["DALLE_EDU_STRICT"] = "1"


def show(verdict: Verdict) -> None:
    """Show a verdict: as a box in a notebook, as a line elsewhere. Raises `AssertionError` after `grade_strictly` if it is not right."""
    if os.environ.get("DALLE_EDU_STRICT") == "1" and not verdict.right:
        raise AssertionError(verdict.text)
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        print(verdict)
        return
    if get_ipython() is None:
        print(verdict)
    else:
        display(verdict)


def diagnose(version: Any, target: str) -> Verdict:
    """The verdict on a version of `target` ("module:name" within `dalle_edu.bricks`), compared with the library's by all its references.

    Raises `LookupError` for a target that no reference checks.
    """
    held = [reference for reference in references() if reference.target == target]
    if not held:
        raise LookupError(f"no reference holds {target}")
    if not callable(version):
        return Verdict(
            "untouched", say("Your turn: fill in the cell above and run it.", "À vous : complétez la cellule ci-dessus et lancez-la.")
        )
    trial = _function_trial if _is_function(held[0].library_version()) else _class_trial
    for reference in held:
        try:
            verdict = trial(version, reference)
        except _PeerMissing as missing:
            return Verdict("unchecked", str(missing), math.inf)
        if not verdict.right:
            return verdict
    return Verdict("right", say("Right: it does what the library does.", "Juste : cela fait ce que fait la bibliothèque."))


def library_version(target: str) -> Any:
    """The library's own version of a target."""
    return Reference(target, "", lambda _: 0.0).library_version()


class _PeerMissing(Exception):
    """The package that a reference compares with is not installed, so the version cannot be checked."""


def _ask_peer(reference: Reference, version: Any) -> float:
    """The difference that a reference finds. Raises `_PeerMissing` where its peer is not installed, and whatever the version raises."""
    try:
        return reference.difference(version)
    except ModuleNotFoundError as error:
        importing = traceback.extract_tb(error.__traceback__)[-1].filename
        if importing in {code.co_filename for code in _codes(version)}:
            raise  # the import is in the student's version, not in the reference
        en = f'This check needs {error.name}: install it with pip install "dalle-edu[peers]", and run the cell again.'
        fr = f'Cette vérification demande {error.name} : installez-le par pip install "dalle-edu[peers]", puis relancez la cellule.'
        raise _PeerMissing(say(en, fr)) from error


# ---------------------------------------------------------------- functions: the library's own inputs, case by case


@dataclass
class Case:
    """One call that a reference makes of the function it checks, and the library's answer."""

    args: tuple[Any, ...]
    options: dict[str, Any]
    answer: Any = None
    repeatable: bool = True  # false where an argument cannot be copied, as networks and tensors within a graph cannot

    def ask(self, version: Callable[..., Any]) -> Any:
        """The answer of a version to this call, on copies of the arguments. Raises what the version raises."""
        return version(*copied(self.args), **copied(self.options))


def cases(reference: Reference) -> list[Case]:
    """The calls that a reference makes of the library's version, with the answers.

    They are recorded while the reference runs, or come from its `inputs` where it has them.
    """
    library, seen = reference.library_version(), list[Case]()
    if reference.inputs is not None:
        return [Case(copied(args), {}, copied(library(*args))) for args in reference.inputs()]

    def spy(*args: Any, **options: Any) -> Any:
        case = Case(copied(args), copied(options), repeatable=all(map(is_value, (*args, *options.values()))))
        answer = library(*args, **options)
        case.answer = copied(answer)
        seen.append(case)
        return answer

    _ask_peer(reference, spy)
    return seen


def _function_trial(version: Callable[..., Any], reference: Reference) -> Verdict:
    asked, worst = cases(reference), 0.0
    if not all(case.repeatable for case in asked):
        return _class_trial(version, reference)
    for case in asked:
        try:
            answer = case.ask(version)
        except NotImplementedError:
            return Verdict("untouched", say("Your turn: replace the line that raises.", "À vous : remplacez la ligne qui lève l'erreur."))
        except Exception as error:
            return _named(version, reference, asked) or _raised(version, error, case)
        worst = max(worst, gap(answer, case.answer))
        if worst > 10 * max(reference.tolerance, TOLERANCE):
            name = reference.target.split(":")[1]
            return _named(version, reference, asked) or _differs(name, answer, case.answer, worst)
    try:
        return _class_trial(version, reference)  # it may check more than single answers
    except _PeerMissing:  # the version gave the library's answers to all the reference's inputs
        return Verdict("right", "", worst)


def _named(version: Callable[..., Any], reference: Reference, asked: list[Case]) -> Verdict | None:
    """The classic mistake that gives the version's answers in every case; among several, the one with the same difference."""
    behaviour = [_outcome(case, version) for case in asked]
    alike = [
        mistake
        for mistake in mistakes()
        if mistake.target == reference.target
        and all(_same(found, _outcome(case, mistake.version)) for case, found in zip(asked, behaviour, strict=True))
    ]
    if len(alike) > 1:
        found = _difference(reference, version)
        alike = [mistake for mistake in alike if _equal(found, _difference(reference, mistake.version))] or alike
    return Verdict("mistake", alike[0].explanation, math.inf, alike[0]) if alike else None


def _outcome(case: Case, version: Callable[..., Any]) -> Any:
    """A version's answer, or the type of the error that it raised."""
    try:
        return case.ask(version)
    except Exception as error:
        return type(error)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, type) or isinstance(other, type):
        return one is other
    return gap(one, other) <= TOLERANCE


# ---------------------------------------------------------------- classes: the whole reference at once


def _class_trial(version: Any, reference: Reference) -> Verdict:
    try:
        difference = _ask_peer(reference, version)
    except NotImplementedError:
        return Verdict("untouched", say("Your turn: replace the lines that raise.", "À vous : remplacez les lignes qui lèvent l'erreur."))
    except _PeerMissing:
        raise
    except Exception as error:
        return _alike(reference, type(error)) or _raised(version, error, None)
    if math.isfinite(difference) and difference <= 10 * reference.tolerance:
        return Verdict("right", "", difference)
    en = f"Not yet: the largest difference from {reference.peer} is {difference:.3g}."
    fr = f"Pas encore : le plus grand écart avec {reference.peer} est de {_with_comma(difference)}."
    return _alike(reference, difference) or Verdict("wrong", say(en, fr), difference)


def _alike(reference: Reference, found: Any) -> Verdict | None:
    """The classic mistake with the same difference, or with an error of the same type."""
    for mistake in mistakes():
        if mistake.target == reference.target and _equal(found, _difference(reference, mistake.version)):
            return Verdict("mistake", mistake.explanation, math.inf, mistake)
    return None


def _difference(reference: Reference, version: Any) -> Any:
    """The difference that a reference finds, or the type of the error that the version raised."""
    try:
        return reference.difference(version)
    except Exception as error:
        return type(error)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, type) or isinstance(other, type):
        return one is other
    return math.isclose(one, other, rel_tol=1e-6) or (math.isnan(one) and math.isnan(other))


# ---------------------------------------------------------------- what to say


def _raised(version: Any, error: Exception, case: Case | None) -> Verdict:
    """The verdict on a version that raised: the error, the line of the student's code, and the arguments."""
    line = _own_line(version, error)
    given = ", ".join(_looks(value) for value in (*case.args, *case.options.values())) if case else ""
    en = f"Your code stopped: {type(error).__name__}: {error}"
    fr = f"Votre code s'est arrêté : {type(error).__name__} : {error}"
    if line:
        en, fr = f"{en}\nat the line: {line}", f"{fr}\nà la ligne : {line}"
    if given:
        en, fr = f"{en}\nIt had been given: {given}.", f"{fr}\nIl avait reçu : {given}."
    return Verdict("raised", say(en, fr), math.inf)


def _own_line(version: Any, error: Exception) -> str:
    codes = {code.co_filename for code in _codes(version)}
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in codes]
    return (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip() if own else ""


def _codes(version: Any) -> Iterator[Any]:
    members = vars(version).values() if isinstance(version, type) else [version]
    yield from (member.__code__ for member in members if hasattr(member, "__code__"))


def _differs(name: str, answer: Any, expected: Any, difference: float) -> Verdict:
    if answer is None:
        en, fr = f"{name} returns nothing; end with `return`.", f"{name} ne rend rien ; terminez par `return`."
        return Verdict("shape", say(en, fr), math.inf)
    if not math.isfinite(difference):
        return Verdict(
            "shape",
            say(
                f"Not yet: {name} gives {_looks(answer)}; expected {_looks(expected)}.",
                f"Pas encore : {name} donne {_looks(answer)} ; il faut {_looks(expected)}.",
            ),
            difference,
        )
    return Verdict(
        "wrong",
        say(
            f"Not yet: {name} is off by up to {difference:.3g}.",
            f"Pas encore : {name} s'écarte de {_with_comma(difference)} au plus.",
        ),
        difference,
    )


def _with_comma(difference: float) -> str:
    """A difference with a decimal comma."""
    return f"{difference:.3g}".replace(".", ",")


def _looks(value: Any) -> str:
    """A value in a few words: its type, and its shape where it has one."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        shape = " × ".join(map(str, value.shape)) or say("one number", "un nombre")
        return say(f"a {type(value).__name__} of {shape}", f"un {type(value).__name__} de {shape}")
    if isinstance(value, (tuple, list)):
        return f"({', '.join(_looks(part) for part in value)})"
    return repr(value) if isinstance(value, (int, float, str, bool, type(None))) else type(value).__name__


def _is_function(version: Any) -> bool:
    return not isinstance(version, type)
