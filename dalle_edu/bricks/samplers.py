"""Samplers: ways from noise to a picture, with a denoiser.

Each sampler calls the denoiser (`diffusion.denoiser`) for an estimate of the clean
picture, moves a little towards it, and calls it again. They differ in how they
move: with fresh noise at each step (DDPM), without (DDIM), or with a second-order
correction from the last two estimates (DPM-Solver++). Each is one function, and all
are called alike:

    sampler(denoise, noise, schedule, steps, generator, callback)

`noise` is standard normal, of the shape of what is wanted. `steps` is how many
times the denoiser runs. `generator` gives the noise added on the way, if any.
`callback` is called with a `Step` after each run of the denoiser. Lesson 10.

Letters: n pictures of any shape `*s`, T timesteps, t one of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.diffusion import Denoiser
from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class Step:
    """A step of a sampler, as the callback receives it.

    It is step `index` of `steps`, at timestep `t`; `x` is the noisy picture there,
    and `x0` the denoiser's estimate of the clean one. In `flow.py`, `t` is a time
    from 1 to 0.
    """

    index: int
    steps: int
    t: int | float
    x: Tensor
    x0: Tensor


Callback = Callable[[Step], None]


def spaced_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """`steps` timesteps, evenly spaced from the last one, T - 1, downwards.

    The one of step i, from 0 on, is T (1 - i / steps), rounded, minus 1; a half is
    rounded to the even number, as `round` does. Sampling then starts at T - 1,
    where there is nothing but noise. Spaced from 0 upwards, they would end below
    T - 1, where the denoiser expects a little of the picture in what is pure noise
    (Lin et al. 2024, table 2, "trailing"). Raises `DalleEduError` unless
    1 <= steps <= T.
    """
    if not 1 <= steps <= len(schedule):
        raise DalleEduError(
            f"{steps} steps are asked of a schedule of {len(schedule)} timesteps; "
            f"ask for 1 to {len(schedule)}",
            f"{steps} pas demandés à un calendrier de {len(schedule)} instants ; "
            f"demandez-en de 1 à {len(schedule)}",
        )
    return [round(len(schedule) * (1 - step / steps)) - 1 for step in range(steps)]


def estimate_x0(
    denoise: Denoiser,
    x: Float[Tensor, "n *s"],
    path: list[int],
    index: int,
    callback: Callback | None,
) -> Float[Tensor, "n *s"]:
    """The denoiser's estimate at timestep `path[index]`, shown to the callback.

    The denoiser is given `x` and that timestep once for each picture; the callback,
    where there is one, the `Step` that this makes.

    Raises `DalleEduError` when the estimate is of another shape than `x`.
    """
    x0 = denoise(x, torch.full((len(x),), path[index], device=x.device))
    if x0.shape != x.shape:
        raise DalleEduError(
            f"the denoiser was given {tuple(x.shape)} and answered "
            f"{tuple(x0.shape)}; it must return pictures of the same shape",
            f"le débruiteur a reçu {tuple(x.shape)} et répondu {tuple(x0.shape)} ; "
            "il doit rendre des images de même forme",
        )
    if callback is not None:
        callback(Step(index, len(path), path[index], x, x0))
    return x0


@torch.no_grad()
def ddpm(
    denoise: Denoiser,
    noise: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    steps: int = 50,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> Float[Tensor, "n *s"]:
    """DDPM, or ancestral sampling (Ho et al. 2020, Algorithm 2 and equation 7).

    Each x is sampled from q(x_before | x_now, x_0), with the denoiser's estimate of
    x_0. With alpha_bar `now` at this timestep, `then` at the next one of the path
    (1 after the last), and beta = 1 - now / then, its mean is (sqrt(then) * beta *
    x_0 + sqrt(1 - beta) * (1 - then) * x) / (1 - now). The fresh noise has the
    smaller of the paper's two variances, beta * (1 - then) / (1 - now); the last
    step adds none. Fresh noise corrects past errors, but needs many steps.
    """
    x, path = noise, spaced_timesteps(schedule, steps)
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        x0 = estimate_x0(denoise, x, path, index, callback)
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        beta = 1 - now / then  # the noise that all timesteps between them add
        of_x0, of_x = math.sqrt(then) * beta, math.sqrt(1 - beta) * (1 - then)
        x = (of_x0 * x0 + of_x * x) / (1 - now)
        if before >= 0:
            fresh = math.sqrt(beta * (1 - then) / (1 - now))
            x = x + fresh * torch.empty_like(x).normal_(generator=generator)
    return x


@torch.no_grad()
def ddim(
    denoise: Denoiser,
    noise: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    steps: int = 50,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    eta: float = 0.0,
) -> Float[Tensor, "n *s"]:
    """DDIM: mix the estimated picture and its noise again, with less noise.

    The noise is what the denoiser's estimate leaves of x, divided by its rate (Song
    et al. 2021, equation 12). They are mixed at the rates of the next timestep of
    the path, after the last of which nothing is left of the noise. Fresh noise has
    `eta` times the deviation of that of `ddpm`, and the variance of the old noise
    makes room for it. With `eta` 0 no noise is added, or sampled: each starting
    noise has its picture, and close noises have close pictures. With `eta` 1 this
    is `ddpm`. Raises `DalleEduError` for an `eta` outside [0, 1].
    """
    if not 0 <= eta <= 1:
        raise DalleEduError(
            f"eta is {eta}; give 0 (no fresh noise) to 1 (as much as DDPM)",
            f"eta vaut {eta} ; donnez de 0 (pas de bruit nouveau) à 1 (autant que "
            "DDPM)",
        )
    x, path = noise, spaced_timesteps(schedule, steps)
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        x0 = estimate_x0(denoise, x, path, index, callback)
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        eps = (x - math.sqrt(now) * x0) / math.sqrt(1 - now)
        fresh = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
        x = math.sqrt(then) * x0 + math.sqrt(1 - then - fresh**2) * eps
        if fresh > 0:
            x = x + fresh * torch.empty_like(x).normal_(generator=generator)
    return x


@torch.no_grad()
def dpm_solver(
    denoise: Denoiser,
    noise: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    steps: int = 20,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> Float[Tensor, "n *s"]:
    """DPM-Solver++(2M), of second order (Lu et al. 2022b, Algorithm 2).

    It expects the denoiser's estimate to go on changing as it just did. Time is
    measured by the logarithm of signal rate over noise rate, in which the path is
    nearly straight. With a stride h of time, a noise rate that goes from s to s',
    and a signal rate a' after it, x becomes s' / s * x - a' * (exp(-h) - 1) *
    expected, where `expected` is x_0 + h / (2 * stride before) * (x_0 - estimate
    before). The first step, and the last, which goes to an infinite time and
    returns its estimate, are of first order (DDIM's). No noise is added, so
    `generator` is not used.
    """
    x, path = noise, spaced_timesteps(schedule, steps)
    earlier: tuple[Tensor, float] | None = None  # the last estimate and stride
    for index, (t, before) in enumerate(pairwise(path)):
        x0 = estimate_x0(denoise, x, path, index, callback)
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        stride = (math.log(then / (1 - then)) - math.log(now / (1 - now))) / 2
        expected = x0
        if earlier is not None:
            expected = x0 + stride / (2 * earlier[1]) * (x0 - earlier[0])
        of_x, of_x0 = math.sqrt((1 - then) / (1 - now)), math.sqrt(then)
        x = of_x * x - of_x0 * math.expm1(-stride) * expected
        earlier = x0, stride
    return estimate_x0(denoise, x, path, len(path) - 1, callback)
