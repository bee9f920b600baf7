"""The diffusion process against diffusers' schedulers."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.diffusion import TARGETS
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, linear_schedule
from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say

PREDICTION_TYPES = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}

FEW = NoiseSchedule(double(0.1, 0.3, 0.6, 0.8))  # four timesteps


def in_float64(kind: str, schedule: NoiseSchedule, **settings: Any) -> Any:
    """A scheduler of diffusers with this schedule, in float64."""
    import diffusers

    scheduler: Any = getattr(diffusers, kind)(len(schedule), **settings)
    scheduler.alphas_cumprod = schedule.alphas_bar
    return scheduler


def their_scheduler(schedule: NoiseSchedule, **settings: Any) -> Any:
    return in_float64("DDPMScheduler", schedule, **settings)


def _dtype(given: str, *args: Any) -> Case:
    """That pictures in single precision stay so, though schedules are in double precision."""

    def single(value: Any) -> Any:
        return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value

    def ask(version: Any) -> str:
        found = asked(version, *map(single, args))
        return str(found[0].dtype if isinstance(found, (tuple, list)) else found.dtype)

    return scenario(f"{given} in float32, the dtype", f"{given} en float32, le dtype", lambda: "torch.float32", ask, 60)


LINEAR, COSINE = linear_schedule(), cosine_schedule(20)


def timesteps_of(*t: int) -> Tensor:
    return torch.tensor(t)


def _batches(seed: int) -> list[tuple[Tensor, Tensor, Tensor, NoiseSchedule]]:
    """Pictures, noise, timesteps and a schedule: the first and last timesteps, one picture and several, pictures of any shape."""
    shapes: list[tuple[tuple[int, ...], tuple[int, ...], NoiseSchedule]] = [
        ((4, 3, 8, 6), (0, 1, 500, 999), LINEAR),
        ((4, 6), (999, 3, 0, 3), LINEAR),
        ((3, 2, 4, 5), (19, 7, 0), COSINE),
        ((5, 2, 3), (2, 2, 1, 3, 0), FEW),
        ((2,), (10, 700), LINEAR),
    ]
    one, two = double([1.0]), double([1.0, 0.0], [0.0, 2.0])
    return [
        (one, double([0.0]), timesteps_of(0), FEW),
        (one, double([2.0]), timesteps_of(3), FEW),
        (two, double([1.0, -1.0], [3.0, 0.0]), timesteps_of(1, 3), FEW),
        *(
            (numbers(seed + 2 * place, *shape), numbers(seed + 2 * place + 1, *shape), timesteps_of(*t), schedule)
            for place, (shape, t, schedule) in enumerate(shapes)
        ),
    ]


def _add_noise(seed: int) -> list[Case]:
    def peer(x0: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule) -> Tensor:
        return their_scheduler(schedule).add_noise(x0, noise, t)

    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (50, 51)]
    usual = _batches(seed)
    return [
        *(call(peer, *batch) for batch in usual),
        call(peer, *learned, timesteps_of(0, 400, 998), LINEAR),
        _dtype("x0", *usual[3]),
    ]


def _training_target(seed: int) -> list[Case]:
    def peer(x0: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule, target: str) -> Tensor:
        return {"eps": noise, "x0": x0, "v": their_scheduler(schedule).get_velocity(x0, noise, t)}[target]

    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (50, 51)]
    usual = _batches(seed)
    return [
        *(call(peer, *batch, target) for batch in usual for target in TARGETS),
        call(peer, *learned, timesteps_of(0, 400, 998), LINEAR, "v"),
        _dtype("x0", *usual[3], "v"),
    ]


def _picture_and_noise(seed: int) -> list[Case]:
    """x0 is what DDPM says, eps is the noise with which diffusers' `add_noise` goes from that x0 back to x_t."""

    def peer(prediction: Tensor, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, target: str) -> tuple[Tensor, Tensor]:
        theirs = their_scheduler(schedule, prediction_type=PREDICTION_TYPES[target], clip_sample=False)
        theirs.config.variance_type = "fixed_small"
        rows = zip(prediction.reshape(len(t), 1, -1), t.tolist(), x_t.reshape(len(t), 1, -1), strict=True)
        x0 = torch.cat([theirs.step(*row, generator=torch.Generator()).pred_original_sample for row in rows]).view_as(x_t)
        nothing, one = torch.zeros_like(x0), torch.ones_like(x0)
        return x0, (x_t - theirs.add_noise(x0, nothing, t)) / theirs.add_noise(nothing, one, t)

    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (50, 51)]
    usual = _batches(seed)
    return [
        *(call(peer, *batch, target) for batch in usual for target in TARGETS),
        *(call(peer, *learned, timesteps_of(10, 400, 900), LINEAR, target) for target in TARGETS),
        *(_dtype(f"{target}, x_t", *usual[3], target) for target in TARGETS),
    ]


