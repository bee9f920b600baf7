"""Inpainting: a part of a picture is drawn anew, and the rest stays (DALL·E 2 and
Imagen). Lesson 15.

Letters: n pictures, h = w pixels on a side.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import check_images, check_pairs
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.system import System
from dalle_edu.systems.parts.base_model import KnownPixels


class Inpainting(System):
    """A system that can draw around pixels that are known."""

    @abstractmethod
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1], painted around what is `known` of
        it: a picture, and where it is kept.
        """

    @drawing
    def inpaint(
        self,
        images: Float[Tensor, "n 3 h w"],
        keep: Bool[Tensor, "n 1 h w"],
        prompts: Sequence[str],
        *,
        seed: int = 0,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures in [-1, 1], drawn anew where `keep` is False, so that the whole
        shows what the prompt says. `settings` are those of `generate`, with its
        `callback` and `progress`. Pixels to keep stay exactly as they are, and the
        others have no influence.

        Raises `DalleEduError` for pictures of another size or range, a `keep` that
        is not a bool for each pixel, and prompts that cannot be drawn.
        """
        check_images(images, self.resolution)
        (prompts,) = check_pairs(images, prompts, domain=self.domain)
        side = self.resolution
        if keep.dtype != torch.bool or keep.shape != (len(images), 1, side, side):
            came = f"{keep.dtype} {tuple(keep.shape)}"
            raise DalleEduError(
                f"keep is {came} for {len(images)} pictures; give a bool for each "
                "pixel, (n, 1, h, w)",
                f"keep est {came} pour {len(images)} images ; donnez un booléen "
                "par pixel, (n, 1, h, w)",
            )
        images = images.to(self.device, torch.float32)
        keep = keep.to(self.device)
        known = (images, keep)
        painted = self.generate(prompts, seed=seed, known=known, **settings)
        return torch.where(keep, images, painted)
