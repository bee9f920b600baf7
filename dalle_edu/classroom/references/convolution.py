"""Convolution, pooling and upsampling against PyTorch's."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.checking.asking import numbers
from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.words import keeps_dtype
from dalle_edu.language import say

_SETTINGS = ((1, 0), (2, 0), (1, 1), (2, 2), (3, 1))  # stride, padding


def _picture(*rows: Sequence[int]) -> Tensor:
    """One picture of one channel."""
    return torch.tensor([[list(row) for row in rows]], dtype=torch.float64).unsqueeze(0)


_SQUARE, _WIDE = _picture([1, 2], [3, 5]), _picture([1, 2, 0, -1], [3, 5, 4, 0], [0, -2, 1, 6])
_KERNEL, _LOW = _picture([1, -2], [0, 3]), _picture([1], [-1])


# ---------------------------------------------------------------- convolutions


def _convolution(seed: int) -> list[Case]:
    def peer(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv2d(images, kernels, None, stride, padding)

    images, kernels = numbers(seed, 2, 3, 9, 7), numbers(seed + 1, 4, 3, 3, 2)
    learned = [numbers(seed + place, *shape, gradient=True) for place, shape in ((2, (2, 3, 5, 6)), (3, (2, 3, 2, 3)))]
    whole, points = numbers(seed + 4, 1, 2, 4, 3), numbers(seed + 5, 5, 3, 1, 1)
    return [
        call(peer, _SQUARE, _KERNEL),
        call(peer, _WIDE, _KERNEL),
        call(peer, _WIDE, _LOW),
        call(peer, _WIDE, _KERNEL, 2),
        call(peer, _SQUARE, _KERNEL, 1, 1),
        call(peer, _SQUARE, _KERNEL, padding=2),
        *(call(peer, images, kernels, *setting) for setting in _SETTINGS),
        call(peer, images, kernels),
        call(peer, images, kernels, stride=2),
        call(peer, images, points, 2, 1),
        call(peer, whole, whole),
        call(peer, *learned),
        call(peer, *(each.detach().clone().requires_grad_() for each in learned), 2, 1),
        keeps_dtype(images, kernels),
    ]


def _im2col(seed: int) -> list[Case]:
    def peer(images: Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
        return F.unfold(images, kernel_size, padding=padding, stride=stride)

    images = numbers(seed, 2, 3, 9, 7)
    return [
        call(peer, _SQUARE, (2, 2)),
        call(peer, _SQUARE, (1, 1)),
        call(peer, _SQUARE, (2, 1), 1, 1),
        call(peer, _WIDE, (2, 3)),
        call(peer, _WIDE, (2, 2), 2),
        *(call(peer, images, (3, 2), *setting) for setting in _SETTINGS),
        call(peer, images, (1, 4), padding=2),
        call(peer, images[:1], (9, 7)),
        call(peer, numbers(seed + 1, 2, 3, 5, 6, gradient=True), (2, 3), stride=2, padding=1),
        keeps_dtype(images, (3, 2)),
    ]


def _matrix(seed: int) -> list[Case]:
    """A column for each pixel: what the convolution makes of a picture of that pixel alone."""

    def peer(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
        pictures = torch.eye(kernels.shape[1] * size[0] * size[1], dtype=kernels.dtype).view(-1, kernels.shape[1], *size)
        return F.conv2d(pictures, kernels, None, stride, padding).flatten(1).T

    kernels, flat = numbers(seed, 4, 3, 3, 3), numbers(seed + 1, 2, 1, 3, 2)
    return [
        call(peer, _LOW, (2, 1)),
        call(peer, _LOW, (2, 2)),
        call(peer, _picture([1, -2]), (1, 3)),
        call(peer, _picture([1, -2]), (1, 4), 2),
        call(peer, _picture([2]), (1, 2), 1, 1),
        *(call(peer, kernels, (6, 5), *setting) for setting in ((1, 0), (2, 1), (1, 2))),
        call(peer, flat, (4, 5)),
        call(peer, flat, (4, 5), padding=1),
        call(peer, numbers(seed + 2, 2, 3, 2, 3, gradient=True), (4, 3), stride=2, padding=1),
        keeps_dtype(kernels, (6, 5)),
    ]


def _transposed(seed: int) -> list[Case]:
    def peer(maps: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv_transpose2d(maps, kernels, None, stride, padding)

    maps, kernels = numbers(seed, 2, 4, 5, 3), numbers(seed + 1, 4, 3, 3, 4)
    learned = [numbers(seed + place, *shape, gradient=True) for place, shape in ((2, (2, 3, 4, 5)), (3, (3, 2, 3, 2)))]
    return [
        call(peer, _picture([1, 2]), _picture([3])),
        call(peer, _picture([1, 2]), _picture([3, 5])),
        call(peer, _SQUARE, _KERNEL),
        call(peer, _SQUARE, _KERNEL, 2),
        call(peer, _SQUARE, _KERNEL, 3),
        call(peer, _SQUARE, _KERNEL, 2, 1),
        *(call(peer, maps, kernels, *setting) for setting in ((1, 0), (2, 0), (2, 1), (3, 1), (5, 0), (1, 1))),
        call(peer, maps[:1], kernels),
        call(peer, maps, kernels, padding=1),
        call(peer, *learned),
        call(peer, *(each.detach().clone().requires_grad_() for each in learned), stride=2, padding=1),
        keeps_dtype(maps, kernels),
    ]


# ---------------------------------------------------------------- sizes


def _with_defaults(peer: Callable[..., int], settings: Sequence[tuple[int, ...]]) -> list[Case]:
    """Stride and padding given, in their places or by name, and left out."""
    size, kernel = settings[0][:2]
    fewer = [
        call(peer, size, kernel),
        call(peer, size, kernel, 2),
        call(peer, size, kernel, padding=1),
        call(peer, size + 1, kernel, stride=3),
    ]
    return [*fewer, *(call(peer, *setting) for setting in settings)]


def _sizes(seed: int) -> list[Case]:
    def peer(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
        return F.conv1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel_size), None, stride, padding).shape[-1]

    settings = [(size, kernel, stride, padding) for size in (5, 8) for kernel in (3, 1, 4) for stride in (1, 2, 3) for padding in (0, 1)]
    drawn = torch.randint(1, 40, (8, 4), generator=torch.Generator().manual_seed(seed)).tolist()
    more = [(size + kernel, kernel, 1 + stride % 7, padding % 5) for size, kernel, stride, padding in drawn]
    return _with_defaults(peer, [*settings, (2, 2, 1, 0), (1, 5, 2, 2), *more])


def _transposed_sizes(seed: int) -> list[Case]:
    def peer(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
        return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel_size), None, stride, padding).shape[-1]

    settings = [(size, kernel, stride, padding) for size in (2, 5) for kernel in (3, 4) for stride in (1, 2, 3) for padding in (0, 1)]
    drawn = torch.randint(1, 40, (8, 4), generator=torch.Generator().manual_seed(seed)).tolist()
    more = [(size, kernel + 8, 1 + stride % 7, padding % 5) for size, kernel, stride, padding in drawn]
    return _with_defaults(peer, [*settings, (1, 1, 1, 0), (3, 1, 4, 0), *more])


def pixels_seen(network: nn.Module, side: int) -> int:
    """How many pixels wide the gradient of the middle output is."""
    picture = torch.zeros(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    judged = network(picture).reshape(-1)
    rows = math.isqrt(len(judged))
    judged[(rows // 2) * rows + rows // 2].backward()
    assert picture.grad is not None
    columns = picture.grad.abs().sum(dim=(0, 1, 2)).nonzero()
    return int(columns.max() - columns.min()) + 1


def _receptive_field(seed: int) -> list[Case]:
    def peer(kernels: list[int], strides: list[int]) -> int:
        widths, side = [3] + [2] * len(kernels), 1
        for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
            side = side * stride + kernel
        layers = [nn.Conv2d(c, 2, kernel, stride) for c, kernel, stride in zip(widths, kernels, strides, strict=False)]
        for layer in layers:
            nn.init.ones_(layer.weight)
        return pixels_seen(nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1)).double(), 2 * side)

    chains = [([], []), ([3], [1]), ([3], [2]), ([3, 3], [1, 1]), ([3, 3], [2, 1]), ([3, 3], [1, 2]), ([1, 1], [2, 2])]
    longer = [([3, 3, 3], [1, 1, 1]), ([7, 3, 5], [2, 3, 1]), ([4, 4, 4, 4, 4], [2, 2, 2, 1, 1])]
    drawn = torch.randint(1, 5, (3, 2, 3), generator=torch.Generator().manual_seed(seed))
    even = [([max(k, s) for k, s in zip(*each, strict=True)], each[1]) for each in drawn.tolist()]
    return [call(peer, *chain) for chain in [*chains, *longer, *even]]


# ---------------------------------------------------------------- pooling and upsampling


def _pooling(pool: Callable[..., Tensor]) -> Callable[[int], list[Case]]:
    """Patches side by side, apart and overlapping, with what fills no patch left over; numbers below 0 too."""

    def peer(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
        return pool(images, kernel_size, stride)

    def cases(seed: int) -> list[Case]:
        images = numbers(seed, 2, 3, 9, 7)
        return [
            call(peer, _SQUARE, 2),
            call(peer, -_SQUARE, 2),
            call(peer, _SQUARE, 1),
            call(peer, _WIDE, 2),
            call(peer, _WIDE, 2, 1),
            call(peer, -_WIDE.abs() - 1, 2, 2),
            *(call(peer, images, *setting) for setting in ((2,), (3, 2), (2, 3), (3, 1), (7,), (1, 2))),
            call(peer, images[:1], 3, stride=1),
            call(peer, numbers(seed + 1, 2, 3, 6, 5, gradient=True), 2),
            call(peer, numbers(seed + 2, 2, 2, 5, 7, gradient=True), 3, 2),
            keeps_dtype(images, 2),
        ]

    return cases


def _upsampling(**options: Any) -> Callable[[int], list[Case]]:
    def peer(images: Tensor, scale: int) -> Tensor:
        return F.interpolate(images, scale_factor=scale, **options)

    def cases(seed: int) -> list[Case]:
        images = numbers(seed, 2, 3, 4, 5)
        return [
            call(peer, _picture([1, 2]), 2),
            call(peer, _picture([1], [5]), 3),
            call(peer, _SQUARE, 1),
            call(peer, _WIDE, 2),
            *(call(peer, images, scale) for scale in (1, 2, 3, 4)),
            call(peer, images[:1, :, :1], 3),
            call(peer, numbers(seed + 1, 2, 2, 3, 4, gradient=True), 2),
            call(peer, numbers(seed + 2, 1, 2, 2, 3, gradient=True), 5),
            keeps_dtype(images, 2),
        ]

    return cases


def _linear_weights(seed: int) -> list[Case]:
    """A column for each old pixel: what becomes of a row that is bright there alone."""

    def peer(size: int, scale: int) -> Tensor:
        lights = torch.eye(size, dtype=torch.float64).unsqueeze(0)
        return F.interpolate(lights, scale_factor=scale, mode="linear", align_corners=False)[0].T

    drawn = torch.randint(1, 9, (6, 2), generator=torch.Generator().manual_seed(seed)).tolist()
    return [call(peer, size, scale) for size, scale in [(2, 2), (3, 2), (2, 3), (1, 4), (4, 1), (5, 4), (8, 2), *drawn]]


REFERENCES = [
    Reference(
        "convolution:conv_output_size",
        say("torch.nn.functional.conv1d, its output's size", "torch.nn.functional.conv1d, la taille de sa sortie"),
        cases=_sizes,
        tolerance=0.0,
    ),
    Reference(
        "convolution:transposed_output_size",
        say("torch.nn.functional.conv_transpose1d, its output's size", "torch.nn.functional.conv_transpose1d, la taille de sa sortie"),
        cases=_transposed_sizes,
        tolerance=0.0,
    ),
    Reference(
        "convolution:receptive_field",
        say("gradients followed to the picture", "gradients suivis jusqu'à l'image"),
        cases=_receptive_field,
        tolerance=0.0,
    ),
    Reference("convolution:conv2d_by_loops", "torch.nn.functional.conv2d", cases=_convolution, tolerance=1e-10),
    Reference("convolution:im2col", "torch.nn.functional.unfold", cases=_im2col, tolerance=1e-10),
    Reference("convolution:conv2d", "torch.nn.functional.conv2d", cases=_convolution, tolerance=1e-10),
    Reference("convolution:convolution_matrix", "torch.nn.functional.conv2d", cases=_matrix, tolerance=1e-10),
    Reference("convolution:conv_transpose2d", "torch.nn.functional.conv_transpose2d", cases=_transposed, tolerance=1e-10),
    Reference("pooling:max_pool2d", "torch.nn.functional.max_pool2d", cases=_pooling(F.max_pool2d), tolerance=1e-10),
    Reference("pooling:avg_pool2d", "torch.nn.functional.avg_pool2d", cases=_pooling(F.avg_pool2d), tolerance=1e-10),
    Reference("pooling:upsample_nearest", "torch.nn.functional.interpolate", cases=_upsampling(mode="nearest"), tolerance=1e-10),
    Reference("pooling:linear_weights", "torch.nn.functional.interpolate", cases=_linear_weights, tolerance=1e-10),
    Reference(
        "pooling:upsample_bilinear",
        "torch.nn.functional.interpolate",
        cases=_upsampling(mode="bilinear", align_corners=False),
        tolerance=1e-10,
    ),
]
