"""The diffusion process against diffusers' schedulers."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.diffusion import TARGETS, dynamic_threshold, picture_and_noise
from dalle_edu.bricks.noise_schedule import linear_schedule
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

PREDICTION_TYPES = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _scheduler(**settings: Any) -> Any:
    """diffusers' DDPM scheduler with the linear schedule, in float64."""
    from diffusers import DDPMScheduler

    scheduler: Any = DDPMScheduler(**settings)
    scheduler.alphas_cumprod = linear_schedule().alphas_bar
    return scheduler


def _linear_schedule(version: Callable[..., Any]) -> float:
    from diffusers import DDPMScheduler

    theirs: Any = DDPMScheduler(beta_schedule="linear")
    return max(gap(version().betas, theirs.betas), gap(version().alphas_bar, theirs.alphas_cumprod))


def _cosine_schedule(version: Callable[..., Any]) -> float:
    from diffusers import DDPMScheduler

    different = []
    for timesteps in (10, 1000):
        theirs: Any = DDPMScheduler(num_train_timesteps=timesteps, beta_schedule="squaredcos_cap_v2")
        ours = version(timesteps)
        different += [gap(ours.betas, theirs.betas), gap(ours.alphas_bar, theirs.alphas_cumprod)]
    return max(different)


_T = torch.tensor([0, 1, 500, 999])


def _add_noise(version: Callable[..., Any]) -> float:
    differences = []
    for shape in ((4, 3, 8, 8), (4, 6)):
        x0, noise = _noise(*shape), _noise(*shape, seed=1)
        differences.append(gap(version(x0, noise, _T, linear_schedule()), _scheduler().add_noise(x0, noise, _T)))
    return max(differences)


def _training_target(version: Callable[..., Any]) -> float:
    x0, noise = _noise(4, 3, 8, 8), _noise(4, 3, 8, 8, seed=1)
    expected = {"eps": noise, "x0": x0, "v": _scheduler().get_velocity(x0, noise, _T)}
    return max(gap(version(x0, noise, _T, linear_schedule(), target), expected[target]) for target in TARGETS)


def _picture_and_noise(version: Callable[..., Any]) -> float:
    """x0 is what DDPM says, eps is the noise with which diffusers' `add_noise` goes from that x0 back to x_t."""
    x_t, prediction = _noise(1, 3, 8, 8), _noise(1, 3, 8, 8, seed=1)
    differences = []
    for target in TARGETS:
        theirs = _scheduler(prediction_type=PREDICTION_TYPES[target], clip_sample=False)
        for t in (0, 500, 999):
            x0, eps = version(prediction, x_t, torch.tensor([t]), linear_schedule(), target)
            expected = theirs.step(prediction, t, x_t, generator=torch.Generator()).pred_original_sample
            scale = max(1.0, float(expected.abs().max()))  # with almost no signal left, x0 is hundreds of times the prediction
            differences += [gap(x0, expected) / scale, gap(theirs.add_noise(x0, eps, torch.tensor([t])), x_t)]
    return max(differences)


