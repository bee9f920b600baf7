"""How weights move: Muon for the matrices of transformer blocks, AdamW for everything else, one schedule, and an average of the weights."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from dalle_edu.systems.system import Stage, System


def build_optimizers(system: System, stage: Stage) -> list[torch.optim.Optimizer]:
    """The optimisers of a stage: Muon (Jordan et al. 2024) where its recipe asks for it, AdamW for the rest.

    Muon replaces each matrix's momentum by the nearest orthogonal matrix, so that all directions learn at the same pace.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in trained_parameters(system, stage):
        by_muon = parameter.ndim == 2 and name.startswith(tuple(stage.muon)) if stage.muon else False
        (matrices if by_muon else rest).append(parameter)
    fused = system.device.type in ("cpu", "cuda")
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=stage.weight_decay, fused=fused)
    ]
    if matrices:
        optimizers.append(torch.optim.Muon(matrices, lr=stage.matrix_learning_rate, momentum=0.95, weight_decay=stage.weight_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def trained_parameters(system: System, stage: Stage) -> list[tuple[str, nn.Parameter]]:
    """The parameters that a stage trains, with their names."""
    return [(name, parameter) for name, parameter in system.named_parameters() if name.split(".")[0] in stage.parts]


def schedule(update: int, progress: float, warmup: int = 30, decay: float = 0.4) -> float:
    """The learning rate as a part of its peak: up over the first updates, level, then straight down to zero over the last part `decay`."""
    return min(1.0, (update + 1) / warmup) * min(1.0, max(0.0, 1 - progress) / decay)


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
