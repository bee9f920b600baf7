"""Layers that hand over the tokens before: what PyTorch's convolution does not say (see `classroom/references/neighbours.py`)."""

import pytest
import torch
from torch import nn

from dalle_edu.bricks.neighbours import Canon, Smear, shifted


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layers() -> list[nn.Module]:
    torch.manual_seed(0)
    return [Smear(6).double(), Canon(6, 3).double()]


def test_smear_is_the_matrix_of_the_whole_sequence():
    """One matrix from all channels of all tokens to all others: the identity, and the map in each block below the diagonal."""
    layer, x = Smear(6).double(), torch.randn(2, 5, 6, generator=fresh(0), dtype=torch.float64)
    whole = torch.eye(30, dtype=torch.float64) + torch.kron(torch.ones(5, 5).double().tril(-1).triu(-1), layer.before.weight)
    torch.testing.assert_close(layer(x).flatten(1), x.flatten(1) @ whole.T, rtol=0, atol=1e-12)


def test_canon_by_hand():
    layer = Canon(1, 2)
    layer.weight.data = torch.tensor([[10.0], [100.0]])
    assert layer(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten().tolist() == [1, 2 + 10 * 1, 3 + 10 * 2 + 100 * 1]


@torch.no_grad()
def test_canon_token_by_token_says_what_it_says_of_the_sequence():
    layer, x = layers()[1], torch.randn(2, 7, 6, generator=fresh(2), dtype=torch.float64)
    each = [layer.step(x[:, token], [x[:, token - back] for back in range(1, token + 1)][:3]) for token in range(7)]
    torch.testing.assert_close(torch.stack(each, dim=1), layer(x), rtol=0, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("layer", layers(), ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("changed", range(7))
def test_a_later_token_changes_nothing_before(layer, changed):
    x = torch.randn(2, 7, 6, generator=fresh(1), dtype=torch.float64)
    other = x.clone()
    other[:, changed] += 1
    moved = (layer(other) - layer(x)).abs().amax(dim=(0, 2)) > 1e-9
    reach = 1 if isinstance(layer, Smear) else 3
    assert moved.tolist() == [changed <= token <= changed + reach for token in range(7)]


def test_weights_are_drawn_as_said():
    torch.manual_seed(0)
    assert Smear(128).before.weight.detach().std() == pytest.approx(0.02, rel=0.02)
    assert Canon(4096, 3).weight.detach().std() == pytest.approx(0.3, rel=0.02)


def test_a_shift_beyond_the_start_leaves_nothing():
    x = torch.ones(1, 2, 3)
    assert shifted(x, 5).shape == x.shape
    assert not shifted(x, 5).any()