def _in_half_precision(x0: Tensor) -> Case:
    """Its dtype, and whether it is what it is in full precision, but for rounding."""

    def ask(version: Any) -> list[Any]:
        found, full = asked(version, x0.bfloat16()), asked(version, x0.bfloat16().float())
        return [str(found.dtype), bool((found.float() - full).abs().max() < 0.02)]

    return scenario("x0 in bfloat16, the dtype", "x0 en bfloat16, le dtype", lambda: ["torch.bfloat16", True], ask, x0.numel())


def _dynamic_threshold(seed: int) -> list[Case]:
    def peer(x0: Tensor, percentile: float = 0.995) -> Tensor:
        theirs = their_scheduler(LINEAR, thresholding=True, dynamic_thresholding_ratio=percentile, sample_max_value=1e9)
        return theirs._threshold_sample(x0.reshape(len(x0), -1, 1)).view_as(x0)

    row, spread = double([0.5, -2.0, 4.0]), torch.tensor([1.0, 3.0]).double().view(2, 1, 1, 1)
    wide = numbers(seed, 2, 3, 8, 6) * spread
    return [
        call(peer, double([0.5, -0.25])),
        call(peer, row),
        call(peer, row, 1.0),
        call(peer, row, 0.5),
        call(peer, row, 0.0),
        call(peer, double([0.0, 0.0], [3.0, -3.0])),
        *(call(peer, scale * wide, percentile) for percentile in (0.9, 0.995) for scale in (0.1, 1.0, 5.0)),
        call(peer, 3 * wide),
        call(peer, 4 * numbers(seed + 1, 1, 2, 5), percentile=0.7),
        call(peer, 2 * numbers(seed + 2, 5, 7), 0.8),
        _in_half_precision(3 * wide),
    ]


def _low_resolution_condition(seed: int) -> list[Case]:
    def peer(
        low: Tensor,
        resolution: int,
        t: Tensor,
        schedule: NoiseSchedule,
        generator: torch.Generator | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        scale = (resolution / low.shape[2], resolution / low.shape[3])
        enlarged = F.interpolate(low, scale_factor=scale, mode="bilinear", recompute_scale_factor=False)
        if noise is None:
            noise = torch.empty_like(enlarged).normal_(generator=generator)
        level = t.double() / len(schedule)
        noisy = their_scheduler(schedule).add_noise(enlarged, noise, t)
        return F.pad(noisy, (0, 0, 0, 0, 0, 1)) + F.pad(level.view(-1, 1, 1, 1), (0, 0, 0, 0, low.shape[1], 0))

    def generator(place: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed + place)

    dot, square = double([[[2.0]]]), double([[[0.0, 1.0], [2.0, 4.0]]])
    nothing = torch.zeros(1, 1, 4, 4, dtype=DOUBLE)
    return [
        call(peer, dot, 1, timesteps_of(2), FEW, noise=double([[[1.0]]])),
        call(peer, square, 2, timesteps_of(0), FEW, noise=nothing[..., :2, :2]),
        call(peer, square, 4, timesteps_of(3), FEW, None, nothing),
        call(peer, numbers(seed, 3, 3, 4, 4), 8, timesteps_of(0, 100, 300), LINEAR, generator(4), may_change=("generator",)),
        call(peer, numbers(seed + 1, 2, 1, 4, 6), 12, timesteps_of(19, 5), COSINE, generator(5), may_change=("generator",)),
        call(peer, numbers(seed + 2, 2, 2, 3, 3), 6, timesteps_of(1, 0), FEW, generator(6), numbers(seed + 3, 2, 2, 6, 6)),
    ]


REFERENCES = [
    Reference("diffusion:add_noise", "diffusers.DDPMScheduler.add_noise", cases=_add_noise, tolerance=1e-10),
    Reference("diffusion:training_target", "diffusers.DDPMScheduler.get_velocity", cases=_training_target, tolerance=1e-10),
    Reference("diffusion:picture_and_noise", "diffusers.DDPMScheduler.step", cases=_picture_and_noise, tolerance=1e-10),
    Reference("diffusion:dynamic_threshold", "diffusers.DDPMScheduler._threshold_sample", cases=_dynamic_threshold, tolerance=1e-10),
    Reference(
        "diffusion:low_resolution_condition",
        say("torch interpolation and diffusers' add_noise", "l'interpolation de torch et add_noise de diffusers"),
        cases=_low_resolution_condition,
        tolerance=1e-10,
    ),
]
