"""Explanations: what a student is told of a version that is not right, from what became of each case."""

import inspect
import linecache
import math
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any

from dalle_edu.classroom.checking.attempt import Attempt, CallsTheLibrary, OutOfTime, WantsInput, attempt, patience
from dalle_edu.classroom.checking.cases import Case, ChangesAnArgument, apart, described, shown_call, written
from dalle_edu.classroom.checking.comparing import Difference, gap
from dalle_edu.classroom.checking.proof import Mistake, mistakes
from dalle_edu.classroom.checking.slips import slips
from dalle_edu.classroom.checking.symptoms import Seen, symptom
from dalle_edu.classroom.checking.verdict import Verdict
from dalle_edu.language import say


@dataclass(frozen=True)
class Result:
    """What a version made of a case: what became of the call, the answer wanted, and the first difference."""

    case: Case
    attempt: Attempt
    wanted: Any
    difference: Difference | None

    @property
    def right(self) -> bool:
        """Whether the answer is the one wanted."""
        return self.attempt.error is None and self.difference is None

    @property
    def outcome(self) -> Any:
        """The answer, or the type of the error."""
        return self.attempt.answer if self.attempt.error is None else type(self.attempt.error)


def functions_of(library: Any) -> list[FunctionType]:
    """The functions of a version: itself, or the methods of a class."""
    members = [value for key, value in vars(library).items() if not key.startswith("__")] if isinstance(library, type) else [library]
    bare = [inspect.unwrap(getattr(member, "__func__", member)) for member in members if callable(member)]
    return [function for function in bare if isinstance(function, FunctionType)]


def explained(
    version: Any, target: str, library: Any, results: list[Result], wrong: list[Result], limit: float, ask: Callable[[Case], Any]
) -> Verdict:
    """A classic mistake, or a symptom, and the lightest case that shows it."""
    name = target.split(":")[1]
    for result in wrong:
        if isinstance(result.attempt.error, ChangesAnArgument):
            changed = result.attempt.error
            en = f"It changes its argument `{changed}`, which whoever calls it still needs: make a new array, or work on a copy."
            fr = f"Elle modifie son argument `{changed}`, qui doit encore servir : faites un nouveau tableau, ou travaillez sur une copie."
            return Verdict("symptom", say(en, fr), math.inf)
    nothing = next((result for result in wrong if result.difference is not None and result.difference.kind == "nothing"), None)
    found = None if nothing else _classic(target, results, wrong, limit)
    if found:
        shown = next((result for result in wrong if result.difference is not None), None)
        return Verdict("mistake", "\n".join([found.explanation, *([_told(shown, library)] if shown else [])]), math.inf, found)
    raised = [result for result in wrong if result.attempt.error is not None]
    if raised and (raised[0] is wrong[0] or 2 * len(raised) >= len(wrong)):
        return stopped(version, raised[0], library)
    differing = {id(result.case): result for result in wrong if result.difference is not None}
    seen = [
        Seen(result.case, result.difference, result.attempt.answer, result.wanted, result.attempt.printed, library, limit, ask)
        for result in differing.values()
        if result.difference is not None
    ]
    shown_by = symptom(seen)
    slip = None if shown_by and shown_by[2] else _slip(target, results, wrong, limit)
    if slip:
        shown = differing[id(seen[0].case)]
        return Verdict("slip", f"{slip}\n{_told(shown, library)}", seen[0].difference.size)
    if shown_by:
        result = differing[id(shown_by[1].case)]
        return Verdict("symptom", f"{shown_by[0]}\n{_told(result, library)}", shown_by[1].difference.size)
    first = next(result for result in wrong if result.difference is not None)
    assert first.difference is not None
    try_it = shown_call(name, first.case)
    step = say(f"Try it: {try_it}", f"Essayez : {try_it}") if try_it else _how_many(results)
    return Verdict("wrong", f"{say('Not yet.', 'Pas encore.')} {_told(first, library)}\n{step}", first.difference.size)


