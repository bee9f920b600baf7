"""Accessible figures: every picture has alt text, in the reader's language, and the palette is safe for colour-blind readers.

figure, axes = plot()
axes.plot(losses)
picture(figure, say("The loss falls from 2.3 to 0.1.", "La perte tombe de 2,3 à 0,1."))
"""

import base64
import io
import re
from html import escape
from typing import TYPE_CHECKING, Any

from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.language import language_named, reader_language

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): eight colours that colour-blind readers tell apart.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)

SMALL, READABLE = 10, 12  # points: the size that matplotlib gives to words, and the one that pictures have


class Picture:
    """A PNG picture with its alt text; it has the same size in a notebook and on a page.

    `density` is the number of its pixels for each pixel of the page: more than 1 for fine screens and for slides, which are enlarged.
    `smallest_text` is the size of its smallest words in pixels of the page, where it is known: slides are checked by it. Raises
    `DalleEduError` for alt text of fewer than three words.
    """

    def __init__(self, png: bytes, alt: str, density: float = 1.0, smallest_text: float | None = None):
        if len(alt.split()) < 3:
            raise DalleEduError(
                f'a picture is described as "{alt}"; say in a sentence what it shows, for readers who listen',
                f"une image est décrite par « {alt} » ; dites en une phrase ce qu'elle montre, pour qui l'écoute",
            )
        self.png, self.alt, self.smallest_text = png, alt, smallest_text
        self.width = round(int.from_bytes(png[16:20], "big") / density)  # in pixels of the page; a PNG has its width in these bytes

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        described = f'alt="{escape(self.alt, quote=True)}" width="{self.width}"{text_size(self.smallest_text)}'
        return f'<img src="data:image/png;base64,{data}" {described} style="max-width: 100%">'


def text_size(pixels: float | None) -> str:
    """The attribute of an HTML picture that says the size of its smallest words, in pixels of the page; "" where it is not known."""
    return "" if pixels is None else f' data-smallest-text="{pixels:.1f}"'


def plot(
    rows: int = 1, columns: int = 1, width: float = 7.0, height: float = 3.6, margins: dict[str, float] | None = None
) -> tuple["Figure", Any]:
    """A matplotlib figure, `width` by `height` inches, and its axes (one, or an array), without the frame's upper and right sides.

    It is laid out so that its words fit, which takes a third of the time of drawing it. Pictures that are drawn by the dozen give their
    `margins` instead: what matplotlib's `subplots_adjust` takes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=None if margins else "constrained")
    if margins:
        figure.subplots_adjust(**margins)
    axes = figure.subplots(rows, columns)
    for one in [axes] if rows * columns == 1 else axes.flat:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def picture(figure: "Figure", alt: str, density: float = 1.4) -> Picture:
    """A matplotlib figure as a picture, at 100 pixels of the page to the inch; `alt` says in a sentence what it shows.

    Raises `DalleEduError` for alt text of fewer than three words.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    artists = figure.findobj()
    _number_as_read(artists)
    _enlarge_words(artists)
    file = io.BytesIO()
    figure.set_dpi(100 * density)
    FigureCanvasAgg(figure).print_png(file)  # `savefig` would lay the figure out by drawing it twice
    return Picture(file.getvalue(), _with_commas(alt) if _has_commas() else alt, density, _smallest_text(figure, artists))


def _enlarge_words(artists: "list[Artist]") -> None:
    """Give words of matplotlib's size, or a little more, one that a class can read on a slide; smaller ones are left as they are."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    for artist in artists:
        if isinstance(artist, Axis) and SMALL <= float(artist.get_major_ticks(1)[0].label1.get_fontsize()) < READABLE:
            artist.set_tick_params(labelsize=READABLE)
    for artist in artists:
        if isinstance(artist, Text) and SMALL <= float(artist.get_fontsize()) < READABLE:
            artist.set_fontsize(READABLE)


def _smallest_text(figure: "Figure", artists: "list[Artist]") -> float | None:
    """The size of a drawn figure's smallest words, in pixels of the page, 100 to the inch; none where it has no words.

    `artists` were found before it was drawn: ticks that came since are asked for here, as a second search through all artists is slow.
    """
    from matplotlib.text import Text

    texts = {id(artist): artist for artist in artists if isinstance(artist, Text)}
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.majorTicks, *axis.minorTicks]
            words = [axis.label, axis.offsetText, *(label for tick in ticks for label in (tick.label1, tick.label2))]
            for text in words:
                if axes.axison and axes.get_visible() and axis.get_visible():
                    texts[id(text)] = text
                else:
                    texts.pop(id(text), None)
    sizes = [float(text.get_fontsize()) for text in texts.values() if text.get_visible() and text.get_text().strip()]
    return min(sizes) * 100 / 72 if sizes else None


def number_as_read(figure: "Figure") -> None:
    """Rewrite the numbers in a figure's texts and axes for the reader's language: 97.5% becomes 97,5 % in French."""
    _number_as_read(figure.findobj())


def _number_as_read(artists: "list[Artist]") -> None:
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import Formatter

    class Commas(Formatter):
        """Another formatter's labels, with decimal commas."""

        def __init__(self, other: Formatter):
            self.other = other

        def __call__(self, x: Any, pos: Any = None) -> str:
            return _with_commas(self.other(x, pos))

        def set_locs(self, locs: Any) -> None:
            self.other.set_locs(locs)

    if _has_commas():
        for artist in artists:
            if isinstance(artist, Axis):
                artist.set_major_formatter(Commas(artist.get_major_formatter()))
            elif isinstance(artist, Text):
                artist.set_text(_with_commas(artist.get_text()))


def sheet(images: Tensor, captions: list[str], alt: str, columns: int | None = None) -> Picture:
    """Pictures (n, 3, h, w) in [-1, 1] side by side, each with its caption, as one picture with alt text."""
    from dalle_edu.world import picture_sheet
    from dalle_edu.world.sheet import caption_size

    file = io.BytesIO()
    options = {} if columns is None else {"columns": columns}
    picture_sheet(images, captions, **options).save(file, format="PNG")
    return Picture(file.getvalue(), alt, smallest_text=caption_size() if any(captions) else None)


def legend(axes: "Axes", **options: Any) -> None:
    """Add a legend without a frame; `options` go to matplotlib's `legend`."""
    axes.legend(frameon=False, **options)


def _has_commas() -> bool:
    return language_named(reader_language()).decimal == ","


def _with_commas(text: str) -> str:
    """A text with decimal commas, and a no-break space before %."""
    return re.sub(r"(?<=\d)%", "\u00a0%", re.sub(r"(?<=\d)\.(?=\d)", ",", text))
