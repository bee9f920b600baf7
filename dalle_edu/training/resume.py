"""Resuming: a run that was killed goes on from its last checkpoint exactly as if it had never stopped.

`checkpoint.safetensors` holds the system's weights and, in the middle of a stage, the optimisers' state and the moving average. Its header
says which stage is next and what every clock reads. What was logged after the checkpoint is dropped, and logged again.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.loading import go_on_from, lay_foundations
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.ema import EMA
from dalle_edu.training.log import RunLog
from dalle_edu.training.optimizers import load_optimizer_tensors, optimizer_tensors
from dalle_edu.training.run import Clock, Run


@dataclass
class Progress:
    """How far a run has come: the index of the stage to go on with, a clock for each stage, the tensors of the checkpoint, and the runs
    that made the weights with which this one began, the oldest first.
    """

    stage: int
    clocks: list[Clock]
    tensors: dict[str, Tensor]
    before: list[dict[str, Any]]


def begin(run: Run, system: Trainable, stages: Sequence[Stage], folder: Path, write: bool, log: RunLog) -> Progress:
    """Load into a system the weights with which a run begins, and return how far it has come. The weights are those of the folder's
    checkpoint; else those named by `begin_with`; else random ones, and those of the foundations.

    With `write`, which the first process has, `run.json` is written and the log trimmed. Raises `DalleEduError` where the folder holds a
    run with other settings, or weights to begin with do not fit.
    """
    path = folder / "checkpoint.safetensors"
    if path.exists():
        progress = _from_checkpoint(run, system, folder, path)
    elif run.begin_with is not None:
        progress = Progress(0, new_clocks(run, stages), {}, go_on_from(system, run.begin_with))
    else:
        lay_foundations(system, run.foundations)
        progress = Progress(0, new_clocks(run, stages), {}, [])
    if write:
        asked = json.dumps(asdict(run), indent=2) + "\n"
        write_aside(folder / "run.json", lambda file: file.write(asked.encode()))
        reached = {stage.name: progress.clocks[i].update if i <= progress.stage else 0 for i, stage in enumerate(stages)}
        log.trim(reached)
    return progress


def new_clocks(run: Run, stages: Sequence[Stage]) -> list[Clock]:
    """A clock for each stage, with its share of the run's updates or minutes. What stages that are not trained would take goes to the
    others.
    """
    chosen = [stage for stage in stages if run.trains(stage.name)]
    share, updates_share = sum(stage.share for stage in chosen), sum(stage.updates_share for stage in chosen)
    clocks = []
    for stage in stages:
        updates = None if run.updates is None else max(1, round(run.updates * stage.updates_share / updates_share))
        seconds = None if run.minutes is None else run.minutes * 60 * stage.share / share
        clocks.append(Clock(updates, seconds))
    return clocks


def _from_checkpoint(run: Run, system: Trainable, folder: Path, path: Path) -> Progress:
    """Load a checkpoint's weights into a system.

    Raises `DalleEduError` where the checkpoint is of a run with other settings, or of a version that called its tensors otherwise, as 0.1
    called the average.
    """
    tensors, metadata = load_checkpoint(path)
    asked_now = asdict(run)
    begun_with = asked_now | metadata["run"] if "run" in metadata else {}  # an older version wrote fewer settings
    if begun_with != asked_now:
        settings = ", ".join(f"{name} {begun_with[name]}" for name in begun_with if begun_with[name] != asked_now.get(name))
        raise DalleEduError(
            f"{folder} holds a run with other settings ({settings}); give the same, or use another folder",
            f"{folder} contient un entraînement à d'autres réglages ({settings}) ; reprenez-les, ou prenez un autre dossier",
        )
    weights = _part(tensors, "system.")
    if _part(tensors, "average.") or weights.keys() != system.state_dict().keys():
        raise DalleEduError(
            f"{path} was left unfinished by another version of dalle_edu; finish the run with that version, or use another folder",
            f"{path} a été laissé inachevé par une autre version de dalle_edu ; finissez-le avec elle, ou prenez un autre dossier",
        )
    system.load_state_dict(weights)
    clocks = [Clock(**clock) for clock in metadata["clocks"]]
    return Progress(metadata["stage"], clocks, tensors, metadata.get("before", []))


def restore(tensors: dict[str, Tensor], optimizers: Sequence[torch.optim.Optimizer], ema: EMA) -> None:
    """Load the state of a checkpoint into the optimisers and the average of its stage, if it was saved in the middle of one."""
    averaged = _part(tensors, "ema.")
    if averaged:
        load_optimizer_tensors(optimizers, _part(tensors, "optimizer."))
        ema.weights = {name: averaged[name].to(weights.device) for name, weights in ema.weights.items()}


def save_progress(
    folder: Path,
    system: Trainable,
    stage: int,
    clocks: Sequence[Clock],
    optimizers: Sequence[torch.optim.Optimizer],
    ema: EMA | None,
    metadata: dict[str, Any],
) -> None:
    """Write the checkpoint of a run, whole or not at all. `stage` is the index of the stage to go on with; without optimisers and an
    average it starts from its first update. Raises `DalleEduError` where the file cannot be written.
    """
    tensors = {f"system.{name}": value for name, value in system.state_dict().items()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer_tensors(optimizers).items()}
    tensors |= {f"ema.{name}": value for name, value in (ema.weights if ema else {}).items()}
    clocked = metadata | {"stage": stage, "clocks": [asdict(clock) for clock in clocks]}
    save_checkpoint(folder / "checkpoint.safetensors", tensors, clocked)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
