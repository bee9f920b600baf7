"""An attention layer, trained from scratch, looks up the shape that goes with a colour among pairs of a colour and a shape."""

import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.attention import CrossAttention, scaled_dot_product
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import say, sentence_language
from dalle_edu.world import SHAPES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS, WIDTH, BATCH = 5, 32, 128
WITH, WITHOUT = "#0072B2", "#E69F00"  # Okabe & Ito


class LookUp(nn.Module):
    """A colour asks; the pairs of a colour and a shape answer."""

    def __init__(self, looks: bool):
        super().__init__()
        self.looks = looks
        self.colours, self.shapes = nn.Embedding(len(SHAPES.colours), WIDTH), nn.Embedding(len(SHAPES.shapes), WIDTH)
        self.attention = CrossAttention(WIDTH, heads=1, memory_width=2 * WIDTH)
        self.name = nn.Linear(WIDTH, len(SHAPES.shapes))

    def forward(self, asked: Tensor, colours: Tensor, shapes: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        memory = torch.cat([self.colours(colours), self.shapes(shapes)], dim=-1)
        if not self.looks:
            memory = memory.mean(dim=1, keepdim=True).expand_as(memory)  # everything at once, as one plain mean
        return self.name(self.attention(self.colours(asked).unsqueeze(1), memory, maps=maps)).squeeze(1)


def questions(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A colour asked for, `PAIRS` pairs of different colours, and the shape that is the answer."""
    colours = torch.rand(n, len(SHAPES.colours), generator=generator).argsort(dim=1)[:, :PAIRS]
    shapes = torch.randint(len(SHAPES.shapes), (n, PAIRS), generator=generator)
    place = torch.randint(PAIRS, (n, 1), generator=generator)
    return colours.gather(1, place).squeeze(1), colours, shapes, shapes.gather(1, place).squeeze(1)


def _train(looks: bool, steps: int, seed: int) -> tuple[LookUp, dict[int, float]]:
    torch.manual_seed(seed)
    model, generator, path = LookUp(looks), torch.Generator().manual_seed(seed), {}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    *exam, answers = questions(1000, torch.Generator().manual_seed(seed + 1))
    for step in range(1, steps + 1):
        *asked, expected = questions(BATCH, generator)
        loss = F.cross_entropy(model(*asked), expected)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step.bit_count() == 1 or step == steps:  # 1, 2, 4, 8: attention learns early
            with torch.no_grad():
                path[step] = float((model(*exam).argmax(dim=-1) == answers).float().mean())
    return model, path


def demo(seed: int = 0, steps: int = 1000) -> Demo:
    """Train the same network with attention and with a plain mean in its place, and draw where the first looks."""
    started = time.process_time()
    model, path = _train(True, steps, seed)
    _, other = _train(False, steps, seed)
    numbers = {"right_with_attention": path[max(path)], "right_without": other[max(other)], "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(model, path, other, seed),
        numbers,
        f"With attention {numbers['right_with_attention']:.0%} of the answers are right, with a plain mean {numbers['right_without']:.0%}.",
        f"Avec attention, {100 * numbers['right_with_attention']:.0f} % des réponses sont justes ; avec une simple moyenne, "
        f"{100 * numbers['right_without']:.0f} %.",
    )


def _figure(model: LookUp, path: dict[int, float], other: dict[int, float], seed: int) -> "Figure":
    from matplotlib.figure import Figure

    language = sentence_language()
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    scaled, looking, learning = figure.subplots(1, 3, width_ratios=[1, 1.25, 1])

    generator = torch.Generator().manual_seed(seed)
    widths, keys = [2, 4, 8, 16, 32, 64, 128, 256, 512], 16
    for divided, colour, mark in ((True, WITH, "o"), (False, WITHOUT, "s")):
        largest = []
        for width in widths:
            query, key = (torch.randn(200, rows, width, generator=generator) for rows in (1, keys))
            query = query if divided else query * width**0.5  # undoes the division
            largest.append(float(scaled_dot_product(query, key, key)[1].amax(dim=-1).mean()))
        label = say("divided by √d", "divisés par √d") if divided else say("not divided", "non divisés")
        scaled.semilogx(widths, largest, color=colour, marker=mark, linewidth=2, label=label, base=2)
    scaled.set(xlabel=say("channels d", "canaux d"), ylabel=say("largest weight of 16", "plus grand poids sur 16"), ylim=(0, 1.03))
    scaled.set_title(say("Why scores are divided by √d", "Pourquoi on divise les scores par √d"))
    scaled.legend(frameon=False)

    *asked, _ = questions(5, torch.Generator().manual_seed(seed + 2))
    maps: list[Tensor] = []
    model(*asked, maps=maps)
    looking.imshow(maps[0][:, 0, 0], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row in range(5):
        for column in range(PAIRS):
            hue, shape = SHAPES.colours[asked[1][row, column]], SHAPES.shapes[asked[2][row, column]]
            words = f"{shape.words[language].singular}\n{hue.words[language].form(shape.words[language].feminine, False)}"
            words = words if language == "fr" else "\n".join(reversed(words.split("\n")))
            light = float(maps[0][row, 0, 0, column]) > 0.5
            looking.text(column, row, words, ha="center", va="center", fontsize=9, color="white" if light else "black")
    asking = [SHAPES.colours[colour].words[language].masculine + say("?", " ?") for colour in asked[0]]
    looking.set_yticks(range(5), asking, fontsize=11)
    looking.set_xticks([])
    looking.set_title(say("Where each question looks", "Où regarde chaque question"))

    for found, colour, mark, label in (
        (path, WITH, "o", say("attention", "attention")),
        (other, WITHOUT, "s", say("plain mean", "simple moyenne")),
    ):
        learning.semilogx(list(found), [100 * part for part in found.values()], color=colour, marker=mark, linewidth=2, label=label, base=2)
    learning.set(xlabel=say("step", "pas"), ylabel=say("right answers (%)", "réponses justes (%)"), ylim=(-3, 103))
    learning.set_title(say("What looking is worth", "Ce que vaut le regard"))
    learning.legend(frameon=False, loc="center right")
    for axes in (scaled, learning):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure
