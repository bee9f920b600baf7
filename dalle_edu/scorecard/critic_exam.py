"""The exam of critics: what a CLIP recognises of the world, on scenes that training never showed.

It has three parts. Zero-shot classification names the shape and the colour of an object. Retrieval finds captions and pictures in galleries
where each caption is true of one picture alone. Hard negatives test whether a caption is preferred to the same one with one fact wrong.

Letters: n pictures, e channels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.exam import HELD_OUT_EVERY, numbers
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.hard_negatives.attributes import caption_attributes, compatible
from dalle_edu.systems.hard_negatives.negatives import CHANGES, hard_negative
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.domain import catalogue_of
from dalle_edu.world.grammar import caption, phrasings
from dalle_edu.world.held_out import is_held_out
from dalle_edu.world.renderer import render
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Description, Mention, Object, Scene, relation_between

_SERIES = 2_000_003  # other scenes than in training and in the systems' exam
QUESTION_NAMES = {
    "fr": {
        "zero_shot_shape": "nomme la forme", "zero_shot_colour": "nomme la couleur",
        "caption_of_picture": "trouve la légende", "picture_of_caption": "trouve l'image",
        "not_opposite": "à gauche ou à droite", "not_across": "à côté ou au-dessus", "not_colours_swapped": "couleurs échangées",
        "not_shapes_swapped": "formes échangées", "not_number": "un autre nombre", "not_shape": "une autre forme",
        "not_colour": "une autre couleur", "not_size": "une autre taille",
    },
    "en": {
        "zero_shot_shape": "names the shape", "zero_shot_colour": "names the colour",
        "caption_of_picture": "finds the caption", "picture_of_caption": "finds the picture",
        "not_opposite": "left or right", "not_across": "beside or above", "not_colours_swapped": "colours swapped",
        "not_shapes_swapped": "shapes swapped", "not_number": "another number", "not_shape": "another shape",
        "not_colour": "another colour", "not_size": "another size",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """Whether a critic was right on one question, with the split of its scene, "seen" or "held_out", and its language."""

    right: bool
    split: str
    language: str


@dataclass(frozen=True)
class CriticReport:
    """The answers of a critic to each question; `gallery` is the number of captions, or pictures, searched at a time."""

    critic: str
    seed: int
    gallery: int
    answers: dict[str, list[Answer]]
    catalogue: Catalogue = SHAPES

    def rates(self, language: str | None = None, split: str | None = None) -> dict[str, Rate]:
        """The rate of each question over all answers, or over those in one language, of one split, or both."""
        rates = {}
        for question, answers in self.answers.items():
            chosen = [answer.right for answer in answers if language in (None, answer.language) and split in (None, answer.split)]
            rates[question] = Rate(len(chosen), sum(chosen))
        return rates

    def to_json(self) -> dict[str, Any]:
        """The report as JSON: the rates of all questions together, by language and by split."""

        def section(**part: str) -> dict[str, Any]:
            return {question: rate.to_json() for question, rate in self.rates(**part).items()}

        return {
            "system": self.critic,
            **numbers(self.catalogue),
            "seed": self.seed,
            "gallery": self.gallery,
            "questions": section(),
            "languages": {language: section(language=language) for language in LANGUAGES},
            "splits": {split: section(split=split) for split in ("seen", "held_out")},
        }

    def save(self, path: str | Path) -> None:
        """Write the report as a JSON file, atomically."""
        text = json.dumps(self.to_json(), indent=2) + "\n"
        write_aside(path, lambda file: file.write(text.encode()))


@torch.no_grad()
def examine_critic(critic: Critic, prompts: int = 1200, gallery: int = 100, resolution: int = 64, seed: int = 0) -> CriticReport:
    """Ask a critic all questions, each over `prompts` pictures; every other one in French, every fourth on a held-out combination.

    `gallery` is the number of captions, or pictures, searched at a time. `resolution` is the side of the pictures in pixels. Raises
    `DalleEduError` unless `prompts` is 2 to 100000 and `gallery` 2 to `prompts`, and for what is no seed.
    """
    if not 2 <= prompts <= 100_000:
        raise DalleEduError(
            f"the exam was asked for with prompts={prompts}; it takes 2 to 100000",
            f"l'examen est demandé avec prompts={prompts} ; il en prend de 2 à 100000",
        )
    if not 2 <= gallery <= prompts:
        raise DalleEduError(
            f"galleries of {gallery} were asked for in an exam of {prompts} prompts; a gallery has from 2 to all of them",
            f"des galeries de {gallery} sont demandées dans un examen de {prompts} phrases ; une galerie en a de 2 à toutes",
        )
    seed, catalogue = check_seed(seed), catalogue_of(critic)
    answers: dict[str, list[Answer]] = {}
    for kind in ("shape", "colour"):
        answers[f"zero_shot_{kind}"] = _named(critic, kind, lone_objects(prompts, seed, catalogue), resolution)
    galleries = [distinct_scenes(gallery, 10_007 * seed + turn, catalogue) for turn in range(prompts // gallery)]
    found = [_found(critic, scenes, turn, resolution) for turn, scenes in enumerate(galleries)]
    answers["caption_of_picture"] = [answer for by_picture, _ in found for answer in by_picture]
    answers["picture_of_caption"] = [answer for _, by_caption in found for answer in by_caption]
    scenes = _scenes(prompts, seed + 2, catalogue)
    seen = _looked_at(critic, scenes, resolution)
    said = [caption(scene.description, LANGUAGES[i % 2], i, catalogue) for i, scene in enumerate(scenes)]
    for change in CHANGES:
        answers[f"not_{change}"] = _preferred(critic, scenes, seen, said, change)
    return CriticReport(critic.title, seed, gallery, answers, catalogue)


def _answers(critic: Critic, right: Bool[Tensor, " n"], scenes: Sequence[Scene], languages: Sequence[str]) -> list[Answer]:
    catalogue = catalogue_of(critic)
    splits = ["held_out" if is_held_out(scene.objects, catalogue) else "seen" for scene in scenes]
    return [Answer(*each) for each in zip(right.tolist(), splits, languages, strict=True)]


def _scenes(n: int, seed: int, catalogue: Catalogue, **kinds: float) -> list[Scene]:
    every = HELD_OUT_EVERY if catalogue.held_out_objects or catalogue.held_out_relations else n + 1
    splits = ["held_out" if index % every == every - 1 else "seen" for index in range(n)]
    chosen: Any = {"kinds": kinds} if kinds else {}
    return [sample_scene((_SERIES + seed) % SEEDS, index, split, catalogue, **chosen) for index, split in enumerate(splits)]


def _looked_at(critic: Critic, scenes: Sequence[Scene], resolution: int) -> Float[Tensor, "n e"]:
    images, device = render(scenes, resolution, catalogue=catalogue_of(critic)), critic.scale.device
    return torch.cat([critic.encode_images(part.to(device)).cpu() for part in images.split(256)])


# ---------------------------------------------------------------- zero-shot classification


def lone_objects(n: int, seed: int = 0, catalogue: Catalogue = SHAPES) -> list[Scene]:
    """`n` scenes of one object each, a quarter of them held out."""
    return _scenes(n, seed, catalogue, single=1.0)


def class_names(kind: str, language: str, catalogue: Catalogue = SHAPES) -> list[list[str]]:
    """The sentences of each class, for zero-shot classification by ensembles of prompts.

    `kind` is "shape" or "colour". A shape has one sentence, without colour. A colour has one sentence with every shape.
    """
    shapes, colours = ([thing.name for thing in things] for things in (catalogue.shapes, catalogue.colours))
    if kind == "shape":
        described = [[Mention(shape)] for shape in shapes]
    else:
        described = [[Mention(shape, colour) for shape in shapes] for colour in colours]
    return [[phrasings(Description((mention,)), language, catalogue)[0] for mention in mentions] for mentions in described]


def _named(critic: Critic, kind: str, scenes: list[Scene], resolution: int) -> list[Answer]:
    """Whether zero-shot classification names the shape, or the colour, of each lone object."""
    catalogue = catalogue_of(critic)
    names = [thing.name for thing in (catalogue.shapes if kind == "shape" else catalogue.colours)]
    truth = torch.tensor([names.index(getattr(scene.objects[0], kind)) for scene in scenes])
    seen = _looked_at(critic, scenes, resolution)
    right = torch.zeros(len(scenes), dtype=torch.bool)
    for place, language in enumerate(LANGUAGES):
        chosen = (seen @ critic.classes(class_names(kind, language, catalogue)).cpu().T).argmax(dim=1)
        right[place::2] = (chosen == truth)[place::2]
    return _answers(critic, right, scenes, [LANGUAGES[i % 2] for i in range(len(scenes))])


# ---------------------------------------------------------------- retrieval


def distinct_scenes(n: int, seed: int = 0, catalogue: Catalogue = SHAPES) -> list[Scene]:
    """`n` scenes for a gallery, where each caption is true of its own picture alone, so that no right answer counts as wrong.

    Raises `DalleEduError` where the world has fewer such scenes.
    """
    chosen: list[Scene] = []
    candidates = iter(_scenes(50 * n, seed + 1, catalogue))
    while len(chosen) < n:
        scene = next(candidates, None)
        if scene is None:
            raise DalleEduError(
                f"this world has no {n} scenes whose captions exclude each other; ask for fewer",
                f"ce monde n'a pas {n} scènes dont les légendes s'excluent ; demandez-en moins",
            )
        if not any(true_of(scene.description, other) or true_of(other.description, scene) for other in chosen):
            chosen.append(scene)
    return chosen


def true_of(description: Description, scene: Scene) -> bool:
    """Whether a picture shows all that a description says, and no other object.

    `marks.mark` asks less: for instance, it does not mark colours where the caption gives the colour of one object alone.
    """
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


def _found(critic: Critic, scenes: list[Scene], turn: int, resolution: int) -> tuple[list[Answer], list[Answer]]:
    """Retrieval in a gallery: whether each picture finds its caption, and each caption its picture."""
    language = LANGUAGES[turn % 2]
    captions = [caption(scene.description, language, i, catalogue_of(critic)) for i, scene in enumerate(scenes)]
    scores = _looked_at(critic, scenes, resolution) @ critic.encode_texts(captions).cpu().T
    own, languages = torch.arange(len(scenes)), [language] * len(scenes)
    by_picture, by_caption = (_answers(critic, scores.argmax(dim=dim) == own, scenes, languages) for dim in (1, 0))
    return by_picture, by_caption


# ---------------------------------------------------------------- hard negatives


def _preferred(critic: Critic, scenes: list[Scene], seen: Float[Tensor, "n e"], captions: Sequence[str], change: str) -> list[Answer]:
    """Whether each picture's caption scores above its hard negative by `change`; captions that allow none are left out."""
    catalogue = catalogue_of(critic)
    wrong = [hard_negative(text, (0.0, i * 0.618 % 1), change, catalogue) for i, text in enumerate(captions)]
    said, changed = (caption_attributes(texts, catalogue) for texts in (captions, wrong))
    asked = ~compatible(said, changed).diagonal()
    right, others = (critic.encode_texts(texts).cpu() for texts in (captions, wrong))
    preferred = (seen * right).sum(dim=1) > (seen * others).sum(dim=1)
    answers = _answers(critic, preferred, scenes, [LANGUAGES[i % 2] for i in range(len(scenes))])
    return [answer for answer, counts in zip(answers, asked.tolist(), strict=True) if counts]
