"""Augmentation: pictures disturbed as a critic must bear it, since it compares what
codecs, half-trained systems and cut-outs make of a scene.

Nothing here turns a picture round: left stays left, and above stays above. Each
picture is moved and stained by an amount of its own, from not at all to `strength`;
half of them are blurred, whatever the strength.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SHIFT, ZOOM = 0.06, 0.15  # parts of a side
# standard deviations, of pixels in [-1, 1]: of each pixel, and of patches of them
NOISE, STAINS = 0.12, 0.15
_WHITE = 1.0


def resized(
    images: Float[Tensor, "n 3 h w"], side: int
) -> Float[Tensor, "n 3 side side"]:
    """Pictures at another resolution, smoothed first where they get smaller.
    Differentiable.
    """
    if images.shape[2:] == (side, side):
        return images
    return F.interpolate(
        images,
        size=(side, side),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )


def augment(
    images: Float[Tensor, "n 3 h w"],
    generator: torch.Generator | None = None,
    strength: float = 1.0,
) -> Float[Tensor, "n 3 h w"]:
    """Pictures moved and enlarged a little, half of them blurred, with noise and
    stains; all chance comes from `generator`. At strength 0 they come back as they
    are.
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
    return (
        images
        + NOISE * weight_of_noise * noise
        + STAINS * weight_of_stains * stains
    ).clamp(-1, 1)


def grayscale(
    images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None = None
) -> Float[Tensor, "n 3 h w"]:
    """Pictures without colour: ink of any colour becomes grey, paler or darker from
    one picture to the next; white stays white.
    """
    ink = (1 - images).amax(dim=1, keepdim=True)
    return (
        1 - ink * (0.4 + 0.6 * _uniform(images, (len(images), 1, 1, 1), generator))
    ).expand(-1, 3, -1, -1)


def _moved(
    images: Tensor, amount: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Shifted and enlarged or made smaller; what comes into view is white."""
    n = len(images)
    # the grid goes from -1 to 1
    shift = (
        (2 * _uniform(images, (n, 2), generator) - 1)
        * 2
        * SHIFT
        * amount.view(n, 1)
    )
    zoom = 1 + (2 * _uniform(images, (n,), generator) - 1) * ZOOM * amount.view(n)
    maps = torch.zeros(n, 2, 3, device=images.device)
    maps[:, 0, 0] = maps[:, 1, 1] = zoom
    maps[:, :, 2] = shift
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return _WHITE + F.grid_sample(
        images - _WHITE, grid, padding_mode="zeros", align_corners=False
    )


def _coarsened(images: Tensor, generator: torch.Generator | None) -> Tensor:
    """A quarter of the pictures at half the resolution and back, another at a
    random one.
    """
    n, side = len(images), images.shape[2]
    kind = torch.randperm(n, generator=generator, device=images.device)
    some = 0.35 + 0.6 * float(
        torch.rand(1, generator=generator, device=images.device)
    )
    coarse = images.clone()
    for places, smaller in (
        (kind[: n // 4], side // 2),
        (kind[n // 4 : n // 2], int(side * some)),
    ):
        coarse[places] = resized(resized(images[places], max(1, smaller)), side)
    return coarse


def _uniform(
    images: Tensor, shape: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    return torch.rand(shape, generator=generator, device=images.device)
