"""Diagnosis of an exercise: a student's version is asked what the references ask, and each difference from the library is explained."""

import inspect
import sys
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

from dalle_edu.classroom.checking.attempt import CallsTheLibrary, OutOfTime, WantsInput, attempt, patience
from dalle_edu.classroom.checking.cases import Case, lighter
from dalle_edu.classroom.checking.comparing import differences
from dalle_edu.classroom.checking.explanation import Result, explained, functions_of, own_line, peer_missing, stopped
from dalle_edu.classroom.checking.pace import Stopwatch
from dalle_edu.classroom.checking.proof import Reference, library_version, references
from dalle_edu.classroom.checking.verdict import Verdict
from dalle_edu.language import say


def diagnose(version: Any, target: str, seed: int = 0) -> Verdict:
    """The verdict on a student's version of `target`, compared with the library's on the cases of all its references.

    `seed` draws the cases that are drawn at random. Raises `LookupError` for a target that no reference checks.
    """
    if not callable(version):
        return Verdict(
            "untouched", say("Your turn: fill in the cell above and run it.", "À vous : complétez la cellule ci-dessus et lancez-la.")
        )
    library = library_version(target)
    if is_the_librarys(version, library):
        return Verdict(
            "unrun",
            say(
                "This is the library's version, not yours: run the cell in which you write yours, then this one.",
                "C'est la version de la bibliothèque, non la vôtre : lancez la cellule où vous écrivez la vôtre, puis celle-ci.",
            ),
        )
    return judge(version, target, seed, forbidden=[*functions_of(library), *_in_use(target, library)])


def judge(version: Any, target: str, seed: int = 0, forbidden: Sequence[FunctionType] = ()) -> Verdict:
    """The verdict on any version, wherever it comes from; `forbidden` are the functions that it must not call.

    Raises `LookupError` for a target that no reference checks.
    """
    held = references(target)
    if not held:
        raise LookupError(f"no reference holds {target}")
    library, watch = library_version(target), Stopwatch()
    results, limit = list[Result](), 0.0
    for reference in held:
        limit = 10 * reference.tolerance + 1e-9
        try:
            asked = _asked(reference, library, seed)
        except ModuleNotFoundError as error:
            return peer_missing(error)
        for case, wanted in asked:
            done = attempt(lambda case=case: case.ask(version), max(patience() - watch.spent(), 0.5), forbidden)  # type: ignore[misc]
            if isinstance(done.error, ModuleNotFoundError) and case.args is None and not own_line(version, done.error):
                return peer_missing(done.error)
            first = next(differences(done.answer, wanted, limit, exact_types(library)), None) if done.error is None else None
            results.append(Result(case, done, wanted, first))
            if isinstance(done.error, (OutOfTime, NotImplementedError, CallsTheLibrary, WantsInput, SystemExit)):
                return stopped(version, results[-1], library)
        if not all(result.right for result in results):
            break
    wrong = [result for result in results if not result.right]
    if not wrong:
        return Verdict("right", say("Right: it does what the library does.", "Juste : elle fait ce que fait celle de la bibliothèque."))

    def ask(case: Case) -> Any:
        done = attempt(lambda: case.ask(version), 1.0, forbidden)
        if isinstance(done.error, Exception):
            raise done.error
        if done.error is not None:  # out of time, for instance: whoever asks again catches exceptions alone
            raise RuntimeError(type(done.error).__name__) from done.error
        return done.answer

    return explained(version, target, library, results, wrong, limit, ask)


def is_the_librarys(version: Any, library: Any) -> bool:
    """Whether a version is the library's own, or a class made of it."""
    if version is library or inspect.unwrap(version) is inspect.unwrap(library):
        return True
    kin = version.__mro__ if isinstance(version, type) else [version]
    if any(
        (each.__module__ or "").split(".")[0] == "dalle_edu" and each.__name__ == library.__name__
        for each in kin
        if hasattr(each, "__name__")
    ):
        return True
    return not isinstance(version, type) and (getattr(version, "__module__", None) or "").split(".")[0] == "dalle_edu"


def _in_use(target: str, library: Any) -> list[FunctionType]:
    """The functions of the library that the notebook has imported, where it is not the one that judges."""
    module = sys.modules.get("__main__")
    name, found = target.split(":")[1], list[FunctionType]()
    for value in list(vars(module).values()) if module else []:
        theirs = getattr(value, name, None) if isinstance(value, ModuleType) else value
        if theirs is not library and getattr(theirs, "__module__", None) == library.__module__ and getattr(theirs, "__name__", "") == name:
            found += functions_of(theirs)
    return found


# ---------------------------------------------------------------- what is asked


def _asked(reference: Reference, library: Any, seed: int) -> Iterator[tuple[Case, Any]]:
    """The cases of a reference, the lightest first, and the library's answers."""
    for case in lighter(reference.cases(seed)):
        yield case, case.ask(library)


def exact_types(library: Any) -> bool:
    """Whether a version's signature promises the dtypes of tensors; those of NumPy's arrays are taken as they come."""
    returned = str(getattr(library, "__annotations__", {}).get("return", ""))
    return "Tensor" in returned
