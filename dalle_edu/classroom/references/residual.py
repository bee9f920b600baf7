"""The residual block against PyTorch's own layers."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import asked, numbers
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference


def _block(version: Any, width: int, kernel_size: int, drawn: list[Tensor]) -> Any:
    """A version whose two convolutions have these weights and biases."""
    block = version(width, kernel_size).double()
    with torch.no_grad():
        for parameter, values in zip((block.look.weight, block.look.bias, block.mix.weight, block.mix.bias), drawn, strict=True):
            parameter.copy_(values)
    return block


def _residual(seed: int) -> list[Case]:
    """Weights copied across, then a picture, its gradient, and a new block, which is the identity."""

    def cases(n: int, width: int, side: tuple[int, int], kernel_size: int, seed: int) -> list[Case]:
        shapes = (width, width, kernel_size, kernel_size), (width,), (width, width, 1, 1), (width,)
        drawn = [0.5 * numbers(seed + place, *shape) for place, shape in enumerate(shapes)]
        x = numbers(seed + 9, n, width, *side)

        def theirs(given: Tensor) -> Tensor:
            seen = F.conv2d(given.clamp(min=0), drawn[0], drawn[1], padding=kernel_size // 2)
            return given + F.conv2d(seen.clamp(min=0), drawn[2], drawn[3])

        def slopes(apply: Any) -> Any:
            given = x.clone().requires_grad_()
            return with_gradients(apply(given), [given])

        size = " × ".join(map(str, x.shape))
        en, fr = f"weights drawn, x of {size}", f"poids tirés, x de {size}"
        return [
            scenario(
                en, fr, lambda: theirs(x),
                lambda version: asked(_block(version, width, kernel_size, drawn), x=x).detach(), x.numel(),
            ),
            scenario(
                f"{en}, the gradient", f"{fr}, le gradient", lambda: slopes(theirs),
                lambda version: slopes(_block(version, width, kernel_size, drawn)), x.numel() + 1,
            ),
            scenario(
                f"a new block, x of {size}", f"un bloc neuf, x de {size}", lambda: x,
                lambda version: asked(version(width, kernel_size).double(), x=x).detach(), x.numel() + 2,
            ),
        ]  # fmt: skip

    sizes = [(1, 1, (1, 2), 1), (1, 2, (2, 2), 3), (2, 3, (5, 4), 3), (2, 2, (4, 6), 5)]
    return [case for place, size in enumerate(sizes) for case in cases(*size, seed + 20 * place)]


REFERENCES = [
    Reference("convolution:ResidualBlock", "torch.nn.functional.conv2d, torch.Tensor.clamp", cases=_residual, tolerance=1e-10),
]
