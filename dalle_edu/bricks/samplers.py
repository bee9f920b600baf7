"""Samplers: the ways back from noise to a picture.

All of them ask a denoiser (`diffusion.denoiser`) what it believes in, move a little
towards that, and ask again. They differ in how they move: with fresh noise at each
step (DDPM), straight (DDIM), or along a curve drawn through the last two answers
(DPM-Solver++). Each is one function, and they are called alike:

    sampler(denoise, noise, schedule, steps, generator, callback)

`noise` is standard normal, of the shape of what is wanted; `generator` gives the
noise added on the way, if any; `callback` is told of each `Step`. The number of
times the denoiser runs is `steps`.

Letters: n pictures of any shape `*s`. Lesson 10.
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
    """Where a sampler is: step `index` of `steps`, at timestep `t`, with `x` as
    noisy as that; `x0` is what the denoiser believes in.
    """

    index: int
    steps: int
    t: int
    x: Tensor
    x0: Tensor


Callback = Callable[[Step], None]


def spaced_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """`steps` timesteps, evenly spaced from the last one down, so that sampling
    starts where there is nothing but noise.

    Spacing them from 0 up would start where a little of the picture is left, and
    the sampler would be lied to (Lin et al. 2023, table 2, "trailing"). Raises
    `DalleEduError` unless 1 <= steps <= T.
    """
    if not 1 <= steps <= len(schedule):
        raise DalleEduError(
            f"{steps} steps are asked of a schedule of {len(schedule)} timesteps; "
            f"ask for 1 to {len(schedule)}",
            f"{steps} pas demandés à un calendrier de {len(schedule)} instants ; "
            f"demandez-en de 1 à {len(schedule)}",
        )
    return [round(len(schedule) * (1 - step / steps)) - 1 for step in range(steps)]


def _ask(
    denoise: Denoiser,
    x: Float[Tensor, "n *s"],
    path: list[int],
    index: int,
    callback: Callback | None,
) -> Float[Tensor, "n *s"]:
    """The denoiser's answer at one point of the path, shown to the callback."""
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
    """Ancestral sampling: draw each x from q(x_before | x_now, x_0), with the
    denoiser's x_0 (Ho et al. 2020, Algorithm 2 and equation 7).

    The fresh noise has the smaller of the paper's two variances. It corrects past
    errors, and asks for many steps. The last step adds none.
    """
    x, path = noise, spaced_timesteps(schedule, steps)
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        x0 = _ask(denoise, x, path, index, callback)
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        beta = 1 - now / then  # all the noise that came between the two
        x = (math.sqrt(then) * beta * x0 + math.sqrt(1 - beta) * (1 - then) * x) / (
            1 - now
        )
        if before >= 0:
            x = x + math.sqrt(beta * (1 - then) / (1 - now)) * torch.empty_like(
                x
            ).normal_(generator=generator)
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
    """Take the noise that the denoiser's answer leaves for the truth, and mix both
    again with less of it (Song et al. 2021, equation 12).

    With `eta` 0 nothing is drawn on the way: each noise has its picture, and close
    noises have close ones. With 1 this is `ddpm`. Raises `DalleEduError` for an
    `eta` outside [0, 1].
    """
    if not 0 <= eta <= 1:
        raise DalleEduError(
            f"eta is {eta}; give 0 (no fresh noise) to 1 (as much as DDPM)",
            f"eta vaut {eta} ; donnez de 0 (pas de bruit nouveau) à 1 (autant que "
            "DDPM)",
        )
    x, path = noise, spaced_timesteps(schedule, steps)
    for index, (t, before) in enumerate(pairwise([*path, -1])):
        x0 = _ask(denoise, x, path, index, callback)
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
    """DPM-Solver++(2M), second order: expect the denoiser's answer to go on
    changing as it just did (Lu et al. 2022b, Algorithm 2).

    Time is measured by the logarithm of signal over noise, in which the path is
    nearly straight. The first step and the last, which goes to an infinite time,
    are of first order (DDIM's). Nothing is drawn on the way: `generator` is there
    to be called like the others.
    """
    x, path = noise, spaced_timesteps(schedule, steps)
    # the last answer, and how far the last step went
    earlier: tuple[Tensor, float] | None = None
    for index, (t, before) in enumerate(pairwise(path)):
        x0 = _ask(denoise, x, path, index, callback)
        now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
        stride = (math.log(then / (1 - then)) - math.log(now / (1 - now))) / 2
        expected = (
            x0
            if earlier is None
            else x0 + stride / (2 * earlier[1]) * (x0 - earlier[0])
        )
        x = (
            math.sqrt((1 - then) / (1 - now)) * x
            - math.sqrt(then) * math.expm1(-stride) * expected
        )
        earlier = x0, stride
    return _ask(denoise, x, path, len(path) - 1, callback)
