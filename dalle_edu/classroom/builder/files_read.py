"""An extension of IPython that notes which files of the project a kernel reads, and what each cell costs.

The builder loads it into the kernels of lessons. After each cell the record is written, as JSON, to the file that the environment names:

modules   the project's modules that were imported; a comment in them changes nothing
files     other files that were opened, and modules whose source was opened as text, in which a comment may show

What the builder itself writes, in `book` and `lessons`, is not noted.

Python tells an audit hook of each file that it opens. safetensors opens its files itself: its `safe_open` is wrapped. A value that
`kept` reads brings along what was read when it was made, which is written beside it.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

RECORD = "DALLE_EDU_RECORD"  # the environment variable with the path of the record
PACKAGE = Path(__file__).parents[2]
ROOT = PACKAGE.parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_OURS = (f"{ROOT}{os.sep}", f"{_CACHE / 'dalle_edu'}{os.sep}", f"{_CACHE / 'huggingface'}{os.sep}")
_NOT_READ = (f"{ROOT / 'book'}{os.sep}", f"{ROOT / 'lessons'}{os.sep}", f"{sys.prefix}{os.sep}", f"{sys.base_prefix}{os.sep}")


class Record:
    """What a kernel has read, and the processor seconds of its cells."""

    def __init__(self, path: Path):
        self.path, self.opened, self.cells = path, set[str](), list[float]()
        self.brought, self.kept_seconds, self._begun = set[str](), 0.0, 0.0

    def modules(self) -> set[str]:
        """The files of the project's modules that are imported, and of those that kept values need."""
        files = {getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values())}
        return {file for file in files if file and _is_ours(file) and file != __file__} | self.brought

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """An audit event of Python, or of `kept`."""
        if event == "open":
            path, mode = given[0], given[1]
            if isinstance(path, (str, bytes)) and (mode is None or "r" in mode) and not _importing():
                self.read(os.fsdecode(path))
        elif event == "dalle_edu.kept.write":
            from dalle_edu.files import write_aside

            lists = {"modules": sorted(self.modules()), "files": sorted(self.opened)}
            write_aside(_beside(given[0]), lambda file: file.write(json.dumps(lists).encode()))
        elif event == "dalle_edu.kept.read":
            lists = json.loads(_beside(given[0]).read_text(encoding="utf-8"))
            self.brought.update(lists["modules"])
            self.opened.update(lists["files"])
            self.kept_seconds += given[1]

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
        lists = {"modules": sorted(self.modules()), "files": sorted(self.opened)}
        document = {**lists, "cells": self.cells, "kept_seconds": self.kept_seconds}
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


# ---------------------------------------------------------------- pieces


def _is_ours(path: str) -> bool:
    return path.startswith(_OURS) and not path.startswith(_NOT_READ)


def _importing() -> bool:
    """Whether a file is opened by Python's import, or by this file."""
    caller = sys._getframe(2)
    return caller.f_code.co_filename.startswith(("<frozen importlib", __file__))


def _beside(path: Path) -> Path:
    return Path(path).with_suffix(".json")


def _wrap_safetensors(record: Record) -> None:
    import safetensors

    unheard = safetensors.safe_open

    def safe_open(filename: Any, *args: Any, **options: Any) -> Any:
        record.read(os.fspath(filename))
        return unheard(filename, *args, **options)

    safetensors.safe_open = safe_open
