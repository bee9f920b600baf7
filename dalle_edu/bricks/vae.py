"""The variational autoencoder, or VAE (Kingma & Welling 2014).

The encoder gives a normal distribution over the latents of each picture; the
decoder gives a distribution over the pixels for any latents. The evidence lower
bound (ELBO) has two parts, a log-likelihood and a KL divergence. Each is a function
here, and the network is trained on their sum. The last functions walk among the
latents: over a grid, along a line, along an arc. Lesson 07.

Letters: n pictures, d pixels, k latent values, s samples of the latents.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.bricks.autoencoder import _check_pixels, network
from dalle_edu.errors import DalleEduError


def reparametrise(
    mean: Float[Tensor, "*n k"],
    log_variance: Float[Tensor, "*n k"],
    generator: torch.Generator,
) -> Float[Tensor, "*n k"]:
    """Sample latents from N(mean, variance) as mean + σ ε, ε standard normal.

    `log_variance` is the natural logarithm of σ², so that σ is exp(log_variance /
    2). ε comes from `torch.randn`, called once, with `generator` and the shape,
    device and dtype of `mean`. All the randomness is in ε, so that the gradient
    flows through the mean and σ (Kingma & Welling 2014, section 2.4).
    """
    noise = torch.randn(
        mean.shape, generator=generator, device=mean.device, dtype=mean.dtype
    )
    return mean + (log_variance / 2).exp() * noise


def kl_to_standard_normal(
    mean: Float[Tensor, "*n k"], log_variance: Float[Tensor, "*n k"]
) -> Float[Tensor, "*n"]:
    """KL(N(mean, variance) || N(0, 1)) of each picture, in nats.

    It is the sum over the picture's latents, which are the last axis, and 0 where
    all means and log-variances are 0 (Kingma & Welling 2014, appendix B).
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1)


def bernoulli_log_likelihood(
    images: Float[Tensor, "*n d"], logits: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """log p(image | latents) of each picture, in nats, for pixels of 0 or 1.

    Each pixel x is 1 with probability p = sigmoid(logit), and the result is the sum
    over pixels of x log p + (1 - x) log(1 - p), natural logarithms, finite however
    large a logit is. Greys between 0 and 1 are taken for probabilities, as is
    usual: the loss works, but it is no longer the logarithm of a density
    (Loaiza-Ganem & Cunningham 2019).

    Raises `DalleEduError` for pixels outside [0, 1].
    """
    _check_pixels_in_range(images)
    if_white = images * F.logsigmoid(logits)
    if_black = (1 - images) * F.logsigmoid(-logits)
    return (if_white + if_black).sum(dim=-1)


def _check_pixels_in_range(images: Tensor) -> None:
    if images.numel() and (images.min() < 0 or images.max() > 1):
        raise DalleEduError(
            f"the pixels go from {images.min():g} to {images.max():g}; a Bernoulli "
            "likelihood wants them in [0, 1]: rescale them",
            f"les pixels vont de {images.min():g} à {images.max():g} ; une "
            "vraisemblance de Bernoulli les veut dans [0, 1] : ramenez-les-y",
        )


def gaussian_log_likelihood(
    images: Float[Tensor, "*n d"], mean: Float[Tensor, "*n d"], std: float = 1.0
) -> Float[Tensor, "*n"]:
    """log p(image | latents) of each picture, in nats, for pixels of N(mean, std²).

    The result is the sum over pixels of the squared error divided by -2 std², plus
    a constant, -log(2π std²) / 2 for each pixel. The smaller `std`, the finer the
    detail that counts, and the less the KL weighs beside it.

    Raises `DalleEduError` unless `std` is above 0.
    """
    _check_std(std)
    squared_error = ((images - mean) / std).square()
    return -0.5 * (squared_error + math.log(2 * math.pi * std**2)).sum(dim=-1)


def _check_std(std: float) -> None:
    if std <= 0:
        raise DalleEduError(
            f"the standard deviation of a pixel is {std}; choose one above 0",
            f"l'écart-type d'un pixel est {std} ; choisissez-le supérieur à 0",
        )


LIKELIHOODS: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "bernoulli": lambda images, logits, _: bernoulli_log_likelihood(images, logits),
    "gaussian": gaussian_log_likelihood,
}


