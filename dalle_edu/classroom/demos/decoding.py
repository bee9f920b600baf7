"""Eight ways to sample the next code from one network: temperature, filters and guidance, marked by the examiner."""

import time
from typing import TYPE_CHECKING, Any

import torch

from dalle_edu.classroom.demo import Demo
from dalle_edu.language import say

SHOWS = ("guidance", "decoding")

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SENTENCE = {"fr": "une grande étoile verte au-dessus d'un petit anneau rose", "en": "a large green star above a small pink ring"}
SHOWN, MARKED = 6, 64
WAYS: dict[str, dict[str, Any]] = {
    "temperature 0": {"temperature": 0.0, "guidance_scale": 1.0},
    "temperature 0.5": {"temperature": 0.5, "guidance_scale": 1.0},
    "temperature 1": {"temperature": 1.0, "guidance_scale": 1.0},
    "temperature 2": {"temperature": 2.0, "guidance_scale": 1.0},
    "temperature 1, top-k 8": {"temperature": 1.0, "guidance_scale": 1.0, "top_k": 8},
    "temperature 1, top-p 0.9": {"temperature": 1.0, "guidance_scale": 1.0, "top_p": 0.9},
    "temperature 1, guidance 2": {"temperature": 1.0, "guidance_scale": 2.0},
    "temperature 1, guidance 6": {"temperature": 1.0, "guidance_scale": 6.0},
}


def demo(seed: int = 0, marked: int = MARKED) -> Demo:
    """Draw with the weights that come with the package; nothing is trained."""
    import dalle_edu
    from dalle_edu.scorecard import mark, parse_pictures
    from dalle_edu.world import read_caption

    started = time.process_time()
    machine = dalle_edu.load("dalle1")
    sentence = say(SENTENCE["en"], SENTENCE["fr"])
    description = read_caption(sentence)
    assert description is not None
    pictures, numbers = {}, {}
    for way, options in WAYS.items():
        drawn = machine.generate([sentence] * marked, seed=seed, **options)
        marks = [mark(description, objects) for objects in parse_pictures(drawn)]
        pictures[way] = drawn[:SHOWN]
        numbers[way] = sum(all(each.values()) for each in marks) / len(marks)
    best = max(numbers, key=numbers.__getitem__)
    numbers["cpu_seconds"] = time.process_time() - started
    return Demo(
        _figure(pictures, numbers),
        numbers,
        f"Best here: {best} ({numbers[best]:.0%} all right); temperature 0 has one picture to give, temperature 2 none.",
        f"Le mieux ici : {_in_french(best)} ({100 * numbers[best]:.0f} % tout justes) ; à 0 une seule image, à 2 aucune.",
    )


def _in_french(way: str) -> str:
    return way.replace("temperature", "température").replace("guidance", "guidage").replace("0.", "0,")


def _figure(pictures: dict[str, torch.Tensor], numbers: dict[str, float]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 12), layout="constrained")
    figure.suptitle(say(SENTENCE["en"], SENTENCE["fr"]), fontsize=13)
    for row, (way, drawn) in zip(figure.subplots(len(pictures), SHOWN), pictures.items(), strict=True):
        for axes, picture in zip(row, drawn, strict=True):
            axes.imshow((picture.permute(1, 2, 0) + 1) / 2)
            axes.set(xticks=[], yticks=[])
        right = say(f"{way}\n{numbers[way]:.0%} right", f"{_in_french(way)}\n{100 * numbers[way]:.0f} % justes")
        row[0].set_ylabel(right.replace(", ", ",\n", 1), rotation=0, ha="right", va="center", fontsize=11)
    return figure
