"""Pooling and upsampling: fewer pixels or more, with nothing to learn.

Pooling keeps one number for each patch of a picture, its largest value or its mean.
Upsampling repeats pixels or interpolates between them. Lessons 04 and 06.

Letters: n pictures, c channels, h x w pixels before, h2 x w2 after.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.convolution import conv_output_size
from dalle_edu.errors import DalleEduError


def max_pool2d(
    images: Float[Tensor, "n c h w"], kernel_size: int, stride: int | None = None
) -> Float[Tensor, "n c h2 w2"]:
    """Max pooling: the largest value of each patch.

    It says that something was seen, wherever in the patch it was. `kernel_size` is
    the side of a patch, and `stride` the distance between patches, `kernel_size` if
    it is not given.

    Raises `DalleEduError` when a patch does not fit.
    """
    stride = kernel_size if stride is None else stride
    _check_fits(images, kernel_size, stride)
    patches = images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)
    return patches.amax(dim=(-2, -1))


def avg_pool2d(
    images: Float[Tensor, "n c h w"], kernel_size: int, stride: int | None = None
) -> Float[Tensor, "n c h2 w2"]:
    """Average pooling: the mean of each patch.

    `kernel_size` is the side of a patch, and `stride` the distance between patches,
    `kernel_size` if it is not given.

    Raises `DalleEduError` when a patch does not fit.
    """
    stride = kernel_size if stride is None else stride
    _check_fits(images, kernel_size, stride)
    patches = images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)
    return patches.mean(dim=(-2, -1))


def _check_fits(images: Tensor, kernel_size: int, stride: int) -> None:
    for size in images.shape[2:]:
        conv_output_size(size, kernel_size, stride)


def upsample_nearest(
    images: Float[Tensor, "n c h w"], scale: int
) -> Float[Tensor, "n c h2 w2"]:
    """Nearest-neighbour upsampling: each pixel is repeated along both sides.

    There are `scale` times as many pixels on each side. Raises `DalleEduError` for
    a scale below 1.
    """
    _check_scale(scale)
    return images.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)


def upsample_bilinear(
    images: Float[Tensor, "n c h w"], scale: int
) -> Float[Tensor, "n c h2 w2"]:
    """Bilinear upsampling: each new pixel mixes the four nearest old ones.

    They count by their distances from it. Pixels are little squares, whose outer
    edges coincide before and after (`align_corners=False`). Beyond the edge, pixels
    repeat. There are `scale` times as many pixels on each side. Raises
    `DalleEduError` for a scale below 1.
    """
    _check_scale(scale)
    h, w = images.shape[2:]
    rows = linear_weights(h, scale).to(images)
    columns = linear_weights(w, scale).to(images)
    return rows @ images @ columns.T


def linear_weights(size: int, scale: int) -> Float[Tensor, "large small"]:
    """The matrix of linear interpolation: what each new pixel is mixed from.

    Row i is that of new pixel i. A side of `size` pixels becomes `scale` times as
    many. The weights of a row, in double precision, sum to 1: the two old pixels
    whose centres are nearest count by their distances, and beyond the edge the last
    pixel counts alone. Raises `DalleEduError` for a scale below 1.
    """
    _check_scale(scale)
    # the centres of the new pixels, in the old ones' coordinates
    new_pixels = torch.arange(size * scale, dtype=torch.float64)
    centres = ((new_pixels + 0.5) / scale - 0.5).clamp(0, size - 1)
    distances = (centres[:, None] - torch.arange(size)).abs()
    return (1 - distances).clamp(min=0)


def _check_scale(scale: int) -> None:
    if scale < 1:
        raise DalleEduError(
            f"the scale is {scale}; a picture is enlarged 1 time or more",
            f"l'échelle est {scale} ; une image s'agrandit 1 fois ou plus",
        )
