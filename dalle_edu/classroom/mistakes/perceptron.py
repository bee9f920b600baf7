"""Mistakes about the perceptron and the multilayer perceptron."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import ndarray

from dalle_edu.bricks.mlp import ACTIVATIONS, MLP
from dalle_edu.bricks.perceptron import PerceptronRun
from dalle_edu.classroom.checking.proof import Mistake


def pushes_the_wrong_way(x: ndarray, y: ndarray, passes: int = 100) -> PerceptronRun:
    examples = np.column_stack([x, np.ones(len(x))])
    boundaries = [np.zeros(examples.shape[1])]
    for _ in range(passes):
        for example, label in zip(examples, y, strict=True):
            if label * (example @ boundaries[-1]) <= 0:
                boundaries.append(boundaries[-1] - label * example)
    return PerceptronRun(np.array(boundaries), converged=False)


def corrects_right_answers_too(x: ndarray, y: ndarray, passes: int = 100) -> PerceptronRun:
    examples = np.column_stack([x, np.ones(len(x))])
    boundaries = [np.zeros(examples.shape[1])]
    for _ in range(passes):
        for example, label in zip(examples, y, strict=True):
            boundaries.append(boundaries[-1] + label * example)
    return PerceptronRun(np.array(boundaries), converged=False)


def forgets_the_bias(x: ndarray, y: ndarray, passes: int = 100) -> PerceptronRun:
    weights = np.zeros(x.shape[1])
    boundaries = [np.append(weights, 0.0)]
    for _ in range(passes):
        for example, label in zip(x, y, strict=True):
            if label * (example @ weights) <= 0:
                weights = weights + label * example
                boundaries.append(np.append(weights, 0.0))
    return PerceptronRun(np.array(boundaries), converged=False)


def softmax_of_large_numbers(z: ndarray) -> ndarray:
    exponentials = np.exp(z)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_over_the_batch(z: ndarray) -> ndarray:
    exponentials = np.exp(z - z.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def gradient_grows_with_the_batch(logits: ndarray, targets: ndarray) -> tuple[float, ndarray]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    gradient = np.exp(log_probabilities)
    gradient[np.arange(len(targets)), targets] -= 1
    return float(-log_probabilities[np.arange(len(targets)), targets].mean()), gradient


def derivative_of_the_activation_itself(z: ndarray) -> ndarray:
    return z * (1 - z)


def _backward(network: MLP, gradient: ndarray, slope: Callable[[int], ndarray]) -> list[ndarray]:
    gradients: list[ndarray] = []
    for layer in reversed(range(len(network.weights))):
        gradients = [network.given[layer].T @ gradient, gradient.sum(axis=0), *gradients]
        if layer > 0:
            gradient = (gradient @ network.weights[layer].T) * slope(layer)
    return gradients


class DerivativeAtTheOutput(MLP):
    def backward(self, gradient: ndarray) -> list[ndarray]:
        return _backward(self, gradient, lambda layer: self.derivative(self.given[layer]))


class ActivationForgottenOnTheWayBack(MLP):
    def backward(self, gradient: ndarray) -> list[ndarray]:
        return _backward(self, gradient, lambda layer: np.ones_like(self.given[layer]))


class StartsAtZero(MLP):
    def __init__(self, sizes: Sequence[int], activation: str, generator: np.random.Generator):
        self.activation, self.derivative = ACTIVATIONS[activation]
        self.weights = [np.zeros(shape) for shape in pairwise(sizes)]
        self.biases = [np.zeros(outputs) for outputs in sizes[1:]]


def climbs_the_slope(
    network: MLP, loss: Callable[..., Any], x: ndarray, targets: ndarray, generator: np.random.Generator, epochs: int, **options: Any
) -> list[float]:
    losses = []
    for _ in range(epochs):
        order, total = generator.permutation(len(x)), 0.0
        for start in range(0, len(x), options["batch_size"]):
            batch = order[start : start + options["batch_size"]]
            value, gradient = loss(network.forward(x[batch]), targets[batch])
            for parameter, slope in zip(network.parameters(), network.backward(gradient), strict=True):
                parameter += options["learning_rate"] * slope
            total += value * len(batch)
        losses.append(total / len(x))
    return losses


MISTAKES = [
    Mistake(
        "perceptron:train_perceptron",
        pushes_the_wrong_way,
        "The correction has the wrong sign: each error makes the sum worse; add label * example to the weights.",
        "La correction a le mauvais signe : chaque erreur aggrave la somme ; ajoutez étiquette * exemple aux poids.",
    ),
    Mistake(
        "perceptron:train_perceptron",
        corrects_right_answers_too,
        "The weights move even when the answer is right, so they never settle; correct only the examples on the wrong side.",
        "Les poids bougent même quand la réponse est juste et ne se fixent jamais ; ne corrigez que les exemples du mauvais côté.",
    ),
    Mistake(
        "perceptron:train_perceptron",
        forgets_the_bias,
        "There is no bias: every line passes through the origin; give each example one more input that is always 1.",
        "Il n'y a pas de biais : toute droite passe par l'origine ; donnez à chaque exemple une entrée de plus, toujours égale à 1.",
    ),
    Mistake(
        "mlp:softmax",
        softmax_of_large_numbers,
        "The exponential overflows on large logits and gives NaN; subtract the largest one first, the result does not change.",
        "L'exponentielle déborde sur de grands logits et donne NaN ; soustrayez d'abord le plus grand, le résultat ne change pas.",
    ),
    Mistake(
        "mlp:softmax",
        softmax_over_the_batch,
        "The softmax shares out over the batch; each example's probabilities must sum to 1 over the classes, the last axis.",
        "Le softmax répartit sur le lot ; les probabilités de chaque exemple doivent sommer à 1 sur les classes, le dernier axe.",
    ),
    Mistake(
        "mlp:cross_entropy",
        gradient_grows_with_the_batch,
        "The loss is a mean but its gradient is a sum: divide it by the batch size, or the step grows with the batch.",
        "La perte est une moyenne mais son gradient une somme : divisez-le par la taille du lot, sinon le pas grandit avec le lot.",
    ),
    Mistake(
        "mlp:sigmoid_derivative",
        derivative_of_the_activation_itself,
        "Here z is taken for σ(z): the formula σ (1 - σ) wants the sigmoid of what the neuron summed, not the sum.",
        "Ici z est pris pour σ(z) : la formule σ (1 - σ) demande la sigmoïde de la somme du neurone, non la somme.",
    ),
    Mistake(
        "mlp:MLP",
        DerivativeAtTheOutput,
        "The derivative is taken at the activation's output; take it at the sum that the activation was given.",
        "La dérivée est prise à la sortie de l'activation ; prenez-la à la somme que l'activation a reçue.",
    ),
    Mistake(
        "mlp:MLP",
        ActivationForgottenOnTheWayBack,
        "On the way back the gradient skips the activation; multiply it by the activation's slope at each hidden layer.",
        "Au retour, le gradient saute l'activation ; multipliez-le par la pente de l'activation à chaque couche cachée.",
    ),
    Mistake(
        "mlp:MLP",
        StartsAtZero,
        "All weights start at zero: the neurons of a layer get the same gradient and stay alike; draw them at random.",
        "Tous les poids partent de zéro : les neurones d'une couche reçoivent le même gradient et restent pareils ; tirez-les au hasard.",
    ),
    Mistake(
        "mlp:gradient_descent",
        climbs_the_slope,
        "The step follows the gradient, which points uphill: subtract learning_rate * gradient.",
        "Le pas suit le gradient, qui monte : soustrayez learning_rate * gradient.",
    ),
]
