"""The blocks of a U-Net: time embedding, residual blocks that hear a condition,
attention over positions. Lesson 10.

Letters: n pictures, c and d channels, h x w positions, t tokens, e channels of the
condition.
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
    """Write real numbers as points on `width / 2` circles that turn at speeds from
    1 to 1 / max_period (Vaswani et al. 2017, section 3.5).

    The convention is Ho et al.'s (2020): first all sines, then all cosines, and
    both ends of the geometric series of speeds belong to it. Times are timesteps,
    from 0 to about 1,000; fractions are welcome. Raises `DalleEduError` unless
    `width` is even and at least 4.
    """
    if width < 4 or width % 2:
        raise DalleEduError(
            f"the width of the time embedding is {width}; it pairs sines with "
            "cosines, so give an even number from 4 on",
            f"la largeur du plongement du temps est {width} ; il apparie sinus et "
            "cosinus : donnez un nombre pair, au moins 4",
        )
    time = time if time.is_floating_point() else time.to(torch.get_default_dtype())
    ranks = torch.arange(width // 2, device=time.device, dtype=time.dtype)
    speeds = torch.exp(-math.log(max_period) * ranks / (width // 2 - 1))
    angles = time[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class GroupNormBlock(nn.Module):
    """A correction added to its input: twice GroupNorm, SiLU, 3 x 3 convolution (Ho
    et al. 2020, appendix B).

    The condition sets the scale and the shift of every channel after the second
    normalisation (Dhariwal & Nichol 2021, section 3). The second convolution starts
    at zero, so that the block begins as the identity, or as one 1 x 1 convolution
    where the width changes.
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
    ) -> Float[Tensor, "n d h w"]:
        if (condition is None) != (self.scale_shift is None):
            raise DalleEduError(
                "this block was built with a condition and is called without, or "
                "the other way round; do both or neither",
                "ce bloc a été construit avec une condition et on l'appelle sans, "
                "ou l'inverse ; faites les deux ou aucun",
            )
        hidden = self.norm_2(self.look_1(F.silu(self.norm_1(x))))
        if self.scale_shift is not None and condition is not None:
            scale, shift = self.scale_shift(F.silu(condition))[
                :, :, None, None
            ].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return self.shortcut(x) + self.look_2(F.silu(hidden))


def start_at_zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class AttentionBlock(nn.Module):
    """Every position looks at all the others, and then, where there is a caption,
    at its words.
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
        tokens = rearrange(x, "n c h w -> n (h w) c")
        tokens = tokens + self.positions(self.norm_1(tokens), causal=False)
        if text is not None:
            tokens = tokens + self.words(self.norm_2(tokens), text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=x.shape[2])


def grid_positions(height: int, width: int, channels: int) -> Float[Tensor, "t c"]:
    """Sinusoidal positions of a grid, row by row: half the channels say which row,
    half which column. `channels` is a multiple of 4.
    """
    rows, columns = (
        sinusoidal_positions(height, channels // 2),
        sinusoidal_positions(width, channels // 2),
    )
    return torch.cat(
        [rows.repeat_interleave(width, dim=0), columns.repeat(height, 1)], dim=1
    )


class Middle(nn.Module):
    """A transformer at the bottom, where positions are few: layer after layer, each
    position looks at all the others and at the words.

    Convolutions see looks, this sees relations: which of two objects is the red
    one, and on which side of the other it stands. Rombach et al. (2022, section
    3.3) have such layers at several resolutions, Hoogeboom et al. (2023) nearly all
    of them at the bottom.
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
        h, w = x.shape[2:]
        tokens = rearrange(x, "n c h w -> n (h w) c") + grid_positions(
            h, w, x.shape[1]
        ).to(x)
        for block in self.blocks:
            tokens = block(tokens) if text is None else block(tokens, text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=h)
