import inspect
import math
from itertools import chain, product

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.mlp import (
    ACTIVATIONS,
    MLP,
    cross_entropy,
    gradient_descent,
    mean_squared_error,
    relu_interpolation,
    sigmoid,
    softmax,
    softmax_derivative,
    torch_mlp,
)
from dalle_edu.bricks.perceptron import gate, neuron, novikoff_bound, step, train_perceptron, xor
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
TRUTH = np.array(list(product((0, 1), repeat=2)))  # 00, 01, 10, 11
SLOPED = ("sigmoid", "tanh", "relu")


def separable(seed: int, n: int = 30, d: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Examples, their labels, and the weights and bias that made the labels."""
    rng = np.random.default_rng(seed)
    x, weights, bias = rng.normal(size=(n, d)), rng.normal(size=d), float(rng.normal())
    distance = (x @ weights + bias) / np.sqrt(weights @ weights + bias**2)
    keep = np.abs(distance) > 0.05
    return x[keep], np.where(distance > 0, 1, -1)[keep], weights, bias


def unchecked(function):
    """The function as its users meet it, without the shape checker that the tests switch on."""
    return inspect.unwrap(function)


# ---------------------------------------------------------------- one neuron


def test_step_fires_at_the_threshold():
    assert step(np.array([-1e-9, 0.0, 1e-9])).tolist() == [0, 1, 1]


def test_gates_are_their_truth_tables():
    assert gate("and", TRUTH).tolist() == [0, 0, 0, 1]
    assert gate("or", TRUTH).tolist() == [0, 1, 1, 1]
    assert gate("nand", TRUTH).tolist() == [1, 1, 1, 0]
    assert gate("not", TRUTH[:2, 1:]).tolist() == [1, 0]
    assert xor(TRUTH).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("name", ["and", "or", "nand"])
def test_a_perceptron_learns_the_gates(name):
    learned = train_perceptron(TRUTH, 2 * gate(name, TRUTH) - 1)
    assert learned.converged
    assert neuron(TRUTH, learned.weights, learned.bias).tolist() == gate(name, TRUTH).tolist()


def test_no_neuron_computes_xor():
    """The four inequalities that a neuron would have to satisfy have no solution, and a perceptron corrects itself for ever."""
    from scipy.optimize import linprog

    sides = (2 * xor(TRUTH) - 1)[:, None] * np.column_stack([TRUTH, np.ones(4)])
    assert linprog(np.zeros(3), A_ub=-sides, b_ub=-np.ones(4), bounds=(None, None)).status == 2  # infeasible
    tried = train_perceptron(TRUTH, 2 * xor(TRUTH) - 1, passes=200)
    assert not tried.converged
    assert len(tried.boundaries) > 200
    best = max(((neuron(TRUTH, line[:2], line[2]) == xor(TRUTH)).mean() for line in tried.boundaries), default=0)
    assert best <= 3 / 4


@pytest.mark.parametrize("seed", range(5))
def test_a_network_of_two_layers_learns_xor(seed):
    network = MLP((2, 8, 2), "tanh", np.random.default_rng(seed))
    x, y = TRUTH.astype(float), xor(TRUTH).astype(int)
    gradient_descent(network, cross_entropy, x, y, np.random.default_rng(0), epochs=150, batch_size=4, learning_rate=0.5)
    assert network.forward(x).argmax(axis=1).tolist() == [0, 1, 1, 0]


# ---------------------------------------------------------------- the learning rule


def test_the_rule_by_hand():
    """Both examples are wrong once; then the line separates them."""
    learned = train_perceptron(np.array([[2.0], [-1.0]]), np.array([1, -1]))
    assert learned.boundaries.tolist() == [[0, 0], [2, 1]]
    assert learned.converged
    learned = train_perceptron(np.array([[2.0], [1.0]]), np.array([1, -1]), passes=1)
    assert learned.boundaries.tolist() == [[0, 0], [2, 1], [1, 0]]
    assert not learned.converged
    assert (learned.weights.tolist(), learned.bias) == ([1.0], 0.0)


@given(seed=seeds, d=st.integers(1, 5))
def test_on_separable_data_the_corrections_stay_under_novikoffs_bound(seed, d):
    x, y, weights, bias = separable(seed, d=d)
    assume(len(x))
    learned = train_perceptron(x, y, passes=2000)
    assert learned.converged
    assert (y * (x @ learned.weights + learned.bias) > 0).all()
    assert len(learned.boundaries) - 1 <= novikoff_bound(x, y, weights, bias)


def test_the_bound_is_reached():
    """One example, R = √2: one correction, which the line in its own direction bounds by 1, and a line at 45° to it by 2."""
    x, y = np.array([[1.0]]), np.array([1])
    assert novikoff_bound(x, y, np.array([1.0]), 1.0) == pytest.approx(1)
    assert novikoff_bound(x, y, np.array([1.0]), 0.0) == pytest.approx(2)
    assert len(train_perceptron(x, y).boundaries) - 1 == 1


@given(seed=seeds, scale=st.floats(0.1, 10))
def test_the_bound_depends_on_the_line_and_not_on_the_length_of_its_weights(seed, scale):
    x, y, weights, bias = separable(seed)
    bound = novikoff_bound(x, y, weights, bias)
    assert novikoff_bound(x, y, scale * weights, scale * bias) == pytest.approx(bound)


def test_small_integers_do_not_overflow():
    assert novikoff_bound(np.array([[200]], dtype=np.uint8), np.array([1]), np.array([1.0]), 0.0) == pytest.approx((200**2 + 1) / 200**2)


# ---------------------------------------------------------------- activations


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(seed=seeds)
def test_derivatives_are_finite_differences(name, seed):
    activation, derivative = ACTIVATIONS[name]
    z = np.random.default_rng(seed).normal(size=(3, 4)) * 3
    z = z[np.abs(z) > 1e-3]  # steps and corners
    slope = (activation(z + 1e-6) - activation(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(derivative(z), slope, atol=1e-8)


@given(seed=seeds, shift=st.floats(-1e4, 1e4))
def test_softmax_is_a_distribution_and_ignores_a_shift(seed, shift):
    z = np.random.default_rng(seed).normal(size=(2, 3, 5)) * 10
    p = softmax(z)
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    assert (p > 0).all()
    np.testing.assert_allclose(softmax(z + shift), p, rtol=1e-9)


@given(seed=seeds)
def test_softmax_derivative_is_symmetric_and_keeps_the_sum(seed):
    slopes = softmax_derivative(np.random.default_rng(seed).normal(size=(2, 4)))
    np.testing.assert_allclose(slopes, slopes.swapaxes(-1, -2))
    np.testing.assert_allclose(slopes.sum(axis=-1), 0, atol=1e-15)


@pytest.mark.filterwarnings("error")
def test_nothing_overflows():
    z = np.array([[-1e4, 0.0, 1e4]])
    assert sigmoid(z).tolist() == [[0, 0.5, 1]]
    assert softmax(z).tolist() == [[0, 0, 1]]
    assert cross_entropy(z, np.array([0]))[0] == 2e4
    for activation, derivative in ACTIVATIONS.values():
        assert np.isfinite(activation(z)).all()
        assert np.isfinite(derivative(z)).all()


# ---------------------------------------------------------------- losses


def test_cross_entropy_by_hand():
    value, gradient = cross_entropy(np.zeros((2, 4)), np.array([0, 3]))
    assert value == pytest.approx(math.log(4))
    assert gradient.tolist() == [[-0.375, 0.125, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]]


@given(seed=seeds, n=st.integers(1, 6), copies=st.integers(2, 4))
def test_a_batch_repeated_has_the_same_loss_and_slopes(seed, n, copies):
    rng = np.random.default_rng(seed)
    logits, targets, values = rng.normal(size=(n, 3)), rng.integers(0, 3, size=n), rng.normal(size=(n, 3))
    for loss, wanted, tile in ((cross_entropy, targets, copies), (mean_squared_error, values, (copies, 1))):
        value, gradient = loss(logits, wanted)
        again, gradients = loss(np.tile(logits, (copies, 1)), np.tile(wanted, tile))
        assert again == pytest.approx(value)
        np.testing.assert_allclose(gradients.reshape(copies, n, 3).sum(axis=0), gradient)


# ---------------------------------------------------------------- the network


@pytest.mark.parametrize("activation", SLOPED)
@given(seed=seeds)
def test_gradients_are_finite_differences(activation, seed):
    rng = np.random.default_rng(seed)
    network, x, targets = MLP((2, 3, 2), activation, rng), rng.normal(size=(4, 2)), rng.integers(0, 2, size=4)
    network.forward(x)
    assume(np.abs(network.sums[0]).min() > 1e-3)
    gradients = network.backward(cross_entropy(network.forward(x), targets)[1])
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert parameter.shape == gradient.shape
        for place in np.ndindex(parameter.shape):
            kept, losses = parameter[place], []
            for nudge in (1e-6, -1e-6):
                parameter[place] = kept + nudge
                losses.append(cross_entropy(network.forward(x), targets)[0])
            parameter[place] = kept
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(gradient[place], abs=1e-7)


def test_a_network_of_steps_learns_nothing_in_its_first_layer():
    network = MLP((2, 4, 2), "step", np.random.default_rng(0))
    first, _, last, _ = network.backward(cross_entropy(network.forward(TRUTH.astype(float)), np.array([0, 1, 1, 0]))[1])
    assert not first.any()
    assert last.any()


def test_neurons_that_start_equal_stay_equal():
    network = MLP((2, 3, 2), "sigmoid", np.random.default_rng(0))
    for weight in network.weights:
        weight[:] = 0.1
    x, y = np.random.default_rng(1).normal(size=(20, 2)), np.random.default_rng(2).integers(0, 2, size=20)
    gradient_descent(network, cross_entropy, x, y, np.random.default_rng(0), epochs=5)
    first = network.weights[0]
    assert not np.allclose(first, 0.1)
    assert np.ptp(first, axis=1).max() < 1e-12


def test_the_same_seed_makes_the_same_network_and_another_seed_another():
    one, same, other = (MLP((3, 4, 2), "relu", np.random.default_rng(seed)).weights[0] for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("name", "module"), [("relu", nn.ReLU), ("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid)])
def test_the_network_in_pytorch_is_the_same(name, module):
    ours, theirs = MLP((3, 5, 4, 2), name, np.random.default_rng(0)), torch_mlp((3, 5, 4, 2), module).double()
    with torch.no_grad():
        for parameter, copy in zip(theirs.parameters(), ours.parameters(), strict=True):
            parameter.copy_(torch.from_numpy(copy.T))
    x = np.random.default_rng(1).normal(size=(6, 3))
    np.testing.assert_allclose(theirs(torch.from_numpy(x)).detach().numpy(), ours.forward(x), atol=1e-12)
    assert [type(layer) for layer in theirs] == [nn.Linear, module, nn.Linear, module, nn.Linear]


def test_gradient_descent_visits_every_example_once_an_epoch():
    seen = []

    def loss(outputs, targets):
        seen.append(targets[:, 0].tolist())
        return mean_squared_error(outputs, targets)

    x = np.arange(10.0)[:, None] / 10
    network = MLP((1, 1), "relu", np.random.default_rng(0))
    losses = gradient_descent(network, loss, x, x, np.random.default_rng(0), epochs=2, batch_size=4, learning_rate=0.1)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    assert sorted(chain(*seen[:3])) == sorted(chain(*seen[3:])) == x[:, 0].tolist()
    assert seen[:3] != seen[3:]
    assert len(losses) == 2
    assert losses[1] < losses[0]


# ---------------------------------------------------------------- universal approximation


@given(seed=seeds, count=st.integers(2, 30))
def test_relus_pass_through_the_knots(seed, count):
    rng = np.random.default_rng(seed)
    knots, values = np.cumsum(rng.uniform(0.1, 1, size=count)), rng.normal(size=count)
    network = relu_interpolation(knots, values)
    assert network.weights[0].shape == (1, count - 1)
    np.testing.assert_allclose(network.forward(knots[:, None])[:, 0], values, atol=1e-10)


@pytest.mark.parametrize("neurons", [1, 2, 5, 20, 80])
@pytest.mark.parametrize("frequency", [1.0, 3.0])
def test_the_error_stays_under_its_bound(neurons, frequency):
    """sin(f x) has a second derivative of at most f², and the bound is nearly reached once the pieces are short."""
    x = np.linspace(0, 2 * np.pi, 5001)
    knots = np.linspace(0, 2 * np.pi, neurons + 1)
    found = relu_interpolation(knots, np.sin(frequency * knots)).forward(x[:, None])[:, 0]
    error = np.abs(found - np.sin(frequency * x)).max()
    bound = frequency**2 * (knots[1] - knots[0]) ** 2 / 8
    assert error <= bound + 1e-12
    if neurons == 80:
        assert error > 0.9 * bound


def test_the_interpolation_does_not_touch_its_inputs():
    knots, values = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 1.0])
    network = relu_interpolation(knots, values)
    for parameter in network.parameters():
        parameter += 1
    assert (knots.tolist(), values.tolist()) == ([0, 1, 2], [1, 0, 1])


# ---------------------------------------------------------------- what is refused, and the words

CHANCE, ONE = np.random.default_rng(0), np.zeros((3, 2))


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (lambda: unchecked(neuron)(ONE, np.zeros(3), 0.0), r"the inputs are \(3, 2\) and the weights \(3,\); expected \(n, d\) and \(d,\)"),
        (lambda: gate("xor", TRUTH), '"xor" is not a gate that one neuron computes here; choose one of and, or, nand, not'),
        (lambda: unchecked(train_perceptron)(ONE, np.ones(2)), r"the examples are \(3, 2\) and their labels \(2,\); expected"),
        (lambda: train_perceptron(np.zeros((0, 2)), np.ones(0)), "n at least 1"),
        (lambda: train_perceptron(ONE, np.array([0, 1, 1])), r"the labels are \[0, 1\]; a perceptron learns from -1 and \+1"),
        (lambda: novikoff_bound(ONE, np.array([0, 1, 1]), np.ones(2), 0.0), "a perceptron learns from -1 and"),
        (lambda: novikoff_bound(ONE, np.ones(3), np.ones(2), -1.0), "leaves an example on the wrong side"),
        (lambda: novikoff_bound(ONE, np.ones(3), np.zeros(2), 0.0), "leaves an example on the wrong side"),
        (lambda: unchecked(cross_entropy)(ONE, np.zeros(2, dtype=int)), r"the logits are \(3, 2\) and the targets \(2,\); expected"),
        (lambda: cross_entropy(ONE, np.array([0, 1, 2])), "the targets go from 0 to 2; with 2 logits they are class numbers from 0 to 1"),
        (lambda: cross_entropy(ONE, np.array([0, -1, 1])), "the targets go from -1 to 1"),
        (lambda: unchecked(mean_squared_error)(ONE, np.zeros(3)), "the shapes must agree, or NumPy would stretch one of them"),
        (lambda: MLP((3,), "relu", CHANCE), r"sizes is \(3,\); expected at least the number of inputs and of outputs"),
        (lambda: MLP((3, 0, 2), "relu", CHANCE), r"sizes is \(3, 0, 2\); expected"),
        (lambda: MLP((3, 2), "gelu", CHANCE), 'the activation is "gelu"; choose one of step, sigmoid, tanh, relu'),
        (lambda: MLP((3, 2), "relu", CHANCE).forward(ONE), r"the network was given inputs \(3, 2\); expected \(n, 3\)"),
        (
            lambda: unchecked(gradient_descent)(MLP((2, 1), "relu", CHANCE), mean_squared_error, ONE, np.zeros((2, 1)), CHANCE),
            "there are 3 examples and 2 targets",
        ),
        (
            lambda: gradient_descent(MLP((2, 1), "relu", CHANCE), mean_squared_error, ONE, np.zeros((3, 1)), CHANCE, batch_size=0),
            "batch_size is 0; choose 1 or more",
        ),
        (lambda: relu_interpolation(np.array([0.0, 0.0]), np.zeros(2)), "expected two or more increasing knots, and a value for each"),
        (lambda: relu_interpolation(np.array([0.0]), np.zeros(1)), "expected two or more increasing knots"),
        (lambda: unchecked(relu_interpolation)(np.array([0.0, 1.0]), np.zeros(3)), r"the knots are \(2,\) and the values \(3,\)"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(refused, words):
    with pytest.raises(DalleEduError, match=words):
        refused()


def test_the_sentence_is_french_for_a_french_reader(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="«\u00a0xor\u00a0» n'est pas une porte"):
        gate("xor", TRUTH)
