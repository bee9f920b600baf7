"""The decision boundary of a neuron: set by the direction of its weights and its bias, or followed from correction to correction."""

from typing import Any

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from dalle_edu.bricks.perceptron import neuron
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLACK, BLUE, ORANGE, VERMILION, Picture, picture, plot
from dalle_edu.language import say

REACH = 3.0  # the picture shows [-3, 3] on both axes
MARGINS = {"left": 0.08, "bottom": 0.06, "right": 0.98, "top": 0.93}


def boundary_explorer(x: Float[ndarray, "n 2"], y: Real[ndarray, " n"]) -> Explorer:
    """An interactive picture of points with labels -1 and +1 and a neuron whose weights' direction and bias are chosen. Lesson 01."""
    angles = list(range(0, 360, 30))
    return Explorer(
        lambda angle, bias: draw_boundary(x, y, np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]), bias),
        angle=Knob(say("direction of the weights (degrees)", "direction des poids (degrés)"), angles, start=4),
        bias=Knob(say("bias", "biais"), [-2, -1, 0, 1], start=2),
    )


def corrections_explorer(x: Float[ndarray, "n 2"], y: Real[ndarray, " n"], boundaries: Float[ndarray, "m 3"]) -> Explorer:
    """An interactive picture of the line after each of a perceptron's corrections; it begins with the last. Lesson 01.

    Raises `DalleEduError` for no correction, or more than 64.
    """
    counts = list(range(1, len(boundaries)))
    return Explorer(
        lambda corrections: draw_correction(x, y, boundaries, corrections),
        corrections=Knob(say("corrections made", "corrections faites"), counts, start=len(counts) - 1),
    )


def draw_boundary(x: Float[ndarray, "n 2"], y: Real[ndarray, " n"], weights: Float[ndarray, "2"], bias: float) -> Picture:
    """The points, the half-plane where the neuron fires, shaded, and an arrow of length 1 in the direction of its weights."""
    figure, axes = plot(width=4.4, height=4.2, margins=MARGINS)
    wrong = _scene(axes, x, y, weights, bias)
    axes.set_title(say(f"{wrong} of {len(x)} on the wrong side", f"{wrong} sur {len(x)} du mauvais côté"))
    en = f"A plane cut by a line; the neuron fires on the shaded side; {wrong} of {len(x)} points are on the wrong side."
    fr = f"Un plan coupé par une droite ; le neurone s'active du côté ombré ; {wrong} points sur {len(x)} sont du mauvais côté."
    return picture(figure, say(en, fr))


def draw_correction(x: Float[ndarray, "n 2"], y: Real[ndarray, " n"], boundaries: Float[ndarray, "m 3"], corrections: int) -> Picture:
    """The line after so many corrections, in black, those before it in grey, and a ring around the example that it was corrected for."""
    figure, axes = plot(width=4.4, height=4.2, margins=MARGINS)
    across = np.array([-REACH, REACH])
    for first, second, bias in boundaries[1:corrections]:
        if second:
            axes.plot(across, -(first * across + bias) / second, color="grey", linewidth=0.8, alpha=0.6)
    wrong = _scene(axes, x, y, boundaries[corrections, :2], float(boundaries[corrections, 2]))
    added = boundaries[corrections] - boundaries[corrections - 1]  # label * (example, 1)
    axes.scatter(*(added[:2] * added[2]), s=190, facecolor="none", edgecolor=VERMILION, linewidth=2.2, zorder=4)
    axes.set_title(
        say(
            f"correction {corrections}: {wrong} of {len(x)} on the wrong side",
            f"correction {corrections} : {wrong} sur {len(x)} du mauvais côté",
        )
    )
    en = f"The line after correction {corrections}, which was made for the ringed point; {wrong} of {len(x)} are on the wrong side."
    fr = f"La droite après la correction {corrections}, faite pour le point cerclé ; {wrong} points sur {len(x)} sont du mauvais côté."
    return picture(figure, say(en, fr))


def _scene(axes: Any, x: ndarray, y: ndarray, weights: ndarray, bias: float) -> int:
    """Draw the points, the line, the side where the neuron fires and the arrow; returns how many points are on the wrong side."""
    side = np.linspace(-REACH, REACH, 61)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    fires = neuron(plane, weights, bias).reshape(61, 61)
    axes.contourf(side, side, fires, levels=[0.5, 1.5], colors=[ORANGE], alpha=0.2)
    axes.contour(side, side, (plane @ weights + bias).reshape(61, 61), levels=[0.0], colors=BLACK)
    for label, colour, marker in ((1, ORANGE, "o"), (-1, BLUE, "^")):
        axes.scatter(*x[y == label].T, s=34, color=colour, marker=marker, edgecolor=BLACK, linewidth=0.4, zorder=3)
    length = max(1e-9, float(np.linalg.norm(weights)))
    foot = -bias * weights / length**2
    axes.annotate(
        "", xy=foot + weights / length, xytext=foot, arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 2}, annotation_clip=True
    )
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    return int(((neuron(x, weights, bias) > 0) != (y > 0)).sum())
