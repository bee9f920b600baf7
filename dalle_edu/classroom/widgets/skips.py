"""Switches on the skips of a U-Net: cut some or all, and see how its segmentation answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, Picture, picture, plot
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

CLASS_COLOURS = ("#ffffff", BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, VERMILION, BLACK)  # 0: paper


def skips_explorer(
    images: Float[Tensor, "n 3 h w"],
    truth: Int[Tensor, "n h w"],
    answers: Mapping[tuple[bool, ...], Int[Tensor, "n h w"]],
    sides: Sequence[int],
) -> Explorer:
    """Scenes with their true classes and what a U-Net answers, for each setting of the switches on its skips, the finest first.

    `answers` has the classes found with each setting, a bool for each of the skips, which have `sides` positions on a side. All are on
    at first. Raises `DalleEduError` where a setting is missing. Lesson 06.
    """
    settings = 2 ** len(sides)
    if len(answers) != settings or any(len(setting) != len(sides) for setting in answers):
        raise DalleEduError(
            f"there are {len(answers)} settings of {len(sides)} switches; give all {settings}, with a bool for each switch",
            f"il y a {len(answers)} réglages de {len(sides)} interrupteurs ; donnez les {settings}, un bool par interrupteur",
        )
    names = [say("on", "ouvert"), say("cut", "coupé")]
    switches = {
        f"skip_{side}": Knob(say(f"skip of {side} × {side}", f"raccourci de {side} × {side}"), [True, False], names, pointed=True)
        for side in sides
    }
    scenes = Knob(say("scene", "scène"), list(range(1, len(images) + 1)))

    def draw(scene: int, **on: bool) -> Picture:
        setting = tuple(on[f"skip_{side}"] for side in sides)
        return draw_answer(images[scene - 1], truth[scene - 1], answers[setting][scene - 1])

    return Explorer(draw, scene=scenes, **switches)


def draw_answer(image: Float[Tensor, "3 h w"], truth: Int[Tensor, "h w"], found: Int[Tensor, "h w"]) -> Picture:
    """A picture in [-1, 1], the true class of each of its pixels, and the class that was found."""
    figure, panels = plot(1, 3, width=8, height=3.0, margins={"left": 0.01, "bottom": 0.02, "right": 0.99, "top": 0.89, "wspace": 0.06})
    panels[0].imshow((image.permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).numpy())
    draw_classes(panels[1], truth)
    draw_classes(panels[2], found)
    titles = say("picture|truth|answer", "image|vérité|réponse").split("|")
    for panel, title in zip(panels, titles, strict=True):
        panel.set(title=title, xticks=[], yticks=[])
    shape = truth > 0
    right = 100 * float((found[shape] == truth[shape]).float().mean()) if shape.any() else 100.0
    en = f"A scene, its true classes, and the answer, which is right on {right:.0f}% of the pixels of the shapes."
    fr = f"Une scène, ses vraies classes, et la réponse, juste pour {right:.0f} % des pixels des formes."
    return picture(figure, say(en, fr))


def draw_classes(panel: Any, classes: Int[Tensor, "h w"]) -> None:
    """Draw the class of each pixel, from 0 to 8, on axes of matplotlib: each class has its colour, and paper, 0, is white."""
    from matplotlib.colors import ListedColormap

    panel.imshow(classes.numpy(), cmap=ListedColormap(CLASS_COLOURS), vmin=0, vmax=len(CLASS_COLOURS) - 1, interpolation="nearest")
    panel.set(xticks=[], yticks=[])
