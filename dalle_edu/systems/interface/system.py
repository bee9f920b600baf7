"""The base class of text-to-image systems: beyond learning, they draw."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.sampling import check_settings, described_settings
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world.sheet import picture_of

# pictures drawn at a time: enough to keep a processor busy, and few enough for a
# laptop's memory
TOGETHER = 128


class System(Trainable):
    """A text-to-image system. Subclasses define `generate` and `evaluations`, and
    what `Trainable` asks for.
    """

    @abstractmethod
    def generate(
        self, prompts: Sequence[str], *, seed: int = 0, **settings: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1], in float32. The same seed gives
        the same picture: bit for bit in the same batch on one machine, and to one
        of the 256 levels of grey that a file holds in a batch of another size,
        whose sums are rounded otherwise.

        One sentence may be given as it is. `n` pictures are drawn of each, side by
        side, and `generator`, a `torch.Generator`, may stand in place of the seed.
        `callback` is called with a `Progress` after each step (`progress.py`), and
        `progress` shows a bar: True at once, False never, None where somebody waits
        for more than two seconds. Neither changes a picture. `settings` are the
        fields of `config.sampling`; those left out, or None, are as configured.
        Raises `DalleEduError` for a prompt that cannot be drawn, a setting that the
        system does not have, and one out of range. Subclasses have these checks
        made by `check_prompts`, `self.sampling` and the decorator `drawing`, tell
        their steps by `Steps`, and draw at most `TOGETHER` pictures at a time.
        """

    def pictures(self, prompts: Sequence[str], **options: Any) -> list[Image.Image]:
        """What `generate` draws, with the same options, as Pillow images. Raises
        `DalleEduError` as it does.
        """
        images = self.generate(prompts, **options).cpu()
        return [picture_of(image) for image in images]

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """How many times networks run for one picture under the configured
        settings: a measure of what a picture costs. Guidance, which doubles a
        batch, does not count twice.
        """

    def settings(self) -> list[str]:
        """The names of the settings that `generate` takes."""
        return [field.name for field in fields(self.config.sampling)]

    def sampling(self, settings: dict[str, Any]) -> Any:
        """`config.sampling` with these settings in place of its own; those that are
        None change nothing. Raises `DalleEduError` for a setting that the system
        does not have, and for one out of range.
        """
        given = {
            name: value for name, value in settings.items() if value is not None
        }
        check_taken(self.name, given, self.settings())
        check_settings(given, described_settings(self.config.sampling))
        return replace(self.config.sampling, **given)


def check_taken(name: str, given: dict[str, Any], known: Sequence[str]) -> None:
    """Raise `DalleEduError` for a setting that is not among those known, and list
    these. `name` is the system's.
    """
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
