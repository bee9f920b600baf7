"""Convolution: one small linear map, applied to every patch of a picture.

It is written three times: as loops over positions, as one matrix product over
patches laid out as columns (im2col), and as one big matrix. The transpose of that
matrix is the transposed convolution, which enlarges pictures. Networks follow:
residual blocks, patches, a small classifier (LeCun et al. 1989; Dumoulin & Visin
2016 for the arithmetic). Lessons 04 and 06.

Letters: n pictures, c channels in, o channels out, k channels that kernels expect,
h x w positions, p x q pixels of a patch or kernel, l patches, d channels of a
patch.
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
    """The positions that a kernel takes along a side of `size` pixels.

    There are floor((size + 2 padding - kernel) / stride) + 1: 5 pixels, a kernel of
    3, a stride of 2 and no padding make 2.

    Raises `DalleEduError` when the kernel does not fit.
    """
    _check_kernel(size, kernel_size, stride, padding)
    return (size + 2 * padding - kernel_size) // stride + 1


def transposed_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0
) -> int:
    """The side, in pixels, of what a transposed convolution returns.

    It is (size - 1) stride - 2 padding + kernel. A convolution brings it back to
    `size`. Raises `DalleEduError` when that is less than 1 pixel.
    """
    painted = (size - 1) * stride - 2 * padding + kernel_size
    if min(size, kernel_size, stride, painted) < 1 or padding < 0:
        raise DalleEduError(
            f"a transposed kernel of {kernel_size}, stride {stride}, padding "
            f"{padding} paints nothing from {size} positions; change one",
            f"un noyau transposé de {kernel_size}, pas {stride}, marge {padding}, "
            f"ne peint rien depuis {size} positions ; changez-en un",
        )
    return painted


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """The side, in pixels, of what one output of a chain of convolutions sees.

    It is counted from the output back to the picture.
    """
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field


# ----------------------------------------------------- the convolution, three times


def conv2d_by_loops(
    images: Float[Tensor, "n c h w"],
    kernels: Float[Tensor, "o c p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n o h2 w2"]:
    """Convolution as its definition says, one output position at a time.

    Each output is the sum of a patch's pixels times the kernel's weights. As in
    every deep-learning library the kernel is not turned over, unlike in the
    convolution of mathematics.

    Raises `DalleEduError` for kernels of another number of channels and kernels
    that do not fit.
    """
    _check_channels(images, kernels.shape[1])
    p, q = kernels.shape[2:]
    rows = conv_output_size(images.shape[2], p, stride, padding)
    columns = conv_output_size(images.shape[3], q, stride, padding)
    padded = F.pad(images, (padding,) * 4)
    output = images.new_zeros(len(images), len(kernels), rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            patch = padded[:, :, top : top + p, left : left + q].unsqueeze(1)
            products = patch * kernels  # n o c p q
            output[:, :, i, j] = products.sum(dim=(2, 3, 4))
    return output


def im2col(
    images: Float[Tensor, "n c h w"],
    kernel_size: tuple[int, int],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n cpq l"]:
    """The patches of pictures as columns.

    A column goes channel by channel, row by row. The l columns are in reading
    order.

    Raises `DalleEduError` when the kernel does not fit.
    """
    _check_fits(images, kernel_size, stride, padding)
    p, q = kernel_size
    padded = F.pad(images, (padding,) * 4)
    patches = padded.unfold(2, p, stride).unfold(3, q, stride)
    return rearrange(patches, "n c i j p q -> n (c p q) (i j)")


def conv2d(
    images: Float[Tensor, "n c h w"],
    kernels: Float[Tensor, "o c p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n o h2 w2"]:
    """Convolution as one matrix product, as fast libraries compute it.

    The kernels are the rows of one matrix, the patches the columns of the other.

    Raises `DalleEduError` for kernels of another number of channels and kernels
    that do not fit.
    """
    _check_channels(images, kernels.shape[1])
    p, q = kernels.shape[2:]
    columns = im2col(images, (p, q), stride, padding)
    rows = conv_output_size(images.shape[2], p, stride, padding)
    return rearrange(kernels.flatten(1) @ columns, "n o (i j) -> n o i j", i=rows)


def convolution_matrix(
    kernels: Float[Tensor, "o c p q"],
    size: tuple[int, int],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "out in"]:
    """The matrix of a convolution, for pictures of `size`.

    It takes a flattened picture to its flattened maps. It is mostly zeros, with the
    same few weights in every row.

    Raises `DalleEduError` for kernels that do not fit.
    """
    channels = kernels.shape[1]
    pixels = channels * size[0] * size[1]
    basis = torch.eye(pixels, dtype=kernels.dtype, device=kernels.device)
    # column i is what becomes of a picture with a single pixel, the i-th
    pictures = basis.view(pixels, channels, *size)
    return conv2d(pictures, kernels, stride, padding).flatten(1).T


def conv_transpose2d(
    maps: Float[Tensor, "n k h w"],
    kernels: Float[Tensor, "o c p q"],
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "n c h2 w2"]:
    """The transposed convolution: each position paints its kernel, times its value.

    It multiplies by the transpose of `convolution_matrix`. Kernels are painted
    `stride` pixels apart, and where they overlap they add. Backpropagation does the
    same to the gradient of a convolution.

    Raises `DalleEduError` for kernels of another number of channels and for a
    result of less than 1 pixel.
    """
    _check_channels(maps, kernels.shape[0])
    (h, w), (p, q) = maps.shape[2:], kernels.shape[2:]
    height = transposed_output_size(h, p, stride, padding)
    width = transposed_output_size(w, q, stride, padding)
    painted = torch.einsum("nohw,ocpq->ncpqhw", maps, kernels)
    sides = height + 2 * padding, width + 2 * padding
    canvas = maps.new_zeros(len(maps), kernels.shape[1], *sides)
    for i in range(p):
        rows = slice(i, i + h * stride, stride)
        for j in range(q):
            columns = slice(j, j + w * stride, stride)
            canvas[:, :, rows, columns] += painted[:, :, i, j]
    return canvas[:, :, padding : padding + height, padding : padding + width]


def _check_kernel(size: int, kernel_size: int, stride: int, padding: int) -> None:
    makes_sense = kernel_size >= 1 and stride >= 1 and padding >= 0
    if not makes_sense or size + 2 * padding < kernel_size:
        raise DalleEduError(
            f"a kernel of {kernel_size}, stride {stride}, padding {padding}, does "
            f"not fit {size} pixels; change one of them",
            f"un noyau de {kernel_size}, pas {stride}, marge {padding}, ne tient "
            f"pas dans {size} pixels ; changez l'un des trois",
        )


def _check_fits(
    images: Tensor, kernel_size: tuple[int, int], stride: int, padding: int
) -> None:
    for size, kernel in zip(images.shape[2:], kernel_size, strict=True):
        _check_kernel(size, kernel, stride, padding)


def _check_channels(images: Tensor, expected: int) -> None:
    if images.shape[1] != expected:
        raise DalleEduError(
            f"the pictures have {images.shape[1]} channels and the kernels expect "
            f"{expected}; give kernels of as many channels",
            f"les images ont {images.shape[1]} canaux et les noyaux en attendent "
            f"{expected} ; donnez des noyaux d'autant de canaux",
        )


# ---------------------------------------------------------------- networks


class ResidualBlock(nn.Module):
    """A correction added to its input (He et al. 2016).

    It is ReLU, convolution, ReLU, 1 x 1 convolution. The first convolution looks at
    neighbours too, or with `kernel_size` 1 at each position alone. The last one
    starts at zero: a deep stack begins as the identity, and each block departs from
    it only as far as that helps.
    """

    def __init__(self, width: int, kernel_size: int = 3):
        super().__init__()
        self.look = nn.Conv2d(width, width, kernel_size, padding=kernel_size // 2)
        self.mix = nn.Conv2d(width, width, kernel_size=1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The input and its correction."""
        return x + self.mix(F.relu(self.look(F.relu(x))))


