import inspect
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.word2vec import (
    NOTHING,
    Word2Vec,
    Word2VecConfig,
    examples,
    keep_probability,
    negative_sampling_loss,
    noise_distribution,
    train_word2vec,
    windows,
)
from dalle_edu.bricks.words import (
    UNKNOWN,
    Vocabulary,
    analogy,
    analogy_accuracy,
    cosine_similarity,
    euclidean_similarity,
    jaccard_similarity,
    nearest,
    one_hot,
    split_words,
)
from dalle_edu.datasets.sentences import JOYFUL_ANIMALS, analogies, sentences
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
texts = st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), max_size=5)
bags = st.sets(st.sampled_from("abcdef"))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def numbered(lengths: list[int]) -> torch.Tensor:
    return torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths, dtype=torch.long))


def unchecked(function):
    """The function as its users meet it, without the shape checker that the tests switch on."""
    return inspect.unwrap(function)


# ---------------------------------------------------------------- from text to numbers


def test_split_words():
    assert split_words("L'ÉCOLE, à midi... œuvre d'art 12h30 !") == ["l", "école", "à", "midi", "œuvre", "d", "art", "h"]
    assert split_words("« 1968 » !") == []


def test_the_vocabulary_is_ordered_by_frequency_then_alphabet():
    vocabulary = Vocabulary([["b", "a", "c"], ["c", "d", "b", "c"]])
    assert vocabulary.words == ["<unk>", "c", "b", "a", "d"]
    assert vocabulary.counts.tolist() == [0, 3, 2, 1, 1]
    assert vocabulary["b"] == 2
    assert "b" in vocabulary
    assert "z" not in vocabulary
    assert "<unk>" not in vocabulary
    assert vocabulary.encode(["c", "z", "a"]).tolist() == [1, UNKNOWN, 3]
    assert vocabulary.encode([]).dtype == torch.long


@given(text=texts, min_count=st.integers(1, 4))
def test_every_token_is_counted_and_rare_words_are_unknown(text, min_count):
    vocabulary = Vocabulary(text, min_count)
    assert vocabulary.counts.sum() == sum(map(len, text))
    assert (vocabulary.counts[1:] >= min_count).all()
    for sentence in text:
        for word, number in zip(sentence, vocabulary.encode(sentence).tolist(), strict=True):
            assert vocabulary.words[number] == (word if word in vocabulary else "<unk>")
    assert vocabulary.counts[UNKNOWN] == sum(word not in vocabulary for sentence in text for word in sentence)


def test_one_hot_vectors_are_all_equally_far():
    vectors = one_hot(torch.arange(5), 5, torch.float64)
    assert torch.equal(vectors, torch.eye(5, dtype=torch.float64))
    distances = torch.cdist(vectors, vectors)
    torch.testing.assert_close(distances, math.sqrt(2) * (1 - torch.eye(5, dtype=torch.float64)))
    assert one_hot(torch.zeros(2, 0, dtype=torch.long), 3).shape == (2, 0, 3)


# ---------------------------------------------------------------- how alike?


@given(seed=seeds, scale=st.floats(0.01, 100))
def test_cosine_ignores_lengths_and_keeps_signs(seed, scale):
    a, b = noise(2, 3, 4, seed=seed)
    found = cosine_similarity(a, b)
    torch.testing.assert_close(cosine_similarity(scale * a, b), found)
    torch.testing.assert_close(cosine_similarity(-a, b), -found)
    torch.testing.assert_close(cosine_similarity(b, a), found)
    torch.testing.assert_close(cosine_similarity(a, a), torch.ones(3, dtype=torch.float64))
    assert (found.abs() <= 1 + 1e-12).all()


def test_a_zero_vector_is_like_nothing():
    assert cosine_similarity(torch.zeros(3), torch.ones(3)) == 0


@given(seed=seeds)
def test_euclidean_similarity_falls_with_distance(seed):
    a, b = noise(2, 3, 4, seed=seed)
    assert euclidean_similarity(a, a).tolist() == [1, 1, 1]
    assert (euclidean_similarity(a, b) > euclidean_similarity(a, a + 2 * (b - a))).all()
    assert euclidean_similarity(torch.zeros(2), torch.tensor([3.0, 4.0])) == pytest.approx(1 / 6)


@given(a=bags, b=bags)
def test_jaccard_is_symmetric_and_one_only_for_equal_sets(a, b):
    found = jaccard_similarity(a, b)
    assert found == jaccard_similarity(b, a)
    assert (found == 1) == (a == b)
    assert (found == 0) == (not a & b and a != b)
    assert 0 <= found <= 1


