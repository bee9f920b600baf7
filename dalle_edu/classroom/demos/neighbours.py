"""Which word stands before the marked one? A GPT of one layer, with and without layers that hand over the word before."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.language import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS, LENGTH, MARK, BATCH, ASKED = 24, 12, 1, 64, 512
COLOURS = ("#0072B2", "#D55E00", "#009E73")  # Okabe & Ito
MARKERS = ("o", "s", "^")


def sentences(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sentences of random words, one of which is the mark, and the word before it as a picture of one code."""
    words = torch.randint(2, WORDS, (count, LENGTH), generator=generator)
    place = torch.randint(1, LENGTH, (count, 1), generator=generator)
    return words.scatter(1, place, MARK), words.gather(1, place - 1)


def learned(config: GPTConfig, steps: int, seed: int) -> list[tuple[int, float]]:
    """How much of an exam a network gets right, at some of the steps of its training."""
    torch.manual_seed(seed)
    model, generator = TextToImageGPT(config), torch.Generator().manual_seed(seed)
    learner, path = Learner(model, ("blocks",)), []
    text, before = sentences(ASKED, torch.Generator().manual_seed(seed + 1))
    for step in range(1, steps + 1):
        learner.step(model.loss(*sentences(BATCH, generator))["loss"], min(1.0, step / 20))
        if step % max(1, steps // 20) == 0:
            with torch.no_grad():
                path.append((step, float((model(text, before)[1].argmax(dim=-1) == before).float().mean())))
    return path


def demo(seed: int = 0, steps: int = 500) -> Demo:
    """Train the three networks, each from nothing, on the same sentences."""
    started = time.process_time()
    alone = GPTConfig(text_vocabulary=WORDS, text_length=LENGTH, num_codes=WORDS, grid=1, width=48, depth=1, heads=2)
    kinds = {
        say("attention alone", "l'attention seule"): alone,
        "smear": replace(alone, smear=True),
        "canon": replace(alone, canon_taps=3),
    }
    paths = {kind: learned(config, steps, seed) for kind, config in kinds.items()}
    right, smear, canon = (path[-1][1] for path in paths.values())
    numbers = {"steps": float(steps), "alone": right, "smear": smear, "canon": canon, "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(paths),
        numbers,
        f"Asked for the word before the mark, one layer is right {right:.0%} of the time by attention alone, {smear:.0%} with smear and "
        f"{canon:.0%} with canon.",
        f"Pour trouver le mot d'avant la marque, une couche a raison {100 * right:.0f} % du temps par l'attention seule, "
        f"{100 * smear:.0f} % avec smear et {100 * canon:.0f} % avec canon.",
    )


def _figure(paths: dict[str, list[tuple[int, float]]]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for colour, marker, (kind, path) in zip(COLOURS, MARKERS, paths.items(), strict=True):
        seen = zip(*((step, 100 * right) for step, right in path), strict=True)
        axes.plot(*seen, color=colour, marker=marker, linewidth=2, label=kind)
    axes.set(xlabel=say("step", "pas"), ylabel=say("right answers, in %", "bonnes réponses, en %"), ylim=(0, 104))
    axes.set_title(say("Which word stands before the marked one?", "Quel mot précède le mot marqué ?"))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure
