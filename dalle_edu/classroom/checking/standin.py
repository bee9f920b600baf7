"""Stand-ins: the library's version of an exercise that is not done yet, under its name, so that the lesson goes on.

A stand-in says so where it is used, once a cell, and remembers the version that it stands in for.
"""

import functools
from typing import Any

from dalle_edu.language import say

_used: dict[str, object] = {}  # names, and the cell in which their stand-in was last at work
_right: dict[int, tuple[Any, Any]] = {}  # by identity: versions that a check found right, and the library's


def stand_in(library: Any, replaced: Any, name: str) -> Any:
    """The library's function or class, which says so when it is used. `replaced` is the version it stands in for."""
    return _class(library, replaced, name) if isinstance(library, type) else _function(library, replaced, name)


def replaced_by(version: Any) -> Any:
    """The version that a stand-in stands in for; any other version itself."""
    return vars(version)["_replaced"][0] if is_stand_in(version) else version


def is_stand_in(version: Any) -> bool:
    """Whether a function or class stands in for a student's."""
    return "_replaced" in getattr(version, "__dict__", {})


def note_right(version: Any, library: Any) -> None:
    """Remember that a version does what the library's does."""
    _right[id(version)] = version, library  # held, so that no other version gets its identity


def same_in_library(version: Any) -> Any:
    """The library's function or class that a stand-in is made of, or that a version found right does the same as; None for others."""
    if is_stand_in(version):
        return version.__bases__[0] if isinstance(version, type) else version.__wrapped__
    return _right.get(id(version), (None, None))[1]


def used_here() -> list[str]:
    """The names of exercises for which the library's version has been at work in this cell."""
    here = this_cell()
    return [name for name, cell in _used.items() if here is not None and cell == here]


def this_cell() -> object:
    """What tells the cell that is running from all others; outside of notebooks, always the same."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return None if shell is None else shell.execution_count


def _function(library: Any, replaced: Any, name: str) -> Any:
    @functools.wraps(library)
    def standing_in(*args: Any, **options: Any) -> Any:
        _notice(name)
        return library(*args, **options)

    standing_in._replaced = (replaced,)  # type: ignore[attr-defined]
    return standing_in


def _class(library: Any, replaced: Any, name: str) -> Any:
    def begin(self: Any, *args: Any, **options: Any) -> None:
        _notice(name)
        library.__init__(self, *args, **options)

    def noticed(method: Any) -> Any:
        @functools.wraps(method)
        def at_work(self: Any, *args: Any, **options: Any) -> Any:
            _notice(name)
            return method(self, *args, **options)

        return at_work

    methods = {key: noticed(value) for key, value in vars(library).items() if callable(value) and not key.startswith("__")}
    return type(library.__name__, (library,), {**methods, "__init__": begin, "__doc__": library.__doc__, "_replaced": (replaced,)})


def _notice(name: str) -> None:
    if _used.get(name, ...) == this_cell() and this_cell() is not None:
        return
    first, _used[name] = name not in _used, this_cell()
    if this_cell() is None and not first:
        return
    print(say(f"… the library's `{name}` stands in for yours here", f"… ici, le `{name}` de la bibliothèque remplace le vôtre"))
