"""Verdicts: what a check found, in words for the student, as a box in a notebook or as a line elsewhere."""

import os
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from dalle_edu.language import reader_language, say

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
    recognised. `solution` is code that the student may open, folded in a notebook; `opens` is the call that gives it elsewhere.
    """

    kind: str
    text: str
    difference: float = 0.0
    mistake: "Mistake | None" = None
    solution: str = ""
    opens: str = ""

    @property
    def right(self) -> bool:
        """Whether the version or value is right."""
        return self.kind == "right"

    @property
    def named(self) -> bool:
        """Whether the text says what is wrong, beyond an input, what was given and what was wanted."""
        return self.kind not in ("right", "untouched", "wrong")

    def __repr__(self) -> str:
        offer = say(f"\nYou may open the solution now: {self.opens}", f"\nVous pouvez maintenant ouvrir la solution : {self.opens}")
        return f"{_MARK.get(self.kind, '✗')} {self.text}{offer if self.solution else ''}"

    def _repr_html_(self) -> str:
        colour = {"right": "#009E73", "untouched": "#56B4E9", "unrun": "#56B4E9"}.get(self.kind, "#D55E00")
        first, *rest = escape(self.text).split("\n")
        lines = "<br>".join([f"<strong>{_MARK.get(self.kind, '✗')} {first}</strong>", *rest])
        said = f'<div role="status" aria-live="polite">{lines}</div>'
        code = f'<pre style="line-height: 1.4"><code>{escape(self.solution)}</code></pre>'
        folded = f"<details><summary>Solution</summary>{code}</details>" if self.solution else ""
        return f'<div style="border-left: 4px solid {colour}; padding: .3em .8em" lang="{reader_language()}">{said}{folded}</div>'


def grade_strictly() -> None:
    """Let `show` raise `AssertionError` for all that is not right, from here on in this process: nbgrader gives no point for an error."""
    os.environ["DALLE_EDU_STRICT"] = "1"


def is_graded() -> bool:
    """Whether `grade_strictly` was called, or a judge of `classroom.grading` has judged, in this process."""
    return os.environ.get("DALLE_EDU_STRICT") == "1"


def show(verdict: Verdict) -> None:
    """Show a verdict: as a box in a notebook, as a line elsewhere. Raises `AssertionError` after `grade_strictly` if it is not right."""
    if is_graded() and not verdict.right:
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
