"""A student's code is run here: in a thread of its own, for so many seconds, without a keyboard, and watched.

Nothing that it does stops the notebook: errors, endless loops, `sys.exit`, `input()` and too deep a recursion become an `Attempt` that says
so. No signal is used, so that it works on every system.
"""

import builtins
import contextlib
import ctypes
import inspect
import io
import os
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from dalle_edu.classroom.checking.pace import Stopwatch

SECONDS = 12.0  # for a whole check, on a machine of today
_STACK = 64 << 20  # bytes of a thread: some systems give half a megabyte, which a recursion fills before Python counts it
_BREATH = 0.05  # seconds between two requests to stop
_LOOK = 0.25  # seconds between two readings of the stopwatch


class OutOfTime(BaseException):
    """Raised in the code that has run for too long. It is no `Exception`, which student's code may catch."""


class CallsTheLibrary(BaseException):
    """Raised when the code calls the function that it is to replace."""


class WantsInput(BaseException):
    """Raised when the code asks for input from a keyboard."""


@dataclass(frozen=True)
class Attempt:
    """What became of a call: its `answer`, or else the `error` that ended it; and what was `printed`."""

    answer: Any = None
    error: BaseException | None = None
    printed: str = ""


def patience() -> float:
    """Seconds of a `Stopwatch` for a whole check; the environment variable DALLE_EDU_PATIENCE multiplies them."""
    try:
        return SECONDS * max(float(os.environ.get("DALLE_EDU_PATIENCE", "1")), 0.01)
    except ValueError:
        return SECONDS


def attempt(ask: Callable[[], Any], seconds: float, forbidden: Collection[FunctionType] = ()) -> Attempt:
    """Run `ask` for so many seconds of a `Stopwatch` and say what became of it. `forbidden` are the functions that it must not call.

    An operation on floats that has no right answer, such as one that overflows, is an error. A thread that does not stop when asked
    is left behind: it ends with the kernel.
    """
    result, printed = list[Attempt](), io.StringIO()

    def run() -> None:
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
                result.append(Attempt(ask()))
        except BaseException as error:
            result.append(Attempt(error=error))

    with _quiet(printed), _large_stack(), _out_of_reach(forbidden):
        thread = threading.Thread(target=run, daemon=True, name="check")
        thread.start()
        try:
            watch = Stopwatch()
            while thread.is_alive() and (left := seconds - watch.spent()) > 0:
                thread.join(min(left, _LOOK))
            stopped = thread.is_alive()
            for _ in range(40):
                if not thread.is_alive():
                    break
                _raise_in(thread, OutOfTime)
                thread.join(_BREATH)
        except BaseException:  # the notebook's own "interrupt" ends the code too
            _raise_in(thread, OutOfTime)
            raise
    if stopped or not result:
        return Attempt(error=OutOfTime(), printed=printed.getvalue())
    return Attempt(result[0].answer, result[0].error, printed.getvalue())


def _raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(error))


@contextlib.contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    """What is printed is kept, warnings of NumPy are errors, and nobody answers `input()`."""

    def refuse(*args: Any, **options: Any) -> str:
        raise WantsInput

    asked, builtins.input = builtins.input, refuse
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            yield
    finally:
        builtins.input = asked


def _refuse(*args: Any, **options: Any) -> Any:
    from dalle_edu.classroom.checking.attempt import CallsTheLibrary  # its code runs in other functions, which do not know the name

    raise CallsTheLibrary


@contextlib.contextmanager
def _out_of_reach(functions: Collection[FunctionType]) -> Iterator[None]:
    """Functions that raise `CallsTheLibrary`, by whatever name they are called."""
    changed = [function for function in functions if not function.__code__.co_freevars]
    codes = [function.__code__ for function in changed]
    try:
        for function in changed:
            function.__code__ = inspect.unwrap(_refuse).__code__
        yield
    finally:
        for function, code in zip(changed, codes, strict=True):
            function.__code__ = code


@contextlib.contextmanager
def _large_stack() -> Iterator[None]:
    before = threading.stack_size()
    try:
        threading.stack_size(_STACK)
    except (ValueError, RuntimeError):  # a system that does not let one choose
        yield
        return
    try:
        yield
    finally:
        threading.stack_size(before)