def residual_stack(width: int, depth: int, kernel_size: int = 3) -> nn.Sequential:
    """`depth` residual blocks, one after the other."""
    return nn.Sequential(*(ResidualBlock(width, kernel_size) for _ in range(depth)))


class Patchify(nn.Conv2d):
    """Cut pictures into p x p patches, and project each to `width` channels.

    It is a convolution whose stride is its kernel. Patches that do not overlap are
    the rows of a matrix, so that one product computes it, much faster in half
    precision than the convolution.
    """

    def __init__(self, channels: int, width: int, patch_size: int):
        super().__init__(channels, width, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h_p w_p"]:
        """The projected patches, one for each whole patch of the pictures."""
        p = self.stride[0]
        # as in a convolution, rows and columns that fill no patch are left out
        height, width = x.shape[2] // p * p, x.shape[3] // p * p
        whole = x[:, :, :height, :width]
        patches = rearrange(whole, "n c (h p) (w q) -> n h w (c p q)", p=p, q=p)
        projected = F.linear(patches, self.weight.flatten(1), self.bias)
        return rearrange(projected, "n h w d -> n d h w")


class Spread(nn.ConvTranspose2d):
    """The transpose of `Patchify`: each position becomes a p x p patch.

    A patch depends on its own position alone, not on its neighbours.
    """

    def __init__(self, channels: int, width: int, patch_size: int):
        super().__init__(channels, width, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d ph pw"]:  # type: ignore[override]
        """The pictures that the patches make up."""
        p = self.stride[0]
        positions = rearrange(x, "n c h w -> n h w c")
        patches = F.linear(positions, self.weight.flatten(1).T)
        spread = rearrange(patches, "n h w (d p q) -> n d (h p) (w q)", p=p, q=p)
        return spread if self.bias is None else spread + self.bias[:, None, None]


class Unpatchify(nn.Module):
    """Each position becomes a p x p patch, after a look at its neighbours.

    It is the sub-pixel convolution (Shi et al. 2016).
    """

    def __init__(self, width: int, channels: int, patch_size: int):
        super().__init__()
        pixels = channels * patch_size**2
        self.paint = nn.Conv2d(width, pixels, kernel_size=3, padding=1)
        self.patch_size = patch_size

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d ph pw"]:
        """The pictures that the patches make up."""
        return F.pixel_shuffle(self.paint(x), self.patch_size)


class SmallClassifier(nn.Module):
    """A small convolutional classifier of pictures of any size.

    It convolves, shrinks, convolves, shrinks and decides, on the plan of LeNet
    (LeCun et al. 1998).
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
        """The logits of the classes."""
        return self.decide(self.features(images).flatten(1))
