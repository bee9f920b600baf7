"""Words as vectors: a word is known by the company it keeps (Firth 1957), so words
met in the same company get neighbouring vectors.

A vocabulary numbers the words. `one_hot` makes each as far from every other as it
can be; word2vec (Mikolov et al. 2013a, "Efficient Estimation of Word
Representations in Vector Space") learns vectors in which distance means something,
from nothing but which words stand near which. Negative sampling makes it quick
(Mikolov et al. 2013b, "Distributed Representations of Words and Phrases and their
Compositionality"): tell a true neighbour from a few drawn at random. Some
differences between vectors then mean something too.

Letters: v words in the vocabulary, t tokens of a text, n examples, c words that an
example is given, m noise words, d dimensions.

Lesson 02.
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
    """The runs of letters of a text, in lower case: « L'école, à midi » gives l,
    école, à, midi.
    """
    return re.findall(r"[^\W\d]+", text.lower())


class Vocabulary:
    """The words met at least `min_count` times, numbered from 1, the most frequent
    first (equals in alphabetical order).

    `words[0]` is "<unk>", the unknown word. `counts` says how often each was met,
    and for the unknown word how many tokens it replaces.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], min_count: int = 1):
        met = Counter(word for sentence in sentences for word in sentence)
        known = sorted(
            (word for word in met if met[word] >= min_count),
            key=lambda word: (-met[word], word),
        )
        self.words = ["<unk>", *known]
        self.counts = torch.tensor(
            [
                met.total() - sum(met[word] for word in known),
                *(met[word] for word in known),
            ]
        )
        self._ids = {word: number for number, word in enumerate(known, start=1)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def __getitem__(self, word: str) -> int:
        """The number of a known word."""
        if word not in self._ids:
            raise DalleEduError(
                f'"{word}" is not among the {len(self) - 1} words of the '
                "vocabulary; choose one that the text holds, in lower case",
                f"« {word} » n'est pas parmi les {len(self) - 1} mots du "
                "vocabulaire ; choisissez-en un du texte, en minuscules",
            )
        return self._ids[word]

    def encode(self, words: Sequence[str]) -> Int[Tensor, "t"]:
        """The numbers of words; those out of the vocabulary all become
        `UNKNOWN`.
        """
        return torch.tensor(
            [self._ids.get(word, UNKNOWN) for word in words], dtype=torch.long
        )


def one_hot(
    ids: Int[Tensor, "*n"], size: int, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "*n v"]:
    """Vectors of length `size`, 0 everywhere but for a 1 at place `id`: any two
    words are as unlike as any other two.
    """
    check_ids("one_hot", ids, size)
    return (ids.unsqueeze(-1) == torch.arange(size, device=ids.device)).to(dtype)


# ---------------------------------------------------------------- how alike?


def cosine_similarity(
    a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """The cosine of the angle between vectors, from -1 to 1: direction counts,
    length does not. A zero vector is like nothing: 0.
    """
    check_same_width(a, b)
    return (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp(min=1e-12)


def euclidean_similarity(
    a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """1 / (1 + distance), in (0, 1]: 1 for equal vectors. Length counts, and word
    vectors of frequent words are longer.
    """
    check_same_width(a, b)
    return 1 / (1 + (a - b).square().sum(dim=-1).sqrt())


def jaccard_similarity(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    """|a ∩ b| / |a ∪ b|, from 0 to 1: the part of two sets' words that they share
    (Jaccard 1901). Two empty sets are equal: 1.
    """
    return len(a & b) / len(a | b) if a or b else 1.0


# ---------------------------------------------------------------- word2vec


# ------------------------------------------------------------ what the vectors know


def nearest(
    vectors: Float[Tensor, "v d"],
    query: Float[Tensor, "d"],
    count: int = 10,
    excluded: Sequence[int] = (),
) -> tuple[Float[Tensor, "k"], Int[Tensor, "k"]]:
    """The `count` words whose vectors have the largest cosine with `query`, and
    those cosines; never the unknown word.
    """
    if query.shape != vectors.shape[1:]:
        raise DalleEduError(
            f"the query is {tuple(query.shape)} and the vectors "
            f"{tuple(vectors.shape)}; expected (d,) and (v, d)",
            f"la requête est {tuple(query.shape)} et les vecteurs "
            f"{tuple(vectors.shape)} ; il faut (d,) et (v, d)",
        )
    left_out = sorted({UNKNOWN, *excluded})
    if not 1 <= count <= len(vectors) - len(left_out):
        raise DalleEduError(
            f"{count} neighbours were asked for; choose 1 to "
            f"{len(vectors) - len(left_out)}, the words that are not left out",
            f"{count} voisins sont demandés ; choisissez de 1 à "
            f"{len(vectors) - len(left_out)}, les mots qui ne sont pas exclus",
        )
    cosines = cosine_similarity(vectors, query.expand_as(vectors))
    cosines[left_out] = -torch.inf
    return cosines.topk(count)


def analogy(
    vectors: Float[Tensor, "v d"], a: int, b: int, c: int, count: int = 1
) -> tuple[Float[Tensor, "k"], Int[Tensor, "k"]]:
    """a is to b as c is to...: the words nearest to b - a + c, each of length 1
    (3CosAdd; Mikolov, Yih and Zweig 2013).

    a, b and c themselves are excluded, by convention: c is most often the nearest
    of all.
    """
    check_ids("analogy", torch.tensor([a, b, c]), len(vectors))
    unit = F.normalize(vectors, dim=-1)
    return nearest(vectors, unit[b] - unit[a] + unit[c], count, excluded=(a, b, c))


def analogy_accuracy(
    vectors: Float[Tensor, "v d"], questions: Int[Tensor, "q 4"]
) -> float:
    """The part of the questions "a is to b as c is to d" whose answer d comes
    first.
    """
    right = [
        int(analogy(vectors, a, b, c)[1]) == d for a, b, c, d in questions.tolist()
    ]
    return sum(right) / len(right)


def check_ids(door: str, ids: Tensor, size: int) -> None:
    if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < size:
        raise DalleEduError(
            f"{door} was given word numbers from {int(ids.min())} to "
            f"{int(ids.max())}; with {size} words they go from 0 to {size - 1}",
            f"{door} a reçu des numéros de mot de {int(ids.min())} à "
            f"{int(ids.max())} ; avec {size} mots, ils vont de 0 à {size - 1}",
        )


def check_same_width(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise DalleEduError(
            f"the vectors are {tuple(a.shape)} and {tuple(b.shape)}; compare as "
            "many with as many, of the same length",
            f"les vecteurs sont {tuple(a.shape)} et {tuple(b.shape)} ; comparez-en "
            "autant avec autant, de même longueur",
        )
