"""The blocks of a U-Net: time embedding, residual blocks, attention blocks.

Residual blocks may be conditioned on a vector (time, class), attention blocks on
the words of a caption. `unet.py` assembles them. Lessons 06 and 10.

Letters: n pictures, c channels, h x w positions, t tokens (one for each position),
k words of a caption, d channels of a word, e channels of the condition.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Real
from torch import Tensor, nn

from dalle_edu.bricks.attention import CrossAttention, MultiHeadAttention
from dalle_edu.bricks.transformer import Block, CrossBlock, sinusoidal_positions
from dalle_edu.errors import DalleEduError


def sinusoidal_embedding(
    time: Real[Tensor, " n"], width: int, max_period: float = 10_000.0
) -> Float[Tensor, "n e"]:
    """The sinusoidal embedding of timesteps: sines and cosines of n real numbers.

    Each number becomes points on `width / 2` circles, which turn at speeds from 1
    down to 1 / max_period (Vaswani et al. 2017, section 3.5). The convention is
    that of Ho et al. (2020): first all sines, then all cosines, and both ends of
    the geometric series of speeds are included. Timesteps go from 0 to about 1,000
    and may be fractions. Raises `DalleEduError` unless `width` is even and at least
    4.
    """
    if width < 4 or width % 2:
        raise DalleEduError(
            f"the width of the time embedding is {width}; it pairs sines with "
            "cosines, so give an even number from 4 on",
            f"la largeur du plongement du temps est {width} ; il apparie sinus et "
            "cosinus : donnez un nombre pair, au moins 4",
        )
    time = time if time.is_floating_point() else time.float()
    ranks = torch.arange(width // 2, device=time.device, dtype=time.dtype)
    speeds = torch.exp(-math.log(max_period) * ranks / (width // 2 - 1))
    angles = time[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class GroupNormBlock(nn.Module):
    """A residual block: twice GroupNorm, SiLU, 3 x 3 convolution.

    The design is that of Ho et al. (2020, appendix B). A linear layer makes a scale
    and a shift for every channel of SiLU(condition), and the second normalisation
    is followed by x * (1 + scale) + shift (Dhariwal & Nichol 2021, section 3): a
    scale and a shift of 0 change nothing. The second convolution starts at zero, so
    that the block begins as the identity, or as one 1 x 1 convolution where the
    width changes. With a `condition_width` of 0 there is no condition. Raises
    `DalleEduError` for channels that do not split into `groups`.
    """

    def __init__(
        self, channels: int, width: int, groups: int = 8, condition_width: int = 0
    ):
        super().__init__()
        if channels % groups or width % groups:
            raise DalleEduError(
                f"{channels} and {width} channels do not both split into {groups} "
                "groups; choose multiples",
                f"{channels} et {width} canaux ne se divisent pas tous deux en "
                f"{groups} groupes ; choisissez des multiples",
            )
        self.norm_1 = nn.GroupNorm(groups, channels)
        self.look_1 = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        self.norm_2 = nn.GroupNorm(groups, width)
        self.look_2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.scale_shift = (
            nn.Linear(condition_width, 2 * width) if condition_width else None
        )
        self.shortcut = (
            nn.Identity()
            if channels == width
            else nn.Conv2d(channels, width, kernel_size=1)
        )
        start_at_zero(self.look_2)

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        condition: Float[Tensor, "n e"] | None = None,
    ) -> Float[Tensor, "n out h w"]:
        """The input, or its 1 x 1 convolution, plus a correction.

        Raises `DalleEduError` for a missing or an unexpected condition.
        """
        if (condition is None) != (self.scale_shift is None):
            raise DalleEduError(
                "this block was built with a condition and is called without, or "
                "the other way round; do both or neither",
                "ce bloc a été construit avec une condition et on l'appelle sans, "
                "ou l'inverse ; faites les deux ou aucun",
            )
        hidden = self.norm_2(self.look_1(F.silu(self.norm_1(x))))
        if self.scale_shift is not None and condition is not None:
            scale_shift = self.scale_shift(F.silu(condition))
            scale, shift = scale_shift[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return self.shortcut(x) + self.look_2(F.silu(hidden))


def start_at_zero(layer: nn.Module) -> None:
    """Set a layer's parameters to zero: its block then begins as the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class AttentionBlock(nn.Module):
    """Self-attention over positions, then cross-attention to a caption's words.

    Both are residual, and both start at zero. With a `text_width` of 0 there is no
    cross-attention.
    """

    def __init__(self, width: int, heads: int, text_width: int = 0):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.positions = MultiHeadAttention(width, heads)
        start_at_zero(self.positions.out)
        if text_width:
            self.norm_2 = nn.LayerNorm(width, bias=False)
            self.words = CrossAttention(width, heads, text_width)
            start_at_zero(self.words.out)

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        text: Float[Tensor, "n k d"] | None = None,
        mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Attend from every position to all positions, and to the words if any.

        `mask` is True for the words that may be attended to. The result has the
        shape of `x`.
        """
        tokens = rearrange(x, "n c h w -> n (h w) c")
        tokens = tokens + self.positions(self.norm_1(tokens), causal=False)
        if text is not None:
            tokens = tokens + self.words(self.norm_2(tokens), text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=x.shape[2])


def grid_positions(height: int, width: int, channels: int) -> Float[Tensor, "t c"]:
    """Sinusoidal positions of a grid, row by row.

    The first half of the channels encodes the row, the second half the column.
    `channels` is a multiple of 4.
    """
    rows = sinusoidal_positions(height, channels // 2)
    columns = sinusoidal_positions(width, channels // 2)
    row_of_each = rows.repeat_interleave(width, dim=0)
    column_of_each = columns.repeat(height, 1)
    return torch.cat([row_of_each, column_of_each], dim=1)


class Middle(nn.Module):
    """A transformer at the bottom of a U-Net, where positions are few.

    In each layer every position attends to all the others and to the words.
    Convolutions see how objects look; attention sees how they are related: which of
    two is the red one, and on which side of the other it stands. Rombach et al.
    (2022, section 3.3) have such layers at several resolutions, Hoogeboom et al.
    (2023) nearly all of them at the bottom. Each layer begins as the identity. With
    a `text_width` of 0 there are no words.
    """

    def __init__(self, width: int, depth: int, heads: int, text_width: int = 0):
        super().__init__()
        self.blocks = nn.ModuleList(
            CrossBlock(width, heads, causal=False, memory_width=text_width)
            if text_width
            else Block(width, heads, causal=False)
            for _ in range(depth)
        )
        for name, layer in self.named_modules():
            if name.endswith((".out", ".contract")):
                start_at_zero(layer)

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        text: Float[Tensor, "n k d"] | None = None,
        mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Add positions to the grid, and apply the layers to it, one after another.

        `mask` is True for the words that may be attended to. The result has the
        shape of `x`.
        """
        channels, h, w = x.shape[1:]
        positions = grid_positions(h, w, channels).to(x)
        tokens = rearrange(x, "n c h w -> n (h w) c") + positions
        for block in self.blocks:
            tokens = block(tokens) if text is None else block(tokens, text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=h)