def test_the_three_sentences_share_many_of_their_words():
    cat, dog, bird = (set(split_words(sentence)) for sentence in JOYFUL_ANIMALS["fr"])
    assert jaccard_similarity(cat, dog) == len({"le", "et", "apporte", "de", "la", "joie", "au"}) / len(cat | dog)
    assert jaccard_similarity(cat, bird) > 0.4


# ---------------------------------------------------------------- what word2vec learns from


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), window=st.integers(1, 4), seed=seeds)
def test_windows_hold_the_neighbours_within_reach_in_the_same_sentence(lengths, window, seed):
    tokens, sentence = torch.randint(9, (sum(lengths),), generator=generator(seed)), numbered(lengths)
    found, shrunk = windows(tokens, sentence, window), windows(tokens, sentence, window, generator(seed))
    assert found.shape == shrunk.shape == (len(tokens), 2 * window + 1)
    for i in range(len(tokens)):
        for place, offset in enumerate(range(-window, window + 1)):
            there = offset != 0 and 0 <= i + offset < len(tokens) and sentence[i + offset] == sentence[i]
            assert found[i, place] == (tokens[i + offset] if there else NOTHING)
        seen = [offset for offset, word in zip(range(-window, window + 1), shrunk[i].tolist(), strict=True) if word != NOTHING]
        all_seen = [offset for offset, word in zip(range(-window, window + 1), found[i].tolist(), strict=True) if word != NOTHING]
        reach = max((abs(offset) for offset in seen), default=window)
        assert seen == [offset for offset in all_seen if abs(offset) <= reach]
        assert bool(seen) == bool(all_seen)


def test_a_dynamic_window_sees_near_words_more_often():
    """The neighbour at distance k is seen with probability (window - k + 1) / window."""
    tokens = torch.ones(20_000, dtype=torch.long)
    seen = (windows(tokens, torch.zeros_like(tokens), 4, generator()) != NOTHING)[4:-4].double().mean(dim=0)
    expected = torch.tensor([1, 2, 3, 4, 0, 4, 3, 2, 1], dtype=torch.float64) / 4
    torch.testing.assert_close(seen, expected, rtol=0, atol=0.015)


def test_examples_of_both_kinds():
    """ "a b c" and "d" with a window of 1."""
    tokens = torch.tensor([1, 2, 3, 4])
    neighbours = windows(tokens, numbered([3, 1]), 1)
    given, targets = examples(tokens, neighbours, cbow=False)
    assert list(zip(given[:, 0].tolist(), targets.tolist(), strict=True)) == [(1, 2), (2, 1), (2, 3), (3, 2)]
    given, targets = examples(tokens, neighbours, cbow=True)
    assert targets.tolist() == [1, 2, 3]
    assert given.tolist() == [[NOTHING, NOTHING, 2], [1, NOTHING, 3], [2, NOTHING, NOTHING]]


@given(counts=st.lists(st.integers(1, 10_000), min_size=2, max_size=20), threshold=st.floats(1e-4, 1.0))
def test_the_more_frequent_a_word_the_less_it_is_kept(counts, threshold):
    kept = keep_probability(torch.tensor([5, *sorted(counts)]), threshold)
    assert kept[UNKNOWN] == 0
    assert ((kept[1:] > 0) & (kept[1:] <= 1)).all()
    assert (kept[1:].diff() <= 0).all()
    rare = torch.tensor(sorted(counts)) <= threshold * sum(counts)
    assert (kept[1:][rare] == 1).all()


@given(counts=st.lists(st.integers(1, 10_000), min_size=1, max_size=20))
def test_noise_lies_between_equal_chances_and_those_of_the_text(counts):
    counts = torch.tensor([99, *counts])
    drawn, equal, text = (noise_distribution(counts, power) for power in (0.75, 0.0, 1.0))
    assert drawn[UNKNOWN] == equal[UNKNOWN] == text[UNKNOWN] == 0
    assert drawn.sum() == pytest.approx(1)
    torch.testing.assert_close(equal[1:], torch.full_like(equal[1:], 1 / (len(counts) - 1)))
    torch.testing.assert_close(text[1:], counts[1:] / counts[1:].sum().double())
    assert (drawn.max() <= text.max() + 1e-12) & (drawn[1:].min() >= text[1:].min() - 1e-12)


# ---------------------------------------------------------------- word2vec


