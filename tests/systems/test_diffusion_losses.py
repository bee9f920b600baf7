"""The losses of what diffuses, written out: base models, upsamplers with their conditioning augmentation, and the priors of DALL·E 2."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from by_hand import batch, cosine_alphas_bar, cross_entropy, diffusion_draws, doubled, halved, loss, noised, seeded, spy, tokens
from tiny_systems import build, tiny_unet, tiny_upsampler
from torch import Tensor

from dalle_edu.systems.imagen import Imagen, ImagenConfig, ImagenModel, ImagenRecipe, imagen_stages
from dalle_edu.systems.parts.text_encoder import TextEncoderConfig

E = 16  # channels of the tiny embeddings


def same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found.detach(), expected.detach(), rtol=1e-4, atol=1e-5)


def told_everything(system):
    """The system with no dropout at all."""
    recipe = system.config.recipe
    rates = {name: 0.0 for name in vars(recipe) if name.endswith("_dropout")}
    assert rates
    system.config = replace(system.config, recipe=replace(recipe, **rates))
    return system


def error_of_v(unet, x0: Tensor, generator: torch.Generator, shift: float, **conditions: Tensor) -> Tensor:
    t, eps = diffusion_draws(x0, generator)
    x_t, signal, noise = noised(x0, t, eps, cosine_alphas_bar(shift))
    return (unet(x_t, t, **conditions) - (signal * eps - noise * x0)).square().mean()


def seen_by_clip(system, images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Embeddings of pictures, states of captions' tokens, where there is one, and embeddings of captions."""
    small = F.interpolate(images, size=(32, 32), mode="bilinear", antialias=True)
    text = tokens(system, captions)
    visible = torch.arange(21) <= (text != 0).sum(dim=1, keepdim=True)  # the caption's tokens, and the end of text
    states = system.clip.text_tower.hidden(text) * visible.unsqueeze(-1)
    z, caption = system.clip.image_tower(small), system.clip.text_tower(text)
    return F.normalize(z, dim=1).detach(), states.detach(), visible, F.normalize(caption, dim=1).detach()


# ---------------------------------------------------------------- base models


@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_the_base_of_imagen_predicts_v_of_small_pictures(shift):
    config = told_everything(build("imagen")).config
    torch.manual_seed(0)
    system = Imagen(replace(config, model=replace(config.model, shift=shift))).eval()
    _stir(system.base)
    images, captions = batch(64)
    found = loss(system, "base", images, captions)
    generator, text = seeded(), tokens(system, captions)
    torch.rand(2, 8, 1, generator=generator)  # which captions are left out
    words, visible, sentence = system.text_encoder(text)
    expected = error_of_v(system.base.unet, halved(images), generator, shift, text=words, text_mask=visible, pooled=sentence)
    assert set(found) == {"loss"}
    same(found["loss"], expected)


def test_the_decoder_of_dalle2_predicts_v_of_small_pictures():
    system, (images, captions) = told_everything(build("dalle2")), batch(64)
    found = loss(system, "decoder", images, captions)
    generator = seeded()
    torch.rand(2, 8, 1, generator=generator)
    z, words, visible, _ = seen_by_clip(system, images, captions)
    told = {"pooled": z * E**0.5, "text": words, "text_mask": visible}
    assert set(found) == {"loss"}
    same(found["loss"], error_of_v(system.decoder.unet, halved(images), generator, shift=2.0, **told))


# ---------------------------------------------------------------- upsamplers


def two_upsamplers() -> Imagen:
    torch.manual_seed(0)
    networks = tiny_upsampler(), tiny_upsampler()
    model = ImagenModel(TextEncoderConfig(width=16, depth=1, heads=2), tiny_unet(16, 16), networks)
    system = Imagen(ImagenConfig(model, ImagenRecipe(imagen_stages(2)))).eval()
    _stir(system)
    return system


@torch.no_grad()
def _stir(network: torch.nn.Module) -> None:
    for parameter in network.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))


def upsamplers_loss(unet, large: Tensor) -> tuple[Tensor, Tensor]:
    """The loss, and how much of the noise covers each small picture, in timesteps."""
    generator, alphas_bar = seeded(), cosine_alphas_bar()
    level = torch.randint(300, (len(large),), generator=generator)
    seen = doubled(halved(large))
    covered, _, _ = noised(seen, level, torch.empty_like(seen).normal_(generator=generator), alphas_bar)
    told = (level / 1000).view(-1, 1, 1, 1).expand(-1, 1, *large.shape[2:])
    t, eps = diffusion_draws(large, generator)
    x_t, _, _ = noised(large, t, eps, alphas_bar)
    return (unet(torch.cat([x_t, covered, told], dim=1), t) - large).square().mean(), level


