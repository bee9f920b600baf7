"""The form in which a person answers a questionnaire: a question at a time, a rank for each choice, answers saved in its folder."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from dalle_edu.classroom.figures import Picture, sheet
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.rankings.questionnaire import Questionnaire, Ranking, RankingQuestion


def ranking(folder: str | Path, rater: str) -> "RankingDesk":
    """The form for a person called `rater`; questions that they have answered before are not asked again.

    Raises `DalleEduError` where `folder` is no questionnaire, and where `rater` is the name of a rater that is no person.
    """
    return RankingDesk(Questionnaire.load(folder), rater)


def shown(question: RankingQuestion) -> Picture:
    """The pictures of a question: the one that sentences are ranked for, or those to rank, with their letters."""
    if len(question.pictures) == 1:
        return sheet(question.pictures, [""], say("The picture to find words for.", "L'image à mettre en mots."), columns=1)
    sentence = question.sentences[0]
    alt = say(f"{question.choices} pictures drawn from “{sentence}”.", f"{question.choices} images tirées de « {sentence} ».")
    return sheet(question.pictures, letters(question), alt, columns=min(4, question.choices))


def letters(question: RankingQuestion) -> list[str]:
    """The names of a question's choices: A, B, C…"""
    return [chr(ord("A") + choice) for choice in range(question.choices)]


class RankingDesk:
    """The questions of a questionnaire for one person: widgets where there is a kernel, the first question where there is none.

    Raises `DalleEduError` where `rater` is the name of a rater that is no person.
    """

    def __init__(self, questionnaire: Questionnaire, rater: str):
        self.questionnaire = questionnaire
        known = {each.rater: each for each in questionnaire.rankings}
        self.answers = known.get(rater) or Ranking(rater, "person")
        if self.answers.kind != "person":
            raise DalleEduError(
                f'the name "{rater}" belongs to a {self.answers.kind} here; a person takes another name',
                f"le nom « {rater} » est déjà pris ici, et non par une personne ({self.answers.kind}) ; prenez-en un autre",
            )

    @property
    def open(self) -> list[RankingQuestion]:
        """The questions that the person has not answered yet."""
        return [question for name, question in self.questionnaire.questions.items() if name not in self.answers.places]

    def answer(self, name: str, places: Sequence[int]) -> None:
        """Save the ranks of a question's choices, from 1, the best. Raises `DalleEduError` for ranks that are impossible."""
        given = Ranking(self.answers.rater, "person", {**self.answers.places, name: tuple(places)})
        self.questionnaire.add(given)
        self.answers = given

    def __repr__(self) -> str:
        number, done = len(self.questionnaire.questions), len(self.answers.places)
        return say(f"{number} questions, {done} answered", f"{number} questions, dont {done} avec réponse")

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self.page, lambda box: box.children[0].value, repr(self))

    def page(self) -> str:
        """The first question, as HTML for a page without a kernel."""
        question = next(iter(self.questionnaire.questions.values()))
        return f"<div>{shown(question)._repr_html_()}{_wording(question)}</div>"

    def widget(self) -> Any:
        """The form for a notebook, an ipywidgets box that shows the next unanswered question."""
        from ipywidgets import HTML, Button, Dropdown, HBox, VBox

        view, said, choices = HTML(), HTML(), HBox()
        keep = Button(description=say("Keep", "Garder"), button_style="primary")

        def ask() -> None:
            todo = self.open
            keep.disabled = not todo
            if not todo:
                view.value = f'<p role="status">{escape(say("All answered. Thank you.", "Vous avez répondu à tout. Merci."))}</p>'
                choices.children = ()
                return
            view.value = shown(todo[0])._repr_html_() + _wording(todo[0])
            options = [("–", 0)] + [(str(place), place) for place in range(1, todo[0].choices + 1)]
            choices.children = tuple(Dropdown(options=options, value=0, description=letter) for letter in letters(todo[0]))

        def kept(_: Any) -> None:
            places = [choice.value for choice in choices.children]
            if 0 in places:
                text = say(
                    "Give each its place; equals share one.", "Donnez une place à chaque proposition ; à égalité, elles la partagent."
                )
                said.value = f'<p role="alert">{escape(text)}</p>'
                return
            self.answer(self.open[0].name, places)
            said.value = f'<p role="status">{escape(repr(self))}</p>'
            ask()

        keep.on_click(kept)
        ask()
        return VBox([view, choices, HBox([keep, said])])


def _wording(question: RankingQuestion) -> str:
    """A question's text and its sentences, as HTML."""
    if len(question.pictures) == 1:
        asked = say(
            "Which sentence says best what the picture shows? 1 is the best.", "Quelle phrase dit le mieux l'image ? 1 est la meilleure."
        )
        lines = "".join(
            f"<li><strong>{letter}</strong> {escape(text)}</li>" for letter, text in zip(letters(question), question.sentences, strict=True)
        )
        return f"<p>{escape(asked)}</p><ul>{lines}</ul>"
    asked = say(
        "Which picture shows best what the sentence says? 1 is the best.", "Quelle image montre le mieux la phrase ? 1 est la meilleure."
    )
    return f"<p>{escape(asked)}</p><blockquote>{escape(question.sentences[0])}</blockquote>"
