"""What training leaves out for guidance's sake: spied on where the networks are told."""

from dataclasses import replace

import pytest
import torch
from by_hand import batch, loss, seeded, spy, tokens
from tiny_systems import build
from torch import Tensor

N = 64


def with_rates(name: str, **rates: float):
    system = build(name)
    system.config = replace(system.config, recipe=replace(system.config.recipe, **rates))
    return system


def left_out(rows: Tensor) -> Tensor:
    """Which rows hold nothing but zeros."""
    return (rows == 0).flatten(1).all(dim=1)


def draws(seed: int) -> Tensor:
    return torch.rand(2, N, 1, generator=seeded(seed))[..., 0]


def check_rate(dropped: Tensor, rate: float, chance: Tensor) -> None:
    """Exactly those rows are left out whose draw is below the rate: all of them at 1, none at 0."""
    assert torch.equal(dropped, chance < rate)
    assert (dropped.sum() == N * rate) if rate in (0.0, 1.0) else (0.3 * N < dropped.sum() < 0.7 * N)


def cut(whole: Tensor, text: Tensor) -> Tensor:
    """Captions cut as long as `text`, which may end where the longest of them does, and no sooner."""
    assert not whole[:, text.shape[1] :].any()
    return whole[:, : text.shape[1]]


RATES = pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])


# ---------------------------------------------------------------- systems that write codes


@RATES
@pytest.mark.parametrize(("name", "network"), [("dalle1", "gpt"), ("dalle_mini", "bart")])
def test_captions_left_out_are_empty_and_the_others_whole(name, network, rate, monkeypatch):
    system, (images, captions) = with_rates(name, caption_dropout=rate), batch(32, N)
    calls = spy(monkeypatch, getattr(system, network), "loss")
    loss(system, "prior", images, captions, seed=1)
    (((text, codes), _),) = calls
    dropped, whole = left_out(text), tokens(system, captions)
    check_rate(dropped, rate, torch.rand(N, 1, generator=seeded(1))[:, 0])
    assert torch.equal(text[~dropped], cut(whole, text)[~dropped])
    assert torch.equal(codes, system.encode(images).flatten(1))  # all pictures are there, in order


# ---------------------------------------------------------------- DALL·E 2


@RATES
def test_the_decoder_of_dalle2_goes_without_captions(rate, monkeypatch):
    system, (images, captions) = with_rates("dalle2", caption_dropout=rate, embedding_dropout=0.0), batch(64, N)
    calls = spy(monkeypatch, system.decoder.unet, "forward")
    loss(system, "decoder", images, captions, seed=1)
    ((_, told),) = calls
    dropped = ~told["text_mask"].any(dim=1)
    check_rate(dropped, rate, draws(1)[0])
    assert torch.equal(told["text_mask"][~dropped], system.visible(captions)[~dropped])
    torch.testing.assert_close(told["pooled"], system.encode_images(images) * 4.0)
    assert torch.equal(told["text"], system.encode_texts(captions)[0])


@RATES
def test_the_decoder_of_dalle2_goes_without_embeddings(rate, monkeypatch):
    system, (images, captions) = with_rates("dalle2", caption_dropout=0.0, embedding_dropout=rate), batch(64, N)
    calls = spy(monkeypatch, system.decoder.unet, "forward")
    loss(system, "decoder", images, captions, seed=1)
    ((_, told),) = calls
    dropped = left_out(told["pooled"])
    check_rate(dropped, rate, draws(1)[1])
    torch.testing.assert_close(told["pooled"][~dropped], system.encode_images(images)[~dropped] * 4.0)
    assert torch.equal(told["text_mask"], system.visible(captions))


@RATES
@pytest.mark.parametrize(("stage", "options"), [("prior", True), ("prior_ar", False)])
def test_the_priors_of_dalle2_go_without_both_words_and_caption(stage, options, rate, monkeypatch):
    system, (images, captions) = with_rates("dalle2", prior_dropout=rate, caption_dropout=0.9, embedding_dropout=0.9), batch(64, N)
    calls = spy(monkeypatch, getattr(system, stage), "forward")
    loss(system, stage, images, captions, seed=1)
    ((given, named),) = calls
    words, caption = (named["words"], named["caption"]) if options else given[1:]
    dropped = left_out(words)
    check_rate(dropped, rate, draws(1)[0])
    assert torch.equal(left_out(caption), dropped)
    for found, whole in zip((words, caption), system.encode_texts(captions), strict=True):
        assert torch.equal(found[~dropped], whole[~dropped])


