"""What CLIP embeddings are good for: classes without training, and search (Radford
et al. 2021, section 3.1). Lesson 12.

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
    """One direction for several ways of saying the same: the mean of the unit
    vectors, a unit vector again (section 3.1.4).

    Renormalised, because the mean of vectors that disagree is short: classes with
    more varied prompts would score lower for that alone.
    """
    return F.normalize(F.normalize(prompts, dim=-1).mean(dim=-2), dim=-1)


def zero_shot(
    images: Float[Tensor, "n e"],
    classes: Float[Tensor, "k f"],
    scale: Float[Tensor, ""] | float = LARGEST_SCALE,
) -> Float[Tensor, "n k"]:
    """The probability of each class for each picture: a softmax over what each
    class's sentence scores.

    `classes` holds one embedding for each class, of a sentence or an `ensemble`.
    Any list of sentences makes a classifier.
    """
    return (scale * similarity(images, classes)).softmax(dim=-1)


def search(
    query: Float[Tensor, "n e"], gallery: Float[Tensor, "m f"], k: int
) -> Int[Tensor, "n k"]:
    """The k entries of a gallery nearest to each query, the nearest first:
    sentences by pictures, or pictures by sentences.
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
    """The part of queries whose own entry is among the k best: rows are queries,
    columns entries, `own` the diagonal unless given.

    For the other direction give the transpose. An entry that ties with the own one
    counts as better: a model that gives everything one score finds nothing.
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
