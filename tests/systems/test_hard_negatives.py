"""Hard negatives: which captions go together, and which are wrong in one thing."""

import pytest
import torch
from by_hand import seeded

from dalle_edu.scorecard.critic_exam import true_of
from dalle_edu.systems.hard_negatives import negatives
from dalle_edu.systems.hard_negatives.attributes import caption_attributes, compatible
from dalle_edu.systems.hard_negatives.negatives import CHANGES, hard_negative
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase, without_colours
from dalle_edu.world import SHAPES, Description, Mention, World, caption, read_caption, sample_scene
from dalle_edu.world.grammar import guess_language, phrasings
from dalle_edu.world.held_out import names_held_out
from dalle_edu.world.scene_sampler import PRACTICE


def captions_of(n: int) -> list[str]:
    world = World(n, seed=0, kinds=PRACTICE)
    return [world[i][1] for i in range(n)]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("a red circle", "un cercle rouge", True),
        ("a red circle", "a large circle", True),
        ("a red circle", "a blue circle", False),
        ("a small circle", "a large circle", False),
        ("a red circle", "two red circles", False),
        ("three stars", "trois étoiles vertes", True),
        ("three stars", "four stars", False),
        ("a star and a cross", "a cross and a star", True),
        ("a star left of a cross", "a cross right of a star", True),
        ("a star left of a cross", "a cross left of a star", False),
        ("a star left of a cross", "a star above a cross", False),
        ("a star left of a cross", "a star with a cross", True),
        ("a red star left of a blue cross", "a blue star left of a red cross", False),
        ("a star", "a star with a cross", False),
        ("a dog on a mat", "a dog on a mat", True),
        ("a dog on a mat", "a cat on a mat", False),
        ("a dog on a mat", "a star", False),
        ("5 red circles", "a red circle", False),
        ("no red circle", "a red circle", False),
    ],
)
def test_captions_contradict_each_other_where_both_speak(one, other, together):
    assert compatible(caption_attributes([one]), caption_attributes([other])).item() == together
    assert compatible(caption_attributes([other]), caption_attributes([one])).item() == together


def test_what_is_true_of_a_picture_is_never_held_against_it():
    scenes = [sample_scene(3, i, kinds=PRACTICE) for i in range(160)]
    said = caption_attributes([caption(scene.description, "fr") for scene in scenes])
    true = torch.tensor([[true_of(other.description, scene) for other in scenes] for scene in scenes])
    assert true.diagonal().all()
    assert true.sum() > len(scenes) + 8  # else there is nothing to see
    assert (compatible(said, said) | ~true).all()
    assert compatible(said, said).float().mean() < 0.02


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_changed_caption_contradicts_the_first_in_one_thing(change):
    captions = captions_of(200)
    said = caption_attributes(captions)
    changed = caption_attributes([hard_negative(text, (0.0, (i * 0.61) % 1, (i * 0.37) % 1), change) for i, text in enumerate(captions)])
    wrong = ~compatible(said, changed).diagonal()
    assert wrong.sum() > 10
    first = {"number": [0], "shape": [1, 4], "colour": [2, 5], "size": [3, 6], "opposite": [7], "across": [7]}.get(change)
    if first:
        differing = (said != changed)[wrong].any(dim=0).nonzero().flatten().tolist()
        assert set(differing) <= set(first)


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_in_an_exam_the_language_and_the_words_stay(change):
    compared = 0
    for text in captions_of(400):
        changed = hard_negative(text, (0.0, 0.7), change)
        if changed == text:
            continue
        language = guess_language(text)
        before, after = (phrasings(read_caption(each), language) for each in (text, changed))
        assert changed in after, (text, changed)
        if len(before) == len(after):
            assert before.index(text) == after.index(changed), (text, changed)
            compared += 1
    assert compared > 20 or change == "across"  # above is said in fewer ways than left


def test_only_a_size_that_is_said_is_changed():
    for draw in (0.0, 0.3, 0.6, 0.99):
        changed = hard_negative("a large red circle to the left of a blue square", (0.0, draw), "size")
        assert changed == "a small red circle to the left of a blue square"


