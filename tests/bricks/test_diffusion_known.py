"""Diffusion around what is known of a picture: a region of it, or a smaller version."""

import pytest
import torch

from dalle_edu.bricks.diffusion import add_noise, low_resolution_condition
from dalle_edu.bricks.inpainting import inpainting
from dalle_edu.bricks.noise_schedule import cosine_schedule, linear_schedule
from dalle_edu.errors import DalleEduError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 1, 4, 4), (2, 1, 4, 4)], ids=str)
def test_what_is_known_is_kept_and_shown_as_noisy_as_the_rest(shape):
    known, x_t, t = 0.5 + noise(2, 3, 4, 4), noise(2, 3, 4, 4, seed=1), torch.tensor([500, 500])
    mask = noise(*shape, seed=2) > 0
    shown = []

    def denoise(x, t):
        shown.append(x)
        return x

    found = inpainting(denoise, known, mask, linear_schedule(), generator())(x_t, t)
    everywhere = mask.expand(2, 3, 4, 4)
    assert torch.equal(found[everywhere], known[everywhere])
    assert torch.equal(found[~everywhere], x_t[~everywhere])
    expected = add_noise(known, torch.empty_like(known).normal_(generator=generator()), t, linear_schedule())
    assert torch.equal(shown[0][everywhere], expected[everywhere])


def test_the_known_region_is_noised_anew_each_time():
    shown = []
    mask = torch.ones(1, 4, dtype=torch.bool)
    around = inpainting(lambda x, t: shown.append(x) or x, noise(1, 4), mask, linear_schedule(), generator())
    for _ in range(2):
        around(noise(1, 4), torch.tensor([500]))
    assert not torch.equal(shown[0], shown[1])


def test_a_mask_is_boolean(no_shape_checking):
    with pytest.raises(DalleEduError, match="the mask is torch.float32; give booleans, True where the picture is known"):
        inpainting(lambda x, t: x, noise(1, 4), torch.ones(1, 4), linear_schedule())


def test_the_small_picture_comes_enlarged_noised_and_labelled():
    low, t = noise(2, 3, 4, 4, dtype=torch.float32), torch.tensor([0, 500])
    shown = low_resolution_condition(low, 16, t, cosine_schedule(), generator())
    assert shown.shape == (2, 4, 16, 16)
    assert shown.dtype == torch.float32
    assert (shown[0, -1] == 0).all()
    assert (shown[1, -1] == 0.5).all()
    small_again = torch.nn.functional.interpolate(shown[:, :-1], size=4, mode="area")
    assert float((small_again[0] - low[0]).abs().mean()) < 0.35  # smoothed by the enlargement, hardly noised
    assert float((shown[1, :-1] - shown[0, :-1]).std()) > 0.5


def test_a_level_outside_the_schedule_is_refused():
    with pytest.raises(DalleEduError, match=", 0 to 999"):
        low_resolution_condition(noise(1, 3, 4, 4), 8, torch.tensor([1000]), cosine_schedule())
