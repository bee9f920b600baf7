"""The examiner examined: how often it is right on pictures whose scene is known, and how it bears shuffling, noise and blur.

`python -m dalle_edu.scorecard.examined` writes the table to `data/examiner.md`; the tests make it again and compare.
"""

import random
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.files import write_aside
from dalle_edu.scorecard.exam import questions
from dalle_edu.scorecard.marks import SKILLS, mark, tally
from dalle_edu.scorecard.reader import read_pictures
from dalle_edu.world.renderer import render

TABLE = Path(__file__).parents[2] / "data" / "examiner.md"
PROMPTS = 1200


def noisy(sigma: float) -> Callable[[Tensor], Tensor]:
    """White noise of standard deviation `sigma`, for pictures in [-1, 1]."""
    return lambda images: images + sigma * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))


def blurred(sigma: float) -> Callable[[Tensor], Tensor]:
    """A Gaussian blur of `sigma` pixels."""

    def blur(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        reach = int(3 * sigma + 1)
        kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
        kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
        padded = torch.nn.functional.pad(images, (reach, reach, reach, reach), mode="replicate")
        across = torch.nn.functional.conv2d(padded, kernel, groups=3)
        return torch.nn.functional.conv2d(across, kernel.transpose(2, 3), groups=3)

    return blur


CONDITIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ground truth": lambda images: images,
    "noise 0.1": noisy(0.1),
    "noise 0.2": noisy(0.2),
    "noise 0.4": noisy(0.4),
    "blur 0.5 px": blurred(0.5),
    "blur 1 px": blurred(1.0),
    "blur 2 px": blurred(2.0),
}


def examine_examiner(resolution: int, prompts: int = PROMPTS) -> dict[str, dict[str, float]]:
    """The rate of each skill under each condition, and on ground truth whose captions were shuffled."""
    asked = questions(prompts, seed=5)
    images = render([question.scene for question in asked], resolution)
    rates = {}
    for condition, change in CONDITIONS.items():
        found = read_pictures(change(images))
        rates[condition] = _rates([mark(q.scene.description, objects) for q, objects in zip(asked, found, strict=True)])
        if condition == "ground truth":
            others = list(found)
            random.Random(0).shuffle(others)
            shuffled = [mark(q.scene.description, objects) for q, objects in zip(asked, others, strict=True)]
            rates["captions shuffled"] = _rates(shuffled)
    return rates


def _rates(marks: list[dict[str, bool]]) -> dict[str, float]:
    return {skill: rate.correct / rate.n for skill, rate in tally(marks).items()}


def table(prompts: int = PROMPTS) -> str:
    """The rates in percent, as Markdown."""
    lines = [
        "# The examiner, examined",
        "",
        f"Rate at which each skill is marked right, in percent, over {prompts} captions, French and English, seen and held-out.",
        "Noise is white, its standard deviation given for pictures in [-1, 1]; blur is Gaussian.",
        "On shuffled captions a low rate is the right answer.",
        "",
        "| pixels | pictures | " + " | ".join(SKILLS) + " |",
        "|---|---|" + "---:|" * len(SKILLS),
    ]
    for resolution in (32, 64):
        for condition, rates in examine_examiner(resolution, prompts).items():
            lines.append(f"| {resolution} | {condition} | " + " | ".join(f"{100 * rates[skill]:.1f}" for skill in SKILLS) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    contents = table().encode()
    write_aside(TABLE, lambda file: file.write(contents))
