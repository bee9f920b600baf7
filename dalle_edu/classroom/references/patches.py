"""Patches against PyTorch's strided convolution, and its convolution with pixels put in place by indexing."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.checking.asking import asked, numbers
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference

Weights = tuple[Tensor, Tensor]


def _layer(layer: nn.Module, weights: Weights) -> nn.Module:
    """A layer in double precision, its kernels and biases those that are given."""
    with torch.no_grad():
        for parameter, values in zip(layer.double().parameters(), weights, strict=True):
            parameter.copy_(values)
    return layer


def _asked_of(make: Callable[[Any], nn.Module], theirs: Callable[[Tensor, Weights], Tensor], x: Tensor, weights: Weights) -> list[Case]:
    """What a layer makes of `x`, and the gradients of `x` and of its weights."""

    def slopes(apply: Callable[[Tensor, Weights], Tensor]) -> Any:
        given, kernels, biases = (tensor.clone().requires_grad_() for tensor in (x, *weights))
        return with_gradients(apply(given, (kernels, biases)), [given, kernels, biases])

    def ours(version: Any, given: Tensor) -> Any:
        layer = _layer(make(version), weights)
        return with_gradients(layer(given), [given, *layer.parameters()])

    size = " × ".join(map(str, x.shape))
    kernel = " × ".join(map(str, weights[0].shape))
    en, fr = f"weights of {kernel}, x of {size}", f"poids de {kernel}, x de {size}"
    return [
        scenario(
            en, fr, lambda: theirs(x, weights),
            lambda version: asked(_layer(make(version), weights), x).detach(), x.numel(),
        ),
        scenario(
            f"{en}, the gradients", f"{fr}, les gradients", lambda: slopes(theirs),
            lambda version: ours(version, x.clone().requires_grad_()), x.numel() + 1,
        ),
    ]  # fmt: skip


def _patchify(seed: int) -> list[Case]:
    def cases(n: int, channels: int, side: tuple[int, int], width: int, patch: int, seed: int) -> list[Case]:
        weights = numbers(seed, width, channels, patch, patch), numbers(seed + 1, width)
        return _asked_of(
            lambda version: version(channels, width, patch),
            lambda x, given: F.conv2d(x, *given, stride=patch),
            numbers(seed + 2, n, channels, *side),
            weights,
        )

    sizes = [
        (1, 1, (2, 2), 1, 2),
        (1, 1, (2, 4), 2, 2),
        (2, 3, (4, 6), 5, 2),
        (2, 2, (3, 6), 4, 3),
        (1, 3, (7, 5), 2, 2),
        (2, 2, (2, 3), 3, 1),
    ]
    return [case for place, size in enumerate(sizes) for case in cases(*size, seed + 20 * place)]


def _painted(x: Tensor, weights: Weights, patch: int) -> Tensor:
    """The convolution, whose channels are taken one by one to their pixels."""
    painted = F.conv2d(x, *weights, padding=1)
    n, _, h, w = x.shape
    canvas = x.new_zeros(n, painted.shape[1] // patch**2, patch * h, patch * w)
    for place in range(patch**2):
        canvas[:, :, place // patch :: patch, place % patch :: patch] = painted[:, place :: patch**2]
    return canvas


def _unpatchify(seed: int) -> list[Case]:
    def cases(n: int, width: int, side: tuple[int, int], channels: int, patch: int, seed: int) -> list[Case]:
        pixels = channels * patch**2
        return _asked_of(
            lambda version: version(width, channels, patch),
            lambda x, given: _painted(x, given, patch),
            numbers(seed + 2, n, width, *side),
            (numbers(seed, pixels, width, 3, 3), numbers(seed + 1, pixels)),
        )

    sizes = [(1, 1, (1, 1), 1, 2), (1, 2, (1, 2), 1, 2), (2, 3, (2, 3), 2, 2), (1, 2, (3, 2), 3, 3), (2, 2, (2, 2), 3, 1)]
    return [case for place, size in enumerate(sizes) for case in cases(*size, seed + 20 * place)]


REFERENCES = [
    Reference("convolution:Patchify", "torch.nn.functional.conv2d", cases=_patchify, tolerance=1e-10),
    Reference("convolution:Unpatchify", "torch.nn.functional.conv2d", cases=_unpatchify, tolerance=1e-10),
]
