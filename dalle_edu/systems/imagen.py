"""Imagen: a text encoder that knows text alone, a base model of small pictures that
reads it, and upsamplers (Saharia et al. 2022).

Stages: "text_encoder" trains one on captions alone, which is frozen from then on;
"base" trains the base model of 32 x 32 pictures, whose positions look across at the
caption's words and whose blocks hear of the whole sentence; "upsampler_64" (and
"upsampler_128") learn to double a picture's side. To draw, the base model goes from
noise to a small picture, guided, and each upsampler doubles it. Dynamic
thresholding, which the paper's strong guidance needed, is there to compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems.families.cascade import (
    BASE,
    Cascade,
    base_unet,
    build_upsamplers,
    shrink,
    unet_config,
    upsampler_unet,
)
from dalle_edu.systems.hard_negatives.contrastive_loss import hard_negative_accuracy
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.systems.interface.trainable import Stage
from dalle_edu.systems.parts.base_model import BaseModel, Conditions, KnownPixels
from dalle_edu.systems.parts.text_encoder import (
    TextEncoder,
    TextEncoderConfig,
    text_encoder_loss,
)
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer


@dataclass(frozen=True)
class ImagenConfig:
    """The networks, the recipe of their training, and the settings that draw
    best.
    """

    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    base: UNetConfig = field(default_factory=lambda: base_unet(96, 96))
    upsamplers: tuple[UNetConfig, ...] = field(
        default_factory=lambda: (upsampler_unet(), upsampler_unet())
    )
    shift: float = 2.0  # how much noisier than cosine the base model's schedule is
    caption_dropout: float = 0.1
    # sentences of which the base model is told the words alone, which it then has
    # to put together itself
    sentence_dropout: float = 0.25
    guidance_scale: float = 2.0
    # dynamic, or a plain clip; the first greys white paper, and costs marks here
    threshold: bool = False
    steps: int = 20
    upsampler_steps: int = 3
    text_encoder_share: float = 0.14  # of the time of training
    upsampler_share: float = 0.05  # each
    text_encoder_batch_size: int = 128
    batch_size: int = 64
    upsampler_batch_size: int = 16


_READERS = {
    "small_text_encoder": TextEncoderConfig(width=32, depth=1),
    "laptop": TextEncoderConfig(),
    "large_text_encoder": TextEncoderConfig(width=160, depth=4),
}
PRESETS = {
    **{
        name: ImagenConfig(
            text_encoder=text_encoder,
            base=base_unet(text_encoder.width, text_encoder.width),
            upsamplers=(),
            text_encoder_share=0.2,
        )
        for name, text_encoder in _READERS.items()
    },
    "standard": ImagenConfig(),
    "gpu": ImagenConfig(
        text_encoder=TextEncoderConfig(width=256, depth=4),
        base=base_unet(256, 256, (128, 384), 2, 8, 8),
        upsamplers=(upsampler_unet((96, 192)), upsampler_unet((64, 128, 192))),
        batch_size=256,
        upsampler_batch_size=64,
    ),
}


class Imagen(Cascade):
    """Draws pictures of (3, resolution, resolution) from sentences of at most
    `text_length` tokens.
    """

    name = "imagen"
    presets = PRESETS

    def __init__(
        self, config: ImagenConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        if (
            not config.text_encoder.width
            == config.base.text_width
            == config.base.pooled_width
        ):
            raise ValueError(
                "the base model must be as wide as the text encoder where it looks "
                "at words (text_width) and sentences (pooled_width)"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.text_encoder = TextEncoder(config.text_encoder)
        self.base = BaseModel(config.base, config.shift)
        self.upsamplers = build_upsamplers(config.upsamplers)
        enlarging = config.upsampler_share * len(config.upsamplers)
        self.stages = (
            Stage(
                "text_encoder",
                ("text_encoder",),
                config.text_encoder_share,
                config.text_encoder_batch_size,
                learning_rate=1e-3,
                updates_share=0.2,
                matrix_learning_rate=2e-2,
                muon=(
                    "text_encoder.transformer.encoder",
                    "text_encoder.transformer.decoder",
                ),
            ),
            Stage(
                "base",
                ("base",),
                1 - config.text_encoder_share - enlarging,
                config.batch_size,
                learning_rate=2e-3,
                updates_share=0.8 - enlarging,
                matrix_learning_rate=2e-2,
                muon=("base.unet.encoder", "base.unet.decoder", "base.unet.middle"),
            ),
            *self.upsampler_stages(),
        )

    @property
    def base_model(self) -> BaseModel:
        return self.base

    @property
    def text_length(self) -> int:
        return self.config.text_encoder.text_length

    def draw(
        self,
        prompts: Sequence[str],
        seed: int,
        known: KnownPixels | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        return self.sample(*self.told(prompts), seed, known=known, **settings)

    def told(self, prompts: Sequence[str]) -> tuple[Conditions, Conditions]:
        """The base model's conditions for prompts, and those of no prompt."""
        text = self.tokens(prompts)
        return self._read(text), self._read(torch.zeros_like(text))

    @torch.no_grad()
    def _read(self, text: Int[Tensor, "n t"]) -> Conditions:
        """What the base model sees of captions: the output of the text encoder,
        which no longer learns.
        """
        words, visible, sentence = self.text_encoder(text)
        return {"text": words, "text_mask": visible, "pooled": sentence}

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str = "base",
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        if stage == "text_encoder":
            return text_encoder_loss(
                self.text_encoder, self.tokenizer, captions, generator
            )
        if stage != "base":
            return self.upsampler_loss(stage, images, generator)
        text = self.tokens(captions)
        draws = torch.rand(2, len(text), 1, generator=generator, device=text.device)
        told = self._read(text * (draws[0] >= self.config.caption_dropout))
        told["pooled"] = told["pooled"] * (draws[1] >= self.config.sentence_dropout)
        return self.base.loss(shrink(images, BASE), generator, **told)

    def understands(self, captions: Sequence[str]) -> dict[str, float]:
        """How often the text encoder finds a caption nearer to a paraphrase than to
        one that is wrong in space, binding, number and so on.
        """
        paraphrases = paraphrase(captions, torch.Generator().manual_seed(0))
        return hard_negative_accuracy(
            self._sentences(paraphrases), captions, self._sentences
        )

    @torch.no_grad()
    def _sentences(self, captions: Sequence[str]) -> Float[Tensor, "n w"]:
        return self.text_encoder.sentence(self.tokens(captions))

    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        return self.understands(captions) if stage == "text_encoder" else {}

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        if stage == "base":
            return self.sample(*self.told(captions), seed, full_size=False)
        return (
            None
            if stage == "text_encoder"
            else super().preview(stage, images, captions, seed)
        )

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "Imagen":
        values = dict(metadata["config"])
        unets = {
            "base": unet_config(values["base"]),
            "upsamplers": tuple(unet_config(unet) for unet in values["upsamplers"]),
        }
        config = ImagenConfig(
            **values
            | {"text_encoder": TextEncoderConfig(**values["text_encoder"])}
            | unets
        )
        return cls(config, CaptionTokenizer.from_json(metadata["tokenizer"]))