def test_what_is_held_out_is_not_said_in_false_captions_either():
    captions = captions_of(300)
    assert not any(names_held_out(read_caption(text)) for text in captions)
    asked = [hard_negative(text, ((i * 0.23) % 1, (i * 0.61) % 1, (i * 0.37) % 1)) for i, text in enumerate(captions)]
    assert not any(names_held_out(read_caption(text)) for text in asked)
    every = [hard_negative(text, (0.0, (i * 0.61) % 1, (i * 0.37) % 1), "shape") for i, text in enumerate(captions)]
    assert any(names_held_out(read_caption(text)) for text in every)
    shape, colour = sorted(SHAPES.held_out_objects)[0]
    first, _, second = next(each for each in SHAPES.held_out_relations if each[1] == "left")
    assert names_held_out(Description((Mention(shape, colour),)))
    assert names_held_out(Description((Mention(second), Mention(first)), relation="right"))
    assert not names_held_out(Description((Mention(second), Mention(first))))


def test_changes_come_in_both_languages_and_all_kinds():
    text = "a large red star left of a blue cross"
    made = {hard_negative(text, (i / 60, (i * 0.61) % 1, (i * 0.37) % 1)) for i in range(60)}
    assert any("gauche" in each or "droite" in each for each in made)
    assert any(each.startswith("a ") for each in made)
    assert {read_caption(each).relation for each in made} == {"left", "right", "above", "below"}
    assert hard_negative("a dog on a mat", (0.5, 0.5, 0.5)) == "a dog on a mat"


@pytest.mark.parametrize("each", [1, 3, 5])
def test_the_false_captions_of_a_caption_are_of_different_parts_of_the_changes(each, monkeypatch):
    """The first of every caption, then the second of every caption…; the change of the i-th is drawn from the i-th part of [0, 1)."""
    asked: list[tuple[str, float]] = []
    monkeypatch.setattr(negatives, "hard_negative", lambda text, draws, **_: asked.append((text, draws[0])) or text)
    captions = [f"caption {i}" for i in range(40)]
    negatives.hard_negatives(captions, each, seeded(), "cpu")
    assert [text for text, _ in asked] == captions * each
    for i in range(each):
        part = [draw for _, draw in asked[40 * i : 40 * (i + 1)]]
        assert i / each <= min(part) < (i + 0.2) / each
        assert (i + 0.8) / each < max(part) < (i + 1) / each


def test_what_is_said_otherwise_claims_the_same():
    captions = captions_of(60)
    said = [paraphrase(captions, torch.Generator().manual_seed(seed)) for seed in range(8)]
    for sentences in said:
        for before, after in zip(captions, sentences, strict=True):
            description = read_caption(before)
            assert read_caption(after) in (description, description.turned())
    pair = next(i for i, text in enumerate(captions) if read_caption(text).relation)
    assert len({read_caption(sentences[pair]) for sentences in said}) == 2, "either object is named first"
    assert len({guess_language(sentences[pair]) for sentences in said}) == 2, "either language is spoken"


def test_what_is_true_of_a_picture_is_true_of_it_from_the_other_side():
    scenes = [sample_scene(3, i, kinds=PRACTICE) for i in range(160)]
    turned = [scene.description.turned() for scene in scenes]
    assert all(true_of(description, scene) for description, scene in zip(turned, scenes, strict=True))
    assert sum(description != scene.description for description, scene in zip(turned, scenes, strict=True)) > 50


def test_what_the_grammar_cannot_read_is_not_said_otherwise():
    assert paraphrase(["a cat on a mat"]) == ["a cat on a mat"]


@pytest.mark.parametrize("text", ["5 red circles", "no red circle", "a red circle on a boat"])
def test_a_caption_with_words_that_are_not_read_is_neither_changed_nor_said_in_other_words(text):
    assert hard_negative(text, (0.1, 0.5, 0.7)) == text
    assert paraphrase([text] * 8, seeded()) == [text] * 8
    assert without_colours(text) == text