def _told(result: Result, library: Any) -> str:
    """Input, given, wanted."""
    difference = result.difference
    assert difference is not None
    given = described(result.case, library)
    en, fr = (f"With {given}" if given else "Without arguments"), (f"Avec {given}" if given else "Sans argument")
    found, wanted, at = written(difference.found), written(difference.wanted), ""
    if difference.index and (_is_long(difference.wanted) or found == wanted):
        found, wanted = (written(_at(value, difference.index)) for value in (difference.found, difference.wanted))
        at = f"[{', '.join(map(str, difference.index))}]"
    if found == wanted and difference.kind == "value":
        values = (_at(value, difference.index) for value in (difference.found, difference.wanted))
        found, wanted = apart(*values)
    if difference.kind in ("type", "dtype"):
        found, wanted = f"{found} ({_kind(difference.found)})", f"{wanted} ({_kind(difference.wanted)})"
    place = difference.where.removeprefix("at ") + at
    en = f"{en}, yours gives {found}{f' at {place}' if place else ''}; wanted {wanted}."
    fr = f"{fr}, la vôtre donne {found}{f' en {place}' if place else ''} ; il faut {wanted}."
    return say(en, fr)


def _is_long(value: Any) -> bool:
    return math.prod(getattr(value, "shape", ())) > 12


def _at(value: Any, index: tuple[int, ...]) -> Any:
    return value[index].item() if index and getattr(value, "shape", ()) else value


