"""Exams along the way ("looks"): what a system can already draw, or tell apart, at some moments of each stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from dalle_edu.datasets.source import Batch, Source
from dalle_edu.scorecard import Question, mark, parse_pictures, questions
from dalle_edu.scorecard.marks import tally
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world import Catalogue, picture_sheet, render, save_picture

LOOKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # parts of a stage after which it is examined
_TOGETHER = 64  # pictures previewed at a time


@runtime_checkable
class Exam(Protocol):
    """True pictures and prompts that training never shows, and what can be said of pictures that are drawn for them."""

    @property
    def texts(self) -> Sequence[str]:
        """The prompts."""

    def images(self, resolution: int, device: torch.device) -> Tensor:
        """The true pictures, (n, 3, resolution, resolution) in [-1, 1]."""

    def measured(self, system: Trainable, stage: str, images: Tensor) -> dict[str, Any]:
        """What is measured of a stage without drawing."""

    def marked(self, drawn: Tensor) -> dict[str, Any]:
        """What is said of pictures drawn for the prompts."""


class WorldExam:
    """Scenes of a catalogue, whose pictures the examiner marks."""

    def __init__(self, asked: Sequence[Question], catalogue: Catalogue):
        self.scenes, self.texts = [question.scene for question in asked], [question.text for question in asked]
        self.catalogue = catalogue

    def images(self, resolution: int, device: torch.device) -> Tensor:
        """The scenes, rendered."""
        return render(self.scenes, resolution, device, self.catalogue)

    def measured(self, system: Trainable, stage: str, images: Tensor) -> dict[str, Any]:
        """Nothing more than the system says of itself."""
        return {}

    def marked(self, drawn: Tensor) -> dict[str, Any]:
        """The rate of each skill under "skills", in [0, 1]."""
        found = parse_pictures(drawn, self.catalogue)
        marks = [mark(scene.description, objects) for scene, objects in zip(self.scenes, found, strict=True)]
        return {"skills": {skill: round(rate.correct / rate.n, 4) for skill, rate in tally(marks).items() if rate.n}}


class HeldOutExam:
    """Captioned pictures that training holds out: nobody but people can mark what is drawn for their captions."""

    def __init__(self, batch: Batch):
        self.batch, self.texts = batch, batch.captions

    def images(self, resolution: int, device: torch.device) -> Tensor:
        """The pictures, as the source has them."""
        return self.batch.images(resolution, device)

    def measured(self, system: Trainable, stage: str, images: Tensor) -> dict[str, Any]:
        """The loss of the stage on what is held out, under "held_out_loss"."""
        generator = torch.Generator(images.device).manual_seed(0)
        with torch.enable_grad():  # a VQGAN's loss weighs its terms by their gradients
            losses = system.loss(images[:_TOGETHER], self.texts[:_TOGETHER], stage=stage, generator=generator)
        return {"held_out_loss": round(float(losses["loss"].detach()), 4)}

    def marked(self, drawn: Tensor) -> dict[str, Any]:
        """Nothing."""
        return {}


def exam_of(source: Source, n: int) -> Exam | None:
    """An exam of at most `n` prompts of a source; of pictures that it trains on where it holds none out, and None where `n` is 0."""
    if not n:
        return None
    if source.domain.catalogue is not None:
        return WorldExam(questions(n, 7, source.domain.catalogue), source.domain.catalogue)
    batch = source.held_out(n)
    if not batch.captions:
        series = source.series(0)
        batch = series.collate([series[index] for index in range(min(n, source.size or n))])
    return HeldOutExam(batch)


@torch.no_grad()
@torch.compiler.set_stance("force_eager")  # compiling for another batch size takes longer than drawing so few pictures
def look(system: Trainable, stage: str, exam: Exam, sheet: Path, device: torch.device) -> dict[str, Any]:
    """The results of an exam in a stage: what `measure` returns, what the exam measures and, where `preview` draws, how it marks what is
    drawn. The first 16 pictures are written to `sheet`, a PNG.

    The system is in evaluation mode and on `device`.
    """
    texts = list(exam.texts)
    images = exam.images(system.resolution, device)
    starts = range(0, len(texts), _TOGETHER)
    seen: dict[str, Any] = {name: round(value, 4) for name, value in system.measure(stage, images, texts).items()}
    seen |= exam.measured(system, stage, images)
    previews = [system.preview(stage, images[i : i + _TOGETHER], texts[i : i + _TOGETHER], seed=i) for i in starts]
    drawn = torch.cat([preview for preview in previews if preview is not None] or [images[:0]])
    if len(drawn):
        seen |= exam.marked(drawn)
        save_picture(picture_sheet(drawn[:16], texts[:16]), sheet)
    return seen
