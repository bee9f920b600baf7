"""The study of image edits: whether edited pictures keep what they should, and change what they should.

All pictures are rendered scenes of the world, so that what must be kept is known exactly.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.marks import mark
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.domain import catalogue_of
from dalle_edu.world.grammar import caption
from dalle_edu.world.held_out import is_held_out
from dalle_edu.world.renderer import render
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Object, Scene

_TOGETHER = 64  # pictures edited at a time
_KINDS = {"single": 0.4, "count": 0.3, "pair": 0.3}
_ALTERED = {"single": 0.5, "pair": 0.2, "relation": 0.3}


@runtime_checkable
class Edits(Protocol):
    """A system that edits pictures. Each study also calls the methods of its edit, such as `vary` or `inpaint`."""

    @property
    def resolution(self) -> int:
        """The side of its pictures, in pixels."""


@dataclass(frozen=True)
class Kept:
    """The rate of right edits, and `changed`: the mean absolute difference of edited pictures from those given, in [0, 2]."""

    rate: Rate
    changed: float


def scenes_to_edit(n: int, seed: int = 0, catalogue: Catalogue = SHAPES) -> tuple[list[Scene], list[str]]:
    """`n` scenes of one object, of several alike, or of two, with captions that alternate between French and English. Raises
    `DalleEduError` for what is no seed.
    """
    seed = check_seed(seed)
    scenes = [sample_scene((2_000_003 + seed) % SEEDS, i, "seen", catalogue, _KINDS) for i in range(n)]
    return scenes, [caption(scene.description, LANGUAGES[i % len(LANGUAGES)], i, catalogue) for i, scene in enumerate(scenes)]


def same_things(before: Sequence[Object], after: Sequence[Object]) -> bool:
    """Whether two pictures show the same number of objects of each shape and colour."""
    return Counter((thing.shape, thing.colour) for thing in before) == Counter((thing.shape, thing.colour) for thing in after)


@torch.no_grad()
def variations(system: Edits, n: int = 256, seed: int = 0) -> Kept:
    """The rate at which `system.vary` keeps shape, colour and number, over `n` pictures."""
    catalogue = catalogue_of(system)
    scenes, _ = scenes_to_edit(n, seed, catalogue)
    right, changed = 0, 0.0
    for start in range(0, n, _TOGETHER):
        part = scenes[start : start + _TOGETHER]
        images = render(part, system.resolution, catalogue=catalogue)
        varied = system.vary(images, seed=seed + start)  # type: ignore[attr-defined]
        right += sum(same_things(scene.objects, found) for scene, found in zip(part, parse_pictures(varied, catalogue), strict=True))
        changed += float((varied.cpu() - images).abs().mean()) * len(part)
    return Kept(Rate(n, right), changed / n)


@torch.no_grad()
def mixtures(system: Edits, n: int = 128, ratio: float = 0.3, seed: int = 0) -> dict[str, Rate]:
    """The rates at which CLIP places `system.mix` of two pictures between them, over `n` pairs.

    "between" counts mixtures that are nearer, by cosine similarity, to each of the two than these are to each other;
    "nearer_to_the_first" counts those nearer to the first, as they should be for a `ratio` below a half.
    """
    catalogue = catalogue_of(system)
    scenes, _ = scenes_to_edit(2 * n, seed + 1, catalogue)
    between, nearer = 0, 0
    for start in range(0, n, _TOGETHER):
        halves = (scenes[offset + start : offset + min(start + _TOGETHER, n)] for offset in (0, n))
        first, second = (render(half, system.resolution, catalogue=catalogue) for half in halves)
        mixed = system.mix(first, second, ratio, seed=seed + start)  # type: ignore[attr-defined]
        one, other, middle = (system.encode_images(images) for images in (first, second, mixed))  # type: ignore[attr-defined]
        apart, to_one, to_other = (one * other).sum(dim=1), (middle * one).sum(dim=1), (middle * other).sum(dim=1)
        between += int(((to_one > apart) & (to_other > apart)).sum())
        nearer += int((to_one > to_other).sum())
    return {"between": Rate(n, between), "nearer_to_the_first": Rate(n, nearer)}


@torch.no_grad()
def inpaintings(system: Edits, n: int = 128, seed: int = 0) -> tuple[Kept, float]:
    """`system.inpaint` of the right half of `n` pictures, given their captions.

    Returns the rate at which the whole picture earns all marks, and the largest absolute change of a pixel that was to be kept, in [0, 2].
    """
    catalogue = catalogue_of(system)
    scenes, captions = scenes_to_edit(n, seed + 2, catalogue)
    right, changed, touched = 0, 0.0, 0.0
    for start in range(0, n, _TOGETHER):
        part, texts = scenes[start : start + _TOGETHER], captions[start : start + _TOGETHER]
        images = render(part, system.resolution, catalogue=catalogue)
        keep = _left_half(images)
        painted = system.inpaint(images, keep, texts, seed=seed + start).cpu()  # type: ignore[attr-defined]
        right += _as_said(part, painted, catalogue)
        changed += float((painted - images).abs().mean()) * len(part)
        touched = max(touched, float((painted - images)[keep.expand_as(images)].abs().max()))
    return Kept(Rate(n, right), changed / n), touched


@torch.no_grad()
def completions(system: Edits, n: int = 128, rows: float = 0.5, seed: int = 0) -> tuple[Kept, float]:
    """`system.complete` of `n` pictures from the top part `rows` of each, in [0, 1], given their captions.

    Returns the rate at which the whole picture earns all marks, and the largest absolute change of a given pixel, in [0, 2].
    """
    catalogue = catalogue_of(system)
    scenes, captions = scenes_to_edit(n, seed + 3, catalogue)
    right, changed, touched = 0, 0.0, 0.0
    for start in range(0, n, _TOGETHER):
        part, texts = scenes[start : start + _TOGETHER], captions[start : start + _TOGETHER]
        images = render(part, system.resolution, catalogue=catalogue)
        finished = system.complete(images, texts, rows=rows, seed=seed + start).cpu()  # type: ignore[attr-defined]
        right += _as_said(part, finished, catalogue)
        changed += float((finished - images).abs().mean()) * len(part)
        height = system.given_height(rows)  # type: ignore[attr-defined]
        touched = max(touched, float((finished - images)[:, :, :height].abs().max()))
    return Kept(Rate(n, right), changed / n), touched


@torch.no_grad()
def alterations(system: Edits, attribute: str, n: int = 128, seed: int = 0) -> Kept:
    """`system.alter` of up to `n` pictures, whose captions change the first object's `attribute`, "shape" or "colour".

    The rate is that at which the altered picture earns all marks of the new caption.
    """
    catalogue = catalogue_of(system)
    scenes = [sample_scene((2_000_007 + seed) % SEEDS, i, "seen", catalogue, _ALTERED) for i in range(4 * n)]
    pairs = [(scene, other) for scene in scenes if (other := _altered(scene, attribute, catalogue)) is not None][:n]
    right, changed = 0, 0.0
    for start in range(0, len(pairs), _TOGETHER):
        part = pairs[start : start + _TOGETHER]
        images = render([scene for scene, _ in part], system.resolution, catalogue=catalogue)
        before, after = (
            [caption(pair[side].description, LANGUAGES[i % len(LANGUAGES)], start + i, catalogue) for i, pair in enumerate(part)]
            for side in (0, 1)
        )
        altered = system.alter(images, before, after, seed=seed + start).cpu()  # type: ignore[attr-defined]
        right += _as_said([scene for _, scene in part], altered, catalogue)
        changed += float((altered - images).abs().mean()) * len(part)
    return Kept(Rate(len(pairs), right), changed / len(pairs))


def _altered(scene: Scene, attribute: str, catalogue: Catalogue) -> Scene | None:
    """A scene whose first object has the next shape or colour of the catalogue; None without such a change in the seen split."""
    thing, mention = scene.objects[0], scene.description.mentions[0]
    if getattr(mention, attribute) is None:
        return None
    names = [each.name for each in (catalogue.shapes if attribute == "shape" else catalogue.colours)]
    start = names.index(getattr(thing, attribute))
    for name in names[start + 1 :] + names[:start]:
        change: Any = {attribute: name}
        objects = (replace(thing, **change), *scene.objects[1:])
        twins = any(other.shape == objects[0].shape and other.colour == objects[0].colour for other in objects[1:])
        if not twins and not is_held_out(objects, catalogue):
            mentions = (replace(mention, **change), *scene.description.mentions[1:])
            return Scene(objects, replace(scene.description, mentions=mentions))
    return None


def _left_half(images: Float[Tensor, "n 3 h w"]) -> Tensor:
    keep = torch.zeros(len(images), 1, *images.shape[2:], dtype=torch.bool)
    keep[..., : images.shape[3] // 2] = True
    return keep


def _as_said(scenes: Sequence[Scene], images: Float[Tensor, "n 3 h w"], catalogue: Catalogue) -> int:
    """The number of pictures that earn all their marks."""
    pairs = zip(scenes, parse_pictures(images, catalogue), strict=True)
    return sum(all(mark(scene.description, found).values()) for scene, found in pairs)
