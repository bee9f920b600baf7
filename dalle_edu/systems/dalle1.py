"""DALL·E 1: a discrete VAE turns pictures into codes, and a GPT writes captions and
codes as one stream (Ramesh et al. 2021).

Stage one trains the dVAE on pictures alone: "codec" all of it, on soft choices of
codes, then "decoder" its decoder alone, on the one likeliest code of each patch,
since those are what it will be asked to paint. Stage two, "prior", freezes the dVAE
and trains the GPT on captions followed by the codes of their pictures. To draw, the
GPT continues a caption with codes, and the decoder paints them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, temperature_at
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.systems.families.autoregressive import AutoregressiveSystem
from dalle_edu.systems.interface.trainable import Stage
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer


@dataclass(frozen=True)
class DallE1Config:
    """The two networks, the recipe of their training, and the settings that draw
    best.
    """

    dvae: DVAEConfig = field(default_factory=DVAEConfig)
    gpt: GPTConfig = field(default_factory=GPTConfig)
    # captions that training leaves out, so that guidance knows what no caption
    # looks like
    caption_dropout: float = 0.1
    guidance_scale: float = 2.0
    temperature: float = 0.7
    # the temperature of whether to leave the likeliest code, where it has one of
    # its own
    daring: float | None = None
    codec_share: float = 0.4  # of the time of training
    decoder_share: float = 0.02
    codec_batch_size: int = 32
    batch_size: int = 64


PRESETS = {
    "laptop": DallE1Config(
        dvae=DVAEConfig(resolution=32, num_codes=128, width=48),
        gpt=GPTConfig(num_codes=128, width=192, depth=4, heads=4),
        codec_share=0.14,
    ),
    "standard": DallE1Config(
        dvae=DVAEConfig(resolution=64, num_codes=384, width=64),
        gpt=GPTConfig(num_codes=384, width=192, depth=6, heads=4),
        guidance_scale=1.8,
        temperature=0.4,
        daring=0.7,
        codec_share=0.12,
    ),
    "gpu": DallE1Config(
        dvae=DVAEConfig(
            resolution=128, grid=16, num_codes=1024, width=128, depth=3
        ),
        gpt=GPTConfig(num_codes=1024, grid=16, width=512, depth=8, heads=8),
        codec_batch_size=128,
        batch_size=256,
    ),
}


class DallE1(AutoregressiveSystem):
    """Draws pictures of (3, resolution, resolution) from sentences of at most
    `text_length` tokens.
    """

    name = "dalle1"
    presets = PRESETS

    def __init__(
        self, config: DallE1Config, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        if (
            config.dvae.num_codes != config.gpt.num_codes
            or config.dvae.grid != config.gpt.grid
        ):
            raise ValueError(
                "the dVAE and the GPT must agree on the number of "
                "codes and on the grid"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.dvae = DiscreteVAE(config.dvae)
        self.gpt = TextToImageGPT(config.gpt)
        self.stages = (
            Stage(
                "codec",
                ("dvae",),
                config.codec_share,
                config.codec_batch_size,
                learning_rate=2e-3,
                updates_share=0.7,
                matrix_learning_rate=2e-2,
                muon=("dvae.encoder", "dvae.decoder"),
            ),
            Stage(
                "decoder",
                ("dvae.decoder",),
                config.decoder_share,
                config.codec_batch_size,
                learning_rate=1e-3,
                updates_share=0.05,
                matrix_learning_rate=1e-2,
                muon=("dvae.decoder",),
            ),
            Stage(
                "prior",
                ("gpt",),
                1 - config.codec_share - config.decoder_share,
                config.batch_size,
                learning_rate=2e-3,
                updates_share=0.25,
                matrix_learning_rate=2e-2,
                muon=("gpt.blocks",),
            ),
        )

    @property
    def resolution(self) -> int:
        return self.config.dvae.resolution

    @property
    def codec(self) -> DiscreteVAE:
        return self.dvae

    @property
    def code_prior(self) -> TextToImageGPT:
        return self.gpt

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str = "prior",
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        if stage == "codec":
            return self.dvae.loss(images, temperature_at(progress), generator)
        if stage == "decoder":
            return self.dvae.decoder_loss(images)
        codes, text = self.codes_and_text(images, captions, generator)
        return self.gpt.loss(text, codes)

    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        return self.gpt(text, codes)[1]

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "DallE1":
        values = dict(metadata["config"])
        config = DallE1Config(
            **values
            | {
                "dvae": DVAEConfig(**values["dvae"]),
                "gpt": GPTConfig(**values["gpt"]),
            }
        )
        return cls(config, CaptionTokenizer.from_json(metadata["tokenizer"]))
