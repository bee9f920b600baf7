"""Super-resolution: a diffusion model that doubles the side of small pictures,
which are its condition (Ho et al. 2021; Saharia et al. 2022).

The upsampler predicts the picture x_0 itself. The small picture nearly determines
it at every noise level, while an error in a prediction of the noise would show in
every pixel of the white ground. It is sampled by DPM-Solver++, which adds no noise
on the way: a picture depends on its first noise alone. Lessons 14 and 15.

Letters: n pictures, h = w pixels on a side, l = h / 2 those of the small pictures.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.diffusion import (
    denoiser,
    diffusion_loss,
    low_resolution_condition,
)
from dalle_edu.bricks.guidance import Network
from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import Callback, dpm_solver
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.systems.parts.base_model import (
    KnownPixels,
    clip_to_range,
    keep_known,
)

# the highest noise level of the small picture in training, as a part of the
# timesteps
SMOOTHED = 0.3


class Upsampler(nn.Module):
    """A diffusion model of pictures of side `resolution`, given the same pictures
    at half the side.

    The small picture is enlarged and laid beside the noisy large one as further
    channels. It is itself a little noisy (conditioning augmentation, Ho et al.
    2021), so that the upsampler learns to mend a base model's errors.
    """

    def __init__(self, config: UNetConfig, resolution: int):
        super().__init__()
        self.unet, self.resolution = UNet(config), resolution
        self.schedule = cosine_schedule()

    def loss(
        self, images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """The mean squared error of x_0, for pictures in [-1, 1] of the large size,
        under "loss"; the small ones are made from them.
        """
        most = round(SMOOTHED * len(self.schedule))
        level = torch.randint(
            most, (len(images),), generator=generator, device=images.device
        )
        seen = low_resolution_condition(
            F.avg_pool2d(images, 2),
            self.resolution,
            level,
            self.schedule,
            generator,
        )
        return {
            "loss": diffusion_loss(
                self._beside(seen), images, self.schedule, "x0", generator=generator
            )
        }

    def enlarge(
        self,
        low: Float[Tensor, "n 3 l l"],
        noise: Float[Tensor, "n 6 h w"],
        steps: int = 3,
        level: float = 0.1,
        known: KnownPixels | None = None,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures in [-1, 1] of the large size, in so many steps.

        `noise` is standard normal: three channels to start from, and three that
        cover the small picture up to the noise level `level`, in [0, 1]. `known`
        says which pixels to keep, and `callback` is the sampler's.
        """
        start, cover = noise.chunk(2, dim=1)
        t: Int[Tensor, " n"] = torch.full(
            (len(low),), round(level * (len(self.schedule) - 1)), device=low.device
        )
        seen = low_resolution_condition(
            low, self.resolution, t, self.schedule, noise=cover
        )
        denoise = keep_known(
            denoiser(self._beside(seen), self.schedule, "x0", clip_to_range),
            known,
            self.schedule,
            start,
        )
        enlarged = dpm_solver(
            denoise, start, self.schedule, steps, callback=callback
        )
        return clip_to_range(enlarged)

    def _beside(self, seen: Float[Tensor, "n 4 h w"]) -> Network:
        """The network with the small picture and its noise level as condition."""
        return lambda x_t, t: self.unet(torch.cat([x_t, seen], dim=1), t)
