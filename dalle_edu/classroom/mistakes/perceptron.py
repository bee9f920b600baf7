"""Mistakes about the perceptron and the multilayer perceptron."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import ndarray

from dalle_edu.bricks.mlp import ACTIVATIONS, MLP
from dalle_edu.bricks.perceptron import PerceptronRun
from dalle_edu.classroom.checking.edited import edited
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
    edited(
        "perceptron:step",
        "np.where(z >= 0, 1.0, 0.0)",
        "np.sign(z)",
        "It gives -1 below zero, and 0 at zero: a step gives 0 below and 1 from zero upwards.",
        "Elle rend -1 sous zéro, et 0 à zéro : une marche rend 0 au-dessous et 1 à partir de zéro.",
    ),
    edited(
        "perceptron:step",
        "np.where(z >= 0, 1.0, 0.0)",
        "np.maximum(z, 0.0)",
        "It keeps the size of positive numbers, as a ReLU does: a step forgets the size and gives 1.",
        "La taille des nombres positifs est gardée, comme par une ReLU : une marche l'oublie et rend 1.",
    ),
    edited(
        "perceptron:step",
        "z >= 0",
        "z",
        "The numbers themselves are the condition, and every number but 0 counts as true: compare them with 0.",
        "Les nombres eux-mêmes servent de condition, et tout nombre autre que 0 compte pour vrai : comparez-les à 0.",
    ),
    edited(
        "perceptron:step",
        "z >= 0",
        "z > 0",
        "At exactly zero it gives 0; the decision is 1 from zero upwards, zero included.",
        "À zéro exactement elle rend 0 ; la décision est 1 à partir de zéro, zéro compris.",
    ),
    edited(
        "perceptron:neuron",
        "step(x @ weights + bias)",
        "step(x @ weights) + bias",
        "The bias is added after the decision: it belongs to the sum that is decided upon.",
        "Le biais est ajouté après la décision : il fait partie de la somme dont on décide.",
    ),
    edited(
        "perceptron:neuron",
        "x @ weights + bias",
        "(x * weights + bias).sum(axis=1)",
        "The bias is counted once for each input: add it once, to the sum.",
        "Le biais est compté une fois par entrée : ajoutez-le une seule fois, à la somme.",
    ),
    edited(
        "perceptron:neuron",
        "x @ weights + bias",
        "x @ weights",
        "The bias is forgotten: add it to the weighted sum before the decision.",
        "Le biais est oublié : ajoutez-le à la somme pondérée avant la décision.",
    ),
    edited(
        "perceptron:neuron",
        "+ bias",
        "- bias",
        "The bias is subtracted, as a threshold would be: a bias is the threshold with its sign changed, and is added.",
        "Le biais est retranché, comme le serait un seuil : le biais est le seuil changé de signe, et s'ajoute.",
    ),
    edited(
        "perceptron:neuron",
        "x @ weights + bias",
        "x * weights + bias",
        "The products are never summed: each example needs one number, the sum over its inputs.",
        "Les produits ne sont jamais additionnés : chaque exemple demande un nombre, la somme sur ses entrées.",
    ),
    edited(
        "perceptron:neuron",
        "x @ weights + bias",
        "(x * weights).sum(axis=0) + bias",
        "The sum runs over the examples: each example needs a number of its own, the sum over its inputs.",
        "La somme porte sur les exemples : chaque exemple demande son propre nombre, la somme sur ses entrées.",
    ),
    edited(
        "perceptron:neuron",
        "step(x @ weights + bias)",
        "x @ weights + bias",
        "The sum is right, but nothing decides: give it to the step.",
        "La somme est juste, mais rien ne décide : donnez-la à la marche.",
    ),
    edited(
        "perceptron:train_perceptron",
        "boundary = boundary + label * example",
        "boundary += label * example",
        "All the lines that were kept have become the last one: += changes the array that you kept; make a new one.",
        "Toutes les droites gardées sont devenues la dernière : += change le tableau gardé ; créez-en un nouveau.",
    ),
    edited(
        "perceptron:train_perceptron",
        "                boundaries.append(boundary)",
        "            boundaries.append(boundary)",
        "A line is kept after each example, right or wrong: keep one only after a correction.",
        "Une droite est gardée après chaque exemple, juste ou faux : n'en gardez une qu'après une correction.",
    ),
    edited(
        "perceptron:train_perceptron",
        "<= 0",
        "< 0",
        "An example on the line counts as an error: with weights of zero every example lies on it, and nothing would ever move.",
        "Un exemple sur la droite compte comme une erreur : avec des poids nuls, ils y sont tous, et rien ne bougerait jamais.",
    ),
    edited(
        "perceptron:train_perceptron",
        "np.column_stack([x, np.ones(len(x))])",
        "np.array(x)",
        "There is no bias: give each example one more input that is always 1, whose weight is the bias.",
        "Il n'y a pas de biais : donnez à chaque exemple une entrée de plus, toujours égale à 1, dont le poids est le biais.",
    ),
    edited(
        "perceptron:train_perceptron",
        "+ label * example",
        "+ example",
        "The example is added without its label: those labelled -1 must be subtracted.",
        "L'exemple est ajouté sans son étiquette : ceux d'étiquette -1 doivent être retranchés.",
    ),
    edited(
        "perceptron:train_perceptron",
        "        if len(boundaries) == before:\n            return",
        "            if len(boundaries) == before:\n                return",
        "It stops at the first example that is right: only a whole pass without a correction ends the training.",
        "Elle s'arrête au premier exemple juste : seul un passage entier sans correction termine l'apprentissage.",
    ),
    edited(
        "perceptron:train_perceptron",
        "converged=False",
        "converged=True",
        "It says that it converged although the last pass still needed corrections.",
        "Elle dit avoir convergé alors que le dernier passage demandait encore des corrections.",
    ),
    edited(
        "perceptron:train_perceptron",
        "    boundaries = [boundary]",
        "    boundaries = []",
        "The zeros of the beginning are missing: keep the line before the first correction too.",
        "Les zéros du début manquent : gardez aussi la droite d'avant la première correction.",
    ),
    edited(
        "perceptron:train_perceptron",
        "with_one = np.column_stack([x, np.ones(len(x))])",
        "with_one = np.column_stack([np.ones(len(x)), x])",
        "The bias comes first; the weights come first here, and the bias last.",
        "Le biais vient en premier ; ici les poids viennent d'abord, et le biais en dernier.",
    ),
    edited(
        "perceptron:train_perceptron",
        "label * (example @ boundary) <= 0",
        "(example @ boundary >= 0) != label",
        "The decision, 0 or 1, is compared with the label, -1 or +1: an example labelled -1 is then always wrong.",
        "La décision, 0 ou 1, est comparée à l'étiquette, -1 ou +1 : un exemple d'étiquette -1 est alors toujours faux.",
    ),
    edited(
        "perceptron:train_perceptron",
        "        for example, label in zip(with_one, y, strict=True):\n",
        "        start = boundary\n        for example, label in zip(with_one, y, strict=True):\n",
        "example @ boundary",
        "example @ start",
        "All examples of a pass are judged by the line of its beginning: each must be judged by the line as it is then.",
        "Tous les exemples d'un passage sont jugés par la droite du début : chacun doit l'être par la droite du moment.",
    ),
]
