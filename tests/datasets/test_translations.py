import pytest

from dalle_edu.datasets.translations import caption_pairs, join_words, split_words
from dalle_edu.world import SHAPES, read_caption


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("un rond à gauche d'une étoile", ["un", "rond", "à", "gauche", "d'", "une", "étoile"]),
        ("au-dessus d'un", ["au-dessus", "d'", "un"]),
        ("a red circle", ["a", "red", "circle"]),
    ],
)
def test_words(sentence, words):
    assert split_words(sentence) == words
    assert join_words(words) == sentence


PAIRS = caption_pairs(1500, seed=3)


def test_each_sentence_has_one_translation_and_is_the_translation_of_one():
    assert dict(PAIRS).items() == set(PAIRS)
    assert len({english for _, english in PAIRS}) == len(set(PAIRS))


def test_both_sentences_say_the_same_thing():
    for french, english in PAIRS[:300]:
        assert read_caption(french) == read_caption(english) is not None
        assert join_words(split_words(french)) == french


def test_the_openings_translate_each_other():
    for french, english in PAIRS:
        assert french.startswith("une image d") == english.startswith("a picture of ")
        assert french.startswith("il y a ") == english.startswith("there ")
    assert {english.split()[0] for _, english in PAIRS} >= {"a", "an", "there", "two", "four"}


def combinations(sentence: str) -> set[tuple]:
    """What a sentence names of what may be held out."""
    description = read_caption(sentence)
    shapes = [mention.shape for mention in description.mentions]
    named = {(mention.shape, mention.colour) for mention in description.mentions}
    if description.relation in ("left", "above"):
        named.add((shapes[0], description.relation, shapes[1]))
    elif description.relation:
        named.add((shapes[1], {"right": "left", "below": "above"}[description.relation], shapes[0]))
    return named


def test_held_out_sentences_name_what_training_sentences_never_do():
    held_out = SHAPES.held_out_objects | SHAPES.held_out_relations
    new = caption_pairs(300, seed=3, split="held_out")
    assert len(new) == 300
    for french, english in new:
        assert combinations(french) & held_out
        assert combinations(english) & held_out
    assert not any(combinations(french) & held_out for french, _ in PAIRS)
    named = set.union(*(combinations(french) for french, _ in new)) & held_out
    assert {len(combination) for combination in named} == {2, 3}  # objects, and relations


def test_the_pairs_depend_on_the_seed_alone():
    assert caption_pairs(20, seed=3) == PAIRS[:20]
    assert caption_pairs(20, seed=4) != PAIRS[:20]
