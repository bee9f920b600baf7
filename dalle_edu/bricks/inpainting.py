"""Inpainting: a part of the picture is known, and diffusion paints the rest.

Letters: n pictures of any shape `*s`. Lesson 10.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.bricks.diffusion import Denoiser, add_noise
from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.errors import DalleEduError


def inpainting(
    denoise: Denoiser,
    known: Float[Tensor, "n *s"],
    mask: Bool[Tensor, "#n *#s"],
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "n *s"] | None = None,
) -> Denoiser:
    """Keep what is known, paint the rest: at each step the known region is noised
    anew to that step's level, or always by `noise`.

    This is the replacement of Lugmayr et al. (2022, RePaint, equation 8), without
    their going back and forth. `mask` is True where `known` is kept: there the
    denoiser sees the truth, as noisy as the rest, and its answer is the truth. Any
    sampler may use it. Raises `DalleEduError` for a mask that is not boolean.
    """
    if mask.dtype != torch.bool:
        raise DalleEduError(
            f"the mask is {mask.dtype}; give booleans, True where the picture is "
            "known",
            f"le masque est {mask.dtype} ; donnez des booléens, True là où l'image "
            "est connue",
        )

    def denoise_around(x_t: Tensor, t: Tensor) -> Tensor:
        fresh = (
            torch.empty_like(known).normal_(generator=generator)
            if noise is None
            else noise
        )
        return torch.where(
            mask,
            known,
            denoise(
                torch.where(mask, add_noise(known, fresh, t, schedule), x_t), t
            ),
        )

    return denoise_around
