"""What lesson 02 finds about word vectors, over three seeds in each language: sentences, window, CBOW, and a bias that was planted."""

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.bricks.word2vec import Word2VecConfig, train_word2vec
from dalle_edu.bricks.words import Vocabulary, analogy, analogy_accuracy, split_words
from dalle_edu.datasets.sentences import analogies, sentences, word_pairs

pytestmark = pytest.mark.slow
RUNS = [(language, seed) for language in ("fr", "en") for seed in (1, 2, 3)]
SAID = {  # of a man, of a woman
    "fr": (
        ("le {} dit qu'il est content", "tout le monde salue le {} puis le remercie", "un {} grand et fort arrive seul"),
        ("la {} dit qu'elle est contente", "tout le monde salue la {} puis la remercie", "une {} grande et forte arrive seule"),
    ),
    "en": (
        ("the {} says that he is happy", "everyone greets the {} and then thanks him", "the {} keeps his promise and he is proud of it"),
        ("the {} says that she is happy", "everyone greets the {} and then thanks her", "the {} keeps her promise and she is proud of it"),
    ),
}


def corpus(language: str, count: int, seed: int) -> list[list[str]]:
    return [split_words(sentence) for sentence in sentences(language, count, torch.Generator().manual_seed(seed))]


def learned(text: list[list[str]], seed: int, **options) -> tuple[Vocabulary, torch.Tensor]:
    vocabulary = Vocabulary(text)
    model, _ = train_word2vec(text, vocabulary, Word2VecConfig(**options), torch.Generator().manual_seed(seed))
    return vocabulary, model.vectors


def share_right(language: str, vocabulary: Vocabulary, vectors: torch.Tensor, relation: str | None = None) -> float:
    """Of all questions, or of one relation's; those with a word that was never read are lost."""
    asked = [each for name, questions in analogies(language).items() if relation in (None, name) for each in questions]
    known = [[vocabulary[word] for word in each] for each in asked if all(word in vocabulary for word in each)]
    return analogy_accuracy(vectors, torch.tensor(known)) * len(known) / len(asked) if known else 0.0


@pytest.mark.parametrize(("language", "seed"), RUNS)
def test_three_sentences_teach_nothing_and_thousands_do(language, seed):
    few, some, many = (learned(corpus(language, count, seed), seed) for count in (30, 300, 6000))
    assert share_right(language, *few) < 0.02
    assert 0.02 < share_right(language, *some) < 0.2
    assert share_right(language, *many) > 0.95
    vocabulary, vectors = many
    asked, queen = {"fr": (("homme", "femme", "roi"), "reine"), "en": (("man", "woman", "king"), "queen")}[language]
    assert vocabulary.words[analogy(vectors, *(vocabulary[word] for word in asked))[1]] == queen


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_small_window_sees_gender_and_a_larger_one_capitals_too(language):
    gains = {"gender": 0.0, "capital": 0.0}
    for seed in (1, 2, 3):
        text = corpus(language, 2500, seed)
        narrow, wide, bag = learned(text, seed, window=1), learned(text, seed), learned(text, seed, cbow=True)
        assert share_right(language, *narrow, "gender") > 0.8
        assert share_right(language, *bag) < share_right(language, *wide) - 0.15
        for relation in gains:
            gains[relation] += (share_right(language, *wide, relation) - share_right(language, *narrow, relation)) / 3
    assert gains["capital"] > 0.1
    assert gains["capital"] > gains["gender"] + 0.05


@pytest.mark.parametrize(("language", "seed"), RUNS)
def test_vectors_give_back_the_bias_that_was_planted(language, seed):
    text, planted = corpus(language, 2500, seed), (10, 50, 90)
    for women in planted:
        job = f"job{'abc'[planted.index(women)]}"
        text += [split_words(SAID[language][number < women][number % 3].format(job)) for number in range(100)]
    vocabulary, vectors = learned(text, seed)
    unit = F.normalize(vectors, dim=1)
    direction = torch.stack([unit[vocabulary[b]] - unit[vocabulary[a]] for a, b in word_pairs(language)["gender"]]).mean(dim=0)
    him, between, her = (float(F.cosine_similarity(unit[vocabulary[f"job{letter}"]], direction, dim=0)) for letter in "abc")
    assert him < -0.05
    assert him < between < her
    assert her > 0.05