@dataclass(frozen=True)
class VAEConfig:
    """The shape of a VAE, its likelihood, and the weight of its KL.

    `hidden` are the widths of the encoder's layers, which the decoder takes in
    reverse. `std` is that of a pixel under the Gaussian likelihood. `beta`
    multiplies the KL; above 1 it asks more of the latents' order and less of the
    picture (β-VAE, Higgins et al. 2017).

    Raises `DalleEduError` for an unknown likelihood, a `std` not above 0, no latent
    at all, or a negative `beta`.
    """

    pixels: int = 64
    latent: int = 10
    hidden: tuple[int, ...] = (256, 128)
    likelihood: str = "bernoulli"
    std: float = 0.2
    beta: float = 1.0

    def __post_init__(self) -> None:
        if self.likelihood not in LIKELIHOODS:
            raise DalleEduError(
                f'the likelihood is "{self.likelihood}"; choose '
                f"{' or '.join(LIKELIHOODS)}",
                f"la vraisemblance est « {self.likelihood} » ; choisissez "
                f"{' ou '.join(LIKELIHOODS)}",
            )
        _check_std(self.std)
        if self.latent < 1 or self.beta < 0:
            raise DalleEduError(
                f"latent is {self.latent} and beta {self.beta}; there must be at "
                "least 1 latent, and beta may not be below 0",
                f"latent vaut {self.latent} et beta {self.beta} ; il faut au moins "
                "1 latent, et beta ne peut descendre sous 0",
            )


