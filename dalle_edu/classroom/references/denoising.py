"""The loss of diffusion and its denoiser against diffusers' schedulers."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.diffusion import TARGETS, dynamic_threshold
from dalle_edu.bricks.noise_schedule import NoiseSchedule, linear_schedule
from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.diffusion import FEW, LINEAR, PREDICTION_TYPES, their_scheduler
from dalle_edu.language import say


class _Seer:
    """A network that knows the pictures: it answers the target, but for an error that depends on the timestep, and on a condition.

    It keeps the timesteps that it is asked about, and the noise in what it is shown.
    """

    def __init__(self, x0: Tensor, schedule: NoiseSchedule, target: str):
        self.x0, self.schedule, self.target = x0, schedule, target
        self.asked_at, self.noise = list[Tensor](), list[Tensor]()

    def __call__(self, x_t: Tensor, t: Tensor, shift: Tensor | None = None) -> Tensor:
        signal = self.schedule.alphas_bar[t].view(-1, *[1] * (x_t.ndim - 1))
        noise = (x_t - signal.sqrt() * self.x0) / (1 - signal).sqrt()
        self.asked_at.append(t)
        self.noise.append(noise)
        wanted = {"eps": noise, "x0": self.x0, "v": signal.sqrt() * noise - (1 - signal).sqrt() * self.x0}[self.target]
        return wanted + self.error(t).view_as(signal) * self.pattern() + (0 if shift is None else shift)

    def error(self, t: Tensor) -> Tensor:
        return (t + 1).double() / len(self.schedule)

    def pattern(self) -> Tensor:
        """How the error goes over the numbers of a picture."""
        return torch.linspace(-1, 2, self.x0[0].numel(), dtype=DOUBLE).view(self.x0[0].shape)


def _parts(t: Tensor, n: int, timesteps: int) -> Tensor:
    """The part of the schedule, of n equal ones, of each timestep in order; one that two parts share counts for the one that wants it."""
    in_order = t.sort().values
    if len(in_order) != n:
        return in_order
    parts = torch.arange(n)
    lowest, highest = parts * timesteps // n, -(-(parts + 1) * timesteps // n) - 1
    return torch.where((in_order >= lowest) & (in_order <= highest), parts, in_order * n // timesteps)


def _losses(target: str | None, shape: tuple[int, ...], schedule: NoiseSchedule, weighted: bool, shifted: bool, seed: int) -> Case:
    """The loss over a batch in which each equal part of the schedule has one picture; and what the network was shown."""
    x0, n, timesteps = numbers(seed, *shape), shape[0], len(schedule)
    weights = 2 * torch.rand(timesteps, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE) if weighted else None
    shift = numbers(seed + 1, n, *[1] * (len(shape) - 1)).mean() * torch.ones(n, *[1] * (len(shape) - 1), dtype=DOUBLE)
    names = say("loss", "perte"), say("parts of the schedule", "parts du calendrier"), say("normal noise", "bruit normal")
    every_timestep = n == timesteps

    def ask(version: Any) -> dict[str, Any]:
        seer, given = _Seer(x0, schedule, target or "v"), shift.clone().requires_grad_()
        options: dict[str, Any] = {} if target is None else {"target": target}
        options |= {"shift": given} if shifted else {}

        def drawn(x0: Tensor, schedule: NoiseSchedule, **weights: Tensor) -> Tensor:
            return version(seer, x0, schedule, generator=torch.Generator().manual_seed(seed), **weights, **options)

        found = asked(drawn, x0, schedule, **({} if weights is None else {"weights": weights}))
        t, noise = torch.cat(seer.asked_at), torch.cat(seer.noise)
        slope = torch.autograd.grad(found, given)[0].sum() if shifted and found.requires_grad else torch.tensor(0.0, dtype=DOUBLE)
        many = noise.numel() > 1000
        normal = not many or bool(abs(noise.mean()) < 0.2 and abs(noise.std() - 1) < 0.15 and abs((noise**4).mean() - 3) < 1.5)
        apart = n == 1 or not torch.allclose(noise[0], noise[1])
        return {
            names[0]: [found.detach(), slope] if every_timestep else [],
            names[1]: _parts(t, n, timesteps),
            names[2]: normal and apart,
        }

    def peer() -> dict[str, Any]:
        t = torch.arange(n) * timesteps // n
        noise, given = numbers(seed + 2, *shape), shift.clone().requires_grad_()
        scheduler, seer = their_scheduler(schedule), _Seer(x0, schedule, target or "v")
        wanted = {"eps": noise, "x0": x0, "v": scheduler.get_velocity(x0, noise, t)}[target or "v"]
        answer = seer(scheduler.add_noise(x0, noise, t), t, given if shifted else None)
        errors = F.mse_loss(answer, wanted, reduction="none").reshape(n, -1).mean(dim=1)
        loss = errors.mean() if weights is None else (weights[t] * errors).mean()
        slope = torch.autograd.grad(loss, given)[0].sum() if shifted else torch.tensor(0.0, dtype=DOUBLE)
        return {names[0]: [loss.detach(), slope] if every_timestep else [], names[1]: torch.arange(n), names[2]: True}

    said = [*([f'target = "{target}"'] if target else []), *(["weights"] if weighted else []), *(["a condition"] if shifted else [])]
    dits = [*([f"target = « {target} »"] if target else []), *(["weights"] if weighted else []), *(["une condition"] if shifted else [])]
    size = " × ".join(map(str, shape))
    en = ", ".join([f"pictures of {size}, T = {timesteps}", *said])
    return scenario(en, ", ".join([f"des images de {size}, T = {timesteps}", *dits]), peer, ask, x0.numel())


def _by_the_same_numbers(seed: int) -> Case:
    """The generator decides everything: the same numbers give the same loss, others another."""
    x0 = numbers(seed, 3, 4)
    same, other = say("the same again", "la même de nouveau"), say("another with another seed", "une autre avec une autre graine")

    def ask(version: Any) -> dict[str, bool]:
        first, again, apart = (
            version(lambda x_t, t: x_t.sin(), x0.clone(), LINEAR, generator=torch.Generator().manual_seed(number))
            for number in (seed, seed, seed + 1)
        )
        return {same: bool(first == again), other: bool(first != apart)}

    en, fr = "three losses by generators of two seeds", "trois pertes par des générateurs de deux graines"
    return scenario(en, fr, lambda: {same: True, other: True}, ask, 100)


def _diffusion_loss(seed: int) -> list[Case]:
    one, small = NoiseSchedule(double(0.5)), linear_schedule(12, 0.05, 0.5)
    return [
        _losses("x0", (1, 1), one, False, False, seed),
        _losses("x0", (4, 2), FEW, False, False, seed + 1),
        _losses("eps", (4, 2), FEW, True, False, seed + 2),
        _losses(None, (4, 2), FEW, False, True, seed + 3),
        *(
            _losses(target, (12, 3, 6, 5), small, weighted, shifted, seed + 4)
            for target in (*TARGETS, None)
            for weighted, shifted in ((False, True), (True, True))
        ),
        _losses("eps", (64, 3, 4, 4), LINEAR, False, False, seed + 5),
        _losses("v", (7, 5), LINEAR, True, False, seed + 6),
        _by_the_same_numbers(seed),
    ]


def tame(x_t: Tensor, t: Tensor) -> Tensor:
    """A network of which DDPM believes what it says."""
    return torch.tanh(x_t.roll(1, dims=-1) + 0.5) * (t.view(-1, *[1] * (x_t.ndim - 1)) + 1) / 1000


def _halved(x0: Tensor) -> Tensor:
    return x0 / 2


def _denoisers(seed: int) -> list[Case]:
    """What DDPM believes in at a step, plain and thresholded."""

    def case(target: str | None, clip: Any, shape: tuple[int, ...], times: tuple[int, ...], schedule: NoiseSchedule, number: int) -> Case:
        x_t = 2 * numbers(number, *shape)

        def ask(version: Any) -> list[Tensor]:
            options: dict[str, Any] = {} if target is None else {"target": target}
            options |= {} if clip is None else {"clip": clip}
            denoise = version(tame, schedule, **options)
            return [asked(denoise, x_t, torch.full((shape[0],), t)) for t in times] + [asked(denoise, x_t, torch.arange(shape[0]))]

        def peer() -> list[Tensor]:
            settings = {"thresholding": True, "sample_max_value": 1e9} if clip is dynamic_threshold else {"clip_sample": False}
            theirs = their_scheduler(schedule, prediction_type=PREDICTION_TYPES[target or "v"], **settings)
            theirs.config.variance_type = "fixed_small"

            def believed(x: Tensor, t: int) -> Tensor:
                answer = tame(x, torch.full((len(x),), t))
                found = theirs.step(answer, t, x, generator=torch.Generator()).pred_original_sample
                return found / 2 if clip is _halved else found

            several = torch.cat([believed(x_t[row : row + 1], row) for row in range(shape[0])])
            return [*(believed(x_t, t) for t in times), several]

        said = "" if target is None else f', target = "{target}"'
        dit = "" if target is None else f", target = « {target} »"
        clipped = "" if clip is None else f", clip = {clip.__name__.strip('_')}"
        size = " × ".join(map(str, shape))
        return scenario(f"x_t of {size}{said}{clipped}", f"x_t de {size}{dit}{clipped}", peer, ask, x_t.numel() * len(times))

    small: list[Case] = [case(target, None, (1, 2, 1), (0, 3), FEW, seed) for target in (*TARGETS, None)]
    large = [
        case(target, clip, (3, 2, 4, 5), (0, 500, 800), LINEAR, seed + 1)
        for target in (*TARGETS, None)
        for clip in (None, dynamic_threshold, _halved)
    ]
    return [*small, *large]


REFERENCES = [
    Reference(
        "diffusion:diffusion_loss",
        say("torch.nn.functional.mse_loss on diffusers' targets", "torch.nn.functional.mse_loss sur les cibles de diffusers"),
        cases=_diffusion_loss,
        tolerance=1e-10,
    ),
    Reference("diffusion:denoiser", "diffusers.DDPMScheduler.step", cases=_denoisers, tolerance=1e-10),
]