def _kind(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return f"{type(value).__name__}{f', {dtype}'.replace('torch.', '') if dtype is not None else ''}"


def _how_many(results: list[Result]) -> str:
    right = sum(result.right for result in results)
    if not right:
        en = f"None of {len(results)} cases is right: work this one, the smallest, out by hand, and compare step by step."
        fr = f"Aucun cas sur {len(results)} n'est juste : faites celui-ci, le plus petit, à la main, et comparez pas à pas."
        return say(en, fr)
    en = f"{right} of {len(results)} cases {'is' if right == 1 else 'are'} right; look at what sets this one apart."
    fr = f"{right} cas sur {len(results)} {'est juste' if right < 2 else 'sont justes'} ; cherchez ce que celui-ci a de particulier."
    return say(en, fr)


def stopped(version: Any, result: Result, library: Any) -> Verdict:
    """The verdict on a version that gave no answer."""
    error, given = result.attempt.error, described(result.case, library)
    if isinstance(error, NotImplementedError):
        return Verdict("untouched", say("Your turn: replace the line that raises.", "À vous : remplacez la ligne qui lève l'erreur."))
    kind, en, fr = (
        "raised",
        f"Your code stopped: {type(error).__name__}: {error}",
        f"Votre code s'est arrêté : {type(error).__name__} : {error}",
    )
    if isinstance(error, OutOfTime):
        kind = "slow"
        en = "It does not end: a loop whose condition stays true, or far too much work. It was stopped."
        fr = "Elle ne se termine pas : une boucle dont la condition reste vraie, ou bien trop de travail. Elle a été arrêtée."
    elif isinstance(error, CallsTheLibrary):
        en = "It calls the library's version, which it is to replace: write it yourself."
        fr = "Elle appelle la version de la bibliothèque, qu'elle doit remplacer : écrivez-la vous-même."
        return Verdict("refused", say(en, fr), math.inf)
    elif isinstance(error, WantsInput):
        en = "It asks for a line with input(); what it needs is in its arguments."
        fr = "Elle demande une ligne par input() ; ce qu'il lui faut est dans ses arguments."
    elif isinstance(error, SystemExit):
        en = "It leaves Python with exit(); end with `return`."
        fr = "Elle quitte Python par exit() ; terminez par `return`."
    elif isinstance(error, RecursionError):
        en = "It calls itself without end: nothing stops the recursion."
        fr = "Elle s'appelle elle-même sans fin : rien n'arrête la récursion."
    elif isinstance(error, NameError):
        en = (
            f"It uses the name `{error.name}`, which nothing has defined: is it misspelt, or has the first cell of the lesson not been run?"
        )
        fr = f"Elle emploie le nom `{error.name}`, que rien ne définit : faute de frappe, ou première cellule pas encore lancée ?"
    elif isinstance(error, FloatingPointError):
        en = f"It computes something that has no value as a float: {error}. Bring large numbers down first; never divide by 0."
        fr = f"Elle calcule ce qui n'a pas de valeur : {error}. Ramenez d'abord les grands nombres ; ne divisez jamais par 0."
    line = own_line(version, error)
    if line:
        en, fr = f"{en}\nat the line: {line}", f"{fr}\nà la ligne : {line}"
    if given:
        en, fr = f"{en}\nIt had been given: {given}.", f"{fr}\nElle avait reçu : {given}."
    return Verdict(kind, say(en, fr), math.inf)


def own_line(version: Any, error: BaseException | None) -> str:
    """The last line of the student's own code that an error went through."""
    files = {function.__code__.co_filename for function in functions_of(version)} if callable(version) else set()
    own = [frame for frame in traceback.extract_tb(error.__traceback__ if error else None) if frame.filename in files]
    return (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip() if own else ""


def peer_missing(error: ModuleNotFoundError) -> Verdict:
    """The verdict where a package is missing that a check needs."""
    en = f'This check needs {error.name}: install it with pip install "dalle-edu[peers]", and run the cell again.'
    fr = f'Cette vérification demande {error.name} : installez-le par pip install "dalle-edu[peers]", puis relancez la cellule.'
    return Verdict("unchecked", say(en, fr), math.inf)


# ---------------------------------------------------------------- classic mistakes


def _classic(target: str, results: list[Result], wrong: list[Result], limit: float) -> Mistake | None:
    """The classic mistake that answers as the version does: in all cases that are wrong, or else in the lightest and in most.

    Where the version is right, the mistake must be right too: in most of these cases if it agrees in all that are wrong, otherwise in all.
    """
    right, ranked = [result for result in results if result.right], []
    for place, mistake in enumerate(mistakes(target)):
        if not all(_alike(wrong[:1], mistake.version, limit, patience())):
            continue
        both = _alike([*wrong, *right], mistake.version, limit, patience())
        there, elsewhere = both[: len(wrong)], both[len(wrong) :]
        if (all(there) and 2 * sum(elsewhere) >= len(elsewhere)) or (2 * sum(there) > len(there) and all(elsewhere)):
            ranked.append((-sum(there), -sum(elsewhere), place, mistake))
    return min(ranked)[-1] if ranked else None


def _slip(target: str, results: list[Result], wrong: list[Result], limit: float) -> str:
    """What the library's version with one thing changed, which answers all cases as this version does, has changed; empty without one."""
    until = time.monotonic() + patience() / 4
    asked = [*wrong, *(result for result in results if result.right)]
    for each in slips(target):
        if all(_alike(asked, each.version, limit, 0.5, whole=False)):
            return each.sentence
        if time.monotonic() > until:
            break
    return ""


def _alike(results: list[Result], version: Callable[..., Any], limit: float, seconds: float, whole: bool = True) -> list[bool]:
    """For each result, whether a version answers its case alike, within `seconds` a case; not `whole`, the first that differs is the last.

    All cases are one attempt, which saves a thread each, unless there is a result of a version that did not end.
    """
    found = list[bool]()
    alone = any(result.outcome is OutOfTime for result in results)
    for group in [[result] for result in results] if alone else [results]:
        done = attempt(partial(_compare, group, version, limit, found, whole), seconds * len(group))
        if done.error is not None:
            found.append(group[0].outcome is type(done.error))
        if not (whole or all(found)):
            break
    return [*found, *[False] * (len(results) - len(found))]


def _compare(results: list[Result], version: Callable[..., Any], limit: float, found: list[bool], whole: bool) -> None:
    """Add to `found`, for each result, whether a version answers its case alike."""
    for result in results:
        outcome: Any
        try:
            outcome = result.case.ask(version)
        except OutOfTime:
            raise
        except BaseException as error:
            outcome = type(error)
        found.append(_same(result.outcome, outcome, limit))
        if not (whole or found[-1]):
            break


def _same(one: Any, other: Any, limit: float) -> bool:
    if isinstance(one, type) or isinstance(other, type):
        return one is other
    return gap(one, other) <= limit
