"""Grading: checks that know the library from its files again, whatever the notebook has made of it.

A cell that gives points begins with

    import importlib
    import dalle_edu.classroom.grading
    check, expect = importlib.reload(dalle_edu.classroom.grading).judges()

so that redefining `check`, `expect` or functions of the library earns nothing, nor does handing in what comes from the library. An exercise
that uses another one is graded for itself: where the library stands in for the other, a right value is right.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def judges() -> tuple[Callable[..., Any], Callable[..., None]]:
    """`check` and `expect` of a library that is read from its files anew. Both raise `AssertionError` for all that is not right."""
    with _other_library() as fresh:
        checks = importlib.import_module("dalle_edu.classroom.checks")
        for name in ("references", "mistakes"):
            getattr(importlib.import_module("dalle_edu.classroom.checking.proof"), name)()
        fresh |= {name: module for name, module in sys.modules.items() if _is_ours(name)}
    vars(checks)["used_here"] = list  # an empty one: no value waits for another exercise

    def strictly(judge: Callable[..., Any]) -> Callable[..., Any]:
        def judged(*args: Any, **options: Any) -> Any:
            before = {name: module for name, module in sys.modules.items() if _is_ours(name)}
            sys.modules.update(fresh)
            os.environ["DALLE_EDU_STRICT"] = "1"
            try:
                return judge(*args, **options)
            finally:
                sys.modules.update(before)

        return judged

    return strictly(checks.check), strictly(checks.expect)


@contextmanager
def _other_library() -> Iterator[dict[str, Any]]:
    """Import the library as if for the first time; afterwards the modules that the notebook knows are back."""
    known = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    importlib.invalidate_caches()
    try:
        yield {}
    finally:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(known)


def _is_ours(name: str) -> bool:
    return name == "dalle_edu" or name.startswith("dalle_edu.")
