"""Mistakes as edits: a wrong version that is the library's code with a few words replaced.

edited("mlp:softmax", "axis=-1", "axis=0", "The softmax runs over the batch; …", "Le softmax porte sur le lot ; …")
"""

import importlib
import inspect
import linecache
import textwrap
from typing import Any

from dalle_edu.classroom.checking.proof import Mistake, library_version


def edited(target: str, *edits_and_explanations: str) -> Mistake:
    """The mistake of a version in whose code some words are replaced: old, new, and so on; then its explanation in English and in French.

    Raises `LookupError` where the code of `target` has no such words.
    """
    *edits, en, fr = edits_and_explanations
    library = library_version(target)
    code, name = textwrap.dedent(inspect.getsource(library)), target.split(":")[1]
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        if old not in code:
            raise LookupError(f"the code of {target} has no {old!r}, which a mistake replaces")
        code = code.replace(old, new)
    return Mistake(target, _made(code, importlib.import_module(library.__module__), name, edits[-1]), en, fr)


def _made(code: str, module: Any, name: str, title: str) -> Any:
    file = f"<{name}: {title}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)  # so that the code can be shown
    scope = dict(vars(module))
    exec(compile(code, file, "exec"), scope)  # the library's own code, but for the edit
    version = scope[name]
    version.__name__ = version.__qualname__ = f"{name}: {title}"
    return version
