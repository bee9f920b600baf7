"""The U-Net: down to where the whole picture fits in one glance, up again to the
pixels, with a shortcut across at each resolution.

Going down loses *where*, going up has to invent it; the shortcuts (skips) carry it
across. Ronneberger et al. (2015) built it to say what each pixel of a picture
belongs to. Ho et al. (2020) gave it the time of a diffusion process and had it say
what each pixel was before noise came over it; Dhariwal and Nichol (2021), Nichol et
al. (2021, GLIDE) and Saharia et al. (2022, Imagen) gave it the words of a caption.
One network does all of this here: what it is told beside the picture is optional.

Letters: n pictures, c channels, H x W pixels, h x w positions at some resolution, t
tokens (positions or words) that ask, k words, d channels of a word, p entries of a
pooled vector, e channels of the condition. Lesson 09.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Real
from torch import Tensor, nn

from dalle_edu.bricks.convolution import Patchify, Spread, Unpatchify
from dalle_edu.bricks.unet_blocks import (
    AttentionBlock,
    GroupNormBlock,
    Middle,
    sinusoidal_embedding,
    start_at_zero,
)
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- the blocks


# ---------------------------------------------------------------- the network


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a U-Net.

    `widths` are the channels at each resolution, the finest first: the door cuts
    the picture into patches of `patch_size` pixels (1: none), and each further
    resolution halves the sides. Level i has width `widths[i]`; the last is the
    bottom. Attention stands at the levels named in `attention_levels`; at the
    bottom, `middle_depth` layers of a transformer may follow. A `text_width` or
    `pooled_width` of 0 means that there is no such input, and so does `time=False`.
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
                f"widths {self.widths}, depth {self.depth}, patch_size "
                f"{self.patch_size}: give at least one width, one block, one pixel",
                f"widths {self.widths}, depth {self.depth}, patch_size "
                f"{self.patch_size} : il faut au moins une largeur, un bloc, un "
                "pixel",
            )
        if not set(self.attention_levels) <= set(range(len(self.widths))):
            raise DalleEduError(
                f"attention_levels is {self.attention_levels}; the levels are 0 "
                f"(the finest) to {len(self.widths) - 1}",
                f"attention_levels vaut {self.attention_levels} ; les niveaux vont "
                f"de 0 (le plus fin) à {len(self.widths) - 1}",
            )
        if self.text_width and not self.attention_levels and not self.middle_depth:
            raise DalleEduError(
                f"text_width is {self.text_width} but no level attends; name one "
                "in attention_levels, or give a middle_depth",
                f"text_width vaut {self.text_width} mais aucun niveau n'a "
                "d'attention ; nommez-en un dans attention_levels, ou donnez un "
                "middle_depth",
            )

    @property
    def stride(self) -> int:
        """The sides of a picture must be multiples of this: the pixels that one
        position at the bottom stands for.
        """
        return self.patch_size * 2 ** (len(self.widths) - 1)

    @property
    def condition_width(self) -> int:
        """Channels of what every block hears of time and class; 0 if it hears of
        neither.
        """
        return 4 * self.widths[0] if self.time or self.pooled_width else 0


class ResolutionLevel(nn.Module):
    """`depth` residual blocks at one resolution, and perhaps one attention
    block.
    """

    def __init__(self, config: UNetConfig, level: int, channels: int):
        super().__init__()
        width = config.widths[level]
        inputs = [channels] + [width] * (config.depth - 1)
        self.blocks = nn.ModuleList(
            GroupNormBlock(c, width, config.groups, config.condition_width)
            for c in inputs
        )
        attends = level in config.attention_levels
        self.attention = (
            AttentionBlock(width, config.heads, config.text_width)
            if attends
            else None
        )

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
    """Pictures in, pictures of the same size out: classes of pixels, noise, or what
    a noisy picture shows.

    Inputs that the configuration does not announce are refused. Blank ones are how
    a condition is left out, in training and for guidance: a `text_mask` that is
    False all along, a `pooled` vector of zeros.
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths, levels = config.widths, range(len(config.widths))
        if config.time:
            e = config.condition_width
            self.time = nn.Sequential(
                nn.Linear(widths[0], e), nn.SiLU(), nn.Linear(e, e)
            )
        if config.pooled_width:
            self.pooled = nn.Linear(
                config.pooled_width, config.condition_width, bias=False
            )
        if config.text_width:
            self.text_norm = nn.LayerNorm(config.text_width)
            self.no_text = nn.Parameter(0.02 * torch.randn(1, 1, config.text_width))
        self.door = Patchify(config.in_channels, widths[0], config.patch_size)
        self.encoder = nn.ModuleList(
            ResolutionLevel(config, level, widths[level]) for level in levels
        )
        self.middle = (
            Middle(widths[-1], config.middle_depth, config.heads, config.text_width)
            if config.middle_depth
            else None
        )
        self.down = nn.ModuleList(
            Patchify(fine, coarse, 2) for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(
            Spread(coarse, fine, 2) for fine, coarse in pairwise(widths)
        )
        self.decoder = nn.ModuleList(
            ResolutionLevel(config, level, 2 * widths[level])
            for level in levels[:-1]
        )
        self.norm = nn.GroupNorm(config.groups, widths[0])
        self.exit = Unpatchify(widths[0], config.out_channels, config.patch_size)
        start_at_zero(self.exit)

    def forward(
        self,
        images: Float[Tensor, "n c H W"],
        time: Real[Tensor, " n"] | None = None,
        text: Float[Tensor, "n k d"] | None = None,
        text_mask: Bool[Tensor, "n k"] | None = None,
        pooled: Float[Tensor, "n p"] | None = None,
    ) -> Float[Tensor, "n out H W"]:
        """(n, in_channels, H, W) to (n, out_channels, H, W), with H and W multiples
        of `config.stride`.

        `time` holds timesteps (0 to about 1,000, fractions welcome), `text` the
        vectors of the caption's words, of which `text_mask` says which are not
        padding, `pooled` one vector for the whole picture: a class (one-hot) or an
        embedding. Raises `DalleEduError` for an input whose shape, dtype or
        presence is not what the configuration says.
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
        # the bottom: each position stands for `stride` pixels
        x = self.encoder[-1](x, condition, words, seen)
        if self.middle is not None:
            x = self.middle(x, words, seen)
        for stage, up, skip in reversed(
            list(zip(self.decoder, self.up, skips, strict=True))
        ):
            x = stage(self.join(up(x), skip), condition, words, seen)
        x = F.silu(self.norm(x))
        # the answer in full precision, and few channels are slow in half
        with torch.autocast(x.device.type, enabled=False):
            return self.exit(x.to(self.exit.paint.weight.dtype))

    def join(
        self, x: Float[Tensor, "n c h w"], skip: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n twice_c h w"]:
        """What came up from below, beside what came straight across."""
        return torch.cat([x, skip], dim=1)

    def _condition(
        self, images: Tensor, time: Tensor | None, pooled: Tensor | None
    ) -> Tensor | None:
        """What every block hears: the sum of the time and of the pooled vector,
        each in its own words.
        """
        condition = None
        if time is not None:
            condition = self.time(
                sinusoidal_embedding(time, self.config.widths[0]).to(images.dtype)
            )
        if pooled is not None:
            condition = (
                self.pooled(pooled)
                if condition is None
                else condition + self.pooled(pooled)
            )
        return condition

    def _words(
        self, images: Tensor, text: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """The caption's words after one learned word that is always there, so that
        a caption may be blank or missing.
        """
        if not self.config.text_width:
            return None, None
        n = len(images)
        blank = self.no_text.expand(n, -1, -1)
        if text is None:
            return blank, None
        words = torch.cat([blank, self.text_norm(text)], dim=1)
        return words, None if mask is None else F.pad(mask, (1, 0), value=True)

    def _check(
        self,
        images: Tensor,
        time: Tensor | None,
        text: Tensor | None,
        mask: Tensor | None,
        pooled: Tensor | None,
    ) -> None:
        config, n = self.config, len(images) if images.ndim else 0
        _expect("images", images, (n, config.in_channels, None, None))
        if images.shape[2] % config.stride or images.shape[3] % config.stride:
            raise DalleEduError(
                f"the pictures are {images.shape[2]} x {images.shape[3]}; this "
                f"network wants multiples of {config.stride}: resize or crop",
                f"les images font {images.shape[2]} x {images.shape[3]} ; ce "
                f"réseau veut des multiples de {config.stride} : redimensionnez",
            )
        _expect("time", time, (n,) if config.time else None, dtype=None)
        _expect(
            "pooled",
            pooled,
            (n, config.pooled_width) if config.pooled_width else None,
        )
        if text is not None or mask is not None:
            _expect(
                "text",
                text,
                (n, None, config.text_width) if config.text_width else None,
            )
        if text is not None and mask is not None:
            _expect("text_mask", mask, (n, text.shape[1]), dtype=torch.bool)


def _expect(
    name: str,
    given: Tensor | None,
    shape: tuple[int | None, ...] | None,
    dtype: torch.dtype | None = torch.float,
) -> None:
    """Raise `DalleEduError` unless `given` is what the configuration announces.

    `shape` is None for an input that must be absent, and holds None for a size that
    may be any; `dtype` is `torch.bool`, `torch.float` (any floating-point dtype) or
    None (any dtype).
    """
    if given is None and shape is None:
        return
    got = (
        "None"
        if given is None
        else f"{str(given.dtype).removeprefix('torch.')} {tuple(given.shape)}"
    )
    if shape is None:
        raise DalleEduError(
            f"{name} is {got}, but the configuration of this network announces "
            "none; leave it out",
            f"{name} vaut {got}, mais la configuration de ce réseau n'en annonce "
            "pas ; ne le donnez pas",
        )
    if given is not None and given.ndim == len(shape):
        right_dtype = dtype is None or (
            given.is_floating_point()
            if dtype is torch.float
            else given.dtype == dtype
        )
        if right_dtype and all(
            want in (None, have)
            for want, have in zip(shape, given.shape, strict=True)
        ):
            return
    kind = {torch.bool: "bool", torch.float: "float", None: ""}[dtype]
    sizes = ", ".join("*" if size is None else str(size) for size in shape)
    wanted = f"{kind} ({sizes})".strip()
    raise DalleEduError(
        f"{name} is {got}; this network expects {wanted}, where * is any size",
        f"{name} vaut {got} ; ce réseau attend {wanted}, où * est une taille "
        "quelconque",
    )
