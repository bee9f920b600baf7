"""The prompt studio: a form with a sentence and three sampling parameters, and pictures with the examiner's marks."""

from collections.abc import Sequence
from html import escape
from typing import Any

from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import Picture, sheet
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say, sentence_language
from dalle_edu.scorecard import SKILL_NAMES, mark, parse_pictures, why_no_marks
from dalle_edu.systems.interface.system import System
from dalle_edu.world import check_prompt, read_caption

SHOWN = 3  # pictures of each sentence
GUIDANCES, SEEDS = (0, 2, 5), (0, 1)  # those on a page without a kernel
SENTENCES = {
    "en": (
        "a large red circle to the left of a small blue square",
        "four yellow diamonds",
        "a pink heart above a black ring",
    ),
    "fr": (
        "un grand cercle rouge à gauche d'un petit carré bleu",
        "quatre losanges jaunes",
        "un cœur rose au-dessus d'un anneau noir",
    ),
}


def studio(system: System, sentences: Sequence[str] | None = None) -> "Studio":
    """The prompt studio of a system; `sentences` are the choices on a page without a kernel.

    Raises `DalleEduError` for none or more than five of them. Lesson 11.
    """
    return Studio(system, SENTENCES[sentence_language()] if sentences is None else sentences)


def draw_sentence(
    system: System, sentence: str, *, guidance_scale: float, seed: int, temperature: float | None = None, shown: int = SHOWN
) -> Picture:
    """Generate `shown` pictures of one sentence, each with the examiner's marks.

    The sampling parameters are those of the system's `generate`; without `temperature` it is the system's own. Raises `DalleEduError` for a
    sentence that the system cannot read.
    """
    images = system.generate(
        [sentence] * shown, seed=seed, guidance_scale=guidance_scale, temperature=temperature, daring=system.config.sampling.daring
    )
    description = read_caption(sentence)
    marks = [None if description is None else mark(description, objects) for objects in parse_pictures(images)]
    right = sum(each is not None and all(each.values()) for each in marks)
    scale = f"{guidance_scale:g}".replace(".", say(".", ","))
    verdict = ("no marks", "pas de note") if description is None else (f"{right} all right", f"{right} toutes justes")
    en = f"{shown} pictures drawn from “{sentence}” with guidance {scale}: {verdict[0]}."
    fr = f"{shown} images dessinées d'après « {sentence} » avec un guidage de {scale} : {verdict[1]}."
    return sheet(images, [_label(sentence, each) for each in marks], say(en, fr), columns=shown)


def _label(sentence: str, marks: dict[str, bool] | None) -> str:
    """The marks of a picture in one line; no-break spaces keep each mark on a line."""
    if marks is None:
        return say(*why_no_marks(sentence))
    names = SKILL_NAMES[sentence_language()]
    return "  ".join(f"{'✓' if right else '✗'} {names[skill]}".replace(" ", "\u00a0") for skill, right in marks.items())


class Studio:
    """A form with a sentence, controls and a button where there is a kernel, pictures of given sentences where there is none.

    Raises `DalleEduError` for no sentence and for more than five.
    """

    def __init__(self, system: System, sentences: Sequence[str]):
        if not 1 <= len(sentences) <= 5:
            raise DalleEduError(
                f"{len(sentences)} sentences were given; the studio's page offers 1 to 5",
                f"{len(sentences)} phrases sont données ; la page de l'atelier en propose de 1 à 5",
            )
        self.system, self.sentences = system, list(sentences)

    def __repr__(self) -> str:
        return say("the prompt studio: ", "l'atelier : ") + " · ".join(self.sentences)

    def _ipython_display_(self) -> None:
        show_widget(self.widget, lambda: self.explorer().frames(), lambda box: box.children[-1].value, repr(self))

    def explorer(self) -> Explorer:
        """The form for a page without a kernel: every sentence at a few guidance scales and seeds, at the system's own temperature."""
        return Explorer(
            lambda sentence, guidance_scale, seed: draw_sentence(self.system, sentence, guidance_scale=guidance_scale, seed=seed),
            sentence=Knob(say("sentence", "phrase"), self.sentences),
            guidance_scale=Knob(say("guidance", "guidage"), GUIDANCES, start=1),
            seed=Knob(say("seed", "graine"), SEEDS),
        )

    def answer(self, sentence: str, guidance_scale: float, temperature: float, seed: int) -> str:
        """The answer to a sentence, as HTML: a note on unknown words and the pictures, or the error where nothing can be generated."""
        try:
            report = check_prompt(sentence)
            drawn = draw_sentence(self.system, sentence, guidance_scale=guidance_scale, temperature=temperature, seed=seed)
        except DalleEduError as error:
            return f'<p role="alert">✗ {escape(str(error))}</p>'
        return (f'<p role="status">{escape(report)}</p>' if report else "") + drawn._repr_html_()

    def widget(self) -> Any:
        """The form for a notebook, an ipywidgets box."""
        from ipywidgets import HTML, BoundedIntText, Button, FloatSlider, HBox, Layout, Text, VBox

        style, settings = {"description_width": "initial"}, self.system.config.sampling
        field = Text(value=self.sentences[0], description=say("sentence", "phrase"), style=style, layout=Layout(width="44em"))
        guidance_scale = FloatSlider(
            value=settings.guidance_scale, min=0, max=8, step=0.5, description=say("guidance", "guidage"), style=style
        )
        temperature = FloatSlider(
            value=settings.temperature, min=0, max=2, step=0.1, description=say("temperature", "température"), style=style
        )
        seed = BoundedIntText(value=0, min=0, max=9999, description=say("seed", "graine"), style=style, layout=Layout(width="9em"))
        button, shown = Button(description=say("Draw", "Dessiner"), button_style="primary"), HTML()

        def draw(_: Any = None) -> None:
            button.disabled = True
            try:
                shown.value = self.answer(field.value, guidance_scale.value, temperature.value, seed.value)
            finally:
                button.disabled = False

        button.on_click(draw)
        draw()
        return VBox([field, HBox([guidance_scale, temperature, seed, button]), shown])
