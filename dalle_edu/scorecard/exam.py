"""The exam of systems: a seeded series of captions, the pictures that a system generates for them, and the report of its marks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.progress_bar import progress_bar
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.marks import mark, tally
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.catalogue_files import world_of
from dalle_edu.world.domain import catalogue_of
from dalle_edu.world.grammar import caption
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Scene

_TOGETHER = 64  # pictures in a batch; a constant, since the random numbers of each depend on its place there
EXAM = 2  # the number of this exam: its questions, its skills and how they are judged (1 asked « une image d'un rond et un carré »)
HELD_OUT_EVERY = 4  # every fourth scene of an exam has a held-out combination


@runtime_checkable
class Draws(Protocol):
    """A system that can be examined: all that the exam needs of it."""

    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor:
        """Generate a picture for each prompt: (n, 3, h, h) in [-1, 1], with h of at least 16."""


@dataclass(frozen=True)
class Question:
    """A prompt `text` in `language`, with the scene whose description it says, and the split of that scene, "seen" or "held_out"."""

    scene: Scene
    text: str
    language: str
    split: str


def questions(n: int, seed: int = 0, catalogue: Catalogue = SHAPES) -> list[Question]:
    """`n` questions: each scene is asked in French, then in English, so that the two languages are compared on the same scenes. Of a
    catalogue that holds nothing out all are "seen".

    Raises `DalleEduError` unless `n` is 1 to 100000, and for what is no seed.
    """
    if not 1 <= n <= 100_000:
        raise DalleEduError(
            f"an exam of {n} prompts was asked for; it has 1 to 100000",
            f"un examen de {n} phrases est demandé ; il en a de 1 à 100000",
        )
    asked, seed, holds_out = [], check_seed(seed), bool(catalogue.held_out_objects or catalogue.held_out_relations)
    for i in range(n):
        index, language = i // len(LANGUAGES), LANGUAGES[i % len(LANGUAGES)]
        split = "held_out" if holds_out and index % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 else "seen"
        scene = sample_scene((1_000_003 + seed) % SEEDS, index, split, catalogue)
        asked.append(Question(scene, caption(scene.description, language, index, catalogue), language, split))
    return asked


def numbers(catalogue: Catalogue = SHAPES) -> dict[str, int | str]:
    """The numbers of today's world and exam, which stand in every report, card and table: those of different numbers do not compare. A
    catalogue of another world has a digest in place of a number.
    """
    return {"world": world_of(catalogue), "exam": EXAM}


@dataclass(frozen=True)
class Report:
    """The marks of a system: for each question asked, whether each skill that the question calls on was right."""

    system: str
    seed: int
    asked: Sequence[Question]
    marks: Sequence[dict[str, bool]]
    catalogue: Catalogue = SHAPES

    def rates(self, language: str | None = None, split: str | None = None) -> dict[str, Rate]:
        """The rate of each skill over all questions, or over those of one language, one split, or both."""
        chosen = [
            marks
            for question, marks in zip(self.asked, self.marks, strict=True)
            if language in (None, question.language) and split in (None, question.split)
        ]
        return tally(chosen)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON: the rates of all questions together, by language and by split."""

        def section(**part: str) -> dict[str, Any]:
            return {skill: rate.to_json() for skill, rate in self.rates(**part).items()}

        return {
            "system": self.system,
            **numbers(self.catalogue),
            "seed": self.seed,
            "prompts": len(self.asked),
            "skills": section(),
            "languages": {language: section(language=language) for language in LANGUAGES},
            "splits": {split: section(split=split) for split in ("seen", "held_out")},
        }

    def save(self, path: str | Path) -> None:
        """Write the report as a JSON file, atomically."""
        text = json.dumps(self.to_json(), indent=2) + "\n"
        write_aside(path, lambda file: file.write(text.encode()))


def score(
    system: Draws,
    name: str,
    prompts: int = 1024,
    seed: int = 0,
    progress: bool | None = None,
    **options: Any,
) -> Report:
    """Ask a system `prompts` questions and mark the picture that it generates for each.

    `name` is the system's name in the report. `options` go to `system.generate` (`guidance_scale`, `temperature`…). `progress` shows
    a bar: True, False, or None for one where somebody waits. The questions are of the catalogue that the system learned. Raises
    `DalleEduError` unless `prompts` is 1 to 100000, for what is no seed, and for a system that learned no catalogue.
    """
    return answer(system, name, questions(prompts, seed, catalogue_of(system)), seed, progress, **options)


def answer(system: Draws, name: str, asked: Sequence[Question], seed: int = 0, progress: bool | None = None, **options: Any) -> Report:
    """Ask a system given questions and mark its pictures, as `score` does.

    The random numbers of picture i depend on i and the seed alone, so that two wordings of a question are compared on the same noise.
    Raises `DalleEduError` for what is no seed, and for a system that learned no catalogue.
    """
    catalogue = catalogue_of(system)
    marks: list[dict[str, bool]] = []
    seed = check_seed(seed)
    with progress_bar(name, len(asked), progress) as bar:
        for start in range(0, len(asked), _TOGETHER):
            batch = asked[start : start + _TOGETHER]
            with torch.no_grad():
                images = system.generate([question.text for question in batch], seed=(seed * 1_000_003 + start) % SEEDS, **options)
            marks += [mark(q.scene.description, objects) for q, objects in zip(batch, parse_pictures(images, catalogue), strict=True)]
            bar.reach(len(marks))
    return Report(name, seed, asked, marks, catalogue)
