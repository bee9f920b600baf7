"""The pictures of lesson 01 say the numbers that the library computes."""

import re

import numpy as np
import pytest

from dalle_edu.bricks.mlp import MLP, mean_squared_error
from dalle_edu.bricks.perceptron import neuron, train_perceptron
from dalle_edu.classroom.diagrams.perceptron import draw_chain, draw_network, draw_neuron, draw_pixels
from dalle_edu.classroom.widgets.boundary import corrections_explorer, draw_boundary, draw_correction
from dalle_edu.errors import DalleEduError

X, Y = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, 0.5]]), np.array([1, -1, -1])


def numbers_in(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in re.findall(r"[-−]?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("homework", [0, 1])
def test_the_neuron_drawn_answers_as_the_neuron_does(homework, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    alt = draw_neuron(["weather", "friend", "homework"], [1, 1, homework], [2, 1, -3], -1.5).alt
    fires = neuron(np.array([[1, 1, homework]]), np.array([2, 1, -3]), -1.5)[0]
    assert alt.endswith("its answer is yes." if fires else "its answer is no.")
    assert numbers_in(alt)[-1] == (-1.5 if homework else 1.5)


def test_the_slopes_drawn_on_the_chain_are_those_of_backpropagation(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    network = MLP((1, 1, 1), "sigmoid", np.random.default_rng(0))
    network.weights, network.biases = [np.array([[0.5]]), np.array([[3.0]])], [np.array([-1.0]), np.array([0.0])]
    loss, gradient = mean_squared_error(network.forward(np.array([[2.0]])), np.array([[1.0]]))
    _, at_sum, _, at_output = (slope.item() for slope in network.backward(gradient))
    forward, back = draw_chain(2.0, (0.5, 3.0), (-1.0, 0.0), 1.0).alt.split("; ")[1:]
    assert numbers_in(forward) == [2, network.sums[0].item(), network.given[1].item(), network.sums[1].item(), loss]
    assert numbers_in(back) == [at_output, at_output * 3, at_sum]
    assert numbers_in(draw_chain(2.0, (0.5, 3.0), (-1.0, 0.0), 1.0, back=False).alt) == numbers_in(forward)


def test_the_correction_drawn_counts_the_mistakes_after_it(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    boundaries = train_perceptron(X, Y).boundaries
    for made in range(1, len(boundaries)):
        wrong = int(((neuron(X, boundaries[made, :2], boundaries[made, 2]) == 1) != (Y == 1)).sum())
        assert numbers_in(draw_correction(X, Y, boundaries, made).alt) == [made, wrong, 3]
    assert "0 of 3" in draw_boundary(X, Y, boundaries[-1, :2], boundaries[-1, 2]).alt
    assert corrections_explorer(X, Y, boundaries).knobs["corrections"].values == list(range(1, len(boundaries)))
    with pytest.raises(DalleEduError):
        corrections_explorer(X, Y, boundaries[:1])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_diagram_is_drawn_and_described_in_both_languages(language, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    for drawn in (draw_pixels(np.arange(12.0).reshape(3, 4)), draw_network((2, 3, 2)), draw_chain(1.0, (1.0, -2.0), (0.5, 0.5), 0.0)):
        assert drawn.png.startswith(b"\x89PNG")
        assert len(drawn.alt.split()) > 8
        assert ("Un " in drawn.alt or "Une " in drawn.alt) == (language == "fr")
    assert "12" in draw_pixels(np.arange(12.0).reshape(3, 4)).alt
