"""The perceptron against scikit-learn, the network and its gradients against PyTorch, the activations against SciPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.mlp import MLP, cross_entropy
from dalle_edu.classroom.proof import Reference, gap

Z = np.concatenate([np.linspace(-40, 40, 81) + 0.01, [-1000.0, 1000.0]])  # 0 itself is a matter of convention


def _labelled(seed: int, flipped: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a plane on two sides of a line that does not pass through the origin, some of them labelled wrongly."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    y = np.where(x @ [1.0, -2.0] + 1.5 > 0, 1, -1)
    y[:flipped] *= -1
    return x, y


def _train_perceptron(version: Callable[..., Any]) -> float:
    from sklearn.linear_model import Perceptron

    differences = []
    for flipped, passes in ((0, 50), (5, 7)):  # separable, and not
        x, y = _labelled(flipped, flipped)
        found = version(x, y, passes)
        expected = Perceptron(max_iter=passes, tol=None, shuffle=False).fit(x, y)
        differences += [gap(found.weights, expected.coef_[0]), gap(np.array([found.bias]), expected.intercept_)]
    return float(np.max(differences))


def _neuron(version: Callable[..., Any]) -> float:
    from sklearn.linear_model import Perceptron

    x, y = _labelled(0, 0)
    judge = Perceptron().fit(x, y)
    return gap(version(x, judge.coef_[0], float(judge.intercept_[0])), judge.predict(x) > 0)


def _step(version: Callable[..., Any]) -> float:
    z = np.append(Z, 0.0)
    return gap(version(z), np.heaviside(z, 1.0))


def _sigmoid(version: Callable[..., Any]) -> float:
    from scipy.special import expit

    return gap(version(Z), expit(Z))


def _relu(version: Callable[..., Any]) -> float:
    return gap(version(Z), F.relu(torch.from_numpy(Z)))


def _softmax(version: Callable[..., Any]) -> float:
    import scipy.special

    logits = np.random.default_rng(0).normal(size=(4, 6)) + np.array([[0], [10], [1000], [-1000]])
    return gap(version(logits), scipy.special.softmax(logits, axis=-1))


def _derivative_of(activation: Callable[[Tensor], Tensor]) -> Callable[[Callable[..., Any]], float]:
    def difference(version: Callable[..., Any]) -> float:
        z = torch.from_numpy(Z).requires_grad_()
        return gap(version(Z), torch.autograd.grad(activation(z).sum(), z)[0])

    return difference


def _softmax_derivative(version: Callable[..., Any]) -> float:
    z = np.random.default_rng(0).normal(size=(3, 5)) * 3
    expected = torch.stack([torch.autograd.functional.jacobian(lambda row: row.softmax(dim=0), row) for row in torch.from_numpy(z)])
    return gap(version(z), expected)


def _loss_against(theirs: Callable[[Tensor, Tensor], Tensor], examples: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Any:
    def difference(version: Callable[..., Any]) -> float:
        outputs, targets = examples()
        value, gradient = version(outputs.copy(), targets)
        theirs_outputs = torch.from_numpy(outputs).requires_grad_()
        expected = theirs(theirs_outputs, torch.from_numpy(targets))
        expected.backward()
        return float(np.max([abs(value - expected.item()), gap(gradient, theirs_outputs.grad)]))

    return difference


def _logits_and_classes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(7, 4)) * 500, rng.integers(0, 4, size=7)  # logits that exp() alone cannot take


def _outputs_and_values() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(7, 2)), rng.normal(size=(7, 2))


def _in_pytorch(network: Any) -> list[Tensor]:
    return [torch.from_numpy(parameter.copy()).requires_grad_() for parameter in network.parameters()]


def _forward(x: Tensor, parameters: list[Tensor], activation: Callable[[Tensor], Tensor]) -> Tensor:
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = activation(F.linear(x, weight.T, bias))
    return F.linear(x, last[0].T, last[1])


def _mlp(version: Callable[..., Any]) -> float:
    """Outputs and gradients, for every activation with a slope and two depths."""
    rng = np.random.default_rng(0)
    x, classes = rng.normal(size=(9, 5)), rng.integers(0, 3, size=9)
    differences = []
    for activation in ("sigmoid", "tanh", "relu"):
        for sizes in ((5, 8, 3), (5, 8, 6, 3)):
            ours = version(sizes, activation, rng)
            theirs = _in_pytorch(ours)
            logits = _forward(torch.from_numpy(x), theirs, getattr(torch, activation))
            F.cross_entropy(logits, torch.from_numpy(classes)).backward()
            differences.append(gap(ours.forward(x), logits))
            gradients = ours.backward(cross_entropy(logits.detach().numpy(), classes)[1])
            differences += [gap(gradient, parameter.grad) for gradient, parameter in zip(gradients, theirs, strict=True)]
    return float(np.max(differences))


def _initial_weights(version: Callable[..., Any]) -> float:
    """How far the spread of fresh weights is from PyTorch's, as a part of it."""
    ours = version((800, 400, 1), "relu", np.random.default_rng(0)).weights[0]
    theirs = torch.nn.init.kaiming_normal_(torch.empty(400, 800), generator=torch.Generator().manual_seed(0))
    return abs(float(ours.std()) / float(theirs.std()) - 1)


