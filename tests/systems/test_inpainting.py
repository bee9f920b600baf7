"""Inpainting by Imagen and DALL·E 2: hidden pixels change nothing, kept ones stay, and a coarse pixel is known where all of it is."""

import pytest
import torch
from by_hand import batch, cosine_alphas_bar, noised, seeded, spy
from tiny_systems import build, tiny_unet, tiny_upsampler
from torch import Tensor

from dalle_edu.systems.dalle2 import DallE2
from dalle_edu.systems.families.cascade import Cascade, shrink_known
from dalle_edu.systems.imagen import Imagen, ImagenConfig, ImagenModel, ImagenRecipe, imagen_stages
from dalle_edu.systems.parts.text_encoder import TextEncoderConfig

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]


@torch.no_grad()
def two_upsamplers() -> Imagen:
    torch.manual_seed(0)
    model = ImagenModel(TextEncoderConfig(width=16, depth=1, heads=2), tiny_unet(16, 16), (tiny_upsampler(), tiny_upsampler()))
    system = Imagen(ImagenConfig(model, ImagenRecipe(imagen_stages(2))))
    for parameter in system.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return system.eval()


@pytest.fixture(scope="module", params=["imagen", "dalle2", "of two upsamplers"])
def tiny(request) -> Cascade:
    system = two_upsamplers() if request.param == "of two upsamplers" else build(request.param)
    assert isinstance(system, Cascade)
    return system


def masks(side: int) -> Tensor:
    """Where a picture is kept; no edge falls on the grid of small pictures, whose pixels are two or four on a side."""
    keep = torch.ones(3, 1, side, side, dtype=torch.bool)
    keep[0, :, 13:41, 21:53] = False
    keep[1, :, ::3] = False  # every coarse pixel mixes some
    keep[1, :, :, 37:] = True
    keep[2, :, 1:, :] = False
    keep[2, :, 31, 17] = True
    return keep


OPTIONS = {"steps": 3, "upsampler_steps": 2, "guidance_scale": 2.0}


def test_hidden_pixels_change_nothing_at_all(tiny):
    side = tiny.resolution
    images, keep = batch(side, 3)[0], masks(side)
    first = tiny.inpaint(images, keep, PROMPTS, seed=1, **OPTIONS)
    noise = torch.rand(images.shape, generator=seeded()) * 2 - 1
    for hidden in (torch.full_like(images, -1.0), torch.full_like(images, 0.31), noise):
        changed = torch.where(keep, images, hidden)
        assert not torch.equal(changed, images)
        assert torch.equal(tiny.inpaint(changed, keep, PROMPTS, seed=1, **OPTIONS), first)


def test_kept_pixels_are_equal_bit_for_bit_and_the_others_are_drawn(tiny):
    side = tiny.resolution
    images, keep = torch.rand(3, 3, side, side, generator=seeded()) * 2 - 1, masks(side)
    given, asked = images.clone(), keep.clone()
    painted = [tiny.inpaint(images, keep, PROMPTS, seed=seed, **OPTIONS) for seed in (1, 2)]
    where = keep.expand_as(images)
    for each in painted:
        assert torch.equal(each[where], images[where])
        assert (each[~where] != images[~where]).float().mean() > 0.9
    assert not torch.equal(painted[0][~where], painted[1][~where])
    assert torch.equal(images, given)
    assert torch.equal(keep, asked)


def test_what_is_kept_is_seen(tiny):
    """What is painted depends on the pixels that are kept, where a whole small pixel is known."""
    side = tiny.resolution
    keep = torch.ones(3, 1, side, side, dtype=torch.bool)
    keep[..., 20:45] = False
    images = batch(side, 3)[0]
    painted = [tiny.inpaint(each, keep, PROMPTS, seed=1, **OPTIONS) for each in (images, -images)]
    hidden = ~keep.expand_as(images)
    assert not torch.equal(painted[0][hidden], painted[1][hidden])


