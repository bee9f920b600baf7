"""What all text-to-image systems have in common: beyond learning, they draw."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu.systems.interface.trainable import Trainable

# settings that were not learned
DRAWING = (
    "guidance_scale",
    "threshold",
    "prior_guidance_scale",
    "tries",
    "temperature",
    "daring",
    "steps",
    "prior_steps",
    "upsampler_steps",
)
# pictures drawn at a time: enough to keep a machine busy, and few enough for a
# laptop's memory
TOGETHER = 128


class System(Trainable):
    """A text-to-image system. Subclasses give `generate` and what `Trainable` asks
    for.
    """

    @abstractmethod
    def generate(
        self, prompts: Sequence[str], *, seed: int = 0, **options: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]. The same seed gives the same
        picture, whatever the batch.
        """

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """How often networks run for one picture, as `generate` draws it unless
        told otherwise; a doubled batch counts once.
        """
