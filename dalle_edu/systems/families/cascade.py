"""Cascaded diffusion: a base model draws pictures of 32 x 32, and upsamplers double
their sides (Ho et al. 2021).

Imagen and DALL·E 2 differ in what conditions their base model. They share sampling,
the upsamplers' training and inpainting. Training is given pictures at the finest
resolution and makes the smaller ones from them. Lessons 14 and 15.

Letters: n pictures, h = w pixels on a side, l a smaller side.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.samplers import dpm_solver
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems.image_edits.inpainting import Inpainting
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.progress import ProgressCallback, Steps
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.system import TOGETHER
from dalle_edu.systems.parts.base_model import (
    BaseModel,
    Conditions,
    KnownPixels,
    clip_to_range,
)
from dalle_edu.systems.parts.super_resolution import Upsampler

BASE = 32  # pixels on a side of the base model's pictures
# what exams look at while the base model, or an upsampler, is trained
SMALL = ("small pictures of the base model", "de petites images du modèle de base")
ENLARGED = ("true pictures, made small and enlarged again",
            "de vraies images, réduites puis agrandies")  # fmt: skip


@dataclass(frozen=True)
class CascadeSampling:
    """How pictures are sampled.

    `guidance_scale` 1 is the base model as trained. `steps` are the base model's,
    `upsampler_steps` those of each upsampler. Strong guidance drives pixels out of
    [-1, 1]: `threshold` brings them back by dynamic thresholding (Saharia et al.
    2022, section 2.3), and without it they are clipped.
    """

    guidance_scale: float = 1.0
    threshold: bool = True
    steps: int = 20
    upsampler_steps: int = 3


def base_unet(
    text_width: int,
    pooled_width: int,
    widths: tuple[int, int] = (80, 160),
    depth: int = 1,
    middle_depth: int = 5,
    heads: int = 5,
) -> UNetConfig:
    """The base model's U-Net. It works on 16 x 16 patches of 2 x 2 pixels; at its
    lowest resolution, 8 x 8, a transformer attends to the caption's tokens. Every
    block is conditioned on the pooled vector.
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
    """An upsampler's U-Net. Its seven input channels are the noisy large picture,
    the small one enlarged, and the noise level of that one.
    """
    return UNetConfig(
        in_channels=7, patch_size=patch_size, widths=widths, attention_levels=()
    )


def build_upsamplers(configs: Sequence[UNetConfig]) -> nn.ModuleList:
    """An upsampler for each configuration. Each doubles the side; the first starts
    from the base model's pictures.
    """
    return nn.ModuleList(
        Upsampler(config, BASE * 2 ** (i + 1)) for i, config in enumerate(configs)
    )


def upsampler_stages(
    count: int, share: float = 0.05, batch_size: int = 16
) -> tuple[Stage, ...]:
    """A stage for each of `count` upsamplers, named after the resolution that it
    makes ("upsampler_64"). `share` is the part of a run that each takes.
    """
    return tuple(
        Stage(
            upsampler_stage(BASE * 2 ** (i + 1)),
            (f"upsamplers.{i}",),
            share,
            batch_size,
            learning_rate=1e-3,
            updates_share=share,
            matrix_learning_rate=1e-2,
            muon=(f"upsamplers.{i}.unet.encoder", f"upsamplers.{i}.unet.decoder"),
            shows=ENLARGED,
        )
        for i in range(count)
    )


def upsampler_stage(resolution: int) -> str:
    """The name of the stage that trains the upsampler to that side."""
    return f"upsampler_{resolution}"


def shrink(images: Float[Tensor, "n 3 h w"], side: int) -> Float[Tensor, "n 3 l l"]:
    """Pictures of a smaller side, which divides theirs: each pixel is the mean of
    those that it replaces.
    """
    factor = images.shape[-1] // side
    return images if factor == 1 else F.avg_pool2d(images, factor)


