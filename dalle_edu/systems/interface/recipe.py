"""Recipes: how a system learns, as values. A stage is one stretch of training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    `parts` names the submodules that learn, all others are frozen. `share` is the
    stage's part of a run's time and `updates_share` its part of a run's updates;
    both add up to 1 over the stages of a recipe. The matrices and kernels of the
    submodules named in `muon` are trained by Muon at `matrix_learning_rate`,
    everything else by AdamW at `learning_rate`; both are the peaks of a schedule.
    `shows` says, in English and in French, what exams along the way look at, where
    that is not what the system draws when it is finished.
    """

    name: str
    parts: tuple[str, ...]
    share: float
    batch_size: int
    learning_rate: float
    updates_share: float
    matrix_learning_rate: float = 0.0
    muon: tuple[str, ...] = ()
    weight_decay: float = 0.01
    shows: tuple[str, str] | None = None


@dataclass(frozen=True)
class Recipe:
    """How a system learns. Subclasses add what else training goes by: dropouts,
    weights of losses.
    """

    stages: tuple[Stage, ...] = ()
