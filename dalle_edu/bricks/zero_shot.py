"""Zero-shot classification and search with CLIP's embeddings.

Any list of sentences makes a classifier, without training (Radford et al. 2021,
section 3.1). Lesson 12.

Letters: n pictures or queries, m sentences or entries of a gallery, k classes or
neighbours, e and f channels.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.contrastive import LARGEST_SCALE, similarity
from dalle_edu.errors import DalleEduError


def ensemble(prompts: Float[Tensor, "*k m e"]) -> Float[Tensor, "*k e"]:
    """The embedding of several prompts that mean the same (section 3.1.4).

    It is the mean of their unit vectors, normalised again. The mean of vectors that
    disagree is short; without normalisation, classes with more varied prompts would
    score lower for that alone.
    """
    return F.normalize(F.normalize(prompts, dim=-1).mean(dim=-2), dim=-1)


def zero_shot(
    images: Float[Tensor, "n e"],
    classes: Float[Tensor, "k f"],
    scale: Float[Tensor, ""] | float = LARGEST_SCALE,
) -> Float[Tensor, "n k"]:
    """The probability of each class for each picture, without training.

    It is the softmax of the similarities with each class's sentence, times `scale`.
    `classes` holds one embedding for each class, of a sentence or an `ensemble`.
    """
    return (scale * similarity(images, classes)).softmax(dim=-1)


def search(
    query: Float[Tensor, "n e"], gallery: Float[Tensor, "m f"], k: int
) -> Int[Tensor, "n k"]:
    """The k entries of a gallery nearest to each query, the nearest first.

    Queries and entries may be pictures or sentences. Raises `DalleEduError` unless
    k is from 1 to the size of the gallery.
    """
    if not 1 <= k <= len(gallery):
        raise DalleEduError(
            f"{k} neighbours were asked for in a gallery of {len(gallery)}; ask "
            f"for 1 to {len(gallery)}",
            f"{k} voisins sont demandés dans une galerie de {len(gallery)} ; "
            f"demandez-en de 1 à {len(gallery)}",
        )
    return similarity(query, gallery).topk(k, dim=-1).indices


def recall_at(
    scores: Float[Tensor, "n m"], k: int, own: Int[Tensor, " n"] | None = None
) -> float:
    """Recall at k: the part of queries whose own entry is among the k best.

    Rows are queries and columns entries; `own` gives the number of each query's
    entry, and is the diagonal unless given. The transpose gives the other
    direction. An entry that ties with the own one counts as better, so that a model
    which gives all entries one score finds nothing. Raises `DalleEduError` without
    `own` when there are not as many queries as entries.
    """
    n, m = scores.shape
    if own is None and n != m:
        raise DalleEduError(
            f"{n} queries came with {m} entries; say which entry is whose (own)",
            f"{n} requêtes sont venues avec {m} entrées ; dites laquelle est à qui "
            "(own)",
        )
    own = torch.arange(n, device=scores.device) if own is None else own
    as_good = (scores >= scores.gather(1, own.unsqueeze(1))).sum(dim=1)
    return float((as_good <= k).float().mean())
