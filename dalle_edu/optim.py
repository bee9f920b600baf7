"""How weights move: Muon for matrices and convolution kernels, AdamW for everything else, one schedule, and an average of the weights."""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.device import choose_device
from dalle_edu.systems.trainable import Stage, Trainable


def build_optimizers(system: Trainable, stage: Stage) -> list[torch.optim.Optimizer]:
    """The optimisers of a stage: Muon for the matrices and kernels that its recipe names, AdamW for the rest."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in trained_parameters(system, stage):
        by_muon = parameter.ndim >= 2 and name.startswith(stage.muon) if stage.muon else False
        (matrices if by_muon else rest).append(parameter)
    fused = system.device.type in ("cpu", "cuda")
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=stage.weight_decay, fused=fused)
    ]
    if matrices:
        bfloat16 = choose_device(str(system.device)).bfloat16  # where it is emulated, it is slow
        precision = torch.bfloat16 if bfloat16 else torch.float32
        optimizers.append(Muon(matrices, lr=stage.matrix_learning_rate, weight_decay=stage.weight_decay, precision=precision))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


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


def trained_parameters(system: Trainable, stage: Stage) -> list[tuple[str, nn.Parameter]]:
    """The parameters that a stage trains, with their names."""
    return [
        (name, parameter) for name, parameter in system.named_parameters() if name.startswith(tuple(part + "." for part in stage.parts))
    ]


def schedule(update: int, progress: float, warmup: int = 30) -> float:
    """The learning rate as a part of its peak: up over the first updates, then straight down to zero (Bergsma et al. 2025)."""
    return min(1.0, (update + 1) / warmup) * max(0.0, 1 - progress)


class Average:
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


def optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """The state of optimisers as named tensors, for a safetensors file."""
    return {
        f"{rank}.{index}.{key}": value
        for rank, optimizer in enumerate(optimizers)
        for index, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }


def load_optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` took, each moment in the memory layout of its parameter: fused steps walk both in memory order."""
    for rank, optimizer in enumerate(optimizers):
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            owner, index, key = name.split(".", 2)
            if int(owner) == rank:
                parameter = parameters[int(index)]
                like = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
                state.setdefault(int(index), {})[key] = like
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
