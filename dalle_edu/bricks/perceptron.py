"""The perceptron: one neuron, how it learns, and what it cannot compute.

A neuron sums its inputs, each times a weight, and fires when the sum passes a
threshold. Such neurons compute logic gates (McCulloch and Pitts 1943). Rosenblatt
let them learn: his perceptron dates from 1958, its correction of errors, the rule
of this file, from 1960 to 1962. Novikoff (1962) bounded the number of corrections.
Minsky and Papert (1969) showed what no single neuron computes; exclusive or is an
example, and two layers compute it. Everything is NumPy in float64. Lesson 01.

Letters: n examples, d inputs, d1 inputs and the one that is always 1, m boundaries.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- one neuron


def step(z: Real[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """The step function: 1 where z >= 0, 0 elsewhere.

    As an activation, 1 means that the neuron fires (Rosenblatt 1958).
    """
    return np.where(z >= 0, 1.0, 0.0)


def neuron(
    x: Real[ndarray, "n d"], weights: Real[ndarray, "d"], bias: float
) -> Float[ndarray, "n"]:
    """A neuron: 1 where x · weights + bias is not negative, 0 elsewhere.

    Raises `DalleEduError` unless `x` is (n, d) and `weights` (d,).
    """
    if x.ndim != 2 or x.shape[1:] != weights.shape:
        raise DalleEduError(
            f"the inputs are {x.shape} and the weights {weights.shape}; expected "
            "(n, d) and (d,)",
            f"les entrées sont {x.shape} et les poids {weights.shape} ; il faut "
            "(n, d) et (d,)",
        )
    return step(x @ weights + bias)


# the weights and the bias of each gate
GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "and": ((1.0, 1.0), -1.5),
    "or": ((1.0, 1.0), -0.5),
    "nand": ((-1.0, -1.0), 1.5),
    "not": ((-1.0,), 0.5),
}


def gate(name: str, x: Real[ndarray, "n d"]) -> Float[ndarray, "n"]:
    """A logic gate as one neuron (McCulloch and Pitts 1943).

    `name` is "and", "or" or "nand", of two inputs, or "not", of one. Inputs and
    outputs are 0 or 1. Raises `DalleEduError` for any other name.
    """
    if name not in GATES:
        raise DalleEduError(
            f'"{name}" is not a gate that one neuron computes here; choose one of '
            f"{', '.join(GATES)}",
            f"« {name} » n'est pas une porte qu'un seul neurone calcule ici ; "
            f"choisissez parmi {', '.join(GATES)}",
        )
    weights, bias = GATES[name]
    return neuron(x, np.array(weights), bias)


def xor(x: Real[ndarray, "n 2"]) -> Float[ndarray, "n"]:
    """Exclusive or in two layers of neurons: (x or y) and not (x and y).

    No line separates its two classes, so a single neuron cannot compute it. Inputs
    and outputs are 0 or 1.
    """
    return gate("and", np.stack([gate("or", x), gate("nand", x)], axis=1))


# ------------------------------------------------------------- a neuron that learns


@dataclass(frozen=True)
class PerceptronRun:
    """The weights that a perceptron learned, and all those before them.

    Row i of `boundaries` is (weights, bias) after i corrections; row 0 is all
    zeros. `converged` is true when the last pass needed no correction.
    """

    boundaries: Float[ndarray, "m d1"]
    converged: bool

    @property
    def weights(self) -> Float[ndarray, "d"]:
        """The weights after the last correction."""
        return self.boundaries[-1, :-1]

    @property
    def bias(self) -> float:
        """The bias after the last correction."""
        return float(self.boundaries[-1, -1])


def train_perceptron(
    x: Real[ndarray, "n d"], y: Real[ndarray, "n"], passes: int = 100
) -> PerceptronRun:
    """Rosenblatt (1962): add misclassified examples to the weights.

    An example is multiplied by its label first (`y`, -1 or +1). An example on the
    line counts as misclassified. The examples are visited in order, at most
    `passes` times. A pass without a correction ends the training: the line
    separates the classes. There is no learning rate: with weights that start at
    zero, it would only scale them.

    Raises `DalleEduError` for shapes that do not agree and labels other than -1 and
    +1.
    """
    _check_labelled(x, y)
    # the bias is the weight of an input that is always 1
    with_one = np.column_stack([x, np.ones(len(x))])
    boundary = np.zeros(with_one.shape[1])
    boundaries = [boundary]
    for _ in range(passes):
        before = len(boundaries)
        for example, label in zip(with_one, y, strict=True):
            if label * (example @ boundary) <= 0:
                boundary = boundary + label * example
                boundaries.append(boundary)
        if len(boundaries) == before:
            return PerceptronRun(np.array(boundaries), converged=True)
    return PerceptronRun(np.array(boundaries), converged=False)


def novikoff_bound(
    x: Real[ndarray, "n d"],
    y: Real[ndarray, "n"],
    weights: Real[ndarray, "d"],
    bias: float,
) -> float:
    """The most corrections that a perceptron can make on these examples.

    The bound is (R / margin)² (Novikoff 1962). `weights` and `bias` are any line
    that separates the classes. R is the largest norm of an example, and the margin
    the smallest distance from an example to the line. Both count the input that is
    always 1.

    Raises `DalleEduError` if the line does not separate the classes, for shapes
    that do not agree and for labels other than -1 and +1.
    """
    _check_labelled(x, y)
    radius = np.linalg.norm(np.column_stack([x, np.ones(len(x))]), axis=1).max()
    nearest = (y * (x @ weights + bias)).min()
    if not nearest > 0:
        raise DalleEduError(
            "this line leaves an example on the wrong side, so it bounds nothing; "
            "give one that separates the classes",
            "cette droite laisse un exemple du mauvais côté et ne borne donc "
            "rien ; donnez-en une qui sépare les classes",
        )
    return float(radius**2 * (weights @ weights + bias**2) / nearest**2)


def _check_labelled(x: ndarray, y: ndarray) -> None:
    if x.ndim != 2 or y.shape != x.shape[:1] or not len(x):
        raise DalleEduError(
            f"the examples are {x.shape} and their labels {y.shape}; expected "
            "(n, d) and (n,), n at least 1",
            f"les exemples sont {x.shape} et leurs étiquettes {y.shape} ; il faut "
            "(n, d) et (n,), n au moins 1",
        )
    if not np.isin(y, (-1, 1)).all():
        raise DalleEduError(
            f"the labels are {np.unique(y)[:5].tolist()}; a perceptron learns from "
            "-1 and +1 (write 2 * y - 1 for 0 and 1)",
            f"les étiquettes sont {np.unique(y)[:5].tolist()} ; un perceptron "
            "apprend de -1 et +1 (écrivez 2 * y - 1 pour 0 et 1)",
        )
