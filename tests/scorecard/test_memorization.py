"""Memorisation, against a test of scipy's."""

import pytest
import torch
from scipy.stats import mannwhitneyu

from dalle_edu.scorecard.memorization import memorization, nearest_distance


def test_memorisation_is_the_statistic_of_scipys_mann_whitney_test():
    generator = torch.Generator().manual_seed(0)
    drawn, true, trained = (torch.randn(n, 3, 4, 4, generator=generator) for n in (70, 30, 20))
    distances = [[min(float((x - y).square().mean().sqrt()) for y in trained) for x in pictures] for pictures in (drawn, true)]
    expected = mannwhitneyu(distances[1], distances[0]).statistic / (70 * 30)
    found = memorization(drawn, true, trained)
    assert found.nearer == pytest.approx(expected)
    assert nearest_distance(drawn, trained).tolist() == pytest.approx(distances[0], abs=1e-5)
