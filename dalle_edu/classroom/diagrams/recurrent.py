"""Diagrams of recurrence: a tape of letters, a cell unrolled, the inside of an LSTM, a translator of two networks. Lesson 03."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from dalle_edu.classroom.figures import BLACK, BLUE, GREEN, ORANGE, SKY, VERMILION, Picture, picture, plot
from dalle_edu.language import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = "#f4f4f4"
Place = tuple[float | int, float | int]


def draw_tape(text: str, hidden: int, clue: int) -> Picture:
    """A text as letters in boxes; those from `hidden` on are question marks, and an arrow comes from the letter `clue`, which tells."""
    far = hidden - clue
    bend = -0.28 * min(1, 0.45 * len(text) / far)  # an arc rises with its bend and its length: no higher than over half of the text
    figure, axes = _sheet(9.0, 1.9, (-0.7, len(text) - 0.3), (-0.7, 2.1))
    for place, letter in enumerate(text):
        known = place < hidden
        _box(axes, (place, 0.0), letter if known else "?", 0.86, 1.0, PALE if known else "#ffe3cf")
    axes.annotate(
        "",
        (hidden, 0.6),
        (clue, 0.6),
        arrowprops={"arrowstyle": "-|>", "color": VERMILION, "lw": 2, "connectionstyle": f"arc3,rad={bend}", "mutation_scale": 18},
    )
    axes.text((clue + hidden) / 2, 1.85, say(f"{far} letters", f"{far} lettres"), ha="center", va="center", fontsize=12, color=VERMILION)
    shown = text[:hidden]
    return picture(
        figure,
        say(
            f"The letters “{shown}”, then letters to guess, which depend on one {far} letters earlier.",
            f"Les lettres « {shown} », puis des lettres à deviner, qui dépendent d'une autre, {far} lettres plus tôt.",
        ),
    )


def draw_unrolled(symbols: Sequence[str], every: bool) -> Picture:
    """A cell, and the same cell unrolled over symbols; all its outputs are kept, or the last state only."""
    count = len(symbols)
    figure, axes = _sheet(8.4, 2.9, (-3.6, count * 1.7 - 0.3), (-1.5, 1.7))
    _box(axes, (-2.4, 0.0), "A", 0.9, 0.9, SKY)
    axes.plot([-1.95, -1.6, -1.6, -3.2, -3.2], [0, 0, 0.95, 0.95, 0], color=BLACK, lw=1.6)
    _arrow(axes, (-3.2, 0.0), (-2.87, 0.0))
    _arrow(axes, (-2.4, -1.1), (-2.4, -0.48))
    axes.text(-1.05, 0.0, "=", ha="center", va="center", fontsize=20)
    for place, symbol in enumerate(symbols):
        x = place * 1.7
        _box(axes, (x, 0.0), "A", 0.9, 0.9, SKY)
        axes.text(x, -1.25, symbol, ha="center", va="center", fontsize=15)
        _arrow(axes, (x, -1.0), (x, -0.48))
        if place:
            _arrow(axes, (x - 1.22, 0.0), (x - 0.48, 0.0))
        if every or place == count - 1:
            _arrow(axes, (x, 0.48), (x, 1.05), VERMILION)
            axes.text(x, 1.3, f"$h_{{{place + 1}}}$", ha="center", va="center", fontsize=15, color=VERMILION)
    kept_en, kept_fr = ("each output is kept", "chaque sortie est gardée") if every else ("the last one is kept", "la dernière est gardée")
    return picture(
        figure,
        say(
            f"A cell with a loop equals the same cell {count} times, each handing its state to the next; {kept_en}.",
            f"Une cellule qui boucle, c'est la même cellule {count} fois, chacune passant son état à la suivante ; {kept_fr}.",
        ),
    )


def draw_lstm(reading: dict[str, float] | None = None) -> Picture:
    """The inside of an LSTM: four small networks in boxes, and the belt of the memory above them.

    `reading` gives numbers to write: "f", "i", "g", "o", "c" and "h", those of the gates in [0, 1], and "before", the memory that comes in.
    """
    figure, axes = _sheet(8.4, 3.9, (-1.4, 9.4), (-1.8, 3.7))
    value = (lambda name: f"{reading[name]:.2f}") if reading else (lambda name: "")
    axes.plot([-0.9, 8.9], [3.0, 3.0], color=BLUE, lw=5, zorder=0)
    axes.text(-1.1, 3.35, say("memory c", "mémoire c"), fontsize=13, color=BLUE, ha="left", va="center")
    boxes = (
        (0.8, "f", say("forget", "oubli"), "σ", ORANGE),
        (2.8, "i", say("input", "entrée"), "σ", ORANGE),
        (4.5, "g", say("candidate", "candidat"), "tanh", GREEN),
        (6.6, "o", say("output", "sortie"), "σ", ORANGE),
    )
    for x, name, title, bend, colour in boxes:
        _box(axes, (x, 0.0), bend, 1.35, 0.8, colour)
        axes.text(x, -0.72, title, ha="center", va="center", fontsize=13)
        side = -1 if name in "io" else 1  # on the other side of the arrow
        axes.text(x + 0.15 * side, 0.75, f"{name} {value(name)}", ha="left" if side > 0 else "right", va="center", fontsize=12)
    for x, sign in ((0.8, "×"), (3.65, "+")):
        _node(axes, (x, 3.0), sign)
    _node(axes, (3.65, 1.6), "×")
    _node(axes, (7.7, 1.6), "×")
    _arrow(axes, (0.8, 0.42), (0.8, 2.7))
    _arrow(axes, (2.8, 0.42), (3.4, 1.4))
    _arrow(axes, (4.5, 0.42), (3.9, 1.4))
    _arrow(axes, (3.65, 1.88), (3.65, 2.7))
    _arrow(axes, (6.6, 0.42), (7.45, 1.4))
    _arrow(axes, (7.7, 3.0), (7.7, 1.9))
    axes.text(7.85, 2.4, "tanh", fontsize=12, va="center")
    _arrow(axes, (7.98, 1.6), (9.0, 1.6), VERMILION)
    axes.text(8.0, 1.1, f"h {value('h')}", fontsize=13, color=VERMILION, va="center")
    if reading:
        axes.text(-0.5, 2.62, f"{reading['before']:.2f}", fontsize=12, color=BLUE, ha="center")
        axes.text(8.6, 3.35, f"c {reading['c']:.2f}", fontsize=12, color=BLUE, ha="center")
    axes.text(
        3.7,
        -1.45,
        say("each box sees the symbol x and the last h", "chaque boîte voit le symbole x et le dernier h"),
        fontsize=13,
        ha="center",
    )
    return picture(
        figure,
        say(
            "Four boxes see x and h: one scales the memory on its belt, two add to it, one shows part of it as h.",
            "Quatre boîtes voient x et h : l'une réduit la mémoire sur son tapis, deux y ajoutent, une en montre une part, h.",
        ),
    )


def draw_translator(read: Sequence[str], written: Sequence[str], looks: bool) -> Picture:
    """A reader and a writer side by side; what passes between them is one state, or, with `looks`, every state."""
    count, gap = len(read), 1.1
    figure, axes = _sheet(9.0, 3.0, (-0.8, (count + len(written)) * 1.25 + gap - 0.5), (-1.5, 2.6))
    starts = [place * 1.25 for place in range(count)]
    ends = [count * 1.25 + gap + place * 1.25 for place in range(len(written))]
    for x, word in zip(starts, read, strict=True):
        _box(axes, (x, 0.0), "", 0.8, 0.8, SKY)
        axes.text(x, -1.1, word, ha="center", va="center", fontsize=12)
        _arrow(axes, (x, -0.85), (x, -0.43))
        if looks:
            link = {"arrowstyle": "-", "color": VERMILION, "lw": 1.2, "alpha": 0.6, "connectionstyle": "arc3,rad=-0.3"}
            axes.annotate("", (ends[1], 0.45), (x, 0.45), arrowprops=link)
    for x, word in zip(ends, written, strict=True):
        _box(axes, (x, 0.0), "", 0.8, 0.8, ORANGE)
        way = -1 if looks else 1  # the looks come in from above
        axes.text(x, 1.1 * way, word, ha="center", va="center", fontsize=12)
        _arrow(axes, (x, 0.43 * way), (x, 0.85 * way))
    for left, right in zip(starts[:-1] + ends[:-1], starts[1:] + ends[1:], strict=True):
        _arrow(axes, (left + 0.42, 0.0), (right - 0.42, 0.0))
    _arrow(axes, (starts[-1] + 0.42, 0.0), (ends[0] - 0.42, 0.0), BLUE)
    middle = (starts[-1] + ends[0]) / 2
    axes.text(middle, -0.45, say("last state", "dernier état"), ha="center", va="center", fontsize=12, color=BLUE)
    en, fr = (
        ("and looks at every state of the reader", "et regarde chaque état du lecteur")
        if looks
        else ("and has nothing else", "et n'a rien d'autre")
    )
    return picture(
        figure,
        say(
            f"An encoder reads {count} words; a decoder starts from its last state {en}, and writes {len(written)} words.",
            f"Un encodeur lit {count} mots ; un décodeur part de son dernier état {fr}, et écrit {len(written)} mots.",
        ),
    )


def draw_letters(lines: Sequence[str], values: Sequence[Float[Tensor, " t"]], alt: str) -> Picture:
    """Lines of text whose letters are coloured by a number each: blue where it is negative, orange where it is positive.

    The strongest colour is that of the largest number of all. `alt` says what the picture shows. Raises `DalleEduError` for alt text of
    fewer than three words.
    """
    longest, most = max(map(len, lines)), max(float(each.abs().max()) for each in values)
    figure, axes = _sheet(max(5.0, 0.17 * longest + 0.4), 0.42 * len(lines) + 0.3, (-0.6, longest - 0.4), (0.6 - len(lines), 0.6))
    for row, (line, numbers) in enumerate(zip(lines, values, strict=True)):
        for place, (letter, number) in enumerate(zip(line, numbers.tolist(), strict=True)):
            strength = 0.75 * abs(number) / max(most, 1e-9)
            _rectangle(axes, (place - 0.5, -row - 0.42), 1.0, 0.84, ORANGE if number > 0 else BLUE, strength)
            axes.text(place, -row, letter, ha="center", va="center", fontsize=12, family="monospace")
    return picture(figure, alt)


# ---------------------------------------------------------------- pieces


def _sheet(width: float, height: float, x: Place, y: Place) -> tuple:
    figure, axes = plot(width=width, height=height)
    axes.axis("off")
    axes.set(xlim=x, ylim=y)
    return figure, axes


def _rectangle(axes: "Axes", corner: Place, width: float, height: float, colour: str, strength: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, width, height, facecolor=colour, alpha=strength, linewidth=0))


def _box(axes: "Axes", centre: Place, text: str, width: float, height: float, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = centre[0] - width / 2, centre[1] - height / 2
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=0.12", facecolor=colour, edgecolor=BLACK))
    axes.text(*centre, text, ha="center", va="center", fontsize=14)


def _node(axes: "Axes", centre: Place, text: str) -> None:
    axes.plot(*centre, "o", markersize=22, markerfacecolor="white", markeredgecolor=BLACK)
    axes.text(*centre, text, ha="center", va="center", fontsize=15)


def _arrow(axes: "Axes", start: Place, end: Place, colour: str = BLACK) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.6, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)
