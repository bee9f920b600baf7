"""Step through an LSTM: its gates, its memory and its hidden state after each letter, as bars."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.recurrent import LSTMCell
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, GREEN, ORANGE, PURPLE, VERMILION, Picture, picture, plot
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, with_minus

MOST_LETTERS = 40  # the most pictures on a page
PARTS = ("f", "i", "o", "c", "h")
COLOURS = dict(zip(PARTS, (ORANGE, GREEN, PURPLE, BLUE, VERMILION), strict=True))


@torch.no_grad()
def gate_readings(cell: LSTMCell, embedded: Float[Tensor, "1 t x"]) -> dict[str, Float[Tensor, "t h"]]:
    """What an LSTM does at each letter of one text: the gates "f", "i" and "o" in (0, 1), the memory "c", the hidden state "h"."""
    state = cell.start(embedded)
    assert isinstance(state, tuple)
    read: dict[str, list[Tensor]] = {part: [] for part in PARTS}
    for letter in embedded.unbind(dim=1):
        i, f, _, o = sum(cell.sums(letter, state[0])).chunk(4, dim=-1)  # type: ignore[union-attr]
        state = cell(letter, state)
        for part, value in zip(PARTS, (f.sigmoid(), i.sigmoid(), o.sigmoid(), state[1], state[0]), strict=True):
            read[part].append(value[0])
    return {part: torch.stack(values) for part, values in read.items()}


def gate_explorer(text: Sequence[str], readings: Mapping[str, Float[Tensor, "t h"]], units: Sequence[int]) -> Explorer:
    """An interactive walk through a text: point at a letter, and see the gates and the state of some units after it.

    `readings` are those of `gate_readings`, a row for each symbol of `text`. Raises `DalleEduError` where they are not as many, and for
    more than 40 symbols. Lesson 03.
    """
    rows = len(readings["c"])
    if rows != len(text) or not 1 <= rows <= MOST_LETTERS:
        raise DalleEduError(
            f"the text has {len(text)} symbols and the readings {rows}; give as many, from 1 to {MOST_LETTERS}",
            f"le texte a {len(text)} symboles et les relevés {rows} ; donnez-en autant, de 1 à {MOST_LETTERS}",
        )
    chosen = {part: values[:, list(units)] for part, values in readings.items()}
    names = [say("space", "espace") if symbol == " " else symbol for symbol in text]
    return Explorer(
        lambda letter: draw_gates(names[letter], {part: values[letter] for part, values in chosen.items()}, units),
        letter=Knob(say("letter", "lettre"), range(rows), names, rows - 1, pointed=True),
    )


def draw_gates(name: str, values: Mapping[str, Float[Tensor, " u"]], units: Sequence[int]) -> Picture:
    """The gates, the memory and the hidden state of some units after one letter, as bars."""
    titles = {
        "f": say("forget gate", "porte d'oubli"),
        "i": say("input gate", "porte d'entrée"),
        "o": say("output gate", "porte de sortie"),
        "c": say("memory c", "mémoire c"),
        "h": say("hidden state h", "état caché h"),
    }
    figure, axes = plot(width=9.4, height=2.7, margins={"left": 0.0, "bottom": 0.0, "right": 1.0, "top": 1.0})
    axes.axis("off")
    axes.set(xlim=(-0.6, 2.6 * len(PARTS) - 0.4), ylim=(len(units) - 0.4, -1.85))
    bar = 0.8 * 2.7 * 72 / (len(units) + 1.45)  # points: a bar fills 0.8 of its row
    for place, part in enumerate(PARTS):
        signed = part in "ch"
        most, left = 3.0 if part == "c" else 1.0, 2.6 * place
        zero, scale = left + signed, (1.0 if signed else 2.0) / most
        lengths = [scale * max(-most, min(most, value)) for value in values[part].tolist()]
        ends = [zero + length for length in lengths]
        axes.hlines(range(len(units)), zero, ends, color=COLOURS[part], linewidth=bar)  # as `barh` looks, in half of its time
        for row, value in enumerate(values[part].tolist()):
            if abs(value) > most:  # the bar stops at the end of the scale: the number says where it would go
                end, side = (0.95, "right") if value > 0 else (-0.95, "left")
                axes.text(zero + end, row, with_minus(decimal(value)), ha=side, va="center", fontsize=12, color="white")
        axes.plot([zero, zero], [-0.5, len(units) - 0.5], color="grey", lw=1)
        axes.text(left + 1, -1.35, titles[part], ha="center", va="center", fontsize=13)
        for where, bound in ((left, f"−{most:.0f}" if signed else "0"), (left + 2, f"{most:.0f}")):
            axes.text(where, -0.75, bound, ha="center", va="center", fontsize=12)
    for place, unit in enumerate(units):
        axes.text(-0.15, place, str(unit), ha="right", va="center", fontsize=12)
    strongest = max(range(len(units)), key=lambda place: abs(float(values["c"][place])))
    memory, kept = with_minus(decimal(float(values["c"][strongest]))), f"{100 * float(values['f'][strongest]):.0f}"
    return picture(
        figure,
        say(
            f"After “{name}”, unit {units[strongest]} holds {memory} and has kept {kept}% of its memory.",
            f"Après « {name} », l'unité {units[strongest]} contient {memory} et a gardé {kept} % de sa mémoire.",
        ),
    )
