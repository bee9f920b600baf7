"""VQGAN+CLIP: it climbs, it is watched, and its cut-outs and distance are what they say."""

import math
from typing import cast

import pytest
import torch
from tiny_systems import build

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.vqgan_clip import VqganClip, cut_out, spherical_distance


@pytest.fixture(scope="module")
def tiny() -> VqganClip:
    return cast("VqganClip", build("vqgan_clip"))


def test_clip_finds_in_the_picture_more_and_more_of_what_the_sentence_says(tiny):
    prompts, seen = ["un cercle rouge", "two blue stars"], []
    tiny.generate(prompts, steps=40, callback=lambda told: seen.append(told.estimate))
    aim = tiny._aim(prompts, 1.0)
    likings = [(tiny.clip.encode_image(pictures) * aim).sum(dim=1) for pictures in (seen[0], seen[-1])]
    assert len(seen) == 40
    assert (likings[1] > likings[0]).all()


def test_with_guidance_the_aim_lies_beyond_the_sentence_as_seen_from_none(tiny):
    prompts = ["un cercle rouge", "two blue stars"]
    said, empty = tiny._aim(prompts, 1.0), tiny.clip.encode_text(torch.zeros(1, tiny.clip.config.text_length, dtype=torch.long))
    aim = tiny._aim(prompts, 3.0)
    beyond = 3 * said - 2 * empty
    torch.testing.assert_close(aim, beyond / beyond.norm(dim=1, keepdim=True))


def test_momentum_keeps_its_part_of_the_direction_before(tiny, monkeypatch):
    latents, paint = [], tiny._paint
    monkeypatch.setattr(tiny, "_paint", lambda latent: latents.append(latent.detach().clone()) or paint(latent))
    tiny.generate(["un cercle rouge"], steps=3, momentum=0.25, learning_rate=6.0)
    moves = [(later - earlier).flatten() for earlier, later in zip(latents[-4:], latents[-3:], strict=False)]
    first, second = moves[0] / 6, moves[1] / (6 * 2 / 3)  # the rate falls to 0 in three steps
    assert first.norm().item() == pytest.approx(0.75, abs=1e-3)  # three quarters of a direction of length 1
    assert (second - 0.25 * first).norm().item() == pytest.approx(0.75, abs=1e-3)


def test_of_several_beginnings_it_takes_the_one_that_clip_likes_best(tiny):
    noise = torch.randn(2, 5, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    aim = tiny._aim(["un cercle rouge", "two blue stars"], 1.0)
    best = tiny.clip.encode_image(tiny._paint(tiny._beginning(noise, aim)))
    for one in noise.split(1, dim=1):
        alone = tiny.clip.encode_image(tiny._paint(tiny._beginning(one, aim)))
        assert ((best * aim).sum(dim=1) >= (alone * aim).sum(dim=1) - 1e-5).all()


def test_it_paints_with_codes_and_the_gradient_of_each_goes_to_the_vector_that_chose_it(tiny):
    latent = torch.randn(2, 8, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    vectors = latent.detach().permute(0, 2, 3, 1).flatten(0, 2)
    chosen = tiny.vqgan.quantizer.codebook[torch.cdist(vectors, tiny.vqgan.quantizer.codebook).argmin(dim=1)]
    nearest = chosen.view(2, 8, 8, 8).permute(0, 3, 1, 2).requires_grad_()  # n d g g
    found, expected = tiny._paint(latent), tiny.vqgan.decoder(nearest).clamp(-1, 1)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    (to_latent,) = torch.autograd.grad((found * weights).sum(), [latent])
    (to_codes,) = torch.autograd.grad((expected * weights).sum(), [nearest])
    assert to_codes.norm() > 0.1
    torch.testing.assert_close(to_latent, to_codes)


def test_it_says_what_to_train_in_its_place(tiny):
    with pytest.raises(DalleEduError, match="train clip and dalle_mini"):
        tiny.loss(torch.zeros(1, 3, 8, 8), ["a red circle"])


def test_a_cut_out_of_the_whole_side_is_the_picture(tiny):
    pictures = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    chances = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(1))
    chances[..., 0] = 1.0  # the largest
    torch.testing.assert_close(cut_out(pictures, chances, 0.5), pictures.repeat_interleave(3, dim=0), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("x", "y", "left", "top"), [(0.0, 0.0, 0, 0), (1.0, 0.0, 4, 0), (0.0, 1.0, 0, 4), (0.5, 0.5, 2, 2)])
def test_a_cut_out_lies_where_chance_puts_it(x, y, left, top):
    pictures = torch.zeros(1, 3, 8, 8)
    pictures[:, :, top : top + 4, left : left + 4] = 1.0
    piece = cut_out(pictures, torch.tensor([[[0.0, x, y]]]), 0.5)  # half of the side
    assert (piece[:, :, 1:-1, 1:-1] == 1).all()
    assert (cut_out(1 - pictures, torch.tensor([[[0.0, x, y]]]), 0.5)[:, :, 1:-1, 1:-1] == 0).all()


@pytest.mark.parametrize("angle", [0.1, 0.5, math.pi / 2, 3.0])
def test_the_distance_is_half_the_squared_angle(angle):
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(angle), math.sin(angle)])
    assert spherical_distance(first, second) == pytest.approx(angle**2 / 2, rel=1e-3)
