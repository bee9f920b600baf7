"""Mistakes about the discrete VAE."""

import math

import torch
from torch import Tensor

from dalle_edu.bricks.dvae import gumbel_softmax
from dalle_edu.classroom.checking.proof import Mistake


def normal_noise(logits: Tensor, temperature: float, hard: bool = False, generator: torch.Generator | None = None) -> Tensor:
    noise = torch.empty_like(logits).normal_(generator=generator)
    soft = ((logits + noise) / temperature).softmax(dim=-1)
    return soft if not hard else torch.zeros_like(soft).scatter_(-1, soft.argmax(dim=-1, keepdim=True), 1.0)


def noise_after_the_temperature(logits: Tensor, temperature: float, hard: bool = False, generator: torch.Generator | None = None) -> Tensor:
    return gumbel_softmax(logits / temperature, 1.0, hard, generator)


def temperature_multiplied(logits: Tensor, temperature: float, hard: bool = False, generator: torch.Generator | None = None) -> Tensor:
    return gumbel_softmax(logits, 1 / temperature, hard, generator)


def summed_over_the_batch(log_q: Tensor) -> Tensor:
    return (math.log(log_q.shape[-1]) + (log_q.exp() * log_q).sum(dim=-1)).sum()


def entropy_taken_for_divergence(log_q: Tensor) -> Tensor:
    return -(log_q.exp() * log_q).sum(dim=-1).mean()


def mean_of_the_entropies(log_q: Tensor, weight: Tensor | None = None) -> Tensor:
    return torch.special.entr(log_q.exp()).sum(dim=-1).mean()


MISTAKES = [
    Mistake(
        "dvae:gumbel_softmax",
        normal_noise,
        "The noise is normal; only Gumbel noise, -log(-log u), makes the largest entry a draw from softmax(logits).",
        "Le bruit est normal ; seul un bruit de Gumbel, -log(-log u), fait du plus grand terme un tirage selon softmax(logits).",
    ),
    Mistake(
        "dvae:gumbel_softmax",
        noise_after_the_temperature,
        "The logits are divided by the temperature before the noise is added: that changes who wins; divide their sum.",
        "Les logits sont divisés par la température avant l'ajout du bruit : cela change le gagnant ; divisez leur somme.",
    ),
    Mistake(
        "dvae:gumbel_softmax",
        temperature_multiplied,
        "The sum is multiplied by the temperature; a low temperature must sharpen the choice, so divide.",
        "La somme est multipliée par la température ; une température basse doit durcir le choix : divisez.",
    ),
    Mistake(
        "dvae:kl_to_uniform",
        summed_over_the_batch,
        "The divergence is summed over batch and grid, so its weight grows with both; take the mean.",
        "La divergence est sommée sur le lot et la grille : son poids croît avec eux ; prenez la moyenne.",
    ),
    Mistake(
        "dvae:kl_to_uniform",
        entropy_taken_for_divergence,
        "This is the entropy; the divergence from the uniform distribution is log k minus it.",
        "C'est l'entropie ; la divergence avec la loi uniforme est log k moins cette entropie.",
    ),
    Mistake(
        "dvae:codebook_entropy",
        mean_of_the_entropies,
        "This is the mean of each position's entropy, high when every choice hesitates; take the entropy of the mean distribution.",
        "C'est la moyenne des entropies de chaque position, grande quand chaque choix hésite ; prenez l'entropie de la loi moyenne.",
    ),
]
