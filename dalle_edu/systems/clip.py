"""CLIP on the captioned world: the critic of the other systems (Radford et al.
2021).

It learns from pictures and captions side by side, as the brick does, in five ways
of its own. Pictures come disturbed, since it will judge what half-trained systems
paint. Some come without colour, so that it knows a heart in a colour in which it
never saw one. Captions that may be true of a picture are not held against it. To
each caption come others that are wrong in one thing only, so that it must look at
shape, number and space (`dalle_edu.systems.hard_negatives.negatives`). And each
caption must also be found by a paraphrase of it, in either language and naming
either object first: neither tower gains anything by telling left from right until
the other does, but the text tower can be its own other (self-supervision within a
modality, Li et al. 2022, DeCLIP).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, LARGEST_SCALE, CLIPConfig, similarity
from dalle_edu.systems.critics.critic import Critic, check_pictures, check_sentences
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
from dalle_edu.systems.interface.recipe import Recipe, Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.systems.parts.augment import augment, grayscale, resized
from dalle_edu.world.grammar import MAX_CHARACTERS, check_prompt, unknown_words
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer, trimmed

TOGETHER = 256  # pictures looked at at a time


@dataclass(frozen=True)
class ClipModel:
    """The two towers. `first_scale` is what cosines are multiplied by before
    anything is learned.
    """

    clip: CLIPConfig = field(
        default_factory=lambda: CLIPConfig(
            resolution=64, stem_depth=0, width=128, image_depth=4, embedding=128
        )
    )
    first_scale: float = 30.0


def clip_stages(batch_size: int = 128) -> tuple[Stage, ...]:
    """The one stage."""
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
    """How it learns: `augmentation` is the strength with which pictures are
    disturbed; `grayscale_share` the part of the pictures that comes without colour,
    and whose captions say none; `negatives` how many captions wrong in one thing
    come with each right one; `paraphrase_weight` what it weighs to find a caption
    said otherwise, as it finds the caption of a picture; with
    `mask_false_negatives`, captions that may be true of a picture are not held
    against it.
    """

    stages: tuple[Stage, ...] = clip_stages()
    augmentation: float = 1.0
    grayscale_share: float = 0.25
    negatives: int = 3
    paraphrase_weight: float = 1.0
    mask_false_negatives: bool = True


@dataclass(frozen=True)
class ClipSampling:
    """CLIP draws nothing, so there is nothing to choose."""


@dataclass(frozen=True)
class ClipConfig:
    """The two towers, and how they learn."""

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
    """Compares pictures with sentences of at most `text_length` tokens. Draws
    nothing. Raises `ValueError` for a tokenizer of more tokens than the tower has.
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
        return self.tokenizer.encode(
            captions, self.config.model.clip.text_length
        ).to(self.device)

    # ------------------------------------------------------------ what it is for

    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """Pictures in [-1, 1] as unit vectors. Those of another side are resized
        first. Differentiable in the pictures.
        """
        check_pictures(images)
        looked_at = resized(images, self.resolution).split(TOGETHER)
        return torch.cat([self.clip.encode_image(part) for part in looked_at])

    def encode_texts(self, captions: Sequence[str]) -> Float[Tensor, "m e"]:
        """Sentences as unit vectors. Raises `DalleEduError` for those that name
        nothing of this world, or are too long.
        """
        check_captions(captions)
        return self.clip.encode_text(trimmed(self.tokens(captions)))

    # ------------------------------------------------------------ how it learns

    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        n, recipe = len(images), self.config.recipe
        # beyond its cap the scale has no gradient, and would stay there
        with torch.no_grad():
            self.clip.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        images, captions = resized(images, self.resolution), list(captions)
        copied = int(recipe.grayscale_share * n)
        images = torch.cat([grayscale(images[:copied], generator), images[copied:]])
        captions[:copied] = [without_colours(text) for text in captions[:copied]]
        images = augment(
            images, generator, recipe.augmentation * min(1.0, 2 * progress)
        )
        texts = [
            *captions,
            *hard_negatives(captions, recipe.negatives, generator, images.device),
        ]
        excused = compatible_captions(captions, texts).to(images.device)
        if not recipe.mask_false_negatives:
            excused = torch.zeros_like(excused)
        seen, *read = (
            tower.float()
            for tower in self._towers(
                images, texts, paraphrase(captions, generator)
            )
        )
        # a scale of 100 would make bfloat16's steps ones of a half
        with torch.autocast(images.device.type, enabled=False):
            pictures, words = (
                masked_clip_loss(each, read[0], self.clip.scale, excused)
                for each in (seen, read[1])
            )
            return {
                "loss": pictures + recipe.paraphrase_weight * words,
                "pictures": pictures,
                "words": words,
                "scale": self.clip.scale.detach(),
            }

    def _towers(self, images: Tensor, *texts: Sequence[str]) -> list[Tensor]:
        """The embeddings of pictures, and those of each list of captions."""
        return [
            self.clip.image_tower(images),
            *(self.clip.text_tower(trimmed(self.tokens(said))) for said in texts),
        ]

    @torch.no_grad()
    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        """How often the best caption is one that may be true, how often the best
        picture is, and how often its own caption is preferred to one that is wrong
        in space, binding, number, size, shape or colour alone.
        """
        seen, said = self.encode_images(images), caption_attributes(captions)
        scores = similarity(seen, self.encode_texts(captions)).cpu()
        right = compatible(said, said)
        numbers = {
            "caption_of_picture": float(
                right.gather(1, scores.argmax(dim=1, keepdim=True)).float().mean()
            ),
            "picture_of_caption": float(
                right.gather(0, scores.argmax(dim=0, keepdim=True)).float().mean()
            ),
        }
        return numbers | hard_negative_accuracy(seen, captions, self.encode_texts)


def rows_and_columns(
    side: int, width: int, strength: float = 0.3, slowest: float = 100.0
) -> Float[Tensor, "patches width"]:
    """Where the positions of a grid of patches begin to learn: waves along its rows
    and along its columns (Beyer et al. 2022).

    From random positions the network must first find out which patches are
    neighbours.
    """
    rates = slowest ** -torch.linspace(0, 1, (width + 3) // 4)
    angles = torch.arange(side)[:, None] * rates
    # side, half of the channels
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    grid = torch.cat(
        [waves[:, None].expand(-1, side, -1), waves[None].expand(side, -1, -1)],
        dim=2,
    )
    return strength * grid.flatten(0, 1)[:, :width]


def check_captions(captions: Sequence[str]) -> None:
    """Raise `DalleEduError` unless each caption names an object of this world, or
    is words of this world alone ("red").
    """
    check_sentences(captions)
    for text in set(captions):
        words = (
            text.split()
            if isinstance(text, str) and len(text) <= MAX_CHARACTERS
            else []
        )
        if (
            not words
            or not all(word.isalpha() for word in words)
            or unknown_words(text)
        ):
            check_prompt(text)
