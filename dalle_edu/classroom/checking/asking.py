"""What references share: numbers, networks with drawn weights, and questions to a version that must leave what it is given as it was."""

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dalle_edu.classroom.checking.cases import ChangesAnArgument, call
from dalle_edu.classroom.checking.comparing import copied, unchanged

DOUBLE = torch.float64


def numbers(seed: int, *shape: int, gradient: bool = False) -> Tensor:
    """Normal numbers in double precision, which `seed` draws."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE).requires_grad_(gradient)


def double(*values: Any) -> Tensor:
    """A small tensor in double precision: a vector, or a table of the rows given."""
    return torch.tensor(values, dtype=DOUBLE)


def asked(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The answer of a function to copies of its arguments, which it must leave as they are."""
    return call(None, *args, **options).ask(function)


def lent(function: Callable[..., Any], names: str, *values: Any) -> Any:
    """What a function makes of copies of these values, which it must leave as they were; `names` are what a refusal calls them.

    Raises `ChangesAnArgument` for one that it has changed.
    """
    copies = [copied(value) for value in values]
    answer = function(*copies)
    for name, value, before in zip(names.split(), copies, values, strict=True):
        if not unchanged(value, before):
            raise ChangesAnArgument(name)
    return answer


def drawn(name: str, shape: Sequence[int], seed: int) -> Tensor:
    """The values of a parameter, drawn by its name and `seed`: the same in whatever order parameters are made. Scales are around 1."""
    values = numbers(seed + zlib.crc32(name.encode()) % 100_000, *shape)
    if len(shape) == 1:
        return 1 + 0.3 * values if name.endswith("weight") else 0.5 * values
    return values / math.sqrt(math.prod(shape[1:]))


def filled(network: Any, seed: int) -> Any:
    """A network in double precision, with drawn parameters."""
    network = network.double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(drawn(name, parameter.shape, seed))
    return network


def gradients_by_name(loss: Tensor, network: nn.Module) -> dict[str, Tensor]:
    """The gradient of a loss with respect to each parameter; zero where it has none."""
    names, parameters = zip(*network.named_parameters(), strict=True)
    slopes: Sequence[Tensor] = [torch.zeros_like(parameter) for parameter in parameters]
    if loss.requires_grad:
        slopes = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return dict(sorted(zip(names, slopes, strict=True)))
