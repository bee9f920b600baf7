"""The study of the wording of prompts: its effect on the zero-shot accuracy of a critic and on the marks of a system.

A critic is asked by the bare word, by a sentence, with an opening, and by an ensemble (Radford et al. 2021, section 3.1.4, where "a photo
of a" in place of the bare word brings more than a point on ImageNet, and ensembles bring more). A system is given the same scenes with
each opening of the grammar, and with one that no training caption has.

    for result in study_prompts(critic): print(result.kind, result.language, result.wording, result.rate)
    for opening, report in study_openings(system).items(): print(opening, report.rates())
"""

from dataclasses import dataclass, replace
from typing import Any

import torch

from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.critic_exam import lone_objects
from dalle_edu.scorecard.exam import Draws, Report, answer, questions
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.domain import catalogue_of
from dalle_edu.world.grammar import PHRASEBOOKS, phrasings
from dalle_edu.world.renderer import render
from dalle_edu.world.scenes import Description, Mention

KINDS = ("shape", "colour")
WORDINGS = ("bare word", "plain", "picture of", "there is", "digit", "every template", "every companion", "everything")
OPENINGS = ("plain", "picture of", "there is", "never heard")
NEVER_HEARD = {"fr": "dessine ", "en": "draw "}


@dataclass(frozen=True)
class Wording:
    """The accuracy of zero-shot classification with one wording, and an example of its sentences."""

    kind: str
    language: str
    wording: str
    sentences: int  # in the ensemble of each class
    example: str
    rate: Rate


def sentences(kind: str, name: str, wording: str, language: str, catalogue: Catalogue = SHAPES) -> list[str]:
    """The sentences of a class for zero-shot classification: one, or an ensemble whose embeddings are averaged.

    `kind` is "shape" or "colour", `name` a name of the catalogue, and `wording` one of `WORDINGS`. "plain" is « un cercle », "a circle".
    "picture of" and "there is" put the grammar's openings before it. "digit" counts it: "1 circle". "every template" is all of these. A
    colour needs a noun, which is the first shape's. "every companion" asks with every shape, or for a shape with every colour.
    "everything" is every template with every companion.
    """
    if wording == "bare word":
        if kind == "shape":
            return [catalogue.shape(name).words[language].singular]
        return [catalogue.colour(name).words[language].masculine]
    if kind == "shape":
        alone, companions = Mention(name), [Mention(name, colour.name) for colour in catalogue.colours]
    else:
        companions = [Mention(shape.name, name) for shape in catalogue.shapes]
        alone = companions[0]
    asked = companions if wording.startswith("every") else [alone]
    every = [phrasings(Description((mention,)), language, catalogue) for mention in asked]
    each_opening = len(every[0]) // len(PHRASEBOOKS[language].openings)
    if wording == "every template":
        return phrasings(Description((alone,)), language, catalogue)
    if wording == "everything":
        return [text for ways in every for text in ways]
    place = {"plain": 0, "every companion": 0, "picture of": each_opening, "there is": 2 * each_opening, "digit": each_opening - 1}[wording]
    return [ways[place] for ways in every]


@torch.no_grad()
def study_prompts(critic: Critic, prompts: int = 400, resolution: int = 64, seed: int = 0) -> list[Wording]:
    """Zero-shot classification of the same `prompts` pictures with every wording, in both languages.

    `resolution` is the side of the pictures in pixels.
    """
    catalogue = catalogue_of(critic)
    scenes = lone_objects(prompts, seed, catalogue)
    images = render(scenes, resolution, catalogue=catalogue)
    seen = torch.cat([critic.encode_images(part.to(critic.scale.device)) for part in images.split(256)])
    results = []
    for kind in KINDS:
        names = [thing.name for thing in (catalogue.shapes if kind == "shape" else catalogue.colours)]
        truth = torch.tensor([names.index(getattr(scene.objects[0], kind)) for scene in scenes])
        for language in LANGUAGES:
            for wording in WORDINGS:
                asked = [sentences(kind, name, wording, language, catalogue) for name in names]
                chosen = (seen @ critic.classes(asked).T).argmax(dim=1).cpu()
                rate = Rate(len(scenes), int((chosen == truth).sum()))
                results.append(Wording(kind, language, wording, len(asked[0]), asked[0][0], rate))
    return results


def study_openings(
    system: Draws, name: str, prompts: int = 128, seed: int = 0, progress: bool | None = None, **options: Any
) -> dict[str, Report]:
    """The marks of a system with each opening of `OPENINGS`: the prompts and random numbers are the same, but for the opening.

    `options` go to `system.generate`. `progress` is as in `score`. Raises `DalleEduError` unless
    `prompts` is 1 to 100000.
    """
    catalogue = catalogue_of(system)
    asked = questions(prompts, seed, catalogue)
    reports = {}
    for place, opening in enumerate(OPENINGS):
        worded = []
        for question in asked:
            ways = phrasings(question.scene.description, question.language, catalogue)
            each_opening = len(ways) // len(PHRASEBOOKS[question.language].openings)
            text = NEVER_HEARD[question.language] + ways[0] if opening == "never heard" else ways[place * each_opening]
            worded.append(replace(question, text=text))
        reports[opening] = answer(system, name, worded, seed, progress, **options)
    return reports
