"""The priors of DALL·E 2: which of two draws is kept, what embeddings are scaled to, and components against the true covariance."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from by_hand import seeded, spy
from tiny_systems import build
from torch import Tensor

from dalle_edu.systems.parts import embedding_priors
from dalle_edu.systems.parts.embedding_priors import AutoregressivePrior, DiffusionPrior, PriorConfig

SMALL = PriorConfig(text_width=8, embedding=16, width=16, depth=1, heads=2, components=6, bins=32)
N, E = 5, 16


def unit(n: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(n, E, generator=seeded(seed)), dim=-1)


def told(seed: int = 7) -> tuple[Tensor, Tensor]:
    return torch.randn(N, 4, 8, generator=seeded(seed)), unit(N, seed + 1)


# ---------------------------------------------------------------- of two draws, the nearer


@pytest.mark.parametrize("first_is_near", [[True] * N, [False] * N, [True, False, False, True, False]])
def test_the_draw_nearer_to_the_captions_embedding_is_kept(first_is_near, monkeypatch):
    """Of each caption one of the two draws is near; the far one is the longer, so that it would win if lengths counted."""
    words, caption = told()
    near, far = F.normalize(caption + 0.1 * unit(N, 3), dim=-1), 9 * F.normalize(caption + 3 * unit(N, 4), dim=-1)
    chosen = torch.tensor(first_is_near).unsqueeze(1)
    draws = [torch.where(chosen, near, far), torch.where(chosen, far, near)]
    noise = torch.cat([torch.zeros(N, E), torch.ones(N, E)], dim=1)
    monkeypatch.setattr(embedding_priors, "dpm_solver", lambda denoise, start, schedule, steps, **_: draws[int(start[0, 0])])
    torch.testing.assert_close(DiffusionPrior(SMALL).sample(noise, words, caption), near)


def test_both_draws_are_whole_samples_of_their_own_half_of_the_noise(monkeypatch):
    """With a network that says what it was begun with, each draw is a half of the noise."""
    prior, (words, caption) = DiffusionPrior(SMALL), told()
    noise = torch.randn(N, 2 * E, generator=seeded(1))
    monkeypatch.setattr(prior, "forward", lambda x_t, t, words, caption: x_t)
    kept = prior.sample(noise, words, caption, steps=1)
    halves = [F.normalize(half, dim=1) for half in (noise[:, :E], noise[:, E:])]
    for i in range(N):
        near = [float(half[i] @ caption[i]) for half in halves]
        torch.testing.assert_close(kept[i], halves[near.index(max(near))][i])
    assert {int((half[i] @ caption[i]) > (other[i] @ caption[i])) for half, other in [halves] for i in range(N)} == {0, 1}


def test_guidance_goes_from_no_caption_to_the_caption_and_beyond(monkeypatch):
    prior, (words, caption) = DiffusionPrior(SMALL), told()

    def answers(x_t: Tensor, t: Tensor, words: Tensor, caption: Tensor) -> Tensor:
        heard = words.flatten(1).any(dim=1, keepdim=True) & caption.any(dim=1, keepdim=True)
        return torch.where(heard, torch.ones(E), torch.arange(E) - 4.0)

    monkeypatch.setattr(prior, "forward", answers)
    kept = prior.sample(torch.randn(N, 2 * E, generator=seeded(2)), words, caption, guidance_scale=3.0, steps=2)
    blank = torch.arange(E) - 4.0
    torch.testing.assert_close(kept, F.normalize(blank + 3 * (1 - blank), dim=0).expand(N, E))


# ---------------------------------------------------------------- scale


def test_the_diffusion_prior_sees_embeddings_of_variance_one(monkeypatch):
    prior, (words, caption), z = DiffusionPrior(SMALL), told(), unit(N, 0)
    seen: list[Tensor] = []
    monkeypatch.setattr(embedding_priors, "diffusion_loss", lambda network, x0, *_, **__: seen.append(x0) or x0.sum())
    prior.loss(z, words, caption, seeded())
    torch.testing.assert_close(seen[0], z * 4)
    torch.testing.assert_close(seen[0].norm(dim=1), torch.full((N,), math.sqrt(E)))


def test_a_captions_embedding_is_scaled_too_and_words_are_not(monkeypatch):
    prior, (words, caption) = DiffusionPrior(SMALL), told()
    calls = {part: spy(monkeypatch, getattr(prior.known, part), "forward") for part in ("words", "caption")}
    found = prior.known(words, caption)
    torch.testing.assert_close(calls["caption"][0][0][0], caption * 4)
    assert torch.equal(calls["words"][0][0][0], words)
    assert found.shape == (N, 5, 16)
    torch.testing.assert_close(found[:, 4], caption * 4 @ prior.known.caption.weight.T)


def test_a_perfect_network_gives_its_embedding_back(monkeypatch):
    """What the loss calls clean is what sampling reads off: a network without error has no loss, and draws the embedding."""
    prior, (words, caption), z = DiffusionPrior(SMALL), told(), unit(N, 0)
    monkeypatch.setattr(prior, "forward", lambda x_t, t, words, caption: z * 4)
    assert float(prior.loss(z, words, caption, seeded())["loss"]) < 1e-10
    torch.testing.assert_close(prior.sample(torch.randn(N, 2 * E, generator=seeded(1)), words, caption), z)


def test_a_picture_is_drawn_from_an_embedding_of_the_scale_that_training_knew(monkeypatch):
    system = build("dalle2")
    calls = spy(monkeypatch, system.decoder.unet, "forward")
    z = unit(3, 0)
    system.decode_embeddings(z, tries=1, guidance_scale=1.0)
    assert calls
    for _, conditions in calls:
        torch.testing.assert_close(conditions["pooled"], z * 4)


# ---------------------------------------------------------------- components


def cloud(n: int = 600) -> Tensor:
    """Unit vectors that spread more along some directions than along others."""
    turned = torch.linalg.qr(torch.randn(E, E, generator=seeded(9))).Q
    spread = torch.randn(n, E, generator=seeded(10)) * torch.linspace(2, 0.1, E)
    return F.normalize((spread + 1.0) @ turned, dim=-1)


def test_settled_components_are_those_of_numpy_on_the_true_covariance():
    prior, z = AutoregressivePrior(SMALL), cloud()
    for _ in range(700):  # until nothing is left of where the moments began
        prior.follow(z)
    prior.settle()
    values, vectors = np.linalg.eigh(np.cov(z.double().numpy().T, bias=True))
    values, vectors = values[::-1][:6], vectors[:, ::-1][:, :6]
    signs = np.sign(np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0))
    np.testing.assert_allclose(prior.mean.numpy(), z.numpy().mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(prior.deviation.numpy(), np.sqrt(values), rtol=1e-2)
    np.testing.assert_allclose(prior.basis.numpy(), vectors * signs, atol=2e-2)


def test_moments_follow_two_hundredths_of_the_way_at_each_batch():
    prior, z = AutoregressivePrior(SMALL), cloud()
    mean, second = np.zeros(E), np.eye(E) / E
    for start in range(0, 600, 30):
        rows = z[start : start + 30]
        prior.follow(rows)
        mean = 0.98 * mean + 0.02 * rows.numpy().mean(axis=0)
        second = 0.98 * second + 0.02 * np.einsum("ni,nj->ij", rows, rows) / 30
    np.testing.assert_allclose(prior.mean.numpy(), mean, atol=1e-6)
    np.testing.assert_allclose(prior.second.numpy(), second, atol=1e-6)


def settled() -> AutoregressivePrior:
    prior = AutoregressivePrior(SMALL)
    for _ in range(300):
        prior.follow(cloud())
    prior.settle()
    return prior


def test_every_code_comes_back_from_the_middle_of_its_bin():
    prior = settled()
    for bin in range(32):
        codes = torch.full((6, 6), 20).fill_diagonal_(bin)  # each component in turn
        along = ((codes + 0.5) / 32 * 6 - 3) * prior.deviation
        assert torch.equal(prior.to_codes(prior.mean + along @ prior.basis.T), codes)


def test_bins_are_of_equal_width_from_three_deviations_below_to_three_above():
    prior = settled()
    for deviations, bin in (
        (-9.0, 0),
        (-3.01, 0),
        (-2.99, 0),
        (-2.8, 1),
        (-0.01, 15),
        (0.01, 16),
        (1.5, 24),
        (2.99, 31),
        (3.01, 31),
        (9.0, 31),
    ):
        z = prior.mean + deviations * prior.deviation[2] * prior.basis[:, 2]
        assert int(prior.to_codes(z[None])[0, 2]) == bin, deviations


def test_an_embedding_through_codes_and_back_is_near_itself():
    prior, z = settled(), cloud()
    back = prior.to_embedding(prior.to_codes(z))
    torch.testing.assert_close(back.norm(dim=1), torch.ones(600))
    reduced = prior.mean + (z - prior.mean) @ prior.basis @ prior.basis.T  # the best that six components can say
    assert (F.normalize(reduced, dim=1) * back).sum(dim=1).mean() > 0.995
    assert (z * back).sum(dim=1).mean() > 0.9


def test_components_are_drawn_in_order_each_given_those_before_it(monkeypatch):
    """With a network that is sure of a bin at each place, the sample is the embedding of those bins; guidance doubles the batch."""
    prior, (words, caption), wanted = settled(), told(), torch.tensor([3, 30, 7, 16, 0, 31])
    heard: list[Any] = []

    def sure(codes: Tensor, words: Tensor, caption: Tensor) -> Tensor:
        heard.append((codes.clone(), words, caption))
        logits = torch.zeros(len(codes), codes.shape[1] + 1, 32)
        logits[:, -1, wanted[codes.shape[1]]] = 50.0
        return logits

    monkeypatch.setattr(prior, "forward", sure)
    for scale in (1.0, 2.0):
        heard.clear()
        drawn = prior.sample(torch.rand(N, 6, generator=seeded(3)), words, caption, guidance_scale=scale)
        if scale == 1.0:
            torch.testing.assert_close(drawn, prior.to_embedding(wanted.expand(N, 6)))
        assert [codes.shape[1] for codes, _, _ in heard] == list(range(6))
        for codes, said, whole in heard:
            assert len(codes) == len(said) == len(whole) == N * int(scale)
            assert torch.equal(said[:N], words)
            assert torch.equal(whole[:N], caption)
            assert not said[N:].any()
            assert not whole[N:].any()


def test_each_component_has_values_of_its_own_after_the_caption_and_the_beginning(monkeypatch):
    """What the first block is given: the caption's tokens, then the beginning and one value for each component, each with its place."""
    prior, (words, caption) = settled(), told()
    codes = torch.tensor([[3, 3, 7, 0, 31]]).expand(N, 5)
    given = spy(monkeypatch, prior.blocks[0], "forward")
    prior(codes, words, caption)
    tokens = given[0][0][0]
    torch.testing.assert_close(tokens[:, :5], prior.known(words, caption))
    table = prior.value.weight.view(6, 32, 16)  # component, bin, width
    torch.testing.assert_close(tokens[:, 5], (prior.start + prior.place.weight[0]).expand(N, 16))
    for rank, bin in enumerate(codes[0].tolist()):
        torch.testing.assert_close(tokens[:, 6 + rank], (table[rank, bin] + prior.place.weight[rank + 1]).expand(N, 16))


def test_the_diffusion_prior_and_the_decoder_after_it_draw_random_numbers_of_their_own(monkeypatch):
    """Were they the same, the noise of a picture would say which embedding had been drawn, which no training has shown the decoder."""
    system: Any = build("dalle2")
    drawn, begun = spy(monkeypatch, system.prior, "sample"), spy(monkeypatch, system.decoder.unet, "forward")
    system.generate(["a red circle"], seed=5, prior="diffusion", tries=1, guidance_scale=1.0, steps=1)
    numbers = drawn[0][0][0].flatten()
    noise = begun[0][0][0].flatten()[: len(numbers)]
    assert len(noise) == len(numbers)
    assert float((noise - numbers).abs().max()) > 0.5
