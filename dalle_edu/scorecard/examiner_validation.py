"""The validation of the examiner: how often it is right on pictures whose scene is known, with shuffled captions, noise and blur.

`python -m dalle_edu.scorecard.examiner_validation` writes the table to `data/examiner.md` and, in French, `data/examiner.fr.md`. The tests
measure it again and compare.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.files import write_aside
from dalle_edu.scorecard.exam import questions
from dalle_edu.scorecard.marks import SKILL_NAMES, SKILLS, mark, tally
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.world.renderer import render

_DATA = Path(__file__).parents[2] / "data"
TABLES = {"en": _DATA / "examiner.md", "fr": _DATA / "examiner.fr.md"}
PROMPTS = 1200
RESOLUTIONS = (32, 64, 128)


def noisy(sigma: float) -> Callable[[Tensor], Tensor]:
    """A function that adds white Gaussian noise of standard deviation `sigma` to pictures in [-1, 1]; the seed is fixed."""
    return lambda images: images + sigma * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))


def blurred(sigma: float) -> Callable[[Tensor], Tensor]:
    """A function that blurs pictures by a Gaussian of standard deviation `sigma` pixels, cut beyond three of them."""

    def blur(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        from torchvision.transforms.functional import gaussian_blur

        return gaussian_blur(images, 2 * int(3 * sigma + 1) + 1, sigma)

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


def validate_examiner(
    resolution: int, prompts: int = PROMPTS, conditions: Sequence[str] = tuple(CONDITIONS)
) -> dict[str, dict[str, float]]:
    """The rate of each skill, in [0, 1], under each condition, which names an entry of `CONDITIONS`.

    "ground truth" also gives "captions shuffled": the same pictures marked against the captions of others.
    """
    asked = questions(prompts, seed=5)
    images = render([question.scene for question in asked], resolution)
    rates = {}
    for condition in conditions:
        found = parse_pictures(CONDITIONS[condition](images))
        rates[condition] = _rates([mark(q.scene.description, objects) for q, objects in zip(asked, found, strict=True)])
        if condition == "ground truth":
            others = list(found)
            random.Random(0).shuffle(others)
            shuffled = [mark(q.scene.description, objects) for q, objects in zip(asked, others, strict=True)]
            rates["captions shuffled"] = _rates(shuffled)
    return rates


def _rates(marks: list[dict[str, bool]]) -> dict[str, float]:
    return {skill: rate.correct / rate.n for skill, rate in tally(marks).items()}


_OPENING = {
    "en": (
        "# The examiner, examined",
        "",
        "Rate at which each skill is marked right, in percent, over {} captions, French and English, seen and held-out.",
        "Noise is white, its standard deviation given for pictures in [-1, 1]; blur is Gaussian.",
        "On shuffled captions a low rate is the right answer.",
    ),
    "fr": (
        "# L'examinateur examiné",
        "",
        "Part des images où chaque compétence est jugée juste, en pour cent, sur {} légendes, françaises et anglaises, vues et réservées.",
        "Le bruit est blanc, son écart type donné pour des images dans [-1, 1] ; le flou est gaussien.",
        "Sur des légendes mélangées, un taux bas est la bonne réponse.",
    ),
}
_COLUMNS = {"en": ("pixels", "pictures"), "fr": ("pixels", "images")}
_WORDS = {"ground truth": "vérité", "captions shuffled": "légendes mélangées", "noise": "bruit", "blur": "flou", ".": ","}


def tables(rates: Mapping[int, Mapping[str, Mapping[str, float]]], prompts: int) -> dict[str, str]:
    """The table of the examiner in Markdown, by language. `rates`, in [0, 1], are by resolution, condition and skill."""
    made = {}
    for language, opening in _OPENING.items():
        cells = [[*_COLUMNS[language], *SKILL_NAMES[language].values()], ["---", "---", *["---:"] * len(SKILLS)]]
        for resolution, conditions in rates.items():
            for condition, found in conditions.items():
                row = [str(resolution), condition, *(f"{100 * found[skill]:.1f}" for skill in SKILLS)]
                cells.append(row if language == "en" else [_in_french(cell) for cell in row])
        lines = [*opening, "", *("| " + " | ".join(row) + " |" for row in cells)]
        made[language] = "\n".join(lines).format(prompts) + "\n"
    return made


def _in_french(cell: str) -> str:
    for english, french in _WORDS.items():
        cell = cell.replace(english, french)
    return cell


if __name__ == "__main__":
    rates = {resolution: validate_examiner(resolution) for resolution in RESOLUTIONS}
    for language, table in tables(rates, PROMPTS).items():
        write_aside(TABLES[language], lambda file, table=table: file.write(table.encode()))  # type: ignore[misc]
