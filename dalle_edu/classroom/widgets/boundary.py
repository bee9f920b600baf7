"""The decision boundary of a neuron, set by the direction of its weights and its bias."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from dalle_edu.bricks.perceptron import neuron
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLACK, BLUE, ORANGE, Picture, picture, plot
from dalle_edu.language import say

REACH = 3.0  # the picture shows [-3, 3] on both axes


def boundary_explorer(x: Float[ndarray, "n 2"], y: Float[ndarray, " n"]) -> Explorer:
    """An interactive picture of points with labels -1 and +1 and a neuron whose weights' direction and bias are chosen. Lesson 01."""
    angles = list(range(0, 360, 30))
    return Explorer(
        lambda angle, bias: draw_boundary(x, y, np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]), bias),
        angle=Knob(say("direction of the weights (degrees)", "direction des poids (degrés)"), angles, start=4),
        bias=Knob(say("bias", "biais"), [-2, -1, 0, 1, 2], start=2),
    )


def draw_boundary(x: Float[ndarray, "n 2"], y: Float[ndarray, " n"], weights: Float[ndarray, "2"], bias: float) -> Picture:
    """The points, the half-plane where the neuron fires, shaded, and its weights as an arrow."""
    figure, axes = plot(width=4.4, height=4.2)
    side = np.linspace(-REACH, REACH, 121)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    fires = neuron(plane, weights, bias).reshape(121, 121)
    axes.contourf(side, side, fires, levels=[0.5, 1.5], colors=[ORANGE], alpha=0.2)
    axes.contour(side, side, (plane @ weights + bias).reshape(121, 121), levels=[0.0], colors=BLACK)
    for label, colour, marker in ((1, ORANGE, "o"), (-1, BLUE, "^")):
        axes.scatter(*x[y == label].T, s=34, color=colour, marker=marker, edgecolor=BLACK, linewidth=0.4, zorder=3)
    foot = -bias * weights / max(1e-9, float(weights @ weights))
    axes.annotate("", xy=foot + weights, xytext=foot, arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 2})
    wrong = int(((neuron(x, weights, bias) > 0) != (y > 0)).sum())
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    axes.set_title(say(f"{wrong} of {len(x)} on the wrong side", f"{wrong} sur {len(x)} du mauvais côté"))
    en = f"A plane cut by a line; the neuron fires on the shaded side; {wrong} of {len(x)} points are on the wrong side."
    fr = f"Un plan coupé par une droite ; le neurone s'active du côté ombré ; {wrong} points sur {len(x)} sont du mauvais côté."
    return picture(figure, say(en, fr))
