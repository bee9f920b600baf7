"""The widgets of a quiz: fields with labels that screen readers say, verdicts that they announce, and a line when all is right."""

from collections.abc import Sequence
from html import escape
from typing import Any

from dalle_edu.classroom.quiz import Choice, Question
from dalle_edu.classroom.quiz_replies import Reply, Tries
from dalle_edu.language import say

SIGNS = {"right": ("✓", "#00664b"), "nearly": ("≈", "#7a5200"), "wrong": ("✗", "#a03c00"), "unread": ("?", "#555555")}


def as_widget(questions: Sequence[Question]) -> Any:
    """The questions as an ipywidgets box, whose last line says "3 of 3" when all are answered right."""
    from ipywidgets import HTML, VBox

    right: set[int] = set()
    score = HTML()

    def told(number: int, reply: Reply) -> None:
        if reply.kind != "unread":
            (right.add if reply.kind == "right" else right.discard)(number)
        count = len(questions)
        score.value = _announced(f"<strong>✓ {say(f'{count} of {count}', f'{count} sur {count}')}</strong>") if len(right) == count else ""

    return VBox([*(_question(number, question, told) for number, question in enumerate(questions, 1)), score])


def _question(number: int, question: Question, told: Any) -> Any:
    from ipywidgets import HTML, Button, Layout, RadioButtons, Text, VBox

    asked, said = HTML(f"<p><strong>{number}.</strong> {escape(question.question)}</p>"), HTML(_announced(""))
    label = say(f"Answer {number}", f"Réponse {number}")
    field: Any
    if isinstance(question, Choice):
        field = RadioButtons(options=list(question.answers), value=None, description=label, layout=Layout(width="auto"))
    else:
        field = Text(placeholder=say("a number", "un nombre"), description=label, layout=Layout(width="20em"))
    button = Button(description=say("Check", "Vérifier"), tooltip=say(f"Check answer {number}", f"Vérifier la réponse {number}"))
    tries = Tries(question)

    def answered(*_: Any) -> None:
        reply = tries.reply(field.value)
        said.value = _announced(_shown(reply, question))
        told(number, reply)

    def on_message(_: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("event") == "submit":  # the key Enter, in a field of text
            answered()

    button.on_click(answered)
    field.on_msg(on_message)
    return VBox([asked, field, button, said])


def _shown(reply: Reply, question: Question) -> str:
    sign, color = SIGNS[reply.kind]
    shown = f'<span style="color: {color}"><span aria-hidden="true">{sign}</span> {escape(reply.text)}</span>'
    if reply.opened:
        answer = f"<strong>{escape(question.answer)}</strong> {escape(question.why)}"
        shown += f"<details open><summary>{say('Answer', 'Réponse')}</summary>{answer}</details>"
    return shown


def _announced(shown: str) -> str:
    """HTML that screen readers say when it changes, without leaving where they are."""
    return f'<div role="status" aria-live="polite">{shown}</div>'
