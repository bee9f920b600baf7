"""CLIP on the captioned world: the critic of the other systems (Radford et al.
2021). Lesson 12.

It is trained on pictures and their captions by the contrastive loss of the brick,
with five additions:

- Pictures are augmented, since it later compares what half-trained systems draw.
- Some pictures are made grey, and their captions name no colour, so that shapes are
  recognised in colours in which training never shows them.
- False negatives, captions of other pictures that may be true of this one, are
  masked (`hard_negatives/attributes.py`).
- Each caption comes with hard negatives, wrong in one thing only, so that shape,
  number and space cannot be ignored (`hard_negatives/negatives.py`).
- Each caption must also be found by a paraphrase of it, in either language and
  naming either object first. As long as one tower does not tell left from right,
  the other gains nothing by doing so; comparing captions with captions lets the
  text tower learn it alone (self-supervision within a modality, Li et al. 2022,
  DeCLIP).

Letters: n pictures, m captions, t text tokens, e channels of an embedding, h = w
pixels on a side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, LARGEST_SCALE, CLIPConfig, similarity
from dalle_edu.systems.critics.critic import Critic, check_captions, check_pictures
from dalle_edu.systems.hard_negatives.attributes import (
    caption_attributes,
    compatible,
)
from dalle_edu.systems.hard_negatives.contrastive_loss import (
    compatible_captions,
    hard_negative_accuracy,
    masked_clip_loss,
)
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase, without_colours
from dalle_edu.systems.interface.drawing import check_precision
from dalle_edu.systems.interface.recipe import Recipe, Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.systems.parts.augment import augment, grayscale, resized
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer, trimmed

TOGETHER = 256  # pictures encoded at a time


@dataclass(frozen=True)
class ClipModel:
    """The shapes of the two towers, and `first_scale`, the factor of cosines (the
    inverse temperature) with which training begins.
    """

    clip: CLIPConfig = field(
        default_factory=lambda: CLIPConfig(
            resolution=64, stem_depth=0, width=128, image_depth=4, embedding=128
        )
    )
    first_scale: float = 30.0


def clip_stages(batch_size: int = 128) -> tuple[Stage, ...]:
    """The one stage of training."""
    return (
        Stage(
            "clip",
            ("clip",),
            share=1.0,
            batch_size=batch_size,
            learning_rate=1e-3,
            updates_share=1.0,
            matrix_learning_rate=2e-2,
            muon=(
                "clip.image_tower.blocks",
                "clip.image_tower.patchify",
                "clip.text_tower.blocks",
            ),
            shows=(
                "a picture's own caption against one that is wrong in one thing",
                "la légende d'une image contre une autre, fausse en une seule "
                "chose",
            ),
        ),
    )


@dataclass(frozen=True)
class ClipRecipe(Recipe):
    """The stage, and what the loss depends on.

    `augmentation` is the strength of `augment`. `grayscale_share` is the part of
    the pictures made grey, whose captions lose their colours. `negatives` is the
    number of hard negatives of each caption. `paraphrase_weight` is the weight of
    the contrastive loss between captions and paraphrases, beside that between
    pictures and captions. With `mask_false_negatives`, captions that may be true of
    a picture do not count as its negatives.
    """

    stages: tuple[Stage, ...] = clip_stages()
    augmentation: float = 1.0
    grayscale_share: float = 0.25
    negatives: int = 3
    paraphrase_weight: float = 1.0
    mask_false_negatives: bool = True


@dataclass(frozen=True)
class ClipSampling:
    """No settings: CLIP does not draw."""


@dataclass(frozen=True)
class ClipConfig:
    """The shapes of the two towers, and the recipe of their training."""

    model: ClipModel = field(default_factory=ClipModel)
    recipe: ClipRecipe = field(default_factory=ClipRecipe)
    sampling: ClipSampling = field(default_factory=ClipSampling)


PRESETS = {
    "laptop": ClipConfig(
        ClipModel(
            CLIPConfig(
                resolution=32,
                stem_depth=0,
                patch_size=4,
                width=96,
                heads=3,
                image_depth=3,
                embedding=64,
            )
        )
    ),
    "standard": ClipConfig(),
    "gpu": ClipConfig(
        ClipModel(
            CLIPConfig(
                resolution=128,
                stem_depth=0,
                width=384,
                heads=6,
                image_depth=8,
                text_depth=4,
                embedding=256,
            )
        ),
        ClipRecipe(clip_stages(batch_size=1024)),
    ),
}


@register
class Clip(Critic, Trainable):
    """CLIP: it compares pictures with sentences of at most `text_length` tokens,
    and does not draw. Lesson 12.

    Raises `ValueError` for a tokenizer of more tokens than the text tower has.
    """

    name = "clip"
    lesson = 12
    presets = PRESETS
    config: ClipConfig

    def __init__(
        self, config: ClipConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        shape, known = config.model.clip, self.tokenizer.vocabulary_size
        if known > shape.vocabulary:
            raise ValueError(
                f"the tokenizer knows {known} tokens and the tower "
                f"{shape.vocabulary}"
            )
        self.clip = CLIP(shape)
        with torch.no_grad():
            self.clip.log_scale.fill_(math.log(config.model.first_scale))
            self.clip.image_tower.position[1:] = rows_and_columns(
                self.resolution // shape.patch_size, shape.width
            )

    @property
    def resolution(self) -> int:
        return self.config.model.clip.resolution

    @property
    def title(self) -> str:
        return self.name

    @property
    def scale(self) -> Tensor:
        return self.clip.scale

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        """Captions as token numbers, padded with 0."""
        length = self.config.model.clip.text_length
        return self.tokenizer.encode(captions, length).to(self.device)

    # ------------------------------------------------------------ comparing

    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """Pictures in [-1, 1] as unit vectors. Those of another side are resized
        first. Differentiable in the pictures. Raises `DalleEduError` for anything
        but a batch of pictures.
        """
        check_pictures(images)
        check_precision(self)
        images = images.to(self.device, torch.float32)
        parts = resized(images, self.resolution).split(TOGETHER)
        return torch.cat([self.clip.encode_image(part) for part in parts])

    def encode_texts(self, captions: Sequence[str]) -> Float[Tensor, "m e"]:
        """Sentences as unit vectors. Raises `DalleEduError` for those that name
        nothing of the catalogue in its domain, or are too long.
        """
        check_captions(captions, self.domain)
        check_precision(self)
        return self.clip.encode_text(trimmed(self.tokens(captions)))

    # ------------------------------------------------------------ learning

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        recipe, catalogue = self.config.recipe, self.domain.catalogue
        # beyond the largest scale the gradient is zero, and the scale would stay
        with torch.no_grad():
            self.clip.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        images, captions = resized(images, self.resolution), list(captions)
        # of captions that people wrote, colours cannot be taken out
        grey = 0 if catalogue is None else int(recipe.grayscale_share * len(images))
        if catalogue is not None:
            images = torch.cat([grayscale(images[:grey], generator), images[grey:]])
            captions[:grey] = [
                without_colours(text, catalogue) for text in captions[:grey]
            ]
        strength = recipe.augmentation * min(1.0, 2 * progress)
        images = augment(images, generator, strength)
        negatives = hard_negatives(
            captions, recipe.negatives, generator, images.device, catalogue
        )
        texts = [*captions, *negatives]
        false_negatives = compatible_captions(captions, texts, catalogue)
        false_negatives = false_negatives.to(images.device)
        if not recipe.mask_false_negatives:
            false_negatives = torch.zeros_like(false_negatives)
        # what people wrote has no other wording: only pictures are to find it
        others = (
            []
            if catalogue is None
            else [paraphrase(captions, generator, catalogue)]
        )
        image_vectors, text_vectors, *paraphrase_vectors = (
            vectors.float() for vectors in self._towers(images, texts, *others)
        )
        # in float32: between 64 and 128, logits in bfloat16 are half a unit apart
        with torch.autocast(images.device.type, enabled=False):
            pictures, *words = (
                masked_clip_loss(
                    vectors, text_vectors, self.clip.scale, false_negatives
                )
                for vectors in (image_vectors, *paraphrase_vectors)
            )
            weighted = [recipe.paraphrase_weight * loss for loss in words]
            return {
                "loss": sum(weighted, pictures),
                "pictures": pictures,
                **({"words": words[0]} if words else {}),
                "scale": self.clip.scale.detach(),
            }

    def _towers(self, images: Tensor, *texts: Sequence[str]) -> list[Tensor]:
        """The embeddings of pictures, and those of each list of captions."""
        return [
            self.clip.image_tower(images),
            *(self.clip.text_tower(trimmed(self.tokens(each))) for each in texts),
        ]

    @torch.no_grad()
    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        """Retrieval and hard negatives, as rates in [0, 1]: "caption_of_picture",
        how often the nearest caption of a picture may be true of it,
        "picture_of_caption", the reverse, and for each way of being wrong ("space",
        "binding", "number", "size", "shape", "colour") how often a picture is
        nearer to its caption than to a hard negative.
        """
        vectors = self.encode_images(images)
        scores = similarity(vectors, self.encode_texts(captions)).cpu()
        attributes = caption_attributes(captions, self.domain.catalogue)
        right = compatible(attributes, attributes)
        nearest_caption = scores.argmax(dim=1, keepdim=True)
        nearest_picture = scores.argmax(dim=0, keepdim=True)
        rates = {
            "caption_of_picture": right.gather(1, nearest_caption),
            "picture_of_caption": right.gather(0, nearest_picture),
        }
        numbers = {name: float(each.float().mean()) for name, each in rates.items()}
        return numbers | hard_negative_accuracy(
            vectors, captions, self.encode_texts, self.domain.catalogue
        )


def rows_and_columns(
    side: int, width: int, strength: float = 0.3, slowest: float = 100.0
) -> Float[Tensor, "patches width"]:
    """Initial position embeddings of a grid of side x side patches: sines and
    cosines of the row and of the column (Beyer et al. 2022).

    `strength` is the amplitude, and the wavelengths go from 2π to 2π `slowest`
    patches. Neighbouring patches begin with similar embeddings; from random ones a
    network must first learn which patches are neighbours.
    """
    rates = slowest ** -torch.linspace(0, 1, (width + 3) // 4)
    angles = torch.arange(side)[:, None] * rates
    # (side, about half of the channels)
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    grid = torch.cat(
        [waves[:, None].expand(-1, side, -1), waves[None].expand(side, -1, -1)],
        dim=2,
    )
    return strength * grid.flatten(0, 1)[:, :width]
