"""Super-resolution: a network that makes small pictures larger, which it sees
beside the noise (Ho et al. 2021; Saharia et al. 2022).

The upsampler predicts the picture itself: the small one beside it says nearly all
of it, whatever the noise, and what a network has to say of noise would be spread
over every pixel of white paper. It is sampled by DPM-Solver++, which draws nothing
on the way: a picture depends on its first noise alone.
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

# the most noise that an upsampler's small picture is covered with in training, as a
# part of the timesteps
SMOOTHED = 0.3


class Upsampler(nn.Module):
    """Paints the larger version of a small picture, which it sees beside the noise,
    itself a little noisy (conditioning augmentation).
    """

    def __init__(self, config: UNetConfig, resolution: int):
        super().__init__()
        self.unet, self.resolution = UNet(config), resolution
        self.schedule = cosine_schedule()

    def loss(
        self, images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """The mean squared error of pictures of the large size, shown together with
        themselves at half of it.
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
        """Pictures in [-1, 1] of the noise's size. Half of the noise's channels
        cover the small picture, up to `level` in [0, 1].
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
        return clip_to_range(
            dpm_solver(denoise, start, self.schedule, steps, callback=callback)
        )

    def _beside(self, seen: Float[Tensor, "n 4 h w"]) -> Network:
        """The network, shown the small picture beside the noisy large one."""
        return lambda x_t, t: self.unet(torch.cat([x_t, seen], dim=1), t)
