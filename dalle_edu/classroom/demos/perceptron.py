"""The perceptron learns a line, fails on XOR, and a multilayer perceptron succeeds."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from dalle_edu.bricks.mlp import MLP, cross_entropy, gradient_descent, mean_squared_error, relu_interpolation, softmax
from dalle_edu.bricks.perceptron import neuron, novikoff_bound, train_perceptron
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import comma, say

SHOWS = ("perceptron", "mlp")

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, VERMILION, BLACK = "#0072B2", "#E69F00", "#D55E00", "#000000"
HIDDEN = (2, 5, 20)
Clouds = tuple[np.ndarray, np.ndarray]


def demo(seed: int = 0, epochs: int = 20_000) -> Demo:
    """A perceptron on two clouds and on exclusive or, a network on exclusive or, and a curve drawn with 2, 5 and 20 neurons."""
    from matplotlib.figure import Figure

    start, generator = time.process_time(), np.random.default_rng(seed)
    figure = Figure(figsize=(14, 8.4), layout="constrained")
    above, below = figure.subplots(2, 3)
    separable, crossed = _two_clouds(generator), _exclusive_or(generator)
    numbers = _moving_line(above[0], separable)
    numbers |= _errors(above[1], separable, crossed)
    numbers |= _two_layers(above[2], crossed, generator)
    for axes, hidden in zip(below, HIDDEN, strict=True):
        numbers |= _curve(axes, hidden, epochs, generator)
    numbers["cpu_seconds"] = time.process_time() - start
    few, many = (numbers[f"largest_error_joined_{hidden}"] for hidden in (HIDDEN[0], HIDDEN[-1]))
    corrections, bound, one, two = (numbers[name] for name in ("corrections", "bound", "xor_one_neuron", "xor_two_layers"))
    return Demo(
        figure,
        numbers,
        f"One neuron separates two clouds in {corrections:.0f} corrections, where the theorem allows {bound:.0f}. "
        f"On exclusive or it never gets past {one:.0%}; two layers reach {two:.0%}. "
        f"From 2 neurons to 20, the error of the broken line falls from {few:.2f} to {many:.3f}.",
        f"Un neurone sépare deux nuages en {corrections:.0f} corrections, là où le théorème en permet {bound:.0f}. "
        f"Sur le ou exclusif il ne dépasse pas {100 * one:.0f} % ; deux couches atteignent {100 * two:.0f} %. "
        f"De 2 neurones à 20, l'erreur de la ligne brisée passe de {comma(few, 2)} à {comma(many, 3)}.",
    )


def _cloud(generator: np.random.Generator, centre: tuple[float, float], spread: float) -> np.ndarray:
    return generator.normal(centre, spread, size=(40, 2))


def _two_clouds(generator: np.random.Generator) -> Clouds:
    """Two clouds on either side of the line 0.6 x + 0.8 y = 3, none nearer to it than 0.3; labels -1 and +1."""
    x = np.concatenate([_cloud(generator, (2.4, 3.2), 0.4), _cloud(generator, (1.2, 1.6), 0.4)])
    side = x @ [0.6, 0.8] - 3
    x, y = x[np.abs(side) > 0.3], np.where(side > 0, 1, -1)[np.abs(side) > 0.3]
    order = generator.permutation(len(x))
    return x[order], y[order]


def _exclusive_or(generator: np.random.Generator) -> Clouds:
    """A cloud at each corner of a square, opposite corners alike; labels -1 and +1."""
    x = np.concatenate([_cloud(generator, (a, b), 0.28) for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    y = np.repeat([-1, 1, 1, -1], 40)
    order = generator.permutation(len(x))
    return x[order], y[order]


def _moving_line(axes: "Axes", clouds: Clouds) -> dict[str, float]:
    x, y = clouds
    lines = train_perceptron(x, y).boundaries[1:]
    bound = novikoff_bound(x, y, np.array([0.6, 0.8]), -3.0)
    across = np.array([0.0, 4.0])
    for number, (a, b, bias) in enumerate(lines, start=1):
        last = number == len(lines)
        if b:
            style: dict[str, Any] = (
                {"color": BLACK, "linewidth": 3.0}
                if last
                else {"color": "grey", "linewidth": 1.2, "alpha": 0.2 + 0.6 * number / len(lines)}
            )
            axes.plot(across, -(a * across + bias) / b, **style, label=say("the last line", "la dernière droite") if last else None)
    _points(axes, clouds)
    axes.set(xlim=(0, 4), ylim=(0, 5))
    axes.legend(loc="lower left")
    axes.set_title(say(f"One neuron learns: {len(lines)} corrections", f"Un neurone apprend : {len(lines)} corrections"))
    return {"corrections": float(len(lines)), "bound": bound}


def _errors(axes: "Axes", separable: Clouds, crossed: Clouds) -> dict[str, float]:
    """The part of the examples on the wrong side, after each correction."""
    best = 1.0
    for (x, y), colour, name in (
        (separable, BLUE, say("two clouds", "deux nuages")),
        (crossed, VERMILION, say("exclusive or", "ou exclusif")),
    ):
        lines = train_perceptron(x, y, passes=20).boundaries[1:101]
        wrong = [float(((neuron(x, line[:2], line[2]) > 0) != (y > 0)).mean()) for line in lines]
        best = 1 - min(wrong)
        axes.plot(range(1, len(wrong) + 1), wrong, color=colour, lw=2.2, label=name)
    axes.axhline(0.25, color="grey", ls=":")
    axes.set(xlabel=say("corrections", "corrections"), ylabel=say("part of wrong answers", "part de réponses fausses"), ylim=(-0.03, 0.8))
    axes.legend(loc="upper right")
    axes.set_title(say("No line does exclusive or", "Aucune droite ne fait le ou exclusif"))
    return {"xor_one_neuron": best}


def _two_layers(axes: "Axes", clouds: Clouds, generator: np.random.Generator) -> dict[str, float]:
    x, y = clouds
    classes = (y > 0).astype(int)
    network = MLP((2, 8, 2), "tanh", generator)
    gradient_descent(network, cross_entropy, x, classes, generator, epochs=200, batch_size=16, learning_rate=0.2)
    side = np.linspace(-2.2, 2.2, 121)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    probability = softmax(network.forward(plane))[:, 1].reshape(121, 121)
    axes.contourf(side, side, probability, levels=np.linspace(0, 1, 11), cmap="PuOr_r", alpha=0.45)
    axes.contour(side, side, probability, levels=[0.5], colors=BLACK, linewidths=2.5)
    _points(axes, clouds)
    right = float((network.forward(x).argmax(axis=1) == classes).mean())
    axes.set_title(say(f"Two layers do: {right:.0%} right", f"Deux couches, si : {100 * right:.0f} % de justes"))
    return {"xor_two_layers": right}


def _curve(axes: "Axes", hidden: int, epochs: int, generator: np.random.Generator) -> dict[str, float]:
    """The same curve by `hidden` neurons: trained, and placed by hand on evenly spaced knots."""

    def target(x: np.ndarray) -> np.ndarray:
        return np.sin(2.5 * x) + 0.4 * np.sin(7 * x)

    x = np.linspace(-1.5, 1.5, 301)
    y, knots = target(x), np.linspace(-1.5, 1.5, hidden + 1)
    joined = relu_interpolation(knots, target(knots)).forward(x[:, None])[:, 0]
    network = MLP((1, hidden, 1), "tanh", generator)
    gradient_descent(network, mean_squared_error, x[::3, None], y[::3, None], generator, epochs, batch_size=32, learning_rate=0.05)
    trained = network.forward(x[:, None])[:, 0]
    axes.plot(x, y, color="grey", lw=6, alpha=0.45, label=say("the curve", "la courbe"))
    axes.plot(x, joined, color=BLUE, lw=1.8, ls="--", label=say("ReLU, placed by hand", "ReLU, placés à la main"))
    axes.plot(knots, target(knots), "o", color=BLUE, ms=4)
    axes.plot(x, trained, color=VERMILION, lw=2, label=say("tanh, trained", "tanh, entraînés"))
    axes.set(xlabel="x", ylim=(-1.9, 1.9))
    axes.set_title(say(f"{hidden} hidden neurons", f"{hidden} neurones cachés"))
    if hidden == HIDDEN[0]:
        axes.legend(loc="upper left")
    return {
        f"largest_error_joined_{hidden}": float(np.abs(joined - y).max()),
        f"largest_error_trained_{hidden}": float(np.abs(trained - y).max()),
    }


def _points(axes: "Axes", clouds: Clouds) -> None:
    x, y = clouds
    for label, colour, marker in ((1, ORANGE, "o"), (-1, BLUE, "^")):
        axes.scatter(x[y == label, 0], x[y == label, 1], s=26, color=colour, marker=marker, edgecolor=BLACK, linewidth=0.4, zorder=3)
