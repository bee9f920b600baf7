"""Resuming: a run that was killed goes on from its last checkpoint exactly as if it had never stopped.

`checkpoint.safetensors` holds the system's weights and, in the middle of a stage, the optimisers' state and the moving average. Its header
says which stage is next and what every clock reads. `checkpoint.before.safetensors` is the one before it, which a run goes on from where
the newest is damaged. What was logged after the checkpoint is dropped, and logged again.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.datasets.source import Source
from dalle_edu.errors import DalleEduError, reasons
from dalle_edu.files import write_aside
from dalle_edu.language import say
from dalle_edu.loading import go_on_from, lay_foundations
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.checks import Damaged, check_tensors, clocks_of, descriptions, same_settings, same_source
from dalle_edu.training.clock import Clock
from dalle_edu.training.ema import EMA
from dalle_edu.training.folder import BEFORE, CHECKPOINT, WRITTEN
from dalle_edu.training.log import RunLog
from dalle_edu.training.optimizers import load_optimizer_tensors, optimizer_tensors
from dalle_edu.training.run import Run


@dataclass
class RunProgress:
    """How far a run has come: the index of the stage to go on with, a clock for each stage, the tensors of the checkpoint, the runs that
    made the weights with which this one began, the oldest first, and the conditions under which the checkpoint was saved.
    """

    stage: int
    clocks: list[Clock]
    tensors: dict[str, Tensor]
    before: list[dict[str, Any]]
    conditions: dict[str, Any]

    def to_bytes(self, system: Trainable) -> bytes:
        """This progress and a system's weights, for `from_bytes` in another process."""
        said = {"stage": self.stage, "clocks": [asdict(clock) for clock in self.clocks], "before": self.before}
        tensors = {name: value for name, value in self.tensors.items() if not name.startswith("system.")} | _weights(system)
        return to_bytes({name: value.cpu().contiguous() for name, value in tensors.items()}, {"progress": json.dumps(said)})

    @classmethod
    def from_bytes(cls, contents: bytes, system: Trainable) -> "RunProgress":
        """The progress that another process of this run has sent; its weights are loaded into a system."""
        tensors = from_bytes(contents)
        length = int.from_bytes(contents[:8], "little")
        said = json.loads(json.loads(contents[8 : 8 + length])["__metadata__"]["progress"])
        system.load_state_dict(_part(tensors, "system."))
        return cls(said["stage"], [Clock(**clock) for clock in said["clocks"]], tensors, said["before"], {})


def begin(
    run: Run,
    source: Source,
    system: Trainable,
    stages: Sequence[Stage],
    folder: Path,
    log: RunLog,
    tell: Callable[[str], object] = print,
) -> RunProgress:
    """Load into a system the weights with which a run begins, and return how far it has come. The weights are those of the folder's
    newest whole checkpoint; else those named by `begin_with`; else random ones, and those of the foundations.

    `run.json` is written and the log trimmed. `tell` is called with a sentence where the newest checkpoint is damaged. Raises
    `DalleEduError` where the folder holds a run with other settings or of another source, or only damaged checkpoints, and where weights to
    begin with do not fit or are not finite.
    """
    progress = _newest(run, source, system, stages, folder, tell)
    reached = None
    if progress is not None:
        reached = {stage.name: progress.clocks[i].update if i <= progress.stage else 0 for i, stage in enumerate(stages)}
    elif run.begin_with is not None:
        progress = RunProgress(0, new_clocks(run, stages), {}, go_on_from(system, run.begin_with, tell), {})
    else:
        lay_foundations(system, run.foundations)
        progress = RunProgress(0, new_clocks(run, stages), {}, [], {})
    asked = json.dumps(asdict(run), indent=2) + "\n"
    write_aside(folder / "run.json", lambda file: file.write(asked.encode()))
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


def _newest(
    run: Run, source: Source, system: Trainable, stages: Sequence[Stage], folder: Path, tell: Callable[[str], object]
) -> RunProgress | None:
    """The progress of the newest whole checkpoint, whose weights are loaded into a system; None where the folder has no checkpoint.

    A damaged one is renamed and told. Raises `DalleEduError` where there are only damaged ones, which are left alone.
    """
    damaged: dict[Path, str] = {}
    for path in (folder / CHECKPOINT, folder / BEFORE):
        if not os.path.lexists(path):
            continue
        try:
            progress = _read(run, source, system, stages, folder, path)
        except Damaged as error:
            damaged[path] = str(error)
            continue
        for place, why in damaged.items():
            _put_aside(place, why, tell)
        return progress
    if damaged:
        path, why = next(iter(damaged.items()))
        raise DalleEduError(
            f"{path} cannot be gone on from: {why}; use another folder (--run), or finish the run with the version that began it",
            f"on ne peut pas reprendre à partir de {path} : {why} ; prenez un autre dossier (--run), ou finissez l'entraînement avec la"
            " version qui l'a commencé",
        )
    return None


