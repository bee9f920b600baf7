"""The training of word2vec against counts, which very short steps make of it, and against gensim."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.word2vec import Word2VecConfig
from dalle_edu.bricks.words import Vocabulary
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.words import within_chance
from dalle_edu.language import say


class _Said(Vocabulary):
    """A vocabulary whose words are held to have been met so often, as in another text."""

    def __init__(self, words: Sequence[str], counts: Sequence[int]):
        super().__init__([list(words)])
        self.counts = torch.tensor([0, *(counts[words.index(word)] for word in self.words[1:])])


def _taught(
    en: str, fr: str, sentences: list[list[str]], expected: Callable[[], np.ndarray], weight: int, seed: int, **options: Any
) -> Case:
    """How much of each word's input vector went into each output vector, over half the learning rate.

    Noise is always the word "z", which no sentence holds, and the steps are so short that the input vectors stay as they are and all
    sigmoids at 1/2. What is learned is then a table of counts. Rows are the words predicted, columns the words given.
    """
    words = sorted({word for sentence in sentences for word in sentence} - {"?"} | {"z"})
    config = Word2VecConfig(dim=3 * len(words), learning_rate=1e-4, **{"threshold": 1.0, "epochs": 1, "batch_size": 10**6, **options})

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        vocabulary = _Said(words, [int(word == "z") for word in words])
        given = [list(sentence) for sentence in sentences]
        model, losses = version(given, vocabulary, config, torch.Generator().manual_seed(seed))
        input_, output = (each.detach().double()[1:] for each in (model.input, model.output))
        table = output @ torch.linalg.pinv(input_) / (config.learning_rate / 2)
        size = list(model.vectors.shape)
        return {"vectors.shape": size, "losses": [float(loss) for loss in losses], say("steps", "pas"): table}

    def peer() -> dict[str, Any]:
        counts = expected()
        noise = -config.negatives * counts.sum(axis=0)
        loss = math.log(2) * (1 + config.negatives)
        table = torch.from_numpy(np.vstack([counts, noise]))
        return {"vectors.shape": [len(words) + 1, config.dim], "losses": [loss] * config.epochs, say("steps", "pas"): table}

    return scenario(en, fr, peer, ask, weight)


def _met(sentences: list[list[int]], size: int, window: int) -> np.ndarray:
    """How often words meet within a window, by sparse matrices, sentence by sentence; the last column, of noise, is empty."""
    from scipy.sparse import diags, eye

    met = np.zeros((size, size + 1))
    for words in sentences:
        one_hot, offsets = eye(size, format="csr")[words], [o for o in range(-window, window + 1) if o and abs(o) < len(words)]
        if offsets:
            met[:, :size] += (one_hot.T @ diags([1.0] * len(offsets), offsets, shape=(len(words), len(words))) @ one_hot).toarray()
    return met


def _steps(seed: int) -> list[Case]:
    """One thing of the training at a time."""
    chain, chains = ["a", "b", "c"], [["a", "b", "c"], ["d", "a"], ["c"], ["b", "b", "d"]]
    holes = [["a", "?", "b"], ["?"], ["?", "c", "b"]]
    numbers = {"abc": [[0, 1, 2]], "abcd": [[0, 1, 2], [3, 0], [2], [1, 1, 3]], "holes": [[0, 1], [2, 1]]}

    def bags() -> np.ndarray:
        """Each word from the mean of those beside it: a from b, b from a and c, c from b."""
        return np.array([[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 1, 0, 0]], dtype=float)

    return [
        _taught("[a, b, c], window=1", "[a, b, c], window=1", [chain], lambda: _met(numbers["abc"], 3, 1), 1, seed, window=1, negatives=1),
        _taught(
            "4 sentences, window=1, negatives=3", "4 phrases, window=1, negatives=3",
            chains, lambda: _met(numbers["abcd"], 4, 1), 2, seed, window=1, negatives=3,
        ),
        _taught(
            "unknown words between the others, window=1", "des mots inconnus parmi les autres, window=1",
            holes, lambda: _met(numbers["holes"], 3, 1), 3, seed, window=1, negatives=2,
        ),
        _taught("[a, b, c], cbow=True", "[a, b, c], cbow=True", [chain], bags, 4, seed, window=1, negatives=2, cbow=True),
        _taught(
            "4 sentences, 5 epochs", "4 phrases, 5 époques",
            chains, lambda: sum(1 - epoch / 5 for epoch in range(5)) * _met(numbers["abcd"], 4, 1), 5, seed,
            window=1, negatives=2, epochs=5,
        ),
        _taught(
            "one sentence twelve times, batches of 2", "une phrase douze fois, des lots de 2",
            [["a", "a"]] * 12, lambda: sum(1 - done / 12 for done in range(12)) * _met([[0, 0]], 1, 1), 6, seed,
            window=1, negatives=1, batch_size=2,
        ),
    ]  # fmt: skip


def _by_chance(
    en: str,
    fr: str,
    sentences: list[list[str]],
    counts: dict[str, int],
    seen: Callable[[Callable[[str, str], float]], list[float]],
    probabilities: list[float],
    seed: int,
    **options: Any,
) -> Case:
    """How often things happen that a generator decides; `seen` finds them in the number of times that a word was learned from another."""
    words = sorted({*sentences[0], *counts})
    config = Word2VecConfig(dim=3 * len(words), learning_rate=1e-4, **{"epochs": 1, "batch_size": 10**6, "negatives": 1, **options})

    def ask(version: Callable[..., Any]) -> list[float]:
        vocabulary = _Said(words, [counts.get(word, 0) for word in words])
        model, _ = version([list(each) for each in sentences], vocabulary, config, torch.Generator().manual_seed(seed))
        input_, output = (each.detach().double()[1:] for each in (model.input, model.output))
        table = output @ torch.linalg.pinv(input_) / (config.learning_rate / 2)

        def learned(word: str, given: str) -> float:
            return float(table[words.index(word), words.index(given)])

        return within_chance([round(count) for count in seen(learned)], probabilities)

    return scenario(en, fr, lambda: probabilities, ask, 500)


def _topics(seed: int, cbow: bool) -> Case:
    """Words of the same topic become neighbours, as gensim finds: the part of each word's three nearest that is of its topic."""
    rng, topics, size = np.random.default_rng(seed), 4, 6
    names = [[f"{'abcd'[topic]}{chr(97 + word)}" for word in range(size)] for topic in range(topics)]
    text = [[str(word) for word in rng.choice(names[line % topics], size=8)] for line in range(240)]
    kinds = torch.arange(topics).repeat_interleave(size)

    def shared(vectors: Tensor) -> list[float]:
        unit = F.normalize(vectors, dim=1)
        near = (unit @ unit.T).fill_diagonal_(-torch.inf).topk(3).indices
        found = float((kinds[near] == kinds[:, None]).double().mean())
        return [1.0 if found > 0.9 else found]

    def ask(version: Callable[..., Any]) -> list[float]:
        vocabulary = Vocabulary(text, 1)
        config = Word2VecConfig(dim=16, window=3, epochs=5, batch_size=64, threshold=0.1, learning_rate=0.1, cbow=cbow)
        model, _ = version([list(line) for line in text], vocabulary, config, torch.Generator().manual_seed(seed))
        return shared(model.vectors[[vocabulary[word] for topic in names for word in topic]])

    def peer() -> list[float]:
        from gensim.models import Word2Vec

        theirs = Word2Vec(
            text, vector_size=16, window=3, min_count=1, sg=int(not cbow), negative=5, sample=0.1, alpha=0.1, epochs=20, seed=1, workers=1
        )
        return shared(torch.from_numpy(np.stack([theirs.wv[word] for topic in names for word in topic])))

    return scenario(f"240 sentences on 4 topics, cbow={cbow}", f"240 phrases sur 4 sujets, cbow={cbow}", peer, ask, 3000)


