"""A training run: its settings, and what they may be."""

import math
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.systems.interface.registry import model_class


@dataclass(frozen=True)
class Run:
    """The settings of a training run. Either `updates` or `minutes` (of wall time) is given, for all stages together; a run of so many
    updates can be repeated exactly: on the same kind of machine, with as many threads and processes and the same torch.
    Raises `DalleEduError` for what is no seed.
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
    data: str | None = None  # where the captioned pictures are (`datasets.opening`), if they are not the world's
    world: str | None = None  # a catalogue of the world, as in moon.py:MOONS, if not that of the shapes
    accumulate: int = 1  # parts that a batch goes through the networks in, one after the other, where memory is short

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))  # NumPy's integers are no JSON

    def check(self) -> None:
        """Raise `DalleEduError` unless every setting is of its kind and in range, the system learns, and it has the preset. Stages are
        checked by `check_stages`.
        """
        for name, (fits, en, fr) in _SETTINGS.items():
            given = getattr(self, name)
            if not fits(given):
                shown = reprlib.repr(given)
                raise DalleEduError(f"{name} is {shown}; it is {en}", f"{name} vaut {shown} ; il faut {fr}")
        if (self.updates is None) == (self.minutes is None):
            raise DalleEduError(
                "give either a number of updates or a number of minutes",
                "donnez soit un nombre de mises à jour, soit un nombre de minutes",
            )
        if self.data is not None and self.world is not None:
            raise DalleEduError(
                "pictures of data and of a world were both asked for; give one of them (--data, --world)",
                "des images de données et d'un monde sont demandées ; donnez l'un des deux (--data, --world)",
            )
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


def is_whole(value: Any, low: int, high: int) -> bool:
    """Whether a value is a whole number, and no truth value, from `low` to `high`."""
    return type(value) is int and low <= value <= high


def is_finite(value: Any, low: float | int = 0, high: float | int = math.inf) -> bool:
    """Whether a value is a finite number, and no truth value, from `low` to `high`."""
    return type(value) in (int, float) and low <= value <= high and abs(value) < 1e300


def _whole(low: int, high: int, or_none: bool = False) -> tuple[Callable[[Any], bool], str, str]:
    def fits(value: Any) -> bool:
        return is_whole(value, low, high) or (or_none and value is None)

    return fits, f"a whole number from {low} to {high}", f"un nombre entier de {low} à {high}"


def _above_zero(high: int, or_none: bool = False) -> tuple[Callable[[Any], bool], str, str]:
    def fits(value: Any) -> bool:
        return (is_finite(value, 0, high) and value > 0) or (or_none and value is None)

    return fits, f"a number above 0, at most {high}", f"un nombre au-dessus de 0, au plus {high}"


def _text(or_none: bool = False) -> tuple[Callable[[Any], bool], str, str]:
    def fits(value: Any) -> bool:
        return (isinstance(value, str) and value != "") or (or_none and value is None)

    return fits, "text", "un texte"


def _names_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) and each for pair in value.items() for each in pair)


# of each setting: whether a value will do, and what will, in English and in French
_SETTINGS: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "system": _text(),
    "preset": _text(),
    "updates": _whole(2, 10**8, or_none=True),
    "minutes": _above_zero(60 * 24 * 30, or_none=True),
    "batch_size": _whole(1, 65536, or_none=True),
    "exam": _whole(0, 4096),
    "save_every": (lambda value: is_finite(value, 0, 1e9), "a number of seconds from 0 to 1e9", "un nombre de secondes de 0 à 1e9"),
    "clip": _above_zero(10**6),
    "only": _text(or_none=True),
    "begin_with": _text(or_none=True),
    "data": _text(or_none=True),
    "world": _text(or_none=True),
    "rate": _above_zero(10),
    "foundations": (_names_texts, "a dictionary of names and paths, in text", "un dictionnaire de noms et de chemins, en texte"),
    "accumulate": _whole(1, 65536),
}
