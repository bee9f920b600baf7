"""The variational autoencoder: an encoder that names a distribution, a decoder that
paints from any point of it (Kingma & Welling 2014).

The evidence lower bound (ELBO) has two parts, a log-likelihood and a KL divergence;
each is a function here, and the network is trained on their sum. Lesson 07.

Letters: n pictures, d pixels, k latent values.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.bricks.autoencoder import expect_pixels, network
from dalle_edu.errors import DalleEduError


def reparametrise(
    mean: Float[Tensor, "*n k"],
    log_variance: Float[Tensor, "*n k"],
    generator: torch.Generator,
) -> Float[Tensor, "*n k"]:
    """Draw from N(mean, variance) as mean + σ ε with ε standard normal (Kingma &
    Welling 2014, section 2.4).

    The chance is in ε, outside, so that the gradient flows through mean and σ =
    exp(log_variance / 2).
    """
    noise = torch.randn(
        mean.shape, generator=generator, device=mean.device, dtype=mean.dtype
    )
    return mean + (log_variance / 2).exp() * noise


def kl_to_standard_normal(
    mean: Float[Tensor, "*n k"], log_variance: Float[Tensor, "*n k"]
) -> Float[Tensor, "*n"]:
    """KL(N(mean, variance) || N(0, 1)) of each picture, in nats: the sum over its
    latents (Kingma & Welling 2014, appendix B).
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1)


def bernoulli_log_likelihood(
    images: Float[Tensor, "*n d"], logits: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n"]:
    """log p(image | latents) in nats when each pixel is white with probability
    sigmoid(logit): the sum over pixels.

    For pixels of 0 or 1. Greys between them are read as probabilities, as is usual:
    a good loss, and no longer the logarithm of a density (Loaiza-Ganem & Cunningham
    2019).
    """
    if images.numel() and (images.min() < 0 or images.max() > 1):
        raise DalleEduError(
            f"the pixels go from {images.min():g} to {images.max():g}; a Bernoulli "
            "likelihood wants them in [0, 1]: rescale them",
            f"les pixels vont de {images.min():g} à {images.max():g} ; une "
            "vraisemblance de Bernoulli les veut dans [0, 1] : ramenez-les-y",
        )
    return (
        images * F.logsigmoid(logits) + (1 - images) * F.logsigmoid(-logits)
    ).sum(dim=-1)


def gaussian_log_likelihood(
    images: Float[Tensor, "*n d"], mean: Float[Tensor, "*n d"], std: float = 1.0
) -> Float[Tensor, "*n"]:
    """log p(image | latents) in nats when each pixel is N(mean, std²): the sum over
    pixels.

    It is the squared error divided by -2 std², and a constant: a small `std` asks
    for fine detail, and weighs against the KL as much.
    """
    _expect_std(std)
    return -0.5 * (
        ((images - mean) / std).square() + math.log(2 * math.pi * std**2)
    ).sum(dim=-1)


def _expect_std(std: float) -> None:
    if std <= 0:
        raise DalleEduError(
            f"the standard deviation of a pixel is {std}; choose one above 0",
            f"l'écart-type d'un pixel est {std} ; choisissez-le supérieur à 0",
        )


LIKELIHOODS: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "bernoulli": lambda images, painted, std: bernoulli_log_likelihood(
        images, painted
    ),
    "gaussian": gaussian_log_likelihood,
}


