"""DALL·E 1: a discrete VAE turns pictures into codes, and a GPT writes captions and
codes as one stream (Ramesh et al. 2021).

Stage one trains the dVAE on pictures alone: "codec" all of it, on soft mixtures of
codes, then "decoder" its decoder alone, on the likeliest code of each patch, since
drawing decodes single codes and no mixtures. Stage two, "prior", freezes the dVAE
and trains the GPT on captions followed by the codes of their pictures. To draw, the
GPT continues a caption with codes, and the decoder turns them into pixels. Lesson
11.

Letters: n captions or pictures, t text tokens, i codes of a picture, v entries of
the codebook, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, temperature_at
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.systems.families.autoregressive import (
    RECONSTRUCTED,
    AutoregressiveRecipe,
    AutoregressiveSampling,
    AutoregressiveSystem,
)
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer


@dataclass(frozen=True)
class DallE1Model:
    """The shapes of the two networks, which agree on the number of codes and on the
    grid.
    """

    dvae: DVAEConfig = field(default_factory=DVAEConfig)
    gpt: GPTConfig = field(default_factory=GPTConfig)


def dalle1_stages(
    codec_share: float = 0.12,
    decoder_share: float = 0.02,
    codec_batch_size: int = 32,
    batch_size: int = 64,
    embeddings_rate: float = 1.0,
) -> tuple[Stage, ...]:
    """The three stages. Shares are parts of the minutes of a run; the prior takes
    what is left. `embeddings_rate` is the prior's.
    """
    return (
        Stage(
            "codec",
            ("dvae",),
            codec_share,
            codec_batch_size,
            learning_rate=2e-3,
            updates_share=0.7,
            matrix_learning_rate=2e-2,
            muon=("dvae.encoder", "dvae.decoder"),
            shows=RECONSTRUCTED,
        ),
        Stage(
            "decoder",
            ("dvae.decoder",),
            decoder_share,
            codec_batch_size,
            learning_rate=1e-3,
            updates_share=0.05,
            matrix_learning_rate=1e-2,
            muon=("dvae.decoder",),
            shows=RECONSTRUCTED,
            divisible=True,
        ),
        Stage(
            "prior",
            ("gpt",),
            1 - codec_share - decoder_share,
            batch_size,
            learning_rate=2e-3,
            updates_share=0.25,
            matrix_learning_rate=2e-2,
            muon=("gpt.blocks",),
            embeddings_rate=embeddings_rate,
            divisible=True,
        ),
    )


@dataclass(frozen=True)
class DallE1Recipe(AutoregressiveRecipe):
    """The stages, and the part of captions that training leaves out."""

    stages: tuple[Stage, ...] = dalle1_stages()


@dataclass(frozen=True)
class DallE1Config:
    """The shapes of the networks, the recipe of their training, and the settings of
    sampling that were found to draw best.
    """

    model: DallE1Model = field(default_factory=DallE1Model)
    recipe: DallE1Recipe = field(default_factory=DallE1Recipe)
    sampling: AutoregressiveSampling = field(default_factory=AutoregressiveSampling)


def _gpt(**shape: Any) -> GPTConfig:
    """A GPT whose words know their neighbours (`bricks/neighbours.py`)."""
    return GPTConfig(smear=True, canon_taps=3, **shape)


def _recipe(**stages: Any) -> DallE1Recipe:
    return DallE1Recipe(dalle1_stages(embeddings_rate=4.0, **stages))


PRESETS = {
    "laptop": DallE1Config(
        DallE1Model(
            DVAEConfig(resolution=32, num_codes=128, width=48),
            _gpt(num_codes=128, width=192, depth=4, heads=4),
        ),
        _recipe(codec_share=0.14),
    ),
    "standard": DallE1Config(
        DallE1Model(
            DVAEConfig(resolution=64, num_codes=384, width=64),
            GPTConfig(num_codes=384, width=192, depth=6, heads=4),
        ),
        sampling=AutoregressiveSampling(1.8, temperature=0.4, daring=0.7),
    ),
    "gpu": DallE1Config(
        DallE1Model(
            DVAEConfig(resolution=128, grid=16, num_codes=1024, width=128, depth=3),
            _gpt(num_codes=1024, grid=16, width=512, depth=8, heads=8),
        ),
        _recipe(codec_share=0.4, codec_batch_size=128, batch_size=256),
    ),
}


@register
class DallE1(AutoregressiveSystem):
    """DALL·E 1. It draws pictures of (3, resolution, resolution) from sentences of
    at most `text_length` tokens. Lesson 11.

    Raises `ValueError` where the two networks do not agree on the codes.
    """

    name = "dalle1"
    lesson = 11
    presets = PRESETS
    config: DallE1Config

    def __init__(
        self, config: DallE1Config, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        dvae, gpt = config.model.dvae, config.model.gpt
        if (dvae.num_codes, dvae.grid) != (gpt.num_codes, gpt.grid):
            raise ValueError(
                "the dVAE and the GPT must agree on the number of codes and on "
                "the grid"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.dvae = DiscreteVAE(dvae)
        self.gpt = TextToImageGPT(gpt)

    @property
    def resolution(self) -> int:
        return self.config.model.dvae.resolution

    @property
    def codec(self) -> DiscreteVAE:
        return self.dvae

    @property
    def code_prior(self) -> TextToImageGPT:
        return self.gpt

    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        return self.gpt(text, codes)[1]

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        if stage == "codec":
            return self.dvae.loss(images, temperature_at(progress), generator)
        if stage == "decoder":
            return self.dvae.decoder_loss(images)
        codes, text = self.codes_and_text(images, captions, generator)
        return self.gpt.loss(text, codes)
