"""Similarities of words' vectors against SciPy, scikit-learn and PyTorch."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.cases import Case, ChangesAnArgument, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.words import WORDS, keeps_dtype, rows
from dalle_edu.language import sentence_language


def _pairs(seed: int, *shapes: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(shape, generator=generator, dtype=torch.float64), 3 * torch.randn(shape, generator=generator, dtype=torch.float64))
        for shape in shapes
    ]


def _one_by_one(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Tensor, Tensor], Tensor]:
    def peer(a: Tensor, b: Tensor) -> Tensor:
        rows = zip(a.reshape(-1, a.shape[-1]).numpy(), b.reshape(-1, b.shape[-1]).numpy(), strict=True)
        return torch.tensor([measure(x, y) for x, y in rows], dtype=a.dtype).view(a.shape[:-1])

    return peer


def _cosine(seed: int) -> list[Case]:
    from scipy.spatial.distance import cosine

    peer = _one_by_one(lambda x, y: 1 - cosine(x, y) if x.any() and y.any() else 0.0)
    small = [([[1.0, 0.0]], [[2.0, 0.0]]), ([[1.0, 0.0]], [[0.0, 3.0]]), ([[3.0, 4.0]], [[-6.0, -8.0]]), ([[0.0, 0.0]], [[1.0, 2.0]])]
    two = ([[3.0, 4.0], [1.0, 1.0]], [[4.0, 3.0], [2.0, 0.0]])
    large, pairs = _pairs(seed + 1, (5, 4))[0], _pairs(seed, (3,), (20, 6), (2, 3, 4), (1, 5))
    return [
        *(call(peer, rows(*a), rows(*b)) for a, b in [*small, two]),
        *(call(peer, *pair) for pair in [*pairs, (1e3 * large[0], large[1]), (large[0], 1e-3 * large[1])]),
        keeps_dtype(*pairs[1]),
    ]


def _learned(peer: Callable[..., Tensor]) -> Callable[[int], list[Case]]:
    """The gradient with respect to both vectors."""

    def cases(seed: int) -> list[Case]:
        pairs = _pairs(seed + 7, (1, 2), (5, 3), (2, 2, 4))
        return [call(peer, a.requires_grad_(), b.requires_grad_()) for a, b in pairs]

    return cases


def _euclidean(seed: int) -> list[Case]:
    from sklearn.metrics.pairwise import paired_euclidean_distances

    def peer(a: Tensor, b: Tensor) -> Tensor:
        flat = (each.reshape(-1, each.shape[-1]).numpy() for each in (a, b))
        return torch.from_numpy(1 / (1 + paired_euclidean_distances(*flat))).to(a.dtype).view(a.shape[:-1])

    small = [([[1.0, 2.0]], [[1.0, 2.0]]), ([[0.0, 0.0]], [[3.0, 4.0]]), ([[1.0], [2.0]], [[2.0], [-1.0]])]
    pairs = _pairs(seed, (3,), (20, 6), (2, 3, 4), (1, 5))
    alike = pairs[1][0], torch.where(torch.arange(20)[:, None] % 2 == 0, pairs[1][0], pairs[1][1])
    return [
        *(call(peer, rows(*a), rows(*b)) for a, b in small),
        *(call(peer, *pair) for pair in [*pairs, alike, (1e6 + pairs[1][0], 1e6 + pairs[1][1])]),
        keeps_dtype(*pairs[1]),
    ]


def _jaccard_of(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    from sklearn.metrics import jaccard_score

    words = ["in neither", *sorted(a | b)]  # never an empty list
    return float(jaccard_score(*([word in each for word in words] for each in (a, b)), zero_division=1.0))


def _jaccard(seed: int) -> list[Case]:
    rng, words = np.random.default_rng(seed), WORDS[sentence_language()]
    the, cat, sleeps, _, dog, runs, *_ = words
    drawn = [{str(word) for word in rng.choice(words, size=size, replace=False)} for size in (3, 8, 6, 6)]
    pairs = [
        ({the}, {the}),
        ({the}, set()),
        (set(), set()),
        ({cat}, {dog, runs}),
        ({cat, sleeps, the}, {dog, runs, the}),
        ({the}, {cat, sleeps, the}),
        (drawn[0], drawn[1]),
        (drawn[2], drawn[3]),
    ]

    def case(a: set[str], b: set[str], kind: type = set) -> Case:
        def ask(version: Callable[..., Any]) -> Any:
            own = kind(a), kind(b)
            answer = version(*own)
            if own != (a, b):
                raise ChangesAnArgument("a")
            return answer

        title = ", ".join(f"{name} = {sorted(each)}".replace("[", "{").replace("]", "}") for name, each in (("a", a), ("b", b)))
        return scenario(title, title, lambda: _jaccard_of(a, b), ask, len(a) + len(b) + (100 if kind is frozenset else 0))

    return [*(case(*pair) for pair in pairs), case(*pairs[4], frozenset)]


REFERENCES = [
    Reference("words:cosine_similarity", "scipy.spatial.distance.cosine", cases=_cosine, tolerance=1e-10),
    Reference(
        "words:cosine_similarity",
        "torch.nn.functional.cosine_similarity",
        cases=_learned(lambda a, b: F.cosine_similarity(a, b, dim=-1)),
        tolerance=1e-10,
    ),
    Reference("words:euclidean_similarity", "sklearn.metrics.pairwise.paired_euclidean_distances", cases=_euclidean, tolerance=1e-10),
    Reference(
        "words:euclidean_similarity",
        "torch.nn.functional.pairwise_distance",
        cases=_learned(lambda a, b: 1 / (1 + F.pairwise_distance(a, b, eps=0.0))),
        tolerance=1e-10,
    ),
    Reference("words:jaccard_similarity", "sklearn.metrics.jaccard_score", cases=_jaccard, tolerance=1e-10),
]
