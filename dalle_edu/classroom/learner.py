"""How experiments train: the course's own optimisers on any model, in one line a step."""

import torch
from torch import Tensor, nn

from dalle_edu.training.muon import Muon


class Learner:
    """Muon for the matrices and kernels of the parts named in `muon`, AdamW for the rest, as `training.py` does for systems.

    With `parts`, only what their names begin with learns: an adversary within the model is left alone.
    """

    def __init__(
        self,
        model: nn.Module,
        muon: tuple[str, ...] = (),
        learning_rate: float = 3e-3,
        matrix_learning_rate: float = 2e-2,
        parts: tuple[str, ...] = ("",),
    ):
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad and name.startswith(parts)]
        by_muon = {name for name, parameter in named if muon and name.startswith(muon) and parameter.ndim >= 2}
        self.parameters = [parameter for _, parameter in named]
        rest = [parameter for name, parameter in named if name not in by_muon]
        self.optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=learning_rate, betas=(0.9, 0.98))]
        if by_muon:
            self.optimizers.append(Muon([parameter for name, parameter in named if name in by_muon], lr=matrix_learning_rate))
        self.peaks = [learning_rate, matrix_learning_rate]

    def step(self, loss: Tensor, rate: float = 1.0) -> None:
        """One update; `rate` is the learning rate as a part of its peak."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer, peak in zip(self.optimizers, self.peaks, strict=False):
            optimizer.param_groups[0]["lr"] = peak * rate
            optimizer.step()
