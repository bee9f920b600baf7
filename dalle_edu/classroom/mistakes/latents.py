"""Mistakes about what a VAE's latents are used for: likelihoods, planes and walks."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.vae import VAE, kl_to_standard_normal, reparametrise
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def mean_of_logarithms(vae: VAE, images: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    images = images.expand(samples, *images.shape)
    mean, log_variance = vae.encode(images.flatten(0, 1))
    latents = reparametrise(mean, log_variance, generator).unflatten(0, images.shape[:2])
    kl = kl_to_standard_normal(mean, log_variance).unflatten(0, images.shape[:2])
    return (vae.log_likelihood(images, latents) - kl).mean(dim=0).detach()


def even_in_space(side: int) -> Tensor:
    points = torch.linspace(-3, 3, side)
    return torch.stack(torch.meshgrid(points, points.flip(0), indexing="xy"), dim=-1)


def end_left_out(first: Tensor, second: Tensor, steps: int) -> Tensor:
    part = torch.arange(steps, dtype=first.dtype).unsqueeze(-1) / steps
    return (1 - part) * first + part * second


def both_ends_left_out(first: Tensor, second: Tensor, steps: int) -> Tensor:
    part = torch.arange(1, steps + 1, dtype=first.dtype).unsqueeze(-1) / (steps + 1)
    return (1 - part) * first + part * second


def straight_then_stretched(first: Tensor, second: Tensor, steps: int) -> Tensor:
    part = torch.linspace(0, 1, steps, dtype=first.dtype).unsqueeze(-1)
    straight = (1 - part) * first + part * second
    return F.normalize(straight, dim=-1) * ((1 - part) * first.norm() + part * second.norm())


def angle_of_long_latents(first: Tensor, second: Tensor, steps: int) -> Tensor:
    part = torch.linspace(0, 1, steps, dtype=first.dtype).unsqueeze(-1)
    angle = torch.acos((first @ second).clamp(-1, 1))
    if angle < 1e-6:
        return (1 - part) * first + part * second
    return (torch.sin((1 - part) * angle) * first + torch.sin(part * angle) * second) / torch.sin(angle)


THE_ELBO_AGAIN = (
    "The mean of the logarithms is the ELBO again, however many draws; take the logarithm of the mean of the weights.",
    "La moyenne des logarithmes redonne l'ELBO, quel que soit le nombre de tirages ; prenez le logarithme de la moyenne des poids.",
)

MISTAKES = [
    Mistake("vae:importance_log_likelihood", mean_of_logarithms, *THE_ELBO_AGAIN),
    edited(
        "vae:importance_log_likelihood",
        "log_weights.logsumexp(dim=0) - math.log(samples)",
        "log_weights.mean(dim=0)",
        *THE_ELBO_AGAIN,
    ),
    edited(
        "vae:importance_log_likelihood",
        "log_weights.logsumexp(dim=0) - math.log(samples)",
        "log_weights.exp().mean(dim=0).log()",
        "The weights leave the logarithm and round to 0, whose logarithm is -inf; average them with `logsumexp`, minus log(samples).",
        "Les poids quittent le logarithme et s'arrondissent à 0, dont le logarithme est -inf ; prenez `logsumexp`, moins log(samples).",
    ),
    edited(
        "vae:importance_log_likelihood",
        " - math.log(samples)",
        "",
        "The weights are added up and not averaged: more samples make every picture likelier; subtract the logarithm of their number.",
        "Les poids sont ajoutés et non moyennés : plus de tirages, plus d'images probables ; retranchez le logarithme de leur nombre.",
    ),
    edited(
        "vae:importance_log_likelihood",
        "vae.log_likelihood(repeated, latents) + log_prior - log_q",
        "vae.log_likelihood(repeated, latents) + log_prior",
        "The samples come from q and are weighed as if they came from everywhere alike; divide each weight by q(z | image).",
        "Les tirages viennent de q et sont pesés comme s'ils venaient de partout ; divisez chaque poids par q(z | image).",
    ),
    edited(
        "vae:importance_log_likelihood",
        "    log_q = log_q - log_variance.sum(dim=-1) / 2\n",
        "",
        "The density of q lacks its factor 1/σ for each latent: subtract the sum of log_variance / 2.",
        "À la densité de q manque son facteur 1/σ pour chaque latent : retranchez la somme des log_variance / 2.",
    ),
    Mistake(
        "vae:latent_plane",
        even_in_space,
        "The grid is even in space and goes where the prior hardly does; make it even in probability, by the quantile function.",
        "La grille, régulière dans l'espace, va où l'a priori ne va guère ; rendez-la régulière en probabilité, par les quantiles.",
    ),
    edited(
        "vae:latent_plane",
        "values.flip(0)",
        "values",
        "The second latent grows downwards; row 0 is the top of the plane and has its largest value: flip it.",
        "Le second latent grandit vers le bas ; la ligne 0 est le haut du plan, et a sa plus grande valeur : retournez-le.",
    ),
    edited(
        "vae:latent_plane",
        'indexing="xy"',
        'indexing="ij"',
        "The first latent changes from row to row; it grows to the right, so that it changes from column to column.",
        "Le premier latent change de ligne en ligne ; il grandit vers la droite, donc de colonne en colonne.",
    ),
    edited(
        "vae:latent_plane",
        " + 0.5) / side",
        ") / side",
        "The first probability is 0, whose quantile is minus infinity; take the middle of each part, (i + ½) / side.",
        "La première probabilité est 0, dont le quantile est moins l'infini ; prenez le milieu de chaque part, (i + ½) / side.",
    ),
    edited(
        "vae:interpolate",
        "(1 - part) * first + part * second",
        "part * first + (1 - part) * second",
        "The walk begins at the second latent; at its beginning, part 0, all the weight belongs to the first.",
        "Le chemin part du second latent ; à son début, part 0, tout le poids va au premier.",
    ),
    Mistake(
        "vae:interpolate",
        end_left_out,
        "The walk stops one step short of the second latent; `steps` points have steps - 1 gaps between them: divide by that.",
        "Le chemin s'arrête un pas avant le second latent ; `steps` points ont steps - 1 intervalles : divisez par ce nombre.",
    ),
    Mistake(
        "vae:interpolate",
        both_ends_left_out,
        "The two ends are left out; both latents belong to the walk, as its first and its last point.",
        "Les deux bouts sont omis ; les deux latents font partie du chemin, comme premier et dernier points.",
    ),
    Mistake(
        "vae:slerp",
        straight_then_stretched,
        "The straight way pushed out to the sphere goes fast in the middle; weigh the ends by sines of the angle for an even pace.",
        "La ligne droite repoussée sur la sphère va vite au milieu ; pondérez les bouts par des sinus de l'angle, et le pas sera égal.",
    ),
    edited(
        "vae:slerp",
        "(of_first + of_second) / torch.sin(angle)",
        "of_first + of_second",
        "The weights are not divided by the sine of the angle, so the walk does not begin at the first latent; divide.",
        "Les poids ne sont pas divisés par le sinus de l'angle : le chemin ne part pas du premier latent ; divisez.",
    ),
    edited(
        "vae:slerp",
        "angle) * first",
        "angle) * u",
        "angle) * second",
        "angle) * v",
        "The walk leads between directions of length 1; the latents keep their own lengths: weigh `first` and `second`.",
        "Le chemin mène entre des directions de longueur 1 ; les latents gardent leurs longueurs : pondérez `first` et `second`.",
    ),
    Mistake(
        "vae:slerp",
        angle_of_long_latents,
        "The scalar product is a cosine between vectors of length 1 alone; divide it by both lengths before `acos`.",
        "Le produit scalaire n'est un cosinus qu'entre vecteurs de longueur 1 ; divisez-le par les deux longueurs avant `acos`.",
    ),
    edited(
        "vae:importance_log_likelihood",
        "(latents - mean) * (-log_variance / 2).exp()",
        "(latents - mean) * (-log_variance / 4).exp()",
        "In log q the squared distance from the mean is divided by σ; a density divides it by the variance, σ².",
        "Dans log q, le carré de la distance à la moyenne est divisé par σ ; une densité le divise par la variance, σ².",
    ),
    edited(
        "vae:slerp",
        "if angle < 1e-6",
        "if False",
        "Between latents of one direction the angle is 0, and its sine divides by 0; there the arc is straight: use `interpolate`.",
        "Entre latents de même direction, l'angle est nul, et l'on divise par son sinus, 0 ; l'arc y est droit : prenez `interpolate`.",
    ),
    edited(
        "vae:interpolate",
        "part = part.unsqueeze(-1)",
        "part = part[:-1].unsqueeze(-1)",
        "The last end is left out, and one row is missing; both latents belong to the walk: return `steps` rows.",
        "Le dernier bout est omis, et il manque une ligne ; les deux latents font partie du chemin : rendez `steps` lignes.",
    ),
    edited(
        "vae:latent_plane",
        "torch.stack(grid, dim=-1)",
        "torch.stack(grid[::-1], dim=-1)",
        "The two latents have changed places: the first, which grows to the right, comes first on the last axis.",
        "Les deux latents ont échangé leurs places : le premier, qui grandit vers la droite, vient d'abord sur le dernier axe.",
    ),
    edited(
        "vae:latent_plane",
        'values.flip(0), indexing="xy"',
        'values, indexing="ij"',
        "The axes are swapped and none is flipped: the first latent grows to the right, with the column, the second upwards.",
        "Les axes sont échangés, et aucun n'est retourné : le premier latent grandit vers la droite, le second vers le haut.",
    ),
]
