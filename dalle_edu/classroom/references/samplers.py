"""Samplers against diffusers' schedulers: the same network gives the same picture after the whole trajectory."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.diffusion import picture_and_noise
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, linear_schedule
from dalle_edu.classroom.checking.asking import asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.diffusion import FEW, in_float64
from dalle_edu.language import comma, say

LINEAR, COSINE, SHORT = linear_schedule(), cosine_schedule(), cosine_schedule(50)
_PREDICTIONS = {"eps": "epsilon", "v": "v_prediction"}


def _network(x_t: Tensor, t: Tensor) -> Tensor:
    """Some noise to believe in: it depends on x, on its neighbours and on t, and stays bounded."""
    return torch.tanh(x_t + 0.5 * x_t.roll(1, dims=-1)) * (0.5 + t.view(-1, *[1] * (x_t.ndim - 1)) / 2000)


def in_order(path: list[Any], runs: int, count: int) -> dict[str, Any]:
    """How often the network ran, then what was on the way by its name: as many steps as are wanted, where the callback shows any."""
    steps = [*path, *[[]] * (count - len(path))][:count] if path else []
    return {say("runs of the network", "passages du réseau"): runs} | {
        say(f"at step {place}", f"au pas {place}"): each for place, each in enumerate(steps)
    }


def _whole(
    kind: str,
    schedule: NoiseSchedule,
    shape: tuple[int, ...],
    steps: int | None,
    target: str,
    seed: int,
    usual: int = 50,
    scale: float = 1.0,
    **knobs: Any,
) -> Case:
    """A whole trajectory: each t, each noisy picture, each estimate, and the end, divided by `scale`."""
    noise, count = numbers(seed, *shape), usual if steps is None else steps
    end = say("the end", "à la fin")

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        return picture_and_noise(_network(x_t, t), x_t, t, schedule, target)[0]

    def ask(version: Any) -> dict[str, Any]:
        seen, runs = list[Any](), list[int]()
        options: dict[str, Any] = {"callback": lambda step: seen.append(step)} | knobs
        options |= {} if steps is None else {"steps": steps}

        def counted(x_t: Tensor, t: Tensor) -> Tensor:
            runs.append(len(x_t))
            return denoise(x_t, t)

        last = asked(version, counted, noise, schedule, generator=torch.Generator().manual_seed(seed), **options)
        path = [[step.index, step.steps, step.t, step.x / scale, step.x0 / scale] for step in seen]
        return in_order(path, len(runs), count) | {end: last / scale}

    def peer() -> dict[str, Any]:
        scheduler = _scheduler(kind, schedule, target)
        scheduler.set_timesteps(count)
        x, generator, path = noise.clone(), torch.Generator().manual_seed(seed), list[Any]()
        for index, t in enumerate(scheduler.timesteps):
            answer = _network(x, t.expand(shape[0]))
            settings = {} if kind == "DPMSolverMultistepScheduler" else {"generator": generator} | knobs
            after = scheduler.step(answer, t, x, **settings)
            believed = denoise(x, t.expand(shape[0]))
            path.append([index, count, int(t), x / scale, believed / scale])
            x = after.prev_sample
        return in_order(path, count, count) | {end: x / scale}

    size = " × ".join(map(str, shape))
    said = "".join(f", {name} = {value:g}" for name, value in knobs.items())
    how = say("steps left out", "steps omis") if steps is None else f"steps = {steps}"
    dit = "".join(f", {name} = {comma(value, 1)}" for name, value in knobs.items())
    en = f"noise of {size}, T = {len(schedule)}, {how}, the network predicts {target}{said}"
    fr = f"un bruit de {size}, T = {len(schedule)}, {how}, le réseau prédit {target}{dit}"
    return scenario(en, fr, peer, ask, count * noise.numel())


def _scheduler(kind: str, schedule: NoiseSchedule, target: str) -> Any:
    settings: dict[str, Any] = {"timestep_spacing": "trailing", "prediction_type": _PREDICTIONS[target]}
    if kind == "DPMSolverMultistepScheduler":
        settings |= {"trained_betas": schedule.betas.tolist()}
    else:
        settings |= {"clip_sample": False}
    return in_float64(kind, schedule, **settings)


def _bare(schedule: NoiseSchedule, steps: int, seed: int) -> Case:
    """With nothing but what it needs: no callback, and no generator, as no noise is added on the way."""
    noise = numbers(seed, 2, 6)

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        return picture_and_noise(_network(x_t, t), x_t, t, schedule, "v")[0]

    def peer() -> Tensor:
        scheduler, x = _scheduler("DDIMScheduler", schedule, "v"), noise.clone()
        scheduler.set_timesteps(steps)
        for t in scheduler.timesteps:
            x = scheduler.step(_network(x, t.expand(2)), t, x).prev_sample
        return x

    en, fr = "noise of 2 × 6, without callback or generator", "un bruit de 2 × 6, sans callback ni generator"
    return scenario(en, fr, peer, lambda version: asked(version, denoise, noise, schedule, steps), 40)


def _asked_at(schedule: NoiseSchedule, steps: int) -> Case:
    """What the denoiser is given as t: whole numbers, one for each picture."""

    def ask(version: Any) -> list[Any]:
        heard: list[Any] = []

        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            heard.append([t.tolist(), str(t.dtype)])
            return x_t / 2

        version(denoise, double([1.0, 2.0], [3.0, 4.0], [0.0, 1.0]), schedule, steps, torch.Generator().manual_seed(0))
        return heard

    def peer() -> list[Any]:
        scheduler = _scheduler("DDIMScheduler", schedule, "eps")
        scheduler.set_timesteps(steps)
        return [[[t] * 3, "torch.int64"] for t in scheduler.timesteps.tolist()]

    size = f"T = {len(schedule)}, steps = {steps}"
    return scenario(f"the t that the denoiser is given, {size}", f"le t donné au débruiteur, {size}", peer, ask, 30)


def _ddpm(seed: int) -> list[Case]:
    kind, picture = "DDPMScheduler", (2, 3, 4, 5)
    return [
        _whole(kind, FEW, (1, 1), 1, "v", seed),
        _whole(kind, FEW, (1, 2), 2, "eps", seed),
        _whole(kind, FEW, (3, 2), 4, "eps", seed + 1),
        _whole(kind, LINEAR, picture, 10, "eps", seed + 2),
        _whole(kind, LINEAR, picture, 16, "v", seed + 3),
        _whole(kind, SHORT, picture, 50, "v", seed + 4),
        _whole(kind, LINEAR, (2, 6), None, "v", seed + 5),
        _asked_at(LINEAR, 5),
    ]


def _ddim(seed: int) -> list[Case]:
    kind, picture = "DDIMScheduler", (2, 3, 4, 5)
    settings = ((LINEAR, "eps"), (COSINE, "v"))
    return [
        _whole(kind, FEW, (1, 1), 1, "v", seed),
        _whole(kind, FEW, (1, 2), 2, "eps", seed, eta=0.0),
        _whole(kind, FEW, (3, 2), 4, "v", seed + 1, eta=1.0),
        *(_whole(kind, schedule, picture, 10, target, seed + 2, eta=eta) for schedule, target in settings for eta in (0.0, 0.5, 1.0)),
        _whole(kind, LINEAR, (2, 6), None, "v", seed + 3),
        _bare(LINEAR, 4, seed),
        _asked_at(LINEAR, 5),
    ]


def _dpm_solver(seed: int) -> list[Case]:
    """In float32, in which diffusers' solver keeps its noise levels; what is hundreds of times the noise is brought down."""
    kind, picture = "DPMSolverMultistepScheduler", (2, 3, 4, 5)
    settings = ((LINEAR, "eps", 400.0), (COSINE, "v", 1.0))
    return [
        _whole(kind, FEW, (1, 1), 1, "v", seed),
        _whole(kind, FEW, (1, 2), 3, "eps", seed),
        _whole(kind, FEW, (3, 2), 4, "v", seed + 1),
        *(
            _whole(kind, schedule, picture, steps, target, seed + 2, scale=scale)
            for schedule, target, scale in settings
            for steps in (1, 2, 10, 20)
        ),
        _whole(kind, LINEAR, (2, 6), None, "v", seed + 3, usual=20),
        _asked_at(LINEAR, 5),
    ]