@pytest.mark.parametrize(("stage", "index"), [("upsampler_64", 0), ("upsampler_128", 1)])
def test_an_upsampler_predicts_pictures_of_its_own_size_from_small_ones_under_noise(stage, index):
    system, (images, captions) = two_upsamplers(), batch(128, 4)
    found = loss(system, stage, images, captions)
    large = images if index else halved(images)
    assert set(found) == {"loss"}
    same(found["loss"], upsamplers_loss(system.upsamplers[index].unet, large)[0])


def test_the_upsampler_of_dalle2_is_that_of_imagen():
    system, (images, captions) = build("dalle2"), batch(64)
    same(loss(system, "upsampler_64", images, captions)["loss"], upsamplers_loss(system.upsamplers[0].unet, images)[0])


@pytest.mark.parametrize("name", ["imagen", "dalle2"])
def test_small_pictures_are_shown_under_as_much_noise_as_the_network_is_told(name, monkeypatch):
    system, (images, captions) = build(name), batch(64, 32)
    calls = spy(monkeypatch, system.upsamplers[0].unet, "forward")
    loss(system, "upsampler_64", images, captions)
    (((x, _), _),) = calls
    covered, told = x[:, 3:6], x[:, 6]
    levels = told[:, 0, 0]
    assert torch.equal(told, levels[:, None, None].expand_as(told))
    assert levels.min() >= 0
    assert levels.max() < 0.3
    assert levels.max() > 0.2  # of 32
    assert levels.unique().numel() > 24  # each picture has its own
    kept = cosine_alphas_bar()[(levels * 1000).round().long()].float()
    noise = covered - kept.sqrt().view(-1, 1, 1, 1) * doubled(halved(images))
    torch.testing.assert_close(noise.flatten(1).std(dim=1), (1 - kept).sqrt(), rtol=0.05, atol=0)


def test_in_drawing_the_small_picture_is_covered_as_it_was_in_training(monkeypatch):
    """Up to a tenth of the schedule, with the second half of the noise."""
    upsampler, (images, _) = build("imagen").upsamplers[0], batch(64)
    noise = torch.randn(8, 6, 64, 64, generator=seeded(1))
    calls = spy(monkeypatch, upsampler.unet, "forward")
    with torch.no_grad():
        upsampler.enlarge(halved(images), noise, steps=3)
    alphas_bar = cosine_alphas_bar()
    expected, _, _ = noised(doubled(halved(images)), torch.full((8,), 100), noise[:, 3:], alphas_bar)
    assert [int(t[0]) for (_, t), _ in calls] == [999, 666, 332]
    for (x, _), _ in calls:
        torch.testing.assert_close(x[:, 3:6], expected, rtol=0, atol=1e-5)
        assert bool((x[:, 6] == 0.1).all())
    torch.testing.assert_close(calls[0][0][0][:, :3], noise[:, :3])


# ---------------------------------------------------------------- priors


def test_the_diffusion_prior_predicts_embeddings_of_variance_one():
    system, (images, captions) = told_everything(build("dalle2")), batch(64)
    found = loss(system, "prior", images, captions)
    generator = seeded()
    torch.rand(2, 8, 1, generator=generator)
    z, words, _, caption = seen_by_clip(system, images, captions)
    x0 = z * E**0.5
    torch.testing.assert_close(x0.square().mean(dim=1), torch.ones(8))
    t, eps = diffusion_draws(x0, generator)
    x_t, _, _ = noised(x0, t, eps, cosine_alphas_bar())
    assert set(found) == {"loss"}
    same(found["loss"], (system.prior(x_t, t, words, caption) - x0).square().mean())


def test_the_autoregressive_prior_predicts_the_bin_of_each_component():
    system, (images, captions) = told_everything(build("dalle2")), batch(64)
    prior, (z, words, _, caption) = system.prior_ar, seen_by_clip(system, images, captions)
    for _ in range(300):
        prior.follow(z)
    prior.settle()
    found = loss(system, "prior_ar", images, captions)
    along = (z - prior.mean) @ prior.basis / prior.deviation
    codes = (((along + 3) / 6).clamp(0, 1 - 1e-6) * 8).long()  # 8 bins, from three deviations below the mean to three above
    assert codes.unique().numel() > 3
    assert set(found) == {"loss"}
    same(found["loss"], cross_entropy(prior(codes[:, :-1], words, caption), codes))


def test_the_moments_follow_in_the_decoders_training_and_are_settled_as_the_prior_begins():
    system, (images, captions) = build("dalle2"), batch(64)
    z, prior = seen_by_clip(system, images, captions)[0], system.prior_ar
    loss(system, "decoder", images, captions)
    assert torch.equal(prior.mean, torch.zeros(E))  # not while it is examined
    system.train()
    loss(system, "decoder", images, captions)
    same(prior.mean, 0.02 * z.mean(dim=0))
    same(prior.second, 0.98 * torch.eye(E) / E + 0.02 * z.T @ z / 8)
    before = prior.basis.clone()
    loss(system, "prior_ar", images, captions, progress=0.1)
    assert torch.equal(prior.basis, before)
    loss(system, "prior_ar", images, captions, progress=0.0)
    assert not torch.equal(prior.basis, before)
