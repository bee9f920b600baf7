"""Classifier-free guidance: away from the unconditional, towards the conditional.

A network is asked twice, with the condition and without it, and the difference is
enlarged (Ho & Salimans 2021). `guide` mixes the logits of a model of codes,
`guided` the predictions of a diffusion model. Lessons 10 and 11.

Letters: n pictures, both = 2n of them, v entries of a vocabulary.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.errors import DalleEduError

Network = Callable[..., Tensor]


def guide(
    logits: Float[Tensor, "both v"], guidance_scale: float
) -> Float[Tensor, "n v"]:
    """Classifier-free guidance of logits (Ho & Salimans 2021).

    The logits go from what the network says without a caption towards what it says
    with one. The first half of the rows is conditional, the second unconditional. A
    scale of 0 returns the second half, 1 the first; above 1 the caption counts for
    more.
    """
    conditional, unconditional = logits.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def guided(
    network: Network,
    guidance_scale: float,
    conditional: dict[str, Tensor],
    unconditional: dict[str, Tensor],
) -> Network:
    """Classifier-free guidance of a diffusion network (Ho & Salimans 2021).

    Returns a network `(x_t, t)` whose prediction goes from the unconditional one
    towards the conditional one, and beyond for a scale above 1. `conditional` and
    `unconditional` are the conditions of n pictures, by name. The network runs once
    on a batch of 2n. At a scale of 1 it runs on n, since guidance changes nothing
    there. Any of eps, x0 and v may be mixed: at a given (x_t, t) each is a linear
    function of the others.

    Raises `DalleEduError` unless both have the same names and shapes.
    """
    with_shapes = {name: value.shape for name, value in conditional.items()}
    without_shapes = {name: value.shape for name, value in unconditional.items()}
    if with_shapes != without_shapes:
        raise DalleEduError(
            f"guidance has the conditions {sorted(conditional)} on one side, "
            f"{sorted(unconditional)} on the other; give both the same names and "
            "shapes",
            f"le guidage a les conditions {sorted(conditional)} d'un côté, "
            f"{sorted(unconditional)} de l'autre ; donnez les mêmes noms et "
            "formes aux deux",
        )

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        if guidance_scale == 1:
            return network(x_t, t, **conditional)
        doubled = {
            name: torch.cat([conditional[name], unconditional[name]])
            for name in conditional
        }
        both = network(torch.cat([x_t, x_t]), torch.cat([t, t]), **doubled)
        with_condition, without = both.chunk(2)
        return without + guidance_scale * (with_condition - without)

    return predict
