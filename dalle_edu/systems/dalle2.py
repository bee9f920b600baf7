"""DALL·E 2, or unCLIP: a caption becomes the CLIP embedding of a picture, and that
embedding a picture (Ramesh et al. 2022).

CLIP is trained beforehand and stays frozen. The stages "decoder" and "upsampler_64"
train P(x | z, y), for a picture x, its embedding z and its caption y. The stages
"prior" and "prior_ar" train the two priors P(z | y) of the paper. Sampling is in
`families/unclip.py`. Lesson 14.

Letters: n pictures, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems import clip
from dalle_edu.systems.families.cascade import (
    BASE,
    base_unet,
    build_upsamplers,
    shrink,
    upsampler_stages,
    upsampler_unet,
)
from dalle_edu.systems.families.unclip import UnCLIP, UnCLIPSampling
from dalle_edu.systems.interface.recipe import Recipe, Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.parts.base_model import BaseModel
from dalle_edu.systems.parts.embedding_priors import (
    AutoregressivePrior,
    DiffusionPrior,
    PriorConfig,
)
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

_LAPTOP, _STANDARD, _GPU = (
    clip.PRESETS[preset].model.clip for preset in ("laptop", "standard", "gpu")
)
# what exams look at while the decoder, or a prior, is trained
FROM_TRUE = (
    "small pictures that the decoder makes of true embeddings",
    "de petites images que le décodeur fait de vrais plongements",
)
WHOLE_CHAIN = (
    "small pictures of the whole chain, sentence, prior, decoder",
    "de petites images de toute la chaîne, phrase, prior, décodeur",
)


def decoder_unet(clip: CLIPConfig, **shape: Any) -> UNetConfig:
    """The decoder's U-Net beside a CLIP of the shape `clip`: z conditions every
    block, and a transformer attends to the states of CLIP's text tower. `shape` is
    as in `base_unet`.
    """
    return base_unet(clip.width, clip.embedding, **shape)


def prior_for(clip: CLIPConfig, width: int = 96, depth: int = 3) -> PriorConfig:
    """The shape of both priors beside a CLIP of the shape `clip`."""
    return PriorConfig(
        text_width=clip.width, embedding=clip.embedding, width=width, depth=depth
    )


@dataclass(frozen=True)
class DallE2Model:
    """The shapes of the networks. `shift` is how much noisier than cosine the
    decoder's schedule is.
    """

    clip: CLIPConfig = _STANDARD
    decoder: UNetConfig = field(default_factory=lambda: decoder_unet(_STANDARD))
    upsamplers: tuple[UNetConfig, ...] = field(
        default_factory=lambda: (upsampler_unet(),)
    )
    prior: PriorConfig = field(default_factory=lambda: prior_for(_STANDARD))
    shift: float = 2.0


def dalle2_stages(
    upsamplers: int,
    batch_size: int = 64,
    upsampler_batch_size: int = 16,
    prior_batch_size: int = 128,
    prior_share: float = 0.1,
) -> tuple[Stage, ...]:
    """The stages of a DALL·E 2 with so many upsamplers. Each prior takes
    `prior_share` of a run, and the decoder what is left.
    """
    enlarging = upsampler_stages(upsamplers, batch_size=upsampler_batch_size)
    upsampler_share = sum(stage.share for stage in enlarging)
    decoder_share = 1 - upsampler_share - 2 * prior_share
    return (
        Stage(
            "decoder",
            ("decoder",),
            decoder_share,
            batch_size,
            learning_rate=2e-3,
            updates_share=decoder_share,
            matrix_learning_rate=2e-2,
            muon=(
                "decoder.unet.encoder",
                "decoder.unet.decoder",
                "decoder.unet.middle",
            ),
            shows=FROM_TRUE,
        ),
        *enlarging,
        *(
            Stage(
                name,
                (name,),
                prior_share,
                prior_batch_size,
                learning_rate=2e-3,
                updates_share=prior_share,
                matrix_learning_rate=2e-2,
                muon=(f"{name}.blocks",),
                shows=WHOLE_CHAIN,
            )
            for name in ("prior", "prior_ar")
        ),
    )


@dataclass(frozen=True)
class DallE2Recipe(Recipe):
    """The stages, and the parts of embeddings and captions that training sets to
    zero, for classifier-free guidance. They are those of the paper (Ramesh et al.
    2022, sections 2.1 and 2.2).
    """

    stages: tuple[Stage, ...] = dalle2_stages(1)
    embedding_dropout: float = 0.1
    caption_dropout: float = 0.5
    prior_dropout: float = 0.1


@dataclass(frozen=True)
class DallE2Config:
    """The shapes of the networks, the recipe of their training, and the settings of
    sampling that were found to draw best.
    """

    model: DallE2Model = field(default_factory=DallE2Model)
    recipe: DallE2Recipe = field(default_factory=DallE2Recipe)
    sampling: UnCLIPSampling = field(default_factory=UnCLIPSampling)


PRESETS = {
    "laptop": DallE2Config(
        DallE2Model(
            clip=_LAPTOP,
            decoder=decoder_unet(_LAPTOP),
            upsamplers=(),
            prior=prior_for(_LAPTOP),
        ),
        DallE2Recipe(dalle2_stages(0)),
    ),
    "standard": DallE2Config(),
    "gpu": DallE2Config(
        DallE2Model(
            clip=_GPU,
            decoder=decoder_unet(
                _GPU, widths=(128, 384), depth=2, middle_depth=8, heads=8
            ),
            upsamplers=(upsampler_unet((96, 192)), upsampler_unet((64, 128, 192))),
            prior=prior_for(_GPU, 384, 6),
        ),
        DallE2Recipe(dalle2_stages(2, 256, 64, 512)),
    ),
}


@register
class DallE2(UnCLIP):
    """DALL·E 2. It draws pictures of (3, resolution, resolution) from sentences,
    from CLIP embeddings, and from other pictures. Lesson 14.
    """

    name = "dalle2"
    lesson = 14
    presets = PRESETS
    foundations: ClassVar = {"clip": "clip.clip"}
    config: DallE2Config

    def __init__(
        self, config: DallE2Config, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        model = config.model
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.clip = CLIP(model.clip)
        self.decoder = BaseModel(model.decoder, model.shift)
        self.upsamplers = build_upsamplers(model.upsamplers)
        self.prior = DiffusionPrior(model.prior)
        self.prior_ar = AutoregressivePrior(model.prior)

    def divisible(self, stage: str) -> bool:
        return True

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        if stage.startswith("upsampler"):
            return self.upsampler_loss(stage, images, generator)
        recipe = self.config.recipe
        z = self.encode_images(images)
        words, caption = self.encode_texts(captions)
        draws = torch.rand(2, len(z), 1, generator=generator, device=z.device)
        if stage == "decoder":
            if self.training:
                self.prior_ar.follow(z)
            visible = self.visible(captions) & (draws[0] >= recipe.caption_dropout)
            pooled = self.scaled(z) * (draws[1] >= recipe.embedding_dropout)
            small = shrink(images, BASE)
            return self.decoder.loss(
                small, generator, pooled=pooled, text=words, text_mask=visible
            )
        kept = (draws[0] >= recipe.prior_dropout).float()
        words, caption = words * kept.unsqueeze(-1), caption * kept
        if stage == "prior":
            return self.prior.loss(z, words, caption, generator)
        if progress == 0:  # the first update of the stage
            self.prior_ar.settle()
        return self.prior_ar.loss(z, words, caption)

    @torch.no_grad()
    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """Small pictures: of the decoder from true embeddings, while it is trained;
        of prior and decoder together, while a prior is.
        """
        if stage.startswith("upsampler"):
            return super().preview(stage, images, captions, seed)
        if stage == "decoder":
            z = self.encode_images(images)
        else:
            prior = "diffusion" if stage == "prior" else "autoregressive"
            z = self.sample_embeddings(captions, seed, prior=prior)
        conditions = self.conditions(z, captions)
        sampling = self.config.sampling
        return self.sample(*conditions, seed, sampling, full_size=False)
