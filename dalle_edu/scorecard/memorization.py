"""Memorisation: whether drawn pictures are copies of training pictures, which a critic cannot tell from pictures well drawn.

A system that is trained for long on few pictures ends up drawing those. True pictures that training never showed are the measure: drawn
ones should be no nearer to the training pictures than they are (Meehan et al. 2020).

Letters: n, m and k pictures, h = w pixels on a side.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_TOGETHER = 64  # pictures compared at a time


@dataclass(frozen=True)
class Memorization:
    """How near drawn pictures, and true held-out ones, are to the training picture nearest to each: `drawn` and `true` are medians of root
    mean square differences of pixels in [-1, 1]. `nearer` is the part of all pairs of a drawn and a true picture in which the drawn one is
    nearer to training; ties count half. It is about 0.5 where nothing is copied, and 1 where everything is. `trained` is the number of
    training pictures looked at.
    """

    trained: int
    drawn: float
    true: float
    nearer: float


@torch.no_grad()
def memorization(drawn: Float[Tensor, "n 3 h w"], true: Float[Tensor, "m 3 h w"], trained: Float[Tensor, "k 3 h w"]) -> Memorization:
    """Compare drawn pictures, and held-out true ones, with training pictures, all of one resolution.

    `nearer` is the statistic of the test of Mann and Whitney, as a part of n x m, which Meehan et al. 2020 (section 3) take for this.
    """
    of_drawn, of_true = (nearest_distance(pictures, trained) for pictures in (drawn, true))
    gap = of_true[None, :] - of_drawn[:, None]  # n m
    nearer = float(((gap > 0).double() + 0.5 * (gap == 0).double()).mean())
    return Memorization(len(trained), float(of_drawn.median()), float(of_true.median()), nearer)


def nearest_distance(pictures: Float[Tensor, "n 3 h w"], among: Float[Tensor, "k 3 h w"]) -> Float[Tensor, " n"]:
    """The root mean square difference of each picture and the nearest of others, over its pixels and colours."""
    others = among.flatten(1).float().cpu()
    parts = [torch.cdist(part.flatten(1).float().cpu(), others).amin(dim=1) for part in pictures.split(_TOGETHER)]
    return torch.cat(parts) / others.shape[1] ** 0.5
