"""Walks among an autoencoder's latents: the plane, the straight way, the arc."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.vae import interpolate, latent_plane, slerp
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_plane_is_even_in_probability():
    plane = latent_plane(4)
    assert plane.shape == (4, 4, 2)
    probability = torch.special.ndtr(plane)
    torch.testing.assert_close(probability[0, :, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    torch.testing.assert_close(probability[:, 0, 1], torch.tensor([0.875, 0.625, 0.375, 0.125]))
    torch.testing.assert_close(plane[2, :, 0], plane[0, :, 0])
    torch.testing.assert_close(plane[:, 2, 1], plane[:, 0, 1])
    assert latent_plane(1).tolist() == [[[0.0, 0.0]]]


@pytest.mark.parametrize("way", [interpolate, slerp])
@given(seed=seeds, steps=st.integers(2, 6))
def test_walks_start_and_end_at_their_ends_and_go_back_the_same_way(way, seed, steps):
    first, second = noise(5, seed=seed), noise(5, seed=seed + 1)
    walk = way(first, second, steps)
    assert walk.shape == (steps, 5)
    torch.testing.assert_close(walk[0], first)
    torch.testing.assert_close(walk[-1], second)
    torch.testing.assert_close(way(second, first, steps), walk.flip(0))


@given(seed=seeds)
def test_slerp_stays_on_the_sphere_at_an_even_pace_and_the_straight_way_cuts_through(seed):
    first, second = (latent / latent.norm() for latent in (noise(5, seed=seed), noise(5, seed=seed + 1)))
    arc = slerp(first, second, 9)
    torch.testing.assert_close(arc.norm(dim=1), torch.ones(9, dtype=torch.float64))
    pace = arc.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(pace, pace[:1].expand(8))
    assert interpolate(first, second, 9)[4].norm() < 1


def test_slerp_between_equal_latents_stays():
    latent = noise(5)
    torch.testing.assert_close(slerp(latent, latent, 3), latent.expand(3, 5))
    torch.testing.assert_close(slerp(latent, 2 * latent, 3)[1], 1.5 * latent)


def test_ways_that_do_not_exist_are_refused():
    latent = noise(5)
    for other in (-latent, -3 * latent, torch.zeros_like(latent)):
        with pytest.raises(DalleEduError, match="no arc leads from one latent to the other"):
            slerp(latent, other, 3)
    with pytest.raises(DalleEduError, match="no arc"):
        slerp(torch.zeros_like(latent), latent, 3)
    for way in (interpolate, slerp):
        with pytest.raises(DalleEduError, match="1 steps were asked for"):
            way(latent, latent, 1)
    with pytest.raises(DalleEduError, match="the side is 0; a grid has at least 1"):
        latent_plane(0)
