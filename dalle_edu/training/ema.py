"""EMA: an exponential moving average of the weights, which draws better than the weights of any one moment."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class EMA:
    """An exponential moving average of weights, kept beside them; it draws better than the weights of any one moment."""

    def __init__(self, parameters: Iterable[tuple[str, Tensor]], decay: float = 0.995):
        self.decay = decay
        self.weights = {name: parameter.detach().clone() for name, parameter in parameters}

    @torch.no_grad()
    def update(self, parameters: Sequence[tuple[str, Tensor]], count: int) -> None:
        """Move towards the weights; early on the average is shorter, so that it soon forgets where training began."""
        decay = min(self.decay, (1 + count) / (10 + count))
        torch._foreach_lerp_([self.weights[name] for name, _ in parameters], [p.detach() for _, p in parameters], 1 - decay)

    @torch.no_grad()
    def swap(self, parameters: Sequence[tuple[str, Tensor]]) -> None:
        """Exchange the average and the weights; twice puts everything back, bit for bit."""
        for name, parameter in parameters:
            weights = parameter.detach().clone()
            parameter.copy_(self.weights[name])
            self.weights[name].copy_(weights)
