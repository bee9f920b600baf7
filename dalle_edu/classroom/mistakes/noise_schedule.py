"""Mistakes about noise schedules."""

import math

import torch

from dalle_edu.bricks import noise_schedule
from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def betas_not_clipped(timesteps: int = 1000, offset: float = 0.008, max_beta: float = 0.999) -> NoiseSchedule:
    at = torch.arange(timesteps + 1, dtype=torch.float64) / timesteps
    alpha_bar = ((at + offset) / (1 + offset) * math.pi / 2).cos() ** 2
    return NoiseSchedule(1 - alpha_bar[1:] / alpha_bar[:-1])


def most_noise_first(timesteps: int = 1000, first: float = 1e-4, last: float = 0.02) -> NoiseSchedule:
    return NoiseSchedule(torch.linspace(last, first, timesteps, dtype=torch.float64))


def shifted_as_variances(schedule: NoiseSchedule, factor: float) -> NoiseSchedule:
    return noise_schedule.shifted(schedule, factor**0.5)


SINGLE_PRECISION = (
    "The betas are in single precision; a product of a thousand of them wants double precision, `dtype=torch.float64`.",
    "Les bêtas sont en simple précision ; un produit de mille d'entre eux veut la double, `dtype=torch.float64`.",
)

MISTAKES = [
    Mistake(
        "noise_schedule:shifted",
        shifted_as_variances,
        "The ratio of variances is multiplied by the factor; that many times as much noise means that its variance grows by factor².",
        "Le rapport des variances est multiplié par le facteur ; il faut autant de fois plus de bruit, donc une variance × facteur².",
    ),
    Mistake(
        "noise_schedule:cosine_schedule",
        betas_not_clipped,
        "The last beta of the cosine comes to 1: no signal is left to divide by; clip betas at 0.999.",
        "Le dernier bêta du cosinus arrive à 1 : il ne reste aucun signal par quoi diviser ; bornez les bêtas à 0,999.",
    ),
    Mistake(
        "noise_schedule:linear_schedule",
        most_noise_first,
        "The betas fall instead of growing: most of the picture is gone after the first steps; go from the small beta to the large one.",
        "Les bêtas descendent au lieu de monter : presque toute l'image part aux premiers pas ; allez du petit bêta au grand.",
    ),
    edited(
        "noise_schedule:linear_schedule",
        'torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu")',
        "torch.linspace(first**0.5, last**0.5, timesteps, dtype=torch.float64) ** 2",
        "The square roots of the betas grow evenly, as in Stable Diffusion's schedule; here it is the betas.",
        "Ce sont les racines carrées des bêtas qui croissent régulièrement, comme chez Stable Diffusion ; ici, ce sont les bêtas.",
    ),
    edited(
        "noise_schedule:linear_schedule",
        'torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu")',
        "torch.linspace(first, last, timesteps + 1, dtype=torch.float64)[:-1]",
        "The last beta is not reached: both ends are part of the schedule.",
        "Le dernier bêta n'est pas atteint : les deux bouts font partie du calendrier.",
    ),
    edited(
        "noise_schedule:linear_schedule",
        'torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu")',
        "1 - torch.linspace(first, last, timesteps, dtype=torch.float64)",
        "The schedule is given 1 - beta, which is alpha; it wants the betas, the part that becomes noise.",
        "Le calendrier reçoit 1 - bêta, qui est alpha ; il veut les bêtas, la part qui devient du bruit.",
    ),
    edited(
        "noise_schedule:linear_schedule",
        "dtype=torch.float64, ",
        "",
        *SINGLE_PRECISION,
    ),
    edited(
        "noise_schedule:cosine_schedule",
        "dtype=torch.float64, ",
        "",
        *SINGLE_PRECISION,
    ),
    edited(
        "noise_schedule:cosine_schedule",
        ".cos() ** 2",
        ".cos()",
        "The square is missing: alpha_bar is a variance, and it is the cosine's square that falls from 1 to 0.",
        "Le carré manque : alpha_bar est une variance, et c'est le carré du cosinus qui descend de 1 à 0.",
    ),
    edited(
        "noise_schedule:cosine_schedule",
        "(at + offset) / (1 + offset)",
        "at",
        "The offset is forgotten: without it the first betas are so small that the network sees hardly any noise.",
        "Le décalage est oublié : sans lui, les premiers bêtas sont si petits que le réseau ne voit presque aucun bruit.",
    ),
    edited(
        "noise_schedule:cosine_schedule",
        "1 - alpha_bar[1:] / alpha_bar[:-1]",
        "alpha_bar[:-1] - alpha_bar[1:]",
        "The betas are differences of alpha_bar; alpha_bar is a product, so that a beta is 1 minus a ratio.",
        "Les bêtas sont des différences d'alpha_bar ; alpha_bar est un produit : un bêta vaut 1 moins un rapport.",
    ),
    edited(
        "noise_schedule:shifted",
        "factor**2 * (1 - alphas_bar) / alphas_bar",
        "(1 - alphas_bar) / alphas_bar / factor**2",
        "The ratio is divided by the factor: above 1 there must be more noise, not less.",
        "Le rapport est divisé par le facteur : au-dessus de 1, il doit y avoir plus de bruit, non moins.",
    ),
    edited(
        "noise_schedule:shifted",
        "(1 - alphas_bar / before)",
        "(factor * schedule.betas)",
        "The betas are multiplied, and alpha_bar changes more and more; it is noise over signal that is multiplied.",
        "Ce sont les bêtas qui sont multipliés, ce qui change alpha_bar de plus en plus ; c'est le rapport bruit sur signal qui l'est.",
    ),
    edited(
        "noise_schedule:shifted",
        "1 - alphas_bar / before",
        "1 - alphas_bar",
        "Here alpha_bar is taken for one timestep's alpha; a beta is 1 minus the ratio of alpha_bar to the one before.",
        "Ici, alpha_bar est pris pour l'alpha d'un instant ; un bêta vaut 1 moins le rapport d'alpha_bar au précédent.",
    ),
    edited(
        "noise_schedule:cosine_schedule",
        " / (1 + offset)",
        "",
        "The angle goes beyond π / 2, where the cosine grows again; divide by 1 + offset, so that it ends there.",
        "L'angle dépasse π / 2, où le cosinus remonte ; divisez par 1 + offset, pour qu'il s'y arrête.",
    ),
    edited(
        "noise_schedule:shifted",
        "before = torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])",
        "before, alphas_bar = alphas_bar[:-1], alphas_bar[1:]",
        "The first beta is lost: before the first timestep alpha_bar is 1, which comes in front of the others.",
        "Le premier bêta est perdu : avant le premier instant, alpha_bar vaut 1, à mettre devant les autres.",
    ),
    edited(
        "noise_schedule:cosine_schedule",
        "1 - alpha_bar[1:] / alpha_bar[:-1]",
        "alpha_bar[1:] / alpha_bar[:-1]",
        "The `1 -` is forgotten: the ratio of alpha_bar after and before is alpha; a beta is 1 minus it.",
        "Le `1 -` est oublié : le rapport d'alpha_bar après et avant est alpha ; un bêta vaut 1 moins ce rapport.",
    ),
]
