"""Progress bars: when one is shown, and that it leaves nothing behind.

A bar is for somebody who waits. It comes where standard error is a terminal, or in a notebook, once the work has taken `PATIENCE` seconds.
There is one at a time: work that is done under a bar, or `without_bars`, shows none of its own. `TQDM_DISABLE=1` in the environment, which
tqdm reads too, leaves out all that were not asked for by `progress=True`; lessons are executed so, since what they print must not depend
on how long it took.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from dalle_edu.errors import DalleEduError

PATIENCE = 2.0  # seconds of work without a bar
_FORMAT = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}<{remaining}]{postfix}"
_alone: ContextVar[bool] = ContextVar("alone", default=False)  # whether another bar, or none at all, speaks for what is called now


class Bar:
    """A bar that appears once the work has taken `delay` seconds, or never where it is not `shown`. `options` are those of tqdm."""

    def __init__(self, description: str, total: int | float, shown: bool, delay: int | float, **options: Any):
        self.description, self.total, self.shown, self.delay, self.options = description, total, shown, delay, options
        self.began = time.time()
        self._tqdm: Any = None

    def reach(self, done: int | float, note: str = "") -> None:
        """Show that `done` of the total is done. `note` stands at the end of the bar."""
        if not self.shown or time.time() - self.began < self.delay:
            return
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone ends no work
            if self._tqdm is None:
                from tqdm.auto import tqdm

                self._tqdm = tqdm(total=self.total, desc=self.description, leave=False, **{"bar_format": _FORMAT} | self.options)
                self._tqdm.start_t = self.began
                self._tqdm.n = done
            self._tqdm.set_description_str(self.description, refresh=False)
            self._tqdm.set_postfix_str(note, refresh=self._tqdm.n == done)
            self._tqdm.update(done - self._tqdm.n)

    def close(self) -> None:
        """Take the bar away, even where the work was not finished."""
        if self._tqdm is not None:
            with contextlib.suppress(OSError, ValueError):
                self._tqdm.total = self._tqdm.n  # in a notebook, a bar that is not full would stay, in red
                self._tqdm.close()


@contextlib.contextmanager
def progress_bar(
    description: str, total: int | float = 1, progress: bool | None = None, patience: int | float | None = None, **options: Any
) -> Iterator[Bar]:
    """A bar for the work within. With `progress` True it is shown at once and anywhere, with False never, and with None to somebody who
    waits, after `patience` seconds (`PATIENCE`, unless given). `options` are those of tqdm. Raises `DalleEduError` for another `progress`.
    """
    check_progress(progress)
    shown = _somebody_waits() if progress is None else progress
    delay = 0.0 if progress else PATIENCE if patience is None else patience
    bar = Bar(description, total, shown, delay, **options)
    with without_bars():
        try:
            yield bar
        finally:
            bar.close()


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Nothing that is called within shows a bar, unless it is asked to by `progress=True`."""
    before = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(before)


def check_progress(progress: Any) -> None:
    """Raise `DalleEduError` unless `progress` is True, False or None."""
    if progress is not None and not isinstance(progress, bool):
        raise DalleEduError(
            f"progress is {progress!r}; give True for a bar, False for none, or None for one where somebody waits; "
            "a function is a callback",
            f"progress vaut {progress!r} ; donnez True pour une barre, False pour aucune, None pour une barre si quelqu'un attend ; "
            "une fonction est un callback",
        )


def _somebody_waits() -> bool:
    """Whether a bar would be seen, and is not spoken for by another."""
    if _alone.get() or os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        return False
    return _in_notebook() or _on_terminal()


def _on_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython.core.getipython")
    return shell is not None and hasattr(shell.get_ipython(), "kernel")