# ---------------------------------------------------------------- Imagen


@RATES
def test_the_base_of_imagen_goes_without_captions(rate, monkeypatch):
    system, (images, captions) = with_rates("imagen", caption_dropout=rate, sentence_dropout=0.0), batch(64, N)
    calls = spy(monkeypatch, system.base.unet, "forward")
    loss(system, "base", images, captions, seed=1)
    ((_, told),) = calls
    dropped = ~told["text_mask"].any(dim=1)
    check_rate(dropped, rate, draws(1)[0])
    assert torch.equal(left_out(told["text"]), dropped)
    assert torch.equal(left_out(told["pooled"]), dropped)  # of no words there is no sentence
    words, visible, sentence = system.text_encoder(tokens(system, captions))
    for found, whole in (("text", words), ("text_mask", visible), ("pooled", sentence)):
        torch.testing.assert_close(told[found][~dropped], whole[~dropped])


@RATES
def test_the_base_of_imagen_goes_without_sentences_but_with_their_words(rate, monkeypatch):
    system, (images, captions) = with_rates("imagen", caption_dropout=0.0, sentence_dropout=rate), batch(64, N)
    calls = spy(monkeypatch, system.base.unet, "forward")
    loss(system, "base", images, captions, seed=1)
    ((_, told),) = calls
    dropped = left_out(told["pooled"])
    check_rate(dropped, rate, draws(1)[1])
    words, visible, sentence = system.text_encoder(tokens(system, captions))
    torch.testing.assert_close(told["pooled"][~dropped], sentence[~dropped])
    torch.testing.assert_close(told["text"], words)
    assert torch.equal(told["text_mask"], visible)


# ---------------------------------------------------------------- what guidance compares with


@pytest.mark.parametrize(("name", "stage"), [("imagen", "base"), ("dalle2", "decoder")])
def test_unconditional_is_in_drawing_what_it_was_in_training(name, stage, monkeypatch):
    everything = {rate: 1.0 for rate in vars(build(name).config.recipe) if rate.endswith("_dropout")}
    system, (images, captions) = with_rates(name, **everything), batch(64)
    unet = system.base_model.unet
    calls = spy(monkeypatch, unet, "forward")
    loss(system, stage, images, captions)
    _, left = system.conditions(*((captions,) if name == "imagen" else (system.encode_images(images), captions)))
    (((x, t), told),) = calls
    assert set(told) == set(left)
    torch.testing.assert_close(unet(x, t, **told), unet(x, t, **left), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["dalle1", "dalle_mini"])
def test_guidance_of_codes_compares_with_an_empty_caption(name, monkeypatch):
    system, prompts = build(name), ["a red circle", "un grand carré bleu"]
    calls = spy(monkeypatch, system.code_prior, "with_cache")
    system.generate(prompts, guidance_scale=3.0)
    (((text,), _),) = calls
    assert torch.equal(text[:2], cut(tokens(system, prompts), text))
    assert not text[2:].any()


def test_guidance_of_priors_compares_with_neither_words_nor_caption(monkeypatch):
    system, prompts = build("dalle2"), ["a red circle", "un grand carré bleu"]
    words, caption = system.encode_texts(prompts)
    for prior, network in (("diffusion", system.prior), ("autoregressive", system.prior_ar)):
        calls = spy(monkeypatch, network, "forward")
        system.sample_embeddings(prompts, prior=prior, prior_guidance_scale=3.0)
        assert calls
        for given, named in calls:
            told = (named["words"], named["caption"]) if named else given[1:]
            for found, whole in zip(told, (words, caption), strict=True):
                assert torch.equal(found[:2], whole)
                assert not found[2:].any()
