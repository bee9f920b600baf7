"""What a training checkpoint must hold, checked behind its seal: a right checksum does not say that this run can go on from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from dalle_edu.datasets.source import Source
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.clock import Clock
from dalle_edu.training.finite import not_finite
from dalle_edu.training.looks import LOOKS
from dalle_edu.training.optimizers import build_optimizers, misfit, trained_parameters
from dalle_edu.training.run import Run, is_finite, is_whole
from dalle_edu.world.catalogue import WORLD

_MOST = 2**53  # updates


class Damaged(DalleEduError):
    """A checkpoint that no run can go on from. The message says why, and not what to do: an older checkpoint may be whole."""


def same_settings(saved: Any, run: Run, folder: object) -> None:
    """Raise `Damaged` where what was saved are no settings, and `DalleEduError` where they are those of another run than `run`."""
    if not isinstance(saved, dict):
        raise Damaged(
            "it is no checkpoint of a run (perhaps finished weights, or another version's)",
            "ce n'est pas une sauvegarde d'entraînement (peut-être des poids finis, ou une autre version)",
        )
    now = asdict(run)
    begun_with = now | saved  # an older version wrote fewer settings
    if begun_with != now:
        settings = ", ".join(f"{name} {str(begun_with[name])[:60]}" for name in begun_with if begun_with[name] != now.get(name))[:300]
        raise DalleEduError(
            f"{folder} holds a run with other settings ({settings}); give the same, or use another folder",
            f"{folder} contient un entraînement à d'autres réglages ({settings}) ; reprenez-les, ou prenez un autre dossier",
        )


def same_source(metadata: Mapping[str, Any], source: Source, folder: object) -> None:
    """Raise `DalleEduError` where a checkpoint was trained on another source. An older version trained on the world of the shapes alone."""
    saved = metadata.get("source", {"fingerprint": f"world {WORLD}"})
    found = saved.get("fingerprint") if isinstance(saved, dict) else None
    if found != source.fingerprint:
        raise DalleEduError(
            f"{folder} holds a run on other pictures ({str(found)[:80]}, and now {source.fingerprint}); put back those that it began with,"
            " or use another folder (--run)",
            f"{folder} contient un entraînement sur d'autres images ({str(found)[:80]}, et maintenant {source.fingerprint}) ; remettez"
            " celles du début, ou prenez un autre dossier (--run)",
        )


def clocks_of(metadata: Mapping[str, Any], budgets: Sequence[Clock], trained: Sequence[bool]) -> tuple[int, list[Clock]]:
    """The index of the stage to go on with, and the clock of each stage. `budgets` are new clocks of this run, and `trained`
    says which stages it trains: those before the one to go on with are over. Raises `Damaged` where the metadata are of another kind, out
    of range or of another recipe.
    """
    stage, saved = metadata.get("stage"), metadata.get("clocks")
    if not is_whole(stage, 0, len(budgets)):
        raise _wrong("stage", stage)
    assert isinstance(stage, int)
    if not isinstance(saved, list) or len(saved) != len(budgets):
        raise _wrong("clocks", saved)
    names = {field.name for field in fields(Clock)}
    clocks = []
    for index, (values, budget) in enumerate(zip(saved, budgets, strict=True)):
        if not isinstance(values, dict) or set(values) != names:
            raise _wrong("clocks", values)
        most = _MOST if budget.budget_updates is None else budget.budget_updates
        begun = index <= stage
        if (
            not _same_budget(values, budget)
            or not is_whole(values["update"], 0, most if begun else 0)
            or not is_whole(values["looks"], 0, len(LOOKS) if begun else 0)
            or not all(is_finite(values[name]) for name in ("seconds", "cpu_seconds"))
        ):
            raise _wrong("clocks", values)
        clocks.append(Clock(**values))
        if index < stage and trained[index] and clocks[index].progress < 1:
            raise _wrong("stage", stage)
    return stage, clocks


def descriptions(metadata: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The runs that made the weights with which this one began, and the conditions of this one; empty where an older version wrote none.
    Raises `Damaged` where they are of another kind.
    """
    before, conditions = metadata.get("before", []), metadata.get("conditions", {})
    if not isinstance(before, list) or not all(isinstance(each, dict) for each in before):
        raise _wrong("before", before)
    if not isinstance(conditions, dict) or not all(isinstance(value, str | int | float) for value in conditions.values()):
        raise _wrong("conditions", conditions)
    return before, conditions


def check_tensors(tensors: Mapping[str, Tensor], system: Trainable, stage: Stage | None, update: int) -> None:
    """Raise `Damaged` unless a checkpoint's tensors are those of a system, and of the optimisers and the average of its stage, all finite.

    `stage` is the one to go on with, None after the last, and `update` what its clock says: after its first update there are optimisers
    and an average, before there are none.
    """
    parts: dict[str, dict[str, Tensor]] = {"system": {}, "optimizer": {}, "ema": {}}
    for name, tensor in tensors.items():
        part, _, inside = name.partition(".")
        if part not in parts:
            raise _another_version(name)
        parts[part][inside] = tensor
    strange = _unlike(parts["system"], system.state_dict())
    in_the_middle = stage is not None and update > 0
    if strange is None and stage is not None and in_the_middle:
        learning = dict(trained_parameters(system, stage))
        strange = _unlike(parts["ema"], learning) or misfit(build_optimizers(system, stage), parts["optimizer"])
    elif strange is None:
        strange = next(iter([*parts["ema"], *parts["optimizer"]]), None)
    if strange is not None:
        raise _another_version(strange)
    spoilt = not_finite(tensors)
    if spoilt is not None:
        raise Damaged(f"{spoilt} holds numbers that are not finite", f"{spoilt} contient des nombres qui ne sont pas finis")


def _same_budget(values: Mapping[str, Any], budget: Clock) -> bool:
    """Whether a saved clock has the budget that this recipe gives its stage."""
    updates, seconds = values["budget_updates"], values["budget_seconds"]
    if updates != budget.budget_updates or isinstance(updates, float | bool) or (seconds is None) != (budget.budget_seconds is None):
        return False
    return seconds is None or (is_finite(seconds) and abs(seconds - (budget.budget_seconds or 0.0)) <= 1e-9 * seconds)


def _unlike(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor that is missing, too many, or of another shape or dtype than expected."""
    if given.keys() != expected.keys():
        return min(given.keys() ^ expected.keys())
    return next((name for name, value in expected.items() if not _alike(given[name], value)), None)


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _wrong(name: str, value: Any) -> Damaged:
    shown = "…" if isinstance(value, torch.Tensor) else str(value)[:80]
    return Damaged(f"its {name} cannot be ({shown})", f"« {name} » y vaut ce qui ne peut être ({shown})")


def _another_version(tensor: str) -> Damaged:
    return Damaged(
        f"it was left unfinished by another version of dalle_edu, or by another recipe: {tensor[:80]} does not fit",
        f"elle a été laissée inachevée par une autre version de dalle_edu, ou une autre recette : {tensor[:80]} ne convient pas",
    )
