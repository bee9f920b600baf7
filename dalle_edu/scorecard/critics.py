"""Examinations for critics: what a CLIP sees of the world, on scenes that training never showed.

Classes by zero-shot; captions and pictures found in galleries where each caption is true of one picture alone; and, for each thing that a
caption can say, whether the right caption is preferred to the same one with that thing wrong.

Letters: n pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.exam import HELD_OUT_EVERY
from dalle_edu.scorecard.marks import Rate
from dalle_edu.systems.claims import CHANGES, claims, compatible, contradict
from dalle_edu.systems.critic import Critic
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption, phrasings
from dalle_edu.world.renderer import render
from dalle_edu.world.scenes import Description, Mention, Object, Scene, relation_between, sample_scene

_SERIES = 2_000_003  # far from the series of training and of the systems' exam


@dataclass(frozen=True)
class CriticReport:
    """How often a critic was right: `rates` by question."""

    critic: str
    seed: int
    rates: dict[str, Rate]

    def to_json(self) -> dict[str, object]:
        return {"system": self.critic, "seed": self.seed, "rates": {name: rate.to_json() for name, rate in self.rates.items()}}


@torch.no_grad()
def examine(critic: Critic, prompts: int = 1200, gallery: int = 100, resolution: int = 64, seed: int = 0) -> CriticReport:
    """All of it, over `prompts` pictures for each question, seen and held-out together, half in French and half in English.

    `gallery` is how many captions, or pictures, are searched at a time.
    """
    if not 2 <= gallery <= prompts:
        raise DalleEduError(
            f"galleries of {gallery} were asked for in an exam of {prompts} prompts; give 2 to {prompts}",
            f"des galeries de {gallery} sont demandées dans un examen de {prompts} phrases ; donnez de 2 à {prompts}",
        )
    rates = {}
    for kind in ("shape", "colour"):
        rates[f"zero-shot {kind}"] = zero_shot_rate(critic, kind, prompts, resolution, seed)
    found = [_search(critic, scenes, resolution, turn) for turn, scenes in enumerate(_galleries(prompts // gallery, gallery, seed))]
    for direction, hits in zip(("caption of picture", "picture of caption"), zip(*found, strict=True), strict=True):
        every = torch.cat(hits)
        rates[f"{direction}, top 1 of {gallery}"] = Rate(len(every), int(every.sum()))
    scenes = _scenes(prompts, seed)
    seen = _looked_at(critic, scenes, resolution)
    said = [caption(scene.description, LANGUAGES[i % 2], phrasing=i) for i, scene in enumerate(scenes)]
    for change in CHANGES:
        rates[f"prefers the right one: {change}"] = preference(critic, seen, said, change)
    return CriticReport(critic.title, seed, rates)


# ---------------------------------------------------------------- classes


def lone_objects(n: int, seed: int = 0) -> list[Scene]:
    """Scenes of one object each."""
    return [sample_scene(_SERIES + seed, index, _split(index), kinds={"single": 1.0}) for index in range(n)]


def class_names(kind: str, catalogue: Catalogue = SHAPES) -> list[list[str]]:
    """For each shape or colour, sentences that say it and leave the other open, or name them all, in both languages."""
    shapes, colours = ([thing.name for thing in things] for things in (catalogue.shapes, catalogue.colours))
    if kind == "shape":
        described = [[Mention(shape)] for shape in shapes]
    else:
        described = [[Mention(shape, colour) for shape in shapes] for colour in colours]
    return [
        [phrasings(Description((mention,)), language, catalogue)[0] for mention in mentions for language in LANGUAGES]
        for mentions in described
    ]


def zero_shot_rate(critic: Critic, kind: str, prompts: int, resolution: int = 64, seed: int = 0) -> Rate:
    """How often a lone object's shape or colour is named right."""
    scenes = lone_objects(prompts, seed)
    names = [thing.name for thing in (SHAPES.shapes if kind == "shape" else SHAPES.colours)]
    truth = torch.tensor([names.index(getattr(scene.objects[0], kind)) for scene in scenes])
    classes = critic.classes(class_names(kind)).cpu()
    chosen = (_looked_at(critic, scenes, resolution) @ classes.T).argmax(dim=1)
    return Rate(len(scenes), int((chosen == truth).sum()))


# ---------------------------------------------------------------- search


def distinct_scenes(n: int, seed: int = 0) -> list[Scene]:
    """Scenes of which each one's caption is true of its own picture alone: otherwise a right answer would count as wrong."""
    chosen: list[Scene] = []
    index = 0
    while len(chosen) < n:
        scene = sample_scene(_SERIES + 1 + seed, index, _split(index))
        index += 1
        if not any(true_of(scene.description, other) or true_of(other.description, scene) for other in chosen):
            chosen.append(scene)
        if index > 1000 * n:
            raise DalleEduError(
                f"this world has no {n} scenes whose captions exclude each other; ask for fewer",
                f"ce monde n'a pas {n} scènes dont les légendes s'excluent ; demandez-en moins",
            )
    return chosen


def true_of(description: Description, scene: Scene) -> bool:
    """Whether a picture shows all that is said and no object more. (The examiner's marks ask less: of what is left half open, nothing.)"""
    expected = description.mentions * description.count if len(description.mentions) == 1 else description.mentions
    if len(expected) != len(scene.objects):
        return False
    return any(
        all(_fits(mention, thing) for mention, thing in zip(expected, order, strict=True))
        and (description.relation is None or relation_between(order[0], order[1]) == description.relation)
        for order in permutations(scene.objects)
    )


def _fits(mention: Mention, thing: Object) -> bool:
    return mention.shape == thing.shape and mention.colour in (None, thing.colour) and mention.size in (None, thing.size)


def _galleries(number: int, size: int, seed: int) -> list[list[Scene]]:
    return [distinct_scenes(size, seed=10_007 * seed + turn) for turn in range(number)]


def _search(critic: Critic, scenes: Sequence[Scene], resolution: int, turn: int) -> tuple[Bool[Tensor, " n"], Bool[Tensor, " n"]]:
    language = LANGUAGES[turn % 2]
    captions = [caption(scene.description, language, phrasing=i) for i, scene in enumerate(scenes)]
    scores = _looked_at(critic, scenes, resolution) @ critic.encode_texts(captions).cpu().T
    own = torch.arange(len(scenes))
    return scores.argmax(dim=1) == own, scores.argmax(dim=0) == own


# ---------------------------------------------------------------- one thing wrong


def preference(critic: Critic, seen: Float[Tensor, "n e"], captions: Sequence[str], change: str) -> Rate:
    """How often a picture's own caption scores above the same one with `change` made, where it can be made."""
    wrong = [contradict(text, (0.0, (i * 0.618) % 1, (i * 0.755) % 1), change) for i, text in enumerate(captions)]
    asked = ~compatible(claims(captions), claims(wrong)).diagonal()
    right, others = (critic.encode_texts(texts).cpu() for texts in (captions, wrong))
    preferred = (seen * right).sum(dim=1) > (seen * others).sum(dim=1)
    return Rate(int(asked.sum()), int((preferred & asked).sum()))


def _scenes(n: int, seed: int) -> list[Scene]:
    return [sample_scene(_SERIES + 2 + seed, index, _split(index)) for index in range(n)]


def _split(index: int) -> str:
    return "held_out" if index % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 else "seen"


def _looked_at(critic: Critic, scenes: Sequence[Scene], resolution: int) -> Float[Tensor, "n e"]:
    images = render(scenes, resolution)
    device = critic.scale.device
    return torch.cat([critic.encode_images(part.to(device)).cpu() for part in images.split(256)])
