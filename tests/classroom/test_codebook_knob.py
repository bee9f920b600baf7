"""The findings of lesson 08: what a larger codebook buys, and what beta holds back, over three seeds."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from einops import rearrange

from dalle_edu.bricks.codebook import VQVAE, CodecConfig, codes_alive, nearest_code
from dalle_edu.classroom.learner import Learner
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.world import SHAPES, render, sample_scene

FOUR = replace(
    SHAPES,
    shapes=tuple(map(SHAPES.shape, ("circle", "square", "star", "heart"))),
    colours=tuple(each for each in SHAPES.colours if each.name in ("red", "green", "blue", "yellow")),
)
SIZES, ROUNDS = (2, 8, 32, 128, 512), 10


def scenes(seed: int, count: int) -> torch.Tensor:
    return render([sample_scene(seed, place, "all", catalogue=FOUR) for place in range(count)], 64, catalogue=FOUR)


def cut(pictures: torch.Tensor) -> torch.Tensor:
    return rearrange(pictures, "n c (h p) (w q) -> (n h w) (c p q)", p=8, q=8)


def k_means(points: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    for _ in range(ROUNDS):
        numbers = nearest_code(points, codes)
        counts = torch.bincount(numbers, minlength=len(codes)).unsqueeze(1)
        sums = torch.zeros_like(codes).index_add_(0, numbers, points)
        codes = torch.where(counts > 0, sums / counts.clamp(min=1), codes)
    return codes


def error_of(points: torch.Tensor, codes: torch.Tensor) -> float:
    return float((codes[nearest_code(points, codes)] - points).square().mean())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_bits_more_buy_less_and_less_on_scenes_never_seen(seed):
    """The error falls at each notch; at 512 codes that of unseen scenes exceeds the other by more than 40 %."""
    patches, unseen = cut(scenes(seed, 200)), cut(scenes(seed + 100, 200))
    different, generator = torch.unique(patches, dim=0), torch.Generator().manual_seed(seed)
    errors = []
    for size in SIZES:
        codes = k_means(patches, different[torch.randperm(len(different), generator=generator)[:size]])
        errors.append((error_of(patches, codes), error_of(unseen, codes)))
    learned, new = map(list, zip(*errors, strict=True))
    assert all(later < 2 / 3 * former for former, later in pairwise(learned))
    assert new == sorted(new, reverse=True)
    assert new[1] < 1.1 * learned[1]
    assert new[-1] > 1.4 * learned[-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_beta_holds_the_vectors_near_their_codes(seed):
    """Without it they are farther from their codes than they spread; with a large one they hardly spread and few codes live."""
    images, exam, found = scenes(seed, 1000), scenes(seed + 100, 200), []
    for beta in (0.0, 0.25, 4.0):
        torch.manual_seed(seed)
        model = VQVAE(CodecConfig(64, 8, num_codes=64, width=12, depth=1, code_dim=8), beta, None)
        learner, generator = Learner(model, ("encoder", "decoder")), torch.Generator().manual_seed(seed)
        for step in range(120):
            chosen = torch.randint(len(images), (8,), generator=generator)
            learner.step(model.loss(images[chosen])["loss"], learning_rate_schedule(step, step / 120))
        with torch.no_grad():
            vectors, codes = model.encoder(exam).permute(0, 2, 3, 1), model.encode(exam)
            distance = float((vectors - model.quantizer.codebook[codes]).square().sum(dim=-1).mean().sqrt())
            spread = float(vectors.flatten(0, 2).var(dim=0).sum().sqrt())
        found.append((distance, spread, float(codes_alive(codes, 64)[0])))
    distances, spreads, living = map(list, zip(*found, strict=True))
    assert distances[0] > 1.3 * spreads[0]
    assert distances[1] < 0.8 * spreads[1]
    assert distances == sorted(distances, reverse=True)
    assert spreads == sorted(spreads, reverse=True)
    assert living[2] <= 4 < living[1] < living[0]