def _read(run: Run, source: Source, system: Trainable, stages: Sequence[Stage], folder: Path, path: Path) -> RunProgress:
    """Load a checkpoint's weights into a system, once everything in it is known to fit.

    Raises `Damaged` where the checkpoint is no whole one of this recipe, and `DalleEduError` where it is of a run with other settings or of
    another source.
    """
    if not os.path.isfile(path):
        raise Damaged("it is no file", "ce n'est pas un fichier")
    try:
        tensors, metadata = load_checkpoint(path)
    except DalleEduError as error:
        why = str(error).partition(";")[0].rstrip()  # without what to do, which is another thing here
        if why.startswith(f"{path} "):
            why = say("it ", "il ") + why.removeprefix(f"{path} ")
        raise Damaged(why, why) from error
    same_settings(metadata.get("run") if "stage" in metadata or "clocks" in metadata else None, run, folder)
    same_source(metadata, source, folder)
    stage, clocks = clocks_of(metadata, new_clocks(run, stages), [run.trains(each.name) for each in stages])
    before, conditions = descriptions(metadata)
    check_tensors(tensors, system, stages[stage] if stage < len(stages) else None, clocks[stage].update if stage < len(stages) else 0)
    system.load_state_dict(_part(tensors, "system."))
    return RunProgress(stage, clocks, tensors, before, conditions)


def _put_aside(path: Path, why: str, tell: Callable[[str], object]) -> None:
    """Rename a damaged checkpoint, so that it never takes the place of a whole one. Raises `DalleEduError` where it cannot be renamed."""
    aside = path.with_name("checkpoint.damaged.safetensors")
    try:
        if os.path.isdir(aside):
            aside = aside.with_name(f"checkpoint.damaged-{os.getpid()}.safetensors")
        os.replace(path, aside)
    except OSError as error:
        en, fr = reasons(error)
        raise DalleEduError(f"{path} is damaged and in the way: {en}; move it away", f"{path}, abîmé, gêne : {fr} ; déplacez-le") from error
    tell(
        say(
            f"{path} is damaged: {why}; it is now called {aside.name}, and the run goes on from the checkpoint before it, whole",
            f"{path} est abîmé : {why} ; il s'appelle maintenant {aside.name}, et l'entraînement reprend de la sauvegarde d'avant, entière",
        )
    )


def restore(tensors: dict[str, Tensor], optimizers: Sequence[torch.optim.Optimizer], ema: EMA) -> None:
    """Load the state of a checkpoint into the optimisers and the average of its stage, if it was saved in the middle of one."""
    averaged = _part(tensors, "ema.")
    if averaged:
        load_optimizer_tensors(optimizers, _part(tensors, "optimizer."))
        ema.weights = {name: averaged[name].to(weights.device) for name, weights in ema.weights.items()}


def progress_tensors(system: Trainable, optimizers: Sequence[torch.optim.Optimizer], ema: EMA | None) -> dict[str, Tensor]:
    """What a checkpoint holds: the weights of a system, the state of optimisers and an average, none of them copied."""
    tensors = _weights(system)
    tensors |= {f"optimizer.{name}": value for name, value in optimizer_tensors(optimizers).items()}
    return tensors | {f"ema.{name}": value for name, value in (ema.weights if ema else {}).items()}


def save_progress(folder: Path, tensors: dict[str, Tensor], stage: int, clocks: Sequence[Clock], metadata: dict[str, Any]) -> None:
    """Write the checkpoint of a run, whole or not at all, and keep the one before it. `stage` is the index of the stage to go on with, and
    `tensors` come from `progress_tensors`: where they hold no optimisers and no average, it starts from its first update.

    Killed at any moment, it leaves a whole checkpoint under one of the two names. Raises `DalleEduError` where the file cannot be written.
    """
    clocked = metadata | {"stage": stage, "clocks": [asdict(clock) for clock in clocks]}
    save_checkpoint(folder / WRITTEN, tensors, clocked)
    path = folder / CHECKPOINT
    try:
        if path.exists():
            os.replace(path, folder / BEFORE)
        os.replace(folder / WRITTEN, path)
    except OSError as error:
        en, fr = reasons(error)
        raise DalleEduError(f"{path} could not be written: {en}", f"{path} n'a pas pu être écrit : {fr}") from error


def _weights(system: Trainable) -> dict[str, Tensor]:
    return {f"system.{name}": value for name, value in system.state_dict().items()}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
