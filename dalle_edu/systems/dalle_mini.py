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
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.bart import BARTConfig, TextToImageBART
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.vqgan import VQGAN
from dalle_edu.systems.families.autoregressive import AutoregressiveSystem
from dalle_edu.systems.interface.trainable import Stage
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

ADVERSARIAL_FROM, REVIVED_UNTIL = 0.5, 0.4  # parts of the codec's training


@dataclass(frozen=True)
class DallEMiniConfig:
    """The networks, the recipe of their training, and the settings that draw
    best.
    """

    vqgan: CodecConfig = field(default_factory=CodecConfig)
    bart: BARTConfig = field(default_factory=BARTConfig)
    discriminator_width: int = 24  # channels of the discriminator's first layer
    adversarial: float = 0.1  # how much the discriminator weighs, once it judges
    # captions that training leaves out, so that guidance knows what no caption
    # looks like
    caption_dropout: float = 0.1
    guidance_scale: float = 2.0
    temperature: float = 0.4
    # the temperature of whether to leave the likeliest code, where it has one of
    # its own
    daring: float | None = 0.7
    features_share: float = 0.02  # of the time of training
    codec_share: float = 0.16
    codec_batch_size: int = 32
    batch_size: int = 64


PRESETS = {
    "laptop": DallEMiniConfig(
        vqgan=CodecConfig(resolution=32, num_codes=128, width=48),
        bart=BARTConfig(
            num_codes=128,
            width=192,
            depth=4,
            heads=4,
            encoder_depth=2,
            directed=True,
        ),
        temperature=0.7,
    ),
    "standard": DallEMiniConfig(
        vqgan=CodecConfig(resolution=64, num_codes=384, width=64),
        bart=BARTConfig(
            num_codes=384,
            width=192,
            depth=5,
            heads=4,
            encoder_depth=3,
            directed=True,
        ),
    ),
    "gpu": DallEMiniConfig(
        vqgan=CodecConfig(
            resolution=128, grid=16, num_codes=1024, width=128, depth=3
        ),
        bart=BARTConfig(
            num_codes=1024,
            grid=16,
            width=512,
            depth=8,
            heads=8,
            encoder_depth=4,
            directed=True,
        ),
        discriminator_width=64,
        temperature=0.7,
        codec_batch_size=128,
        batch_size=256,
    ),
}


class DallEMini(AutoregressiveSystem):
    """Draws pictures of (3, resolution, resolution) from sentences of at most
    `text_length` tokens.
    """

    name = "dalle_mini"
    presets = PRESETS

    def __init__(
        self, config: DallEMiniConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        if (
            config.vqgan.num_codes != config.bart.num_codes
            or config.vqgan.grid != config.bart.grid
        ):
            raise ValueError(
                "the VQGAN and the BART must agree on the number of "
                "codes and on the grid"
            )
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        guesser = SmallClassifier(3, config.bart.text_vocabulary)
        self.vqgan = VQGAN(
            config.vqgan, guesser.features, config.discriminator_width
        )
        self.guess = guesser.decide
        self.bart = TextToImageBART(config.bart)
        self.stages = (
            Stage(
                "features",
                ("vqgan.perceptual", "guess"),
                config.features_share,
                config.batch_size,
                learning_rate=3e-3,
                updates_share=0.05,
            ),
            Stage(
                "codec",
                ("vqgan.encoder", "vqgan.decoder", "vqgan.discriminator"),
                config.codec_share,
                config.codec_batch_size,
                learning_rate=1e-3,
                updates_share=0.7,
                matrix_learning_rate=2e-2,
                muon=("vqgan.encoder", "vqgan.decoder"),
            ),
            Stage(
                "prior",
                ("bart",),
                1 - config.features_share - config.codec_share,
                config.batch_size,
                learning_rate=2e-3,
                updates_share=0.25,
                matrix_learning_rate=2e-2,
                muon=("bart.encoder.blocks", "bart.decoder.blocks"),
            ),
        )

    @property
    def resolution(self) -> int:
        return self.config.vqgan.resolution

    @property
    def codec(self) -> VQGAN:
        return self.vqgan

    @property
    def code_prior(self) -> TextToImageBART:
        return self.bart

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str = "prior",
        progress: float = 1.0,
        generator: torch.Generator | None = None,
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
        """How badly the words of captions are guessed from their pictures: a yes or
        no for each word of the vocabulary.
        """
        said = torch.zeros(
            len(images), self.config.bart.text_vocabulary, device=images.device
        )
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
        parts = self.vqgan.loss(images, self.config.adversarial if judged else 0.0)
        if judged:
            parts["discriminator"] = self.vqgan.discriminator_loss(images)
            parts["loss"] = parts["loss"] + parts["discriminator"]
        elif progress < REVIVED_UNTIL and self.training:
            with torch.no_grad():
                parts["revived"] = self.vqgan.quantizer.revive(
                    self.vqgan.encoder(images), generator=generator
                )
        return parts

    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        return self.bart(text, codes)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        return (
            None
            if stage == "features"
            else super().preview(stage, images, captions, seed)
        )

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "DallEMini":
        values = dict(metadata["config"])
        config = DallEMiniConfig(
            **values
            | {
                "vqgan": CodecConfig(**values["vqgan"]),
                "bart": BARTConfig(**values["bart"]),
            }
        )
        return cls(config, CaptionTokenizer.from_json(metadata["tokenizer"]))
