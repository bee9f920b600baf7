"""The static form of figures and quizzes: what is seen where there is no kernel.

The book, the slides and the PDF are static as a whole. A notebook shows a widget while its kernel is alive, and its file keeps a static
form beside it, for whoever reopens, prints or exports it: Jupyter's exporters and VS Code take that form where a widget is no more, and
`dalle_edu/classroom/saving.py` has JupyterLab write it alone.
"""

import os
from collections.abc import Callable
from html import escape
from typing import Any

from dalle_edu.language import say

VIEW = "application/vnd.jupyter.widget-view+json"
KEPT = "dalle_edu_static"  # in an output's metadata: its HTML says all that a file must keep of it


def is_static() -> bool:
    """Whether the book or the slides are being built; the builder sets DALLE_EDU_STATIC=1."""
    return os.environ.get("DALLE_EDU_STATIC", "") not in ("", "0")


def show_widget(widget: Callable[[], Any], page: Callable[[], str], saved: Callable[[Any], str], text: str) -> None:
    """Show what `widget` makes where there is a kernel, and the HTML of `page` where there is none.

    `saved` gives the HTML that the notebook's file keeps of the widget that was made; `text` is what a terminal shows.
    """
    from IPython.display import HTML, display

    if is_static():
        display(HTML(page()))
        return
    live = widget()
    view = {"version_major": 2, "version_minor": 0, "model_id": live.model_id}  # of the format, which ipywidgets 7 and 8 share
    display({VIEW: view, "text/html": saved(live) + _again(), "text/plain": text}, metadata={KEPT: True}, raw=True)


def _again() -> str:
    """What to do to have the controls back, as HTML."""
    sentence = say(
        "Saved without its controls: run the cell to use them.", "Enregistré sans ses commandes : relancez la cellule pour vous en servir."
    )
    return f"<p><em>{escape(sentence)}</em></p>"
