"""Variations, mixtures and text diffs against rotations by NumPy, with a toy encoder and decoder."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, double, lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.reranking import BLUE, RED, STAR, vector_of
from dalle_edu.language import say

CHANNELS, SIDE = 5, 2


def _turned(first: np.ndarray, second: np.ndarray, ratio: float) -> np.ndarray:
    """A unit vector, turned by a part of its angle to another, in their plane (Gram and Schmidt)."""
    part, cosine = round(100 * ratio) / 100, float(np.clip(first @ second, -1, 1))
    across = second - cosine * first
    length = np.linalg.norm(across)
    angle = part * np.arctan2(length, cosine)
    return first if length < 1e-12 else np.cos(angle) * first + np.sin(angle) * across / length


def _on_the_way(first: Tensor, second: Tensor, ratio: float) -> Tensor:
    return torch.stack([torch.from_numpy(_turned(a.numpy(), b.numpy(), ratio)) for a, b in zip(first, second, strict=True)])


def _unit(seed: int, *shape: int) -> Tensor:
    return torch.nn.functional.normalize(numbers(seed, *shape), dim=-1)


def _ways(seed: int) -> list[Case]:
    right, up, left = double([1.0, 0.0]), double([0.0, 1.0]), double([-0.8, 0.6])
    pairs = [(right, up, 0.5), (right, up, 0.0), (right, up, 1.0), (right, left, 0.25), (right, right, 0.3), (right, up, 0.304)]
    drawn = [(_unit(seed, n, e), _unit(seed + 1, n, e), ratio) for n, e, ratio in ((1, 3, 0.3), (4, 8, 0.62), (3, 6, 0.0049))]
    return [call(_on_the_way, *each) for each in [*pairs, *drawn]]


# ---------------------------------------------------------------- edits of a system that draws from embeddings


def made(version: Any) -> Any:
    """A system with the edits of a version: encoders and a decoder of a few numbers, which write down what they are asked."""

    class Toy(version):
        name, resolution, evaluations, device = "toy", SIDE, 1, torch.device("cpu")

        def stage_loss(self, *_: Any) -> dict[str, Tensor]:
            return {}

        def generate(self, prompts: Sequence[str], *, seed: int = 0, **settings: Any) -> Tensor:
            raise NotImplementedError

        def encode_images(self, images: Tensor) -> Tensor:
            return _seen(images)

        def encode_texts(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
            words = torch.stack([vector_of(caption, CHANNELS) for caption in captions])
            return -words[:, None].repeat(1, 3, 1), words

        def decode_embeddings(self, z: Tensor, captions: Sequence[str] | None = None, *, seed: int = 0, ink: float = 1.0) -> Tensor:
            return _painted(z, seed, ink) * (1 if captions is None else 0)

    return Toy()


def _seen(images: Tensor) -> Tensor:
    return torch.nn.functional.normalize(images.flatten(1)[:, :CHANNELS].to(DOUBLE) + 0.1, dim=-1)


def _painted(z: Tensor, seed: int, ink: float) -> Tensor:
    """Pictures of 2 x 2 pixels in [-1, 1], in which the first numbers are those of the embedding, moved a little by the seed."""
    pixels = torch.zeros(len(z), 3 * SIDE * SIDE, dtype=DOUBLE)
    pixels[:, :CHANNELS] = ink * z
    return (pixels + 0.05 * torch.sin(torch.arange(3 * SIDE * SIDE) + seed)).clamp(-1, 1).view(-1, 3, SIDE, SIDE)


def _variations(seed: int) -> list[Case]:
    images, others = (torch.tanh(numbers(seed + i, 3, 3, SIDE, SIDE)) for i in range(2))

    def case(title: str, ask: Callable[[Any, Tensor, Tensor], Any], peer: Callable[[], Any], weight: int) -> Case:
        def edited(version: Any) -> Tensor:
            return lent(lambda *given: ask(made(version), *given), "images others", images, others)

        return scenario(title, title, peer, edited, weight)

    def looped(frames: int, first: int, ink: float) -> Tensor:
        shown = [images]
        for frame in range(1, frames):
            shown.append(_painted(_seen(shown[-1]), first + frame, ink))
        return torch.stack(shown)

    def mixed(ratio: float, first: int = 0, ink: float = 1.0) -> Tensor:
        return _painted(_on_the_way(_seen(images), _seen(others), ratio), first, ink)

    def steered(before: list[str], after: list[str], ratio: float, first: int = 0, ink: float = 1.0) -> Tensor:
        ways = torch.stack([vector_of(b, CHANNELS) - vector_of(a, CHANNELS) for a, b in zip(before, after, strict=True)])
        return _painted(_on_the_way(_seen(images), ways / ways.norm(dim=1, keepdim=True), ratio), first, ink)

    old, new = [RED, RED, STAR], [BLUE, STAR, RED]
    return [
        case("vary(images)", lambda toy, x, _: toy.vary(x), lambda: _painted(_seen(images), 0, 1.0), 1),
        case("vary(images, seed=3, ink=0.5)", lambda toy, x, _: toy.vary(x, seed=3, ink=0.5), lambda: _painted(_seen(images), 3, 0.5), 2),
        case("loop(images, 4)", lambda toy, x, _: toy.loop(x, 4), lambda: looped(4, 0, 1.0), 3),
        case("loop(images, 3, seed=5, ink=0.5)", lambda toy, x, _: toy.loop(x, 3, seed=5, ink=0.5), lambda: looped(3, 5, 0.5), 4),
        case("mix(images, others)", lambda toy, x, y: toy.mix(x, y), lambda: mixed(0.3), 5),
        case("mix(images, others, 0.8, seed=2, ink=0.5)", lambda t, x, y: t.mix(x, y, 0.8, seed=2, ink=0.5), lambda: mixed(0.8, 2, 0.5), 6),
        case("mix(images, others, 0)", lambda toy, x, y: toy.mix(x, y, 0.0), lambda: mixed(0.0), 7),
        case(f"steer(images, {old}, {new})", lambda toy, x, _: toy.steer(x, old, new), lambda: steered(old, new, 0.4), 8),
        case(
            f"steer(images, {old}, {new}, 0.7, seed=4, ink=0.5)",
            lambda toy, x, _: toy.steer(x, old, new, 0.7, seed=4, ink=0.5),
            lambda: steered(old, new, 0.7, 4, 0.5),
            9,
        ),
    ]


_VARIATIONS = "systems.image_edits.variations"
REFERENCES = [
    Reference(f"{_VARIATIONS}:on_the_way", say("rotations in NumPy", "des rotations en NumPy"), cases=_ways, tolerance=1e-8),
    Reference(f"{_VARIATIONS}:ImageVariations", say("rotations in NumPy", "des rotations en NumPy"), cases=_variations, tolerance=1e-8),
]
