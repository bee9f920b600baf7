"""What is false, and what a loss makes of it; and Imagen's text encoder, which learns from both."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny_systems import build

from dalle_edu.bricks.contrastive import clip_loss
from dalle_edu.systems.hard_negatives.attributes import caption_attributes
from dalle_edu.systems.hard_negatives.contrastive_loss import QUESTIONS, compatible_captions, hard_negative_accuracy, masked_clip_loss
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.systems.imagen import Imagen
from dalle_edu.systems.parts.text_encoder import FALSE, text_encoder_loss
from dalle_edu.world import World

SENTENCES = [World(40)[i][1] for i in range(40)]


def uniforms_for(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def imagen() -> Imagen:
    system = build("imagen")
    assert isinstance(system, Imagen)
    return system


def test_where_nothing_is_excused_the_loss_is_the_bricks():
    images, texts = torch.randn(6, 4, generator=uniforms_for(1)), torch.randn(6, 4, generator=uniforms_for(2))
    nobody, oneself = torch.zeros(6, 6, dtype=torch.bool), torch.eye(6, dtype=torch.bool)
    for excused in (nobody, oneself):
        torch.testing.assert_close(masked_clip_loss(images, texts, 7.0, excused), clip_loss(images, texts, 7.0))


def test_what_is_excused_moves_nothing_and_what_is_added_is_only_false():
    images, texts = torch.randn(4, 3, generator=uniforms_for(1)), torch.randn(4, 3, generator=uniforms_for(2))
    excused = torch.zeros(4, 5, dtype=torch.bool)
    more = torch.cat([texts, images[:1]])  # a false sentence that says exactly the first picture
    with_it = masked_clip_loss(images, more, 7.0, excused)
    assert with_it > clip_loss(images, texts, 7.0) + 0.1
    excused[:, 4] = True
    torch.testing.assert_close(masked_clip_loss(images, more, 7.0, excused), clip_loss(images, texts, 7.0))


def test_false_captions_come_in_as_many_sorts_and_are_false():
    false = hard_negatives(SENTENCES, 3, uniforms_for(), "cpu")
    assert len(false) == 3 * len(SENTENCES)
    changed = [text != SENTENCES[i % len(SENTENCES)] for i, text in enumerate(false)]
    held_against = ~compatible_captions(SENTENCES, false)
    own = torch.cat([held_against[:, start : start + len(SENTENCES)].diagonal() for start in range(0, len(false), len(SENTENCES))])
    assert sum(changed) > 0.8 * len(false)
    assert own[torch.tensor(changed)].float().mean() > 0.95  # "a circle and a red square", shapes swapped, may be true still
    assert false == hard_negatives(SENTENCES, 3, uniforms_for(), "cpu") != hard_negatives(SENTENCES, 3, uniforms_for(1), "cpu")


def test_excuses_are_for_what_may_be_true():
    texts = ["un cercle rouge", "a large red circle", "un cercle bleu"]
    assert compatible_captions(["a red circle"], texts).tolist() == [[True, True, False]]


def meaning(captions: list[str]) -> torch.Tensor:
    """A vector for each thing that may be said, whatever the words."""
    rows = [torch.randn(64, generator=uniforms_for(hash(tuple(row)) % 2**31)) for row in caption_attributes(captions).tolist()]
    return F.normalize(torch.stack(rows), dim=1)


def test_who_knows_the_meaning_tells_everything_apart_and_who_does_not_guesses():
    known = hard_negative_accuracy(meaning(SENTENCES), SENTENCES, meaning)
    assert set(known) == set(QUESTIONS)
    assert all(rate == 1 for rate in known.values())
    guessed = hard_negative_accuracy(meaning(SENTENCES[1:] + SENTENCES[:1]), SENTENCES, meaning)
    assert sum(guessed.values()) / len(guessed) < 0.75


# ---------------------------------------------------------------- the text encoder


def test_the_text_encoder_sees_no_padding_and_reads_nothing_in_nothing(imagen):
    short = imagen.tokens(["a red circle", ""])
    states, visible, sentence = imagen.text_encoder(short)
    assert visible.sum(dim=1).tolist() == [3, 0]
    assert (states[~visible] == 0).all()
    assert (sentence[1] == 0).all()
    torch.testing.assert_close(sentence[0].square().mean(), torch.tensor(1.0))
    padded = F.pad(short[:1, :3], (0, 9))
    torch.testing.assert_close(imagen.text_encoder(padded)[2], sentence[:1])


def test_what_the_base_model_hears_is_what_the_text_encoder_made_of_the_caption(imagen):
    given, blank = imagen.conditions(["a red circle", "trois croix roses"])
    assert torch.equal(given["pooled"], imagen.text_encoder(imagen.tokens(["a red circle", "trois croix roses"]))[2])
    assert (blank["pooled"] == 0).all()
    assert not blank["text_mask"].any()


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_sentences_are_left_out_and_their_words_are_not(imagen, monkeypatch, dropout):
    heard: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(
        imagen, "config", replace(imagen.config, recipe=replace(imagen.config.recipe, caption_dropout=0.0, sentence_dropout=dropout))
    )
    monkeypatch.setattr(imagen.base, "loss", lambda images, generator, **told: heard.update(told) or {})
    captions = ["a red circle", "trois croix roses"]
    imagen.loss(torch.zeros(2, 3, 64, 64), captions, stage="base", generator=uniforms_for())
    given, _ = imagen.conditions(captions)
    assert torch.equal(heard["pooled"], given["pooled"] * (1 - dropout))
    assert torch.equal(heard["text"], given["text"])
    assert torch.equal(heard["text_mask"], given["text_mask"])


def test_the_text_encoder_is_told_what_is_false(imagen):
    parts = text_encoder_loss(imagen.text_encoder, imagen.tokenizer, SENTENCES[:8], uniforms_for())
    torch.testing.assert_close(parts["loss"], parts["written"] + parts["sentences"])
    otherwise = paraphrase(SENTENCES[:8], uniforms_for())
    generator = uniforms_for()
    paraphrase(SENTENCES[:8], generator)
    texts = [*SENTENCES[:8], *hard_negatives(SENTENCES[:8], FALSE, generator, "cpu")]
    seen, read = (imagen.text_encoder.sentence(imagen.tokens(each)) for each in (otherwise, texts))
    expected = masked_clip_loss(seen, read, imagen.text_encoder.log_scale.exp(), compatible_captions(SENTENCES[:8], texts))
    torch.testing.assert_close(parts["sentences"], expected)


def test_what_the_text_encoder_knows_is_measured_while_it_learns(imagen):
    assert set(imagen.measure("text_encoder", torch.zeros(40, 3, 64, 64), SENTENCES)) == set(QUESTIONS)
    assert imagen.measure("base", torch.zeros(40, 3, 64, 64), SENTENCES) == {}


def test_a_base_model_that_does_not_fit_its_text_encoder_is_refused(imagen):
    from dataclasses import replace

    model = imagen.config.model
    narrow = replace(imagen.config, model=replace(model, base=replace(model.base, pooled_width=8)))
    with pytest.raises(ValueError, match="as wide as the text encoder"):
        Imagen(narrow)
