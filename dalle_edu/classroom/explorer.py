"""Interactive figures: widgets where there is a kernel, pictures drawn beforehand where there is none.

    Explorer(draw, slope=Knob("slope", [-1, 0, 1]))

`draw(slope=…)` returns a `Picture`. In a notebook, each move of a slider or menu draws a picture. A page of the book has the pictures of
all positions, drawn when the page was built, and a few lines of JavaScript show one of them. In print, and in the file of a notebook, the
first is seen.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dalle_edu.classroom.figures import Picture, text_size
from dalle_edu.classroom.static import show_widget
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

MOST = 64  # finished pictures on a page


@dataclass(frozen=True)
class Knob:
    """A control of an interactive figure: its label, its positions, their names, and the index of the first one shown.

    A `pointed` control shows its names in a row; one is chosen by pointing at it (by a click in a notebook).
    """

    label: str
    values: Sequence[Any]
    names: Sequence[str] | None = None
    start: int = 0
    pointed: bool = False

    @property
    def options(self) -> list[str]:
        """The names of the positions; without `names`, their values as the reader's language writes them."""
        return list(self.names) if self.names is not None else [str(value).replace(".", say(".", ",")) for value in self.values]

    @property
    def is_ordered(self) -> bool:
        """Whether the control is a slider, as for numbers, and not a menu, as for names."""
        return self.names is None and all(isinstance(value, (int, float)) for value in self.values)


class Explorer:
    """A picture and the controls that choose what it shows; the last line of a cell shows it.

    Raises `DalleEduError` for controls with no position, or with more than 64 together.
    """

    def __init__(self, draw: Callable[..., Picture], **knobs: Knob):
        count = 1
        for knob in knobs.values():
            count *= len(knob.values)
        if not 1 <= count <= MOST:
            raise DalleEduError(
                f"the knobs have {count} positions together; a page holds at most {MOST} pictures: leave some out",
                f"les réglages ont {count} positions à eux tous ; une page contient au plus {MOST} images : enlevez-en",
            )
        self.draw, self.knobs = draw, knobs

    def __repr__(self) -> str:
        return repr(self.at(*(knob.start for knob in self.knobs.values())))

    def at(self, *positions: int) -> Picture:
        """The picture at given positions of the controls, each an index."""
        return self.draw(**{name: knob.values[i] for (name, knob), i in zip(self.knobs.items(), positions, strict=True)})

    def _ipython_display_(self) -> None:
        show_widget(self.widget, self.frames, lambda box: box.children[-1].value, repr(self))

    def widget(self) -> Any:
        """The interactive figure for a notebook: an ipywidgets box that draws at each move."""
        from ipywidgets import HTML, Dropdown, Layout, SelectionSlider, ToggleButtons, VBox

        controls = []
        for knob in self.knobs.values():
            common = {
                "options": list(zip(knob.options, range(len(knob.values)), strict=True)),
                "value": knob.start,
                "description": knob.label,
            }
            style, layout = {"description_width": "initial"}, Layout(width="28em")
            if knob.pointed:
                controls.append(ToggleButtons(style={**style, "button_width": "auto"}, **common))
            elif knob.is_ordered:
                controls.append(SelectionSlider(style=style, layout=layout, continuous_update=False, **common))
            else:
                controls.append(Dropdown(style=style, layout=layout, **common))
        shown = HTML()

        def redraw(_: Any = None) -> None:
            shown.value = self.at(*(control.value for control in controls))._repr_html_()

        for control in controls:
            control.observe(redraw, names="value")
        redraw()
        return VBox([*controls, shown])

    def frames(self) -> str:
        """The interactive figure for a page without a kernel, as HTML: all pictures, and a script that shows one of them."""
        places = list(itertools.product(*(range(len(knob.values)) for knob in self.knobs.values())))
        pictures = [self.at(*place) for place in places]
        sources = ["data:image/png;base64," + base64.b64encode(shown.png).decode() for shown in pictures]
        start = places.index(tuple(knob.start for knob in self.knobs.values()))
        identity = "explorer-" + hashlib.sha256("".join(sources).encode()).hexdigest()[:10]
        controls = "".join(_control(f"{identity}-{i}", knob) for i, knob in enumerate(self.knobs.values()))
        data = {"sources": sources, "alts": [shown.alt for shown in pictures], "sizes": [len(knob.values) for knob in self.knobs.values()]}
        encoded = json.dumps(data).replace("</", "<\\/")
        alt, width = escape(pictures[start].alt, quote=True), pictures[start].width
        smallest = text_size(min((shown.smallest_text for shown in pictures if shown.smallest_text), default=None))
        image = f'<img src="{sources[start]}" alt="{alt}" width="{width}"{smallest} style="max-width: 100%" aria-live="polite">'
        return f'<div id="{identity}" class="explorer">{controls}{image}<script>({_SCRIPT})("{identity}", {encoded});</script></div>'


def _control(identity: str, knob: Knob) -> str:
    if knob.pointed:
        radio = '<label><input type="radio" name="{0}" value="{1}"{2}> {3}</label>'
        row = " ".join(
            radio.format(identity, i, " checked" if i == knob.start else "", escape(name)) for i, name in enumerate(knob.options)
        )
        label = escape(knob.label, quote=True)
        return f'<p><strong>{label}</strong> <span data-knob role="radiogroup" aria-label="{label}">{row}</span></p>'
    label = f'<label for="{identity}">{escape(knob.label)}</label>'
    if knob.is_ordered:
        options = escape(json.dumps(knob.options), quote=True)
        places = f'min="0" max="{len(knob.values) - 1}" value="{knob.start}"'
        slider = f'<input data-knob id="{identity}" type="range" {places} data-names="{options}">'
        return f'<p>{label} {slider} <output for="{identity}">{escape(knob.options[knob.start])}</output></p>'
    choices = "".join(
        f'<option value="{i}"{" selected" if i == knob.start else ""}>{escape(name)}</option>' for i, name in enumerate(knob.options)
    )
    return f'<p>{label} <select data-knob id="{identity}">{choices}</select></p>'


_SCRIPT = """function (id, data) {
  const box = document.getElementById(id), image = box.querySelector("img");
  const knobs = Array.from(box.querySelectorAll("[data-knob]"));
  const value = knob => Number((knob.querySelector("input:checked") ?? knob).value);
  function show() {
    let place = 0;
    knobs.forEach((knob, i) => {
      place = place * data.sizes[i] + value(knob);
      const output = knob.parentElement.querySelector("output");
      if (output) output.value = JSON.parse(knob.dataset.names)[Number(knob.value)];
    });
    image.src = data.sources[place];
    image.alt = data.alts[place];
  }
  knobs.forEach(knob => knob.addEventListener("input", show));
  box.querySelectorAll("[role=radiogroup] label").forEach(label => label.addEventListener("pointerenter", () => {
    label.firstElementChild.checked = true;
    show();
  }));
}"""
