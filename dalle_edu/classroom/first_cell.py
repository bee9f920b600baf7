"""Before the first cell of a lesson: its language is known, and a name that it would have defined is asked for in a sentence.

An IPython extension. `etc/ipython/ipython_kernel_config.json` in the environment names it: each kernel loads it as it starts. In any
notebook but a lesson's it does nothing; `open_lesson`, in the first cell, takes its place.
"""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from dalle_edu.language import languages, say, speak


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython as a kernel starts. Jupyter's server says in the environment which notebook the kernel is for."""
    language = lesson_language(os.environ.get("JPY_SESSION_NAME", ""))
    if language:
        speak(language)
        shell.set_custom_exc((NameError,), _skipped)


def lesson_language(path: str) -> str:
    """The code of the language of the lesson in a notebook; empty for any other file."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        language = notebook["metadata"]["dalle_edu"]["language"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return language if language in languages() else ""


def _skipped(shell: Any, kind: type[BaseException], error: NameError, trace: TracebackType, tb_offset: int | None = None) -> None:
    """IPython's handler of `NameError` before the first cell: a sentence in place of the traceback."""
    en = f"`{error.name}` is not known yet: run the first cell of code in this notebook (click in it, Shift+Enter), then this one again."
    fr = f"`{error.name}` n'est pas encore connu : lancez la première cellule de code de ce notebook (cliquez dedans, Maj+Entrée), puis "
    print(say(en, fr + "de nouveau celle-ci."))
