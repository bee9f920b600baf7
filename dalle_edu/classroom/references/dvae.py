"""The discrete VAE against PyTorch's Gumbel-softmax and distributions."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _log_q() -> Tensor:
    return (2 * torch.randn(3, 4, 4, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).log_softmax(dim=-1)


def _gumbel(version: Any) -> float:
    """On the same noise: PyTorch draws exponential numbers, and -log of a uniform number is one."""
    logits, differences = _log_q(), []
    for hard in (False, True):
        ours = version(logits, 0.6, hard, torch.Generator().manual_seed(4))
        uniform = torch.empty_like(logits).uniform_(1e-7, 1, generator=torch.Generator().manual_seed(4))
        drawn = torch.Tensor.exponential_
        torch.Tensor.exponential_ = lambda self, noise=uniform: noise.log().neg()  # type: ignore[assignment,method-assign,misc]
        try:
            theirs = F.gumbel_softmax(logits, tau=0.6, hard=hard)
        finally:
            torch.Tensor.exponential_ = drawn  # type: ignore[method-assign]
        differences.append(gap(ours, theirs))
    return max(differences)


def _kl(version: Any) -> float:
    log_q = _log_q()
    uniform = Categorical(logits=torch.zeros(9, dtype=torch.float64))
    return max(gap(version(part), kl_divergence(Categorical(logits=part), uniform).mean()) for part in (log_q, log_q[:1, :2]))


def _entropy(version: Any) -> float:
    log_q = _log_q()
    weight = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weighted = (log_q.exp() * weight[..., None]).sum(dim=(0, 1, 2)) / weight.sum()
    expected = [Categorical(probs=log_q.exp().mean(dim=(0, 1, 2))).entropy(), Categorical(probs=weighted).entropy()]
    return max(gap(version(log_q), expected[0]), gap(version(log_q, weight), expected[1]))


REFERENCES = [
    Reference(
        "dvae:gumbel_softmax",
        say("torch.nn.functional.gumbel_softmax, on the same noise", "torch.nn.functional.gumbel_softmax, sur le même bruit"),
        _gumbel,
        1e-6,
    ),
    Reference("dvae:kl_to_uniform", "torch.distributions.kl_divergence", _kl, 1e-10),
    Reference("dvae:codebook_entropy", "torch.distributions.Categorical.entropy", _entropy, 1e-10),
]
