"""Distances between clouds of features, against references that nobody here wrote."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel

from dalle_edu.scorecard.fidelity import (
    FEWEST,
    FRECHET_NEEDS,
    frechet_distance,
    frechet_fidelity,
    kernel_distance,
    kernel_fidelity,
)


def features(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(99))
    return torch.randn(n, d, generator=generator) @ mixing / d**0.5 + shift


@pytest.mark.parametrize(("n", "m", "d"), [(40, 30, 6), (5, 9, 8), (2, 2, 3)])
def test_the_frechet_distance_is_that_of_scipys_matrix_root(n, m, d):
    x, y = features(n, d, seed=1), features(m, d, seed=2, shift=0.5)
    covariances = [np.cov(each.double().numpy(), rowvar=False) for each in (x, y)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    apart = (x.double().mean(dim=0) - y.double().mean(dim=0)).square().sum()
    expected = float(apart) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, abs=1e-6)
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), abs=1e-6)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("n", "m", "d"), [(20, 30, 6), (7, 4, 64), (2, 2, 3)])
def test_the_kernel_distance_is_that_of_scikit_learns_kernel(n, m, d):
    x, y = features(n, d, seed=3).double(), features(m, d, seed=4, shift=0.5).double()
    within = []
    for each in (x, y):
        kernel = polynomial_kernel(each.numpy())  # degree 3, 1 / d, 1
        within.append(np.mean([kernel[i, j] for i in range(len(each)) for j in range(len(each)) if i != j]))
    expected = sum(within) - 2 * polynomial_kernel(x.numpy(), y.numpy()).mean()
    assert kernel_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_the_kernel_distance_of_one_distribution_is_nought_on_average_however_few():
    found = torch.tensor([kernel_distance(features(4, 5, seed=2 * i), features(4, 5, seed=2 * i + 1)) for i in range(400)])
    assert abs(float(found.mean())) < 3 * float(found.std()) / 20
    assert float((found < 0).float().mean()) > 0.3
    biased = [float(frechet_distance(features(4, 5, seed=2 * i), features(4, 5, seed=2 * i + 1))) for i in range(50)]
    assert min(biased) > 0.1  # what the docstring warns of


@pytest.mark.parametrize("measure", [kernel_distance, frechet_distance])
def test_a_single_feature_is_refused(measure):
    with pytest.raises(ValueError, match="2 on each side"):
        measure(torch.ones(1, 3), torch.ones(5, 3))


@pytest.mark.parametrize(("fidelity", "n"), [(kernel_fidelity, 40), (frechet_fidelity, 41)])
def test_fidelity_stands_beside_its_floor(fidelity, n):
    true = torch.nn.functional.normalize(features(n, 6, seed=5), dim=1)
    other = torch.nn.functional.normalize(features(n, 6, seed=6, shift=2.0), dim=1)
    same, far = fidelity(true, true), fidelity(other, true)
    assert same.drawn == same.floor == far.floor
    assert same.deviation == 0
    assert same.n == n // 2
    assert far.drawn > far.floor + 5 * far.deviation
    assert far == fidelity(other, true, seed=0) != fidelity(other, true, seed=1)


def test_unit_vectors_are_lengthened_to_the_size_that_the_kernel_expects():
    drawn, true = (torch.eye(4)[[axis] * FEWEST] for axis in (0, 1))
    found = kernel_fidelity(drawn, true)
    assert found.drawn == pytest.approx((1 + 1) ** 3 + (1 + 1) ** 3 - 2 * (0 + 1) ** 3)
    assert (found.floor, found.deviation) == pytest.approx((0, 0), abs=1e-9)


def test_too_few_pictures_have_no_distance():
    few = features(FEWEST - 1, 4, seed=7)
    assert kernel_fidelity(few, few) is None
    assert kernel_fidelity(*[features(FEWEST, 4, seed=7)] * 2) is not None
    enough = features(FRECHET_NEEDS * 8, 8, seed=8)
    assert frechet_fidelity(enough, enough) is not None
    assert frechet_fidelity(enough[1:], enough[1:]) is None
