"""DALL·E 2: both priors, the decoder with and without words, and pictures from pictures."""

from dataclasses import replace
from typing import cast

import pytest
import torch
import torch.nn.functional as F
from by_hand import spy
from sklearn.decomposition import PCA
from tiny_systems import build

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle2 import DallE2
from dalle_edu.systems.image_edits.variations import on_the_way
from dalle_edu.systems.parts.embedding_priors import AutoregressivePrior, DiffusionPrior, PriorConfig
from dalle_edu.world import World

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]
SMALL = PriorConfig(text_width=8, embedding=16, width=32, depth=2, heads=2, components=6, bins=32)


@pytest.fixture(scope="module")
def tiny() -> DallE2:
    return cast("DallE2", build("dalle2"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return World(3).collate([World(3)[i] for i in range(3)]).images(64)


def uniforms_for(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- the two priors


@pytest.mark.parametrize("prior", ["diffusion", "autoregressive"])
def test_a_prior_draws_unit_vectors_that_depend_on_prompt_and_seed(tiny, prior):
    z = tiny.sample_embeddings(PROMPTS, seed=0, prior=prior)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(3), rtol=0, atol=1e-5)
    assert torch.equal(z, tiny.sample_embeddings(PROMPTS, seed=0, prior=prior))
    assert not torch.allclose(z, tiny.sample_embeddings(PROMPTS, seed=1, prior=prior))
    assert not torch.allclose(z, tiny.sample_embeddings(PROMPTS[::-1], seed=0, prior=prior))
    torch.testing.assert_close(tiny.sample_embeddings(PROMPTS[:1], seed=0, prior=prior), z[:1], rtol=0, atol=1e-5)


def test_what_is_previewed_in_a_stage_is_what_the_stage_trains(tiny, images, monkeypatch):
    """The decoder is shown from the embeddings of true pictures, and each prior by embeddings that it draws itself."""
    asked = [spy(monkeypatch, part, "sample") for part in (tiny.prior, tiny.prior_ar)]
    drawn = spy(monkeypatch, tiny, "conditions")
    for stage, calls in (("decoder", [0, 0]), ("prior", [1, 0]), ("prior_ar", [1, 1])):
        tiny.preview(stage, images, PROMPTS, seed=0)
        assert [len(each) for each in asked] == calls, stage
    torch.testing.assert_close(drawn[0][0][0], tiny.encode_images(images))


def test_an_unknown_prior_is_refused(tiny):
    with pytest.raises(DalleEduError, match="diffusion, autoregressive"):
        tiny.generate(PROMPTS, prior="none")


def test_drawing_does_not_rescale_what_it_is_given(tiny):
    words, caption = tiny.encode_texts(PROMPTS)
    before = words.clone(), caption.clone()
    noise = torch.randn(3, 32, generator=uniforms_for(0))
    tiny.prior.sample(noise, words, caption, guidance_scale=2.0)
    assert torch.equal(words, before[0])
    assert torch.equal(caption, before[1])


def pairs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two captions, and the embedding of a picture for each."""
    embedding = F.normalize(torch.randn(2, 16, generator=uniforms_for(1)), dim=-1)
    return embedding, torch.randn(2, 5, 8, generator=uniforms_for(2)), F.normalize(torch.randn(2, 16, generator=uniforms_for(3)), dim=-1)


def learn(prior: torch.nn.Module, steps: int, loss) -> None:
    optimizer = torch.optim.AdamW(prior.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        loss()["loss"].backward()
        optimizer.step()


def test_the_diffusion_prior_learns_which_embedding_goes_with_which_caption():
    torch.manual_seed(0)
    prior, (z, words, caption), source = DiffusionPrior(SMALL), pairs(), uniforms_for(4)
    many = [each.repeat_interleave(16, dim=0) for each in (z, words, caption)]
    learn(prior, 150, lambda: prior.loss(*many, source))
    with torch.no_grad():
        drawn = prior.sample(torch.randn(32, 32, generator=uniforms_for(5)), many[1], many[2])
    assert (drawn * many[0]).sum(dim=1).min() > 0.9


def test_the_autoregressive_prior_does_too():
    torch.manual_seed(0)
    prior, (z, words, caption) = AutoregressivePrior(SMALL), pairs()
    for _ in range(400):
        prior.follow(z + 0.05 * torch.randn(2, 16, generator=uniforms_for(_)))
    prior.settle()
    learn(prior, 80, lambda: prior.loss(z, words, caption))
    with torch.no_grad():
        drawn = prior.sample(torch.rand(2, 6, generator=uniforms_for(5)), words, caption, temperature=0.5)
    assert (drawn * z).sum(dim=1).min() > 0.9


def test_the_components_are_those_of_scikit_learn():
    scales = torch.linspace(2, 0.1, 16)
    data = torch.randn(4000, 16, generator=uniforms_for(0)) * scales + 1
    prior = AutoregressivePrior(SMALL)
    prior.mean.copy_(data.mean(dim=0))
    prior.second.copy_(data.T @ data / len(data))
    prior.settle()
    peer = PCA(6).fit(data.numpy())
    cosines = (prior.basis.T * torch.from_numpy(peer.components_)).sum(dim=1).abs()
    torch.testing.assert_close(cosines, torch.ones(6), rtol=0, atol=1e-3)
    torch.testing.assert_close(prior.deviation, torch.from_numpy(peer.explained_variance_).float().sqrt(), rtol=1e-2, atol=0)


def test_components_come_back_to_the_middle_of_their_bins():
    prior = AutoregressivePrior(SMALL)
    codes = torch.randint(4, 28, (5, 6), generator=uniforms_for(0))
    along = ((codes + 0.5) / 32 * 6 - 3) * prior.deviation
    assert torch.equal(prior.to_codes(prior.mean + along @ prior.basis.T), codes)


def test_running_moments_forget_where_they_began():
    prior, z = AutoregressivePrior(SMALL), F.normalize(torch.randn(512, 16, generator=uniforms_for(0)) + 1, dim=-1)
    for _ in range(500):
        prior.follow(z)
    torch.testing.assert_close(prior.mean, z.mean(dim=0), rtol=0, atol=1e-3)
    torch.testing.assert_close(prior.second, z.T @ z / 512, rtol=0, atol=1e-3)


# ---------------------------------------------------------------- the decoder


def test_the_decoder_hears_of_the_embedding_and_of_the_words(tiny):
    drawn = [tiny.generate(PROMPTS, prior=prior, text=text) for prior in ("diffusion", "autoregressive") for text in (True, False)]
    for i, one in enumerate(drawn):
        assert not any(torch.equal(one, other) for other in drawn[:i])


def test_components_that_a_network_has_learned_to_write_stay_as_they_are():
    prior = AutoregressivePrior(PriorConfig(text_width=16, embedding=16, width=16, depth=1, heads=2, components=4, bins=8))
    clouds = [F.normalize(torch.randn(256, 16, generator=uniforms_for(seed)) * torch.linspace(2, 0.1, 16), dim=1) for seed in (0, 1)]
    for _ in range(50):
        prior.follow(clouds[0])
    prior.settle()
    settled = {name: buffer.clone() for name, buffer in prior.named_buffers()}
    prior.follow(clouds[1])  # as when training goes on from weights
    prior.settle()
    assert all(torch.equal(settled[name], buffer) for name, buffer in prior.named_buffers())


def test_an_option_that_it_does_not_know_is_refused(tiny):
    with pytest.raises(DalleEduError, match="takes no colour"):
        tiny.generate(PROMPTS, colour="red")


# ---------------------------------------------------------------- from pictures


def test_variations_differ_from_one_another_and_come_from_the_embedding_alone(tiny, images):
    first, second = tiny.vary(images, seed=0), tiny.vary(images, seed=1)
    assert first.shape == images.shape
    assert not torch.equal(first, second)
    alone = tiny.vary(images, seed=0, tries=1, guidance_scale=2.0)
    told = tiny.conditions(tiny.encode_images(images))
    assert torch.equal(alone, tiny.sample(*told, 0, replace(tiny.config.sampling, guidance_scale=2.0)))


def test_of_several_tries_the_nearest_to_the_embedding_is_kept(tiny, images):
    z = tiny.encode_images(images)
    near = [(tiny.encode_images(tiny.decode_embeddings(z, tries=tries)) * z).sum(dim=1) for tries in (1, 4)]
    assert (near[1] >= near[0] - 1e-6)[0]  # whose first try is the same; those of the others depend on how many there are
    assert near[1].mean() > near[0].mean()
    torch.testing.assert_close(tiny.decode_embeddings(z[:1], tries=3), tiny.decode_embeddings(z, tries=3)[:1], atol=1e-5, rtol=0)
    with pytest.raises(DalleEduError, match="tries is 0"):
        tiny.vary(images, tries=0)


def test_mixing_goes_from_one_picture_to_the_other(tiny, images):
    other = images.flip(0)
    torch.testing.assert_close(tiny.mix(images, other, 0.0, seed=2), tiny.vary(images, seed=2), rtol=0, atol=1e-4)
    torch.testing.assert_close(tiny.mix(images, other, 1.0, seed=2), tiny.vary(other, seed=2), rtol=0, atol=1e-4)
    with pytest.raises(DalleEduError, match="ratio"):
        tiny.mix(images, other, 1.5)


def test_on_the_way_angles_are_shared_out_as_asked():
    first, second = (F.normalize(torch.randn(4, 8, generator=uniforms_for(seed)), dim=-1) for seed in (0, 1))
    between = on_the_way(first, second, 0.3)
    whole = (first * second).sum(dim=1).clamp(-1, 1).acos()
    torch.testing.assert_close((first * between).sum(dim=1).clamp(-1, 1).acos(), 0.3 * whole, rtol=1e-3, atol=1e-3)


def test_steering_by_nothing_is_refused_and_by_something_moves(tiny, images):
    steered = tiny.steer(images, ["a red circle"] * 3, ["a blue circle"] * 3, 0.5)
    assert not torch.equal(steered, tiny.vary(images))
    with pytest.raises(DalleEduError):
        tiny.steer(images, [""] * 3, ["a blue circle"] * 3)


def test_steering_goes_from_a_picture_towards_what_the_second_caption_adds_to_the_first(tiny, images, monkeypatch):
    """The end of the way is the difference of the two captions' embeddings, scaled to length 1; half of the way is in the middle."""
    decoded = spy(monkeypatch, tiny, "decode_embeddings")
    before, after = ["a red circle"] * 3, ["a blue circle"] * 3
    for ratio in (0.0, 0.5, 1.0):
        tiny.steer(images, before, after, ratio)
    start, half, end = (positional[0] for positional, _ in decoded)
    _, first = tiny.encode_texts(before)
    _, second = tiny.encode_texts(after)
    torch.testing.assert_close(start, tiny.encode_images(images))
    torch.testing.assert_close(end, (second - first) / (second - first).norm(dim=1, keepdim=True))
    torch.testing.assert_close(half, F.normalize(start + end, dim=1), rtol=1e-4, atol=1e-4)


def test_mixing_goes_from_the_first_picture_to_the_second(tiny, images, monkeypatch):
    decoded = spy(monkeypatch, tiny, "decode_embeddings")
    other = images.flip(0)
    for ratio in (0.0, 1.0):
        tiny.mix(images, other, ratio)
    torch.testing.assert_close(decoded[0][0][0], tiny.encode_images(images))
    torch.testing.assert_close(decoded[1][0][0], tiny.encode_images(other))


def test_a_loop_begins_with_the_picture_and_each_frame_varies_the_last(tiny, images):
    frames = tiny.loop(images, 3, seed=5)
    assert frames.shape == (3, *images.shape)
    assert torch.equal(frames[0], images)
    assert torch.equal(frames[2], tiny.vary(frames[1], seed=7))
