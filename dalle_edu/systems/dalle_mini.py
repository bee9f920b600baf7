"""DALL·E mini: a VQGAN turns pictures into codes, and a BART translates captions
into them (Dayma et al. 2021).

Three stages. "features" trains a small network to predict which words are in a
picture's caption; the perceptual loss then compares its features, in place of those
of a network trained on photographs. "codec" trains the VQGAN on pictures alone; the
discriminator joins half-way. "prior" freezes the VQGAN and trains the BART on
captions and the codes of their pictures. To draw, the BART samples codes, with
classifier-free guidance (there called super conditioning), and the VQGAN decodes
them. Lesson 13.

Letters: n captions or pictures, t text tokens, i codes of a picture, v entries of
the codebook, h = w pixels on a side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.bart import BARTConfig, TextToImageBART
from dalle_edu.bricks.codebook import CodecConfig, nearest_code
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.dvae import patch_contrast
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

# parts of the codec's training: from where the discriminator takes part, and until
# when unused codes are revived
ADVERSARIAL_FROM, REVIVED_UNTIL = 0.5, 0.4
# a code is unused where fewer vectors of a batch choose it, by its moving count
UNUSED = 0.5

# the matrices of the BART's local model, which is there for several codes a token
LOCAL = ("bart.local.expand", "bart.local.contract")


@dataclass(frozen=True)
class DallEMiniModel:
    """The shapes of the networks. VQGAN and BART agree on the number of codes and
    on the grid. `discriminator_width` is the number of channels of the
    discriminator's first layer.
    """

    vqgan: CodecConfig = field(default_factory=CodecConfig)
    bart: BARTConfig = field(default_factory=BARTConfig)
    discriminator_width: int = 24


def dalle_mini_stages(
    features_share: float = 0.02,
    codec_share: float = 0.16,
    codec_batch_size: int = 32,
    batch_size: int = 64,
    start_images: int = 0,
    codes_per_token: int = 1,
) -> tuple[Stage, ...]:
    """The three stages. Shares are parts of the minutes of a run; the prior takes
    what is left. The codec's codebook is initialised from `start_images` pictures.
    With more than one of the BART's `codes_per_token`, Muon trains the matrices of
    its local model too.
    """
    local = LOCAL if codes_per_token > 1 else ()
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
            start_images=start_images,
        ),
        Stage(
            "prior",
            ("bart",),
            1 - features_share - codec_share,
            batch_size,
            learning_rate=2e-3,
            updates_share=0.25,
            matrix_learning_rate=2e-2,
            muon=("bart.encoder.blocks", "bart.decoder.blocks", *local),
        ),
    )


@dataclass(frozen=True)
class DallEMiniRecipe(AutoregressiveRecipe):
    """The stages, the dropout of captions, and `adversarial`, the weight of the
    generator's adversarial loss once the discriminator takes part.
    """

    stages: tuple[Stage, ...] = dalle_mini_stages()
    adversarial: float = 0.1


@dataclass(frozen=True)
class DallEMiniConfig:
    """The shapes of the networks, the recipe of their training, and the settings of
    sampling that were found to draw best.
    """

    model: DallEMiniModel = field(default_factory=DallEMiniModel)
    recipe: DallEMiniRecipe = field(default_factory=DallEMiniRecipe)
    sampling: AutoregressiveSampling = field(
        default_factory=lambda: AutoregressiveSampling(temperature=0.4, daring=0.7)
    )


def _bart(width: int, depth: int, encoder_depth: int, **others: Any) -> BARTConfig:
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
            CodecConfig(resolution=32, num_codes=256, width=32),
            _bart(192, 4, 2, num_codes=256, heads=4, codes_per_token=4, smear=True),
        ),
        DallEMiniRecipe(dalle_mini_stages(start_images=256, codes_per_token=4)),
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
            _bart(512, 8, 4, num_codes=1024, grid=16, heads=8, smear=True),
            discriminator_width=64,
        ),
        DallEMiniRecipe(
            dalle_mini_stages(
                codec_batch_size=128, batch_size=256, start_images=256
            )
        ),
        AutoregressiveSampling(temperature=0.7, daring=0.7),
    ),
}


@register
class DallEMini(AutoregressiveSystem):
    """DALL·E mini. It draws pictures of (3, resolution, resolution) from sentences
    of at most `text_length` tokens. Lesson 13.

    Raises `ValueError` where the two networks do not agree on the codes.
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
        classifier = SmallClassifier(3, bart.text_vocabulary)
        width = config.model.discriminator_width
        self.vqgan = VQGAN(vqgan, classifier.features, width)
        self.guess = classifier.decide
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

    def divisible(self, stage: str) -> bool:
        return stage != "codec"  # its adaptive weight is that of a batch

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        if stage == "features":
            return {"loss": self._words_loss(images, captions)}
        if stage == "codec":
            return self._codec_loss(images, progress, generator)
        codes, text = self.codes_and_text(images, captions, generator)
        return self.bart.loss(text, codes)

    def _words_loss(
        self, images: Float[Tensor, "n 3 h w"], captions: Sequence[str]
    ) -> Float[Tensor, ""]:
        """The loss of predicting the words of captions from their pictures: a
        binary cross-entropy for each token of the vocabulary.
        """
        vocabulary = self.config.model.bart.text_vocabulary
        words = torch.zeros(len(images), vocabulary, device=images.device)
        words.scatter_(1, self.tokens(captions), 1.0)
        words[:, 0] = 0.0  # padding is no word
        logits = self.guess(self.vqgan.perceptual.features(images).flatten(1))
        return F.binary_cross_entropy_with_logits(logits.float(), words)

    def _codec_loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """The VQGAN's loss, plus the discriminator's once it takes part. Early in
        the stage, codes that no patch chooses are revived.
        """
        adversarial = progress >= ADVERSARIAL_FROM
        weight = self.config.recipe.adversarial if adversarial else 0.0
        parts = self.vqgan.loss(images, weight)
        if adversarial:
            parts["discriminator"] = self.vqgan.discriminator_loss(images)
            parts["loss"] = parts["loss"] + parts["discriminator"]
        elif progress < REVIVED_UNTIL and self.training:
            parts["revived"] = self._revive_where_codes_lack(images, generator)
        return parts

    @torch.no_grad()
    def _revive_where_codes_lack(
        self, images: Float[Tensor, "n 3 h w"], generator: torch.Generator | None
    ) -> Int[Tensor, ""]:
        """Revive unused codes at patches that no code is near; return how many.

        A patch is sampled with a probability proportional to its squared distance
        from the nearest code, as k-means++ chooses its centres (Arthur &
        Vassilvitskii 2007). If all were equally likely, most revived codes would
        go to blank paper.
        """
        vectors = self.vqgan.encoder(images).float()
        codebook = self.vqgan.quantizer.codebook
        last = rearrange(vectors, "n d h w -> n h w d")
        lacking = (last - codebook[nearest_code(last, codebook)]).square().sum(-1)
        sampled = _sampled(vectors, lacking + 1e-12, generator)
        return self.vqgan.quantizer.revive(sampled, UNUSED, generator)

    @torch.no_grad()
    def start_stage(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
    ) -> None:
        """Put the codes of the VQGAN where its encoder puts patches of pictures,
        sampled by their contrast.
        """
        if stage == "codec":
            contrast = patch_contrast(images.float(), self.config.model.vqgan.grid)
            vectors = self.vqgan.encoder(images).float()
            sampled = _sampled(vectors, contrast + 1e-3, generator)
            self.vqgan.quantizer.revive(sampled, math.inf, generator)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        if stage == "features":
            return None
        return super().preview(stage, images, captions, seed)


def _sampled(
    vectors: Float[Tensor, "n d h w"],
    weights: Float[Tensor, "n h w"],
    generator: torch.Generator | None,
) -> Float[Tensor, "m d 1 1"]:
    """As many vectors as there are, sampled with probabilities proportional to
    their weights.
    """
    flat = rearrange(vectors, "n d h w -> (n h w) d 1 1")
    chosen = weights.flatten().multinomial(len(flat), True, generator=generator)
    return flat[chosen]