def _train_word2vec(seed: int) -> list[Case]:
    kept = math.prod(min(1.0, math.sqrt(0.2 / share) + 0.2 / share) for share in (0.9, 0.1))
    return [
        *_steps(seed),
        _by_chance(
            "3000 times [a, b, c], window=2: c from a", "3000 fois [a, b, c], window=2 : c d'après a",
            [["a", "b", "c"]] * 3000, {"z": 1}, lambda learned: [learned("c", "a"), 3000 - learned("c", "a")], [0.5, 0.5], seed,
            window=2, threshold=1.0,
        ),
        _by_chance(
            "2000 times [a, b], a being 9 words in 10: b from a", "2000 fois [a, b], a étant 9 mots sur 10 : b d'après a",
            [["a", "b"]] * 2000, {"a": 900, "b": 100}, lambda learned: [learned("b", "a"), 2000 - learned("b", "a")], [kept, 1 - kept],
            seed, window=1, threshold=0.2,
        ),
        _by_chance(
            "3000 times [a, b], noise y once and z 16 times: its draws", "3000 fois [a, b], bruit y une fois et z 16 fois : ses tirages",
            [["a", "b"]] * 3000, {"y": 1, "z": 16}, lambda learned: [-learned(word, "a") - learned(word, "b") for word in "yz"],
            [1 / 9, 8 / 9], seed, window=1, threshold=1.0,
        ),
        _topics(seed, False),
        _topics(seed, True),
    ]  # fmt: skip


REFERENCES = [
    Reference(
        "word2vec:train_word2vec",
        say(
            "gensim.models.Word2Vec, and meetings counted by scipy.sparse",
            "gensim.models.Word2Vec, et les rencontres comptées par scipy.sparse",
        ),
        cases=_train_word2vec,
        tolerance=1e-3,
    ),
]
