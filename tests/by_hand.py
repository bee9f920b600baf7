"""What several tests need in order to work a system's numbers out for themselves: a batch, chance that starts anew, schedules, a spy."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world import World


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(resolution: int, n: int = 8, seed: int = 0) -> tuple[Tensor, list[str]]:
    """Pictures in [-1, 1], and a caption for each."""
    world = World(n, seed=seed)
    both = world.collate([world[i] for i in range(n)])
    return both.images(resolution), list(both.captions)


def loss(system: Trainable, stage: str, images: Tensor, captions: Sequence[str], seed: int = 0, progress: float = 1.0) -> dict[str, Tensor]:
    return system.loss(images, captions, stage=stage, progress=progress, generator=seeded(seed))


def tokens(system: Trainable, captions: Sequence[str], length: int = 20) -> Tensor:
    """Token numbers, padded with 0."""
    return system.tokenizer.encode(captions, length)


def log_softmax(logits: Tensor) -> Tensor:
    return logits - logits.exp().sum(dim=-1, keepdim=True).log()


def cross_entropy(logits: Tensor, chosen: Tensor) -> Tensor:
    """The mean of -log p of what was chosen."""
    rows, numbers = log_softmax(logits).flatten(0, -2), chosen.flatten().tolist()
    return -torch.stack([row[number] for row, number in zip(rows, numbers, strict=True)]).mean()


def cosine_alphas_bar(shift: float = 1.0, timesteps: int = 1000) -> Tensor:
    """The part of the variance that is picture at each timestep of a cosine schedule, with `shift` times the noise-to-signal ratio."""
    at = torch.arange(timesteps + 1, dtype=torch.float64) / timesteps
    curve = torch.cos((at + 0.008) / 1.008 * math.pi / 2) ** 2
    kept = (curve[1:] / curve[:-1]).clamp(min=0.001).cumprod(dim=0)
    return torch.sigmoid(torch.logit(kept) - 2 * math.log(shift))


def noised(x0: Tensor, t: Tensor, eps: Tensor, alphas_bar: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x_t, and the rates of signal and noise, ready to multiply x0."""
    signal, noise = (rate[t].float().view(-1, *[1] * (x0.ndim - 1)) for rate in (alphas_bar.sqrt(), (1 - alphas_bar).sqrt()))
    return signal * x0 + noise * eps, signal, noise


def diffusion_draws(x0: Tensor, generator: torch.Generator, timesteps: int = 1000) -> tuple[Tensor, Tensor]:
    """What a loss of diffusion draws: a timestep from each n-th part of the schedule, in random order, then noise."""
    n = len(x0)
    order, within = torch.randperm(n, generator=generator), torch.rand(n, generator=generator)
    return ((order + within) / n * timesteps).long(), torch.empty_like(x0).normal_(generator=generator)


def halved(images: Tensor) -> Tensor:
    """Each pixel the mean of the four that it replaces."""
    n, c, h, w = images.shape
    return images.reshape(n, c, h // 2, 2, w // 2, 2).mean(dim=(3, 5))


def doubled(images: Tensor) -> Tensor:
    return F.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def spy(monkeypatch: Any, owner: Any, name: str) -> list[tuple[tuple, dict]]:
    """What `owner.name` is called with from now on, copied: it goes on doing what it did."""
    calls: list[tuple[tuple, dict]] = []
    real: Callable = getattr(owner, name)

    def watched(*args: Any, **options: Any) -> Any:
        calls.append((tuple(map(_copy, args)), {key: _copy(value) for key, value in options.items()}))
        return real(*args, **options)

    monkeypatch.setattr(owner, name, watched)
    return calls


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value
