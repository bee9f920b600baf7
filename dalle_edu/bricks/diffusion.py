"""Diffusion models: noise pictures, learn to denoise them, start from pure noise.

The forward process, q(x_t | x_0), needs no learning and is one line. A network
learns to predict, from a noisy picture, the picture or its noise. The reverse
process (`samplers.py`) calls it again and again, with a little less noise each
time. Sohl-Dickstein et al. (2015) had the idea, and Ho et al. (2020) showed that it
makes good pictures. Nothing here depends on x being a picture: vectors, latents and
embeddings diffuse alike.

A *network* is called as `network(x_t, t, **conditions)` and predicts a target: the
noise ("eps"), the clean picture ("x0"), or "v". A *denoiser* is called as
`denoiser(x_t, t)` and returns its estimate of the clean picture; `denoiser` makes
one from a network. Lesson 10.

Letters: n pictures of any shape `*s`, T timesteps, from 0 (nearly clean) to T - 1
(nearly noise), c channels, h x w pixels of a small picture, H x W of a large one.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.guidance import Network
from dalle_edu.bricks.noise_schedule import NoiseSchedule, beside
from dalle_edu.errors import DalleEduError

TARGETS = ("eps", "x0", "v")
Denoiser = Callable[[Tensor, Tensor], Tensor]

# -------------------------------------------------------------- the forward process


def add_noise(
    x0: Float[Tensor, "n *s"],
    noise: Float[Tensor, "n *s"],
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
) -> Float[Tensor, "n *s"]:
    """Sample x_t from q(x_t | x_0) in one step (Ho et al. 2020, equation 4).

    `noise` is standard normal. Raises `DalleEduError` for a timestep outside the
    schedule, or noise of another shape.
    """
    if noise.shape != x0.shape:
        raise DalleEduError(
            f"the noise has the shape {tuple(noise.shape)} and the pictures "
            f"{tuple(x0.shape)}; every number wants noise of its own",
            f"le bruit a la forme {tuple(noise.shape)} et les images "
            f"{tuple(x0.shape)} ; chaque nombre veut son propre bruit",
        )
    signal_rate, noise_rate = schedule.rates(t, x0)
    return signal_rate * x0 + noise_rate * noise


# ---------------------------------------------------------- what a network predicts


def training_target(
    x0: Float[Tensor, "n *s"],
    noise: Float[Tensor, "n *s"],
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    target: str,
) -> Float[Tensor, "n *s"]:
    """The target of the network at t: the noise, the picture, or v.

    v is signal rate * noise - noise rate * picture (Salimans & Ho 2022). "eps" says
    little where there is almost no noise, and "x0" where there is almost no signal;
    "v" is about as hard everywhere. Raises `DalleEduError` for an unknown target.
    """
    _check_target(target)
    if target == "eps":
        return noise
    if target == "x0":
        return x0
    signal_rate, noise_rate = schedule.rates(t, x0)
    return signal_rate * noise - noise_rate * x0


def picture_and_noise(
    prediction: Float[Tensor, "n *s"],
    x_t: Float[Tensor, "n *s"],
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    target: str,
) -> tuple[Float[Tensor, "n *s"], Float[Tensor, "n *s"]]:
    """The picture x0 and the noise eps that a prediction implies.

    Whichever of them is predicted, x_t gives the other, so that samplers work the
    same for all targets. Raises `DalleEduError` for an unknown target.
    """
    _check_target(target)
    signal_rate, noise_rate = schedule.rates(t, x_t)
    if target == "eps":
        return (x_t - noise_rate * prediction) / signal_rate, prediction
    if target == "x0":
        return prediction, (x_t - signal_rate * prediction) / noise_rate
    x0 = signal_rate * x_t - noise_rate * prediction
    eps = noise_rate * x_t + signal_rate * prediction
    return x0, eps


def _check_target(target: str) -> None:
    """Raise `DalleEduError` for an unknown target."""
    if target not in TARGETS:
        raise DalleEduError(
            f'the target is "{target}"; a network predicts one of '
            f"{', '.join(TARGETS)}",
            f"la cible est « {target} » ; un réseau prédit l'une de "
            f"{', '.join(TARGETS)}",
        )


def spread_timesteps(
    n: int, timesteps: int, generator: torch.Generator | None, device: torch.device
) -> Int[Tensor, " n"]:
    """A timestep for each of n pictures, every one as likely as any other.

    They are stratified: the schedule is cut into n equal parts, and each part gives
    its timestep to one picture at random (Kingma et al. 2021, appendix I.1). The
    gradient varies less than with n independent timesteps.
    """
    parts = torch.randperm(n, generator=generator, device=device)
    within = torch.rand(n, generator=generator, device=device)
    t = ((parts + within) / n * timesteps).long()
    return t.clamp(max=timesteps - 1)  # rounding up may reach `timesteps`


def diffusion_loss(
    network: Network,
    x0: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    target: str = "v",
    weights: Float[Tensor, " T"] | None = None,
    generator: torch.Generator | None = None,
    **conditions: Tensor,
) -> Float[Tensor, ""]:
    """The mean squared error of a network's prediction at random timesteps.

    This is the loss of Ho et al. (2020, Algorithm 1), with the timesteps of
    `spread_timesteps`, one for each picture. A picture's error is the mean over its
    numbers, times the weight of its timestep where there are `weights`; the loss is
    the mean over pictures. `conditions` go to the network unchanged. `generator`
    gives the timesteps first, then standard normal noise, and must live on the
    device of `x0`. Raises `DalleEduError` for an unknown target.
    """
    t = spread_timesteps(len(x0), len(schedule), generator, x0.device)
    noise = torch.empty_like(x0).normal_(generator=generator)
    prediction = network(add_noise(x0, noise, t, schedule), t, **conditions)
    wanted = training_target(x0, noise, t, schedule, target)
    error = (prediction - wanted).square().reshape(len(x0), -1).mean(dim=1)
    if weights is None:
        return error.mean()
    return (weights.to(error)[t] * error).mean()


# ----------------------------------------------------- from a network to a denoiser


def denoiser(
    network: Network,
    schedule: NoiseSchedule,
    target: str = "v",
    clip: Callable[[Tensor], Tensor] | None = None,
) -> Denoiser:
    """The denoiser of a network: (x_t, t) to its estimate of the clean picture.

    `clip`, if given, brings the estimate back in range. Raises `DalleEduError` for
    an unknown target.
    """
    _check_target(target)

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        x0, _ = picture_and_noise(network(x_t, t), x_t, t, schedule, target)
        return x0 if clip is None else clip(x0)

    return denoise


def dynamic_threshold(
    x0: Float[Tensor, "n *s"], percentile: float = 0.995
) -> Float[Tensor, "n *s"]:
    """Dynamic thresholding: bring each picture into [-1, 1] without flattening it.

    Each picture is clipped at the absolute value that a part `percentile` of its
    numbers do not exceed, or at 1 if that is larger, then divided by it (Saharia et
    al. 2022, Imagen, section 2.3). Strong guidance pushes pixels out of range, and
    a plain clip would turn them all into saturated patches. A picture that is in
    range already stays as it is. Raises `DalleEduError` for a percentile outside
    [0, 1].
    """
    if not 0 <= percentile <= 1:
        raise DalleEduError(
            f"the percentile is {percentile}; give a part of the pixels, from 0 to "
            "1",
            f"le percentile est {percentile} ; donnez une part des pixels, de 0 à "
            "1",
        )
    brightness = x0.reshape(len(x0), -1).abs()
    # torch.quantile refuses half precision
    brightness = brightness.to(torch.promote_types(x0.dtype, torch.float32))
    threshold = torch.quantile(brightness, percentile, dim=1).clamp(min=1)
    largest = beside(threshold, x0).to(x0.dtype)
    return x0.clamp(-largest, largest) / largest


# ----------------------------------------------------------------- super-resolution


def low_resolution_condition(
    low: Float[Tensor, "n c h w"],
    resolution: int,
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "n c H W"] | None = None,
) -> Float[Tensor, "n c+1 H W"]:
    """The condition of a super-resolution network: the small picture, enlarged.

    Noise is added to it, and a last channel holds its level, t / T (conditioning
    augmentation, Ho et al. 2021; with the level as input, Saharia et al. 2022).
    Trained on small pictures noised at random levels, the network learns to correct
    their faults. The result is to be concatenated with x_t. Without a `noise`, it
    is sampled from `generator`.
    """
    enlarged = F.interpolate(
        low, size=(resolution, resolution), mode="bilinear", align_corners=False
    )
    if noise is None:
        noise = torch.empty_like(enlarged).normal_(generator=generator)
    noisy = add_noise(enlarged, noise, t, schedule)
    level = beside(t.to(low) / len(schedule), low)
    level = level.expand(-1, 1, resolution, resolution)
    return torch.cat([noisy, level], dim=1)