class VAE(nn.Module):
    """An encoder and a decoder, with normally distributed latents between them.

    The encoder gives the mean and the log-variance of each latent. The decoder
    gives each pixel's logit (Bernoulli) or mean (Gaussian).

    The loss sums over pixels and over latents, and averages over pictures, because
    the likelihood and the KL both belong to one whole picture. To average either
    over its own axis would change their balance, and with it what `beta` = 1 means.
    """

    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        self.encoder = network(config.pixels, config.hidden, 2 * config.latent)
        self.decoder = network(config.latent, config.hidden[::-1], config.pixels)

    def encode(
        self, images: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n k"]]:
        """The mean and the log-variance of each picture's latents.

        Raises `DalleEduError` for another number of pixels than the
        configuration's.
        """
        _check_pixels(images, self.config.pixels)
        mean, log_variance = self.encoder(images).chunk(2, dim=-1)
        return mean, log_variance

    def decode(self, latents: Float[Tensor, "*n k"]) -> Float[Tensor, "*n d"]:
        """The mean of each pixel, given the latents.

        Under the Bernoulli likelihood it is in [0, 1].
        """
        output = self.decoder(latents)
        return output.sigmoid() if self.config.likelihood == "bernoulli" else output

    def log_likelihood(
        self, images: Float[Tensor, "*n d"], latents: Float[Tensor, "*n k"]
    ) -> Float[Tensor, "*n"]:
        """log p(image | latents) of each picture, in nats."""
        log_likelihood = LIKELIHOODS[self.config.likelihood]
        return log_likelihood(images, self.decoder(latents), self.config.std)

    def loss(
        self, images: Float[Tensor, "n d"], generator: torch.Generator
    ) -> dict[str, Float[Tensor, ""]]:
        """The negative ELBO, with `beta` times its KL, and its parts, in nats.

        "reconstruction" is minus the log-likelihood, given latents of each picture
        that `reparametrise` samples once. "elbo" is -(reconstruction + kl), without
        `beta`. "loss" is reconstruction + beta * kl; with beta = 1 it is minus the
        ELBO (Kingma & Welling 2014, equation 3). All values are means over
        pictures, and all but "loss" are detached.
        """
        mean, log_variance = self.encode(images)
        latents = reparametrise(mean, log_variance, generator)
        reconstruction = -self.log_likelihood(images, latents).mean()
        kl = kl_to_standard_normal(mean, log_variance).mean()
        elbo = -(reconstruction + kl)
        return {
            "loss": reconstruction + self.config.beta * kl,
            "reconstruction": reconstruction.detach(),
            "kl": kl.detach(),
            "elbo": elbo.detach(),
        }

    @torch.no_grad()
    def sample(
        self, count: int, generator: torch.Generator
    ) -> Float[Tensor, "{count} d"]:
        """Pictures decoded from latents that are sampled from N(0, 1).

        They come from one `torch.randn`, in the dtype of the network's weights, and
        on their device, where `generator` must live.
        """
        weight = next(self.parameters())
        latents = torch.randn(
            count,
            self.config.latent,
            generator=generator,
            device=weight.device,
            dtype=weight.dtype,
        )
        return self.decode(latents)


@torch.no_grad()
def importance_log_likelihood(
    vae: VAE, images: Float[Tensor, "n d"], samples: int, generator: torch.Generator
) -> Float[Tensor, " n"]:
    """An importance-sampling estimate of each picture's log p(image), in nats.

    It is the logarithm of the mean of the weights p(image | z) p(z) / q(z | image),
    over `samples` samples z of q (Burda et al. 2016). p(z) is the standard normal.
    The weights are so small that only logarithms can hold them. On average the
    estimate is too low, less so with more samples; with one it estimates the ELBO.

    Raises `DalleEduError` for fewer than 1 sample.
    """
    if samples < 1:
        raise DalleEduError(
            f"{samples} samples were asked for; the estimate needs at least 1",
            f"{samples} échantillons sont demandés ; il en faut au moins 1",
        )
    mean, log_variance = (
        part.expand(samples, *part.shape) for part in vae.encode(images)
    )
    latents = reparametrise(mean, log_variance, generator)  # s n k
    log_prior = gaussian_log_likelihood(latents, torch.zeros_like(latents))
    standardised = (latents - mean) * (-log_variance / 2).exp()
    log_q = gaussian_log_likelihood(standardised, torch.zeros_like(mean))
    log_q = log_q - log_variance.sum(dim=-1) / 2
    repeated = images.expand(samples, *images.shape)
    log_weights = vae.log_likelihood(repeated, latents) + log_prior - log_q
    return log_weights.logsumexp(dim=0) - math.log(samples)


def latent_plane(side: int) -> Float[Tensor, "{side} {side} 2"]:
    """A square grid of two latents, evenly spaced in *probability*.

    Its coordinates are the inverse normal distribution function of (i + ½) / side,
    i from 0 to side - 1. A grid evenly spaced in value would spend most of its
    pictures where the prior hardly goes. The first latent grows to the right, with
    the column; the second upwards, so that row 0 has the largest.

    Raises `DalleEduError` for a side below 1.
    """
    if side < 1:
        raise DalleEduError(
            f"the side is {side}; a grid has at least 1",
            f"le côté est {side} ; une grille en a au moins 1",
        )
    probabilities = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    values = torch.special.ndtri(probabilities).to(torch.get_default_dtype())
    grid = torch.meshgrid(values, values.flip(0), indexing="xy")
    return torch.stack(grid, dim=-1)


def _check_steps(steps: int) -> None:
    if steps < 2:
        raise DalleEduError(
            f"{steps} steps were asked for; a walk has at least 2",
            f"{steps} étapes sont demandées ; un chemin en a au moins 2",
        )


def interpolate(
    first: Float[Tensor, " k"], second: Float[Tensor, " k"], steps: int
) -> Float[Tensor, "{steps} k"]:
    """Linear interpolation from one latent to another, both ends included.

    The `steps` rows are evenly spaced, in the dtype and on the device of `first`.

    Raises `DalleEduError` for fewer than 2 steps.
    """
    _check_steps(steps)
    part = torch.linspace(0, 1, steps, device=first.device, dtype=first.dtype)
    part = part.unsqueeze(-1)
    return (1 - part) * first + part * second


def slerp(
    first: Float[Tensor, " k"], second: Float[Tensor, " k"], steps: int
) -> Float[Tensor, "{steps} k"]:
    """Spherical linear interpolation: along the arc, both ends included.

    The method is Shoemake's (1985), for latents White's (2016). With Ω the angle
    between the latents, part t of the way is sin((1 - t) Ω) / sin Ω of the first,
    plus sin(t Ω) / sin Ω of the second. Where Ω is below 1e-6, it is the straight
    line. In many dimensions nearly all of a normal distribution lies near a sphere
    of radius √k, and the straight line cuts through its empty inside.

    Raises `DalleEduError` for opposite latents, which have no arc between them, for
    a zero latent, which has no direction, and for fewer than 2 steps.
    """
    _check_steps(steps)
    _check_arc(first, second)
    part = torch.linspace(0, 1, steps, device=first.device, dtype=first.dtype)
    part = part.unsqueeze(-1)
    u, v = F.normalize(first, dim=0), F.normalize(second, dim=0)
    # the inverse cosine of a small angle would lose half of its digits
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())
    if angle < 1e-6:
        # the arc is straight, and the division below would be 0 / 0
        return interpolate(first, second, steps)
    of_first = torch.sin((1 - part) * angle) * first
    of_second = torch.sin(part * angle) * second
    return (of_first + of_second) / torch.sin(angle)


def _check_arc(first: Tensor, second: Tensor) -> None:
    together = (F.normalize(first, dim=0) + F.normalize(second, dim=0)).norm()
    if not first.any() or not second.any() or together < 1e-4:
        raise DalleEduError(
            "no arc leads from one latent to the other: they are opposite, or one "
            "is zero; take another pair, or go straight",
            "aucun arc ne mène d'un latent à l'autre : ils sont opposés, ou l'un "
            "est nul ; prenez une autre paire, ou allez tout droit",
        )
