"""Words as numbers and as vectors: vocabularies, similarities, analogies.

A vocabulary numbers the words of a text. One-hot vectors place each word as far
from every other as can be. The vectors that `word2vec` learns are near where words
are met in the same company (Firth 1957). Their nearest neighbours, and some of the
differences between them, then have a meaning. Lesson 02.

Letters: v words in the vocabulary, t tokens of a text, n pairs of vectors or sets,
d dimensions, k neighbours, q questions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.errors import DalleEduError

# the number of the word that stands for all those out of the vocabulary
UNKNOWN = 0

# ------------------------------------------------------------- from text to numbers


def split_words(text: str) -> list[str]:
    """The words of a text: its runs of letters, in lower case.

    « L'école, à midi » gives l, école, à, midi.
    """
    return re.findall(r"[^\W\d]+", text.lower())


class Vocabulary:
    """The words met at least `min_count` times, with a number for each.

    Numbers start from 1, with the most frequent word; words met equally often are
    in alphabetical order. `words[0]` is "<unk>", the unknown word. `counts` holds
    how often each word was met. For the unknown word, that is the number of tokens
    that it replaces. `vocabulary[word]` is the number of a known word.

    Raises `DalleEduError` for `vocabulary[word]` with any other word.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], min_count: int = 1):
        met = Counter(word for sentence in sentences for word in sentence)
        known = sorted(
            (word for word in met if met[word] >= min_count),
            key=lambda word: (-met[word], word),
        )
        counts = [met[word] for word in known]
        self.words = ["<unk>", *known]
        self.counts = torch.tensor([met.total() - sum(counts), *counts])
        self._ids = {word: number for number, word in enumerate(known, start=1)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def __getitem__(self, word: str) -> int:
        """The number of a known word.

        Raises `DalleEduError` for any other.
        """
        if word not in self._ids:
            raise DalleEduError(
                f'"{word}" is not among the {len(self) - 1} words of the '
                "vocabulary; choose one that the text holds, in lower case",
                f"« {word} » n'est pas parmi les {len(self) - 1} mots du "
                "vocabulaire ; choisissez-en un du texte, en minuscules",
            )
        return self._ids[word]

    def encode(self, words: Sequence[str]) -> Int[Tensor, "t"]:
        """The numbers of words; each word out of the vocabulary gives `UNKNOWN`."""
        ids = [self._ids.get(word, UNKNOWN) for word in words]
        return torch.tensor(ids, dtype=torch.long)


def one_hot(
    ids: Int[Tensor, "*n"], size: int, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "*n v"]:
    """Vectors of length `size`: 1 at the place of the word's number, 0 elsewhere.

    All words are equally far from one another.

    Raises `DalleEduError` for numbers that are not in 0 to `size` - 1.
    """
    _check_ids("one_hot", ids, size)
    return (ids.unsqueeze(-1) == torch.arange(size, device=ids.device)).to(dtype)


# --------------------------------------------------------------- similarities


def cosine_similarity(
    a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """The cosine of the angle between vectors, from -1 to 1.

    It depends on their directions and not on their lengths. With a zero vector it
    is 0.

    Raises `DalleEduError` for shapes that differ.
    """
    _check_same_width(a, b)
    return (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp(min=1e-12)


def euclidean_similarity(
    a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """1 / (1 + distance), in (0, 1]: 1 for equal vectors.

    It depends on lengths too, and word vectors of frequent words are longer.

    Raises `DalleEduError` for shapes that differ.
    """
    _check_same_width(a, b)
    return 1 / (1 + (a - b).square().sum(dim=-1).sqrt())


def jaccard_similarity(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    """|a ∩ b| / |a ∪ b|, the share of words that two sets have in common.

    It goes from 0 to 1 (Jaccard 1901). Two empty sets are equal: 1.
    """
    return len(a & b) / len(a | b) if a or b else 1.0


# ---------------------------------------------------- neighbours and analogies


def nearest(
    vectors: Float[Tensor, "v d"],
    query: Float[Tensor, "d"],
    count: int = 10,
    excluded: Sequence[int] = (),
) -> tuple[Float[Tensor, "k"], Int[Tensor, "k"]]:
    """The words whose vectors have the largest cosine with `query`.

    Returns the cosines and the words' numbers, `count` of each, the nearest first.
    The unknown word and the words of `excluded` are left out.

    Raises `DalleEduError` for a query of another length than the vectors, or a
    `count` outside 1 to the number of words that are not left out.
    """
    if query.shape != vectors.shape[1:]:
        raise DalleEduError(
            f"the query is {tuple(query.shape)} and the vectors "
            f"{tuple(vectors.shape)}; expected (d,) and (v, d)",
            f"la requête est {tuple(query.shape)} et les vecteurs "
            f"{tuple(vectors.shape)} ; il faut (d,) et (v, d)",
        )
    left_out = sorted({UNKNOWN, *excluded})
    most = len(vectors) - len(left_out)
    if not 1 <= count <= most:
        raise DalleEduError(
            f"{count} neighbours were asked for; choose 1 to {most}, the words "
            "that are not left out",
            f"{count} voisins sont demandés ; choisissez de 1 à {most}, les mots "
            "qui ne sont pas exclus",
        )
    cosines = cosine_similarity(vectors, query.expand_as(vectors))
    cosines[left_out] = -torch.inf
    return cosines.topk(count)


def analogy(
    vectors: Float[Tensor, "v d"], a: int, b: int, c: int, count: int = 1
) -> tuple[Float[Tensor, "k"], Int[Tensor, "k"]]:
    """Words d such that a is to b as c is to d: the nearest to b - a + c.

    The vectors are scaled to length 1 first (3CosAdd; Mikolov, Yih and Zweig 2013).
    a, b and c themselves are excluded, by convention: c is most often the nearest
    of all. Returns what `nearest` returns.

    Raises `DalleEduError` for a number that is not a word's.
    """
    _check_ids("analogy", torch.tensor([a, b, c]), len(vectors))
    unit = F.normalize(vectors, dim=-1)
    return nearest(vectors, unit[b] - unit[a] + unit[c], count, excluded=(a, b, c))


def analogy_accuracy(
    vectors: Float[Tensor, "v d"], questions: Int[Tensor, "q 4"]
) -> float:
    """The share of questions "a is to b as c is to d" whose answer d comes first.

    It goes from 0 to 1. A question is the row of numbers a, b, c, d.
    """
    right = 0
    for a, b, c, d in questions.tolist():
        _, answer = analogy(vectors, a, b, c)
        right += int(answer) == d
    return right / len(questions)


def _check_ids(door: str, ids: Tensor, size: int) -> None:
    """Raise `DalleEduError` unless all word numbers are in 0 to `size` - 1.

    `door` is the name of the function that was given them, for the message.
    """
    if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < size:
        raise DalleEduError(
            f"{door} was given word numbers from {int(ids.min())} to "
            f"{int(ids.max())}; with {size} words they go from 0 to {size - 1}",
            f"{door} a reçu des numéros de mot de {int(ids.min())} à "
            f"{int(ids.max())} ; avec {size} mots, ils vont de 0 à {size - 1}",
        )


def _check_same_width(a: Tensor, b: Tensor) -> None:
    """Raise `DalleEduError` unless two batches of vectors have the same shape."""
    if a.shape != b.shape:
        raise DalleEduError(
            f"the vectors are {tuple(a.shape)} and {tuple(b.shape)}; compare as "
            "many with as many, of the same length",
            f"les vecteurs sont {tuple(a.shape)} et {tuple(b.shape)} ; comparez-en "
            "autant avec autant, de même longueur",
        )
