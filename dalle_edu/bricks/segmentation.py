"""Segmentation: a class for each pixel, and how well the classes were found.

Most pixels of a picture are background, so that the share of right pixels flatters.
The usual measure is intersection over union (Jaccard 1912; Everingham et al. 2010,
section 4.3), by class. Lesson 06.

Letters: n pictures, h x w pixels.
"""

from jaxtyping import Int
from torch import Tensor

from dalle_edu.errors import DalleEduError


def mean_iou(
    found: Int[Tensor, "n h w"], truth: Int[Tensor, "n h w"], classes: int
) -> float:
    """Intersection over union of each class, and their mean, in [0, 1].

    Pixels hold class numbers, from 0 to `classes` - 1. For each class, the pixels
    of all pictures that both maps give to it are counted, and divided by those that
    at least one of them does; a class that is in neither counts as 0. Raises
    `DalleEduError` for maps of different shapes and for other class numbers.
    """
    _check_maps(found, truth, classes)
    # how many pixels each pair (true class, found class) has
    pairs = (truth * classes + found).flatten().bincount(minlength=classes**2)
    pairs = pairs.view(classes, classes)
    intersection = pairs.diag()
    union = pairs.sum(dim=0) + pairs.sum(dim=1) - intersection
    return float((intersection / union.clamp(min=1)).mean())


def _check_maps(found: Tensor, truth: Tensor, classes: int) -> None:
    if found.shape != truth.shape:
        raise DalleEduError(
            f"the maps are of shapes {tuple(found.shape)} and "
            f"{tuple(truth.shape)}; give two of the same pictures",
            f"les cartes sont de formes {tuple(found.shape)} et "
            f"{tuple(truth.shape)} ; donnez-en deux des mêmes images",
        )
    for labels in (found, truth):
        if (
            labels.numel()
            and not 0 <= int(labels.min()) <= int(labels.max()) < classes
        ):
            raise DalleEduError(
                f"the classes go from {int(labels.min())} to {int(labels.max())}; "
                f"expected 0 to {classes - 1}: give the number of classes",
                f"les classes vont de {int(labels.min())} à {int(labels.max())} ; "
                f"il faut de 0 à {classes - 1} : donnez le nombre de classes",
            )
