"""Autoencoders: squeeze a picture through a few numbers and paint it again, then
learn to paint from numbers drawn at random.

A linear autoencoder finds what principal component analysis finds (Baldi & Hornik
1989); a network in its place bends the plane. The variational autoencoder (Kingma &
Welling 2014; Rezende et al. 2014) gives each picture a small cloud of latents
instead of a point, and asks that the clouds together fill a standard normal
distribution: one can then draw latents, and paint pictures that nobody has seen.

Letters: n pictures, d pixels, k latent dimensions, s samples of the latents.

Lesson 07.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# ------------------------------------------------------------- principal components


@dataclass(frozen=True)
class PCA:
    """The best plane through some data: its mean, and the directions along which
    the data vary most (Pearson 1901).
    """

    mean: Float[Tensor, " d"]
    directions: Float[Tensor, "k d"]
    variances: Float[Tensor, " k"]

    def encode(self, data: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """How far each picture lies from the mean along each direction."""
        return (data - self.mean) @ self.directions.T

    def decode(self, latents: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """The picture at those coordinates of the plane."""
        return latents @ self.directions + self.mean


def pca(data: Float[Tensor, "n d"], latent: int) -> PCA:
    """The `latent` principal components of the data, in closed form: singular
    vectors of the *centred* data, most variance first.

    No other plane of that dimension brings the data back with a smaller squared
    error (Eckart & Young 1936). `variances` are over n - 1.
    """
    most = min(len(data) - 1, data.shape[1])
    if not 1 <= latent <= most:
        raise DalleEduError(
            f"{latent} components were asked of {len(data)} pictures of "
            f"{data.shape[1]} pixels; ask for 1 to {most}",
            f"{latent} composantes sont demandées à {len(data)} images de "
            f"{data.shape[1]} pixels ; demandez-en de 1 à {most}",
        )
    mean = data.mean(dim=0)
    _, singular, directions = torch.linalg.svd(data - mean, full_matrices=False)
    return PCA(mean, directions[:latent], singular[:latent] ** 2 / (len(data) - 1))


@torch.no_grad()
def largest_angle(
    first: Float[Tensor, "k d"], second: Float[Tensor, "k d"]
) -> float:
    """The largest angle, in radians, between the spaces that two sets of rows span:
    0 when they are one (Björck & Golub 1973).

    Taken from its sine, what is left of one space outside the other: near 0 a
    cosine says nothing.
    """
    q1, q2 = (torch.linalg.qr(rows.T).Q for rows in (first, second))
    return math.asin(
        min(1.0, float(torch.linalg.matrix_norm(q2 - q1 @ (q1.T @ q2), ord=2)))
    )


# ---------------------------------------------------------------- autoencoders


def network(inputs: int, hidden: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Linear layers with ReLU between them; with no hidden width, one linear
    layer.
    """
    widths = (inputs, *hidden, outputs)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.ReLU(), nn.Linear(before, after)]
    return nn.Sequential(*layers[1:])


def expect_pixels(images: Tensor, pixels: int) -> None:
    if images.shape[-1] != pixels:
        raise DalleEduError(
            f"the pictures have {images.shape[-1]} pixels and {pixels} were "
            "expected; flatten them to (n, pixels)",
            f"les images ont {images.shape[-1]} pixels et {pixels} étaient "
            "attendus ; aplatissez-les en (n, pixels)",
        )


class Autoencoder(nn.Module):
    """d pixels to k numbers and back. With `hidden=()` both ways are linear, and
    the best it can do is PCA.
    """

    def __init__(self, pixels: int, latent: int, hidden: tuple[int, ...] = ()):
        super().__init__()
        self.pixels = pixels
        self.encoder = network(pixels, hidden, latent)
        self.decoder = network(latent, hidden[::-1], pixels)

    def forward(self, images: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The pictures as the latents bring them back."""
        expect_pixels(images, self.pixels)
        return self.decoder(self.encoder(images))

    def loss(self, images: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
        """The squared error of a picture: the sum over its pixels, the mean over
        pictures.
        """
        return (self(images) - images).square().sum(dim=-1).mean()


# ------------------------------------------------------ the variational autoencoder
