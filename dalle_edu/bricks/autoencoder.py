"""Autoencoders: a picture is squeezed into a few numbers and rebuilt from them.

Principal component analysis does so with a plane (Pearson 1901). A linear
autoencoder finds the same plane (Baldi & Hornik 1989), and one with hidden layers a
curved surface. `vae` makes of it a generative model. Lesson 07.

Letters: n pictures, d pixels, k latent dimensions.
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
    """The plane that is closest to some data (Pearson 1901).

    `mean` is the mean of the data, `directions` are the orthonormal directions
    along which they vary most, and `variances` their variances along these.
    """

    mean: Float[Tensor, " d"]
    directions: Float[Tensor, "k d"]
    variances: Float[Tensor, " k"]

    def encode(self, data: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """The latents: the pictures' coordinates on the plane.

        Each is how far a picture lies from the mean along a direction.
        """
        return (data - self.mean) @ self.directions.T

    def decode(self, latents: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """The pictures that have these latents, on the plane."""
        return latents @ self.directions + self.mean


def pca(data: Float[Tensor, "n d"], latent: int) -> PCA:
    """The `latent` principal components of the data, in closed form.

    They are the right singular vectors of the *centred* data, in order of
    decreasing variance; each is a row of `directions`, of length 1, in either
    sense. `variances` are the squared singular values over n - 1. No other plane of
    that dimension brings the data back with a smaller squared error (Eckart & Young
    1936).

    Raises `DalleEduError` for more components than n - 1 or d, or fewer than 1.
    """
    _check_components(data, latent)
    mean = data.mean(dim=0)
    _, singular, directions = torch.linalg.svd(data - mean, full_matrices=False)
    return PCA(mean, directions[:latent], singular[:latent] ** 2 / (len(data) - 1))


def _check_components(data: Tensor, latent: int) -> None:
    most = min(len(data) - 1, data.shape[1])
    if not 1 <= latent <= most:
        raise DalleEduError(
            f"{latent} components were asked of {len(data)} pictures of "
            f"{data.shape[1]} pixels; ask for 1 to {most}",
            f"{latent} composantes sont demandées à {len(data)} images de "
            f"{data.shape[1]} pixels ; demandez-en de 1 à {most}",
        )


@torch.no_grad()
def largest_angle(
    first: Float[Tensor, "k d"], second: Float[Tensor, "k d"]
) -> float:
    """The largest angle between the spaces that two sets of rows span, in radians.

    It goes from 0, when the two spaces are one, to π/2 (Björck & Golub 1973). The
    rows need be neither orthogonal nor of length 1: they get an orthonormal basis
    first. The angle is computed from its sine, the largest length that a direction
    of one space has outside the other: near 0, a cosine is lost in rounding.
    """
    q1, q2 = (torch.linalg.qr(rows.T).Q for rows in (first, second))
    outside = q2 - q1 @ (q1.T @ q2)
    sine = float(torch.linalg.matrix_norm(outside, ord=2))
    return math.asin(min(1.0, sine))


# ---------------------------------------------------------------- autoencoders


def network(inputs: int, hidden: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Linear layers with ReLU between them; just one if `hidden` is empty."""
    widths = (inputs, *hidden, outputs)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.ReLU(), nn.Linear(before, after)]
    return nn.Sequential(*layers[1:])


def _check_pixels(images: Tensor, pixels: int) -> None:
    if images.shape[-1] != pixels:
        raise DalleEduError(
            f"the pictures have {images.shape[-1]} pixels and {pixels} were "
            "expected; flatten them to (n, pixels)",
            f"les images ont {images.shape[-1]} pixels et {pixels} étaient "
            "attendus ; aplatissez-les en (n, pixels)",
        )


class Autoencoder(nn.Module):
    """An encoder from d pixels to k latents, and a decoder back.

    With `hidden=()` both are linear, and the best it can do is PCA.
    """

    def __init__(self, pixels: int, latent: int, hidden: tuple[int, ...] = ()):
        super().__init__()
        self.pixels = pixels
        self.encoder = network(pixels, hidden, latent)
        self.decoder = network(latent, hidden[::-1], pixels)

    def forward(self, images: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The pictures rebuilt from their latents.

        Raises `DalleEduError` for pictures of another number of pixels.
        """
        _check_pixels(images, self.pixels)
        return self.decoder(self.encoder(images))

    def loss(self, images: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
        """The squared error: the sum over pixels, the mean over pictures."""
        return (self(images) - images).square().sum(dim=-1).mean()
