"""Words against gensim (left out where it has no wheel: `checking/left_out.py`), SciPy, scikit-learn and PyTorch."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.comparing import copied
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say, sentence_language


def keeps_dtype(*args: Any) -> Case:
    """The answer has the precision of the tensors given."""
    precisions = torch.float32, torch.float64

    def cast(value: Any, dtype: torch.dtype) -> Any:
        return value.to(dtype, copy=True) if isinstance(value, Tensor) and value.is_floating_point() else copied(value)

    def ask(version: Callable[..., Any]) -> list[str]:
        return [str(version(*(cast(value, dtype) for value in args)).dtype) for dtype in precisions]

    return scenario(
        "float32, then float64 (the dtype of the answer)",
        "du float32, puis du float64 (le dtype de la réponse)",
        lambda: [str(dtype) for dtype in precisions],
        ask,
    )


def within_chance(counts: Sequence[int], probabilities: Sequence[float]) -> list[float]:
    """Frequencies, but the probabilities themselves where chance explains the difference: it does not once in a million."""
    total = max(sum(counts), 1)
    frequencies, expected = np.array(counts) / total, np.array(probabilities)
    gaps = np.abs(np.cumsum(frequencies) - np.cumsum(expected))
    explained = gaps.max() <= math.sqrt(math.log(2e6) / (2 * total))  # Dvoretzky, Kiefer and Wolfowitz
    return [float(value) for value in (expected if explained else frequencies)]


def drawn_vectors(seed: int, count: int, dim: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rows(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


TEXT = {  # with accents, digits, an underscore, words cut by apostrophes and hyphens, and some that come several times
    "fr": "L'école s'ouvre à midi : le chat y dort, le chien aussi. « Où est le chat ? » Le chat est dans l'été 1968, ex-æquo_ter.",
    "en": "The café opens at noon: the cat sleeps there, the dog too. “Where is the cat?” The cat's in May 1968, vis-à-vis_ex-æquo.",
}
SHORT_TEXTS = {
    "fr": ("Le chat", "", "À midi, l'été !", "1968", "a1b22c", "Où est-ce ?\tICI."),
    "en": ("The cat", "", "À la carte, at the café!", "1968", "a1b22c", "Isn't it half-full?\tHERE."),
}
WORDS = {
    "fr": ("le", "chat", "dort", "et", "chien", "court", "où", "été", "cœur", "à", "midi", "là"),
    "en": ("the", "cat", "sleeps", "and", "dog", "runs", "where", "café", "naïve", "at", "noon", "there"),
}
MOUSE = {"fr": "souris", "en": "mouse"}  # not among the words


def _split_words(seed: int) -> list[Case]:
    def peer(text: str) -> list[str]:
        from gensim.utils import tokenize

        return list(tokenize(text, lowercase=True))

    rng, language = np.random.default_rng(seed), sentence_language()
    words, marks = WORDS[language], (" ", ", ", "'", " - ", "… ", " 7 ", "\n", "2", " !")
    drawn = "".join(f"{rng.choice(words).upper()}{rng.choice(marks)}{rng.choice(words)}{rng.choice(marks)}" for _ in range(20))
    return [call(peer, text) for text in (*SHORT_TEXTS[language], TEXT[language], drawn)]


def _counted(sentences: Sequence[Sequence[str]], min_count: int) -> Any:
    from gensim.models import Word2Vec

    theirs = Word2Vec(min_count=min_count, vector_size=1)
    theirs.build_vocab(sentences)
    return theirs


def _known(sentences: Sequence[Sequence[str]], min_count: int) -> tuple[list[str], list[int]]:
    """Words and counts, the most frequent first, then in alphabetical order; before them the unknown word."""
    theirs = _counted(sentences, min_count)
    counts = {word: int(theirs.wv.get_vecattr(word, "count")) for word in theirs.wv.index_to_key}
    words = sorted(counts, key=lambda word: (-counts[word], word))
    return ["<unk>", *words], [theirs.corpus_total_words - sum(counts.values()), *(counts[word] for word in words)]


def _of_sentences(sentences: list[list[str]], min_count: int | None, asked: list[str], en: str, fr: str) -> list[Case]:
    """What a vocabulary holds, and what becomes of some words."""
    least = 1 if min_count is None else min_count

    def made(version: Callable[..., Any]) -> Any:
        given = [list(words) for words in sentences]
        return version(given) if min_count is None else version(given, min_count)

    def contents(version: Callable[..., Any]) -> dict[str, Any]:
        vocabulary = made(version)
        return {"words": list(vocabulary.words), "counts": vocabulary.counts, "len": len(vocabulary)}

    def their_contents() -> dict[str, Any]:
        words, counts = _known(sentences, least)
        return {"words": words, "counts": torch.tensor(counts), "len": len(words)}

    def encoded(version: Callable[..., Any]) -> dict[str, Any]:
        vocabulary = made(version)
        ids = lent(vocabulary.encode, "words", asked)
        known = [word for word in asked if word in vocabulary]
        found = {"encode": ids, say("integers", "entiers"): not ids.is_floating_point()}
        return found | {"words": [vocabulary.words[i] for i in ids.long().tolist()], "in": known, "[]": [vocabulary[w] for w in known]}

    def their_encoding() -> dict[str, Any]:
        words, theirs = _known(sentences, least)[0], _counted(sentences, least).wv
        read, known = [word if word in theirs else "<unk>" for word in asked], [word for word in asked if word in theirs]
        ids = torch.tensor([words.index(word) for word in read], dtype=torch.long)
        return {"encode": ids, say("integers", "entiers"): True, "words": read, "in": known, "[]": [words.index(word) for word in known]}

    weight = sum(map(len, sentences))
    heard = f"encode({asked})" if len(asked) < 6 else "encode"
    return [
        scenario(en, fr, their_contents, contents, weight),
        scenario(f"{en}, {heard}", f"{fr}, {heard}", their_encoding, encoded, weight + 1),
    ]


def _read_once(seed: int) -> Case:
    """Sentences that come one by one and can be read only once."""
    rng, known = np.random.default_rng(seed), WORDS[sentence_language()]
    sentences = [[str(rng.choice(known)) for _ in range(length)] for length in (5, 1, 9, 14)]

    def ask(version: Callable[..., Any]) -> list[Any]:
        sentence: Iterable[list[str]] = (list(words) for words in sentences)
        made = version(sentence, min_count=2)
        return [list(made.words), made.counts]

    def peer() -> list[Any]:
        words, counts = _known(sentences, 2)
        return [words, torch.tensor(counts)]

    return scenario("a generator of sentences, min_count=2", "un générateur de phrases, min_count=2", peer, ask, 60)


def _vocabulary(seed: int) -> list[Case]:
    from dalle_edu.bricks.words import split_words

    rng, language = np.random.default_rng(seed), sentence_language()
    words, mouse = WORDS[language], MOUSE[language]
    the, cat, _, _, dog, *_ = words
    few = [[the, cat], [the, dog]]
    said = [split_words(part) for part in TEXT[language].split(".")]
    many = [[str(word) for word in rng.choice(words, size=length, p=np.arange(1, 13) / 78)] for length in (7, 0, 12, 1, 25)]
    return [
        *_of_sentences(few, None, [dog, mouse, the], f"{few}", f"{few}"),
        *_of_sentences(few, 2, [cat, the], f"{few}, min_count=2", f"{few}, min_count=2"),
        *_of_sentences(few, None, [], f"{few}, then no word", f"{few}, puis aucun mot"),
        *_of_sentences(said, 2, said[0] + said[1], "the words of a text, min_count=2", "les mots d'un texte, min_count=2"),
        *_of_sentences(many, None, [*words, mouse], "5 sentences drawn", "5 phrases tirées au sort"),
        *_of_sentences(many, 4, [*words, mouse], "5 sentences drawn, min_count=4", "5 phrases tirées au sort, min_count=4"),
        _read_once(seed),
    ]


def _one_hot(seed: int) -> list[Case]:
    def peer(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return F.one_hot(ids.long(), size).to(dtype)

    drawn = torch.randint(7, (4, 3, 2), generator=torch.Generator().manual_seed(seed))
    asked = [(torch.tensor(ids), size) for ids, size in (([0], 2), ([2, 0], 3), (1, 4), ([[3, 0, 1], [1, 4, 4]], 5))]
    dtypes = torch.float64, torch.float16, torch.float32
    return [
        *(call(peer, ids, size) for ids, size in [*asked, (drawn, 7), (drawn, 9), (drawn[0].int(), 7)]),
        call(peer, torch.tensor([1, 0]), 3, torch.float64),
        call(peer, drawn, 8, dtype=torch.float64),
        scenario(
            "dtype=torch.float64, then float16, then none (the dtype of the answer)",
            "dtype=torch.float64, puis float16, puis rien (le dtype de la réponse)",
            lambda: [str(dtype) for dtype in dtypes],
            lambda version: [str(version(drawn.clone(), 7, *given).dtype) for given in ((dtypes[0],), (dtypes[1],), ())],
        ),
    ]


def _keyed(vectors: Tensor) -> Any:
    """gensim's own vectors, without our unknown word; word i is called w<i>."""
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors([f"w{i}" for i in range(1, len(vectors))], vectors[1:].numpy())
    return keyed