class Cascade(Inpainting):
    """A system with a base model, upsamplers and a tokenizer. Subclasses define
    `base_model`, `text_length` and `generate`, build `upsamplers`, and train them
    by `upsampler_loss`. `base_stage` is the stage that trains the base model.
    Lessons 14 and 15.
    """

    base_stage: ClassVar[str] = "base"
    upsamplers: nn.ModuleList

    @property
    @abstractmethod
    def base_model(self) -> BaseModel:
        """The diffusion model of small pictures."""

    @property
    @abstractmethod
    def text_length(self) -> int:
        """The largest number of tokens of a caption."""

    @property
    def resolution(self) -> int:
        return BASE * 2 ** len(self.upsamplers)

    @property
    def evaluations(self) -> int:
        sampling: Any = self.config.sampling
        return sampling.steps + sampling.upsampler_steps * len(self.upsamplers)

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        """Captions as token numbers, padded with 0."""
        return self.tokenizer.encode(captions, self.text_length).to(self.device)

    # ------------------------------------------------------------ drawing

    @torch.no_grad()
    def sample(
        self,
        conditional: Conditions,
        unconditional: Conditions,
        seed: int,
        sampling: CascadeSampling,
        known: KnownPixels | None = None,
        callback: ProgressCallback | None = None,
        full_size: bool = True,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures in [-1, 1] under conditions: those of the base model, enlarged
        if `full_size`.

        `conditional` and `unconditional` are the base model's conditions with and
        without the prompt, a row for each picture. `known` holds pictures of full
        size and a mask of the pixels to keep. `callback` is called with a
        `Progress` at each step of the base model and of the upsamplers.
        """
        n = len(next(iter(conditional.values())))
        noises, parts = self.noises(n, seed), []
        told = Steps(callback, self.step_count(n, sampling, full_size))
        for start in range(0, n, TOGETHER):
            rows = slice(start, start + TOGETHER)
            with_prompt, without_prompt = (
                {name: value[rows] for name, value in conditions.items()}
                for conditions in (conditional, unconditional)
            )
            base_noise, *others = (noise[rows] for noise in noises)
            kept = None if known is None else (known[0][rows], known[1][rows])
            denoise = self.base_model.denoiser(
                with_prompt,
                without_prompt,
                sampling.guidance_scale,
                sampling.threshold,
                shrink_known(kept, BASE),
                base_noise,
            )
            schedule, steps = self.base_model.schedule, sampling.steps
            watch = told.of_sampler(self.base_stage)
            sampled = dpm_solver(
                denoise, base_noise, schedule, steps, callback=watch
            )
            pictures = clip_to_range(sampled)
            if full_size:
                steps = sampling.upsampler_steps
                pictures = self.enlarge(pictures, others, steps, kept, told)
            parts.append(pictures)
        return torch.cat(parts)

    def step_count(
        self, n: int, sampling: CascadeSampling, full_size: bool = True
    ) -> int:
        """The number of steps in which `sample` draws n pictures."""
        enlarging = sampling.upsampler_steps * len(self.upsamplers)
        batches = len(range(0, n, TOGETHER))
        return batches * (sampling.steps + (enlarging if full_size else 0))

    def enlarge(
        self,
        small: Float[Tensor, "n 3 l l"],
        noises: Sequence[Tensor],
        steps: int,
        known: KnownPixels | None = None,
        told: Steps | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """The base model's pictures, enlarged by one upsampler after the other, in
        `steps` each, which are `told`. `noises` holds the noise of each; with fewer
        noises than upsamplers, the last ones are left out.
        """
        told = told or Steps(None, 0)
        for upsampler, noise in zip(self._upsamplers(), noises, strict=False):
            kept = shrink_known(known, upsampler.resolution)
            watch = told.of_sampler(upsampler_stage(upsampler.resolution))
            small = upsampler.enlarge(
                small, noise, steps, known=kept, callback=watch
            )
        return small

    def noises(self, n: int, seed: int) -> list[Tensor]:
        """The base model's noise and each upsampler's, for n pictures; those of
        picture i depend on (seed, i) alone. An upsampler has three channels to
        start from and three that cover the small picture.
        """
        shapes = [(3, BASE), *((6, each.resolution) for each in self._upsamplers())]
        sizes = [channels * side**2 for channels, side in shapes]
        numbers = noise_for(n, (sum(sizes),), seed).to(self.device)
        return [
            part.unflatten(1, (channels, side, side))
            for part, (channels, side) in zip(
                numbers.split(sizes, dim=1), shapes, strict=True
            )
        ]

    def _upsamplers(self) -> list[Upsampler]:
        return [each for each in self.upsamplers if isinstance(each, Upsampler)]

    # ------------------------------------------------------------ learning

    def upsampler_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """The loss of the upsampler that the stage is named after; `images` are at
        the system's resolution.
        """
        upsampler = next(
            each
            for each in self._upsamplers()
            if stage == upsampler_stage(each.resolution)
        )
        return upsampler.loss(shrink(images, upsampler.resolution), generator)

    @torch.no_grad()
    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """True small pictures, enlarged by the upsampler that the stage trains and
        those before it.
        """
        reached = int(stage.removeprefix("upsampler_"))
        trained = sum(each.resolution <= reached for each in self._upsamplers())
        noises = self.noises(len(images), seed)[1 : trained + 1]
        steps = self.config.sampling.upsampler_steps
        return self.enlarge(shrink(images, BASE), noises, steps)


def shrink_known(
    known: tuple[Tensor, Tensor] | None, side: int
) -> tuple[Tensor, Tensor] | None:
    """Known pictures and their mask at a smaller side. A small pixel is known where
    all the pixels that it replaces are, so that it shows nothing of unknown ones.
    """
    if known is None:
        return None
    images, keep = known
    factor = images.shape[-1] // side
    if factor == 1:
        return images, keep
    return shrink(images, side), ~(F.max_pool2d((~keep).float(), factor) > 0)
