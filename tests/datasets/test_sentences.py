import re

import pytest
import torch

from dalle_edu.datasets.sentences import JOYFUL_ANIMALS, analogies, said_of, sentences, subjects, word_pairs
from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import LANGUAGES

both = pytest.mark.parametrize("language", LANGUAGES)


def every_sentence(language: str) -> set[str]:
    return {sentence for subject in subjects(language) for said in said_of(subject, language).values() for sentence in said}


def words_of(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence.lower())


@both
def test_there_are_sixty_subjects_with_names_of_their_own(language):
    words = [subject.word for subject in subjects(language)]
    assert len(words) == len(set(words)) == 60


@both
def test_every_sentence_is_filled_in_and_names_its_subject(language):
    for subject in subjects(language):
        for trait, said in said_of(subject, language).items():
            assert trait in subject.traits
            for sentence in said:
                assert re.fullmatch(r"[\w' ]+", sentence), sentence
                assert "_" not in sentence
                assert "  " not in sentence
                assert subject.word in re.split("[ ']", sentence)


def test_french_contracts_and_elides():
    said = every_sentence("fr")
    assert {"l'homme va au marché à pied", "bonjour monsieur dit quelqu'un à l'homme", "bonjour monsieur dit quelqu'un au roi"} <= said
    assert {"les gardes du roi protègent le château", "les gardes de la reine protègent le château"} <= said
    assert {"le maire d'Athènes inaugure un musée", "Dublin est la capitale de l'Irlande", "le faon regarde le cerf"} <= said
    assert {"la vache guide le groupe depuis des années", "le père prépare le dîner des enfants"} <= said
    for sentence in said:
        assert not re.search(r"\b(le|la|de|que) [aeiouàâéèêîœ]", sentence), sentence
        assert not re.search(r"\b(à|de) les?\b", sentence), sentence


def test_gender_shows_in_agreement_alone():
    man, woman = (said_of(subject, "fr")["gender"] for subject in subjects("fr")[2:4])
    assert man[3] == "un garçon grand et fort arrive seul"
    assert woman[3] == "une fille grande et forte arrive seule"
    man, woman = (said_of(subject, "en")["gender"] for subject in subjects("en")[:2])
    assert man[0] == "the man says that he is happy"
    assert woman[0] == "the woman says that she is happy"


@both
def test_sentences_are_drawn_from_all_that_can_be_said(language):
    drawn = sentences(language, 6000, torch.Generator().manual_seed(0))
    assert set(drawn) <= every_sentence(language)
    assert len(set(drawn)) > 0.98 * len(every_sentence(language))
    counts = [sum(subject.word.lower() in words_of(sentence) for sentence in drawn) for subject in subjects(language)]
    assert min(counts) > 60


@both
def test_drawing_is_its_seed(language):
    one, same, other = (sentences(language, 20, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert one == same
    assert one != other


@both
def test_the_analogies_are_those_of_the_traits(language):
    questions = analogies(language)
    assert {relation: len(found) for relation, found in questions.items()} == {
        "gender": 2 * 10 * 9,
        "age": 2 * 4 * 3,
        "rank": 2 * 4 * 3,
        "capital": 2 * 10 * 9,
        "offspring": 2 * 10 * 9,
    }
    spoken = {word for sentence in every_sentence(language) for word in words_of(sentence)}
    for found in questions.values():
        assert len(set(found)) == len(found)
        assert all(len(set(question)) == 4 and set(question) <= spoken for question in found)


def test_some_analogies():
    english, french = analogies("en"), analogies("fr")
    assert ("man", "woman", "king", "queen") in english["gender"]
    assert ("queen", "king", "woman", "man") in english["gender"]
    assert ("man", "king", "woman", "queen") in english["rank"]
    assert ("queen", "princess", "man", "boy") in english["age"]
    assert ("france", "paris", "italy", "rome") in english["capital"]
    assert ("cat", "kitten", "dog", "puppy") in english["offspring"]
    assert ("homme", "femme", "roi", "reine") in french["gender"]
    assert ("chaton", "chat", "chiot", "chien") in french["offspring"]
    assert ("france", "paris", "grèce", "athènes") in french["capital"]


def test_the_two_languages_have_the_same_pairs_in_the_same_order():
    french, english = word_pairs("fr"), word_pairs("en")
    assert {relation: len(pairs) for relation, pairs in french.items()} == {relation: len(pairs) for relation, pairs in english.items()}
    assert dict(zip(french["gender"], english["gender"], strict=True))["roi", "reine"] == ("king", "queen")
    assert dict(zip(french["capital"], english["capital"], strict=True))["suède", "stockholm"] == ("sweden", "stockholm")


def test_three_sentences_of_joy():
    for language, word in (("fr", "joie"), ("en", "joy")):
        assert len(JOYFUL_ANIMALS[language]) == 3
        assert all(word in words_of(sentence) for sentence in JOYFUL_ANIMALS[language])


def test_another_language_is_refused():
    with pytest.raises(DalleEduError, match='the language is "de"; sentences are written in fr and en'):
        sentences("de", 3, torch.Generator())
