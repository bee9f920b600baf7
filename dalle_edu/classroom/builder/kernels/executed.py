"""Executed lessons, kept on disk: one is executed again only when its code, or something that its kernel has read, has changed.

book/pages/executed/NAME.LANGUAGE.KEY.ipynb     KEY is made of the code cells; the notebook says what was read, and how it was
book/pages/kept/…                               values that took long, for the lesson's other languages (desk/keeping.py)

A word of prose, a comment, a docstring or a change in a module that a lesson does not import executes nothing.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.kernels.files_read import ROOT, digests
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.files import write_aside

PAGES = ROOT / "book" / "pages"
VERSIONS = ROOT / "constraints.txt"
_FORM = 1  # of the files; whoever changes what they hold raises it
_DIGITS = 20
_STATES = 8  # files of each lesson in each language, and of each value, are left


def executed(lesson: Lesson, language: str, folder: Path = PAGES) -> Any:
    """The lesson's solved notebook, executed, its cost in `metadata["cost"]` (processor seconds, MB).

    It is read from `folder` if it was executed before and all that it read is unchanged. Of several processes that ask for the same, one
    executes. Raises `Faults` for an error or a warning in it.
    """
    notebook = notebooks.everything(lesson, language, build.measured(lesson.path.parents[1]))
    name = f"{lesson.name}.{language}"
    return _filled(notebook, name, folder, lambda: execution.run(lesson, language, kept=folder / "kept"))


def executed_untouched(lesson: Lesson, language: str, folder: Path = PAGES) -> Any:
    """The student's notebook, executed as it is, with its widgets; kept as `executed` keeps the solved one.

    Raises `DalleEduError` for an error or a warning in it.
    """
    notebook, name = notebooks.student(lesson, language), f"{lesson.name}.{language}.untouched"
    return _filled(notebook, name, folder, lambda: execution.run_untouched(lesson, language, kept=folder / "kept"))


# ---------------------------------------------------------------- pieces


def _filled(notebook: Any, name: str, folder: Path, run: Callable[[], execution.Executed]) -> Any:
    """The notebook with the outputs that were kept of its code, or those of a run."""
    code = _code_cells(notebook)
    path = folder / "executed" / f"{name}.{_key(code)}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / f".{name}.lock"):
        before = _read(path, len(code)) or _execute(run, folder, path)
    for cell, ran in zip(code, _code_cells(before), strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    notebook.metadata |= before.metadata
    del notebook.metadata["read"]
    return notebook


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _key(cells: list[Any]) -> str:
    content = [_FORM, platform.python_version(), [[cell.source, sorted(cell.metadata.get("tags", []))] for cell in cells]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGITS]


def _read(path: Path, cells: int) -> Any:
    """The notebook that was kept; nothing where there is none, where it is damaged, and where something that it read has changed."""
    import nbformat

    try:
        before = nbformat.read(path, as_version=4)
        read = before.metadata["read"]
        now = digests(read["modules"], read["files"])
        whole = len(_code_cells(before)) == cells and "cost" in before.metadata
        return before if whole and now == read["digests"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.reader.NotJSONError, nbformat.ValidationError):
        return None


def _execute(run: Callable[[], execution.Executed], folder: Path, path: Path) -> Any:
    import nbformat

    begun, kept = time.time(), folder / "kept"
    done = run()
    files = [*done.files, str(VERSIONS)]
    done.notebook.metadata["cost"] = {"cpu_seconds": done.cpu_seconds, "peak_mb": done.peak_mb}
    done.notebook.metadata["read"] = {"modules": done.modules, "files": files, "digests": digests(done.modules, files)}
    if not any(Path(each).exists() and Path(each).stat().st_mtime > begun for each in (*done.modules, *files)):
        text = nbformat.writes(done.notebook)
        write_aside(path, lambda file: file.write(text.encode()))
        _tidy(path.parent.glob(f"{path.name.removesuffix('.ipynb').rpartition('.')[0]}.{'[0-9a-f]' * _DIGITS}.ipynb"))
    for name in {each.name.partition(".")[0] for each in kept.glob("*.safetensors")}:
        _tidy(kept.glob(f"{name}.*"))
    return done.notebook


def _tidy(paths: Iterable[Path]) -> None:
    """Remove all but the newest."""

    def age(path: Path) -> float:
        try:
            return -path.stat().st_mtime
        except OSError:  # another process has removed it
            return 0.0

    for old in sorted(paths, key=age)[_STATES:]:
        old.unlink(missing_ok=True)
