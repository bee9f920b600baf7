"""Muon: momentum made orthogonal, for matrices and convolution kernels (Jordan et al. 2024)."""

from collections.abc import Callable, Iterable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal (Jordan et al. 2024): every direction of a matrix learns at the same pace.

    The momentum U S Vᵀ of each matrix is replaced by U Vᵀ. PyTorch's own takes matrices only; this one takes convolution kernels too,
    (out, in, height, width), as matrices of (out, in x height x width). `precision` is that of the products which make momenta orthogonal.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        precision: torch.dtype = torch.bfloat16,
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.precision = precision

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}  # matrices of one shape are turned together: many small products are slow
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike.setdefault((len(parameter), parameter[0].numel()), []).append(parameter)
            for (rows, columns), parameters in alike.items():
                ahead = torch.stack([self._ahead(parameter, group["momentum"]).flatten(1) for parameter in parameters])
                directions = orthogonal(ahead, self.precision)
                for parameter, direction in zip(parameters, directions, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(direction.reshape(parameter.shape), alpha=-group["lr"] * max(1, rows / columns) ** 0.5)
        return loss

    def _ahead(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Where the momentum will be after one more gradient like this one (Nesterov)."""
        state, gradient = self.state[parameter], cast(Tensor, parameter.grad)
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return gradient.lerp(state["momentum_buffer"].lerp_(gradient, 1 - momentum), momentum)


def orthogonal(matrices: Float[Tensor, "s m n"], precision: torch.dtype = torch.bfloat16) -> Float[Tensor, "s m n"]:
    """Roughly U Vᵀ of the singular value decomposition U S Vᵀ of each matrix of a stack: five steps of an odd polynomial that draws every
    singular value near 1 (a Newton-Schulz iteration with the coefficients of Jordan et al. 2024), all of it matrix products."""
    wide = matrices.shape[1] <= matrices.shape[2]
    x = (matrices if wide else matrices.mT).to(precision)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.mT
        change = torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)  # -4.7750 gram + 2.0315 gram²
        x = torch.baddbmm(x, change, x, beta=3.4445)
    return (x if wide else x.mT).to(matrices.dtype)
