"""Classifier-free guidance: away from what a network says without the condition,
towards what it says with it (Ho & Salimans 2022).

`guide` mixes the logits of a model of codes, `guided` the predictions of a
diffusion model. Lessons 10 and 11.

Letters: n pictures of any shape *s, v entries of a vocabulary.
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
    """Classifier-free guidance (Ho & Salimans 2021): away from what the network
    would draw without a caption, towards what it draws with one.

    The first half of the rows is conditional, the second unconditional; a guidance
    of 1 returns the first half.
    """
    conditional, unconditional = logits.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def guided(
    network: Network,
    guidance_scale: float,
    conditional: dict[str, Tensor],
    unconditional: dict[str, Tensor],
) -> Network:
    """Classifier-free guidance (Ho & Salimans 2022): go from what the network says
    without the condition to what it says with it, and on.

    `conditional` and `unconditional` are the conditions of n pictures, with and
    without what is asked. The network runs once, on a batch of 2n; at a scale of 1
    it runs on n, for guidance does nothing there. Whatever it predicts may be
    mixed: at one (x_t, t), eps, x0 and v are straight lines of one another. Raises
    `DalleEduError` unless both have the same names and shapes.
    """
    if {name: value.shape for name, value in conditional.items()} != {
        name: value.shape for name, value in unconditional.items()
    }:
        raise DalleEduError(
            f"guidance has the conditions {sorted(conditional)} on one side, "
            f"{sorted(unconditional)} on the other; give both the same "
            "names and shapes",
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
        with_condition, without = network(
            torch.cat([x_t, x_t]), torch.cat([t, t]), **doubled
        ).chunk(2)
        return without + guidance_scale * (with_condition - without)

    return predict
