"""Convolution: one small linear map, applied to every patch of a picture.

It is told three times: as loops over positions, as one matrix product over patches
laid out as columns (im2col), and as one big matrix, whose transpose is the
transposed convolution that enlarges pictures again. Then what surrounds it:
pooling, interpolation, residual blocks, patches, a small classifier (LeCun et al.
1989; Dumoulin & Visin 2016 for the arithmetic). Lesson 04.

Letters: n pictures, c channels in, o channels out, k channels that kernels expect,
h x w positions, p x q pixels of a patch or kernel.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- sizes


def conv_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0
) -> int:
    """Positions that a kernel takes along a side of `size` pixels: floor((size + 2
    padding - kernel) / stride) + 1.

    5 pixels, a kernel of 3, a stride of 2 and no padding make 2. Raises
    `DalleEduError` when the kernel does not fit.
    """
    if (
        kernel_size < 1
        or stride < 1
        or padding < 0
        or size + 2 * padding < kernel_size
    ):
        raise DalleEduError(
            f"a kernel of {kernel_size}, stride {stride}, padding {padding}, does "
            f"not fit {size} pixels; change one of them",
            f"un noyau de {kernel_size}, pas {stride}, marge {padding}, ne tient "
            f"pas dans {size} pixels ; changez l'un des trois",
        )
    return (size + 2 * padding - kernel_size) // stride + 1


def transposed_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0
) -> int:
    """The side that a transposed convolution paints: (size - 1) stride - 2 padding
    + kernel. A convolution brings it back to `size`.
    """
    painted = (size - 1) * stride - 2 * padding + kernel_size
    if size < 1 or kernel_size < 1 or stride < 1 or padding < 0 or painted < 1:
        raise DalleEduError(
            f"a transposed kernel of {kernel_size}, stride {stride}, padding "
            f"{padding} paints nothing from {size} positions; change one",
            f"un noyau transposé de {kernel_size}, pas {stride}, marge {padding}, "
            f"ne peint rien depuis {size} positions ; changez-en un",
        )
    return painted


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """The side, in pixels, of what one output of a chain of convolutions sees:
    counted from the output back to the picture.
    """
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field


# ----------------------------------------------------- the convolution, three times


def conv2d_by_loops(
    images: Float[Tensor, "n c h w"],
    kernels: Float[Tensor, "o k p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n o h2 w2"]:
    """The definition, one output position at a time: the sum of a patch's pixels
    times the kernel's weights.

    Like every deep-learning library this does not turn the kernel over, as
    mathematicians' convolution does.
    """
    (rows, columns), (p, q) = (
        _positions(images, kernels, stride, padding),
        kernels.shape[2:],
    )
    padded = F.pad(images, (padding,) * 4)
    output = images.new_zeros(len(images), len(kernels), rows, columns)
    for i in range(rows):
        for j in range(columns):
            # n 1 c p q
            patch = padded[
                :, None, :, i * stride : i * stride + p, j * stride : j * stride + q
            ]
            output[:, :, i, j] = (patch * kernels).sum(dim=(2, 3, 4))
    return output


def im2col(
    images: Float[Tensor, "n c h w"],
    kernel_size: tuple[int, int],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n cpq l"]:
    """All the patches of a picture, each a column: channel by channel, row by row,
    l positions in reading order.
    """
    for size, kernel in zip(images.shape[2:], kernel_size, strict=True):
        conv_output_size(size, kernel, stride, padding)
    patches = (
        F.pad(images, (padding,) * 4)
        .unfold(2, kernel_size[0], stride)
        .unfold(3, kernel_size[1], stride)
    )
    return rearrange(patches, "n c i j p q -> n (c p q) (i j)")


def conv2d(
    images: Float[Tensor, "n c h w"],
    kernels: Float[Tensor, "o k p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n o h2 w2"]:
    """The same as one matrix product: the kernels as rows, the patches as columns.
    This is how fast libraries do it.
    """
    rows, _ = _positions(images, kernels, stride, padding)
    columns = im2col(images, (kernels.shape[2], kernels.shape[3]), stride, padding)
    return rearrange(kernels.flatten(1) @ columns, "n o (i j) -> n o i j", i=rows)


def convolution_matrix(
    kernels: Float[Tensor, "o k p q"],
    size: tuple[int, int],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "out in"]:
    """The convolution of pictures of `size` as one matrix, from flattened picture
    to flattened maps: mostly zeros, the same few weights in every row.
    """
    pixels = kernels.shape[1] * size[0] * size[1]
    basis = torch.eye(pixels, dtype=kernels.dtype, device=kernels.device).view(
        pixels, kernels.shape[1], *size
    )
    return conv2d(basis, kernels, stride, padding).flatten(1).T


def conv_transpose2d(
    maps: Float[Tensor, "n k h w"],
    kernels: Float[Tensor, "o c p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n c h2 w2"]:
    """The transpose of that matrix: every position paints its kernel, `stride`
    pixels from its neighbour's; where they overlap they add.

    It is also what backpropagation does to the gradient of a convolution.
    """
    _check_channels(maps, kernels.shape[0])
    (h, w), (p, q) = maps.shape[2:], kernels.shape[2:]
    height, width = (
        transposed_output_size(h, p, stride, padding),
        transposed_output_size(w, q, stride, padding),
    )
    painted = torch.einsum("nohw,ocpq->ncpqhw", maps, kernels)
    canvas = maps.new_zeros(
        len(maps), kernels.shape[1], height + 2 * padding, width + 2 * padding
    )
    for i in range(p):
        for j in range(q):
            canvas[
                :, :, i : i + h * stride : stride, j : j + w * stride : stride
            ] += painted[:, :, i, j]
    return canvas[:, :, padding : padding + height, padding : padding + width]


def _positions(
    images: Tensor, kernels: Tensor, stride: int, padding: int
) -> tuple[int, int]:
    _check_channels(images, kernels.shape[1])
    (h, w), (p, q) = images.shape[2:], kernels.shape[2:]
    return conv_output_size(h, p, stride, padding), conv_output_size(
        w, q, stride, padding
    )


def _check_channels(images: Tensor, expected: int) -> None:
    if images.shape[1] != expected:
        raise DalleEduError(
            f"the pictures have {images.shape[1]} channels and the kernels expect "
            f"{expected}; give kernels of as many channels",
            f"les images ont {images.shape[1]} canaux et les noyaux en attendent "
            f"{expected} ; donnez des noyaux d'autant de canaux",
        )


# --------------------------------------------------------------- smaller and larger


def max_pool2d(
    images: Float[Tensor, "n c h w"], kernel_size: int, stride: int | None = None
) -> Float[Tensor, "n c h2 w2"]:
    """The largest value of each patch: what was seen, wherever in the patch it
    was.
    """
    return _patches(images, kernel_size, stride).amax(dim=(-2, -1))


def avg_pool2d(
    images: Float[Tensor, "n c h w"], kernel_size: int, stride: int | None = None
) -> Float[Tensor, "n c h2 w2"]:
    """The mean of each patch."""
    return _patches(images, kernel_size, stride).mean(dim=(-2, -1))


def _patches(images: Tensor, kernel_size: int, stride: int | None) -> Tensor:
    stride = kernel_size if stride is None else stride
    for size in images.shape[2:]:
        conv_output_size(size, kernel_size, stride)
    return images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)


def upsample_nearest(
    images: Float[Tensor, "n c h w"], scale: int
) -> Float[Tensor, "n c h2 w2"]:
    """Each pixel repeated, `scale` times along each side. Nothing to learn."""
    _check_scale(scale)
    return images.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)


def upsample_bilinear(
    images: Float[Tensor, "n c h w"], scale: int
) -> Float[Tensor, "n c h2 w2"]:
    """Each new pixel mixes its four nearest old ones by distance; pixels are little
    squares (`align_corners=False`), edges repeat.
    """
    _check_scale(scale)
    rows, columns = (
        _linear_weights(size, scale).to(images) for size in images.shape[2:]
    )
    return rows @ images @ columns.T


def _linear_weights(size: int, scale: int) -> Float[Tensor, "large small"]:
    centres = (
        (torch.arange(size * scale, dtype=torch.float64) + 0.5) / scale - 0.5
    ).clamp(0, size - 1)
    return (1 - (centres[:, None] - torch.arange(size)).abs()).clamp(min=0)


def _check_scale(scale: int) -> None:
    if scale < 1:
        raise DalleEduError(
            f"the scale is {scale}; a picture is enlarged 1 time or more",
            f"l'échelle est {scale} ; une image s'agrandit 1 fois ou plus",
        )


# ---------------------------------------------------------------- networks


class ResidualBlock(nn.Module):
    """A correction added to its input: ReLU, convolution, ReLU, 1 x 1 convolution
    (He et al. 2016).

    The first convolution looks at the neighbours too, or with `kernel_size` 1 at
    each position alone. The last one starts at zero, so that a deep stack begins as
    the identity and each block departs from it only as far as it helps.
    """

    def __init__(self, width: int, kernel_size: int = 3):
        super().__init__()
        self.look = nn.Conv2d(width, width, kernel_size, padding=kernel_size // 2)
        self.mix = nn.Conv2d(width, width, kernel_size=1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.mix(F.relu(self.look(F.relu(x))))


def residual_stack(width: int, depth: int, kernel_size: int = 3) -> nn.Sequential:
    """`depth` residual blocks, one after the other."""
    return nn.Sequential(*(ResidualBlock(width, kernel_size) for _ in range(depth)))


class Patchify(nn.Conv2d):
    """Cut a picture into p x p patches and project each to `width` channels: a
    convolution whose stride is its kernel.

    Patches that do not overlap are the rows of a matrix, and one product does it,
    much faster in half precision than the convolution.
    """

    def __init__(self, channels: int, width: int, patch_size: int):
        super().__init__(channels, width, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h_p w_p"]:
        p = self.stride[0]
        # a convolution leaves the rest aside too
        height, width = x.shape[2] // p * p, x.shape[3] // p * p
        patches = rearrange(
            x[:, :, :height, :width], "n c (h p) (w q) -> n h w (c p q)", p=p, q=p
        )
        return rearrange(
            F.linear(patches, self.weight.flatten(1), self.bias),
            "n h w d -> n d h w",
        )


class Spread(nn.ConvTranspose2d):
    """The transpose of `Patchify`: each position becomes a p x p patch of its own,
    not looking at its neighbours.
    """

    def __init__(self, channels: int, width: int, patch_size: int):
        super().__init__(channels, width, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d ph pw"]:  # type: ignore[override]
        p = self.stride[0]
        patches = F.linear(
            rearrange(x, "n c h w -> n h w c"), self.weight.flatten(1).T
        )
        spread = rearrange(patches, "n h w (d p q) -> n d (h p) (w q)", p=p, q=p)
        return spread if self.bias is None else spread + self.bias[:, None, None]


class Unpatchify(nn.Module):
    """The way back: every position paints its own p x p patch, having looked at its
    neighbours (sub-pixel convolution, Shi et al. 2016).
    """

    def __init__(self, width: int, channels: int, patch_size: int):
        super().__init__()
        self.paint = nn.Conv2d(
            width, channels * patch_size**2, kernel_size=3, padding=1
        )
        self.patch_size = patch_size

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d ph pw"]:
        return F.pixel_shuffle(self.paint(x), self.patch_size)


class SmallClassifier(nn.Module):
    """Convolve, shrink, convolve, shrink, decide (LeNet's plan, LeCun et al. 1998):
    logits for `classes`, from pictures of any size.
    """

    def __init__(self, channels: int, classes: int, width: int = 16):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
        )
        self.decide = nn.Linear(2 * width * 4, classes)

    def forward(
        self, images: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n classes"]:
        return self.decide(self.features(images).flatten(1))
