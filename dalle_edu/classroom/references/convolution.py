"""Convolution, pooling and upsampling against PyTorch's."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

_SETTINGS = ((1, 0), (2, 0), (1, 1), (2, 2), (3, 1))  # stride, padding


def _tensors(*shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def _convolution(version: Any) -> float:
    images, kernels = _tensors((2, 3, 9, 7), (4, 3, 3, 2))
    return max(gap(version(images, kernels, *setting), F.conv2d(images, kernels, None, *setting)) for setting in _SETTINGS)


def _im2col(version: Any) -> float:
    (images,) = _tensors((2, 3, 9, 7))
    return max(
        gap(version(images, (3, 2), stride, padding), F.unfold(images, (3, 2), padding=padding, stride=stride))
        for stride, padding in _SETTINGS
    )


def _matrix(version: Any) -> float:
    images, kernels = _tensors((2, 3, 6, 5), (4, 3, 3, 3))
    differences = []
    for setting in ((1, 0), (2, 1)):
        matrix = version(kernels, (6, 5), *setting)
        expected = F.conv2d(images, kernels, None, *setting)
        differences.append(gap(images.flatten(1) @ matrix.T, expected.flatten(1)))
    return max(differences)


def _transposed(version: Any) -> float:
    maps, kernels = _tensors((2, 4, 5, 3), (4, 3, 3, 4))
    settings = ((1, 0), (2, 0), (2, 1), (3, 1))
    return max(gap(version(maps, kernels, *setting), F.conv_transpose2d(maps, kernels, None, *setting)) for setting in settings)


def _sizes(version: Any) -> float:
    settings = [(size, kernel, stride, padding) for size in (5, 8) for kernel in (1, 3, 4) for stride in (1, 2, 3) for padding in (0, 1)]
    return (
        max(abs(version(s, k, t, p) - F.conv1d(torch.ones(1, 1, s), torch.ones(1, 1, k), None, t, p).shape[-1]) for s, k, t, p in settings)
        + 0.0
    )


def _transposed_sizes(version: Any) -> float:
    settings = [(size, kernel, stride, padding) for size in (2, 5) for kernel in (3, 4) for stride in (1, 2, 3) for padding in (0, 1)]
    peers = [F.conv_transpose1d(torch.ones(1, 1, s), torch.ones(1, 1, k), None, t, p).shape[-1] for s, k, t, p in settings]
    return max(abs(version(*setting) - peer) for setting, peer in zip(settings, peers, strict=True)) + 0.0


def _max_pool(version: Any) -> float:
    (images,) = _tensors((2, 3, 9, 7))
    return max(gap(version(images, 2), F.max_pool2d(images, 2)), gap(version(images, 3, 2), F.max_pool2d(images, 3, 2)))


def _avg_pool(version: Any) -> float:
    (images,) = _tensors((2, 3, 9, 7))
    return max(gap(version(images, 2), F.avg_pool2d(images, 2)), gap(version(images, 3, 2), F.avg_pool2d(images, 3, 2)))


def _nearest(version: Any) -> float:
    (images,) = _tensors((2, 3, 4, 5))
    return max(gap(version(images, scale), F.interpolate(images, scale_factor=scale, mode="nearest")) for scale in (1, 2, 3))


def _bilinear(version: Any) -> float:
    (images,) = _tensors((2, 3, 4, 5))
    peers = [F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=False) for scale in (1, 2, 3)]
    return max(gap(version(images, scale), peer) for scale, peer in zip((1, 2, 3), peers, strict=True))


def pixels_seen(network: nn.Module, side: int) -> int:
    """How many pixels wide the gradient of the middle output is."""
    picture = torch.zeros(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    judged = network(picture).reshape(-1)
    rows = math.isqrt(len(judged))
    judged[(rows // 2) * rows + rows // 2].backward()
    assert picture.grad is not None
    columns = picture.grad.abs().sum(dim=(0, 1, 2)).nonzero()
    return int(columns.max() - columns.min()) + 1


def _receptive_field(version: Any) -> float:
    chains = [([4, 4, 4, 4, 4], [2, 2, 2, 1, 1]), ([3, 3, 3], [1, 1, 1]), ([7, 3, 5], [2, 3, 1]), ([1, 1], [2, 2])]
    differences = []
    for kernels, strides in chains:
        widths = [3] + [2] * len(kernels)
        layers = [nn.Conv2d(c, 2, kernel, stride) for c, kernel, stride in zip(widths, kernels, strides, strict=False)]
        for layer in layers:
            nn.init.ones_(layer.weight)
        differences.append(abs(pixels_seen(nn.Sequential(*layers, nn.Conv2d(2, 1, 1)).double(), 128) - version(kernels, strides)))
    return float(max(differences))


REFERENCES = [
    Reference(
        "convolution:conv_output_size",
        say("torch.nn.functional.conv1d, its output's size", "torch.nn.functional.conv1d, la taille de sa sortie"),
        _sizes,
        0.0,
    ),
    Reference(
        "convolution:transposed_output_size",
        say("torch.nn.functional.conv_transpose1d, its output's size", "torch.nn.functional.conv_transpose1d, la taille de sa sortie"),
        _transposed_sizes,
        0.0,
    ),
    Reference(
        "convolution:receptive_field", say("gradients followed to the picture", "gradients suivis jusqu'à l'image"), _receptive_field, 0.0
    ),
    Reference("convolution:conv2d_by_loops", "torch.nn.functional.conv2d", _convolution, 1e-10),
    Reference("convolution:im2col", "torch.nn.functional.unfold", _im2col, 1e-10),
    Reference("convolution:conv2d", "torch.nn.functional.conv2d", _convolution, 1e-10),
    Reference("convolution:convolution_matrix", "torch.nn.functional.conv2d", _matrix, 1e-10),
    Reference("convolution:conv_transpose2d", "torch.nn.functional.conv_transpose2d", _transposed, 1e-10),
    Reference("pooling:max_pool2d", "torch.nn.functional.max_pool2d", _max_pool, 1e-10),
    Reference("pooling:avg_pool2d", "torch.nn.functional.avg_pool2d", _avg_pool, 1e-10),
    Reference("pooling:upsample_nearest", "torch.nn.functional.interpolate", _nearest, 1e-10),
    Reference("pooling:upsample_bilinear", "torch.nn.functional.interpolate", _bilinear, 1e-10),
]
