from dataclasses import replace

import pytest
import torch
from tiny_systems import build
from torch import nn

from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.muon import Muon, orthogonal
from dalle_edu.training.optimizers import build_optimizers, trained_parameters


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_come_near_one_and_directions_stay(shape, precision):
    matrix = torch.randn(shape, generator=fresh(0))
    found = orthogonal(matrix[None], precision)[0]
    assert found.shape == matrix.shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.4
    assert values.max() < 1.4
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    kept = (left.T @ found @ right.T).diagonal() / values.sort(descending=True).values.mean()
    assert kept.min() > 0.4  # the same singular vectors, none turned round


@pytest.mark.parametrize("shape", [(6, 20), (20, 6)])
def test_muon_is_pytorchs_on_matrices(shape):
    start = torch.randn(shape, generator=fresh(1))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    steps = [
        (ours, Muon([ours], lr=0.02, momentum=0.9, weight_decay=0.1)),
        (theirs, torch.optim.Muon([theirs], lr=0.02, momentum=0.9, weight_decay=0.1)),
    ]
    for step in range(5):
        for parameter, optimizer in steps:
            parameter.grad = torch.randn(shape, generator=fresh(10 + step))
            optimizer.step()
    assert not torch.equal(ours, start)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_matrices_turned_together_move_as_they_would_alone():
    starts = [torch.randn(shape, generator=fresh(rank)) for rank, shape in enumerate([(6, 20), (6, 20), (20, 6)])]
    together, alone = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    for parameter in (*together, *alone):
        parameter.grad = parameter.detach().sin()
    Muon(together, lr=0.02).step()
    for parameter in alone:
        Muon([parameter], lr=0.02).step()
    for one, other, start in zip(together, alone, starts, strict=True):
        assert not torch.equal(one, start)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (32, 2, 3, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_takes_a_kernel_as_a_matrix(shape, layout):
    start, gradient = torch.randn(shape, generator=fresh(2)), torch.randn(shape, generator=fresh(3))
    kernel = nn.Parameter(start.clone().contiguous(memory_format=layout))
    matrix = nn.Parameter(start.flatten(1).clone())
    kernel.grad, matrix.grad = gradient.contiguous(memory_format=layout), gradient.flatten(1)
    for parameter in (kernel, matrix):
        Muon([parameter], lr=0.02).step()
    assert not torch.equal(kernel, start)
    torch.testing.assert_close(kernel.flatten(1), matrix, rtol=0, atol=1e-6)


def test_unless_asked_for_nothing_decays():
    weight = nn.Parameter(torch.ones(3, 4))
    weight.grad = torch.zeros(3, 4)
    Muon([weight], lr=0.5).step()
    assert torch.equal(weight, torch.ones(3, 4))


def test_a_recipe_reaches_the_optimizers():
    system = build("dalle1")
    recipe = replace(system.stages[0], learning_rate=0.25, matrix_learning_rate=0.5, muon=("dvae.encoder",), weight_decay=0.125)
    adamw, muon = build_optimizers(system, recipe)
    assert isinstance(adamw, torch.optim.AdamW)
    assert isinstance(muon, Muon)
    for optimizer, rate in ((adamw, 0.25), (muon, 0.5)):
        (group,) = optimizer.param_groups
        assert (group["lr"], group["peak"], group["weight_decay"]) == (rate, rate, 0.125)
    assert adamw.param_groups[0]["betas"] == (0.9, 0.98)
    learning = trained_parameters(system, recipe)
    matrices = {value for name, value in learning if name.startswith("dvae.encoder") and value.ndim >= 2}
    assert matrices
    assert set(muon.param_groups[0]["params"]) == matrices
    assert set(adamw.param_groups[0]["params"]) == {value for _, value in learning} - matrices


def test_the_rate_climbs_and_falls_to_zero():
    assert learning_rate_schedule(0, 0.0) == pytest.approx(1 / 30)
    assert learning_rate_schedule(100, 0.0) == 1.0
    assert learning_rate_schedule(500, 0.5) == pytest.approx(0.5)
    assert learning_rate_schedule(1000, 1.0) == 0.0
    assert learning_rate_schedule(1001, 1.001) == 0.0
