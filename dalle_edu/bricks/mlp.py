"""The multilayer perceptron: activations, losses and gradients by hand, in NumPy.

Each derivative takes z, the weighted sum that the activation was given; each loss
returns its value and its gradient. Lesson 01.

Letters: n examples, d inputs, k outputs or classes.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from torch import nn

from dalle_edu.bricks.perceptron import step
from dalle_edu.errors import DalleEduError


def step_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """0: a step has no slope to follow, so gradients cannot train it."""
    return np.zeros_like(z)


def sigmoid(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """1 / (1 + exp(-z)), in (0, 1). Only exponentials of negative numbers are
    taken, so none overflows.
    """
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1 + small)


def sigmoid_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """σ(z) (1 - σ(z)): at most 1/4, so that deep stacks of sigmoids learn
    slowly.
    """
    return sigmoid(z) * sigmoid(-z)


def tanh_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """1 - tanh²(z). The hyperbolic tangent itself is NumPy's: 2 σ(2z) - 1, a
    sigmoid stretched to (-1, 1).
    """
    return 1 - np.tanh(z) ** 2


def relu(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """max(z, 0) (Nair and Hinton 2010)."""
    return np.maximum(z, 0)


def relu_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """1 where z > 0, 0 elsewhere (at 0 itself, by convention)."""
    return np.where(z > 0, 1.0, 0.0)


def softmax(z: Float[ndarray, "*n k"]) -> Float[ndarray, "*n k"]:
    """exp(z) / Σ exp(z) along the last axis: positive numbers that sum to 1.

    Subtracting the largest z changes nothing in the result and keeps every
    exponential at most 1.
    """
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_derivative(z: Float[ndarray, "*n k"]) -> Float[ndarray, "*n k k"]:
    """The matrix of ∂softmaxᵢ / ∂zⱼ = pᵢ (δᵢⱼ - pⱼ): each output depends on every
    input.
    """
    p = softmax(z)
    return p[..., :, None] * (np.eye(z.shape[-1]) - p[..., None, :])


Activation = Callable[[ndarray], ndarray]


ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "step": (step, step_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (np.tanh, tanh_derivative),
    "relu": (relu, relu_derivative),
}


def cross_entropy(
    logits: Float[ndarray, "n k"], targets: Int[ndarray, "n"]
) -> tuple[float, Float[ndarray, "n k"]]:
    """The mean over the batch of -log softmax(logits)[target], in nats, and its
    gradient (softmax - one-hot) / n; targets 0 to k - 1.
    """
    if logits.ndim != 2 or targets.shape != logits.shape[:1] or not len(logits):
        raise DalleEduError(
            f"the logits are {logits.shape} and the targets {targets.shape}; "
            "expected (n, k) and (n,), n at least 1",
            f"les logits sont {logits.shape} et les cibles {targets.shape} ; il "
            "faut (n, k) et (n,), n au moins 1",
        )
    n, k = logits.shape
    if targets.min() < 0 or targets.max() >= k:
        raise DalleEduError(
            f"the targets go from {targets.min()} to {targets.max()}; with {k} "
            f"logits they are class numbers from 0 to {k - 1}",
            f"les cibles vont de {targets.min()} à {targets.max()} ; avec {k} "
            f"logits, ce sont des numéros de classe de 0 à {k - 1}",
        )
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    gradient = np.exp(log_probabilities)
    gradient[np.arange(n), targets] -= 1
    return float(-log_probabilities[np.arange(n), targets].mean()), gradient / n


def mean_squared_error(
    outputs: Float[ndarray, "n k"], targets: Float[ndarray, "n k"]
) -> tuple[float, Float[ndarray, "n k"]]:
    """The mean of (outputs - targets)² over the batch and the outputs, and its
    gradient.
    """
    if outputs.shape != targets.shape:
        raise DalleEduError(
            f"the outputs are {outputs.shape} and the targets {targets.shape}; the "
            "shapes must agree, or NumPy would stretch one of them",
            f"les sorties sont {outputs.shape} et les cibles {targets.shape} ; les "
            "formes doivent coïncider, sinon NumPy en étirerait une",
        )
    error = outputs - targets
    return float((error**2).mean()), 2 * error / error.size


class MLP:
    """Layers of neurons: x ↦ activation(x W + b), again and again; the last layer
    has no activation.

    `sizes` are the numbers of inputs, of neurons in each hidden layer, and of
    outputs. The weights start as normal noise of variance 2 / inputs, which keeps
    the size of a signal through ReLU layers (He et al. 2015, equation 10); the
    biases start at zero.
    """

    def __init__(
        self, sizes: Sequence[int], activation: str, generator: np.random.Generator
    ):
        if len(sizes) < 2 or min(sizes) < 1:
            raise DalleEduError(
                f"sizes is {tuple(sizes)}; expected at least the number of inputs "
                "and of outputs, each 1 or more",
                f"sizes vaut {tuple(sizes)} ; il faut au moins le nombre d'entrées "
                "et de sorties, chacun 1 ou plus",
            )
        if activation not in ACTIVATIONS:
            raise DalleEduError(
                f'the activation is "{activation}"; choose one of '
                f"{', '.join(ACTIVATIONS)}",
                f"l'activation est « {activation} » ; choisissez parmi "
                f"{', '.join(ACTIVATIONS)}",
            )
        self.activation, self.derivative = ACTIVATIONS[activation]
        self.weights = [
            generator.normal(0, np.sqrt(2 / inputs), (inputs, outputs))
            for inputs, outputs in pairwise(sizes)
        ]
        self.biases = [np.zeros(outputs) for outputs in sizes[1:]]

    def parameters(self) -> list[ndarray]:
        """Weights and bias of the first layer, of the second, and so on: the arrays
        themselves, to be changed in place.
        """
        return [
            parameter
            for layer in zip(self.weights, self.biases, strict=True)
            for parameter in layer
        ]

    def forward(self, x: Float[ndarray, "n d"]) -> Float[ndarray, "n k"]:
        """The outputs. What each layer was given and what it summed are kept for
        `backward`.
        """
        if x.ndim != 2 or x.shape[1] != len(self.weights[0]):
            raise DalleEduError(
                f"the network was given inputs {x.shape}; expected (n, "
                f"{len(self.weights[0])})",
                f"le réseau a reçu des entrées {x.shape} ; il attend (n, "
                f"{len(self.weights[0])})",
            )
        self.given, self.sums = [], []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            self.given.append(x)
            self.sums.append(x @ weight + bias)
            x = self.activation(self.sums[-1])
        return self.sums[-1]

    def backward(self, gradient: Float[ndarray, "n k"]) -> list[ndarray]:
        """From the gradient of the loss with respect to the outputs, those with
        respect to `parameters()`, in their order.

        The chain rule, from the last layer to the first (Rumelhart, Hinton and
        Williams 1986): call it after `forward`.
        """
        gradients: list[ndarray] = []
        for layer in reversed(range(len(self.weights))):
            gradients = [
                self.given[layer].T @ gradient,
                gradient.sum(axis=0),
                *gradients,
            ]
            if layer > 0:
                gradient = (gradient @ self.weights[layer].T) * self.derivative(
                    self.sums[layer - 1]
                )
        return gradients


def gradient_descent(
    network: MLP,
    loss: Callable[[Any, Any], tuple[float, Any]],
    x: Float[ndarray, "n d"],
    targets: Shaped[ndarray, "n *k"],
    generator: np.random.Generator,
    epochs: int = 100,
    batch_size: int = 32,
    learning_rate: float = 0.1,
) -> list[float]:
    """Mini-batch gradient descent: in each epoch, the examples in a new order, a
    batch at a time, one step down the slope for each.

    Changes the network in place and returns the mean loss of each epoch.
    """
    if len(x) != len(targets) or not len(x):
        raise DalleEduError(
            f"there are {len(x)} examples and {len(targets)} targets; there must "
            "be one target for each, and at least one",
            f"il y a {len(x)} exemples et {len(targets)} cibles ; il faut une "
            "cible par exemple, et au moins un",
        )
    if batch_size < 1:
        raise DalleEduError(
            f"batch_size is {batch_size}; choose 1 or more",
            f"batch_size vaut {batch_size} ; choisissez 1 ou plus",
        )
    losses = []
    for _ in range(epochs):
        order, total = generator.permutation(len(x)), 0.0
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            value, gradient = loss(network.forward(x[batch]), targets[batch])
            for parameter, slope in zip(
                network.parameters(), network.backward(gradient), strict=True
            ):
                parameter -= learning_rate * slope
            total += value * len(batch)
        losses.append(total / len(x))
    return losses


def relu_interpolation(
    knots: Float[ndarray, "t"], values: Float[ndarray, "t"]
) -> MLP:
    """One hidden layer of t - 1 ReLUs that joins the points (knot, value) by
    straight lines: each neuron adds one change of slope.

    For a function whose second derivative is at most c, and knots at most h apart,
    the network is within c h² / 8 of it between the first knot and the last: twice
    the neurons, a quarter of the error. Nothing is trained (universal
    approximation: Cybenko 1989; Hornik 1991).
    """
    if (
        knots.ndim != 1
        or knots.shape != values.shape
        or len(knots) < 2
        or not (np.diff(knots) > 0).all()
    ):
        raise DalleEduError(
            f"the knots are {knots.shape} and the values {values.shape}; expected "
            "two or more increasing knots, and a value for each",
            f"les nœuds sont {knots.shape} et les valeurs {values.shape} ; il faut "
            "au moins deux nœuds croissants, une valeur pour chacun",
        )
    slopes = np.diff(values) / np.diff(knots)
    network = MLP((1, len(slopes), 1), "relu", np.random.default_rng(0))
    network.weights = [
        np.ones((1, len(slopes))),
        np.diff(slopes, prepend=0.0)[:, None],
    ]
    network.biases = [-knots[:-1], values[:1].copy()]
    return network


def torch_mlp(
    sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU
) -> nn.Sequential:
    """`MLP` in PyTorch, which writes `backward` itself."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])
