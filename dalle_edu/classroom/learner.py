"""The optimisers of the experiments: Muon and AdamW on any model."""

import torch
from torch import Tensor, nn

from dalle_edu.training.muon import Muon


class Learner:
    """Two optimisers for one model: Muon for matrices and kernels of the parts named in `muon`, AdamW for all other parameters.

    Systems are trained with the same two (`build_optimizers`, in `dalle_edu/training/optimizers.py`). Only parameters whose names begin
    with one of `parts` are trained, so that a discriminator within the model can have a learner of its own. `learning_rate` is AdamW's,
    `matrix_learning_rate` is Muon's.
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
        self.optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=learning_rate, betas=(0.9, 0.98), fused=True)]
        if by_muon:
            self.optimizers.append(Muon([parameter for name, parameter in named if name in by_muon], lr=matrix_learning_rate))
        self.peaks = [learning_rate, matrix_learning_rate]

    def step(self, loss: Tensor, rate: float = 1.0) -> None:
        """One update with gradients clipped to norm 1; `rate` in [0, 1] scales both learning rates."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer, peak in zip(self.optimizers, self.peaks, strict=False):
            optimizer.param_groups[0]["lr"] = peak * rate
            optimizer.step()
