"""Curves of rates: a line for each skill, in a palette that colour-blind readers can tell apart, each with its own marker."""

from collections.abc import Mapping, Sequence
from typing import Any

from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.marks import SKILL_NAMES, SKILLS

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#7F7F7F")  # Okabe & Ito 2008
_MARKERS = "os^vDPX*"
_AXES = {
    "en": ("candidates", "one right\namong them", "judged right (%)"),
    "fr": ("candidates", "une juste\ndans le lot", "réponses justes (%)"),
}


def empty_figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib that opens no window; width and height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_rates(axes: Any, points: Mapping[str, Sequence[tuple[int | float, float]]]) -> dict[str, Any]:
    """Draw a line through the points (x, percent) of each name, and return the lines by name.

    A name without points has no line but keeps its place in the palette, so that colours agree across figures.
    """
    lines = {}
    for (name, line), colour, marker in zip(points.items(), _COLOURS, _MARKERS, strict=False):
        if line:
            style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5, "linewidth": 1.5}
            (lines[name],) = axes.plot(*zip(*line, strict=True), label=name, **style)
    axes.set(ylim=(-2, 102))
    axes.grid(alpha=0.3)
    return lines


def against_candidates(rates: Mapping[int, Mapping[str, Rate]], title: str, language: str) -> Any:
    """Plot the rate of every skill against the number of candidates that a critic chooses among; returns a figure of matplotlib.

    `rates` maps numbers of candidates, powers of two, to rates by skill. Its entry 0 is the upper bound, of a critic that never errs among
    the most candidates, and stands apart on the right.
    """
    numbers = sorted(number for number in rates if number)
    unerring, names = 2 * numbers[-1], SKILL_NAMES[language]
    asked = [skill for skill in SKILLS if rates[0][skill].n]
    figure = empty_figure(8.0, 4.6)
    axes = figure.subplots()
    lines = draw_rates(axes, {names[skill]: [(number, _percent(rates[number][skill])) for number in numbers] for skill in asked})
    for skill, line in zip(asked, lines.values(), strict=True):
        axes.plot([unerring], [_percent(rates[0][skill])], color=line.get_color(), marker=line.get_marker(), mfc="white", clip_on=False)
    axes.axvline(unerring / 2**0.5, color="#7F7F7F", linewidth=1, linestyle=":")
    xlabel, among, rate = _AXES[language]
    axes.set_xscale("log", base=2)
    axes.set_xticks([*numbers, unerring], [*map(str, numbers), among])
    axes.set(title=title, xlabel=xlabel, ylabel=rate)
    figure.legend(lines.values(), lines.keys(), loc="outside right center", fontsize=8)
    return figure


def _percent(rate: Rate) -> float:
    return 100 * rate.correct / rate.n
