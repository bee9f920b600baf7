"""Several codes a token: NumPy's numbering of a table's entries, and the local model against PyTorch's layers, one code at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.local_model import LocalModel
from dalle_edu.classroom.checking.asking import filled, gradients_by_name, lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference

_SHAPES = ((1, 1, 2, 3, 2), (2, 3, 4, 5, 6), (3, 2, 3, 4, 8))  # captions, tokens, codes of a token, num_codes, channels


def _drawn_codes(num_codes: int, seed: int, *shape: int) -> Tensor:
    return torch.randint(num_codes, shape, generator=torch.Generator().manual_seed(seed))


def _by_place(seed: int) -> list[Case]:
    def peer(codes: Tensor, num_codes: int) -> Tensor:
        places = np.broadcast_to(np.arange(codes.shape[-1]), codes.shape)
        return torch.from_numpy(np.ravel_multi_index((places, codes.numpy()), (codes.shape[-1], num_codes)))

    shapes = ((1,), (4,), (2, 3), (2, 3, 4))
    return [call(peer, torch.tensor([1, 0]), 2), *(call(peer, _drawn_codes(7, seed, *shape), 7) for shape in shapes)]


def local_stream(model: LocalModel, hidden: Tensor, before: Tensor) -> Tensor:
    """The stream (n, w) after the codes `before` of a token: tables looked up place by place, added up, and PyTorch's layers."""
    tables, width = model.code_embedding.weight.split(model.num_codes), hidden.shape[-1]
    read = [F.embedding(codes, table) for codes, table in zip(before.unbind(dim=1), tables, strict=False)]
    x = torch.stack([hidden, *read, model.place_embedding.weight[before.shape[1]].expand_as(hidden)]).sum(dim=0)
    layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width, bias=False), nn.GELU(), nn.Linear(2 * width, width, bias=False))
    weights = {"0.weight": model.norm.weight, "1.weight": model.expand.weight, "3.weight": model.contract.weight}
    given = weights | {"0.bias": torch.zeros_like(model.norm.weight)}
    return x + torch.func.functional_call(layers.double(), given, x)


def _local(seed: int) -> list[Case]:
    return [case for shape in _SHAPES for case in _cases(shape, seed)]


def _cases(shape: tuple[int, int, int, int, int], seed: int) -> list[Case]:
    n, k, g, num_codes, width = shape
    hidden, codes, direction = numbers(seed, n, k, width), _drawn_codes(num_codes, seed, n, k, g), numbers(seed + 1, n, k, g, width)

    def build(version: Callable[..., Any]) -> Any:
        return filled(version(width, num_codes, g), seed)

    def answer(model: Any, stream: Tensor) -> dict[str, Any]:
        return {"stream": stream.detach(), **gradients_by_name((stream * direction).sum(), model)}

    def peer() -> dict[str, Any]:
        model = build(LocalModel)
        each = [local_stream(model, hidden.flatten(0, 1), codes.flatten(0, 1)[:, :place]) for place in range(g)]
        return answer(model, torch.stack(each, dim=1).unflatten(0, (n, k)))

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        model = build(version)
        return answer(model, lent(model, "hidden codes", hidden, codes))

    def step(place: int) -> Case:
        written = codes[:, 0, :place]
        return scenario(
            f"{said}, step after {place} codes",
            f"{said}, step après {place} codes",
            lambda: local_stream(build(LocalModel), hidden[:, 0], written).detach(),
            lambda version: lent(build(version).step, "hidden written", hidden[:, 0], written).detach(),
            n * width * (place + 1),
        )

    said = ", ".join(f"{name} {value}" for name, value in zip("nkg", shape, strict=False)) + f", num_codes {num_codes}, w {width}"
    return [*(step(place) for place in range(g)), scenario(said, said, peer, ask, n * k * g * width)]


REFERENCES = [
    Reference("local_model:by_place", "numpy.ravel_multi_index", cases=_by_place, tolerance=0.0),
    Reference("local_model:LocalModel", "torch.nn.LayerNorm, Linear, GELU", cases=_local, tolerance=1e-12),
]
