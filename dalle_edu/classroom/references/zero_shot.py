"""Zero-shot classification and retrieval against open_clip, scikit-learn and PyTorch."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, double, numbers
from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.contrastive import embeddings
from dalle_edu.language import say


def _ensemble(seed: int) -> list[Case]:
    """As open_clip builds the weights of a zero-shot classifier, with a model that looks its prompts up in a table."""

    def peer(prompts: Tensor) -> Tensor:
        from open_clip.zero_shot_classifier import build_zero_shot_classifier

        table = prompts.reshape(-1, *prompts.shape[-2:])

        class Table:
            def encode_text(self, tokens: Tensor, normalize: bool = False) -> Tensor:
                rows = table[tokens[:, 0], tokens[:, 1]]
                return F.normalize(rows, dim=-1) if normalize else rows

        def tokens(texts: list[str]) -> Tensor:
            return torch.tensor([[int(number) for number in text.split()] for text in texts])

        templates = [lambda name, j=j: f"{name} {j}" for j in range(table.shape[1])]
        names = [str(k) for k in range(len(table))]
        expected = build_zero_shot_classifier(Table(), tokens, names, templates, 2, use_tqdm=False)
        return expected.T.reshape(*prompts.shape[:-2], -1)

    lengths = torch.tensor([1.0, 2.0, 9.0]).double().view(3, 1)
    return [
        call(peer, double([[3.0, 4.0]])),
        call(peer, double([[2.0, 0.0], [0.0, 1.0]])),
        call(peer, double([[1.0, 0.0], [0.0, 10.0]], [[0.0, 1.0], [0.0, 3.0]])),
        call(peer, double([3.0, 0.0], [0.0, 5.0])),
        call(peer, numbers(seed, 4, 3, 5) * lengths),
        call(peer, numbers(seed + 1, 3, 7) * lengths),
        call(peer, numbers(seed + 2, 2, 3, 4, 6)),
    ]


def _zero_shot(seed: int) -> list[Case]:
    def peer(images: Tensor, classes: Tensor, scale: Tensor | float = 100.0) -> Tensor:
        from scipy.special import softmax
        from sklearn.metrics.pairwise import cosine_similarity

        return torch.from_numpy(softmax(float(scale) * cosine_similarity(images.numpy(), classes.numpy()), axis=1))

    east, both = double([2.0, 0.0]), double([0.0, 5.0], [3.0, 0.0])
    return [
        call(peer, east, double([1.0, 1.0])),
        call(peer, east, both, 1.0),
        call(peer, east, double([3.0, 4.0], [6.0, 8.0]), 5.0),
        call(peer, double([1.0, 0.01]), double([1.0, 0.0], [1.0, 0.1])),
        call(peer, *embeddings(seed, 6, 3), 20.0),
        call(peer, *embeddings(seed + 2, 4, 4), torch.tensor(2.0, dtype=DOUBLE)),
        call(peer, *embeddings(seed + 4, 1, 7, 3)),
        call(peer, *embeddings(seed + 6, 3, 5), scale=3000.0),
    ]


def _search(seed: int) -> list[Case]:
    def peer(query: Tensor, gallery: Tensor, k: int) -> Tensor:
        from sklearn.neighbors import NearestNeighbors

        found = NearestNeighbors(n_neighbors=k, metric="cosine").fit(gallery.numpy()).kneighbors(query.numpy(), return_distance=False)
        return torch.from_numpy(found)

    east, three = double([2.0, 0.0]), double([0.0, 9.0], [1.0, 1.0], [3.0, 1.0])
    return [
        call(peer, east, double([1.0, 0.0]), 1),
        call(peer, east, three, 1),
        call(peer, east, three, 2),
        call(peer, -east, three, 3),
        call(peer, *embeddings(seed, 5, 9), 4),
        call(peer, *embeddings(seed + 2, 2, 6, 3), 6),
        call(peer, *embeddings(seed + 4, 7, 4), 1),
    ]


def _recall_at(seed: int) -> list[Case]:
    """By scikit-learn; where entries tie with the own one, against them, which scikit-learn leaves open."""

    def peer(scores: Tensor, k: int, own: Tensor | None = None) -> float:
        from sklearn.metrics import top_k_accuracy_score

        right = np.arange(len(scores)) if own is None else own.numpy()
        n = scores.shape[1]
        if k >= n:
            return 1.0
        if n == 2:  # of which scikit-learn wants the second's score alone
            return float(np.mean(scores.numpy().argmax(axis=1) == right))
        return float(top_k_accuracy_score(right, scores.numpy(), k=k, labels=np.arange(n)))

    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(40, 40, generator=generator, dtype=DOUBLE) + 1.5 * torch.eye(40)
    own, few = torch.randperm(40, generator=generator), double([3.0, 1.0, 2.0], [2.0, 1.0, 3.0], [1.0, 2.0, 3.0])
    wide, whose = torch.randn(30, 12, generator=generator, dtype=DOUBLE), torch.randint(12, (30,), generator=generator)
    same, tied = torch.ones(3, 3, dtype=DOUBLE), double([5.0, 5.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 9.0])
    return [
        call(peer, double([1.0]), 1),
        call(peer, double([1.0, 0.0], [1.0, 0.0]), 1),
        *(call(peer, few, k) for k in (1, 2, 3)),
        call(peer, few, 1, torch.tensor([0, 2, 2])),
        call(peer, few[:2], 1, own=torch.tensor([2, 0])),
        call(0.0, same, 1),
        call(0.0, same, 2),
        call(1.0, same, 3),
        call(1 / 3, tied, 1),
        call(1.0, tied, 2),
        *(call(peer, direction, k) for k in (1, 3, 10) for direction in (scores, scores.T)),
        *(call(peer, scores, k, own) for k in (1, 3, 10)),
        call(peer, wide, 4, whose),
    ]


REFERENCES = [
    Reference("zero_shot:ensemble", "open_clip.build_zero_shot_classifier", cases=_ensemble, tolerance=1e-10),
    Reference(
        "zero_shot:zero_shot",
        say("scipy.special.softmax of cosines", "scipy.special.softmax de cosinus"),
        cases=_zero_shot,
        tolerance=1e-10,
    ),
    Reference("zero_shot:search", "sklearn.neighbors.NearestNeighbors", cases=_search, tolerance=0.0),
    Reference("zero_shot:recall_at", "sklearn.metrics.top_k_accuracy_score", cases=_recall_at, tolerance=1e-6),
]
