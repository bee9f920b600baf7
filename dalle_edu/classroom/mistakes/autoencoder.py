"""Mistakes about autoencoders."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.autoencoder import PCA, Autoencoder, expect_pixels
from dalle_edu.bricks.vae import VAE, kl_to_standard_normal, reparametrise
from dalle_edu.classroom.checking.proof import Mistake


def not_centred(data: Tensor, latent: int) -> PCA:
    _, singular, directions = torch.linalg.svd(data, full_matrices=False)
    return PCA(torch.zeros_like(data[0]), directions[:latent], singular[:latent] ** 2 / (len(data) - 1))


class LatentsOfLengthOne(Autoencoder):
    def forward(self, images: Tensor) -> Tensor:
        expect_pixels(images, self.pixels)
        return self.decoder(F.normalize(self.encoder(images), dim=-1))


class PicturesThroughSigmoid(Autoencoder):
    def forward(self, images: Tensor) -> Tensor:
        expect_pixels(images, self.pixels)
        return self.decoder(self.encoder(images)).sigmoid()


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


class PixelsAveraged(VAE):
    def loss(self, images: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        mean, log_variance = self.encode(images)
        fit = -self.log_likelihood(images, reparametrise(mean, log_variance, generator)).mean() / images.shape[1]
        kl = kl_to_standard_normal(mean, log_variance).mean()
        return {"loss": fit + self.config.beta * kl, "reconstruction": fit, "kl": kl}


class KLSummedOverTheBatch(VAE):
    def loss(self, images: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        mean, log_variance = self.encode(images)
        fit = -self.log_likelihood(images, reparametrise(mean, log_variance, generator)).mean()
        kl = kl_to_standard_normal(mean, log_variance).sum()
        return {"loss": fit + self.config.beta * kl, "reconstruction": fit, "kl": kl}


def mean_of_logarithms(vae: VAE, images: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    images = images.expand(samples, *images.shape)
    mean, log_variance = vae.encode(images.flatten(0, 1))
    latents = reparametrise(mean, log_variance, generator).unflatten(0, images.shape[:2])
    kl = kl_to_standard_normal(mean, log_variance).unflatten(0, images.shape[:2])
    return (vae.log_likelihood(images, latents) - kl).mean(dim=0).detach()


def even_in_space(side: int) -> Tensor:
    points = torch.linspace(-3, 3, side)
    return torch.stack(torch.meshgrid(points, points.flip(0), indexing="xy"), dim=-1)


def straight_then_stretched(first: Tensor, second: Tensor, steps: int) -> Tensor:
    part = torch.linspace(0, 1, steps, dtype=first.dtype).unsqueeze(-1)
    straight = (1 - part) * first + part * second
    return F.normalize(straight, dim=-1) * ((1 - part) * first.norm() + part * second.norm())


MISTAKES = [
    Mistake(
        "autoencoder:Autoencoder",
        LatentsOfLengthOne,
        "The latents are brought to length 1, so how far a picture lies from the mean is lost; leave them as they are.",
        "Les latents sont ramenés à la longueur 1 : la distance d'une image à la moyenne est perdue ; laissez-les tels quels.",
    ),
    Mistake(
        "autoencoder:Autoencoder",
        PicturesThroughSigmoid,
        "A sigmoid at the end keeps every pixel between 0 and 1, and this squared error is for pixels of any value; leave it out.",
        "Une sigmoïde à la fin retient chaque pixel entre 0 et 1, or cette erreur quadratique vaut pour des pixels quelconques ; ôtez-la.",
    ),
    Mistake(
        "autoencoder:pca",
        not_centred,
        "The data are not centred: the first direction points at the mean instead of along the spread; subtract the mean first.",
        "Les données ne sont pas centrées : la première direction vise la moyenne, non l'étalement ; retranchez d'abord la moyenne.",
    ),
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
        "The draw cuts the gradient, and the encoder learns nothing from the picture; write it as mean + σ ε, with the chance in ε.",
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
    Mistake(
        "vae:gaussian_log_likelihood",
        deviation_not_squared,
        "The standard deviation stands where the variance belongs, under the squared error and in the logarithm; square it in both.",
        "L'écart-type tient la place de la variance, sous le carré de l'erreur et dans le logarithme ; élevez-le deux fois au carré.",
    ),
    Mistake(
        "vae:VAE",
        PixelsAveraged,
        "The reconstruction is averaged over pixels while the KL is summed: the KL wins and the latents go unused; sum both.",
        "La reconstruction est moyennée sur les pixels et la KL sommée : la KL l'emporte et les latents restent vides ; sommez les deux.",
    ),
    Mistake(
        "vae:VAE",
        KLSummedOverTheBatch,
        "The KL is summed over the batch, so beta grows with the batch size; average over pictures, as for the reconstruction.",
        "La KL est sommée sur le lot : beta grandit avec la taille du lot ; moyennez sur les images, comme pour la reconstruction.",
    ),
    Mistake(
        "vae:importance_log_likelihood",
        mean_of_logarithms,
        "The mean of the logarithms is the ELBO again, however many draws; take the logarithm of the mean of the weights.",
        "La moyenne des logarithmes redonne l'ELBO, quel que soit le nombre de tirages ; prenez le logarithme de la moyenne des poids.",
    ),
    Mistake(
        "vae:latent_plane",
        even_in_space,
        "The grid is even in space and goes where the prior hardly does; make it even in probability, by the quantile function.",
        "La grille, régulière dans l'espace, va où l'a priori ne va guère ; rendez-la régulière en probabilité, par les quantiles.",
    ),
    Mistake(
        "vae:slerp",
        straight_then_stretched,
        "The straight way pushed out to the sphere goes fast in the middle; weigh the ends by sines of the angle for an even pace.",
        "La ligne droite repoussée sur la sphère va vite au milieu ; pondérez les bouts par des sinus de l'angle, et le pas sera égal.",
    ),
]
