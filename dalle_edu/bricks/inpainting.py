"""Inpainting: a part of the picture is known, and diffusion generates the rest.

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
    """A denoiser that keeps the known region and generates the rest.

    At each step the known region is noised to that step's level, with new noise
    each time, or always with `noise`. This is the replacement of Lugmayr et al.
    (2022, RePaint, equation 8), without their resampling.

    `mask` is True where `known` is kept. There the denoiser sees the known picture,
    as noisy as the rest, and its estimate is replaced by the known picture. Any
    sampler may use the result. Raises `DalleEduError` for a mask that is not
    boolean.
    """
    if mask.dtype != torch.bool:
        raise DalleEduError(
            f"the mask is {mask.dtype}; give booleans, True where the picture is "
            "known",
            f"le masque est {mask.dtype} ; donnez des booléens, True là où l'image "
            "est connue",
        )

    def denoise_around(x_t: Tensor, t: Tensor) -> Tensor:
        eps = noise
        if eps is None:
            eps = torch.empty_like(known).normal_(generator=generator)
        noisy = torch.where(mask, add_noise(known, eps, t, schedule), x_t)
        return torch.where(mask, known, denoise(noisy, t))

    return denoise_around
