"""The perceptron against scikit-learn, the network and its gradients against PyTorch, the activations against SciPy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.mlp import MLP, cross_entropy, mean_squared_error
from dalle_edu.bricks.perceptron import PerceptronRun
from dalle_edu.classroom.checking.asking import asked
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import comma, say

LARGE = np.array([-1000.0, 1000.0])  # what an exponential does not survive


def _numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 3


def _elementwise(peer: Callable[..., Any], at_zero: bool = True) -> Callable[[int], Sequence[Case]]:
    """A function of each number: single ones, tables, very large ones; 0 itself where it is no matter of convention."""

    def cases(seed: int) -> list[Case]:
        singles = [np.array([value]) for value in (1.0, -2.0, 0.5)] + ([np.array([0.0]), np.array([-1.0, 0.0, 1.0])] if at_zero else [])
        tables = [LARGE, np.linspace(-40, 40, 81) + 0.01, _numbers(seed, 4, 3), _numbers(seed + 1, 2, 3, 2)]
        return [call(peer, z) for z in [*singles, *tables]]

    return cases


def _labelled(seed: int, flipped: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Points of a plane on two sides of a line that does not pass through the origin, some of them labelled wrongly."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = np.where(x @ [1.0, -2.0] + 1.5 > 0, 1, -1)
    y[:flipped] *= -1
    return x, y


def _rosenblatt(x: np.ndarray, y: np.ndarray, passes: int = 100) -> Any:
    """scikit-learn's perceptron, pass by pass; the lines in between are those that it has after each number of examples."""
    from sklearn.linear_model import Perceptron

    model, boundaries, converged = Perceptron(shuffle=False, tol=None), [np.zeros(x.shape[1] + 1)], False
    for _ in range(passes):
        made = len(boundaries)
        for example, label in zip(x, y, strict=True):
            model.partial_fit(example[None], [label], classes=[-1, 1])
            now = np.append(model.coef_[0], model.intercept_)
            if not np.array_equal(now, boundaries[-1]):
                boundaries.append(now)
        if len(boundaries) == made:
            converged = True
            break
    return PerceptronRun(np.array(boundaries), converged)


def _training(seed: int) -> list[Case]:
    apart, few = np.array([[1.0, 1.0], [-1.0, -2.0]]), np.array([1, -1])
    one = np.array([[2.0], [3.0], [5.0]])
    return [
        call(_rosenblatt, apart, few),
        call(_rosenblatt, one, np.array([-1, -1, 1])),
        call(_rosenblatt, np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([-1, 1])),
        call(_rosenblatt, apart, few, passes=2),  # the last pass allowed is the one without a correction
        call(_rosenblatt, *_labelled(0, 0), 50),
        call(_rosenblatt, *_labelled(5, 5), 7),
        call(_rosenblatt, *_labelled(seed, 3, 20), passes=2),
    ]


def _fires(x: np.ndarray, weights: np.ndarray, bias: float) -> np.ndarray:
    from sklearn.linear_model import Perceptron

    judge = Perceptron()
    judge.coef_, judge.intercept_, judge.classes_ = weights[None], np.array([bias]), np.array([0.0, 1.0])
    return np.where(judge.decision_function(x) == 0, 1.0, judge.predict(x))


def _neurons(seed: int) -> list[Case]:
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return [
        call(_fires, np.array([[1.0]]), np.array([2.0]), -1.0),
        call(_fires, np.array([[1.0]]), np.array([2.0]), -3.0),
        call(_fires, np.array([[1.0]]), np.array([2.0]), -2.0),  # on the line
        call(_fires, np.array([[1.0, 2.0, 3.0]]), np.array([1.0, 0.0, -1.0]), 1.0),
        call(_fires, corners, np.array([1.0, 1.0]), -1.5),
        call(_fires, corners, np.array([-1.0, 2.0]), 0.5),
        call(_fires, _numbers(seed, 30, 3), np.array([1.0, -1.0, 0.5]), 0.25),
    ]


def _sigmoid(seed: int) -> list[Case]:
    from scipy.special import expit

    return list(_elementwise(expit)(seed))


