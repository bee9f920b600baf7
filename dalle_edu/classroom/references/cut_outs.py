"""What VQGAN+CLIP looks at and climbs against interpolation matrices written out, and angles by the arc tangent."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say


def _along(side: int, scale: float, shift: float) -> Tensor:
    """The matrix that takes a row of `side` pixels to a piece of it, of as many pixels: each is between two of the row's."""
    matrix = torch.zeros(side, side, dtype=DOUBLE)
    for pixel in range(side):
        middle = side / 2 + side / 2 * shift + scale * (pixel + 0.5 - side / 2) - 0.5
        middle = min(max(middle, 0.0), side - 1.0)
        before = min(int(middle), side - 1)
        matrix[pixel, before] += 1 - (middle - before)
        matrix[pixel, min(before + 1, side - 1)] += middle - before
    return matrix


def _pieces(images: Tensor, uniforms: Tensor, smallest: float) -> Tensor:
    pieces = []
    for image, cuts in zip(images, uniforms, strict=True):
        for size, x, y in cuts.tolist():
            scale = smallest + (1 - smallest) * size
            across, down = (_along(side, scale, (2 * at - 1) * (1 - scale)) for side, at in ((image.shape[2], x), (image.shape[1], y)))
            pieces.append(down.to(image.dtype) @ image @ across.to(image.dtype).T)
    return torch.stack(pieces)


def _cut_out(seed: int) -> list[Case]:
    steps = torch.arange(48, dtype=DOUBLE).view(1, 3, 4, 4) / 48
    corners = (
        double([1.0, 0.3, 0.8]),
        double([0.0, 0.0, 0.0]),
        double([0.0, 1.0, 0.0]),
        double([0.0, 0.0, 1.0]),
        double([0.5, 0.5, 0.5]),
    )
    uniforms = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    images = numbers(seed, 2, 3, 6, 6)
    return [
        *(call(_pieces, steps, each[None], 0.5) for each in corners),
        call(_pieces, images, uniforms, 0.4),
        call(_pieces, images.float(), uniforms.float(), 0.4),
        call(_pieces, images, uniforms[:, :1], 0.9),
        call(_pieces, numbers(seed + 1, 1, 3, 5, 5), uniforms[:1], 1.0),
        call(_pieces, numbers(seed + 2, 2, 3, 5, 5, gradient=True), uniforms, 0.3),
    ]


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """The angle of unit vectors by Kahan's formula, exact for small angles too."""
    first, second = torch.broadcast_tensors(first, second)
    return 2 * torch.atan2((first - second).norm(dim=-1), (first + second).norm(dim=-1))


def _spherical(seed: int) -> list[Case]:
    """Vectors at known angles, then drawn ones, one against many, and the gradient along the sphere."""

    def peer(first: Tensor, second: Tensor) -> Tensor:
        return _angle(first, second) ** 2 / 2

    def at(*degrees: int) -> Tensor:
        return torch.tensor([[math.cos(math.radians(each)), math.sin(math.radians(each))] for each in degrees], dtype=DOUBLE)

    def unit(number: int, *shape: int) -> Tensor:
        return F.normalize(numbers(number, *shape), dim=-1)

    raw = numbers(seed + 5, 4, 3), numbers(seed + 6, 4, 3)

    def learned(distance) -> dict:
        inputs = [each.clone().requires_grad_() for each in raw]
        return with_gradients(distance(*(F.normalize(each, dim=-1) for each in inputs)), inputs)

    return [
        *(call(peer, at(0), at(degrees)) for degrees in (0, 60, 90, -90, 120, 170)),
        call(peer, at(10, 20, 30), at(10, 100, -30)),
        call(peer, unit(seed, 5, 8), unit(seed + 1, 5, 8)),
        call(peer, unit(seed, 5, 8), unit(seed, 5, 8)),
        call(peer, unit(seed + 2, 3, 4, 6), unit(seed + 3, 3, 1, 6)),
        call(peer, unit(seed + 4, 7), unit(seed + 5, 7)),
        call(peer, unit(seed, 5, 8).float(), unit(seed + 1, 5, 8).float()),
        scenario(
            "the gradient, of vectors put to length 1", "le gradient, de vecteurs ramenés à la longueur 1",
            lambda: learned(peer), learned, 24,
        ),
    ]  # fmt: skip


def _opposite(seed: int) -> list[Case]:
    """Opposite vectors, where the slope of the arc sine is infinite: π²/2, nearly."""
    vectors = F.normalize(numbers(seed, 3, 5), dim=-1)
    return [call(torch.full((len(each),), math.pi**2 / 2, dtype=DOUBLE), each, -each) for each in (double([0.6, 0.8]), vectors)]


REFERENCES = [
    Reference("systems.vqgan_clip:cut_out", say("interpolation matrices written out", "matrices d'interpolation écrites"), _cut_out, 1e-5),
    Reference("systems.vqgan_clip:spherical_distance", "torch.atan2", cases=_spherical, tolerance=1e-5),
    Reference("systems.vqgan_clip:spherical_distance", "π²/2", cases=_opposite, tolerance=1e-2),
]
