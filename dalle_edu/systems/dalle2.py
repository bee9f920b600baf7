"""DALL·E 2, or unCLIP: a caption becomes the CLIP embedding of a picture, and that
embedding a picture (Ramesh et al. 2022).

    P(x | y) = P(x | z, y) P(z | y)   x a picture, z its CLIP embedding, y a caption

P(z | y) is the *prior*, of which there are two, as in the paper; P(x | z, y) is the
*decoder*, a diffusion model of small pictures, with an upsampler. CLIP comes
trained and stays as it is. Stages: "decoder", "upsampler_64", "prior", "prior_ar".

A picture has an embedding too, so that pictures can be asked for as well as
sentences: see `from_pictures.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.errors import DalleEduError
from dalle_edu.systems import clip
from dalle_edu.systems.families.cascade import (
    BASE,
    base_unet,
    build_upsamplers,
    shrink,
    unet_config,
    upsampler_unet,
)
from dalle_edu.systems.image_edits.variations import ImageVariations
from dalle_edu.systems.interface.checks import check_prompts, check_tries
from dalle_edu.systems.interface.noise import noise_for, uniforms_for
from dalle_edu.systems.interface.trainable import Stage
from dalle_edu.systems.parts.augment import resized
from dalle_edu.systems.parts.base_model import (
    BaseModel,
    Callback,
    Conditions,
    KnownPixels,
)
from dalle_edu.systems.parts.embedding_priors import (
    AutoregressivePrior,
    DiffusionPrior,
    PriorConfig,
)
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

PRIORS = ("diffusion", "autoregressive")
_OF_THE_PRIOR = 1  # the stream of its chance; the decoder's is another
_LAPTOP, _STANDARD, _GPU = (
    clip.PRESETS[preset].clip for preset in ("laptop", "standard", "gpu")
)


def decoder_unet(seen: CLIPConfig, **shape: Any) -> UNetConfig:
    """The base model of small pictures, which hears of z in every block and reads
    the words of CLIP's text tower.
    """
    return base_unet(seen.width, seen.embedding, **shape)


def prior_for(seen: CLIPConfig, width: int = 96, depth: int = 3) -> PriorConfig:
    return PriorConfig(
        text_width=seen.width, embedding=seen.embedding, width=width, depth=depth
    )


@dataclass(frozen=True)
class DallE2Config:
    """The networks, the recipe of their training, and the settings that draw
    best.
    """

    clip: CLIPConfig = _STANDARD
    decoder: UNetConfig = field(default_factory=lambda: decoder_unet(_STANDARD))
    upsamplers: tuple[UNetConfig, ...] = field(
        default_factory=lambda: (upsampler_unet(),)
    )
    prior: PriorConfig = field(default_factory=lambda: prior_for(_STANDARD))
    shift: float = 2.0  # how much noisier than cosine the decoder's schedule is
    # embeddings that training leaves out, and captions: the paper's parts
    embedding_dropout: float = 0.1
    caption_dropout: float = 0.5
    prior_dropout: float = 0.1
    guidance_scale: float = 1.0
    threshold: bool = True  # dynamic, or a plain clip
    tries: int = 2  # pictures drawn of each embedding, of which one is kept
    prior_guidance_scale: float = 3.0
    steps: int = 10
    prior_steps: int = 10
    upsampler_steps: int = 3
    upsampler_share: float = 0.05  # of the time of training, each
    prior_share: float = 0.1  # each
    batch_size: int = 64
    upsampler_batch_size: int = 16
    prior_batch_size: int = 128


PRESETS = {
    "laptop": DallE2Config(
        clip=_LAPTOP,
        decoder=decoder_unet(_LAPTOP),
        upsamplers=(),
        prior=prior_for(_LAPTOP),
    ),
    "standard": DallE2Config(),
    "gpu": DallE2Config(
        clip=_GPU,
        decoder=decoder_unet(
            _GPU, widths=(128, 384), depth=2, middle_depth=8, heads=8
        ),
        upsamplers=(upsampler_unet((96, 192)), upsampler_unet((64, 128, 192))),
        prior=prior_for(_GPU, 384, 6),
        batch_size=256,
        upsampler_batch_size=64,
        prior_batch_size=512,
    ),
}


class DallE2(ImageVariations):
    """Draws pictures of (3, resolution, resolution) from sentences, from
    embeddings, and from other pictures.
    """

    name = "dalle2"
    presets = PRESETS
    foundations: ClassVar = {"clip": "clip.clip"}

    def __init__(
        self, config: DallE2Config, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.clip = CLIP(config.clip)
        self.decoder = BaseModel(config.decoder, config.shift)
        self.upsamplers = build_upsamplers(config.upsamplers)
        self.prior, self.prior_ar = (
            DiffusionPrior(config.prior),
            AutoregressivePrior(config.prior),
        )
        painting = (
            1
            - config.upsampler_share * len(config.upsamplers)
            - 2 * config.prior_share
        )
        self.stages = (
            Stage(
                "decoder",
                ("decoder",),
                painting,
                config.batch_size,
                learning_rate=2e-3,
                updates_share=painting,
                matrix_learning_rate=2e-2,
                muon=(
                    "decoder.unet.encoder",
                    "decoder.unet.decoder",
                    "decoder.unet.middle",
                ),
            ),
            *self.upsampler_stages(),
            *(
                Stage(
                    name,
                    (name,),
                    config.prior_share,
                    config.prior_batch_size,
                    learning_rate=2e-3,
                    updates_share=config.prior_share,
                    matrix_learning_rate=2e-2,
                    muon=(f"{name}.blocks",),
                )
                for name in ("prior", "prior_ar")
            ),
        )

    @property
    def base_model(self) -> BaseModel:
        return self.decoder

    @property
    def text_length(self) -> int:
        return self.config.clip.text_length

    @property
    def evaluations(self) -> int:
        # the prior too draws twice and keeps one
        return self.config.tries * super().evaluations + 2 * self.config.prior_steps

    # ------------------------------------------------------------ embeddings

    @torch.no_grad()
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """The CLIP embeddings of pictures of any side."""
        return self.clip.encode_image(
            resized(images.to(self.device), self.config.clip.resolution)
        ).float()

    @torch.no_grad()
    def encode_texts(
        self, captions: Sequence[str]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n e"]]:
        """What CLIP's text tower makes of captions: the state of each token, zero
        where there is none, and the caption's embedding.
        """
        text = self.tokens(captions)
        tower = self.clip.text_tower
        states = tower.hidden(text)
        # the tokens, and the end of text after them
        there = F.pad(text != 0, (1, 0), value=True)
        return (states * there.unsqueeze(-1)).float(), F.normalize(
            tower.pool(states, text), dim=-1
        ).float()

    @torch.no_grad()
    def sample_embeddings(
        self, prompts: Sequence[str], seed: int = 0, prior: str = "diffusion"
    ) -> Float[Tensor, "n e"]:
        """P(z | y): for each prompt the embedding of a picture that it might be
        said of. Raises `DalleEduError` for an unknown prior.
        """
        if prior not in PRIORS:
            raise DalleEduError(
                f'the prior is "{prior}"; choose one of {", ".join(PRIORS)}',
                f"le prior est « {prior} » ; choisissez entre {', '.join(PRIORS)}",
            )
        words, caption = self.encode_texts(prompts)
        n, config = len(prompts), self.config
        if prior == "autoregressive":
            uniforms = uniforms_for(
                n, config.prior.components, seed, _OF_THE_PRIOR
            ).to(self.device)
            return self.prior_ar.sample(
                uniforms, words, caption, config.prior_guidance_scale
            )
        noise = noise_for(n, (2 * config.prior.embedding,), seed, _OF_THE_PRIOR).to(
            self.device
        )
        return self.prior.sample(
            noise, words, caption, config.prior_guidance_scale, config.prior_steps
        )

    # ------------------------------------------------------------ drawing

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        guidance_scale: float | None = None,
        steps: int | None = None,
        tries: int | None = None,
        threshold: bool | None = None,
        prior: str = "diffusion",
        text: bool = True,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]: P(x | y) = P(x | z, y) P(z | y).

        `prior` is "diffusion" or "autoregressive"; `text=False` leaves y out of P(x
        | z, y); the other settings are those of `decode_embeddings` and of every
        cascade. Picture i draws its chance from (seed, i) alone. Raises
        `DalleEduError` for a prompt that cannot be drawn or a setting out of range.
        """
        check_prompts(prompts)
        settings: dict[str, Any] = {
            "guidance_scale": guidance_scale,
            "steps": steps,
            "tries": tries,
            "threshold": threshold,
            "callback": callback,
        }
        return self.draw(prompts, seed, prior=prior, text=text, **settings)

    def draw(
        self,
        prompts: Sequence[str],
        seed: int,
        known: KnownPixels | None = None,
        *,
        prior: str = "diffusion",
        text: bool = True,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        z = self.sample_embeddings(prompts, seed, prior)
        return self.decode_embeddings(
            z, prompts if text else None, seed=seed, known=known, **settings
        )

    @torch.no_grad()
    def decode_embeddings(  # type: ignore[override]
        self,
        z: Float[Tensor, "n e"],
        captions: Sequence[str] | None = None,
        *,
        seed: int = 0,
        tries: int | None = None,
        guidance_scale: float | None = None,
        steps: int | None = None,
        threshold: bool | None = None,
        known: KnownPixels | None = None,
        callback: Callback | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """P(x | z, y), or without captions P(x | z). Each embedding is painted
        `tries` times, and the picture in which CLIP sees it best is kept, as the
        prior keeps one of two embeddings. Two tries of ten steps without guidance
        cost half of what one of twenty costs with it, and are right more often.
        `known` is a picture for each embedding and where it is kept.
        """
        tries = self.config.tries if tries is None else tries
        check_tries(tries)
        wanted = z.repeat_interleave(tries, dim=0)
        told = self.conditions(
            wanted,
            None
            if captions is None
            else [caption for caption in captions for _ in range(tries)],
        )
        around = (
            None
            if known is None
            else (
                known[0].repeat_interleave(tries, dim=0),
                known[1].repeat_interleave(tries, dim=0),
            )
        )
        drawn = self.sample(
            *told, seed, guidance_scale, steps, threshold, around, callback
        )
        near = (
            (self.encode_images(drawn) * wanted)
            .sum(dim=1)
            .unflatten(0, (-1, tries))
        )
        return drawn.unflatten(0, (-1, tries))[
            torch.arange(len(z), device=z.device), near.argmax(dim=1)
        ]

    def conditions(
        self, z: Float[Tensor, "n e"], captions: Sequence[str] | None = None
    ) -> tuple[Conditions, Conditions]:
        """The decoder's conditions for embeddings, with or without captions, and
        blank ones.
        """
        n, seen = len(z), self.config.clip
        words = torch.zeros(n, seen.text_length + 1, seen.width, device=z.device)
        visible = torch.zeros(
            n, seen.text_length + 1, dtype=torch.bool, device=z.device
        )
        if captions is not None:
            words, visible = self.encode_texts(captions)[0], self._visible(captions)
        given = {"pooled": self._loud(z), "text": words, "text_mask": visible}
        return given, {
            "pooled": torch.zeros_like(z),
            "text": words,
            "text_mask": torch.zeros_like(visible),
        }

    def _visible(self, captions: Sequence[str]) -> Tensor:
        return F.pad(self.tokens(captions) != 0, (1, 0), value=True)

    def _loud(self, z: Float[Tensor, "n e"]) -> Float[Tensor, "n e"]:
        """An embedding with entries of variance 1, as networks like them."""
        return z * z.shape[1] ** 0.5

    # ------------------------------------------------------------ learning

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str = "decoder",
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        if stage.startswith("upsampler"):
            return self.upsampler_loss(stage, images, generator)
        z, (words, caption) = (
            self.encode_images(images),
            self.encode_texts(captions),
        )
        draws = torch.rand(2, len(z), 1, generator=generator, device=z.device)
        if stage == "decoder":
            if self.training:
                self.prior_ar.follow(z)
            visible = self._visible(captions) & (
                draws[0] >= self.config.caption_dropout
            )
            pooled = self._loud(z) * (draws[1] >= self.config.embedding_dropout)
            return self.decoder.loss(
                shrink(images, BASE),
                generator,
                pooled=pooled,
                text=words,
                text_mask=visible,
            )
        kept = (draws[0] >= self.config.prior_dropout).float()
        words, caption = words * kept.unsqueeze(-1), caption * kept
        if stage == "prior":
            return self.prior.loss(z, words, caption, generator)
        if progress == 0:
            self.prior_ar.settle()
        return self.prior_ar.loss(z, words, caption)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """The decoder draws from true embeddings until the priors have learned;
        then all work together.
        """
        with torch.no_grad():
            if stage == "decoder":
                return self.sample(
                    *self.conditions(self.encode_images(images), captions),
                    seed,
                    full_size=False,
                )
            if stage.startswith("prior"):
                z = self.sample_embeddings(
                    captions,
                    seed,
                    "diffusion" if stage == "prior" else "autoregressive",
                )
                return self.sample(
                    *self.conditions(z, captions), seed, full_size=False
                )
        return super().preview(stage, images, captions, seed)

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "DallE2":
        values = dict(metadata["config"])
        unets = {
            "decoder": unet_config(values["decoder"]),
            "upsamplers": tuple(unet_config(unet) for unet in values["upsamplers"]),
        }
        others = {
            "clip": CLIPConfig(**values["clip"]),
            "prior": PriorConfig(**values["prior"]),
        }
        return cls(
            DallE2Config(**values | unets | others),
            CaptionTokenizer.from_json(metadata["tokenizer"]),
        )
