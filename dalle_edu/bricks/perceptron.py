"""From one neuron to a network: the perceptron, what it cannot do, and the layers
that can.

A neuron adds up its inputs, each times a weight, and fires when the sum passes a
threshold. Rosenblatt (1958) let it correct its own weights, and Novikoff (1962)
counted the corrections that it needs; Minsky and Papert (1969) showed what no
single neuron computes. Layers of neurons with smooth activations lift that limit,
and the chain rule finds their weights (Rumelhart, Hinton and Williams 1986). All of
it is NumPy in float64, with every derivative written out; the last function says
the same network in PyTorch.

Letters: n examples, d inputs, k outputs or classes, t knots of a curve, m
corrections.

Lesson 01.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- one neuron


def step(z: Real[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """1 where z >= 0, 0 elsewhere: a neuron fires or keeps silent (Rosenblatt
    1958).
    """
    return np.where(z >= 0, 1.0, 0.0)


def neuron(
    x: Real[ndarray, "n d"], weights: Real[ndarray, "d"], bias: float
) -> Float[ndarray, "n"]:
    """1 where the weighted sum x · weights + bias is not negative, 0 elsewhere."""
    if x.ndim != 2 or x.shape[1:] != weights.shape:
        raise DalleEduError(
            f"the inputs are {x.shape} and the weights {weights.shape}; expected "
            "(n, d) and (d,)",
            f"les entrées sont {x.shape} et les poids {weights.shape} ; il faut "
            "(n, d) et (d,)",
        )
    return step(x @ weights + bias)


GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "and": ((1.0, 1.0), -1.5),
    "or": ((1.0, 1.0), -0.5),
    "nand": ((-1.0, -1.0), 1.5),
    "not": ((-1.0,), 0.5),
}


def gate(name: str, x: Real[ndarray, "n d"]) -> Float[ndarray, "n"]:
    """A logic gate as one neuron: "and", "or", "nand" of two inputs, "not" of one,
    each 0 or 1 (McCulloch and Pitts 1943).
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
    """Exclusive or, which no line separates, in two layers: (x or y) and not (x and
    y).
    """
    return gate("and", np.stack([gate("or", x), gate("nand", x)], axis=1))


# ------------------------------------------------------------- a neuron that learns


@dataclass(frozen=True)
class PerceptronRun:
    """What a perceptron learned, and how: row i of `boundaries` is (weights, bias)
    after i corrections, the first all zeros.
    """

    boundaries: Float[ndarray, "m d1"]
    converged: bool

    @property
    def weights(self) -> Float[ndarray, "d"]:
        """The last weights."""
        return self.boundaries[-1, :-1]

    @property
    def bias(self) -> float:
        """The last bias."""
        return float(self.boundaries[-1, -1])


def train_perceptron(
    x: Real[ndarray, "n d"], y: Real[ndarray, "n"], passes: int = 100
) -> PerceptronRun:
    """Rosenblatt's rule: each example on the wrong side, or on the line, adds
    itself, with its sign (`y`, -1 or +1), to the weights.

    The examples are visited in order, at most `passes` times; a pass without a
    correction ends the training, and the line separates the classes. A learning
    rate would only scale the weights, since they start at zero.
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
    """The most corrections a perceptron can make on these examples: (R / margin)²
    (Novikoff 1962).

    `weights` and `bias` are any line that separates them. R is the largest norm of
    an example and `margin` the smallest distance to the line, both counted with the
    input that is always 1.
    """
    _check_labelled(x, y)
    radius = np.linalg.norm(np.column_stack([x, np.ones(len(x))]), axis=1).max()
    nearest = (y * (x @ weights + bias)).min()
    if not nearest > 0:
        raise DalleEduError(
            "this line leaves an example on the wrong side, so it bounds nothing; "
            "give one that separates the classes",
            "cette droite laisse un exemple du mauvais côté et ne borne donc rien "
            "; donnez-en une qui sépare les classes",
        )
    return float(radius**2 * (weights @ weights + bias**2) / nearest**2)


def _check_labelled(x: ndarray, y: ndarray) -> None:
    if x.ndim != 2 or y.shape != x.shape[:1] or not len(x):
        raise DalleEduError(
            f"the examples are {x.shape} and their labels {y.shape}; expected (n, "
            "d) and (n,), n at least 1",
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


# ---------------------------------- losses: each returns its value and its gradient


# ---------------------------------------------------- enough neurons draw any curve
