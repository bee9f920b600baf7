"""Four codes that must go together, drawn at once and one after the other: what a local model is for."""

import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.decoding import sample
from dalle_edu.bricks.local_model import LocalModel
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.language import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#F0E442", "#000000")  # Okabe & Ito
TOGETHER, WIDTH, BATCH, ASKED, SHOWN = 4, 32, 64, 1024, 12


class Stripes(nn.Module):
    """Logits for the codes of tokens of which nothing is known, by a local model that reads the codes before or reads none of them."""

    def __init__(self, reads: bool):
        super().__init__()
        self.reads, self.local = reads, LocalModel(WIDTH, len(COLOURS), TOGETHER)
        self.head = nn.Linear(WIDTH, len(COLOURS))

    def forward(self, codes: Tensor) -> Tensor:
        """The logits (n, 4, colours) of tokens (n, 4)."""
        codes = codes if self.reads else torch.zeros_like(codes)
        return self.head(self.local(torch.zeros(len(codes), 1, WIDTH), codes.unsqueeze(1))[:, 0])


def stripes(count: int, generator: torch.Generator) -> Tensor:
    """Tokens of two colours that take turns, as in a row of a striped picture."""
    two = torch.rand(count, len(COLOURS), generator=generator).argsort(dim=1)[:, :2]
    return two.repeat(1, TOGETHER // 2)


def learned(reads: bool, steps: int, seed: int) -> Stripes:
    """A network trained on stripes."""
    torch.manual_seed(seed)
    model, generator = Stripes(reads), torch.Generator().manual_seed(seed)
    learner = Learner(model, ("local.expand", "local.contract"))
    for step in range(1, steps + 1):
        codes = stripes(BATCH, generator)
        learner.step(F.cross_entropy(model(codes).flatten(0, 1), codes.flatten()), min(1.0, step / 20))
    return model


@torch.no_grad()
def drawn(model: Stripes, count: int, seed: int) -> Tensor:
    """Tokens (count, 4) that the network draws from left to right."""
    uniforms = torch.rand(count, TOGETHER, generator=torch.Generator().manual_seed(seed))
    codes = torch.zeros(count, TOGETHER, dtype=torch.long)
    for place in range(TOGETHER):
        codes[:, place] = sample(model(codes)[:, place], uniforms[:, place])
    return codes


def striped(codes: Tensor) -> Tensor:
    """Whether each token has two colours that take turns."""
    return (codes[:, :2] == codes[:, 2:]).all(dim=1) & (codes[:, 0] != codes[:, 1])


def demo(seed: int = 0, steps: int = 400) -> Demo:
    """Train both networks on the same stripes, and let each draw."""
    started = time.process_time()
    at_once, one_by_one = (drawn(learned(reads, steps, seed), ASKED, seed + 1) for reads in (False, True))
    independent, local = (float(striped(codes).float().mean()) for codes in (at_once, one_by_one))
    numbers = {"steps": float(steps), "at_once": independent, "one_by_one": local, "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(at_once, one_by_one),
        numbers,
        f"Drawn all at once, the four codes of a token are a striped row {independent:.0%} of the time; drawn one after the other by a "
        f"local model, {local:.0%}.",
        f"Tirés d'un coup, les quatre codes d'un jeton font une ligne rayée dans {100 * independent:.0f} % des cas ; écrits l'un après "
        f"l'autre par un modèle local, dans {100 * local:.0f} %.",
    )


def _figure(at_once: Tensor, one_by_one: Tensor) -> "Figure":
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(8, 4), layout=ConstrainedLayoutEngine(wspace=0.12))
    titles = say("all at once", "tous d'un coup"), say("one after the other, by a local model", "l'un après l'autre, par un modèle local")
    for axes, codes, title in zip(figure.subplots(1, 2), (at_once, one_by_one), titles, strict=True):
        axes.imshow(codes[:SHOWN], cmap=ListedColormap(COLOURS), vmin=0, vmax=len(COLOURS) - 1, aspect="auto")
        for below in range(1, SHOWN):  # white paper between tokens
            axes.axhline(below - 0.5, color="white", linewidth=6)
        for right in range(1, TOGETHER):
            axes.axvline(right - 0.5, color="white", linewidth=1)
        axes.set(title=title, xlabel=say("the codes of a token", "les codes d'un jeton"), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return figure
