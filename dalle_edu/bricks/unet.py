"""The U-Net: down to where the whole picture fits in one glance, up again to the pixels, with a shortcut across at each resolution.

Going down loses *where*, going up has to invent it; the shortcuts (skips) carry it across. Ronneberger et al. (2015) built it to say what
each pixel of a picture belongs to. Ho et al. (2020) gave it the time of a diffusion process and had it say what each pixel was before
noise came over it; Dhariwal and Nichol (2021), Nichol et al. (2021, GLIDE) and Saharia et al. (2022, Imagen) gave it the words of a
caption. One network does all of this here: what it is told beside the picture is optional.

Letters: n pictures, c channels, H x W pixels, h x w positions at some resolution, t tokens (positions or words) that ask, k words, d
channels of a word, p entries of a pooled vector, e channels of the condition. Lesson 09.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Real
from torch import Tensor, nn

from dalle_edu.bricks.attention import CrossAttention, MultiHeadAttention
from dalle_edu.bricks.convolution import Patchify, Spread, Unpatchify
from dalle_edu.bricks.transformer import Block, CrossBlock, sinusoidal_positions
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- what the network is told


def sinusoidal_embedding(time: Real[Tensor, " n"], width: int, max_period: float = 10_000.0) -> Float[Tensor, "n e"]:
    """Write real numbers as points on `width / 2` circles that turn at speeds from 1 to 1 / max_period (Vaswani et al. 2017, section 3.5).

    The convention is Ho et al.'s (2020): first all sines, then all cosines, and both ends of the geometric series of speeds belong to it.
    Times are timesteps, from 0 to about 1,000; fractions are welcome. Raises `DalleEduError` unless `width` is even and at least 4.
    """
    if width < 4 or width % 2:
        raise DalleEduError(
            f"the width of the time embedding is {width}; it pairs sines with cosines, so give an even number from 4 on",
            f"la largeur du plongement du temps est {width} ; il apparie sinus et cosinus : donnez un nombre pair, au moins 4",
        )
    time = time if time.is_floating_point() else time.to(torch.get_default_dtype())
    ranks = torch.arange(width // 2, device=time.device, dtype=time.dtype)
    speeds = torch.exp(-math.log(max_period) * ranks / (width // 2 - 1))
    angles = time[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


# ---------------------------------------------------------------- the blocks


class GroupNormBlock(nn.Module):
    """A correction added to its input: twice GroupNorm, SiLU, 3 x 3 convolution (Ho et al. 2020, appendix B).

    The condition sets the scale and the shift of every channel after the second normalisation (Dhariwal & Nichol 2021, section 3). The
    second convolution starts at zero, so that the block begins as the identity, or as one 1 x 1 convolution where the width changes.
    """

    def __init__(self, channels: int, width: int, groups: int = 8, condition_width: int = 0):
        super().__init__()
        if channels % groups or width % groups:
            raise DalleEduError(
                f"{channels} and {width} channels do not both split into {groups} groups; choose multiples",
                f"{channels} et {width} canaux ne se divisent pas tous deux en {groups} groupes ; choisissez des multiples",
            )
        self.norm_1 = nn.GroupNorm(groups, channels)
        self.look_1 = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        self.norm_2 = nn.GroupNorm(groups, width)
        self.look_2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.scale_shift = nn.Linear(condition_width, 2 * width) if condition_width else None
        self.shortcut = nn.Identity() if channels == width else nn.Conv2d(channels, width, kernel_size=1)
        _start_at_zero(self.look_2)

    def forward(self, x: Float[Tensor, "n c h w"], condition: Float[Tensor, "n e"] | None = None) -> Float[Tensor, "n d h w"]:
        if (condition is None) != (self.scale_shift is None):
            raise DalleEduError(
                "this block was built with a condition and is called without, or the other way round; do both or neither",
                "ce bloc a été construit avec une condition et on l'appelle sans, ou l'inverse ; faites les deux ou aucun",
            )
        hidden = self.norm_2(self.look_1(F.silu(self.norm_1(x))))
        if self.scale_shift is not None and condition is not None:
            scale, shift = self.scale_shift(F.silu(condition))[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return self.shortcut(x) + self.look_2(F.silu(hidden))


def _start_at_zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class AttentionBlock(nn.Module):
    """Every position looks at all the others, and then, where there is a caption, at its words."""

    def __init__(self, width: int, heads: int, text_width: int = 0):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.positions = MultiHeadAttention(width, heads)
        _start_at_zero(self.positions.out)
        if text_width:
            self.norm_2 = nn.LayerNorm(width, bias=False)
            self.words = CrossAttention(width, heads, text_width)
            _start_at_zero(self.words.out)

    def forward(
        self, x: Float[Tensor, "n c h w"], text: Float[Tensor, "n k d"] | None = None, mask: Bool[Tensor, "n k"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        tokens = rearrange(x, "n c h w -> n (h w) c")
        tokens = tokens + self.positions(self.norm_1(tokens), causal=False)
        if text is not None:
            tokens = tokens + self.words(self.norm_2(tokens), text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=x.shape[2])


def grid_positions(height: int, width: int, channels: int) -> Float[Tensor, "t c"]:
    """Sinusoidal positions of a grid, row by row: half the channels say which row, half which column. `channels` is a multiple of 4."""
    rows, columns = sinusoidal_positions(height, channels // 2), sinusoidal_positions(width, channels // 2)
    return torch.cat([rows.repeat_interleave(width, dim=0), columns.repeat(height, 1)], dim=1)


class Middle(nn.Module):
    """A transformer at the bottom, where positions are few: layer after layer, each position looks at all the others and at the words.

    Convolutions see looks, this sees relations: which of two objects is the red one, and on which side of the other it stands. Rombach et
    al. (2022, section 3.3) have such layers at several resolutions, Hoogeboom et al. (2023) nearly all of them at the bottom.
    """

    def __init__(self, width: int, depth: int, heads: int, text_width: int = 0):
        super().__init__()
        self.blocks = nn.ModuleList(
            CrossBlock(width, heads, causal=False, memory_width=text_width) if text_width else Block(width, heads, causal=False)
            for _ in range(depth)
        )
        for name, layer in self.named_modules():
            if name.endswith((".out", ".contract")):
                _start_at_zero(layer)

    def forward(
        self, x: Float[Tensor, "n c h w"], text: Float[Tensor, "n k d"] | None = None, mask: Bool[Tensor, "n k"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        h, w = x.shape[2:]
        tokens = rearrange(x, "n c h w -> n (h w) c") + grid_positions(h, w, x.shape[1]).to(x)
        for block in self.blocks:
            tokens = block(tokens) if text is None else block(tokens, text, mask)
        return rearrange(tokens, "n (h w) c -> n c h w", h=h)


# ---------------------------------------------------------------- the network


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a U-Net.

    `widths` are the channels at each resolution, the finest first: the door cuts the picture into patches of `patch_size` pixels (1: none),
    and each further resolution halves the sides. Level i has width `widths[i]`; the last is the bottom. Attention stands at the levels
    named in `attention_levels`; at the bottom, `middle_depth` layers of a transformer may follow. A `text_width` or `pooled_width` of 0
    means that there is no such input, and so does `time=False`.
    """

    in_channels: int = 3
    out_channels: int = 3
    patch_size: int = 2
    widths: tuple[int, ...] = (64, 128)
    depth: int = 2
    attention_levels: tuple[int, ...] = (1,)
    heads: int = 4
    groups: int = 8
    time: bool = True
    text_width: int = 0
    pooled_width: int = 0
    middle_depth: int = 0

    def __post_init__(self) -> None:
        if not self.widths or self.depth < 1 or self.patch_size < 1:
            raise DalleEduError(
                f"widths {self.widths}, depth {self.depth}, patch_size {self.patch_size}: give at least one width, one block, one pixel",
                f"widths {self.widths}, depth {self.depth}, patch_size {self.patch_size} : il faut au moins une largeur, un bloc, un pixel",
            )
        if not set(self.attention_levels) <= set(range(len(self.widths))):
            raise DalleEduError(
                f"attention_levels is {self.attention_levels}; the levels are 0 (the finest) to {len(self.widths) - 1}",
                f"attention_levels vaut {self.attention_levels} ; les niveaux vont de 0 (le plus fin) à {len(self.widths) - 1}",
            )
        if self.text_width and not self.attention_levels and not self.middle_depth:
            raise DalleEduError(
                f"text_width is {self.text_width} but no level attends; name one in attention_levels, or give a middle_depth",
                f"text_width vaut {self.text_width} mais aucun niveau n'a d'attention ; nommez-en un dans attention_levels, ou donnez un "
                "middle_depth",
            )

    @property
    def stride(self) -> int:
        """The sides of a picture must be multiples of this: the pixels that one position at the bottom stands for."""
        return self.patch_size * 2 ** (len(self.widths) - 1)

    @property
    def condition_width(self) -> int:
        """Channels of what every block hears of time and class; 0 if it hears of neither."""
        return 4 * self.widths[0] if self.time or self.pooled_width else 0


class ResolutionLevel(nn.Module):
    """`depth` residual blocks at one resolution, and perhaps one attention block."""

    def __init__(self, config: UNetConfig, level: int, channels: int):
        super().__init__()
        width = config.widths[level]
        inputs = [channels] + [width] * (config.depth - 1)
        self.blocks = nn.ModuleList(GroupNormBlock(c, width, config.groups, config.condition_width) for c in inputs)
        attends = level in config.attention_levels
        self.attention = AttentionBlock(width, config.heads, config.text_width) if attends else None

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        condition: Float[Tensor, "n e"] | None = None,
        text: Float[Tensor, "n k d"] | None = None,
        mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n v h w"]:
        for block in self.blocks:
            x = block(x, condition)
        return x if self.attention is None else self.attention(x, text, mask)


class UNet(nn.Module):
    """Pictures in, pictures of the same size out: classes of pixels, noise, or what a noisy picture shows.

    Inputs that the configuration does not announce are refused. Blank ones are how a condition is left out, in training and for guidance:
    a `text_mask` that is False all along, a `pooled` vector of zeros.
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths, levels = config.widths, range(len(config.widths))
        if config.time:
            e = config.condition_width
            self.time = nn.Sequential(nn.Linear(widths[0], e), nn.SiLU(), nn.Linear(e, e))
        if config.pooled_width:
            self.pooled = nn.Linear(config.pooled_width, config.condition_width, bias=False)
        if config.text_width:
            self.text_norm = nn.LayerNorm(config.text_width)
            self.no_text = nn.Parameter(0.02 * torch.randn(1, 1, config.text_width))
        self.door = Patchify(config.in_channels, widths[0], config.patch_size)
        self.encoder = nn.ModuleList(ResolutionLevel(config, level, widths[level]) for level in levels)
        self.middle = Middle(widths[-1], config.middle_depth, config.heads, config.text_width) if config.middle_depth else None
        self.down = nn.ModuleList(Patchify(fine, coarse, 2) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(Spread(coarse, fine, 2) for fine, coarse in pairwise(widths))
        self.decoder = nn.ModuleList(ResolutionLevel(config, level, 2 * widths[level]) for level in levels[:-1])
        self.norm = nn.GroupNorm(config.groups, widths[0])
        self.exit = Unpatchify(widths[0], config.out_channels, config.patch_size)
        _start_at_zero(self.exit)

    def forward(
        self,
        images: Float[Tensor, "n c H W"],
        time: Real[Tensor, " n"] | None = None,
        text: Float[Tensor, "n k d"] | None = None,
        text_mask: Bool[Tensor, "n k"] | None = None,
        pooled: Float[Tensor, "n p"] | None = None,
    ) -> Float[Tensor, "n out H W"]:
        """(n, in_channels, H, W) to (n, out_channels, H, W), with H and W multiples of `config.stride`.

        `time` holds timesteps (0 to about 1,000, fractions welcome), `text` the vectors of the caption's words, of which `text_mask` says
        which are not padding, `pooled` one vector for the whole picture: a class (one-hot) or an embedding. Raises `DalleEduError` for an
        input whose shape, dtype or presence is not what the configuration says.
        """
        self._check(images, time, text, text_mask, pooled)
        condition = self._condition(images, time, pooled)
        words, seen = self._words(images, text, text_mask)
        x = self.door(images)
        skips = []
        for stage, down in zip(self.encoder, self.down, strict=False):
            x = stage(x, condition, words, seen)
            skips.append(x)
            x = down(x)
        x = self.encoder[-1](x, condition, words, seen)  # the bottom: each position stands for `stride` pixels
        if self.middle is not None:
            x = self.middle(x, words, seen)
        for stage, up, skip in reversed(list(zip(self.decoder, self.up, skips, strict=True))):
            x = stage(self.join(up(x), skip), condition, words, seen)
        x = F.silu(self.norm(x))
        with torch.autocast(x.device.type, enabled=False):  # the answer in full precision, and few channels are slow in half
            return self.exit(x.to(self.exit.paint.weight.dtype))

    def join(self, x: Float[Tensor, "n c h w"], skip: Float[Tensor, "n c h w"]) -> Float[Tensor, "n twice_c h w"]:
        """What came up from below, beside what came straight across."""
        return torch.cat([x, skip], dim=1)

    def _condition(self, images: Tensor, time: Tensor | None, pooled: Tensor | None) -> Tensor | None:
        """What every block hears: the sum of the time and of the pooled vector, each in its own words."""
        condition = None
        if time is not None:
            condition = self.time(sinusoidal_embedding(time, self.config.widths[0]).to(images.dtype))
        if pooled is not None:
            condition = self.pooled(pooled) if condition is None else condition + self.pooled(pooled)
        return condition

    def _words(self, images: Tensor, text: Tensor | None, mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The caption's words after one learned word that is always there, so that a caption may be blank or missing."""
        if not self.config.text_width:
            return None, None
        n = len(images)
        blank = self.no_text.expand(n, -1, -1)
        if text is None:
            return blank, None
        words = torch.cat([blank, self.text_norm(text)], dim=1)
        return words, None if mask is None else F.pad(mask, (1, 0), value=True)

    def _check(self, images: Tensor, time: Tensor | None, text: Tensor | None, mask: Tensor | None, pooled: Tensor | None) -> None:
        config, n = self.config, len(images) if images.ndim else 0
        _expect("images", images, (n, config.in_channels, None, None))
        if images.shape[2] % config.stride or images.shape[3] % config.stride:
            raise DalleEduError(
                f"the pictures are {images.shape[2]} x {images.shape[3]}; this network wants multiples of {config.stride}: resize or crop",
                f"les images font {images.shape[2]} x {images.shape[3]} ; ce réseau veut des multiples de {config.stride} : redimensionnez",
            )
        _expect("time", time, (n,) if config.time else None, dtype=None)
        _expect("pooled", pooled, (n, config.pooled_width) if config.pooled_width else None)
        if text is not None or mask is not None:
            _expect("text", text, (n, None, config.text_width) if config.text_width else None)
        if text is not None and mask is not None:
            _expect("text_mask", mask, (n, text.shape[1]), dtype=torch.bool)