def test_the_loss_by_hand():
    """Scores ln 3 for the target and 0 for the noise: σ = 3/4 and 1/2."""
    output = torch.tensor([[0.0, 0.0], [math.log(3), 0.0], [0.0, 5.0]])
    loss = negative_sampling_loss(torch.tensor([[1.0, 0.0]]), output, torch.tensor([1]), torch.tensor([[2, 0, 1]]))
    assert loss.item() == pytest.approx(math.log(4 / 3) + 2 * math.log(2))  # the third noise word is the target


@given(seed=seeds)
def test_the_gradient_is_the_finite_difference(seed):
    hidden, output = noise(3, 2, seed=seed).requires_grad_(), noise(5, 2, seed=seed + 1).requires_grad_()
    targets, negatives = torch.randint(5, (3,), generator=generator(seed)), torch.randint(5, (3, 4), generator=generator(seed + 1))
    assert torch.autograd.gradcheck(lambda h, o: negative_sampling_loss(h, o, targets, negatives), (hidden, output))


def test_fresh_vectors_know_nothing():
    """All outputs are zero, so every guess is a toss: the loss is (1 + m) log 2 whatever is given."""
    model = Word2Vec(10, 4, generator())
    loss = model(torch.tensor([[1, NOTHING], [2, 3]]), torch.tensor([4, 5]), torch.tensor([[6, 7, 8], [1, 2, 9]]))
    assert loss.item() == pytest.approx(4 * math.log(2))
    assert model.vectors.abs().max() <= 0.5 / 4
    assert not model.vectors.requires_grad
    assert torch.equal(model.vectors, Word2Vec(10, 4, generator()).vectors)
    assert not torch.equal(model.vectors, Word2Vec(10, 4, generator(1)).vectors)


@given(seed=seeds)
def test_the_order_of_the_words_given_and_the_empty_places_do_not_matter(seed):
    model = Word2Vec(10, 4, generator())
    given = torch.randint(10, (5, 3), generator=generator(seed))
    padded = F.pad(given.flip(1), (1, 2), value=NOTHING)
    torch.testing.assert_close(model.hidden(padded), model.hidden(given))
    torch.testing.assert_close(model.hidden(given), model.vectors[given].mean(dim=1))


@pytest.mark.parametrize(("cbow", "epochs"), [(False, 6), (True, 20)])
def test_the_kings_and_the_queens_are_found(cbow, epochs):
    """A short training on our own grammar answers most questions, where chance would answer one in 280."""
    text = [split_words(sentence) for sentence in sentences("en", 2500, generator())]
    vocabulary = Vocabulary(text)
    model, losses = train_word2vec(text, vocabulary, Word2VecConfig(dim=32, epochs=epochs, learning_rate=0.1, cbow=cbow), generator())
    questions = torch.tensor([[vocabulary[word] for word in question] for question in analogies("en")["gender"]])
    assert len(losses) == epochs
    assert losses[-1] < 0.6 * losses[0]
    assert analogy_accuracy(model.vectors, questions) > 0.5
    assert model.vectors[UNKNOWN].abs().max() <= 0.5 / 32  # never met, never drawn


def test_training_is_its_seed():
    text = [split_words(sentence) for sentence in JOYFUL_ANIMALS["fr"]]
    config = Word2VecConfig(dim=4, epochs=3, threshold=1.0)
    one, same, other = (train_word2vec(text, Vocabulary(text), config, generator(seed))[0].vectors for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_three_sentences_teach_nothing_stable():
    """What two seeds learn from three sentences disagrees about who is near whom; from the grammar (above) it does not."""
    text = [split_words(sentence) for sentence in JOYFUL_ANIMALS["fr"]]
    vocabulary, config = Vocabulary(text), Word2VecConfig(dim=16, epochs=100, threshold=1.0)
    neighbours = set()
    for seed in range(6):
        vectors = train_word2vec(text, vocabulary, config, generator(seed))[0].vectors
        neighbours.add(int(nearest(vectors, vectors[vocabulary["chat"]], 1, [vocabulary["chat"]])[1]))
    assert len(neighbours) > 1


def test_an_epoch_in_which_every_word_is_left_out_is_an_empty_one():
    text = [["a", "a"]]
    _, losses = train_word2vec(text, Vocabulary(text), Word2VecConfig(dim=2, epochs=2, threshold=1e-12), generator())
    assert losses == [0, 0]


# ---------------------------------------------------------------- what the vectors know


def test_nearest_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 3.0], [1.0, 1.0], [-1.0, 0.0]])
    cosines, ids = nearest(vectors, torch.tensor([5.0, 0.0]), 4)
    assert ids.tolist() == [1, 3, 2, 4]  # the unknown word, nearest of all, is left out
    assert cosines.tolist() == pytest.approx([2 / math.hypot(2, 0.1), math.sqrt(0.5), 0, -1])
    assert nearest(vectors, torch.tensor([5.0, 0.0]), 1, excluded=(1,))[1].tolist() == [3]
    assert torch.equal(vectors[0], torch.tensor([1.0, 0.0]))  # left as they were


