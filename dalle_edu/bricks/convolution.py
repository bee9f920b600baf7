"""Convolutional bricks: residual blocks, and the two moves between resolutions.

Letters: n pictures, c channels, h x w positions, p pixels on the side of a patch.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """A correction added to its input: ReLU, convolution, ReLU, 1 x 1 convolution (He et al. 2016).

    The first convolution looks at the neighbours too, or with `kernel_size` 1 at each position alone. The last one starts at zero, so
    that a deep stack begins as the identity and each block departs from it only as far as it helps.
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
    """Cut a picture into p x p patches and project each to `width` channels: a convolution whose stride is its kernel."""

    def __init__(self, channels: int, width: int, patch_size: int):
        super().__init__(channels, width, kernel_size=patch_size, stride=patch_size)


class Unpatchify(nn.Module):
    """The way back: every position paints its own p x p patch, having looked at its neighbours (sub-pixel convolution, Shi et al. 2016)."""

    def __init__(self, width: int, channels: int, patch_size: int):
        super().__init__()
        self.paint = nn.Conv2d(width, channels * patch_size**2, kernel_size=3, padding=1)
        self.patch_size = patch_size

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d ph pw"]:
        return F.pixel_shuffle(self.paint(x), self.patch_size)
