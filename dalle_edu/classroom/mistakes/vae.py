"""Mistakes about the variational autoencoder: its parts, its loss and its samples."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.vae import reparametrise
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def half_forgotten(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return mean + log_variance.exp() * torch.randn(mean.shape, generator=generator, dtype=mean.dtype)


def log_variance_as_deviation(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return mean + log_variance * torch.randn(mean.shape, generator=generator, dtype=mean.dtype)


def gradient_cut(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    with torch.no_grad():
        return reparametrise(mean, log_variance, generator)


def averaged_over_latents(mean: Tensor, log_variance: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=-1)


def other_direction(mean: Tensor, log_variance: Tensor) -> Tensor:
    return 0.5 * ((1 + mean.square()) * (-log_variance).exp() - 1 + log_variance).sum(dim=-1)


def sign_lost(mean: Tensor, log_variance: Tensor) -> Tensor:
    return 0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=-1)


def squashed_twice(images: Tensor, logits: Tensor) -> Tensor:
    return -F.binary_cross_entropy_with_logits(logits.sigmoid(), images, reduction="none").sum(dim=-1)


def deviation_not_squared(images: Tensor, mean: Tensor, std: float = 1.0) -> Tensor:
    return -0.5 * ((images - mean).square() / std + math.log(2 * math.pi * std)).sum(dim=-1)


def kept_off_zero(least: float) -> Any:
    """The log-likelihood with a small number in both logarithms."""

    def log_likelihood(images: Tensor, logits: Tensor) -> Tensor:
        white = logits.sigmoid()
        return (images * (white + least).log() + (1 - images) * (1 - white + least).log()).sum(dim=-1)

    log_likelihood.__name__ = f"kept_off_zero_by_{least:g}"
    return log_likelihood


PARTS_ATTACHED = (
    "The parts keep their gradient, and whoever notes them down keeps the graph of every batch in memory; detach all but the loss.",
    "Les parties gardent leur gradient, et qui les note garde en mémoire le graphe de chaque lot ; détachez tout sauf la perte.",
)

MISTAKES = [
    Mistake(
        "vae:reparametrise",
        half_forgotten,
        "The noise is scaled by the variance; the standard deviation is exp(log_variance / 2), with the half.",
        "Le bruit est multiplié par la variance ; l'écart-type est exp(log_variance / 2), avec le demi.",
    ),
    Mistake(
        "vae:reparametrise",
        log_variance_as_deviation,
        "The log-variance serves as a standard deviation, and may be negative; take exp(log_variance / 2).",
        "La log-variance sert d'écart-type, et peut être négative ; prenez exp(log_variance / 2).",
    ),
    Mistake(
        "vae:reparametrise",
        gradient_cut,
        "Sampling cuts the gradient, and the encoder learns nothing from the picture; write it as mean + σ ε, with the chance in ε.",
        "Le tirage coupe le gradient, et l'encodeur n'apprend rien de l'image ; écrivez-le moyenne + σ ε, le hasard étant dans ε.",
    ),
    Mistake(
        "vae:kl_to_standard_normal",
        averaged_over_latents,
        "The KL is averaged over the latents: each new dimension then makes the others cheaper; sum it.",
        "La KL est moyennée sur les latents : chaque dimension ajoutée rend alors les autres moins chères ; sommez-la.",
    ),
    Mistake(
        "vae:kl_to_standard_normal",
        other_direction,
        "This is KL(prior || posterior); the ELBO wants KL(posterior || prior), which is not the same number.",
        "C'est KL(a priori || a posteriori) ; l'ELBO veut KL(a posteriori || a priori), qui n'est pas le même nombre.",
    ),
    Mistake(
        "vae:kl_to_standard_normal",
        sign_lost,
        "The KL came out negative, and adding it to the loss drives the clouds away from the prior; a KL is never below 0.",
        "La KL est négative, et l'ajouter à la perte éloigne les nuages de l'a priori ; une KL n'est jamais négative.",
    ),
    Mistake(
        "vae:bernoulli_log_likelihood",
        squashed_twice,
        "The sigmoid is taken twice, so no pixel can be surer than 73 %; hand the logits over as they are.",
        "La sigmoïde est appliquée deux fois : aucun pixel ne peut dépasser 73 % ; donnez les logits tels quels.",
    ),
    edited(
        "vae:bernoulli_log_likelihood",
        "(if_white + if_black).sum(dim=-1)",
        "(if_white + if_black).mean(dim=-1)",
        "The log-likelihood is averaged over pixels; the probability of a picture is a product over its pixels: sum their logarithms.",
        "La log-vraisemblance est moyennée sur les pixels ; la probabilité d'une image est un produit : sommez les logarithmes.",
    ),
    edited(
        "vae:bernoulli_log_likelihood",
        "return (if_white",
        "return -(if_white",
        "This is the cross-entropy, the negative of what is asked; a log-likelihood of pixels of 0 or 1 is never above 0.",
        "C'est l'entropie croisée, l'opposé de ce qui est demandé ; une log-vraisemblance de pixels de 0 ou 1 n'est jamais positive.",
    ),
    edited(
        "vae:bernoulli_log_likelihood",
        "F.logsigmoid(logits)",
        "logits.sigmoid().log()",
        "F.logsigmoid(-logits)",
        "(1 - logits.sigmoid()).log()",
        "Where a logit is large, its sigmoid is rounded to 0 or 1, and the logarithm is infinite; use `F.logsigmoid`.",
        "Là où un logit est grand, sa sigmoïde est arrondie à 0 ou 1, et le logarithme est infini ; employez `F.logsigmoid`.",
    ),
    Mistake(
        "vae:gaussian_log_likelihood",
        deviation_not_squared,
        "The standard deviation stands where the variance belongs, under the squared error and in the logarithm; square it in both.",
        "L'écart-type tient la place de la variance, sous le carré de l'erreur et dans le logarithme ; élevez-le deux fois au carré.",
    ),
    edited(
        "vae:gaussian_log_likelihood",
        "(squared_error + math.log(2 * math.pi * std**2))",
        "squared_error",
        "The constant is missing: a density is divided by √(2π std²), and each pixel brings its logarithm.",
        "Il manque la constante : une densité est divisée par √(2π std²), et chaque pixel en apporte le logarithme.",
    ),
    edited(
        "vae:gaussian_log_likelihood",
        "return -0.5 * (squared_error + math.log(2 * math.pi * std**2)).sum(dim=-1)",
        "return -0.5 * (squared_error.sum(dim=-1) + math.log(2 * math.pi * std**2))",
        "The constant is counted once for the whole picture; every pixel brings one: add it before the sum.",
        "La constante est comptée une fois pour toute l'image ; chaque pixel en apporte une : ajoutez-la avant la somme.",
    ),
    edited(
        "vae:gaussian_log_likelihood",
        ".sum(dim=-1)",
        ".mean(dim=-1)",
        "The log-likelihood is averaged over pixels; the density of a picture is a product over its pixels: sum their logarithms.",
        "La log-vraisemblance est moyennée sur les pixels ; la densité d'une image est un produit : sommez les logarithmes.",
    ),
    edited(
        "vae:VAE",
        "-self.log_likelihood(images, latents).mean()",
        "-self.log_likelihood(images, latents).mean() / images.shape[1]",
        "The reconstruction is averaged over pixels while the KL is summed: the KL wins and the latents go unused; sum both.",
        "La reconstruction est moyennée sur les pixels et la KL sommée : la KL l'emporte et les latents restent vides ; sommez les deux.",
    ),
    edited(
        "vae:VAE",
        "kl_to_standard_normal(mean, log_variance).mean()",
        "kl_to_standard_normal(mean, log_variance).sum()",
        "The KL is summed over the batch, so beta grows with the batch size; average over pictures, as for the reconstruction.",
        "La KL est sommée sur le lot : beta grandit avec la taille du lot ; moyennez sur les images, comme pour la reconstruction.",
    ),
    edited(
        "vae:VAE",
        "reconstruction + self.config.beta * kl",
        "reconstruction + kl",
        "The loss forgets beta, the weight of the KL; only the ELBO goes without it.",
        "La perte oublie bêta, le poids de la KL ; seul l'ELBO s'en passe.",
    ),
    edited(
        "vae:VAE",
        "latents = reparametrise(mean, log_variance, generator)",
        "latents = mean",
        "The decoder sees the mean of the latents and never a sample: this is an autoencoder with a penalty; sample the latents.",
        "Le décodeur voit la moyenne des latents, jamais un tirage : c'est un auto-encodeur à pénalité ; tirez les latents.",
    ),
    edited(
        "vae:VAE",
        "latents = torch.randn(",
        "latents = torch.rand(",
        "New pictures come from latents that are uniform between 0 and 1; the prior is the standard normal: use `torch.randn`.",
        "Les images nouvelles viennent de latents uniformes entre 0 et 1 ; l'a priori est la normale réduite : employez `torch.randn`.",
    ),
    edited(
        "vae:VAE",
        "return self.decode(latents)",
        "return self.decoder(latents)",
        "The samples are what the decoder gives, logits under the Bernoulli likelihood; `decode` makes pixels of them.",
        "Les tirages sont les sorties du décodeur, des logits sous la loi de Bernoulli ; `decode` en fait des pixels.",
    ),
    edited(
        "vae:VAE",
        "elbo = -(reconstruction + kl)",
        "elbo = -(reconstruction + self.config.beta * kl)",
        "The ELBO has beta in it, and no longer bounds log p(image) unless beta is 1; only the loss is weighted.",
        "L'ELBO contient bêta, et ne borne plus log p(image) que si bêta vaut 1 ; seule la perte est pondérée.",
    ),
    edited(
        "vae:VAE",
        "reconstruction.detach()",
        "reconstruction",
        "kl.detach()",
        "kl",
        "elbo.detach()",
        "elbo",
        *PARTS_ATTACHED,
    ),
    edited(
        "vae:reparametrise",
        "mean.shape,",
        "(*mean.shape[:-1], 1),",
        "All latents of a picture share one ε, so that they rise and fall together; sample one for each: the shape of `mean`.",
        "Tous les latents d'une image ont le même ε, et montent ou descendent ensemble ; tirez-en un pour chacun : la forme de `mean`.",
    ),
    edited(
        "vae:kl_to_standard_normal",
        "log_variance.exp() - 1 - log_variance",
        "(2 * log_variance).exp() - 1 - 2 * log_variance",
        "The log-variance is taken for the logarithm of σ and doubled; it is that of σ² already.",
        "La log-variance est prise pour le logarithme de σ, et doublée ; c'est déjà celui de σ².",
    ),
    *(
        Mistake(
            "vae:bernoulli_log_likelihood",
            kept_off_zero(least),
            "A small number under the logarithm keeps it finite but wrong: no pixel costs more than its logarithm; use `F.logsigmoid`.",
            "Un petit nombre sous le logarithme le garde fini, mais faux : le coût d'un pixel en est borné ; employez `F.logsigmoid`.",
        )
        for least in (1e-8, 1e-7, 1e-6, 1e-10, 1e-12)
    ),
    edited(
        "vae:gaussian_log_likelihood",
        "((images - mean) / std).square()",
        "(images - mean).square() / std",
        "The squared error is divided by the standard deviation; a density divides it by the variance, std².",
        "L'erreur au carré est divisée par l'écart-type ; une densité la divise par la variance, std².",
    ),
    edited(
        "vae:bernoulli_log_likelihood",
        "if_white + if_black",
        "if_white",
        "Only the white pixels count: a black one adds log(1 - p), which rewards a decoder that leaves it black.",
        "Seuls les pixels blancs comptent : un noir ajoute log(1 - p), qui récompense un décodeur de le laisser noir.",
    ),
    edited(
        "vae:kl_to_standard_normal",
        "log_variance.exp() - 1",
        "log_variance.exp().square() - 1",
        "The variance is squared; the exponential of the log-variance is σ² already, and only the mean is squared.",
        "La variance est mise au carré ; l'exponentielle de la log-variance est déjà σ², et seule la moyenne est au carré.",
    ),
    edited(
        "vae:kl_to_standard_normal",
        "log_variance.exp() - 1",
        "log_variance.square() - 1",
        "The log-variance is squared where the variance belongs; the variance is its exponential.",
        "La log-variance est mise au carré là où il faut la variance ; la variance est son exponentielle.",
    ),
]
