"""Quizzes: questions with explained answers, shown as widgets in a notebook and as plain HTML elsewhere.

quiz(
    Choice("2 + 2 is", ["3", "4"], right=1, why="Count on your fingers."),
    Number("How many weights has nn.Linear(3, 4)?", right=16, why="3 × 4 and 4 biases.", computed=lambda: count(nn.Linear(3, 4))),
)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


@dataclass(frozen=True)
class Choice:
    """A question with one right answer among several; `right` is its index, from 0.

    `why` explains the right answer, `why_not` each wrong one, in their order. Raises `DalleEduError` for an index out of range.
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

    @property
    def answer(self) -> str:
        """The right answer."""
        return self.answers[self.right]


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number.

    `computed`, if given, computes it again. Raises `DalleEduError` where the two differ by more than `tolerance`, relative or absolute.
    """

    question: str
    right: float | int
    why: str
    computed: Callable[[], float | int] | None = None
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        found = self.right if self.computed is None else float(self.computed())
        if not math.isclose(found, self.right, rel_tol=self.tolerance, abs_tol=self.tolerance):
            raise DalleEduError(
                f'the answer of "{self.question}" is given as {self.right:g} and computed as {found:g}; correct one of the two',
                f"la réponse de « {self.question} » est donnée pour {self.right:g} et le calcul donne {found:g} ; corrigez l'un des deux",
            )

    @property
    def answer(self) -> str:
        """The right answer, as the reader's language writes it."""
        return f"{self.right:g}".replace(".", say(".", ","))


Question = Choice | Number


class Quiz:
    """Several questions, shown as widgets where there is a kernel, and as HTML with folded answers where there is none."""

    def __init__(self, questions: Sequence[Question]):
        self.questions = list(questions)

    def __repr__(self) -> str:
        return "\n".join(f"{number}. {question.question}" for number, question in enumerate(self.questions, 1))

    def _repr_html_(self) -> str:
        return f'<div class="quiz"><ol>{"".join(map(_as_html, self.questions))}</ol></div>'

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self._repr_html_, lambda _: self._repr_html_(), repr(self))

    def widget(self) -> Any:
        """The quiz as an ipywidgets box."""
        from ipywidgets import VBox

        return VBox([_as_widget(number, question) for number, question in enumerate(self.questions, 1)])


def quiz(*questions: Question) -> Quiz:
    """A quiz; the last line of a cell shows it."""
    return Quiz(questions)


def verdict(question: Question, given: str) -> tuple[bool, str]:
    """Whether an answer is right, and the text to show; a number may have a decimal comma and be off by 0.1 %."""
    if isinstance(question, Choice):
        right = given == question.answer
    else:
        try:
            right = math.isclose(float(given.replace(",", ".")), question.right, rel_tol=1e-3, abs_tol=1e-9)
        except ValueError:
            return False, say("Write a number.", "Écrivez un nombre.")
    return right, (say("Right. ", "Juste. ") + question.why) if right else say(
        "Not quite: think again.", "Pas tout à fait : réfléchissez encore."
    )


def _as_html(question: Question) -> str:
    options = ""
    if isinstance(question, Choice):
        options = '<ol type="a">' + "".join(f"<li>{escape(answer)}</li>" for answer in question.answers) + "</ol>"
    shown = say("Answer", "Réponse")
    answer = f"<strong>{escape(question.answer)}</strong>"
    folded = f"<details><summary>{shown}</summary><p>{answer}. {escape(question.why)}</p></details>"
    return f"<li><p>{escape(question.question)}</p>{options}{folded}</li>"


def _as_widget(number: int, question: Question) -> Any:
    from ipywidgets import HTML, Button, HBox, Layout, RadioButtons, Text, VBox

    asked, said = HTML(f"<p><strong>{number}.</strong> {escape(question.question)}</p>"), HTML()
    field: Any
    if isinstance(question, Choice):
        field = RadioButtons(options=list(question.answers), value=None, layout=Layout(width="auto"))
    else:
        field = Text(placeholder=say("a number", "un nombre"), layout=Layout(width="12em"))
    button = Button(description=say("Check", "Vérifier"))

    def answered(_: Any) -> None:
        if field.value:
            right, text = verdict(question, field.value)
            said.value = f'<p style="color: {"#00664b" if right else "#a03c00"}">{"✓" if right else "✗"} {escape(text)}</p>'

    button.on_click(answered)
    return VBox([asked, field, HBox([button, said])])
