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
from dalle_edu.world.tokenizer import (
    CaptionTokenizer,
    caption_tokenizer,
    trimmed,
)

# the matrices of the GPT's local model, which is there for several codes a token
LOCAL = ("gpt.local.expand", "gpt.local.contract")


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
    codec_rate: float = 1.0,
    codebook_rate: float = 1.0,
    embeddings_rate: float = 1.0,
    start_images: int = 0,
    codes_per_token: int = 1,
) -> tuple[Stage, ...]:
    """The three stages. Shares are parts of the minutes of a run; the prior takes
    what is left. `codec_rate` is a factor of the learning rates of the first two
    stages. `codebook_rate` is the `embeddings_rate` of the first, whose codebook is
    initialised from `start_images` pictures; `embeddings_rate` is the prior's. With
    more than one of the GPT's `codes_per_token`, Muon trains the matrices of its
    local model too.
    """
    return (
        Stage(
            "codec",
            ("dvae",),
            codec_share,
            codec_batch_size,
            learning_rate=2e-3 * codec_rate,
            updates_share=0.7,
            matrix_learning_rate=2e-2 * codec_rate,
            muon=("dvae.encoder", "dvae.decoder"),
            shows=RECONSTRUCTED,
            embeddings_rate=codebook_rate,
            start_images=start_images,
        ),
        Stage(
            "decoder",
            ("dvae.decoder",),
            decoder_share,
            codec_batch_size,
            learning_rate=1e-3 * codec_rate,
            updates_share=0.05,
            matrix_learning_rate=1e-2 * codec_rate,
            muon=("dvae.decoder",),
            shows=RECONSTRUCTED,
        ),
        Stage(
            "prior",
            ("gpt",),
            1 - codec_share - decoder_share,
            batch_size,
            learning_rate=2e-3,
            updates_share=0.25,
            matrix_learning_rate=2e-2,
            muon=("gpt.blocks", *(LOCAL if codes_per_token > 1 else ())),
            embeddings_rate=embeddings_rate,
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
    """A recipe whose codes start where the pictures are."""
    return DallE1Recipe(
        dalle1_stages(embeddings_rate=4.0, start_images=256, **stages)
    )


PRESETS = {
    "laptop": DallE1Config(
        DallE1Model(
            DVAEConfig(resolution=32, num_codes=256, width=32),
            _gpt(
                num_codes=256,
                width=160,
                depth=3,
                heads=4,
                codes_per_token=4,
                image_canon_taps=3,
                mask_padding=True,
            ),
        ),
        _recipe(
            codec_share=0.14, codec_rate=1.5, codebook_rate=4.0, codes_per_token=4
        ),
        AutoregressiveSampling(temperature=0.85, epsilon=0.01),
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

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        tokens = super().tokens(captions)
        return trimmed(tokens) if self.gpt.config.mask_padding else tokens

    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        return self.gpt(text, codes)[1]

    def start_stage(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
    ) -> None:
        if stage == "codec":
            self.dvae.initialise_codebook(images, generator)

    def divisible(self, stage: str) -> bool:
        return stage != "codec"  # the entropy of its codes is that of a batch

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
