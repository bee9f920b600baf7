"""The discrete VAE against PyTorch's Gumbel-softmax and distributions."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from dalle_edu.classroom.checking.asking import numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say


def _log_q(seed: int, *shape: int) -> Tensor:
    return (2 * numbers(seed, *shape)).log_softmax(dim=-1)


def _even(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64).log_softmax(dim=-1)


def _gumbel(seed: int) -> list[Case]:
    """On the same noise: PyTorch draws exponential numbers, and -log of a uniform number is one."""

    def peer(logits: Tensor, temperature: float, hard: bool = False, generator: torch.Generator | None = None) -> Tensor:
        uniform = torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)
        drawn = torch.Tensor.exponential_
        torch.Tensor.exponential_ = lambda self, noise=uniform: noise.log().neg()  # type: ignore[assignment,method-assign,misc]
        try:
            return F.gumbel_softmax(logits, tau=temperature, hard=hard)
        finally:
            torch.Tensor.exponential_ = drawn  # type: ignore[method-assign]

    def case(logits: Tensor, temperature: float, hard: bool, number: int) -> Case:
        return call(peer, logits, temperature, hard, torch.Generator().manual_seed(number), may_change=("generator",))

    few = torch.tensor([0.0, 1.0], dtype=torch.float64)
    wide = _log_q(seed, 3, 4, 4, 9)
    learned = [numbers(seed + place, 4, 5, gradient=True) for place in (1, 2)]
    return [
        case(few, 1.0, False, 4),
        case(few, 1.0, True, 4),
        case(few, 0.1, False, 5),
        case(10 * few, 0.005, False, 6),
        case(wide, 0.6, False, seed),
        case(wide, 0.6, True, seed),
        case(learned[0], 0.5, False, seed),
        case(learned[1], 2.0, True, seed + 1),
    ]


def _learned(peer: Callable[..., Tensor], logits: Tensor, *rest: Tensor) -> Case:
    """The gradient with respect to logits: that with respect to log q would depend on how a sum of 1 is used."""

    def gradient(function: Callable[..., Tensor]) -> Tensor:
        given = logits.clone().requires_grad_()
        value = function(given.log_softmax(dim=-1), *rest)
        return torch.autograd.grad(value, given)[0] if value.requires_grad else torch.zeros_like(given)

    size = " × ".join(map(str, logits.shape))
    en, fr = f"logits of {size}, and the gradient that reaches them", f"des logits de {size}, et le gradient qui leur revient"
    return scenario(en, fr, lambda: gradient(peer), gradient)


def _kl(seed: int) -> list[Case]:
    def peer(log_q: Tensor) -> Tensor:
        uniform = Categorical(logits=torch.zeros(log_q.shape[-1], dtype=log_q.dtype))
        return kl_divergence(Categorical(logits=log_q), uniform).mean()

    few = torch.tensor([0.25, 0.75], dtype=torch.float64).log()
    shapes = ((3, 4, 4, 9), (1, 2, 5), (6, 3))
    given = [_even(2), few, _even(2, 3), *(_log_q(seed + i, *shape) for i, shape in enumerate(shapes))]
    return [*(call(peer, each) for each in given), _learned(peer, numbers(seed, 4, 3))]


def _entropy(seed: int) -> list[Case]:
    def peer(log_q: Tensor, weight: Tensor | None = None) -> Tensor:
        q = log_q.exp().reshape(-1, log_q.shape[-1])
        share = torch.ones(len(q), dtype=q.dtype) if weight is None else weight.reshape(-1)
        return Categorical(probs=(q * share[:, None]).sum(dim=0) / share.sum()).entropy()

    apart = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64).log()
    only_first = torch.tensor([1.0, 0.0], dtype=torch.float64)
    certain = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64).log()
    wide, weight = _log_q(seed, 3, 4, 4, 9), torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return [
        call(peer, _even(1, 2)),
        call(peer, apart),
        call(peer, apart, only_first),
        call(torch.tensor(0.0, dtype=torch.float64), certain),
        call(peer, wide),
        call(peer, wide, weight),
        call(peer, wide, weight=3 * weight),
        call(peer, _log_q(seed + 1, 7, 5)),
        _learned(peer, numbers(seed, 4, 3)),
        _learned(peer, numbers(seed + 2, 4, 3), weight[0, 0]),
    ]


REFERENCES = [
    Reference(
        "dvae:gumbel_softmax",
        say("torch.nn.functional.gumbel_softmax, on the same noise", "torch.nn.functional.gumbel_softmax, sur le même bruit"),
        cases=_gumbel,
        tolerance=1e-6,
    ),
    Reference("dvae:kl_to_uniform", "torch.distributions.kl_divergence", cases=_kl, tolerance=1e-10),
    Reference("dvae:codebook_entropy", "torch.distributions.Categorical.entropy", cases=_entropy, tolerance=1e-10),
]
