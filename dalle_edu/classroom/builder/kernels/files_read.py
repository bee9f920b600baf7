"""An extension of IPython that notes which files of the project a kernel reads, and what each cell costs.

The builder loads it into the kernels of lessons. After each cell the record is written, as JSON, to the file that the environment names:

modules   the project's modules that were imported; a comment in them changes nothing
files     other files that were opened, and modules whose source was opened as text, in which a comment may show

Files of the project, of the folder that the kernel begins in and of the caches of weights are noted; what the builder itself writes, in
`book` and `lessons`, is not.

Python tells an audit hook of each file that it opens. safetensors opens its files itself: its `safe_open` is wrapped. Beside a value
that `kept` writes stands what had been read when it was made: the value is read as long as that is unchanged, and brings it along.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

RECORD = "DALLE_EDU_RECORD"  # the environment variable with the path of the record
PACKAGE = Path(__file__).parents[3]
ROOT = PACKAGE.parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_OURS = (f"{ROOT}{os.sep}", f"{Path.cwd()}{os.sep}", f"{_CACHE / 'dalle_edu'}{os.sep}", f"{_CACHE / 'huggingface'}{os.sep}")
_NOT_READ = (f"{ROOT / 'book'}{os.sep}", f"{ROOT / 'lessons'}{os.sep}", f"{sys.prefix}{os.sep}", f"{sys.base_prefix}{os.sep}")


class Record:
    """What a kernel has read, and the processor seconds of its cells."""

    def __init__(self, path: Path):
        self.path, self.opened, self.cells = path, set[str](), list[float]()
        self.brought, self.kept_seconds, self._begun, self._answering = set[str](), 0.0, 0.0, False

    def modules(self) -> set[str]:
        """The files of the project's modules that are imported, and of those that kept values need."""
        files = {getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values())}
        return {file for file in files if file and _is_ours(file) and file != __file__} | self.brought

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """An audit event of Python, or of `kept`; what is opened to answer one is not noted."""
        if event == "open" and not self._answering:
            path, mode = given[0], given[1]
            if isinstance(path, (str, bytes)) and (mode is None or "r" in mode) and not _importing():
                self.read(os.fsdecode(path))
        elif event.startswith("dalle_edu.kept."):
            self._answering = True
            try:
                self.written(*given) if event.endswith("write") else self.taken(*given)
            finally:
                self._answering = False

    def written(self, path: Path) -> None:
        """Note beside a value what had been read when it was made."""
        from dalle_edu.files import write_aside

        text = json.dumps({**self.lists(), "digests": digests(self.modules(), self.opened)})
        write_aside(path.with_suffix(".json"), lambda file: file.write(text.encode()))

    def taken(self, path: Path, seconds: float) -> None:
        """Note what a value brings along. Raises `ValueError` where that has changed since, `OSError` where nothing stands beside it."""
        lists = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if digests(lists["modules"], lists["files"]) != lists["digests"]:
            raise ValueError("what it was made of has changed")
        self.brought.update(lists["modules"])
        self.opened.update(lists["files"])
        self.kept_seconds += seconds

    def lists(self) -> dict[str, list[str]]:
        """The paths of modules and of other files."""
        return {"modules": sorted(self.modules()), "files": sorted(self.opened)}

    def read(self, path: str) -> None:
        """Note a file that was opened to be read."""
        path = os.path.abspath(path)
        if _is_ours(path) and not path.endswith(".pyc"):
            self.opened.add(path)

    def begin(self, *_: Any) -> None:
        """Start the clock of a cell."""
        self._begun = time.process_time()

    def end(self, *_: Any) -> None:
        """Stop the clock of a cell and write the record."""
        self.cells.append(round(time.process_time() - self._begun, 3))
        document = {**self.lists(), "cells": self.cells, "kept_seconds": self.kept_seconds}
        self.path.write_text(json.dumps(document), encoding="utf-8")


def load_ipython_extension(shell: Any) -> None:
    """Begin the record, where the environment asks for one."""
    if not os.environ.get(RECORD):
        return
    record = Record(Path(os.environ[RECORD]))
    _wrap_safetensors(record)
    sys.addaudithook(record.hear)
    shell.events.register("pre_run_cell", record.begin)
    shell.events.register("post_run_cell", record.end)


def digests(modules: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """By path, a hash of a module's code, without comments and docstrings, or of a file's content; "" for a missing file."""
    known = dict[str, str]()
    for path, how in [*((path, _of_code) for path in modules), *((path, _of_bytes) for path in files)]:
        try:
            stat = os.stat(path)
            known[path] = known.get(path, "") + how(path, stat.st_mtime_ns, stat.st_size)
        except (OSError, SyntaxError):
            known[path] = ""
    return known


# ---------------------------------------------------------------- pieces


def _is_ours(path: str) -> bool:
    return path.startswith(_OURS) and not path.startswith(_NOT_READ)


def _importing() -> bool:
    """Whether a file is opened by Python's import."""
    return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")


def _wrap_safetensors(record: Record) -> None:
    import safetensors

    unheard = safetensors.safe_open

    def safe_open(filename: Any, *args: Any, **options: Any) -> Any:
        record.read(os.fspath(filename))
        return unheard(filename, *args, **options)

    safetensors.safe_open = safe_open  # type: ignore[misc,assignment]


@lru_cache(maxsize=2000)
def _of_code(path: str, *_: int) -> str:
    import ast

    from dalle_edu.classroom.desk.code_read import ONE_AT_A_TIME, without_docstrings

    with ONE_AT_A_TIME:
        tree = without_docstrings(ast.parse(Path(path).read_bytes()))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@lru_cache(maxsize=2000)
def _of_bytes(path: str, *_: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
