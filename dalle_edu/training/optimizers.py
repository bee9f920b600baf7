"""The optimisers of a stage, Muon for matrices and convolution kernels and AdamW for everything else, and their state as tensors."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import torch
from torch import Tensor, nn

from dalle_edu.device import choose_device
from dalle_edu.systems.interface.trainable import Stage, Trainable
from dalle_edu.training.muon import Muon


def build_optimizers(system: Trainable, stage: Stage, pool: Executor | None = None) -> list[torch.optim.Optimizer]:
    """The optimisers of a stage: AdamW, and Muon if the stage names parts for it. Embeddings are a second group of AdamW where the stage
    gives them a rate of their own. Each group has its peak learning rate under "peak", beside "lr", which the loop sets at each update.
    Muon shares its work among the threads of `pool`, where there is one.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in trained_parameters(system, stage):
        by_muon = parameter.ndim >= 2 and name.startswith(stage.muon) if stage.muon else False
        (matrices if by_muon else rest).append(parameter)
    fused = system.device.type in ("cpu", "cuda")
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            _groups(system, rest, stage), lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=stage.weight_decay, fused=fused
        )
    ]
    if matrices:
        bfloat16 = choose_device(str(system.device)).bfloat16  # False where bfloat16 is emulated, and so slow
        precision = torch.bfloat16 if bfloat16 else torch.float32
        optimizers.append(Muon(matrices, lr=stage.matrix_learning_rate, weight_decay=stage.weight_decay, precision=precision, pool=pool))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def _groups(system: Trainable, parameters: list[nn.Parameter], stage: Stage) -> list[dict[str, Any]]:
    """What AdamW trains, as one group; as two, embeddings last, where these have another rate."""
    if stage.embeddings_rate == 1:
        return [{"params": parameters}]
    tables = {id(module.weight) for module in system.modules() if isinstance(module, nn.Embedding)}
    starts = {id(parameter) for name, parameter in system.named_parameters() if name.split(".")[-1] == "start"}
    embeddings = [parameter for parameter in parameters if id(parameter) in tables | starts]
    others = [parameter for parameter in parameters if id(parameter) not in tables | starts]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": embeddings, "lr": stage.learning_rate * stage.embeddings_rate}]
    return [group for group in groups if group["params"]]


def trained_parameters(system: Trainable, stage: Stage) -> list[tuple[str, nn.Parameter]]:
    """The parameters of the parts that a stage trains, with their names."""
    return [
        (name, parameter) for name, parameter in system.named_parameters() if name.startswith(tuple(part + "." for part in stage.parts))
    ]


def optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """The state of optimisers as tensors by name ("0.3.exp_avg": optimiser, parameter, moment), for a safetensors file."""
    return {
        f"{rank}.{index}.{key}": value
        for rank, optimizer in enumerate(optimizers)
        for index, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }


def misfit(optimizers: Sequence[torch.optim.Optimizer], tensors: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor that is no part of these optimisers' state, or that lacks others; None where all fit. Parameters that never had
    a gradient have no state.
    """
    expected: dict[str, tuple[int, ...]] = {}
    for rank, optimizer in enumerate(optimizers):
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for index, parameter in enumerate(parameters):
            names = ("momentum_buffer",) if isinstance(optimizer, Muon) else ("exp_avg", "exp_avg_sq", "step")
            if any(f"{rank}.{index}.{name}" in tensors for name in names):
                expected |= {f"{rank}.{index}.{name}": () if name == "step" else tuple(parameter.shape) for name in names}
    if tensors.keys() != expected.keys():
        return f"optimizer.{min(tensors.keys() ^ expected.keys())}"
    wrong = (name for name, value in tensors.items() if tuple(value.shape) != expected[name] or value.dtype != torch.float32)
    return next((f"optimizer.{name}" for name in wrong), None)


def load_optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    """Restore the state that `optimizer_tensors` gave. Each moment takes the memory layout of its parameter, since fused steps go through
    both in memory order.
    """
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