def _spaced_timesteps(seed: int) -> list[Case]:
    def peer(schedule: NoiseSchedule, steps: int) -> list[int]:
        scheduler = _scheduler("DDIMScheduler", schedule, "eps")
        scheduler.set_timesteps(steps)
        return scheduler.timesteps.tolist()

    odd = 3 + 2 * (seed % 8)
    settings = ((1, 1), (3, 2), (10, 4), (10, 10), (20 + seed % 30, odd), (1000, 1), (1000, 20), (1000, 16), (1000, 1000), (1000, odd))
    return [call(peer, linear_schedule(timesteps, 0.01, 0.02), steps) for timesteps, steps in settings]


REFERENCES = [
    Reference("samplers:spaced_timesteps", "diffusers.DDIMScheduler.set_timesteps", cases=_spaced_timesteps, tolerance=0.0),
    Reference(
        "samplers:ddpm",
        say("diffusers.DDPMScheduler, whole trajectories", "diffusers.DDPMScheduler, trajectoires entières"),
        cases=_ddpm,
        tolerance=1e-10,
    ),
    Reference(
        "samplers:ddim",
        say("diffusers.DDIMScheduler, whole trajectories", "diffusers.DDIMScheduler, trajectoires entières"),
        cases=_ddim,
        tolerance=1e-10,
    ),
    Reference(
        "samplers:dpm_solver",
        say("diffusers.DPMSolverMultistepScheduler, whole trajectories", "diffusers.DPMSolverMultistepScheduler, trajectoires entières"),
        cases=_dpm_solver,
        tolerance=1e-5,
    ),
]
