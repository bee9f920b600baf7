"""Muon: an optimiser of matrices and convolution kernels, whose momentum is made orthogonal (Jordan et al. 2024).

Letters: s matrices of one shape, m rows, n columns.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from itertools import repeat
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """An optimiser that replaces the momentum U S Vᵀ of each matrix by U Vᵀ, so that a step is equally long in all directions (Jordan et
    al. 2024).

    PyTorch's own Muon takes matrices only. This one takes convolution kernels too, (out, in, height, width), as matrices of (out,
    in x height x width). A step has length `lr` in each direction, times √(rows / columns) for a tall matrix. `precision` is the dtype of
    the products that make the momentum orthogonal. The threads of `pool`, if there is one, share these among them.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        precision: torch.dtype = torch.bfloat16,
        pool: Executor | None = None,
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.precision, self.pool = precision, pool

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update all parameters that have a gradient. Returns the loss that `closure` computes, if there is one."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}  # by shape: one large product is faster than many small ones
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike.setdefault((len(parameter), parameter[0].numel()), []).append(parameter)
            # the largest first, so that no thread begins with it when the others end
            shared = sorted(alike.items(), key=lambda each: -len(each[1]) * min(each[0]) * each[0][0] * each[0][1])
            ahead = (torch.stack([self._ahead(each, group["momentum"]).flatten(1) for each in parameters]) for _, parameters in shared)
            directions = (self.pool.map if self.pool else map)(orthogonal, ahead, repeat(self.precision))
            for ((rows, columns), parameters), turned in zip(shared, directions, strict=True):
                for parameter, direction in zip(parameters, turned, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(direction.reshape(parameter.shape), alpha=-group["lr"] * max(1, rows / columns) ** 0.5)
        return loss

    def _ahead(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Nesterov's momentum: what the momentum would be after one more gradient like this one."""
        state, gradient = self.state[parameter], cast(Tensor, parameter.grad)
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return gradient.lerp(state["momentum_buffer"].lerp_(gradient, 1 - momentum), momentum)


def orthogonal(matrices: Float[Tensor, "s m n"], precision: torch.dtype = torch.bfloat16) -> Float[Tensor, "s m n"]:
    """An approximation of U Vᵀ, from the singular value decomposition U S Vᵀ of each matrix.

    Five Newton-Schulz steps, with the coefficients of Jordan et al. 2024: an odd polynomial of the matrix, made of products alone, moves
    every singular value near 1. The products are computed in `precision`, and the result has the dtype of `matrices`.
    """
    wide = matrices.shape[1] <= matrices.shape[2]
    x = (matrices if wide else matrices.mT).to(precision)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.mT
        change = torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)  # -4.7750 gram + 2.0315 gram²
        x = torch.baddbmm(x, change, x, beta=3.4445)
    return (x if wide else x.mT).to(matrices.dtype)
