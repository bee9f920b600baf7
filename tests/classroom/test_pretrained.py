"""Kept weights of experiments: what is saved comes back, and training goes on from it."""

import pytest
import torch
from torch import nn

from dalle_edu.classroom import pretrained


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A folder of weights that is empty at first."""
    monkeypatch.setattr(pretrained, "weights_path", lambda name: tmp_path / f"{name}.safetensors")


def test_without_kept_weights_a_model_stays_as_it_is_and_says_so(nowhere):
    model = nn.Linear(2, 2)
    before = model.weight.clone()
    assert pretrained.recall("line", model) == (0, 0.0)
    assert torch.equal(model.weight, before)
    english, french = pretrained.briefly("line", 7)
    assert "7 steps only" in english
    assert "7 pas seulement" in french


def test_training_goes_on_from_what_was_kept(nowhere):
    def add_one(model: nn.Linear, told: list[int]):
        def train(steps: int) -> int:
            told.append(steps)
            with torch.no_grad():
                model.weight += 1
            return 5

        return train

    first, second, third, told = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2), []
    nn.init.zeros_(first.weight)
    pretrained.train_and_keep("line", first, add_one(first, told), minutes=2.0)
    pretrained.train_and_keep("line", second, add_one(second, told), minutes=0.5)
    assert told == [0, 5]
    assert pretrained.recall("line", third) == (10, 2.5)
    assert torch.equal(third.weight, torch.full((2, 2), 2.0))
    assert pretrained.briefly("line", 10) == ("", "")
