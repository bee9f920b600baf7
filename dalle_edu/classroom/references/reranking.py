"""Re-ranking against plain Python that looks at one candidate after the other."""

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.interface.system import System

RED, BLUE, STAR = "a red circle", "un carré bleu", "a star"


def vector_of(text: str, channels: int) -> Tensor:
    """A unit vector for a sentence, the same each time."""
    vector = numbers(zlib.crc32(text.encode()) % 100_000, channels)
    return vector / vector.norm()


class ToyCritic(Critic):
    """A critic with a fixed vector for each sentence; a picture's vector is its first pixels, at length 1."""

    title, scale = "toy", torch.tensor(1.0)

    def __init__(self, channels: int = 4):
        self.channels = channels

    def encode_images(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1)[:, : self.channels].to(DOUBLE)
        return pixels / pixels.norm(dim=1, keepdim=True).clamp(min=1e-12)

    def encode_texts(self, captions: Sequence[str]) -> Tensor:
        return torch.stack([vector_of(caption, self.channels) for caption in captions])


class ToySystem(System):
    """A system whose pictures of 2 x 2 pixels depend on the prompt, its place in the batch, the seed and a setting, `ink`."""

    name, resolution, evaluations = "toy", 2, 1

    def stage_loss(self, *_: Any) -> dict[str, Tensor]:
        return {}

    def generate(self, prompts: Sequence[str], *, seed: int = 0, ink: float = 1.0, **settings: Any) -> Tensor:
        return torch.stack([self.one(prompt, place, seed, ink) for place, prompt in enumerate(prompts)])

    def one(self, prompt: str, place: int, seed: int, ink: float) -> Tensor:
        return (ink * numbers(zlib.crc32(f"{prompt} {place} {seed}".encode()) % 1_000_003, 3, 2, 2)).clamp(-1, 1).float()


def _cosine(picture: Tensor, text: str, channels: int) -> float:
    pixels, words = picture.flatten()[:channels].double().tolist(), vector_of(text, channels).tolist()
    length = math.hypot(*pixels)
    return sum(one * other for one, other in zip(pixels, words, strict=True)) / length if length else 0.0


def _judge(seed: int) -> list[Case]:
    def peer(clip: ToyCritic, images: Tensor, prompts: Sequence[str]) -> Tensor:
        return torch.tensor(
            [[_cosine(picture, text, clip.channels) for picture in candidates] for candidates, text in zip(images, prompts, strict=True)],
            dtype=DOUBLE,
        )

    two, three = ToyCritic(2), ToyCritic(5)
    pixels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).view(1, 3, 1, 1, 2).repeat(1, 1, 3, 1, 1)
    drawn = numbers(seed, 3, 4, 3, 2, 2).float()
    return [
        call(peer, two, pixels[:, :1], [RED]),
        call(peer, two, pixels, [RED]),
        call(peer, two, torch.cat([pixels, -pixels]), [RED, BLUE]),
        call(peer, three, drawn, [RED, BLUE, STAR]),
        call(peer, three, 2 * drawn[:2], [STAR, STAR]),
        call(peer, three, drawn[:, :1].double(), [BLUE, RED, RED]),
    ]


def _best_of(seed: int) -> list[Case]:
    def wanted(prompts: Sequence[str], candidates: int, keep: int, first: int, ink: float) -> tuple[Tensor, Tensor]:
        kept = []
        for row, prompt in enumerate(prompts):
            drawn = [ToySystem().one(prompt, row * candidates + place, first, ink) for place in range(candidates)]
            judged = sorted(((_cosine(picture, prompt, 4), picture) for picture in drawn), key=lambda pair: -pair[0])
            kept.append(judged[:keep])
        pictures = torch.stack([torch.stack([picture for _, picture in each]) for each in kept])
        return pictures, torch.tensor([[score for score, _ in each] for each in kept], dtype=DOUBLE)

    def case(prompts: list[str], candidates: int, keep: int, first: int = 0, ink: float = 1.0) -> Case:
        options = ({"seed": first} if first else {}) | ({"ink": ink} if ink != 1 else {})

        def ask(version: Callable[..., Any]) -> Any:
            best = lent(lambda asked: version(ToySystem(), asked, ToyCritic(), candidates, keep, **options), "prompts", prompts)
            return tuple(best)

        title = f"prompts = {prompts}, candidates={candidates}, keep={keep}" + "".join(f", {key}={value}" for key, value in options.items())
        return scenario(title, title, lambda: wanted(prompts, candidates, keep, first, ink), ask, candidates * len(prompts))

    def unnumbered(version: Callable[..., Any]) -> list[Any]:
        """What comes without numbers of candidates: the 4 best of 32."""
        return list(version(ToySystem(), [RED, STAR], ToyCritic()))

    return [
        case([RED], 1, 1),
        case([RED], 3, 1),
        case([RED], 3, 3),
        case([RED, BLUE], 4, 2, seed + 1),
        case([STAR, RED, STAR], 6, 3, 2, ink=0.4),
        scenario(
            "32 candidates of 2 prompts",
            "32 candidates de 2 phrases",
            lambda: list(wanted([RED, STAR], 32, 4, 0, 1.0)),
            unnumbered,
            100,
        ),
    ]


REFERENCES = [
    Reference("systems.critics.reranking:judge", say("one pair at a time", "une paire à la fois"), cases=_judge, tolerance=1e-6),
    Reference("systems.critics.reranking:best_of", say("sorted(), one prompt at a time", "sorted(), phrase par phrase"), _best_of, 1e-6),
]
