"""Samplers against diffusers' schedulers: the same network gives the same picture after the whole trajectory."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.diffusion import picture_and_noise
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, linear_schedule
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _network(x_t: Tensor, t: Tensor) -> Tensor:
    """Some noise to believe in: it depends on x, on its neighbours and on t, and stays bounded."""
    return torch.tanh(x_t + 0.5 * x_t.roll(1, dims=-1)) * (0.5 + t.view(-1, 1, 1, 1) / 2000)


def _whole_trajectory(
    sampler: Callable[..., Any], scheduler: Any, schedule: NoiseSchedule, steps: int, target: str = "eps", **knobs: Any
) -> float:
    """The largest difference on the way, relative to the largest number met."""
    scheduler.set_timesteps(steps)
    theirs, generator, path = _noise(2, 3, 4, 4), torch.Generator().manual_seed(1), []
    for t in scheduler.timesteps:
        path.append(theirs)
        settings = {"generator": generator} | knobs
        theirs = scheduler.step(_network(theirs, t.expand(2)), t, theirs, **settings).prev_sample

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        return picture_and_noise(_network(x_t, t), x_t, t, schedule, target)[0]

    seen: list[Any] = []
    ours = sampler(denoise, _noise(2, 3, 4, 4), schedule, steps, torch.Generator().manual_seed(1), seen.append, **knobs)
    if [step.t for step in seen] != scheduler.timesteps.tolist():
        return float("inf")
    largest = max(float(x.abs().max()) for x in [*path, theirs])
    return max(gap(mine, other) for mine, other in zip([*(step.x for step in seen), ours], [*path, theirs], strict=True)) / largest


def _in_float64(scheduler: Any, schedule: NoiseSchedule) -> Any:
    scheduler.alphas_cumprod = schedule.alphas_bar
    return scheduler


_SETTINGS: dict[str, Any] = {"timestep_spacing": "trailing"}
_PREDICTIONS = {"eps": "epsilon", "v": "v_prediction"}


def _ddpm(version: Callable[..., Any]) -> float:
    from diffusers import DDPMScheduler

    differences = []
    for schedule, steps, target in ((linear_schedule(), 10, "eps"), (linear_schedule(), 16, "v"), (cosine_schedule(50), 50, "v")):
        scheduler: Any = DDPMScheduler(len(schedule), clip_sample=False, prediction_type=_PREDICTIONS[target], **_SETTINGS)
        differences.append(_whole_trajectory(version, _in_float64(scheduler, schedule), schedule, steps, target))
    return max(differences)


def _ddim(version: Callable[..., Any]) -> float:
    from diffusers import DDIMScheduler

    differences = []
    for schedule, target in ((linear_schedule(), "eps"), (cosine_schedule(), "v")):
        for eta in (0.0, 0.5, 1.0):
            scheduler: Any = DDIMScheduler(clip_sample=False, prediction_type=_PREDICTIONS[target], **_SETTINGS)
            differences.append(_whole_trajectory(version, _in_float64(scheduler, schedule), schedule, 10, target, eta=eta))
    return max(differences)


def _dpm_solver(version: Callable[..., Any]) -> float:
    """In float32, in which diffusers' solver keeps its noise levels."""
    from diffusers import DPMSolverMultistepScheduler

    differences = []
    for name, schedule, target in (("linear", linear_schedule(), "eps"), ("squaredcos_cap_v2", cosine_schedule(), "v")):
        for steps in (1, 2, 10, 20):
            scheduler: Any = DPMSolverMultistepScheduler(beta_schedule=name, prediction_type=_PREDICTIONS[target], **_SETTINGS)
            differences.append(_whole_trajectory(version, scheduler, schedule, steps, target))
    return max(differences)


def _spaced_timesteps(version: Callable[..., Any]) -> float:
    from diffusers import DDIMScheduler

    differences = []
    for timesteps, steps in ((1000, 1), (1000, 20), (1000, 16), (1000, 1000), (10, 4)):
        scheduler: Any = DDIMScheduler(timesteps, **_SETTINGS)
        scheduler.set_timesteps(steps)
        differences.append(gap(version(linear_schedule(timesteps), steps), scheduler.timesteps))
    return max(differences)


REFERENCES = [
    Reference("samplers:spaced_timesteps", "diffusers.DDIMScheduler.set_timesteps", _spaced_timesteps, 0.0),
    Reference(
        "samplers:ddpm", say("diffusers.DDPMScheduler, whole trajectories", "diffusers.DDPMScheduler, trajectoires entières"), _ddpm, 1e-10
    ),
    Reference(
        "samplers:ddim", say("diffusers.DDIMScheduler, whole trajectories", "diffusers.DDIMScheduler, trajectoires entières"), _ddim, 1e-10
    ),
    Reference(
        "samplers:dpm_solver",
        say("diffusers.DPMSolverMultistepScheduler, whole trajectories", "diffusers.DPMSolverMultistepScheduler, trajectoires entières"),
        _dpm_solver,
    ),
]