@dataclass(frozen=True)
class VAEConfig:
    """The shape of a VAE and its likelihood; `beta` above 1 asks more of the
    latents' order and less of the picture (Higgins et al. 2017).

    `std` is that of a pixel under the Gaussian likelihood.
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
        _expect_std(self.std)
        if self.latent < 1 or self.beta < 0:
            raise DalleEduError(
                f"latent is {self.latent} and beta {self.beta}; there must be at "
                "least 1 latent, and beta may not be below 0",
                f"latent vaut {self.latent} et beta {self.beta} ; il faut au moins "
                "1 latent, et beta ne peut descendre sous 0",
            )


class VAE(nn.Module):
    """Encoder: the mean and the log-variance of each latent. Decoder: each pixel's
    logit (Bernoulli) or mean (Gaussian).

    The loss sums over pixels and over latents and averages over pictures, for both
    parts are logarithms of probabilities of one whole picture: to average either
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
        """The mean and the log-variance of each picture's latents."""
        expect_pixels(images, self.config.pixels)
        mean, log_variance = self.encoder(images).chunk(2, dim=-1)
        return mean, log_variance

    def decode(self, latents: Float[Tensor, "*n k"]) -> Float[Tensor, "*n d"]:
        """The pictures that latents stand for: the mean of each pixel."""
        painted = self.decoder(latents)
        return (
            painted.sigmoid() if self.config.likelihood == "bernoulli" else painted
        )

    def log_likelihood(
        self, images: Float[Tensor, "*n d"], latents: Float[Tensor, "*n k"]
    ) -> Float[Tensor, "*n"]:
        """log p(image | latents) of each picture, in nats."""
        return LIKELIHOODS[self.config.likelihood](
            images, self.decoder(latents), self.config.std
        )

    def loss(
        self, images: Float[Tensor, "n d"], generator: torch.Generator
    ) -> dict[str, Float[Tensor, ""]]:
        """reconstruction + beta * KL, and its parts; with beta = 1 it is minus the
        ELBO (Kingma & Welling 2014, equation 3).

        One draw of the latents for each picture. All are means over pictures, in
        nats.
        """
        mean, log_variance = self.encode(images)
        reconstruction = -self.log_likelihood(
            images, reparametrise(mean, log_variance, generator)
        ).mean()
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
        """Pictures painted from latents drawn at random: the generator must live on
        the network's device.
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
    """log p(image) of each picture, in nats, estimated: log of the mean of p(image,
    z) / q(z | image) over draws of z (Burda et al. 2016).

    Too low on average, less so with more draws; one draw makes an ELBO of it.
    """
    if samples < 1:
        raise DalleEduError(
            f"{samples} samples were asked for; the estimate needs at least 1",
            f"{samples} échantillons sont demandés ; l'estimation en veut au moins "
            "1",
        )
    mean, log_variance = (
        part.expand(samples, *part.shape) for part in vae.encode(images)
    )
    latents = reparametrise(mean, log_variance, generator)  # s n k
    log_prior = gaussian_log_likelihood(latents, torch.zeros_like(latents))
    log_q = (
        gaussian_log_likelihood(
            (latents - mean) * (-log_variance / 2).exp(), torch.zeros_like(mean)
        )
        - log_variance.sum(dim=-1) / 2
    )
    log_weights = (
        vae.log_likelihood(images.expand(samples, *images.shape), latents)
        + log_prior
        - log_q
    )
    return log_weights.logsumexp(dim=0) - math.log(samples)


def latent_plane(side: int) -> Float[Tensor, "{side} {side} 2"]:
    """A square grid of two latents that is even in *probability*: the inverse
    normal distribution function of (i + ½) / side.

    A grid that is even in space would spend most of its pictures where the prior
    hardly goes. The first latent grows to the right, the second one upwards.
    """
    if side < 1:
        raise DalleEduError(
            f"the side is {side}; a grid has at least 1",
            f"le côté est {side} ; une grille en a au moins 1",
        )
    points = torch.special.ndtri(
        (torch.arange(side, dtype=torch.float64) + 0.5) / side
    ).to(torch.get_default_dtype())
    return torch.stack(
        torch.meshgrid(points, points.flip(0), indexing="xy"), dim=-1
    )


def _parts(steps: int, like: Tensor) -> Float[Tensor, "steps 1"]:
    if steps < 2:
        raise DalleEduError(
            f"{steps} steps were asked for; a walk from one latent to another has "
            "at least 2",
            f"{steps} étapes sont demandées ; un chemin d'un latent à un autre en "
            "a au moins 2",
        )
    return torch.linspace(
        0, 1, steps, device=like.device, dtype=like.dtype
    ).unsqueeze(-1)


def interpolate(
    first: Float[Tensor, " k"], second: Float[Tensor, " k"], steps: int
) -> Float[Tensor, "{steps} k"]:
    """The straight way from one latent to another, both ends included."""
    part = _parts(steps, first)
    return (1 - part) * first + part * second


def slerp(
    first: Float[Tensor, " k"], second: Float[Tensor, " k"], steps: int
) -> Float[Tensor, "{steps} k"]:
    """The way along the arc, both ends included (Shoemake 1985; for latents, White
    2016).

    In many dimensions nearly all of a normal distribution lies near a sphere of
    radius √k, and the straight way cuts through its empty inside. Opposite latents
    have no arc between them, nor has the zero latent a direction: `DalleEduError`.
    """
    part = _parts(steps, first)
    u, v = F.normalize(first, dim=0), F.normalize(second, dim=0)
    apart, together = (u - v).norm(), (u + v).norm()
    if not first.any() or not second.any() or together < 1e-4:
        raise DalleEduError(
            "no arc leads from one latent to the other: they are opposite, or one "
            "is zero; take another pair, or go straight",
            "aucun arc ne mène d'un latent à l'autre : ils sont opposés, ou l'un "
            "est nul ; prenez une autre paire, ou allez tout droit",
        )
    # where the cosine is near 1, its inverse would lose half the digits
    angle = 2 * torch.atan2(apart, together)
    if angle < 1e-6:
        # the arc is straight, and the sines below are all zero
        return interpolate(first, second, steps)
    return (
        torch.sin((1 - part) * angle) * first + torch.sin(part * angle) * second
    ) / torch.sin(angle)
