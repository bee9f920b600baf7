"""Imagen: a text encoder trained on text alone, a base model of small pictures that
it conditions, and upsamplers (Saharia et al. 2022).

The stage "text_encoder" trains the text encoder on captions alone; it is frozen
from then on. "base" trains the base model of 32 x 32 pictures: a transformer in its
U-Net attends to the states of the caption's tokens, and every block is conditioned
on the vector of the whole sentence. "upsampler_64" and "upsampler_128" train
networks that double a picture's side. To draw, the base model goes from noise to a
small picture, with guidance, and each upsampler doubles its side. Dynamic
thresholding, which the paper's strong guidance needed, can be switched on to
compare. Lesson 15.

Letters: n captions or pictures, t text tokens, w channels, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems.families.cascade import BASE as BASE_SIDE
from dalle_edu.systems.families.cascade import (
    SMALL,
    Cascade,
    CascadeSampling,
    base_unet,
    build_upsamplers,
    shrink,
    upsampler_stages,
    upsampler_unet,
)
from dalle_edu.systems.hard_negatives.contrastive_loss import (
    hard_negative_accuracy,
)
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.progress import ProgressCallback
from dalle_edu.systems.interface.recipe import Recipe, Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.parts.base_model import BaseModel, Conditions, KnownPixels
from dalle_edu.systems.parts.text_encoder import (
    TextEncoder,
    TextEncoderConfig,
    text_encoder_loss,
)
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer


@dataclass(frozen=True)
class ImagenModel:
    """The shapes of the networks. `shift` is how much noisier than cosine the base
    model's schedule is.
    """

    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    base: UNetConfig = field(default_factory=lambda: base_unet(96, 96))
    upsamplers: tuple[UNetConfig, ...] = field(
        default_factory=lambda: (upsampler_unet(), upsampler_unet())
    )
    shift: float = 2.0


def imagen_stages(
    upsamplers: int,
    text_encoder_share: float = 0.14,
    batch_size: int = 64,
    upsampler_batch_size: int = 16,
) -> tuple[Stage, ...]:
    """The stages of an Imagen with so many upsamplers. The text encoder takes
    `text_encoder_share` of a run, and the base model what the upsamplers leave.
    """
    enlarging = upsampler_stages(upsamplers, batch_size=upsampler_batch_size)
    share = sum(stage.share for stage in enlarging)
    return (
        Stage(
            "text_encoder",
            ("text_encoder",),
            text_encoder_share,
            128,
            learning_rate=1e-3,
            updates_share=0.2,
            matrix_learning_rate=2e-2,
            muon=(
                "text_encoder.transformer.encoder",
                "text_encoder.transformer.decoder",
            ),
            shows=(
                "which of two captions the text encoder holds to say the same as "
                "a third",
                "laquelle de deux légendes l'encodeur de texte tient pour dire la "
                "même chose qu'une troisième",
            ),
        ),
        Stage(
            "base",
            ("base",),
            1 - text_encoder_share - share,
            batch_size,
            learning_rate=2e-3,
            updates_share=0.8 - share,
            matrix_learning_rate=2e-2,
            muon=("base.unet.encoder", "base.unet.decoder", "base.unet.middle"),
            shows=SMALL,
        ),
        *enlarging,
    )


@dataclass(frozen=True)
class ImagenRecipe(Recipe):
    """The stages, and two dropouts. `caption_dropout` is the part of captions that
    training leaves out, for classifier-free guidance. `sentence_dropout` is the
    part of captions whose vector is set to zero, so that the base model learns to
    use the states of the tokens too.
    """

    stages: tuple[Stage, ...] = imagen_stages(2)
    caption_dropout: float = 0.1
    sentence_dropout: float = 0.25


@dataclass(frozen=True)
class ImagenConfig:
    """The shapes of the networks, the recipe of their training, and the settings of
    sampling that were found to draw best. Dynamic thresholding turns the white
    ground grey and costs marks here, so it is off.
    """

    model: ImagenModel = field(default_factory=ImagenModel)
    recipe: ImagenRecipe = field(default_factory=ImagenRecipe)
    sampling: CascadeSampling = field(
        default_factory=lambda: CascadeSampling(guidance_scale=2.0, threshold=False)
    )


def _laptop(encoder: TextEncoderConfig) -> ImagenConfig:
    """No upsampler, and a text encoder of this shape."""
    base = base_unet(encoder.width, encoder.width)
    return ImagenConfig(
        ImagenModel(encoder, base, upsamplers=()),
        ImagenRecipe(imagen_stages(0, text_encoder_share=0.2)),
    )


PRESETS = {
    "small_text_encoder": _laptop(TextEncoderConfig(width=32, depth=1)),
    "laptop": _laptop(TextEncoderConfig()),
    "large_text_encoder": _laptop(TextEncoderConfig(width=160, depth=4)),
    "standard": ImagenConfig(),
    "gpu": ImagenConfig(
        ImagenModel(
            TextEncoderConfig(width=256, depth=4),
            base_unet(256, 256, (128, 384), 2, 8, 8),
            (upsampler_unet((96, 192)), upsampler_unet((64, 128, 192))),
        ),
        ImagenRecipe(imagen_stages(2, batch_size=256, upsampler_batch_size=64)),
    ),
}


@register
class Imagen(Cascade):
    """Imagen. It draws pictures of (3, resolution, resolution) from sentences of at
    most `text_length` tokens. Lesson 15.

    Raises `ValueError` for a base model that expects another width than the text
    encoder's.
    """

    name = "imagen"
    lesson = 15
    presets = PRESETS
    config: ImagenConfig

    def __init__(
        self, config: ImagenConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        model = config.model
        width = model.text_encoder.width
        if not width == model.base.text_width == model.base.pooled_width:
            raise ValueError(
                "the base model must be as wide as the text encoder where it "
                "looks at words (text_width) and sentences (pooled_width)"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.text_encoder = TextEncoder(model.text_encoder)
        self.base = BaseModel(model.base, model.shift)
        self.upsamplers = build_upsamplers(model.upsamplers)

    @property
    def base_model(self) -> BaseModel:
        return self.base

    @property
    def text_length(self) -> int:
        return self.config.model.text_encoder.text_length

    # ------------------------------------------------------------ drawing

    @drawing
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        Picture i draws its random numbers from (seed, i) alone. `known` is a
        picture of full size for each, and where it is kept; `callback` is called
        with a `Progress` at each step; `settings` are the fields of
        `CascadeSampling`. Raises `DalleEduError` for a prompt that cannot be drawn
        or a setting out of range.
        """
        prompts = check_prompts(prompts, self.domain)
        sampling, told = self.sampling(settings), self.conditions(prompts)
        return self.sample(*told, seed, sampling, known, callback)

    def conditions(self, prompts: Sequence[str]) -> tuple[Conditions, Conditions]:
        """The base model's conditions for prompts, and those without a prompt, for
        guidance.
        """
        text = self.tokens(prompts)
        return self._encode_text(text), self._encode_text(torch.zeros_like(text))

    @torch.no_grad()
    def _encode_text(self, text: Int[Tensor, "n t"]) -> Conditions:
        """What the text encoder, which is frozen, makes of captions: the states of
        their tokens, and a vector of each whole sentence.
        """
        states, visible, sentence = self.text_encoder(text)
        return {"text": states, "text_mask": visible, "pooled": sentence}

    # ------------------------------------------------------------ learning

    def divisible(self, stage: str) -> bool:
        return stage != "text_encoder"

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        if stage == "text_encoder":
            return text_encoder_loss(
                self.text_encoder,
                self.tokenizer,
                captions,
                generator,
                self.domain.catalogue,
            )
        if stage != "base":
            return self.upsampler_loss(stage, images, generator)
        recipe, text = self.config.recipe, self.tokens(captions)
        draws = torch.rand(2, len(text), 1, generator=generator, device=text.device)
        conditions = self._encode_text(text * (draws[0] >= recipe.caption_dropout))
        pooled = conditions["pooled"]
        conditions["pooled"] = pooled * (draws[1] >= recipe.sentence_dropout)
        return self.base.loss(shrink(images, BASE_SIDE), generator, **conditions)

    def understands(self, captions: Sequence[str]) -> dict[str, float]:
        """How well the text encoder tells captions apart: how often a paraphrase is
        nearer to its caption than to a hard negative, for each way of being wrong
        ("space", "binding", "number" and so on), in [0, 1]. Of captions that people
        wrote nothing is known to be wrong, and the result is empty.
        """
        catalogue, generator = self.domain.catalogue, torch.Generator()
        paraphrases = paraphrase(captions, generator.manual_seed(0), catalogue)
        return hard_negative_accuracy(
            self._sentences(paraphrases), captions, self._sentences, catalogue
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
        if stage == "text_encoder":
            return None
        if stage == "base":
            conditions = self.conditions(captions)
            sampling = self.config.sampling
            return self.sample(*conditions, seed, sampling, full_size=False)
        return super().preview(stage, images, captions, seed)
