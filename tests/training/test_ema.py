import pytest
import torch

from dalle_edu.training.ema import EMA


def test_the_average_is_short_at_first_and_ends_at_its_decay():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    ema = EMA([("w", weight)], decay=0.9)
    expected = weight.detach().clone()
    for count, decay in [(0, 1 / 10), (1, 2 / 11), (80, 0.9), (81, 0.9)]:
        with torch.no_grad():
            weight.add_(1.0)
        ema.update([("w", weight)], count)
        expected = decay * expected + (1 - decay) * weight.detach()
        torch.testing.assert_close(ema.weights["w"], expected)


def test_half_of_the_average_is_of_the_last_hundred_and_forty_updates():
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    ema = EMA([("w", weight)])
    with torch.no_grad():
        weight.add_(1.0)
    for count in range(10_000, 10_138):  # 0.995 to the power of 138 is 0.5007
        ema.update([("w", weight)], count)
    assert float(ema.weights["w"]) == pytest.approx(0.5, abs=2e-3)
