"""What all text-to-image systems have in common: beyond learning, they draw."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.sampling import check_settings
from dalle_edu.systems.interface.trainable import Trainable

# pictures drawn at a time: enough to keep a machine busy, few enough for a laptop
TOGETHER = 128


class System(Trainable):
    """A text-to-image system. Subclasses give `generate`, `evaluations` and what
    `Trainable` asks for.
    """

    @abstractmethod
    def generate(
        self, prompts: Sequence[str], *, seed: int = 0, **settings: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]. The same seed gives the same
        picture, whatever the batch.

        `settings` are the fields of `config.sampling`; those left out, or None, are
        as configured. Raises `DalleEduError` for a prompt that cannot be drawn, a
        setting that the system does not have or one out of range.
        """

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """How often networks run for one picture, as `generate` draws it unless
        told otherwise; a doubled batch counts once.
        """

    def settings(self) -> list[str]:
        """The names of what `generate` lets choose."""
        return [field.name for field in fields(self.config.sampling)]

    def sampling(self, settings: dict[str, Any]) -> Any:
        """`config.sampling` with these settings in place of its own; None changes
        nothing. Raises `DalleEduError` for a setting that the system does not have
        or one out of range.
        """
        given = {
            name: value for name, value in settings.items() if value is not None
        }
        check_taken(self.name, given, self.settings())
        check_settings(given)
        return replace(self.config.sampling, **given)


def check_taken(name: str, given: dict[str, Any], known: Sequence[str]) -> None:
    """Raise `DalleEduError` for a setting that is not among those known."""
    unknown = [setting for setting in given if setting not in known]
    if unknown:
        says, has = (
            ", ".join(setting.replace("_", "-") for setting in each)
            for each in (unknown, known)
        )
        raise DalleEduError(
            f"{name} takes no {says}; its settings are: {has}",
            f"{name} ne prend pas {says} ; ses réglages sont : {has}",
        )
