"""EMA: an exponential moving average of the weights during training, which averages out the noise of single updates."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class EMA:
    """An exponential moving average of weights, kept beside them. Systems draw better with it than with the weights of a single update.

    `parameters` are names and tensors, in a fixed order. `decay`, in [0, 1), is the weight of the average against the new weights.
    """

    def __init__(self, parameters: Iterable[tuple[str, Tensor]], decay: float = 0.995):
        self.decay = decay
        self.weights = {name: parameter.detach().clone() for name, parameter in parameters}

    @torch.no_grad()
    def update(self, parameters: Sequence[tuple[str, Tensor]], count: int) -> None:
        """Move the average towards the weights. `count` is the number of updates before this one: early on the decay is smaller, so that
        the random weights with which training began are soon forgotten.
        """
        decay = min(self.decay, (1 + count) / (10 + count))
        torch._foreach_lerp_([self.weights[name] for name, _ in parameters], [p.detach() for _, p in parameters], 1 - decay)

    @torch.no_grad()
    def swap(self, parameters: Sequence[tuple[str, Tensor]]) -> None:
        """Exchange the average and the weights. A second call puts both back, bit for bit."""
        for name, parameter in parameters:
            weights = parameter.detach().clone()
            parameter.copy_(self.weights[name])
            self.weights[name].copy_(weights)
