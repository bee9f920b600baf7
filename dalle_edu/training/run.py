"""A training run: its settings, and a clock for each of its stages."""

from dataclasses import dataclass, field

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.systems.interface.registry import model_class


@dataclass(frozen=True)
class Run:
    """The settings of a training run. Either `updates` or `minutes` (of wall time) is given, for all stages together; a run of so many
    updates can be repeated exactly. Raises `DalleEduError` for what is no seed.
    """

    system: str
    preset: str = "laptop"
    seed: int = 0
    updates: int | None = None
    minutes: float | None = None
    batch_size: int | None = None
    exam: int = 128  # prompts of each exam along the way; 0 for no exam
    save_every: float = 60.0  # seconds between checkpoints
    clip: float = 1.0  # the largest norm of the gradient
    only: str | None = None  # stages to train, with commas between them, if not all
    begin_with: str | None = None  # a file of weights to go on from, instead of random ones
    rate: float = 1.0  # a factor of the recipe's learning rates; below 1 to refine the weights of `begin_with`
    foundations: dict[str, str] = field(default_factory=dict)  # files of the foundations' weights, if not those of the package

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))  # NumPy's integers are no JSON

    def check(self) -> None:
        """Raise `DalleEduError` unless the system learns, has the preset, and the numbers are in range. Stages are checked by
        `check_stages`.
        """
        kind = model_class(self.system)
        if not kind.learns():
            needed = ", ".join(sorted({source.split(".")[0] for source in kind.foundations.values()}))
            raise DalleEduError(
                f"{self.system} learns nothing itself; train what it is put together from: {needed}",
                f"{self.system} n'apprend rien lui-même ; entraînez ce dont il est fait : {needed}",
            )
        presets = kind.presets
        if self.preset not in presets:
            known = ", ".join(presets)
            raise DalleEduError(
                f'{self.system} has no preset "{self.preset}"; it has {known}',
                f"{self.system} n'a pas de préréglage « {self.preset} » ; il a {known}",
            )
        if (self.updates is None) == (self.minutes is None):
            raise DalleEduError(
                "give either a number of updates or a number of minutes",
                "donnez soit un nombre de mises à jour, soit un nombre de minutes",
            )
        if self.updates is not None and not 2 <= self.updates <= 10**8:
            raise DalleEduError(
                f"{self.updates} updates were asked for; a run makes 2 to 100000000",
                f"{self.updates} mises à jour sont demandées ; un entraînement en fait de 2 à 100000000",
            )
        if self.minutes is not None and not 0 < self.minutes <= 60 * 24 * 30:
            raise DalleEduError(
                f"{self.minutes:g} minutes were asked for; a run takes more than 0 and at most 43200",
                f"{self.minutes:g} minutes sont demandées ; un entraînement en prend plus de 0 et au plus 43200",
            )
        if not 0 < self.rate <= 10:
            raise DalleEduError(
                f"the rate is {self.rate:g}; it multiplies the recipe's learning rates: above 0, at most 10",
                f"le facteur est {self.rate:g} ; il multiplie les pas d'apprentissage de la recette : au-dessus de 0, au plus 10",
            )
        if self.batch_size is not None and not 1 <= self.batch_size <= 65536:
            raise DalleEduError(
                f"the batch size is {self.batch_size}; it is 1 to 65536",
                f"la taille du lot est {self.batch_size} ; elle va de 1 à 65536",
            )

    def trains(self, stage: str) -> bool:
        """Whether a stage is among those to train."""
        return self.only is None or stage in self.only.split(",")

    def check_stages(self, known: list[str]) -> None:
        """Raise `DalleEduError` unless the system, whose stages are `known`, has those to train, and the first is among them or weights to
        begin with are given.
        """
        unknown = set() if self.only is None else set(self.only.split(",")) - set(known)
        if unknown:
            given, stages = ", ".join(sorted(unknown)), ", ".join(known)
            raise DalleEduError(
                f'{self.system} has no stage "{given}"; it has {stages}', f"{self.system} n'a pas d'étape « {given} » ; il a {stages}"
            )
        if self.only is not None and self.begin_with is None and not self.trains(known[0]):
            raise DalleEduError(
                f"the stage {self.only} builds on earlier ones; name the weights to begin with (--begin-with)",
                f"l'étape {self.only} repose sur les précédentes ; nommez les poids d'où partir (--begin-with)",
            )


@dataclass
class Clock:
    """The clock of a stage: its budget, in updates or in seconds, the updates made, and the wall and CPU seconds spent on them."""

    budget_updates: int | None
    budget_seconds: float | None
    update: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    looks: int = 0  # exams along the way that are done

    @property
    def progress(self) -> float:
        """The part of the stage that is done, in [0, 1]."""
        if self.budget_updates is not None:
            return self.update / self.budget_updates
        return min(1.0, self.seconds / (self.budget_seconds or 1.0))

    def reading(self) -> dict[str, int | float]:
        """The updates and seconds so far, for the log."""
        return {"update": self.update, "seconds": round(self.seconds, 2), "cpu_seconds": round(self.cpu_seconds, 2)}
