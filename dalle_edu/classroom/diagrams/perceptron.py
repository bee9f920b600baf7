"""Diagrams of a picture as numbers, of a neuron, of a network and of the chain rule. Lesson 01.

Every number in them is computed from what they are given, so that a diagram cannot contradict the code.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from dalle_edu.classroom.figures import BLACK, BLUE, ORANGE, SKY, VERMILION, Picture, picture, plot
from dalle_edu.language import decimal, say, with_minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = "#f4f4f4"
Place = tuple[float, float]
Number = float | int


def draw_pixels(pixels: Real[ndarray, "h w"]) -> Picture:
    """A grey picture, and beside it the numbers that it is made of, rounded; 0 is black, the largest is white."""
    figure, (seen, read) = plot(1, 2, width=7.6, height=3.7)
    seen.imshow(pixels, cmap="gray")
    seen.set_title(say("what you see", "ce que vous voyez"))
    for row, column in np.ndindex(*pixels.shape):
        read.text(column, row, f"{pixels[row, column]:.0f}", ha="center", va="center", fontsize=12)
    read.set(xlim=(-0.5, pixels.shape[1] - 0.5), ylim=(pixels.shape[0] - 0.5, -0.5), aspect="equal")
    read.set_title(say("what the machine is given", "ce que la machine reçoit"))
    for axes in (seen, read):
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(True)
    height, width = pixels.shape
    en = f"A handwritten digit of {width} by {height} pixels, and beside it the {pixels.size} numbers that it is made of."
    fr = f"Un chiffre manuscrit de {width} pixels sur {height} et, à côté, les {pixels.size} nombres dont il est fait."
    return picture(figure, say(en, fr))


def draw_neuron(names: Sequence[str], inputs: Sequence[Number], weights: Sequence[Number], bias: Number) -> Picture:
    """A neuron at work: named inputs, each times its weight, the bias, the sum, and the decision."""
    figure, axes = _sheet(7.6, 3.4, (-1.3, 8.3), (-0.4, len(inputs) + 0.5))
    middle = (len(inputs) + 1) / 2 - 0.5
    total, centre = float(np.dot(inputs, weights) + bias), (3.6, middle)
    for place, (name, value, weight) in enumerate(zip(names, inputs, weights, strict=True)):
        height = float(len(inputs) - place)
        _arrow(axes, (1.2, height), centre, f"× {_number(weight)}")
        _node(axes, (1.2, height), _number(value), SKY)
        axes.text(0.75, height, name, ha="right", va="center", fontsize=11)
    _arrow(axes, (1.2, 0.0), centre, _signed(bias))
    axes.text(0.95, 0.0, say("bias", "biais"), ha="right", va="center", fontsize=11)
    _arrow(axes, centre, (6.0, middle), say("at least 0?", "au moins 0 ?"))
    _node(axes, centre, _number(total), ORANGE, 0.42)
    axes.text(centre[0], middle - 0.75, say("sum", "somme"), ha="center", fontsize=11)
    fires = total >= 0
    _node(axes, (6.0, middle), "1" if fires else "0", VERMILION if fires else PALE)
    answer = say("yes", "oui") if fires else say("no", "non")
    axes.text(6.5, middle, answer, ha="left", va="center", fontsize=13)
    said = _number(total)
    en = f"A neuron: {len(inputs)} inputs, each times its weight, and the bias add up to {said}; its answer is {answer}."
    fr = f"Un neurone : {len(inputs)} entrées, chacune fois son poids, et le biais donnent la somme {said} ; sa réponse est {answer}."
    return picture(figure, say(en, fr))


def draw_network(sizes: Sequence[int]) -> Picture:
    """A network as columns of neurons, with an arrow for each weight."""
    figure, axes = _sheet(7.6, 3.6, (-0.8, 3.0 * (len(sizes) - 1) + 0.8), (-0.9, max(sizes) + 0.1))
    columns = [[(3.0 * layer, max(sizes) / 2 + size / 2 - place - 0.5) for place in range(size)] for layer, size in enumerate(sizes)]
    for layer, (left, right) in enumerate(pairwise(columns), 1):
        for start in left:
            for end in right:
                axes.plot(*zip(start, end, strict=True), color="grey", linewidth=1, zorder=1)
        count = f"$W_{layer}$ : {sizes[layer - 1]} × {sizes[layer]}"
        axes.text(3.0 * layer - 1.5, -0.15, count, ha="center", fontsize=12, color=BLUE)
    hidden = say("hidden neurons", "neurones cachés")
    kinds = [say("inputs", "entrées"), *[hidden] * (len(sizes) - 2), say("logits", "logits")]
    for size, kind, places in zip(sizes, kinds, columns, strict=True):
        for place in places:
            _node(axes, place, "", ORANGE if kind == hidden else SKY, 0.28)
        axes.text(places[0][0], -0.7, f"{size} {kind}", ha="center", fontsize=12)
    listed = ", ".join(map(str, sizes))
    en = f"A network of {len(sizes)} columns, of {listed} neurons; each is joined to all of the next column."
    fr = f"Un réseau de {len(sizes)} colonnes, de {listed} neurones ; chacun est relié à tous ceux de la colonne suivante."
    return picture(figure, say(en, fr))


def draw_chain(x: float, weights: tuple[float, float], biases: tuple[float, float], target: float, back: bool = True) -> Picture:
    """Two neurons in a row: the numbers that go forward, and below them the slopes that come back.

    The first has a sigmoid, the second none. The loss is the square of the output less the target. Without `back`, the slopes are left out.
    """
    total = x * weights[0] + biases[0]
    active = 1 / (1 + np.exp(-total))
    output = active * weights[1] + biases[1]
    slope = active * (1 - active)
    returned = [2 * (output - target)]
    returned += [returned[0] * weights[1], returned[0] * weights[1] * slope]
    figure, axes = _sheet(9.0, 3.6, (-1.4, 10.7), (-2.1, 2.0)) if back else _sheet(9.0, 1.7, (-1.4, 10.7), (0.3, 2.0))
    names = [say("input", "entrée"), say("sum", "somme"), "activation", say("output", "sortie"), say("loss", "perte")]
    values = [x, total, active, output, (output - target) ** 2]
    first, second = (f"× {_number(w)} {_signed(b)}" if b else f"× {_number(w)}" for w, b in zip(weights, biases, strict=True))
    for place, label in enumerate([first, "σ", second, f"({names[3]} − {_number(target)})²"]):
        _arrow(axes, (2.5 * place, 1.0), (2.5 * place + 2.5, 1.0), label, BLUE)
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        _node(axes, (2.5 * place, 1.0), _number(value), SKY)
        axes.text(2.5 * place, 1.65, name, ha="center", fontsize=11)
    forward = ", ".join(map(_number, values))
    if not back:
        en = f"A chain of two neurons, from the input to the loss: {forward}."
        fr = f"Une chaîne de deux neurones, de l'entrée à la perte : {forward}."
        return picture(figure, say(en, fr))
    for place, multiplier in ((1, slope), (2, weights[1])):
        _arrow(axes, (2.5 * place + 2.5, -0.6), (2.5 * place, -0.6), f"× {_number(multiplier)}", VERMILION)
    _arrow(axes, (10.0, 0.55), (7.5, -0.6), "", VERMILION)
    axes.text(8.5, 0.0, f"2 ({names[3]} − {_number(target)})", ha="right", fontsize=11, color=VERMILION)
    for place, value in enumerate(reversed(returned), 1):
        _node(axes, (2.5 * place, -0.6), _number(value), ORANGE)
    for place, (entered, came_back) in enumerate([(x, returned[2]), (active, returned[0])]):
        slopes = f"{_number(entered)} × {_number(came_back)} = {_number(entered * came_back)}"
        weight = _number(weights[place])
        text = say(f"slope of the weight {weight}: {slopes}", f"pente du poids {weight} : {slopes}")
        axes.text(5.0 * place + 1.6, -1.75, text, ha="center", fontsize=11, color=VERMILION)
    backward = ", ".join(map(_number, returned))
    en = f"A chain of two neurons; forward go {forward}; back come the slopes {backward}."
    fr = f"Une chaîne de deux neurones ; à l'aller passent {forward} ; au retour viennent les pentes {backward}."
    return picture(figure, say(en, fr))


# ---------------------------------------------------------------- pieces


def _sheet(width: float, height: float, across: Place, upwards: Place) -> tuple:
    """A figure without axes, whose unit is as wide as it is high."""
    figure, axes = plot(width=width, height=height)
    axes.axis("off")
    axes.set(xlim=across, ylim=upwards, aspect="equal")
    return figure, axes


def _node(axes: "Axes", place: Place, text: str, colour: str, radius: float = 0.36) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(place, radius, facecolor=colour, edgecolor=BLACK, linewidth=1, zorder=3))
    axes.text(*place, text, ha="center", va="center", fontsize=11, zorder=4)


def _arrow(axes: "Axes", start: Place, end: Place, label: str, colour: str = BLACK) -> None:
    """An arrow between the rims of two nodes, with its label above its middle."""
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.5, "shrinkA": 18, "shrinkB": 20}
    axes.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)
    axes.text(
        0.55 * start[0] + 0.45 * end[0], 0.55 * start[1] + 0.45 * end[1] + 0.18, label, ha="center", va="bottom", fontsize=11, color=colour
    )


def _number(value: Number) -> str:
    """A number with as few decimals as it needs, at most two, in the reader's language."""
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return with_minus(decimal(float(value), len(short.partition(".")[2])))


def _signed(value: Number) -> str:
    return f"{'+' if value >= 0 else '−'} {_number(abs(value))}"
