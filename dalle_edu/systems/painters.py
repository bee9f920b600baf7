"""Painters: a U-Net that turns noise into pictures, and one that makes small pictures larger. Imagen and DALL·E 2 are built of them.

The painter learns to predict v at timesteps of a cosine schedule, shifted towards noise, since everything about a layout is settled early.
The upsampler predicts the picture itself: the small one beside it says nearly all of it, whatever the noise, and what a network has to say
of noise would be spread over every pixel of white paper. Both are sampled by DPM-Solver++, which draws nothing on the way: a picture
depends on its first noise alone.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.diffusion import (
    Denoiser,
    Network,
    Schedule,
    cosine_schedule,
    denoiser,
    diffusion_loss,
    dynamic_threshold,
    guided,
    inpainting,
    low_resolution_condition,
    shifted,
)
from dalle_edu.bricks.samplers import Callback, dpm_solver
from dalle_edu.bricks.unet import UNet, UNetConfig

Conditions = dict[str, Tensor]
Known = tuple[Float[Tensor, "n 3 h w"], Bool[Tensor, "n 1 h w"]]  # a picture, and where it is kept
SMOOTHED = 0.3  # the most noise that an upsampler's small picture is covered with in training, as a part of the timesteps


class Painter(nn.Module):
    """Paints pictures of one size from noise, as conditions ask for: text, a pooled vector, or both."""

    def __init__(self, config: UNetConfig, shift: float = 1.0):
        super().__init__()
        self.unet = UNet(config)
        self.schedule = shifted(cosine_schedule(), shift)

    def loss(self, images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None, **conditions: Tensor) -> dict[str, Tensor]:
        """The mean squared error of v."""
        return {"loss": diffusion_loss(self.unet, images, self.schedule, "v", generator=generator, **conditions)}

    def paint(
        self,
        noise: Float[Tensor, "n 3 h w"],
        given: Conditions,
        blank: Conditions,
        guidance: float = 1.0,
        steps: int = 20,
        threshold: bool = True,
        known: Known | None = None,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures in [-1, 1]. `given` and `blank` are the conditions with what is asked and without; `threshold` is Imagen's dynamic one
        rather than a plain clip."""
        clip: Callable[[Tensor], Tensor] = dynamic_threshold if threshold else _clip
        denoise = denoiser(guided(self.unet, guidance, given, blank), self.schedule, "v", clip)
        denoise = _around(denoise, known, self.schedule, noise)
        return _clip(dpm_solver(denoise, noise, self.schedule, steps, callback=callback))


class Upsampler(nn.Module):
    """Paints the larger version of a small picture, which it sees beside the noise, itself a little noisy (conditioning augmentation)."""

    def __init__(self, config: UNetConfig, resolution: int):
        super().__init__()
        self.unet, self.resolution = UNet(config), resolution
        self.schedule = cosine_schedule()

    def loss(self, images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None) -> dict[str, Tensor]:
        """The mean squared error of pictures of the large size, shown together with themselves at half of it."""
        most = round(SMOOTHED * len(self.schedule))
        level = torch.randint(most, (len(images),), generator=generator, device=images.device)
        seen = low_resolution_condition(F.avg_pool2d(images, 2), self.resolution, level, self.schedule, generator)
        return {"loss": diffusion_loss(self._beside(seen), images, self.schedule, "x0", generator=generator)}

    def enlarge(
        self,
        low: Float[Tensor, "n 3 l l"],
        noise: Float[Tensor, "n 6 h w"],
        steps: int = 3,
        level: float = 0.1,
        known: Known | None = None,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures in [-1, 1] of the noise's size. Half of the noise's channels cover the small picture, up to `level` in [0, 1]."""
        start, cover = noise.chunk(2, dim=1)
        t: Int[Tensor, " n"] = torch.full((len(low),), round(level * (len(self.schedule) - 1)), device=low.device)
        seen = low_resolution_condition(low, self.resolution, t, self.schedule, noise=cover)
        denoise = _around(denoiser(self._beside(seen), self.schedule, "x0", _clip), known, self.schedule, start)
        return _clip(dpm_solver(denoise, start, self.schedule, steps, callback=callback))

    def _beside(self, seen: Float[Tensor, "n 4 h w"]) -> Network:
        """The network, shown the small picture beside the noisy large one."""
        return lambda x_t, t: self.unet(torch.cat([x_t, seen], dim=1), t)


def _clip(x0: Tensor) -> Tensor:
    return x0.clamp(-1, 1)


def _around(denoise: Denoiser, known: Known | None, schedule: Schedule, noise: Tensor) -> Denoiser:
    """The denoiser, which keeps what is known of the picture, if anything is."""
    if known is None:
        return denoise
    picture, keep = known
    return inpainting(denoise, picture, keep.expand_as(picture), schedule, noise=noise)
