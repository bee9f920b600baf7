"""Diffusion: cover pictures with noise, learn to tell the noise from the picture,
and start from nothing but noise.

Going towards noise needs no learning and is one line, q(x_t | x_0). A network
learns to guess, from the noisy picture, what it showed. Coming back (`samplers.py`)
asks it again and again, with a little less noise each time. Sohl-Dickstein et al.
(2015) had the idea, Ho et al. (2020) made it paint. Nothing here knows that x is a
picture: vectors, latents and embeddings diffuse alike.

A *network* is called as `network(x_t, t, **conditions)` and predicts a target: the
noise ("eps"), the clean picture ("x0"), or "v". A *denoiser* is called as
`denoiser(x_t, t)` and returns the clean picture that it believes in; wrappers turn
the one into the other.

Letters: n pictures of any shape `*s`, t timesteps from 0 (nearly clean) to T - 1
(nearly noise). Lesson 10.
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

# ---------------------------------------------------------------- towards noise


def add_noise(
    x0: Float[Tensor, "n *s"],
    noise: Float[Tensor, "n *s"],
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
) -> Float[Tensor, "n *s"]:
    """Draw x_t from q(x_t | x_0) in one step, `noise` being standard normal (Ho et
    al. 2020, equation 4).

    Raises `DalleEduError` for a timestep outside the schedule, or noise of another
    shape.
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


# ------------------------------------------------------- what a network may predict


def training_target(
    x0: Float[Tensor, "n *s"],
    noise: Float[Tensor, "n *s"],
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    target: str,
) -> Float[Tensor, "n *s"]:
    """What the network should say at t: the noise, the picture, or v = signal *
    noise - noise rate * picture (Salimans & Ho 2022).

    "eps" says little where there is almost no noise, "x0" where there is almost
    nothing else; "v" is as hard everywhere. Raises `DalleEduError` for another
    target.
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
    """The picture x0 and the noise eps that a prediction means: whichever is
    predicted, x_t gives the other.

    Every sampler works from this pair, whatever the network predicts. Raises
    `DalleEduError` for an unknown target.
    """
    _check_target(target)
    signal_rate, noise_rate = schedule.rates(t, x_t)
    if target == "eps":
        return (x_t - noise_rate * prediction) / signal_rate, prediction
    if target == "x0":
        return prediction, (x_t - signal_rate * prediction) / noise_rate
    return (
        signal_rate * x_t - noise_rate * prediction,
        noise_rate * x_t + signal_rate * prediction,
    )


def _check_target(target: str) -> None:
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
    """A timestep for each of n pictures, every one as likely as any other: the k-th
    part of the schedule goes to one of them at random.
    """
    parts = torch.randperm(n, generator=generator, device=device) + torch.rand(
        n, generator=generator, device=device
    )
    # rounding may reach the end
    return (parts / n * timesteps).long().clamp(max=timesteps - 1)


def diffusion_loss(
    network: Network,
    x0: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    target: str = "v",
    weights: Float[Tensor, " T"] | None = None,
    generator: torch.Generator | None = None,
    **conditions: Tensor,
) -> Float[Tensor, ""]:
    """Noise each picture as far as chance says, and take the mean squared error of
    what the network says (Ho et al. 2020, Algorithm 1).

    Chance is fair to the batch: each n-th part of the schedule gets one picture
    (Kingma et al. 2021, appendix I.1), which makes the gradient less of a gamble
    than n independent draws. `weights` says how much each timestep counts; without
    it, all alike. `conditions` go to the network as they are. `generator` lives
    where `x0` does.
    """
    t = spread_timesteps(len(x0), len(schedule), generator, x0.device)
    noise = torch.empty_like(x0).normal_(generator=generator)
    prediction = network(add_noise(x0, noise, t, schedule), t, **conditions)
    error = (
        (prediction - training_target(x0, noise, t, schedule, target))
        .square()
        .reshape(len(x0), -1)
        .mean(dim=1)
    )
    return (
        error.mean() if weights is None else (weights.to(error)[t] * error).mean()
    )


# ----------------------------------------------------- from a network to a denoiser


def denoiser(
    network: Network,
    schedule: NoiseSchedule,
    target: str = "v",
    clip: Callable[[Tensor], Tensor] | None = None,
) -> Denoiser:
    """What samplers ask: (x_t, t) to the clean picture that the network believes
    in, which `clip` keeps in range if need be.
    """
    _check_target(target)

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        x0, _ = picture_and_noise(network(x_t, t), x_t, t, schedule, target)
        return x0 if clip is None else clip(x0)

    return denoise


def dynamic_threshold(
    x0: Float[Tensor, "n *s"], percentile: float = 0.995
) -> Float[Tensor, "n *s"]:
    """Bring each picture back into [-1, 1] without flattening it: clip where it is
    brighter than almost all, and divide by that.

    Strong guidance pushes pixels out of range; a plain clip turns them all into
    saturated patches (Saharia et al. 2022, Imagen, section 2.3). A picture that is
    in range already stays as it is. Raises `DalleEduError` for a percentile outside
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
    # half precision has no quantiles
    brightness = brightness.to(torch.promote_types(x0.dtype, torch.float32))
    largest = beside(
        torch.quantile(brightness, percentile, dim=1).clamp(min=1), x0
    ).to(x0.dtype)
    return x0.clamp(-largest, largest) / largest


# --------------------------------------------------- a part of the picture is known


def low_resolution_condition(
    low: Float[Tensor, "n c h w"],
    resolution: int,
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "n c H W"] | None = None,
) -> Float[Tensor, "n c+1 H W"]:
    """What a super-resolution network is shown beside x_t: the small picture,
    enlarged and noised, and a channel that says how much.

    Trained on small pictures noised at random, the network does not take their
    faults for truth (Ho et al. 2021, conditioning augmentation; Saharia et al. 2022
    tell it the level). The last channel is t / T. Without a `noise`, it is drawn
    from `generator`.
    """
    enlarged = F.interpolate(
        low, size=(resolution, resolution), mode="bilinear", align_corners=False
    )
    noisy = add_noise(
        enlarged,
        torch.empty_like(enlarged).normal_(generator=generator)
        if noise is None
        else noise,
        t,
        schedule,
    )
    level = (
        (t.to(low) / len(schedule))
        .view(-1, 1, 1, 1)
        .expand(-1, 1, resolution, resolution)
    )
    return torch.cat([noisy, level], dim=1)