def _ranking(found: list[tuple[str, float]], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return torch.tensor([cosine for _, cosine in found], dtype=dtype), torch.tensor([int(word[1:]) for word, _ in found])


def _nearest(seed: int) -> list[Case]:
    def peer(vectors: Tensor, query: Tensor, count: int = 10, excluded: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
        found = _keyed(vectors).similar_by_vector(query.numpy(), topn=len(vectors))
        return _ranking([each for each in found if int(each[0][1:]) not in excluded][:count], vectors.dtype)

    few, single = rows([1.0, 0.0], [0.0, 2.0], [5.0, 1.0], [-1.0, 1.0]), drawn_vectors(seed, 40, 6, torch.float32)
    axis, vectors = torch.tensor([1.0, 0.0], dtype=torch.float64), drawn_vectors(seed + 1, 30, 4)
    return [
        call(peer, few, axis, 1),
        call(peer, few, axis, 3),
        call(peer, few, axis, 2, (2,)),
        call(peer, few, -3 * axis, 2, [0, 3]),
        call(peer, single, single[7]),
        call(peer, single, single[7], 5),
        call(peer, single, single[7], 5, [7]),
        call(peer, single, single[0], count=3, excluded=(7, 7, 3, 21)),
        call(peer, vectors, 10 * vectors[4] - vectors[5]),
        call(peer, vectors, vectors[9], 28, excluded=[9]),
    ]


def _by_length(seed: int, count: int, dim: int, dtype: torch.dtype) -> Tensor:
    """Vectors of very different lengths."""
    lengths = torch.rand(count, 1, generator=torch.Generator().manual_seed(seed + 50), dtype=torch.float64) * 9 + 0.5
    return (drawn_vectors(seed, count, dim) * lengths).to(dtype)


def _analogy(seed: int) -> list[Case]:
    def peer(vectors: Tensor, a: int, b: int, c: int, count: int = 1) -> tuple[Tensor, Tensor]:
        return _ranking(_keyed(vectors).most_similar(positive=[f"w{b}", f"w{c}"], negative=[f"w{a}"], topn=count), vectors.dtype)

    few = rows([0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [3.0, -1.0], [2.0, 0.5], [-1.0, 4.0])
    single, double = _by_length(seed, 40, 6, torch.float32), _by_length(seed + 1, 25, 3, torch.float64)
    return [
        call(peer, few, 1, 2, 3),
        call(peer, few, 1, 2, 3, 2),
        call(peer, few, 4, 3, 5, 2),
        *(call(peer, single, *question, 4) for question in ((1, 2, 3), (12, 30, 7), (39, 4, 39))),
        *(call(peer, double, *question) for question in ((5, 6, 7), (24, 1, 2))),
        call(peer, double, 3, 8, 1, count=21),
    ]


def _analogy_accuracy(seed: int) -> list[Case]:
    """Pairs of words that differ by nearly the same vector, so that about half of the questions are answered rightly."""

    def peer(vectors: Tensor, questions: Tensor) -> float:
        with TemporaryDirectory() as folder:
            lines = (" ".join(f"w{i}" for i in question) for question in questions.tolist())
            Path(folder, "questions.txt").write_text("\n".join([": pairs", *lines]), encoding="utf-8")
            return float(_keyed(vectors).evaluate_word_analogies(Path(folder, "questions.txt"))[0])

    few = rows([1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 1.0], [-1.0, -1.0])
    vectors = drawn_vectors(seed, 40, 6, torch.float32)
    vectors[21:] = vectors[1:20] + vectors[20] + 0.8 * drawn_vectors(seed + 1, 19, 6, torch.float32)
    every = torch.tensor([[a, a + 20, c, c + 20] for a in range(1, 20) for c in range(1, 20) if a != c])
    few_questions = ([[1, 2, 3, 4]], [[1, 2, 3, 5]], [[1, 2, 3, 4], [1, 2, 4, 2]], [[1, 2, 3, 4], [1, 2, 3, 5], [4, 5, 3, 1]])
    some = every[torch.randperm(len(every), generator=torch.Generator().manual_seed(seed))[:37]]
    return [*(call(peer, few, torch.tensor(asked)) for asked in few_questions), call(peer, vectors, some), call(peer, vectors, every)]


REFERENCES = [
    Reference("words:split_words", "gensim.utils.tokenize", cases=_split_words, tolerance=0.0),
    Reference("words:Vocabulary", "gensim.models.Word2Vec.build_vocab", cases=_vocabulary, tolerance=0.0),
    Reference("words:one_hot", "torch.nn.functional.one_hot", cases=_one_hot, tolerance=0.0),
    Reference("words:nearest", "gensim.models.KeyedVectors.most_similar", cases=_nearest, tolerance=1e-5),
    Reference("words:analogy", "gensim.models.KeyedVectors.most_similar", cases=_analogy, tolerance=1e-5),
    Reference("words:analogy_accuracy", "gensim.models.KeyedVectors.evaluate_word_analogies", cases=_analogy_accuracy, tolerance=1e-10),
]
