"""The samplers of flow matching against diffusers' schedulers: the same velocities give the same picture after the whole trajectory."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, asked, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.flow import in_float64
from dalle_edu.classroom.references.samplers import in_order
from dalle_edu.language import comma, say

CPU = torch.device("cpu")


def _spaced_times(seed: int) -> list[Case]:
    def peer(strides: int, shift: float = 1.0) -> list[float]:
        import diffusers

        scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / strides, strides))
        return scheduler.sigmas.tolist()

    settings: list[tuple[int, dict[str, Any]]] = [
        (1, {}),
        (2, {}),
        (4, {"shift": 3.0}),
        (10, {}),
        (3, {"shift": 0.5}),
        (7 + seed % 9, {}),
    ]
    return [
        *(call(peer, strides, **options) for strides, options in settings),
        call(peer, 1, shift=2.0),
        call(peer, 28, 1.0 + 0.25 * (seed % 5)),
    ]


def _network(x_t: Tensor, t: Tensor) -> Tensor:
    """A velocity that depends on x, on its neighbours and on t, and stays bounded."""
    return torch.tanh(x_t + 0.5 * x_t.roll(1, dims=-1)) * (0.5 + t.view(-1, *[1] * (x_t.ndim - 1))) - 0.2


def _times(strides: int, shift: float) -> list[float]:
    import diffusers

    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / strides, strides))
    return scheduler.sigmas.double().tolist()


Walk = Callable[[Callable[[Tensor, float], Tensor], Tensor, int, float], Tensor]


def _whole(walk: Walk, shape: tuple[int, ...], steps: int | None, seed: int, usual: int, watched: bool = True, **knobs: float) -> Case:
    """A whole trajectory: each time, each point, each picture believed in, and the end; what the network is told as t."""
    noise, count = numbers(seed, *shape), usual if steps is None else steps
    end, told = say("the end", "à la fin"), say("t told to the network", "le t donné au réseau")

    def ask(version: Any) -> dict[str, Any]:
        seen, heard = list[Any](), list[Any]()
        options: dict[str, Any] = ({"callback": seen.append} if watched else {}) | knobs | ({} if steps is None else {"steps": steps})

        def network(x_t: Tensor, t: Tensor) -> Tensor:
            heard.append(t.clone())
            return _network(x_t, t)

        last = asked(version, network, noise, **options)
        path = [[step.index, step.steps, float(step.t), step.x, step.x0] for step in seen]
        return in_order(path, len(heard), count) | {told: heard, end: last}

    def peer() -> dict[str, Any]:
        path, heard = list[Any](), list[Any]()

        def look(x: Tensor, t: float) -> Tensor:
            at = torch.full((shape[0],), t, dtype=DOUBLE)
            velocity = _network(x, at)
            heard.append(at)
            path.append([len(path), count, t, x, in_float64([t, 0.0]).step(velocity, torch.tensor(t), x).prev_sample])
            return velocity

        last = walk(look, noise.clone(), count, knobs.get("shift", 1.0))
        return in_order(path if watched else [], count, count) | {told: heard, end: last}

    size = " × ".join(map(str, shape))
    how = say("steps left out", "steps omis") if steps is None else f"steps = {steps}"
    said = "".join(f", {name} = {value:g}" for name, value in knobs.items())
    dit = "".join(f", {name} = {comma(value, 1)}" for name, value in knobs.items())
    bare = "" if watched else say(", without callback", ", sans callback")
    return scenario(f"noise of {size}, {how}{said}{bare}", f"un bruit de {size}, {how}{dit}{bare}", peer, ask, count * noise.numel())


def _their_euler(look: Callable[[Tensor, float], Tensor], x: Tensor, steps: int, shift: float) -> Tensor:
    scheduler = in_float64(_times(steps, shift))
    for t in scheduler.timesteps:
        x = scheduler.step(look(x, float(t)), t, x).prev_sample
    return x


def _their_heun(look: Callable[[Tensor, float], Tensor], x: Tensor, steps: int, shift: float) -> Tensor:
    """diffusers' Heun, which ends with a step of Euler's; an even number of runs looks at the picture too, which it cannot divide by."""
    times = _times((steps + 1) // 2, shift)
    scheduler = in_float64(times, "FlowMatchHeunDiscreteScheduler")
    for t in scheduler.timesteps[:-1]:
        x = scheduler.step(look(x, float(t)), t, x).prev_sample
    last = times[-2]
    first = look(x, last)
    done = scheduler.step(first, scheduler.timesteps[-1], x).prev_sample
    if steps % 2:
        return done
    mean = (first + look(done, 0.0)) / 2
    return in_float64([last, 0.0]).step(mean, torch.tensor(last), x).prev_sample


def _their_midpoint(look: Callable[[Tensor, float], Tensor], x: Tensor, steps: int, shift: float) -> Tensor:
    """A step of diffusers' Euler to the middle, then one over the whole stride with what is seen there."""
    times = _times((steps + 1) // 2, shift)
    for stride, (now, then) in enumerate(pairwise(times)):
        velocity = look(x, now)
        if 2 * stride + 1 < steps:
            half = (now + then) / 2
            velocity = look(in_float64([now, half]).step(velocity, torch.tensor(now), x).prev_sample, half)
        x = in_float64([now, then]).step(velocity, torch.tensor(now), x).prev_sample
    return x


def _sampler(walk: Walk, usual: int) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        picture = (2, 3, 4, 5)
        return [
            _whole(walk, (1, 1), 1, seed, usual),
            _whole(walk, (1, 2), 2, seed, usual),
            _whole(walk, (3, 2), 4, seed + 1, usual, shift=3.0),
            _whole(walk, (2, 3), 5, seed + 2, usual, watched=False),
            _whole(walk, picture, 9, seed + 3, usual),
            _whole(walk, picture, 10, seed + 4, usual, shift=0.5),
            _whole(walk, (2, 6), None, seed + 5, usual),
        ]

    return cases


def _trajectories(peer: str) -> str:
    return say(f"{peer}, whole trajectories", f"{peer}, trajectoires entières")


REFERENCES = [
    Reference("flow:spaced_times", "diffusers.FlowMatchEulerDiscreteScheduler.set_timesteps", cases=_spaced_times, tolerance=1e-6),
    Reference("flow:euler", _trajectories("diffusers.FlowMatchEulerDiscreteScheduler"), cases=_sampler(_their_euler, 50), tolerance=1e-5),
    Reference(
        "flow:midpoint",
        _trajectories("diffusers.FlowMatchEulerDiscreteScheduler"),
        cases=_sampler(_their_midpoint, 20),
        tolerance=1e-5,
    ),
    Reference("flow:heun", _trajectories("diffusers.FlowMatchHeunDiscreteScheduler"), cases=_sampler(_their_heun, 20), tolerance=1e-5),
]
