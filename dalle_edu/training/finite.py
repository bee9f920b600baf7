"""Whether all numbers of a training are finite: one NaN in one weight spoils, an update later, all the others."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dalle_edu.errors import DalleEduError


@torch.no_grad()
def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor that holds a NaN or an infinity; None where there is none. Whole numbers are finite.

    The largest absolute value of each tensor is computed, and the device is waited for once.
    """
    floats = {name: tensor.detach() for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel()}
    if not floats:
        return None
    largest = torch._foreach_norm(list(floats.values()), math.inf)  # the largest absolute value: of a NaN among others, NaN
    device = largest[0].device
    finite = torch.stack([value.to(device, torch.float32) for value in largest]).isfinite().tolist()
    return next((name for name, good in zip(floats, finite, strict=True) if not good), None)


def no_longer_finite(en: str, fr: str, stage: str, update: int, saved: tuple[str, int] | None) -> DalleEduError:
    """The error to raise where something, named in English and in French, is no longer finite after an update of a stage.

    `saved` is the stage and the update of the last checkpoint; None where there is none.
    """
    again = "with a lower learning rate (--rate 0.5) or another seed (--seed)"
    encore = "avec un pas d'apprentissage plus petit (--rate 0.5) ou une autre graine (--seed)"
    if saved is None:
        return DalleEduError(
            f"{en} is no longer finite ({stage}, update {update}); nothing was saved before; begin again in another folder (--run),"
            f" {again}",
            f"{fr} n'est plus fini ({stage}, mise à jour {update}) ; rien n'avait été sauvegardé ; recommencez dans un autre dossier"
            f" (--run), {encore}",
        )
    place, number = saved
    return DalleEduError(
        f"{en} is no longer finite ({stage}, update {update}); the checkpoint of {place}, update {number}, is whole, and the same command"
        f" goes on from it; if this comes back, begin again in another folder (--run), {again}",
        f"{fr} n'est plus fini ({stage}, mise à jour {update}) ; la sauvegarde de {place}, mise à jour {number}, est saine, et la même"
        f" commande reprend à partir d'elle ; si cela revient, recommencez dans un autre dossier (--run), {encore}",
    )
