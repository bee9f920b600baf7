"""The exam of a record: its questions, what is marked, and the figures that follow.

The marks of a question are eight characters, one for each skill in the order of `SKILLS`: "1" right, "0" wrong, "." not asked. The mark of
a run is the mean of the rates of the eight skills over the questions whose scenes are of the split "seen".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.golf.rules import RESOLUTION
from dalle_edu.scorecard.exam import Question
from dalle_edu.scorecard.marks import SKILLS, mark, tally
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.world.renderer import lay_out, render

SPLITS = ("seen", "held_out")
Z = 1.959963984540054  # of a 95 % interval


def marked(asked: Sequence[Question], pictures: Float[Tensor, "n 3 h w"]) -> list[str]:
    """The marks of each question's picture, eight characters each."""
    found = parse_pictures(pictures)
    return [as_text(mark(question.scene.description, objects)) for question, objects in zip(asked, found, strict=True)]


def as_text(marks: dict[str, bool]) -> str:
    """The marks of a picture as eight characters."""
    return "".join(str(int(marks[skill])) if skill in marks else "." for skill in SKILLS)


def pattern(question: Question) -> str:
    """Which skills a question asks, as eight characters: "1" asked, "." not."""
    return as_text(mark(question.scene.description, question.scene.objects)).replace("0", "1")


def true_pictures(asked: Sequence[Question]) -> Float[Tensor, "n 3 h w"]:
    """The pictures of the questions' own scenes."""
    return render(lay_out([question.scene for question in asked]), RESOLUTION)


def chance(asked: Sequence[Question]) -> float:
    """What guessing gets: the mark where each question is given the true picture of another, half the exam away."""
    half = len(asked) // 2
    return mark_of(asked, marked(asked, true_pictures(asked).roll(half, dims=0)))


def mark_of(asked: Sequence[Question], marks: Sequence[str], split: str | None = None) -> float:
    """The mean over the eight skills of their rates, over all questions or those of a split. A skill that nobody asked has the rate 0."""
    rates = [entry["correct"] / max(1, entry["n"]) for entry in skills(asked, marks, split).values()]
    return sum(rates) / len(rates)


def skills(asked: Sequence[Question], marks: Sequence[str], split: str | None = None) -> dict[str, dict[str, int]]:
    """For each skill how many questions asked it, and how many pictures were right."""
    chosen = [
        {skill: letter == "1" for skill, letter in zip(SKILLS, text, strict=True) if letter != "."}
        for question, text in zip(asked, marks, strict=True)
        if split in (None, question.split)
    ]
    return {skill: {"n": rate.n, "correct": rate.correct} for skill, rate in tally(chosen).items()}


def variance(asked: Sequence[Question], marks: Sequence[str], split: str = "seen") -> float:
    """The variance of `mark_of` that comes of which questions were asked.

    A picture counts for several skills, and a scene is asked in two languages: the eight rates are not independent. So each scene's share
    in the mark's deviation is summed over its skills and languages first (the linearised variance of a mean of ratios, by clusters).
    """
    counts = skills(asked, marks, split)
    rates = {skill: entry["correct"] / max(1, entry["n"]) for skill, entry in counts.items()}
    shares: dict[int, float] = {}
    for number, (question, text) in enumerate(zip(asked, marks, strict=True)):
        if question.split == split:
            share = sum(
                ((letter == "1") - rates[skill]) / counts[skill]["n"] for skill, letter in zip(SKILLS, text, strict=True) if letter != "."
            )
            shares[number // 2] = shares.get(number // 2, 0.0) + share / len(SKILLS)
    return sum(share**2 for share in shares.values())


@dataclass(frozen=True)
class Figure:
    """The mark of a record: the mean over its seeds, the variance of that mean, and the standard deviation between seeds."""

    mean: float
    variance: float
    spread: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean."""
        half = Z * math.sqrt(self.variance)
        return max(0.0, self.mean - half), min(1.0, self.mean + half)


def figure(marks: Sequence[float], variances: Sequence[float]) -> Figure:
    """The figure of runs, from the mark of each and the variance that its questions give it.

    Seeds differ by their questions and by their weights, so the variance of the mean is at least that of the questions, and at least
    what the spread of the seeds says.
    """
    count, mean = len(marks), sum(marks) / len(marks)
    spread = math.sqrt(sum((each - mean) ** 2 for each in marks) / (count - 1)) if count > 1 else 0.0
    return Figure(mean, max(sum(variances) / count**2, spread**2 / count), spread)


def stands(record: Figure, again: float, again_variance: float) -> bool:
    """Whether a new run's mark is no lower than the record's by more than chance allows: the widths of both intervals together."""
    return again >= record.mean - Z * math.sqrt(record.variance + max(again_variance, record.spread**2))


def shuffled_within(tensors: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """The entries of each tensor in another order: as many numbers of the same sizes, and nothing that was learned."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: value.flatten()[torch.randperm(value.numel(), generator=generator)].reshape(value.shape) for name, value in tensors.items()
    }
