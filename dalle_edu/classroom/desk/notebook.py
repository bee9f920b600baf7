"""The notebook that is running, as IPython knows it: its shell, its names, the cells that it has run; and what is shown under a cell."""

from dataclasses import dataclass
from html import escape
from typing import Any

from dalle_edu.language import reader_language


@dataclass(frozen=True)
class Sheet:
    """What a call at the desk answers: `text`, and its form in a notebook, `html`."""

    text: str
    html: str = ""

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<div lang="{reader_language()}">{self.html or paragraphs(self.text)}</div>'


def paragraphs(text: str) -> str:
    """Lines of text as paragraphs of HTML."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())


def listing(code: str) -> str:
    """Code as a block of HTML."""
    return f'<pre style="line-height: 1.4"><code>{escape(code)}</code></pre>'


def shell() -> Any:
    """IPython's shell; None outside of notebooks."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def names() -> dict[str, Any]:
    """The names of the notebook; empty outside of notebooks."""
    running = shell()
    return {} if running is None else running.user_ns


def cells() -> list[str]:
    """The cells that the notebook has run, with or without success, but for the one that is running."""
    return list(names().get("In", []))[:-1]
