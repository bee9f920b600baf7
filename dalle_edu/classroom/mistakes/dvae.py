"""Mistakes about the discrete VAE."""

import math

import torch
from torch import Tensor

from dalle_edu.bricks.dvae import gumbel_softmax
from dalle_edu.classroom.checking.edited import edited
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
    edited(
        "dvae:gumbel_softmax",
        "uniform.log_().neg_().clamp_(min=1e-7).log_().neg_()",
        "uniform.log_().neg_()",
        "A single logarithm gives exponential noise; Gumbel noise is -log(-log u).",
        "Un seul logarithme donne un bruit exponentiel ; le bruit de Gumbel est -log(-log u).",
    ),
    edited(
        "dvae:gumbel_softmax",
        "log_().neg_()  # -log(-log u)",
        "log_()",
        "The noise has the wrong sign: it is -log(-log u), with a minus in front.",
        "Le bruit a le mauvais signe : c'est -log(-log u), avec un moins devant.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "((logits + gumbel) / temperature).softmax(dim=-1)",
        "(logits + gumbel).softmax(dim=-1) / temperature",
        "The temperature comes after the softmax, so that the sum is not 1: divide before it.",
        "La température vient après le softmax, et la somme n'est plus 1 : divisez avant lui.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "torch.zeros_like(soft).scatter_(-1, winner, 1.0)",
        "soft.round()",
        "Rounding may give no 1 at all, or two: the largest entry alone gets the 1, by argmax.",
        "L'arrondi peut ne donner aucun 1, ou deux : seule la plus grande entrée reçoit le 1, par argmax.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "soft.argmax(dim=-1, keepdim=True)",
        "logits.argmax(dim=-1, keepdim=True)",
        "The hard choice is made without the noise, always the likeliest code: take the winner of the noisy sample.",
        "Le choix dur est fait sans le bruit, toujours le code le plus probable : prenez le gagnant du tirage bruité.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "torch.empty_like(logits)",
        "torch.empty_like(logits[..., :1])",
        "All codes of a position share one noise, which the softmax cancels: each logit has its own.",
        "Tous les codes d'une position partagent un bruit, que le softmax annule : chaque logit a le sien.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "softmax(dim=-1)\n",
        "softmax(dim=0)\n",
        "The softmax runs over the positions; it must run over the codes, the last axis.",
        "Le softmax porte sur les positions ; il doit porter sur les codes, le dernier axe.",
    ),
    edited(
        "dvae:gumbel_softmax",
        "one_hot + soft - soft.detach()",
        "one_hot",
        "With `hard` no gradient comes back: add the soft sample, and subtract it detached (straight-through).",
        "Avec `hard`, aucun gradient ne revient : ajoutez le tirage doux, et retranchez-le détaché (straight-through).",
    ),
    edited(
        "dvae:gumbel_softmax",
        "one_hot + soft - soft.detach()",
        "one_hot + soft",
        "The detached sample is not subtracted: with `hard` the result must be the one-hot vector itself.",
        "Le tirage détaché n'est pas retranché : avec `hard`, le résultat doit être le vecteur one-hot lui-même.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "math.log(log_q.shape[-1]) + (log_q.exp() * log_q).sum(dim=-1).mean()",
        "-math.log(log_q.shape[-1]) - log_q.mean()",
        "This is the divergence the other way round, KL(uniform || q): the mean is taken with the probabilities q.",
        "C'est la divergence dans l'autre sens, KL(uniforme || q) : la moyenne se prend avec les probabilités q.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "(log_q.exp() * log_q).sum(dim=-1).mean()",
        "(log_q.exp() * log_q).sum() / len(log_q)",
        "The sum is divided by the first axis alone, so that it grows with the grid: take the mean over all positions.",
        "La somme n'est divisée que par le premier axe, et croît avec la grille : prenez la moyenne sur toutes les positions.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "(log_q.exp() * log_q).sum(dim=-1).mean()",
        "-torch.special.entr(log_q.exp().flatten(0, -2).mean(dim=0)).sum()",
        "This is the divergence of the mean distribution; the mean of the positions' divergences is wanted.",
        "C'est la divergence de la loi moyenne ; il faut la moyenne des divergences des positions.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "math.log(log_q.shape[-1]) + (log_q.exp() * log_q)",
        "math.log(log_q.shape[-1]) - (log_q.exp() * log_q)",
        "The sign is wrong: log k *minus* the entropy, and the entropy is minus the sum of q log q.",
        "Le signe est faux : log k *moins* l'entropie, et l'entropie est moins la somme des q log q.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "math.log(log_q.shape[-1]) + ",
        "",
        "The term log k is forgotten: what is left is minus the entropy, which is negative; a divergence never is.",
        "Le terme log k est oublié : il reste moins l'entropie, qui est négatif ; une divergence ne l'est jamais.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "(log_q.exp() * log_q).sum(dim=-1).mean()",
        "(log_q.exp() * log_q).mean()",
        "The mean runs over the codes too: sum over the codes, then take the mean over the positions.",
        "La moyenne porte aussi sur les codes : sommez sur les codes, puis prenez la moyenne sur les positions.",
    ),
    edited(
        "dvae:kl_to_uniform",
        "log_q.exp() * log_q",
        "log_q * log_q",
        "The exponential is forgotten: q is exp(log_q).",
        "L'exponentielle est oubliée : q est exp(log_q).",
    ),
    edited(
        "dvae:codebook_entropy",
        "q = log_q.exp().flatten(0, -2)",
        "q = log_q.flatten(0, -2)",
        "mean = q.mean(dim=0)",
        "mean = q.mean(dim=0).exp()",
        "The logarithms are averaged: take the exponential first, and then the mean distribution.",
        "Ce sont les logarithmes qui sont moyennés : prenez d'abord l'exponentielle, puis la loi moyenne.",
    ),
    edited(
        "dvae:codebook_entropy",
        "log_q.exp().flatten(0, -2)",
        "log_q.exp()",
        "weight.flatten() @ q",
        "weight.flatten() @ q.flatten(0, -2)",
        "The mean runs over the first axis alone, and the grid remains: all positions of all pictures count together.",
        "La moyenne porte sur le seul premier axe, et la grille reste : toutes les positions de toutes les images comptent ensemble.",
    ),
    edited(
        "dvae:codebook_entropy",
        "torch.special.entr(mean).sum()",
        "torch.special.entr(mean).sum() / math.log(log_q.shape[-1])",
        "It is divided by log k and goes from 0 to 1: the entropy in nats is wanted.",
        "Elle est divisée par log k et va de 0 à 1 : il faut l'entropie en nats.",
    ),
    edited(
        "dvae:codebook_entropy",
        "torch.special.entr(mean).sum()",
        "torch.special.entr(mean).sum() / math.log(2)",
        "It is in bits: the natural logarithm is wanted, which gives nats.",
        "Elle est en bits : il faut le logarithme naturel, qui donne des nats.",
    ),
    edited(
        "dvae:codebook_entropy",
        "weight.flatten() @ q / weight.sum().clamp(min=1e-6)",
        "weight.flatten().softmax(dim=0) @ q",
        "The weights go through a softmax: divide them by their sum.",
        "Les poids passent par un softmax : divisez-les par leur somme.",
    ),
    edited(
        "dvae:codebook_entropy",
        "weight.flatten() @ q / weight.sum().clamp(min=1e-6)",
        "weight.flatten() @ q / len(q)",
        "The weighted sum is divided by the number of positions: divide it by the sum of the weights.",
        "La somme pondérée est divisée par le nombre de positions : divisez-la par la somme des poids.",
    ),
    edited(
        "dvae:codebook_entropy",
        "    if weight is None:",
        "    if True:",
        "The argument `weight` is not used: positions with a larger weight count for more in the mean.",
        "L'argument `weight` ne sert pas : les positions de poids plus grand comptent davantage dans la moyenne.",
    ),
    edited(
        "dvae:codebook_entropy",
        "weight.flatten() @ q / weight.sum().clamp(min=1e-6)",
        "weight.flatten() @ q",
        "The weights are not divided by their sum: the mean must be a distribution, of sum 1.",
        "Les poids ne sont pas divisés par leur somme : la moyenne doit être une loi, de somme 1.",
    ),
]
