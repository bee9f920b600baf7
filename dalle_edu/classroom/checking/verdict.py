"""Verdicts: what a check found, in words for the student, as a box in a notebook or as a line elsewhere."""

import os
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dalle_edu.classroom.checking.proof import Mistake

_MARK = {"right": "✓", "untouched": "…", "unrun": "…", "unchecked": "?"}


@dataclass(frozen=True)
class Verdict:
    """What a check found; `text` tells the student.

    `kind` is "right", "untouched" (the exercise is not done yet), "unrun" (what stands in the cell was not run), "unchecked" (a package
    needed for the comparison is missing), "raised", "slow", "refused" (it is the library's, or calls it), "symptom" (an error that any
    function may have), "mistake" (a classic one of this exercise), "slip" (it answers as the library's with one thing changed), or "wrong".
    `difference` is the largest absolute one, infinite where the answers cannot be compared. `mistake` is the classic mistake that was
    recognised.
    """

    kind: str
    text: str
    difference: float = 0.0
    mistake: "Mistake | None" = None

    @property
    def right(self) -> bool:
        """Whether the version or value is right."""
        return self.kind == "right"

    @property
    def named(self) -> bool:
        """Whether the text says what is wrong, beyond an input, what was given and what was wanted."""
        return self.kind not in ("right", "untouched", "wrong")

    def __repr__(self) -> str:
        return f"{_MARK.get(self.kind, '✗')} {self.text}"

    def _repr_html_(self) -> str:
        colour = {"right": "#009E73", "untouched": "#56B4E9", "unrun": "#56B4E9"}.get(self.kind, "#D55E00")
        first, *rest = escape(self.text).split("\n")
        lines = "<br>".join([f"<strong>{_MARK.get(self.kind, '✗')} {first}</strong>", *rest])
        return f'<div style="border-left: 4px solid {colour}; padding: .3em .8em" role="status" aria-live="polite">{lines}</div>'


def grade_strictly() -> None:
    """Let `show` raise `AssertionError` for all that is not right, from here on in this process: nbgrader gives no point for an error."""
    os.environ["DALLE_EDU_STRICT"] = "1"


def show(verdict: Verdict) -> None:
    """Show a verdict: as a box in a notebook, as a line elsewhere. Raises `AssertionError` after `grade_strictly` if it is not right."""
    if os.environ.get("DALLE_EDU_STRICT") == "1" and not verdict.right:
        raise AssertionError(verdict.text)
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        print(verdict)
        return
    if get_ipython() is None:
        print(verdict)
    else:
        display(verdict)
