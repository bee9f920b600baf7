"""The stages whose batches may be cut: what their losses are, and what these leave alone."""

from typing import Any

import pytest
import torch
from by_hand import seeded
from test_threads import DIVISIBLE, STAGES, batch, learner
from torch import Tensor


@pytest.mark.parametrize(("name", "stage_name"), STAGES)
def test_a_stage_that_is_cut_changes_no_parameter_and_no_stage_uses_global_random_numbers(name, stage_name):
    """Threads would come to them in any order."""
    system = learner(name, stage_name)[0]
    images, captions = batch(system, 4)
    assert system.divisible(stage_name) == ((name, stage_name) in DIVISIBLE)
    for progress in (0.0, 0.3, 0.9):
        before = {key: (value.clone(), value.requires_grad) for key, value in system.named_parameters()}
        chance = torch.get_rng_state()
        system.loss(images, captions, stage=stage_name, progress=progress, generator=seeded())
        assert torch.equal(torch.get_rng_state(), chance)
        if system.divisible(stage_name):
            for key, value in system.named_parameters():
                assert torch.equal(value, before[key][0]), key
                assert value.requires_grad == before[key][1], key


@pytest.mark.parametrize("name_stage", sorted(DIVISIBLE))
def test_the_loss_of_a_stage_that_is_cut_is_the_mean_of_its_pictures(name_stage, monkeypatch):
    """With the random numbers that pictures have in a whole batch, whose halves have the same mean."""
    system, stage = learner(*name_stage)
    images, captions = batch(system, 4)

    def constant(*shape: Any, **options: Any) -> Tensor:
        return torch.full(shape[0] if isinstance(shape[0], tuple) else shape, 0.6)

    monkeypatch.setattr(torch, "rand", constant)
    monkeypatch.setattr(torch, "randint", lambda most, shape, **_: torch.full(shape, most // 2))
    monkeypatch.setattr(Tensor, "normal_", lambda self, **_: self.fill_(0.4))
    monkeypatch.setattr("dalle_edu.bricks.diffusion.spread_timesteps", lambda n, timesteps, *_: torch.full((n,), timesteps // 3))

    def loss(rows: slice) -> float:
        return float(system.loss(images[rows], captions[rows], stage=stage.name, progress=0.5)["loss"].detach())

    whole, halves = loss(slice(0, 4)), [loss(slice(0, 2)), loss(slice(2, 4))]
    assert halves[0] != pytest.approx(halves[1], rel=1e-4)
    assert whole == pytest.approx(sum(halves) / 2, rel=1e-4)
