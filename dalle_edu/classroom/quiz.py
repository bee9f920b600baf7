"""Quizzes: questions with explained answers, shown as widgets in a notebook and as plain HTML elsewhere.

quiz(
    Choice("2 + 2 is", ["3", "4"], right=1, why="Count on your fingers.", why_not=["That is 2 + 1."]),
    Number("How many weights has nn.Linear(3, 4)?", right=16, why="3 × 4 and 4 biases.", computed=lambda: count(nn.Linear(3, 4)),
           near_misses={12: "Those are the weights without the biases."}),
)

What is said to an answer is in `quiz_replies`, the widgets are in `quiz_widget`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from numbers import Integral
from typing import Any

from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say, typeset


@dataclass(frozen=True)
class Choice:
    """A question with one right answer among several; `right` is its index, from 0.

    `why` explains the right answer, `why_not` each wrong one, in their order, without giving the right one away.
    Raises `DalleEduError` for an index out of range, and for explanations that are not one for each wrong answer.
    """

    question: str
    answers: Sequence[str]
    right: int
    why: str
    why_not: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.right < len(self.answers):
            raise DalleEduError(
                f'the right answer of "{self.question}" is number {self.right} of {len(self.answers)}; count from 0',
                f"la bonne réponse de « {self.question} » est la numéro {self.right} sur {len(self.answers)} ; comptez à partir de 0",
            )
        if isinstance(self.why_not, str) or len(self.why_not) not in (0, len(self.answers) - 1):
            given = 1 if isinstance(self.why_not, str) else len(self.why_not)
            raise DalleEduError(
                f'"{self.question}" has {len(self.answers) - 1} wrong answers and {given} in why_not; explain each wrong answer,'
                " in their order, or none",
                f"« {self.question} » a {len(self.answers) - 1} réponses fausses et {given} dans why_not ; expliquez chaque réponse fausse,"
                " dans leur ordre, ou aucune",
            )

    @property
    def answer(self) -> str:
        """The right answer."""
        return self.answers[self.right]

    @property
    def explanations(self) -> dict[str, str]:
        """The wrong answers with what is wrong with each; empty without `why_not`."""
        wrong = [answer for i, answer in enumerate(self.answers) if i != self.right]
        return dict(zip(wrong, self.why_not, strict=True)) if self.why_not else {}


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number: a count where `right` is an `int`, which must be exact, else a measure, which may be rounded.

    `decimals` is how many the question asks for, where it says so. `near_misses` maps the wrong numbers that a known slip gives to the
    explanation of the slip. `computed`, if given, computes the answer again.
    Raises `DalleEduError` where the two differ by more than `tolerance`, relative or absolute, and for a near miss that is right.
    """

    question: str
    right: float | int
    why: str
    computed: Callable[[], float | int] | None = None
    tolerance: float = 1e-9
    decimals: int | None = None
    near_misses: Mapping[float | int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = self.right if self.computed is None else float(self.computed())
        if not math.isclose(found, self.right, rel_tol=self.tolerance, abs_tol=self.tolerance):
            raise DalleEduError(
                f'the answer of "{self.question}" is given as {self.right:g} and computed as {found:g}; correct one of the two',
                f"la réponse de « {self.question} » est donnée pour {self.right:g} et le calcul donne {found:g} ; corrigez l'un des deux",
            )
        for miss in self.near_misses:
            if self.accepts(miss):
                raise DalleEduError(
                    f'the near miss {miss:g} of "{self.question}" would be accepted as right; take it out',
                    f"l'erreur proche {miss:g} de « {self.question} » serait acceptée comme juste ; enlevez-la",
                )

    @property
    def is_count(self) -> bool:
        """Whether the answer is a whole number, of which 11.99 is not near enough to 12."""
        return isinstance(self.right, Integral) and self.decimals is None

    def accepts(self, value: float | int) -> bool:
        """Whether a number is the right one.

        A count must be exact. A measure may be off by 0.1 %, or by half a unit of the last decimal that the question asks for, or else
        of the third significant digit.
        """
        if self.is_count:
            return math.isclose(value, self.right, rel_tol=1e-9)
        leading = math.floor(math.log10(abs(self.right))) if self.right else 0
        half = 0.5 * 10.0 ** (leading - 2 if self.decimals is None else -self.decimals)
        return math.isclose(value, self.right, rel_tol=1e-3, abs_tol=half * (1 + 1e-9) if self.right else 1e-9)

    @property
    def answer(self) -> str:
        """The right answer, as the reader's language writes it."""
        if self.is_count:
            return say(f"{self.right:,}", typeset(f"{self.right:,}".replace(",", " ")))
        return (f"{self.right:g}" if self.decimals is None else f"{self.right:.{self.decimals}f}").replace(".", say(".", ","))


Question = Choice | Number


class Quiz:
    """Several questions, shown as widgets where there is a kernel, and as HTML with folded answers where there is none."""

    def __init__(self, questions: Sequence[Question]):
        self.questions = list(questions)

    def __repr__(self) -> str:
        return "\n".join(f"{number}. {question.question}" for number, question in enumerate(self.questions, 1))

    def _repr_html_(self) -> str:
        questions = "".join(_as_html(number, question) for number, question in enumerate(self.questions, 1))
        return f'<div class="quiz"><ol>{questions}</ol></div>'

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self._repr_html_, lambda _: self._repr_html_(), repr(self))

    def widget(self) -> Any:
        """The quiz as an ipywidgets box."""
        from dalle_edu.classroom.quiz_widget import as_widget

        return as_widget(self.questions)


def quiz(*questions: Question) -> Quiz:
    """A quiz; the last line of a cell shows it."""
    return Quiz(questions)


def _as_html(number: int, question: Question) -> str:
    """A question with its answer folded, and under the answer what is wrong with the others."""
    options, slips = "", {}
    if isinstance(question, Choice):
        options = '<ol type="a">' + "".join(f"<li>{escape(answer)}</li>" for answer in question.answers) + "</ol>"
        slips = question.explanations
    else:
        slips = {Number("", miss, "", decimals=None).answer: why for miss, why in question.near_misses.items()}
    wrong = "".join(f"<li>✗ <em>{escape(answer)}</em> {escape(why)}</li>" for answer, why in slips.items())
    others = f"<ul>{wrong}</ul>" if wrong else ""
    label = say(f"Answer to question {number}", f"Réponse à la question {number}")
    answer = f"<p>✓ <strong>{escape(question.answer)}</strong> {escape(question.why)}</p>{others}"
    folded = f'<details><summary aria-label="{label}">{say("Answer", "Réponse")}</summary>{answer}</details>'
    return f"<li><p>{escape(question.question)}</p>{options}{folded}</li>"