def _expect(name: str, given: Tensor | None, shape: tuple[int | None, ...] | None, dtype: torch.dtype | None = torch.float) -> None:
    """Raise `DalleEduError` unless `given` is what the configuration announces.

    `shape` is None for an input that must be absent, and holds None for a size that may be any; `dtype` is `torch.bool`, `torch.float`
    (any floating-point dtype) or None (any dtype).
    """
    if given is None and shape is None:
        return
    got = "None" if given is None else f"{str(given.dtype).removeprefix('torch.')} {tuple(given.shape)}"
    if shape is None:
        raise DalleEduError(
            f"{name} is {got}, but the configuration of this network announces none; leave it out",
            f"{name} vaut {got}, mais la configuration de ce réseau n'en annonce pas ; ne le donnez pas",
        )
    if given is not None and given.ndim == len(shape):
        right_dtype = dtype is None or (given.is_floating_point() if dtype is torch.float else given.dtype == dtype)
        if right_dtype and all(want in (None, have) for want, have in zip(shape, given.shape, strict=True)):
            return
    kind = {torch.bool: "bool", torch.float: "float", None: ""}[dtype]
    wanted = f"{kind} ({', '.join('*' if size is None else str(size) for size in shape)})".strip()
    raise DalleEduError(
        f"{name} is {got}; this network expects {wanted}, where * is any size",
        f"{name} vaut {got} ; ce réseau attend {wanted}, où * est une taille quelconque",
    )
