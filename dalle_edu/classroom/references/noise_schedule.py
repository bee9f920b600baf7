"""Noise schedules against diffusers'."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, linear_schedule
from dalle_edu.classroom.checking.asking import asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.diffusion import FEW
from dalle_edu.language import comma, say


def _schedules(peer: Callable[..., Any], settings: list[dict[str, Any]]) -> list[Case]:
    """The betas of a schedule, and what is left of the signal."""

    def left(given: dict[str, Any]) -> Case:
        said = ", ".join(f"{name} = {value:g}" for name, value in given.items()) or say("nothing is said", "rien n'est dit")
        return scenario(
            f"alphas_bar, {said}",
            f"alphas_bar, {said.replace('.', ',')}",
            lambda: peer(**given).alphas_cumprod.double(),
            lambda version: version(**given).alphas_bar,
            given.get("timesteps", 1000),
        )

    def betas(**given: Any) -> NoiseSchedule:
        return NoiseSchedule(peer(**given).betas.double())

    return [*(call(betas, **given) for given in settings), *map(left, settings)]


def _linear_schedule(seed: int) -> list[Case]:
    def peer(timesteps: int = 1000, first: float = 1e-4, last: float = 0.02) -> Any:
        from diffusers import DDPMScheduler

        return DDPMScheduler(timesteps, beta_start=first, beta_end=last, beta_schedule="linear")

    any_number = 20 + seed % 50
    return _schedules(
        peer,
        [
            {},
            {"timesteps": 2},
            {"timesteps": 3, "first": 0.25, "last": 0.75},
            {"timesteps": any_number},
            {"timesteps": any_number, "first": 1e-3, "last": 0.5},
            {"last": 0.012},
        ],
    )


def _cosine_schedule(seed: int) -> list[Case]:
    def peer(timesteps: int = 1000, max_beta: float = 0.999) -> Any:
        from diffusers import DDPMScheduler
        from diffusers.schedulers.scheduling_ddpm import betas_for_alpha_bar

        theirs: Any = DDPMScheduler(timesteps, trained_betas=betas_for_alpha_bar(timesteps, max_beta).tolist())
        return theirs

    def by_double_angles(timesteps: int, offset: float, max_beta: float = 0.999) -> NoiseSchedule:
        """Equation 17 with cos² x = (1 + cos 2x) / 2."""
        import numpy as np

        twice = np.pi * (np.arange(timesteps + 1) / timesteps + offset) / (1 + offset)
        alpha_bar = (1 + np.cos(twice)) / 2
        return NoiseSchedule(torch.from_numpy(np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], max_beta)))

    any_number = 20 + seed % 50
    settings: list[dict[str, Any]] = [
        {},
        {"timesteps": 1},
        {"timesteps": 3},
        {"timesteps": 10},
        {"timesteps": any_number},
        {"timesteps": any_number, "max_beta": 0.6},
    ]
    return [*_schedules(peer, settings), call(by_double_angles, 12, 0.1), call(by_double_angles, 30, offset=0.02, max_beta=0.9)]


def _shifted(seed: int) -> list[Case]:
    """Flow matching writes noise / signal as sigma / (1 - sigma), and diffusers' scheduler for it shifts just that ratio."""

    def sigmas(schedule: NoiseSchedule) -> Tensor:
        ratio = ((1 - schedule.alphas_bar) / schedule.alphas_bar).sqrt()
        return ratio / (1 + ratio)

    def case(en: str, fr: str, schedule: NoiseSchedule, factor: float) -> Case:
        def ask(version: Any) -> Tensor:
            betas = schedule.betas.clone()
            return sigmas(asked(lambda betas: version(NoiseSchedule(betas), factor), betas))

        def peer() -> Tensor:
            from diffusers import FlowMatchEulerDiscreteScheduler

            scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=factor)
            scheduler.set_timesteps(sigmas=sigmas(schedule).tolist())
            return scheduler.sigmas[:-1].double()

        title = say("noise / (signal + noise)", "bruit / (signal + bruit)")
        return scenario(
            f"{title} of {en}, factor = {factor:g}", f"{title} pour {fr}, factor = {comma(factor, 1)}", peer, ask, len(schedule)
        )

    half, some = NoiseSchedule(double(0.5)), NoiseSchedule(numbers(seed, 9).sigmoid() / 2)
    named = say("the linear schedule", "le calendrier linéaire"), say("the cosine schedule", "le calendrier en cosinus")
    return [
        case("betas = [0.5]", "betas = [0,5]", half, 2.0),
        case("betas = [0.5]", "betas = [0,5]", half, 1.0),
        case("betas = [0.1, 0.3, 0.6, 0.8]", "betas = [0,1 ; 0,3 ; 0,6 ; 0,8]", FEW, 0.5),
        case("9 betas", "9 bêtas", some, 1.5),
        *(case(named[0], named[0], linear_schedule(), factor) for factor in (0.5, 3.0)),
        case(named[1], named[1], cosine_schedule(20), 0.7),
    ]


def _shifted_by_logits(seed: int) -> list[Case]:
    """The logit of alpha_bar is the logarithm of signal over noise, as variances: a shift of the rates' ratio moves it by twice its own."""

    def peer(schedule: NoiseSchedule, factor: float) -> NoiseSchedule:
        import numpy as np
        from scipy.special import expit, logit

        alphas_bar = expit(logit(schedule.alphas_bar.numpy()) - 2 * np.log(factor))
        return NoiseSchedule(torch.from_numpy(1 - alphas_bar / np.concatenate([[1.0], alphas_bar[:-1]])))

    some = NoiseSchedule(numbers(seed, 9).sigmoid() / 2)
    return [
        call(peer, NoiseSchedule(double(0.5)), 2.0),
        call(peer, NoiseSchedule(double(0.2)), 0.5),
        call(peer, NoiseSchedule(double(0.5, 0.5)), 1.0),
        call(peer, FEW, 3.0),
        call(peer, some, 0.3 + seed % 5),
    ]


REFERENCES = [
    Reference("noise_schedule:shifted", "scipy.special.logit", cases=_shifted_by_logits, tolerance=1e-10),
    Reference("noise_schedule:shifted", "diffusers.FlowMatchEulerDiscreteScheduler", cases=_shifted, tolerance=1e-6),
    Reference("noise_schedule:linear_schedule", "diffusers.DDPMScheduler", cases=_linear_schedule, tolerance=1e-6),
    Reference("noise_schedule:cosine_schedule", "diffusers.DDPMScheduler", cases=_cosine_schedule, tolerance=1e-6),
]
