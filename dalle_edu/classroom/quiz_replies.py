"""What a quiz says to an answer: right, nearly, wrong with its own explanation, or not read; a second wrong try opens the reasoning."""

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from dalle_edu.classroom.quiz import Choice, Number, Question
from dalle_edu.classroom.written_numbers import Reading, readings
from dalle_edu.language import say

TRIES = 2  # different wrong answers after which the reasoning is shown


@dataclass(frozen=True)
class Reply:
    """What is said to an answer; `opened` is whether the right answer and its reasoning are shown, as they are after two wrong tries."""

    kind: Literal["right", "nearly", "wrong", "unread"]
    text: str
    opened: bool = False


class Tries:
    """The answers that somebody gives to one question. The same wrong answer twice, or one that is not read, is one try."""

    def __init__(self, question: Question):
        self.question = question
        self.wrong: set[str | frozenset[float]] = set()

    def reply(self, given: str | None) -> Reply:
        """What is said to the next answer."""
        found = reply(self.question, given)
        if found.kind == "wrong" and given:
            self.wrong.add(given if isinstance(self.question, Choice) else frozenset(each.value for each in _read(self.question, given)))
        return replace(found, opened=found.kind == "wrong" and len(self.wrong) >= TRIES)


def reply(question: Question, given: str | None) -> Reply:
    """What is said to an answer, as if it were the first: the text of a choice, or a number as people write them."""
    if given is None or not given.strip():
        return Reply("unread", _empty(question))
    return _to_choice(question, given) if isinstance(question, Choice) else _to_number(question, given)


def _empty(question: Question) -> str:
    if isinstance(question, Choice):
        return say("Choose an answer first.", "Choisissez d'abord une réponse.")
    return say("Write an answer first.", "Écrivez d'abord une réponse.")


def _to_choice(question: Choice, given: str) -> Reply:
    if given == question.answer:
        return _right(question)
    return _wrong(question.explanations.get(given))


def _to_number(question: Number, given: str) -> Reply:
    found = _read(question, given)
    if not found:
        return Reply(
            "unread",
            say(
                "This cannot be read as a number. Write one like 0.25, 1/4, 3,610 or 2e-3.",
                "Cela ne se lit pas comme un nombre. Écrivez-en un comme 0,25, 1/4, 3 610 ou 2e-3.",
            ),
        )
    if any(question.accepts(each.value) for each in found):
        return _right(question)
    for miss, explanation in question.near_misses.items():
        if any(replace(question, right=miss, computed=None, near_misses={}).accepts(each.value) for each in found):
            return _wrong(explanation)
    off = min((abs(each.value / question.right - 1) for each in found if question.right and _is_rounded(each, question)), default=1.0)
    if off <= 1e-3:
        return _right(question)
    if off <= 0.1 + 1e-9:
        count = say("Nearly: give all its digits.", "Presque : donnez-en tous les chiffres.")
        return Reply("nearly", count if question.is_count else say("Nearly: give more digits.", "Presque : donnez plus de chiffres."))
    return _wrong()


def _read(question: Number, given: str) -> list[Reading]:
    return readings(given, percent=bool(re.search("%|per ?cent|pour ?cent", question.question)))


def _is_rounded(given: Reading, question: Number) -> bool:
    """Whether a number differs from the right one by its fewer digits alone; those of a measure may be cut off, too: 0.66 for 2/3."""
    if not given.digits or not given.value:
        return False
    unit = 10.0 ** (math.floor(math.log10(abs(given.value))) - given.digits + 1)
    missing = abs(question.right) - math.copysign(given.value, given.value * question.right)
    return abs(missing) <= unit / 2 * (1 + 1e-9) or (not question.is_count and 0 <= missing < unit * (1 - 1e-9))


def _right(question: Question) -> Reply:
    return Reply("right", say("Right. ", "Juste. ") + question.why)


def _wrong(explanation: str | None = None) -> Reply:
    again = say("Think again.", "Réfléchissez encore.")
    return Reply(
        "wrong", f"{explanation} {again}" if explanation else say("Not quite: think again.", "Pas tout à fait : réfléchissez encore.")
    )
