"""What depends on the device: layers that are laid out for it give what plain ones give."""

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.device import linear_for


@pytest.mark.parametrize("rows", [1, 2, 4, 64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_layer_laid_out_for_its_rows_is_the_same_layer(rows, dtype, generator):
    weight = torch.randn(48, 40, dtype=dtype, generator=generator)
    x = torch.randn(rows, 40, dtype=dtype, generator=generator)
    assert torch.allclose(linear_for(weight, rows)(x), F.linear(x, weight), atol=1e-4)
    assert not torch.allclose(linear_for(weight + 0.1, rows)(x), F.linear(x, weight), atol=1e-2)


def test_it_serves_other_numbers_of_rows_too(generator):
    weight, x = torch.randn(8, 16, generator=generator), torch.randn(5, 16, generator=generator)
    assert torch.allclose(linear_for(weight, 3)(x), F.linear(x, weight), atol=1e-5)


def test_where_the_operators_are_missing_it_is_plain(monkeypatch, generator):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    weight, x = torch.randn(8, 16, generator=generator), torch.randn(4, 16, generator=generator)
    assert torch.equal(linear_for(weight, 4)(x), F.linear(x, weight))