def _gradient_descent(version: Callable[..., Any]) -> float:
    """The parameters after three epochs, batches of unequal size included."""
    rng = np.random.default_rng(0)
    x, classes = rng.normal(size=(22, 4)), rng.integers(0, 3, size=22)
    ours = MLP((4, 6, 3), "tanh", rng)
    theirs = _in_pytorch(ours)
    losses = version(ours, cross_entropy, x, classes, np.random.default_rng(1), epochs=3, batch_size=8, learning_rate=0.5)
    optimizer, order, expected = torch.optim.SGD(theirs, lr=0.5), np.random.default_rng(1), []
    for _ in range(3):
        total = 0.0
        for batch in torch.from_numpy(order.permutation(22)).split(8):
            loss = F.cross_entropy(_forward(torch.from_numpy(x)[batch], theirs, torch.tanh), torch.from_numpy(classes)[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        expected.append(total / 22)
    differences = [gap(a, b) for a, b in zip(ours.parameters(), theirs, strict=True)]
    return float(np.max([gap(np.array(losses), np.array(expected)), *differences]))


def _relu_interpolation(version: Callable[..., Any]) -> float:
    knots = np.array([-1.0, -0.2, 0.5, 0.6, 2.0])
    values = np.array([1.0, -3.0, 0.5, 0.5, 4.0])
    x = np.linspace(-1, 2, 61)
    return gap(version(knots, values).forward(x[:, None])[:, 0], np.interp(x, knots, values))


_autograd = "torch.autograd"
REFERENCES = [
    Reference("perceptron:step", "numpy.heaviside", _step, 0.0),
    Reference("perceptron:neuron", "sklearn.linear_model.Perceptron.predict", _neuron, 0.0),
    Reference("perceptron:train_perceptron", "sklearn.linear_model.Perceptron.fit", _train_perceptron, 1e-10),
    Reference("mlp:sigmoid", "scipy.special.expit", _sigmoid, 1e-10),
    Reference("mlp:sigmoid_derivative", _autograd, _derivative_of(torch.sigmoid), 1e-10),
    Reference("mlp:tanh_derivative", _autograd, _derivative_of(torch.tanh), 1e-10),
    Reference("mlp:relu", "torch.nn.functional.relu", _relu, 0.0),
    Reference("mlp:relu_derivative", _autograd, _derivative_of(torch.relu), 0.0),
    Reference("mlp:step_derivative", _autograd, _derivative_of(torch.ceil), 0.0),
    Reference("mlp:softmax", "scipy.special.softmax", _softmax, 1e-10),
    Reference("mlp:softmax_derivative", "torch.autograd.functional.jacobian", _softmax_derivative, 1e-10),
    Reference("mlp:cross_entropy", "torch.nn.functional.cross_entropy", _loss_against(F.cross_entropy, _logits_and_classes), 1e-10),
    Reference("mlp:mean_squared_error", "torch.nn.functional.mse_loss", _loss_against(F.mse_loss, _outputs_and_values), 1e-10),
    Reference("mlp:MLP", _autograd, _mlp, 1e-10),
    Reference("mlp:MLP", "torch.nn.init.kaiming_normal_", _initial_weights, 0.01),
    Reference("mlp:gradient_descent", "torch.optim.SGD", _gradient_descent, 1e-10),
    Reference("mlp:relu_interpolation", "numpy.interp", _relu_interpolation, 1e-10),
]
