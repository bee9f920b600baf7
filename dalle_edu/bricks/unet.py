"""The U-Net: down to a coarse grid, up again to the pixels, with skips across.

Going down loses where things are, and the skips (shortcuts at each resolution)
carry it across. Ronneberger et al. (2015) built it for segmentation, which gives
each pixel a class. Ho et al. (2020) conditioned it on the timestep of a diffusion
process and trained it to denoise. Dhariwal & Nichol (2021) conditioned it on a
class, Nichol et al. (2021, GLIDE) and Saharia et al. (2022, Imagen) on the words of
a caption. One network does all of this here, and every condition is optional. Its
blocks are in `unet_blocks.py`. Lessons 06 and 10.

Letters: n pictures, c channels, H x W pixels, h x w positions at some resolution, k
words of a caption, d channels of a word, p of a pooled vector, e of the condition.
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

# ------------------------------------------------------------------------ the shape


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a U-Net, and the conditions it takes.

    `widths` are the channels at each resolution, the finest first. The first layer
    cuts the picture into patches of `patch_size` pixels (1: none), and each further
    resolution halves the sides. Level i has the width `widths[i]`, and the last
    level is the bottom.

    `depth` is the number of residual blocks of a level. The levels named in
    `attention_levels` have attention; at the bottom, a transformer of
    `middle_depth` layers may follow. A `text_width` or a `pooled_width` of 0 means
    that there is no such condition, and so does `time=False`.

    Raises `DalleEduError` for sizes below 1, unknown levels, and words that no
    layer attends to.
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
        """The pixels on a side that one position at the bottom stands for.

        The sides of a picture must be multiples of it.
        """
        return self.patch_size * 2 ** (len(self.widths) - 1)

    @property
    def condition_width(self) -> int:
        """Channels of the vector that conditions every block on time and class.

        It is 0 without either.
        """
        return 4 * self.widths[0] if self.time or self.pooled_width else 0


# ---------------------------------------------------------------------- the network


class ResolutionLevel(nn.Module):
    """The layers of one resolution: `depth` residual blocks, perhaps attention.

    `channels` is the width that comes in; `config.widths[level]` goes out.
    """

    def __init__(self, config: UNetConfig, level: int, channels: int):
        super().__init__()
        width = config.widths[level]
        inputs = [channels] + [width] * (config.depth - 1)
        self.blocks = nn.ModuleList(
            GroupNormBlock(c, width, config.groups, config.condition_width)
            for c in inputs
        )
        self.attention = None
        if level in config.attention_levels:
            self.attention = AttentionBlock(width, config.heads, config.text_width)

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        condition: Float[Tensor, "n e"] | None = None,
        text: Float[Tensor, "n k d"] | None = None,
        mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n out h w"]:
        """Apply the residual blocks, then the attention block if there is one.

        `mask` is True for the words that may be attended to.
        """
        for block in self.blocks:
            x = block(x, condition)
        return x if self.attention is None else self.attention(x, text, mask)


class UNetLayers(nn.Module):
    """The layers of a U-Net, before anything says how they are wired.

    `door` makes patches of pixels and `exit` pixels of patches. Level i has
    `encoder[i]`; between it and the next stand `down[i]`, `up[i]` and, on the way
    up, `decoder[i]`. `middle` is the transformer at the bottom, or None.
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths, levels = config.widths, range(len(config.widths))
        e = config.condition_width
        if config.time:
            self.time = nn.Sequential(
                nn.Linear(widths[0], e), nn.SiLU(), nn.Linear(e, e)
            )
        if config.pooled_width:
            self.pooled = nn.Linear(config.pooled_width, e, bias=False)
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

    def condition_of(
        self, images: Tensor, time: Tensor | None, pooled: Tensor | None
    ) -> Tensor | None:
        """The sum of the projected time embedding and the projected `pooled`."""
        condition = None
        if time is not None:
            embedding = sinusoidal_embedding(time, self.config.widths[0])
            condition = self.time(embedding.to(images.dtype))
        if pooled is None:
            return condition
        projected = self.pooled(pooled)
        return projected if condition is None else condition + projected

    def words_of(
        self, images: Tensor, text: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """The caption's words after one learned vector, and their mask.

        The learned vector is always there, so that attention has something to
        attend to when the caption is unconditional or missing.
        """
        if not self.config.text_width:
            return None, None
        no_text = self.no_text.expand(len(images), -1, -1)
        if text is None:
            return no_text, None
        words = torch.cat([no_text, self.text_norm(text)], dim=1)
        return words, None if mask is None else F.pad(mask, (1, 0), value=True)

    def check(
        self,
        images: Tensor,
        time: Tensor | None,
        text: Tensor | None,
        mask: Tensor | None,
        pooled: Tensor | None,
    ) -> None:
        """Raise `DalleEduError` for inputs that do not fit the configuration."""
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
        one_vector = (n, config.pooled_width) if config.pooled_width else None
        _expect("pooled", pooled, one_vector)
        if text is not None or mask is not None:
            words = (n, None, config.text_width) if config.text_width else None
            _expect("text", text, words)
        if text is not None and mask is not None:
            _expect("text_mask", mask, (n, text.shape[1]), dtype=torch.bool)


class UNet(UNetLayers):
    """The U-Net: pictures to pictures of the same size.

    In segmentation it gives the logits of each pixel's class, in diffusion the
    noise, the clean picture or v. Inputs that the configuration does not announce
    are refused. The unconditional input, in training and for guidance, is a
    `text_mask` that is False everywhere and a `pooled` vector of zeros.
    """

    def join(
        self, x: Float[Tensor, "n c h w"], skip: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n twice_c h w"]:
        """Concatenate what comes up from below with the skip of that resolution."""
        return torch.cat([x, skip], dim=1)

    def down_and_up(
        self,
        x: Float[Tensor, "n c h w"],
        condition: Float[Tensor, "n e"] | None = None,
        words: Float[Tensor, "n k d"] | None = None,
        mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Go down, through the bottom, and up again, each level with its skip."""
        skips = []
        for level, down in zip(self.encoder, self.down, strict=False):
            x = level(x, condition, words, mask)
            skips.append(x)
            x = down(x)
        # the bottom: each position stands for `stride` pixels on a side
        x = self.encoder[-1](x, condition, words, mask)
        if self.middle is not None:
            x = self.middle(x, words, mask)
        upwards = list(zip(self.decoder, self.up, skips, strict=True))
        for level, up, skip in reversed(upwards):
            x = level(self.join(up(x), skip), condition, words, mask)
        return x

    def forward(
        self,
        images: Float[Tensor, "n c H W"],
        time: Real[Tensor, " n"] | None = None,
        text: Float[Tensor, "n k d"] | None = None,
        text_mask: Bool[Tensor, "n k"] | None = None,
        pooled: Float[Tensor, "n p"] | None = None,
    ) -> Float[Tensor, "n out H W"]:
        """Apply it: (n, in_channels, H, W) to (n, out_channels, H, W).

        H and W are multiples of `config.stride`. `time` holds timesteps, from 0 to
        about 1,000, which may be fractions. `text` holds the vectors of the
        caption's words, and `text_mask` is True for those that are not padding.
        `pooled` is one vector for the whole picture: a class (one-hot) or an
        embedding. Raises `DalleEduError` for an input whose shape, dtype or
        presence is not what the configuration says.
        """
        self.check(images, time, text, text_mask, pooled)
        condition = self.condition_of(images, time, pooled)
        words, mask = self.words_of(images, text, text_mask)
        x = self.down_and_up(self.door(images), condition, words, mask)
        x = F.silu(self.norm(x))
        # full precision for accuracy; and half would be slow on few channels
        with torch.autocast(x.device.type, enabled=False):
            return self.exit(x.to(self.exit.paint.weight.dtype))


def _expect(
    name: str,
    given: Tensor | None,
    shape: tuple[int | None, ...] | None,
    dtype: torch.dtype | None = torch.float,
) -> None:
    """Raise `DalleEduError` unless `given` is what the configuration announces.

    `shape` is None for an input that must be absent; None within it stands for any
    size. `dtype` is `torch.bool`, `torch.float` (any floating-point dtype) or None
    (any dtype).
    """
    if given is None and shape is None:
        return
    got = "None"
    if given is not None:
        got = f"{str(given.dtype).removeprefix('torch.')} {tuple(given.shape)}"
    if shape is None:
        raise DalleEduError(
            f"{name} is {got}, but the configuration of this network announces "
            "none; leave it out",
            f"{name} vaut {got}, mais la configuration de ce réseau n'en annonce "
            "pas ; ne le donnez pas",
        )
    if given is not None and given.ndim == len(shape):
        right_dtype = dtype in (None, given.dtype) or (
            dtype is torch.float and given.is_floating_point()
        )
        sizes = zip(shape, given.shape, strict=True)
        if right_dtype and all(want in (None, have) for want, have in sizes):
            return
    kind = {torch.bool: "bool", torch.float: "float", None: ""}[dtype]
    numbers = ", ".join("*" if size is None else str(size) for size in shape)
    wanted = f"{kind} ({numbers})".strip()
    raise DalleEduError(
        f"{name} is {got}; this network expects {wanted}, where * is any size",
        f"{name} vaut {got} ; ce réseau attend {wanted}, où * est une taille "
        "quelconque",
    )
