"""Augmentation: CLIP's training pictures, shifted, enlarged, blurred and noisy.

CLIP later compares what codecs, half-trained systems and cut-outs make of a scene,
so it must recognise an imperfect picture. No picture is turned or mirrored: left
stays left, and above stays above. Each is changed by an amount of its own, from
zero to `strength`, and half of them are blurred, whatever the strength. Lesson 12.

Letters: n pictures, h = w pixels on a side.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dalle_edu.device import off_metal

SHIFT, ZOOM = 0.06, 0.15  # the largest, as parts of a side
# the largest standard deviations, for pixels in [-1, 1]: of noise in each pixel,
# and of smooth stains of about 8 x 8 pixels
NOISE, STAINS = 0.12, 0.15
_WHITE = 1.0


def resized(
    images: Float[Tensor, "n 3 h w"], side: int
) -> Float[Tensor, "n 3 side side"]:
    """Pictures at another resolution, by bilinear interpolation, smoothed first
    where they get smaller. Differentiable.
    """
    if images.shape[2:] == (side, side):
        return images
    # torch has no gradients of this on Apple's GPU
    pixels = off_metal(images) if images.requires_grad else images
    return F.interpolate(
        pixels,
        size=(side, side),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    ).to(images.device)


def augment(
    images: Float[Tensor, "n 3 h w"],
    generator: torch.Generator | None = None,
    strength: float = 1.0,
) -> Float[Tensor, "n 3 h w"]:
    """Pictures in [-1, 1], shifted and enlarged a little, half of them blurred,
    with noise and stains. Random numbers come from `generator`. At strength 0 the
    pictures come back as they are.
    """
    if strength == 0:
        return images
    amount = strength * _uniform(images, (len(images), 1, 1, 1), generator)
    images = _coarsened(_moved(images, amount, generator), generator)
    side = max(2, images.shape[2] // 8)
    stains = torch.randn(
        len(images), 3, side, side, generator=generator, device=images.device
    )
    stains = F.interpolate(stains, size=images.shape[2:], mode="bilinear")
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    weight_of_noise, weight_of_stains = (
        amount * _uniform(images, (len(images), 1, 1, 1), generator)
        for _ in range(2)
    )
    noisy = images + NOISE * weight_of_noise * noise
    return (noisy + STAINS * weight_of_stains * stains).clamp(-1, 1)


def grayscale(
    images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None = None
) -> Float[Tensor, "n 3 h w"]:
    """Pictures in [-1, 1] without colour: every colour becomes one grey, which is
    chosen at random for each picture, and white stays white.
    """
    ink = (1 - images).amax(dim=1, keepdim=True)
    darkness = 0.4 + 0.6 * _uniform(images, (len(images), 1, 1, 1), generator)
    return (1 - ink * darkness).expand(-1, 3, -1, -1)


def _moved(
    images: Tensor, amount: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Pictures shifted, and enlarged or reduced; beyond their edges is white."""
    n = len(images)
    direction = 2 * _uniform(images, (n, 2), generator) - 1
    # the grid goes from -1 to 1, so a side is 2
    shift = direction * 2 * SHIFT * amount.view(n, 1)
    zoom = 1 + (2 * _uniform(images, (n,), generator) - 1) * ZOOM * amount.view(n)
    maps = torch.zeros(n, 2, 3, device=images.device)
    maps[:, 0, 0] = maps[:, 1, 1] = zoom
    maps[:, :, 2] = shift
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return _WHITE + F.grid_sample(
        images - _WHITE, grid, padding_mode="zeros", align_corners=False
    )


def _coarsened(images: Tensor, generator: torch.Generator | None) -> Tensor:
    """Pictures, a quarter of them reduced to half their side and enlarged again,
    another quarter to a random side.
    """
    n, side = len(images), images.shape[2]
    order = torch.randperm(n, generator=generator, device=images.device)
    part = 0.35 + 0.6 * float(_uniform(images, (1,), generator))
    coarse = images.clone()
    for rows, smaller in (
        (order[: n // 4], side // 2),
        (order[n // 4 : n // 2], int(side * part)),
    ):
        coarse[rows] = resized(resized(images[rows], max(1, smaller)), side)
    return coarse


def _uniform(
    images: Tensor, shape: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    return torch.rand(shape, generator=generator, device=images.device)
