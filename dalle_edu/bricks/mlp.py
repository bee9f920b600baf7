"""The multilayer perceptron: activations, losses and gradients by hand, in NumPy.

Layers of neurons with smooth activations compute what no single neuron can, and the
chain rule finds their weights (Rumelhart, Hinton and Williams 1986). The derivative
of an activation takes z, the weighted sum that the activation was given. A loss
returns its value and its gradient. Lesson 01.

Letters: n examples, d inputs, k outputs or classes, t knots of a curve.
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
    """The slope of a step: 0, so that gradients cannot train it."""
    return np.zeros_like(z)


def sigmoid(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The logistic function 1 / (1 + exp(-z)), in (0, 1).

    No exponential of a positive number is taken, so none overflows.
    """
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1 + small)


def sigmoid_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The slope of the sigmoid: σ(z) (1 - σ(z)).

    It is at most 1/4, so that deep stacks of sigmoids learn slowly.
    """
    return sigmoid(z) * sigmoid(-z)  # 1 - σ(z) is σ(-z)


def tanh_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The slope of the hyperbolic tangent: 1 - tanh²(z).

    The hyperbolic tangent itself is NumPy's. It is 2 σ(2z) - 1, a sigmoid stretched
    to (-1, 1).
    """
    return 1 - np.tanh(z) ** 2


def relu(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The rectified linear unit, max(z, 0) (Nair and Hinton 2010)."""
    return np.maximum(z, 0)


def relu_derivative(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The slope of the ReLU: 1 where z > 0, 0 elsewhere (0 at 0 by convention)."""
    return np.where(z > 0, 1.0, 0.0)


def softmax(z: Float[ndarray, "*n k"]) -> Float[ndarray, "*n k"]:
    """exp(z) / Σ exp(z) along the last axis: positive numbers that sum to 1.

    The largest z is subtracted first. The result is the same, and no exponential
    exceeds 1.
    """
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_derivative(z: Float[ndarray, "*n k"]) -> Float[ndarray, "*n k k"]:
    """The matrix of slopes ∂softmaxᵢ / ∂zⱼ = pᵢ (δᵢⱼ - pⱼ).

    It is full: each output depends on every input.
    """
    p = softmax(z)
    return p[..., :, None] * (np.eye(z.shape[-1]) - p[..., None, :])


Activation = Callable[[ndarray], ndarray]

# each activation and its derivative
ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "step": (step, step_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (np.tanh, tanh_derivative),
    "relu": (relu, relu_derivative),
}


def cross_entropy(
    logits: Float[ndarray, "n k"], targets: Int[ndarray, "n"]
) -> tuple[float, Float[ndarray, "n k"]]:
    """The mean of -log softmax(logits)[target], in nats, and its gradient.

    The mean is over the batch. The gradient with respect to the logits is (softmax
    - one-hot) / n. Targets are class numbers, from 0 to k - 1.

    Raises `DalleEduError` for shapes that do not agree and for targets out of
    range.
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
    loss = float(-log_probabilities[np.arange(n), targets].mean())
    gradient = np.exp(log_probabilities)
    gradient[np.arange(n), targets] -= 1
    return loss, gradient / n


def mean_squared_error(
    outputs: Float[ndarray, "n k"], targets: Float[ndarray, "n k"]
) -> tuple[float, Float[ndarray, "n k"]]:
    """The mean of (outputs - targets)², and its gradient.

    The mean is over the batch and the outputs. Raises `DalleEduError` for shapes
    that differ.
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
    """Layers of neurons: x ↦ activation(x W + b), again and again.

    The last layer has no activation. `sizes` are the numbers of inputs, of neurons
    in each hidden layer, and of outputs. The weights start as normal noise of
    variance 2 / inputs, which keeps the size of a signal through ReLU layers (He et
    al. 2015, equation 10). The biases start at zero.

    Raises `DalleEduError` for fewer than two sizes, a size below 1 or an unknown
    activation.
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
        """The weights and the bias of each layer, from the first to the last.

        These are the arrays themselves: changing them in place changes the network.
        """
        layers = zip(self.weights, self.biases, strict=True)
        return [parameter for layer in layers for parameter in layer]

    def forward(self, x: Float[ndarray, "n d"]) -> Float[ndarray, "n k"]:
        """The outputs of the last layer.

        What each layer was given and what it summed are kept for `backward`.

        Raises `DalleEduError` unless `x` is (n, inputs).
        """
        if x.ndim != 2 or x.shape[1] != len(self.weights[0]):
            raise DalleEduError(
                f"the network was given inputs {x.shape}; expected "
                f"(n, {len(self.weights[0])})",
                f"le réseau a reçu des entrées {x.shape} ; il attend "
                f"(n, {len(self.weights[0])})",
            )
        self.given, self.sums = [], []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            self.given.append(x)
            self.sums.append(x @ weight + bias)
            x = self.activation(self.sums[-1])
        return self.sums[-1]

    def backward(self, gradient: Float[ndarray, "n k"]) -> list[ndarray]:
        """The gradients of the loss with respect to `parameters()`, in their order.

        `gradient` is that of the loss with respect to the outputs. The chain rule
        goes from the last layer to the first (Rumelhart, Hinton and Williams 1986).
        Call it after `forward`.
        """
        gradients: list[ndarray] = []
        for layer in reversed(range(len(self.weights))):
            weight_gradient = self.given[layer].T @ gradient
            bias_gradient = gradient.sum(axis=0)
            gradients = [weight_gradient, bias_gradient, *gradients]
            if layer > 0:
                slopes = self.derivative(self.sums[layer - 1])
                gradient = (gradient @ self.weights[layer].T) * slopes
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
    """Train a network by mini-batch gradient descent.

    Each epoch visits the examples in a new order, a batch at a time, and takes one
    step down the slope for each batch. The network is changed in place. Returns the
    mean loss of each epoch.

    Raises `DalleEduError` unless there is a target for each example, at least one
    example, and a batch size of 1 or more.
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
            slopes = network.backward(gradient)
            for parameter, slope in zip(network.parameters(), slopes, strict=True):
                parameter -= learning_rate * slope
            total += value * len(batch)
        losses.append(total / len(x))
    return losses


def relu_interpolation(
    knots: Float[ndarray, "t"], values: Float[ndarray, "t"]
) -> MLP:
    """A network that joins the points (knot, value) by straight lines.

    Its hidden layer has t - 1 ReLUs, and each adds one change of slope. Nothing is
    trained. For a function whose second derivative is at most c, and knots at most
    h apart, the network is within c h² / 8 of it between the first knot and the
    last: twice the neurons, a quarter of the error. So enough neurons approximate
    any continuous function on an interval (universal approximation: Leshno et al.
    1993 for ReLUs; Cybenko 1989 and Hornik 1991 for bounded activations).

    Raises `DalleEduError` unless there are two or more increasing knots, and a
    value for each.
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
    """The network of `MLP` in PyTorch, which computes the gradients itself."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])
