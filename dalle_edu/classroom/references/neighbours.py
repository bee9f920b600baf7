"""Tokens mixed with those before them, against PyTorch's convolution padded on the left."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.neighbours import Canon, Smear
from dalle_edu.classroom.checking.asking import filled, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, slopes
from dalle_edu.classroom.checking.proof import Reference

_SHAPES = ((1, 2, 1), (2, 5, 3), (3, 4, 8), (2, 1, 4))  # sequences, tokens, channels
Answer = tuple[Tensor, list[Tensor]]


def _convolved(x: Tensor, kernel: Tensor, groups: int = 1) -> Tensor:
    """A causal convolution: as many zeros before the first token as the kernel looks back."""
    return F.conv1d(F.pad(x.mT, (kernel.shape[2] - 1, 0)), kernel, groups=groups).mT


def _shifted(seed: int) -> list[Case]:
    def peer(x: Tensor, tokens: int) -> Tensor:
        pick = torch.zeros(x.shape[2], 1, tokens + 1, dtype=x.dtype)
        pick[:, :, 0] = 1
        return _convolved(x, pick, x.shape[2])

    x = numbers(seed, 2, 4, 3)
    return [call(peer, numbers(seed, 1, 3, 1), 1), *(call(peer, x, tokens) for tokens in (0, 1, 3, 4, 6))]


def _layer(build: Callable[[Any], Any], own: Callable[..., Tensor], shape: tuple[int, int, int], options: dict[str, int]) -> Case:
    """What a layer makes of tokens, and the gradients with respect to them and to its weights."""
    n, tokens, width = shape
    seed = 10 * n + tokens

    def answer(forward: Callable[[Tensor], Tensor], weight: Tensor) -> Answer:
        x = numbers(seed, n, tokens, width, gradient=True)
        mixed = forward(x)
        return mixed.detach(), slopes((mixed * numbers(seed + 1, n, tokens, width)).sum(), [x, weight])

    def peer() -> Answer:
        weight = next(filled(build(None), seed).parameters())
        return answer(lambda x: own(x, weight), weight)

    def ask(version: Any) -> Answer:
        layer = filled(build(version), seed)
        return answer(layer, next(layer.parameters()))

    said = ", ".join(f"{name} {value}" for name, value in {"n": n, "t": tokens, "w": width, **options}.items())
    return scenario(said, said, peer, ask, n * tokens * width)


def smeared(x: Tensor, weight: Tensor) -> Tensor:
    """Tokens (n, t, w), to each of which a map of the one before it is added: a convolution of two tokens."""
    return _convolved(x, torch.stack([weight, torch.eye(len(weight), dtype=weight.dtype)], dim=2))


def _smear(seed: int) -> list[Case]:
    def build(width: int) -> Callable[[Any], Any]:
        return lambda version: (version or Smear)(width)

    return [_layer(build(shape[2]), smeared, shape, {}) for shape in _SHAPES]


def _canon(seed: int) -> list[Case]:
    def own(x: Tensor, weight: Tensor) -> Tensor:
        taps, width = weight.shape
        kernel = torch.cat([weight.flip(0).T, torch.ones(width, 1, dtype=weight.dtype)], dim=1)
        return _convolved(x, kernel.view(width, 1, taps + 1), width)

    def build(width: int, taps: int) -> Callable[[Any], Any]:
        return lambda version: (version or Canon)(width, taps)

    return [_layer(build(shape[2], taps), own, shape, {"taps": taps}) for shape in _SHAPES for taps in (1, 3)]


REFERENCES = [
    Reference("neighbours:shifted", "torch.nn.functional.conv1d", cases=_shifted, tolerance=1e-12),
    Reference("neighbours:Smear", "torch.nn.functional.conv1d", cases=_smear, tolerance=1e-12),
    Reference("neighbours:Canon", "torch.nn.functional.conv1d", cases=_canon, tolerance=1e-12),
]
