"""DALL·E mini: a VQGAN turns pictures into codes, and a BART translates captions
into them (Dayma et al. 2021).

Three stages. "features" trains a small network to guess a picture's caption, a bag
of words: it becomes the eyes of the perceptual loss, in place of a network trained
on photographs. "codec" trains the VQGAN on pictures alone, its adversary joining in
half-way. "prior" freezes it and trains the BART on captions and the codes of their
pictures. To draw, the BART writes codes, super-conditioned, and the VQGAN paints
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.bart import BARTConfig, TextToImageBART
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.vqgan import VQGAN
from dalle_edu.systems.families.autoregressive import (
    RECONSTRUCTED,
    AutoregressiveRecipe,
    AutoregressiveSampling,
    AutoregressiveSystem,
)
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

ADVERSARIAL_FROM, REVIVED_UNTIL = 0.5, 0.4  # parts of the codec's training


@dataclass(frozen=True)
class DallEMiniModel:
    """The networks; VQGAN and BART agree on the number of codes and on the grid.
    `discriminator_width` is the channels of the discriminator's first layer.
    """

    vqgan: CodecConfig = field(default_factory=CodecConfig)
    bart: BARTConfig = field(default_factory=BARTConfig)
    discriminator_width: int = 24


def dalle_mini_stages(
    features_share: float = 0.02,
    codec_share: float = 0.16,
    codec_batch_size: int = 32,
    batch_size: int = 64,
) -> tuple[Stage, ...]:
    """The stages; shares are parts of the time of training."""
    return (
        Stage(
            "features",
            ("vqgan.perceptual", "guess"),
            features_share,
            batch_size,
            learning_rate=3e-3,
            updates_share=0.05,
        ),
        Stage(
            "codec",
            ("vqgan.encoder", "vqgan.decoder", "vqgan.discriminator"),
            codec_share,
            codec_batch_size,
            learning_rate=1e-3,
            updates_share=0.7,
            matrix_learning_rate=2e-2,
            muon=("vqgan.encoder", "vqgan.decoder"),
            shows=RECONSTRUCTED,
        ),
        Stage(
            "prior",
            ("bart",),
            1 - features_share - codec_share,
            batch_size,
            learning_rate=2e-3,
            updates_share=0.25,
            matrix_learning_rate=2e-2,
            muon=("bart.encoder.blocks", "bart.decoder.blocks"),
        ),
    )


@dataclass(frozen=True)
class DallEMiniRecipe(AutoregressiveRecipe):
    """`adversarial` is how much the discriminator weighs, once it judges."""

    stages: tuple[Stage, ...] = dalle_mini_stages()
    adversarial: float = 0.1


@dataclass(frozen=True)
class DallEMiniConfig:
    """The networks, the recipe of their training, and the settings that draw
    best.
    """

    model: DallEMiniModel = field(default_factory=DallEMiniModel)
    recipe: DallEMiniRecipe = field(default_factory=DallEMiniRecipe)
    sampling: AutoregressiveSampling = field(
        default_factory=lambda: AutoregressiveSampling(temperature=0.4, daring=0.7)
    )


def _bart(width: int, depth: int, encoder_depth: int, **others: int) -> BARTConfig:
    return BARTConfig(
        width=width,
        depth=depth,
        encoder_depth=encoder_depth,
        directed=True,
        **others,
    )


PRESETS = {
    "laptop": DallEMiniConfig(
        DallEMiniModel(
            CodecConfig(resolution=32, num_codes=128, width=48),
            _bart(192, 4, 2, num_codes=128, heads=4),
        ),
        sampling=AutoregressiveSampling(temperature=0.7, daring=0.7),
    ),
    "standard": DallEMiniConfig(
        DallEMiniModel(
            CodecConfig(resolution=64, num_codes=384, width=64),
            _bart(192, 5, 3, num_codes=384, heads=4),
        ),
    ),
    "gpu": DallEMiniConfig(
        DallEMiniModel(
            CodecConfig(
                resolution=128, grid=16, num_codes=1024, width=128, depth=3
            ),
            _bart(512, 8, 4, num_codes=1024, grid=16, heads=8),
            discriminator_width=64,
        ),
        DallEMiniRecipe(dalle_mini_stages(codec_batch_size=128, batch_size=256)),
        AutoregressiveSampling(temperature=0.7, daring=0.7),
    ),
}


@register
class DallEMini(AutoregressiveSystem):
    """Draws pictures of (3, resolution, resolution) from sentences of at most
    `text_length` tokens. Raises `ValueError` where the two networks do not agree on
    the codes.
    """

    name = "dalle_mini"
    lesson = 13
    presets = PRESETS
    config: DallEMiniConfig

    def __init__(
        self, config: DallEMiniConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        vqgan, bart = config.model.vqgan, config.model.bart
        if (vqgan.num_codes, vqgan.grid) != (bart.num_codes, bart.grid):
            raise ValueError(
                "the VQGAN and the BART must agree on the number of codes and on "
                "the grid"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        guesser = SmallClassifier(3, bart.text_vocabulary)
        width = config.model.discriminator_width
        self.vqgan = VQGAN(vqgan, guesser.features, width)
        self.guess = guesser.decide
        self.bart = TextToImageBART(bart)

    @property
    def resolution(self) -> int:
        return self.config.model.vqgan.resolution

    @property
    def codec(self) -> VQGAN:
        return self.vqgan

    @property
    def code_prior(self) -> TextToImageBART:
        return self.bart

    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        return self.bart(text, codes)

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        if stage == "features":
            return {"loss": self._guessing(images, captions)}
        if stage == "codec":
            return self._codec_loss(images, progress, generator)
        codes, text = self.codes_and_text(images, captions, generator)
        return self.bart.loss(text, codes)

    def _guessing(
        self, images: Float[Tensor, "n 3 h w"], captions: Sequence[str]
    ) -> Float[Tensor, ""]:
        """How badly the words of captions are guessed from their pictures: a binary
        cross-entropy for each word of the vocabulary.
        """
        vocabulary = self.config.model.bart.text_vocabulary
        said = torch.zeros(len(images), vocabulary, device=images.device)
        said.scatter_(1, self.tokens(captions), 1.0)[:, 0] = 0.0
        guesses = self.guess(self.vqgan.perceptual.features(images).flatten(1))
        return F.binary_cross_entropy_with_logits(guesses.float(), said)

    def _codec_loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """The VQGAN's loss, and the discriminator's once it judges; codes that
        nobody chooses are put to use early on.
        """
        judged = progress >= ADVERSARIAL_FROM
        weight = self.config.recipe.adversarial if judged else 0.0
        parts = self.vqgan.loss(images, weight)
        if judged:
            parts["discriminator"] = self.vqgan.discriminator_loss(images)
            parts["loss"] = parts["loss"] + parts["discriminator"]
        elif progress < REVIVED_UNTIL and self.training:
            with torch.no_grad():
                parts["revived"] = self.vqgan.quantizer.revive(
                    self.vqgan.encoder(images), generator=generator
                )
        return parts

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        if stage == "features":
            return None
        return super().preview(stage, images, captions, seed)
