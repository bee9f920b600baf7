"""The base model: a U-Net that turns noise into small pictures under conditions.
Imagen and DALL·E 2 have one each.

It learns to predict v at timesteps of a cosine schedule, shifted towards noise,
since the layout of a picture is decided at the noisiest timesteps. It is sampled by
DPM-Solver++, which adds no noise on the way: a picture depends on its first noise
alone. Lessons 14 and 15.

Letters: n pictures, h = w pixels on a side.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dalle_edu.bricks.diffusion import (
    Denoiser,
    denoiser,
    diffusion_loss,
    dynamic_threshold,
)
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.inpainting import inpainting
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, shifted
from dalle_edu.bricks.unet import UNet, UNetConfig

# what the U-Net is conditioned on: "text", "text_mask" and "pooled"
Conditions = dict[str, Tensor]
# pictures in [-1, 1], and a mask that is True at the pixels to keep
KnownPixels = tuple[Float[Tensor, "n 3 h w"], Bool[Tensor, "n 1 h w"]]


class BaseModel(nn.Module):
    """A diffusion model of pictures of one size, conditioned on text, a pooled
    vector, or both. `shift` is how much noisier than cosine its schedule is.
    """

    def __init__(self, config: UNetConfig, shift: float = 1.0):
        super().__init__()
        self.unet = UNet(config)
        self.schedule = shifted(cosine_schedule(), shift)

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
        **conditions: Tensor,
    ) -> dict[str, Tensor]:
        """The mean squared error of v, for pictures in [-1, 1], under "loss"."""
        return {
            "loss": diffusion_loss(
                self.unet,
                images,
                self.schedule,
                "v",
                generator=generator,
                **conditions,
            )
        }

    def denoiser(
        self,
        conditional: Conditions,
        unconditional: Conditions,
        guidance_scale: float,
        threshold: bool,
        known: KnownPixels | None,
        noise: Float[Tensor, "n 3 h w"],
    ) -> Denoiser:
        """What a sampler asks, from noisy pictures to clean ones: guided from the
        unconditional to the conditional answer, kept in range by Imagen's dynamic
        thresholding or by a plain clip, and around what is `known`, which is noised
        by `noise`.
        """
        clip: Callable[[Tensor], Tensor] = (
            dynamic_threshold if threshold else clip_to_range
        )
        network = guided(self.unet, guidance_scale, conditional, unconditional)
        denoise = denoiser(network, self.schedule, "v", clip)
        return keep_known(denoise, known, self.schedule, noise)


def clip_to_range(x0: Tensor) -> Tensor:
    """Pictures clipped to [-1, 1]."""
    return x0.clamp(-1, 1)


def keep_known(
    denoise: Denoiser,
    known: KnownPixels | None,
    schedule: NoiseSchedule,
    noise: Tensor,
) -> Denoiser:
    """The denoiser; if pixels are known, one that keeps them at every step. `noise`
    is what sampling starts from.
    """
    if known is None:
        return denoise
    picture, keep = known
    return inpainting(
        denoise, picture, keep.expand_as(picture), schedule, noise=noise
    )
