"""CLIP on the captioned world: the critic of the other systems (Radford et al. 2021).

It learns from pictures and captions side by side, as the brick does, in five ways of its own. Pictures come disturbed, since it will judge
what half-trained systems paint. Some come without colour, so that it knows a heart in a colour in which it never saw one. Captions that may
be true of a picture are not held against it. To each caption come others that are wrong in one thing only, so that it must look at shape,
number and space (`dalle_edu.systems.claims`). And each caption must also be found by a paraphrase of it, in either language and naming
either object first: neither tower gains anything by telling left from right until the other does, but the text tower can be its own other
(self-supervision within a modality, Li et al. 2022, DeCLIP).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, LARGEST_SCALE, CLIPConfig, similarity
from dalle_edu.systems.claims import claims, compatible, contradict, say_otherwise, without_colours
from dalle_edu.systems.critic import Critic, check_pictures, check_sentences
from dalle_edu.systems.disturb import disturb, photocopied, resized
from dalle_edu.systems.trainable import Stage, Trainable
from dalle_edu.world.grammar import MAX_CHARACTERS, check_prompt, unknown_words
from dalle_edu.world.tokenizer import PAD, CaptionTokenizer, caption_tokenizer

TOGETHER = 256  # pictures looked at at a time
QUESTIONS = {"space": "opposite", "binding": "colours_swapped", "number": "number", "size": "size", "shape": "shape", "colour": "colour"}


@dataclass(frozen=True)
class ClipConfig:
    """The two towers, and how they learn."""

    clip: CLIPConfig = field(default_factory=lambda: CLIPConfig(resolution=64, stem_depth=0, width=128, image_depth=4, embedding=128))
    disturbance: float = 1.0  # of the pictures it learns from
    photocopies: float = 0.25  # part of the pictures that comes without colour, and whose captions say none
    negatives: int = 3  # captions wrong in one thing, for each right one
    paraphrase: float = 1.0  # what it weighs to find a caption said otherwise, as it finds the caption of a picture
    first_scale: float = 30.0  # of cosines, before it learns
    forgiving: bool = True  # captions that may be true of a picture are not held against it
    batch_size: int = 128


PRESETS = {
    "laptop": ClipConfig(CLIPConfig(resolution=32, stem_depth=0, patch_size=4, width=96, heads=3, image_depth=3, embedding=64)),
    "standard": ClipConfig(),
    "gpu": ClipConfig(
        CLIPConfig(resolution=128, stem_depth=0, width=384, heads=6, image_depth=8, text_depth=4, embedding=256), batch_size=1024
    ),
}


class Clip(Critic, Trainable):
    """Compares pictures with sentences of at most `text_length` tokens. Draws nothing."""

    name = "clip"
    presets = PRESETS

    def __init__(self, config: ClipConfig, tokenizer: CaptionTokenizer | None = None):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        if self.tokenizer.vocabulary_size > config.clip.vocabulary:
            raise ValueError(f"the tokenizer knows {self.tokenizer.vocabulary_size} tokens and the tower {config.clip.vocabulary}")
        self.clip = CLIP(config.clip)
        with torch.no_grad():
            self.clip.log_scale.fill_(math.log(config.first_scale))
            self.clip.image_tower.position[1:] = rows_and_columns(self.resolution // config.clip.patch_size, config.clip.width)
        self.stages = (
            Stage(
                "clip",
                ("clip",),
                share=1.0,
                batch_size=config.batch_size,
                learning_rate=1e-3,
                updates_share=1.0,
                matrix_learning_rate=2e-2,
                muon=("clip.image_tower.blocks", "clip.image_tower.patchify", "clip.text_tower.blocks"),
            ),
        )

    @property
    def resolution(self) -> int:
        return self.config.clip.resolution

    @property
    def title(self) -> str:
        return self.name

    @property
    def scale(self) -> Tensor:
        return self.clip.scale

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        return self.tokenizer.encode(captions, self.config.clip.text_length).to(self.device)

    # ------------------------------------------------------------ what it is for

    def encode_images(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n e"]:
        """Pictures in [-1, 1] as unit vectors. Those of another side are resized first. Differentiable in the pictures."""
        check_pictures(images)
        looked_at = resized(images, self.resolution).split(TOGETHER)
        return torch.cat([self.clip.encode_image(part) for part in looked_at])

    def encode_texts(self, captions: Sequence[str]) -> Float[Tensor, "m e"]:
        """Sentences as unit vectors. Raises `DalleEduError` for those that name nothing of this world, or are too long."""
        check_captions(captions)
        return self.clip.encode_text(_trimmed(self.tokens(captions)))

    # ------------------------------------------------------------ how it learns

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str = "clip",
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        n, config = len(images), self.config
        with torch.no_grad():  # beyond its cap the scale has no gradient, and would stay there
            self.clip.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        images, captions = resized(images, self.resolution), list(captions)
        copied = int(config.photocopies * n)
        images = torch.cat([photocopied(images[:copied], generator), images[copied:]])
        captions[:copied] = [without_colours(text) for text in captions[:copied]]
        images = disturb(images, generator, config.disturbance * min(1.0, 2 * progress))
        draws = torch.rand(config.negatives, n, 3, generator=generator, device=images.device).cpu()
        draws[..., 0] = (draws[..., 0] + torch.arange(config.negatives)[:, None]) / config.negatives  # one of each sort
        texts = [*captions, *(contradict(text, draw) for some in draws.tolist() for text, draw in zip(captions, some, strict=True))]
        said = claims(texts).to(images.device)
        excused = compatible(said[:n], said) if config.forgiving else said.new_zeros(n, len(texts), dtype=torch.bool)
        seen, *read = (tower.float() for tower in self._towers(images, texts, say_otherwise(captions, generator)))
        with torch.autocast(images.device.type, enabled=False):  # a scale of 100 would make bfloat16's steps ones of a half
            pictures, words = (forgiving_loss(each, read[0], self.clip.scale, excused) for each in (seen, read[1]))
            return {"loss": pictures + config.paraphrase * words, "pictures": pictures, "words": words, "scale": self.clip.scale.detach()}

    def _towers(self, images: Tensor, *texts: Sequence[str]) -> list[Tensor]:
        """The embeddings of pictures, and those of each list of captions."""
        return [self.clip.image_tower(images), *(self.clip.text_tower(_trimmed(self.tokens(said))) for said in texts)]

    @torch.no_grad()
    def measure(self, stage: str, images: Tensor, captions: Sequence[str]) -> dict[str, float]:
        """How often the best caption is one that may be true, how often the best picture is, and how often its own caption is preferred
        to one that is wrong in space, binding, number, size, shape or colour alone."""
        seen, said = self.encode_images(images), claims(captions)
        scores = similarity(seen, self.encode_texts(captions)).cpu()
        right = compatible(said, said)
        own = scores.diagonal()
        numbers = {
            "caption_of_picture": float(right.gather(1, scores.argmax(dim=1, keepdim=True)).float().mean()),
            "picture_of_caption": float(right.gather(0, scores.argmax(dim=0, keepdim=True)).float().mean()),
        }
        for question, change in QUESTIONS.items():
            wrong = [contradict(text, (0.0, 0.5, i / len(captions)), change) for i, text in enumerate(captions)]
            asked = ~compatible(said, claims(wrong)).diagonal()
            if asked.any():
                against = (seen * self.encode_texts(wrong)).sum(dim=1).cpu()
                numbers[question] = float((own > against)[asked].float().mean())
        return numbers

    # ------------------------------------------------------------ files

    def _extra_facts(self) -> dict[str, Any]:
        return {"tokenizer": self.tokenizer.to_json()}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "Clip":
        values = dict(facts["config"])
        config = ClipConfig(**values | {"clip": CLIPConfig(**values["clip"])})
        return cls(config, CaptionTokenizer.from_json(facts["tokenizer"]))


def forgiving_loss(
    images: Float[Tensor, "n e"], texts: Float[Tensor, "m e"], scale: Float[Tensor, ""] | float, excused: Bool[Tensor, "n m"]
) -> Float[Tensor, ""]:
    """The contrastive loss, where the first n texts are the pictures' own, the others are only false, and excused pairs do not count.

    Where nothing but the pairs themselves is excused, and m is n, it is `clip_loss`.
    """
    n = len(images)
    own = torch.arange(n, device=images.device)
    logits = scale * similarity(images, texts)
    excused = excused.clone()
    excused[own, own] = False
    logits = logits.masked_fill(excused, -torch.inf)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits[:, :n].T, own)) / 2


def rows_and_columns(side: int, width: int, strength: float = 0.3, slowest: float = 100.0) -> Float[Tensor, "patches width"]:
    """Where the positions of a grid of patches begin to learn: waves along its rows and along its columns (Beyer et al. 2022).

    From random positions the network must first find out which patches are neighbours.
    """
    rates = slowest ** -torch.linspace(0, 1, (width + 3) // 4)
    angles = torch.arange(side)[:, None] * rates
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)  # side, half of the channels
    grid = torch.cat([waves[:, None].expand(-1, side, -1), waves[None].expand(side, -1, -1)], dim=2)
    return strength * grid.flatten(0, 1)[:, :width]


def _trimmed(text: Int[Tensor, "n t"]) -> Int[Tensor, "n s"]:
    """Without the padding that all captions share, which changes nothing and costs time."""
    return text[:, : int((text != PAD).sum(dim=1).max())]


def check_captions(captions: Sequence[str]) -> None:
    """Raise `DalleEduError` unless each caption names an object of this world, or is words of this world alone ("red")."""
    check_sentences(captions)
    for text in set(captions):
        words = text.split() if isinstance(text, str) and len(text) <= MAX_CHARACTERS else []
        if not words or not all(word.isalpha() for word in words) or unknown_words(text):
            check_prompt(text)