def _diffusion_loss(version: Callable[..., Any]) -> float:
    """The network's ear is bugged: what it was given tells which noise was drawn."""
    x0, schedule, theirs = _noise(64, 3, 4, 4), linear_schedule(), _scheduler()
    weights = torch.linspace(0, 2, 1000, dtype=torch.float64)
    heard: list[Tensor] = []

    def network(x_t: Tensor, t: Tensor, shift: Tensor) -> Tensor:
        heard[:] = [x_t, t]
        return x_t.cos() + shift

    differences = []
    for target in TARGETS:
        for weight in (None, weights):
            shift = _noise(64, 1, 1, 1, seed=2)
            loss = version(network, x0, schedule, target, weight, generator=torch.Generator().manual_seed(3), shift=shift)
            x_t, t = heard
            alpha_bar = theirs.alphas_cumprod[t].view(-1, 1, 1, 1)
            noise = (x_t - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()
            spread = abs(float(noise.std()) - 1) + abs(float(t.double().std()) / 288.7 - 1)  # normal noise, uniform timesteps
            wanted = {"eps": noise, "x0": x0, "v": theirs.get_velocity(x0, noise, t)}[target]
            errors = F.mse_loss(network(x_t, t, shift), wanted, reduction="none").flatten(1).mean(dim=1)
            expected = errors.mean() if weight is None else (weight[t] * errors).mean()
            differences.append(gap(loss, expected) + (spread if spread > 0.2 else 0.0))
    return max(differences)


def _guided(version: Callable[..., Any]) -> float:
    """Against the mixture that Ho & Salimans write, (1 + w) with - w without, with w = scale - 1, and two separate calls."""
    x_t, t = _noise(3, 2, 4, 4), torch.tensor([0, 500, 999])
    given, blank = {"pooled": _noise(3, 1, 1, 1, seed=1)}, {"pooled": torch.zeros(3, 1, 1, 1, dtype=torch.float64)}

    def network(x_t: Tensor, t: Tensor, pooled: Tensor) -> Tensor:
        return torch.sin(x_t + pooled) + t.view(-1, 1, 1, 1) / 1000

    differences = []
    for scale in (0.0, 1.0, 4.0):
        expected = torch.lerp(network(x_t, t, **blank), network(x_t, t, **given), scale)
        predict = version(network, scale, given, blank)
        differences += [gap(predict(x_t, t), expected), gap(predict(x_t, t), expected)]  # and at the second step as at the first
    return max(differences)


def _denoiser(version: Callable[..., Any]) -> float:
    """What DDPM believes in at a step, plain and thresholded."""

    def network(x_t: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x_t) * (t.view(-1, 1, 1, 1) + 1) / 1000

    x_t, differences = _noise(1, 3, 8, 8), []
    for target in TARGETS:
        for clip in (None, dynamic_threshold):
            settings = {"thresholding": True, "sample_max_value": 1e9} if clip else {"clip_sample": False}
            theirs = _scheduler(prediction_type=PREDICTION_TYPES[target], **settings)
            denoise = version(network, linear_schedule(), target, clip)
            for t in (0, 500, 800):
                when = torch.tensor([t])
                expected = theirs.step(network(x_t, when), t, x_t, generator=torch.Generator()).pred_original_sample
                differences.append(gap(denoise(x_t, when), expected))
    return max(differences)


def _dynamic_threshold(version: Callable[..., Any]) -> float:
    differences = []
    for percentile in (0.9, 0.995):
        theirs = _scheduler(thresholding=True, dynamic_thresholding_ratio=percentile, sample_max_value=1e9)
        for scale in (0.1, 1.0, 5.0):
            x0 = scale * _noise(2, 3, 8, 8) * torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
            differences.append(gap(version(x0, percentile), theirs._threshold_sample(x0)))
    return max(differences)


def _inpainting(version: Callable[..., Any]) -> float:
    """A whole RePaint trajectory: diffusers' scheduler replaces after each step what ours replaces before the next."""
    from diffusers import RePaintScheduler

    from dalle_edu.bricks.samplers import ddim

    schedule, known, start = linear_schedule(), _noise(2, 1, 6, 6), _noise(2, 1, 6, 6, seed=1)
    mask = torch.zeros(1, 1, 6, 6, dtype=torch.bool)
    mask[..., :3] = True
    theirs: Any = RePaintScheduler(clip_sample=False)
    theirs.alphas_cumprod = schedule.alphas_bar
    theirs.set_timesteps(10, jump_length=1, jump_n_sample=1)
    theirs.timesteps = theirs.timesteps + 99  # from 999 down to 99: ours start where nothing but noise is left

    def network(x_t: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(x_t.roll(1, dims=-1)) * (t.view(-1, 1, 1, 1) + 1) / 1000

    generator = torch.Generator().manual_seed(2)
    first = _scheduler().add_noise(known, torch.empty_like(known).normal_(generator=generator), torch.tensor([999, 999]))
    x = torch.where(mask, first, start)
    for t in theirs.timesteps.tolist():
        x = theirs.step(network(x, torch.full((2,), t)), t, x, known, mask.double(), generator=generator).prev_sample

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        return picture_and_noise(network(x_t, t), x_t, t, schedule, "eps")[0]

    return gap(ddim(version(denoise, known, mask, schedule, torch.Generator().manual_seed(2)), start, schedule, 10), x)


def _low_resolution_condition(version: Callable[..., Any]) -> float:
    low, t = _noise(3, 3, 4, 4), torch.tensor([0, 100, 300])
    found = version(low, 8, t, linear_schedule(), torch.Generator().manual_seed(4))
    enlarged = F.interpolate(low, scale_factor=2, mode="bilinear")
    noise = torch.empty_like(enlarged).normal_(generator=torch.Generator().manual_seed(4))
    level = torch.tensor([0.0, 0.1, 0.3], dtype=torch.float64).view(3, 1, 1, 1).expand(3, 1, 8, 8)
    return gap(found, torch.cat([_scheduler().add_noise(enlarged, noise, t), level], dim=1))


def _shifted(version: Callable[..., Any]) -> float:
    """Flow matching writes noise / signal as sigma / (1 - sigma), and diffusers' scheduler for it shifts just that ratio."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    differences = []
    for factor in (0.5, 3.0):
        schedule = linear_schedule()
        ratio = ((1 - schedule.alphas_bar) / schedule.alphas_bar).sqrt()
        scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=factor)
        scheduler.set_timesteps(sigmas=(ratio / (1 + ratio)).tolist())
        theirs = scheduler.sigmas[:-1].double()
        found = version(schedule, factor).alphas_bar
        ours = ((1 - found) / found).sqrt()
        differences.append(gap(ours / (1 + ours), theirs))
    return max(differences)


REFERENCES = [
    Reference("noise_schedule:shifted", "diffusers.FlowMatchEulerDiscreteScheduler", _shifted, 1e-6),
    Reference("noise_schedule:linear_schedule", "diffusers.DDPMScheduler", _linear_schedule),
    Reference("noise_schedule:cosine_schedule", "diffusers.DDPMScheduler", _cosine_schedule),
    Reference("diffusion:add_noise", "diffusers.DDPMScheduler.add_noise", _add_noise, 1e-10),
    Reference("diffusion:training_target", "diffusers.DDPMScheduler.get_velocity", _training_target, 1e-10),
    Reference("diffusion:picture_and_noise", "diffusers.DDPMScheduler.step", _picture_and_noise, 1e-10),
    Reference(
        "diffusion:diffusion_loss",
        say("torch.nn.functional.mse_loss on diffusers' targets", "torch.nn.functional.mse_loss sur les cibles de diffusers"),
        _diffusion_loss,
        1e-10,
    ),
    Reference("guidance:guided", say("torch.lerp of two separate calls", "torch.lerp de deux appels séparés"), _guided, 1e-10),
    Reference("diffusion:denoiser", "diffusers.DDPMScheduler.step", _denoiser, 1e-10),
    Reference("diffusion:dynamic_threshold", "diffusers.DDPMScheduler._threshold_sample", _dynamic_threshold, 1e-10),
    Reference(
        "inpainting:inpainting",
        say("diffusers.RePaintScheduler, a whole trajectory", "diffusers.RePaintScheduler, une trajectoire entière"),
        _inpainting,
        1e-10,
    ),
    Reference(
        "diffusion:low_resolution_condition",
        say("torch interpolation and diffusers' add_noise", "l'interpolation de torch et add_noise de diffusers"),
        _low_resolution_condition,
        1e-10,
    ),
]