def test_an_analogy_is_a_parallelogram():
    man, woman, king, queen = [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]
    vectors = torch.tensor([[0.0, 0.0, 0.0], man, woman, king, queen, [-1.0, 0.0, 0.0]])
    assert analogy(vectors, 1, 2, 3)[1].tolist() == [4]
    assert analogy(vectors, 3, 1, 4)[1].tolist() == [2]
    assert analogy_accuracy(vectors, torch.tensor([[1, 2, 3, 4], [3, 1, 4, 2], [1, 2, 3, 5], [4, 2, 3, 1]])) == 0.75


@given(seed=seeds, scale=st.floats(0.1, 10))
def test_the_words_of_the_question_never_answer_it_and_lengths_do_not_matter(seed, scale):
    vectors = noise(9, 3, seed=seed)
    a, b, c = torch.randint(1, 9, (3,), generator=generator(seed)).tolist()
    cosines, ids = analogy(vectors, a, b, c, 5)
    assert not {UNKNOWN, a, b, c} & set(ids.tolist())
    assert (cosines.diff() <= 0).all()
    lengths = torch.rand(9, 1, generator=generator(seed), dtype=torch.float64) + scale
    assert torch.equal(analogy(vectors * lengths, a, b, c, 5)[1], ids)


# ---------------------------------------------------------------- what is refused, and the words

TWO = torch.zeros(2, dtype=torch.long)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (lambda: Vocabulary([["roi"]])["king"], '"king" is not among the 1 words of the vocabulary'),
        (lambda: one_hot(torch.tensor([0, 5]), 5), "one_hot was given word numbers from 0 to 5; with 5 words they go from 0 to 4"),
        (lambda: one_hot(torch.tensor([NOTHING]), 5), "from -1 to -1"),
        (lambda: unchecked(cosine_similarity)(noise(2, 3), noise(3)), r"the vectors are \(2, 3\) and \(3,\); compare as many with as many"),
        (lambda: unchecked(euclidean_similarity)(noise(2), noise(3)), r"the vectors are \(2,\) and \(3,\)"),
        (lambda: unchecked(windows)(TWO, torch.zeros(3), 1), r"the tokens are \(2,\) and their sentence numbers \(3,\)"),
        (lambda: windows(TWO, TWO, 0), "the window is 0; choose 1 or more"),
        (lambda: keep_probability(TWO, 0.0), r"the threshold is 0.0; choose a positive one"),
        (
            lambda: unchecked(negative_sampling_loss)(noise(2, 3), noise(5, 4), TWO, TWO[:, None]),
            r"hidden is \(2, 3\), output \(5, 4\), targets \(2,\) and negatives \(2, 1\); expected",
        ),
        (lambda: unchecked(negative_sampling_loss)(noise(2, 3), noise(5, 3), TWO, TWO[:1, None]), r"negatives \(1, 1\); expected"),
        (lambda: train_word2vec([["a"]], Vocabulary([]), Word2VecConfig(), generator()), "none of the 1 tokens is in the vocabulary"),
        (lambda: train_word2vec([], Vocabulary([["a"]]), Word2VecConfig(), generator()), "none of the 0 tokens"),
        (
            lambda: train_word2vec(
                [["a", "b", "c"] * 50], Vocabulary([["a", "b", "c"] * 50]), Word2VecConfig(threshold=1.0, learning_rate=1e30), generator()
            ),
            r"the vectors grew without end: lower learning_rate \(1e\+30\) or batch_size \(256\)",
        ),
        (lambda: unchecked(nearest)(noise(5, 3), noise(4)), r"the query is \(4,\) and the vectors \(5, 3\)"),
        (lambda: nearest(noise(5, 3), noise(3), 5), "5 neighbours were asked for; choose 1 to 4"),
        (lambda: nearest(noise(5, 3), noise(3), 0), "0 neighbours were asked for"),
        (lambda: analogy(noise(5, 3), 1, 2, 5), "analogy was given word numbers from 1 to 5; with 5 words"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(refused, words):
    with pytest.raises(DalleEduError, match=words):
        refused()


def test_the_sentence_is_french_for_a_french_reader(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="«\u00a0roy\u00a0» n'est pas parmi les 1 mots du vocabulaire"):
        Vocabulary([["roi"]])["roy"]