def _of_torch(function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    return lambda z: function(torch.from_numpy(z)).numpy()


def _softmax(seed: int) -> list[Case]:
    import scipy.special

    def peer(z: np.ndarray) -> np.ndarray:
        return scipy.special.softmax(z, axis=-1)

    offsets = np.array([[0], [10], [1000], [-1000]])
    rows = [[[0.0, 0.0]], [[1.0, 2.0, 3.0]], [[1.0, 2.0], [3.0, 5.0]], [[1.0, 0.0], [0.0, 0.0], [2.0, -1.0]]]
    more = [
        np.array([1.0, 3.0]),
        np.array([[1000.0, 0.0]]),
        np.array([[2000.0, 0.0, 0.0]]),
        _numbers(seed, 4, 6) + offsets,
        _numbers(seed, 5, 5),
        _numbers(seed, 2, 3, 4),
    ]
    return [call(peer, z) for z in [*map(np.array, rows), *more]]


def _derivative_of(activation: Callable[[Tensor], Tensor], at_zero: bool = True) -> Callable[[int], Sequence[Case]]:
    def peer(z: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(z).requires_grad_()
        return torch.autograd.grad(activation(given).sum(), given)[0].numpy()

    return _elementwise(peer, at_zero)


def _softmax_derivative(seed: int) -> list[Case]:
    def peer(z: np.ndarray) -> np.ndarray:
        rows = torch.from_numpy(z.reshape(-1, z.shape[-1]))
        slopes = [torch.autograd.functional.jacobian(lambda row: row.softmax(dim=0), row) for row in rows]
        return torch.stack(slopes).numpy().reshape(*z.shape, z.shape[-1])

    return [call(peer, z) for z in (np.array([[0.0, 0.0]]), np.array([1.0, 2.0, 4.0]), _numbers(seed, 3, 5), _numbers(seed, 2, 2, 3))]


def _by_autograd(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Any]:
    """A loss of PyTorch's and its gradient with respect to the outputs."""

    def peer(outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
        given = torch.from_numpy(outputs).requires_grad_()
        value = loss(given, torch.from_numpy(targets))
        value.backward()
        assert given.grad is not None
        return value.item(), given.grad.numpy()

    return peer


def _cross_entropy(seed: int) -> list[Case]:
    peer, rng = _by_autograd(F.cross_entropy), np.random.default_rng(seed)
    return [
        call(peer, np.array([[0.0, 0.0]]), np.array([0])),
        call(peer, np.array([[1.0, 2.0, 4.0]]), np.array([1])),
        call(peer, np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([1, 0])),
        call(peer, np.array([[1000.0, 0.0]]), np.array([1])),
        call(peer, rng.normal(size=(7, 4)) * 500, rng.integers(0, 4, size=7)),
        call(peer, rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)),
    ]


def _mean_squared_error(seed: int) -> list[Case]:
    peer, rng = _by_autograd(F.mse_loss), np.random.default_rng(seed)
    few = call(peer, np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))
    return [few, *(call(peer, rng.normal(size=shape), rng.normal(size=shape)) for shape in ((7, 2), (4, 1), (3, 5)))]


def _forward(x: Tensor, parameters: list[Tensor], activation: Callable[[Tensor], Tensor]) -> Tensor:
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = activation(F.linear(x, weight.T, bias))
    return F.linear(x, last[0].T, last[1])


def _network(sizes: Sequence[int], activation: str, n: int, seed: int) -> Case:
    """The outputs of a network and all its gradients; PyTorch is given the weights that `seed` draws."""
    rng = np.random.default_rng(seed)
    x, classes, weights = rng.normal(size=(n, sizes[0])), rng.integers(0, sizes[-1], size=n), MLP(sizes, activation, rng).parameters()

    def ask(version: Any) -> dict[str, Any]:
        network = version(sizes, activation, np.random.default_rng(0))
        for parameter, value in zip(network.parameters(), weights, strict=True):
            parameter[...] = value
        outputs = asked(network.forward, x=x)
        gradient = cross_entropy(outputs, classes)[1]
        first, again = (asked(network.backward, gradient=gradient) for _ in range(2))
        return {"forward": outputs, "backward": first, say("backward, once more", "backward, une fois de plus"): again}

    def peer() -> dict[str, Any]:
        theirs = [torch.from_numpy(value.copy()).requires_grad_() for value in weights]
        logits = _forward(torch.from_numpy(x), theirs, getattr(torch, activation))
        F.cross_entropy(logits, torch.from_numpy(classes)).backward()
        gradients = [value.grad.numpy() for value in theirs if value.grad is not None]
        again = say("backward, once more", "backward, une fois de plus")
        return {"forward": logits.detach().numpy(), "backward": gradients, again: gradients}

    shape, kind = tuple(sizes), say(f'activation "{activation}"', f"l'activation « {activation} »")
    return scenario(
        f"layers of {shape}, {kind}, {n} examples", f"des couches de {shape}, {kind}, {n} exemples", peer, ask, 100 + n + sum(sizes)
    )


def _mlp(seed: int) -> list[Case]:
    """Every activation with a slope, four depths, one example and several."""
    sizes = ((2, 2), (2, 3, 2), (5, 8, 3), (5, 8, 6, 3))
    return [
        _network(each, activation, n, seed + place)
        for place, (each, n) in enumerate(zip(sizes, (1, 2, 9, 9), strict=True))
        for activation in ("sigmoid", "tanh", "relu")
    ]


def _initial_weights(seed: int) -> list[Case]:
    """The spread of fresh weights, as a part of what He et al. ask for."""

    def ask(version: Any) -> float:
        return float(version((800, 400, 1), "relu", np.random.default_rng(seed)).weights[0].std() / np.sqrt(2 / 800))

    def peer() -> float:
        drawn = torch.nn.init.kaiming_normal_(torch.empty(400, 800), generator=torch.Generator().manual_seed(seed))
        return float(drawn.std() / np.sqrt(2 / 800))

    en, fr = "the spread of 320,000 fresh weights, in √(2 / inputs)", "la dispersion de 320 000 poids neufs, en √(2 / entrées)"
    return [scenario(en, fr, peer, ask)]


def _descent(n: int, sizes: Sequence[int], batch_size: int, epochs: int, learning_rate: float, seed: int, squared: bool = False) -> Case:
    """The losses and the parameters after some epochs; a batch may be smaller than the others."""
    rng = np.random.default_rng(seed)
    x, classes, values = rng.normal(size=(n, sizes[0])), rng.integers(0, sizes[-1], size=n), rng.normal(size=(n, sizes[-1]))
    targets, ours, theirs_loss = (values, mean_squared_error, F.mse_loss) if squared else (classes, cross_entropy, F.cross_entropy)
    weights = MLP(sizes, "tanh", rng).parameters()

    def ask(version: Any) -> dict[str, Any]:
        network = MLP(sizes, "tanh", np.random.default_rng(0))
        for parameter, value in zip(network.parameters(), weights, strict=True):
            parameter[...] = value
        options = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}

        def apply(x: np.ndarray, targets: np.ndarray) -> Any:
            return version(network, ours, x, targets, np.random.default_rng(1), **options)

        losses = asked(apply, x=x, targets=targets)
        return {say("losses", "pertes"): losses, say("parameters", "paramètres"): network.parameters()}

    def peer() -> dict[str, Any]:
        theirs = [torch.from_numpy(value.copy()).requires_grad_() for value in weights]
        optimizer, order, losses = torch.optim.SGD(theirs, lr=learning_rate), np.random.default_rng(1), []
        for _ in range(epochs):
            total = 0.0
            for batch in torch.from_numpy(order.permutation(n)).split(batch_size):
                loss = theirs_loss(_forward(torch.from_numpy(x)[batch], theirs, torch.tanh), torch.from_numpy(targets)[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / n)
        return {say("losses", "pertes"): losses, say("parameters", "paramètres"): [value.detach().numpy() for value in theirs]}

    many, rate = "s" if epochs > 1 else "", comma(learning_rate, 2)
    return scenario(
        f"{n} examples, batches of {batch_size}, {epochs} epoch{many}, rate {learning_rate:g}{', squared errors' if squared else ''}",
        f"{n} exemples, lots de {batch_size}, {epochs} époque{many}, pas de {rate}{', erreurs au carré' if squared else ''}",
        peer,
        ask,
        100 * epochs + n,
    )


def _gradient_descent(seed: int) -> list[Case]:
    settings = ((4, (2, 2), 4, 1, 0.5), (4, (2, 3, 2), 2, 1, 0.1), (22, (4, 6, 3), 8, 3, 0.5), (9, (3, 4, 2), 4, 2, 0.2))
    return [*(_descent(*each, seed + place) for place, each in enumerate(settings)), _descent(5, (3, 2), 2, 1, 0.3, seed, squared=True)]


def _relu_interpolation(seed: int) -> list[Case]:
    def case(knots: np.ndarray, values: np.ndarray, x: np.ndarray) -> Case:
        def ask(version: Any) -> np.ndarray:
            return asked(lambda **given: version(**given).forward(x[:, None])[:, 0], knots=knots, values=values)

        en, fr = f"{len(knots)} knots, {len(x)} points", f"{len(knots)} nœuds, {len(x)} points"
        return scenario(en, fr, lambda: np.interp(x, knots, values), ask, len(x))

    rng = np.random.default_rng(seed)
    drawn = np.cumsum(0.1 + rng.random(9))
    return [
        case(np.array([0.0, 1.0]), np.array([2.0, 5.0]), np.array([0.0, 0.5, 1.0])),
        case(np.array([-1.0, -0.2, 0.5, 0.6, 2.0]), np.array([1.0, -3.0, 0.5, 0.5, 4.0]), np.linspace(-1, 2, 61)),
        case(drawn, rng.normal(size=9), np.linspace(drawn[0], drawn[-1], 40)),
    ]


_autograd = "torch.autograd"
REFERENCES = [
    Reference("perceptron:step", "numpy.heaviside", cases=_elementwise(lambda z: np.heaviside(z, 1.0)), tolerance=0.0),
    Reference("perceptron:neuron", "sklearn.linear_model.Perceptron.decision_function", cases=_neurons, tolerance=0.0),
    Reference("perceptron:train_perceptron", "sklearn.linear_model.Perceptron.partial_fit", cases=_training, tolerance=1e-10),
    Reference("mlp:sigmoid", "scipy.special.expit", cases=_sigmoid, tolerance=1e-10),
    Reference("mlp:sigmoid_derivative", _autograd, cases=_derivative_of(torch.sigmoid), tolerance=1e-10),
    Reference("mlp:tanh_derivative", _autograd, cases=_derivative_of(torch.tanh), tolerance=1e-10),
    Reference("mlp:relu", "torch.nn.functional.relu", cases=_elementwise(_of_torch(F.relu)), tolerance=0.0),
    Reference("mlp:relu_derivative", _autograd, cases=_derivative_of(torch.relu), tolerance=0.0),
    Reference("mlp:step_derivative", _autograd, cases=_derivative_of(torch.ceil), tolerance=0.0),
    Reference("mlp:softmax", "scipy.special.softmax", cases=_softmax, tolerance=1e-10),
    Reference("mlp:softmax_derivative", "torch.autograd.functional.jacobian", cases=_softmax_derivative, tolerance=1e-10),
    Reference("mlp:cross_entropy", "torch.nn.functional.cross_entropy", cases=_cross_entropy, tolerance=1e-10),
    Reference("mlp:mean_squared_error", "torch.nn.functional.mse_loss", cases=_mean_squared_error, tolerance=1e-10),
    Reference("mlp:MLP", _autograd, cases=_mlp, tolerance=1e-10),
    Reference("mlp:MLP", "torch.nn.init.kaiming_normal_", cases=_initial_weights, tolerance=0.01),
    Reference("mlp:gradient_descent", "torch.optim.SGD", cases=_gradient_descent, tolerance=1e-10),
    Reference("mlp:relu_interpolation", "numpy.interp", cases=_relu_interpolation, tolerance=1e-10),
]