def test_keeping_nothing_is_drawing_and_keeping_all_is_copying(tiny):
    side = tiny.resolution
    images, nothing = batch(side, 3)[0], torch.zeros(3, 1, side, side, dtype=torch.bool)
    assert torch.equal(tiny.inpaint(images, nothing, PROMPTS, seed=1, **OPTIONS), tiny.generate(PROMPTS, seed=1, **OPTIONS))
    assert torch.equal(tiny.inpaint(images, ~nothing, PROMPTS, seed=1, **OPTIONS), images)


def test_at_each_step_the_base_sees_the_known_pixels_as_noisy_as_the_rest(tiny, monkeypatch):
    """Where a small pixel is known, the network is shown it under this step's noise, always the same."""
    side = tiny.resolution
    factor = side // 32
    images, keep = batch(side, 3)[0], masks(side)
    options = OPTIONS | {"guidance_scale": 1.0} | ({"tries": 1} if isinstance(tiny, DallE2) else {})
    calls = spy(monkeypatch, tiny.base_model.unet, "forward")
    tiny.inpaint(images, keep, PROMPTS, seed=1, **options)
    small = images.reshape(3, 3, 32, factor, 32, factor).mean(dim=(3, 5))
    known = keep.reshape(3, 1, 32, factor, 32, factor).all(dim=5).all(dim=3).expand_as(small)
    assert 0 < known.float().mean() < 0.9
    eps = tiny.noises(3, 1)[0]
    assert len(calls) == 3
    for (x, t), _ in calls:
        expected, _, _ = noised(small, t, eps, cosine_alphas_bar(2.0))
        torch.testing.assert_close(x[known], expected[known], rtol=0, atol=1e-4)
    assert not torch.allclose(calls[-1][0][0][~known], expected[~known], atol=1e-2)


# ---------------------------------------------------------------- smaller masks


def test_nothing_known_stays_nothing_and_full_size_stays_as_it_is():
    assert shrink_known(None, 32) is None
    images, keep = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8) < 0.5
    small = shrink_known((images, keep), 8)
    assert small is not None
    assert torch.equal(small[0], images)
    assert torch.equal(small[1], keep)


@pytest.mark.parametrize(
    ("rows", "side", "expected"),
    [
        (["1111", "1111", "1111", "1111"], 2, ["11", "11"]),
        (["0000", "0000", "0000", "0000"], 2, ["00", "00"]),
        (["1110", "1111", "1111", "1111"], 2, ["10", "11"]),
        (["1111", "1111", "1111", "0111"], 2, ["11", "01"]),
        (["1000", "0000", "0000", "0001"], 2, ["00", "00"]),
        (["1100", "1100", "0011", "0011"], 2, ["10", "01"]),
        (["0110", "0110", "0110", "0110"], 2, ["00", "00"]),
        (["1111", "1101", "1111", "1111"], 1, ["0"]),
        (["1111", "1111", "1111", "1111"], 1, ["1"]),
    ],
)
def test_a_coarse_pixel_is_known_where_all_that_it_replaces_is(rows, side, expected):
    keep = torch.tensor([[int(c) for c in row] for row in rows], dtype=torch.bool)[None, None]
    wanted = torch.tensor([[int(c) for c in row] for row in expected], dtype=torch.bool)[None, None]
    images = torch.rand(1, 3, 4, 4, generator=seeded()) * 2 - 1
    small = shrink_known((images, keep), side)
    assert small is not None
    assert small[1].dtype == torch.bool
    assert torch.equal(small[1], wanted)
    factor = 4 // side
    for y in range(side):
        for x in range(side):
            block = images[0, :, y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            torch.testing.assert_close(small[0][0, :, y, x], block.mean(dim=(1, 2)))


def test_masks_of_several_pictures_are_not_mixed():
    keep = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)]).bool()
    small = shrink_known((torch.rand(2, 3, 4, 4), keep), 2)
    assert small is not None
    assert bool(small[1][0].all())
    assert not small[1][1].any()
