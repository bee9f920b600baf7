"""Systems that draw by diffusion, small first: a base model makes pictures of 32 x
32, and upsamplers double their sides.

Imagen and DALL·E 2 differ in what their base model is told and share everything
else, which is here: drawing, the upsamplers' training, and painting into a picture.
Pictures at the finest resolution are what training is given; the smaller ones are
made from them.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.samplers import Callback
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import (
    check_guidance_scale,
    check_images,
    check_pairs,
    check_prompts,
    check_steps,
)
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.system import TOGETHER, System
from dalle_edu.systems.interface.trainable import Stage
from dalle_edu.systems.parts.base_model import BaseModel, Conditions, KnownPixels
from dalle_edu.systems.parts.super_resolution import Upsampler
from dalle_edu.world.tokenizer import CaptionTokenizer

BASE = 32  # pixels on a side of what the base model paints


def base_unet(
    text_width: int,
    pooled_width: int,
    widths: tuple[int, int] = (80, 160),
    depth: int = 1,
    middle_depth: int = 5,
    heads: int = 5,
) -> UNetConfig:
    """16 x 16 positions of 2 x 2 pixels, and a transformer on 8 x 8 of them that
    reads the caption; every block hears the pooled vector.
    """
    return UNetConfig(
        widths=widths,
        depth=depth,
        attention_levels=(),
        middle_depth=middle_depth,
        heads=heads,
        text_width=text_width,
        pooled_width=pooled_width,
    )


def upsampler_unet(
    widths: tuple[int, ...] = (32, 64), patch_size: int = 2
) -> UNetConfig:
    """A small network: it sees the noisy large picture, the small one enlarged, and
    how noisy that is, seven channels in all.
    """
    return UNetConfig(
        in_channels=7, patch_size=patch_size, widths=widths, attention_levels=()
    )


def unet_config(values: dict[str, Any]) -> UNetConfig:
    """A configuration as JSON gives it back: lists become tuples again."""
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }
    return UNetConfig(**settings)


def shrink(images: Float[Tensor, "n 3 h w"], side: int) -> Float[Tensor, "n 3 l l"]:
    """Pictures of a smaller side, each pixel the mean of those that it replaces."""
    factor = images.shape[-1] // side
    return images if factor == 1 else F.avg_pool2d(images, factor)


class Cascade(System):
    """A system with a base model, upsamplers and a tokenizer. Subclasses give
    `base_model`, `text_length` and `draw`.
    """

    tokenizer: CaptionTokenizer
    upsamplers: nn.ModuleList

    @property
    @abstractmethod
    def base_model(self) -> BaseModel:
        """What paints small pictures."""

    @property
    @abstractmethod
    def text_length(self) -> int:
        """How many tokens a caption may have."""

    @abstractmethod
    def draw(
        self,
        prompts: Sequence[str],
        seed: int,
        known: KnownPixels | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, painted around what is known of it, under the
        settings of `generate`.
        """

    @property
    def resolution(self) -> int:
        return BASE * 2 ** len(self.upsamplers)

    @property
    def evaluations(self) -> int:
        return self.config.steps + self.config.upsampler_steps * len(
            self.upsamplers
        )

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        return self.tokenizer.encode(captions, self.text_length).to(self.device)

    # ------------------------------------------------------------ drawing

    def _upsamplers(self) -> list[Upsampler]:
        return [
            upsampler
            for upsampler in self.upsamplers
            if isinstance(upsampler, Upsampler)
        ]

    def noises(self, n: int, seed: int) -> list[Tensor]:
        """The base model's noise and each upsampler's, for n pictures; those of
        picture i depend on (seed, i) alone.
        """
        sides = [
            (3, BASE),
            *((6, upsampler.resolution) for upsampler in self._upsamplers()),
        ]
        noise = noise_for(
            n, (sum(channels * side**2 for channels, side in sides),), seed
        ).to(self.device)
        parts = noise.split([channels * side**2 for channels, side in sides], dim=1)
        return [
            part.unflatten(1, (channels, side, side))
            for part, (channels, side) in zip(parts, sides, strict=True)
        ]

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        guidance_scale: float | None = None,
        steps: int | None = None,
        threshold: bool | None = None,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        `guidance_scale` 1 follows the caption as training did, more follows it more
        closely; `steps` is how often the base model is asked; `threshold` says
        whether what strong guidance drives out of range is tamed by dynamic
        thresholding, or clipped. Picture i draws its chance from (seed, i) alone.
        `callback` watches the base model's steps. Raises `DalleEduError` for a
        prompt that cannot be drawn or a setting out of range.
        """
        check_prompts(prompts)
        return self.draw(
            prompts,
            seed,
            guidance_scale=guidance_scale,
            steps=steps,
            threshold=threshold,
            callback=callback,
        )

    @torch.no_grad()
    def sample(
        self,
        conditional: Conditions,
        unconditional: Conditions,
        seed: int,
        guidance_scale: float | None = None,
        steps: int | None = None,
        threshold: bool | None = None,
        known: KnownPixels | None = None,
        callback: Callback | None = None,
        full_size: bool = True,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures under conditions: the base model's, then enlarged. `known` is a
        picture of full size and where it is kept.
        """
        guidance_scale = (
            self.config.guidance_scale if guidance_scale is None else guidance_scale
        )
        steps = self.config.steps if steps is None else steps
        threshold = self.config.threshold if threshold is None else threshold
        check_guidance_scale(guidance_scale)
        check_steps(steps)
        n = len(next(iter(conditional.values())))
        noises, pictures = self.noises(n, seed), []
        for start in range(0, n, TOGETHER):
            rows = slice(start, start + TOGETHER)
            told, untold = (
                {name: value[rows] for name, value in each.items()}
                for each in (conditional, unconditional)
            )
            base, *others = (noise[rows] for noise in noises)
            kept = None if known is None else (known[0][rows], known[1][rows])
            small = self.base_model.sample(
                base,
                told,
                untold,
                guidance_scale,
                steps,
                threshold,
                _shrunk(kept, BASE),
                callback,
            )
            pictures.append(
                self.enlarge(small, others, kept) if full_size else small
            )
        return torch.cat(pictures)

    def enlarge(
        self,
        small: Float[Tensor, "n 3 l l"],
        noises: Sequence[Tensor],
        known: KnownPixels | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """A base model's pictures at the system's size; with fewer noises than
        upsamplers, at that of the last that has one.
        """
        for upsampler, noise in zip(self._upsamplers(), noises, strict=False):
            small = upsampler.enlarge(
                small,
                noise,
                self.config.upsampler_steps,
                known=_shrunk(known, upsampler.resolution),
            )
        return small

    @torch.no_grad()
    def inpaint(
        self,
        images: Float[Tensor, "n 3 h w"],
        keep: Bool[Tensor, "n 1 h w"],
        prompts: Sequence[str],
        *,
        seed: int = 0,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures painted anew where `keep` is False, so that the whole is what a
        prompt says, under the settings of `generate`. Kept pixels stay exactly as
        they are.
        """
        check_images(images, self.resolution)
        check_pairs(images, prompts)
        if keep.dtype != torch.bool or keep.shape != (
            len(images),
            1,
            self.resolution,
            self.resolution,
        ):
            raise DalleEduError(
                f"keep is {keep.dtype} {tuple(keep.shape)} for {len(images)} "
                "pictures; give a bool for each pixel, (n, 1, h, w)",
                f"keep est {keep.dtype} {tuple(keep.shape)} pour {len(images)} "
                "images ; donnez un booléen par pixel, (n, 1, h, w)",
            )
        images, keep = images.to(self.device), keep.to(self.device)
        return torch.where(
            keep, images, self.draw(prompts, seed, (images, keep), **settings)
        )

    # ------------------------------------------------------------ learning

    def upsampler_stages(self) -> tuple[Stage, ...]:
        """A stage for each upsampler."""
        return tuple(
            Stage(
                f"upsampler_{upsampler.resolution}",
                (f"upsamplers.{i}",),
                self.config.upsampler_share,
                self.config.upsampler_batch_size,
                learning_rate=1e-3,
                updates_share=self.config.upsampler_share,
                matrix_learning_rate=1e-2,
                muon=(
                    f"upsamplers.{i}.unet.encoder",
                    f"upsamplers.{i}.unet.decoder",
                ),
            )
            for i, upsampler in enumerate(self._upsamplers())
        )

    def upsampler_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """The loss of the upsampler that a stage is named after."""
        upsampler = next(
            each
            for each in self._upsamplers()
            if stage == f"upsampler_{each.resolution}"
        )
        return upsampler.loss(shrink(images, upsampler.resolution), generator)

    @torch.no_grad()
    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """True small pictures, enlarged by the upsamplers that are trained by
        now.
        """
        trained = [
            upsampler
            for upsampler in self._upsamplers()
            if upsampler.resolution <= int(stage.removeprefix("upsampler_"))
        ]
        return self.enlarge(
            shrink(images, BASE),
            self.noises(len(images), seed)[1 : len(trained) + 1],
        )


def build_upsamplers(configs: Sequence[UNetConfig]) -> nn.ModuleList:
    """One for each doubling, the smallest first."""
    return nn.ModuleList(
        Upsampler(config, BASE * 2 ** (i + 1)) for i, config in enumerate(configs)
    )


def _shrunk(
    known: tuple[Tensor, Tensor] | None, side: int
) -> tuple[Tensor, Tensor] | None:
    """A known picture and its mask, smaller: a pixel is known where all those that
    it replaces are.
    """
    if known is None:
        return None
    images, keep = known
    factor = images.shape[-1] // side
    return shrink(images, side), keep if factor == 1 else ~(
        F.max_pool2d((~keep).float(), factor) > 0
    )
