"""Executed lessons, kept on disk: one is executed again only when its code, or something that its kernel has read, has changed.

book/pages/executed/NAME.LANGUAGE.KEY.ipynb     KEY is made of the code cells; the notebook says what was read, and how it was
book/pages/kept/STATE/…                         values that took long, for a state of the library and the weights (desk/keeping.py)

A word of prose, a comment, a docstring or a change in a module that a lesson does not import executes nothing.
"""

import ast
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from dalle_edu.classroom.builder import build, execution, notebooks
from dalle_edu.classroom.builder.files_read import PACKAGE, ROOT
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.classroom.desk.code_read import without_docstrings
from dalle_edu.files import write_aside

PAGES = ROOT / "book" / "pages"
VERSIONS = ROOT / "constraints.txt"
_FORM = 1  # of the files; whoever changes what they hold raises it
_STATES = 3  # of each lesson in each language, and of the library, are kept


def executed(lesson: Lesson, language: str, folder: Path = PAGES) -> Any:
    """The lesson's solved notebook, executed, its cost in `metadata["cost"]` (processor seconds, MB).

    It is read from `folder` if it was executed before and all that it read is unchanged. Of several processes that ask for the same, one
    executes. Raises `Faults` for an error or a warning in it.
    """
    notebook = notebooks.everything(lesson, language, build.measured(lesson.path.parents[1]))
    code = _code_cells(notebook)
    path = folder / "executed" / f"{lesson.name}.{language}.{_key(code)}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / f".{lesson.name}.{language}.lock"):
        before = _read(path, len(code)) or _execute(lesson, language, folder, path)
    for cell, ran in zip(code, _code_cells(before), strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    notebook.metadata |= before.metadata
    del notebook.metadata["read"]
    return notebook


def state_of_the_library() -> str:
    """A hash of all code of the package but the builder's and the commands', of the weights and of the pinned versions."""
    modules = [path for path in sorted(PACKAGE.rglob("*.py")) if not {"builder", "cli"} & set(path.relative_to(PACKAGE).parts)]
    files = [VERSIONS, *sorted((ROOT / "data" / "weights").glob("*.safetensors"))]
    known = digests(map(str, modules), map(str, files))
    return hashlib.sha256(json.dumps([platform.python_version(), known]).encode()).hexdigest()[:20]


def digests(modules: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """By path, relative to the project where it lies there, a hash of a module's code or of a file's content; "" for a missing file."""
    known = {}
    for path, how in [*((path, _of_code) for path in modules), *((path, _of_bytes) for path in files)]:
        where = Path(path)
        name = where.relative_to(ROOT).as_posix() if where.is_relative_to(ROOT) else path
        known[name] = known.get(name, "") + _digest(path, how)
    return known


# ---------------------------------------------------------------- pieces


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _key(cells: list[Any]) -> str:
    content = [_FORM, platform.python_version(), [[cell.source, sorted(cell.metadata.get("tags", []))] for cell in cells]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]


def _read(path: Path, cells: int) -> Any:
    """The notebook that was kept; nothing where there is none, where it is damaged, and where something that it read has changed."""
    import nbformat

    try:
        before = nbformat.read(path, as_version=4)
        read = before.metadata["read"]
        now = digests(*([str(ROOT / name) for name in read[kind]] for kind in ("modules", "files")))
        whole = len(_code_cells(before)) == cells and "cost" in before.metadata
        return before if whole and now == read["digests"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.reader.NotJSONError, nbformat.ValidationError):
        return None


def _execute(lesson: Lesson, language: str, folder: Path, path: Path) -> Any:
    import nbformat

    begun = time.time()
    done = execution.run(lesson, language, kept=_kept_values(folder))
    files = [*done.files, str(VERSIONS)]
    known = digests(done.modules, files)
    done.notebook.metadata["cost"] = {"cpu_seconds": done.cpu_seconds, "peak_mb": done.peak_mb}
    done.notebook.metadata["read"] = {"modules": _names(done.modules), "files": _names(files), "digests": known}
    if not any(Path(each).exists() and Path(each).stat().st_mtime > begun for each in (*done.modules, *files)):
        text = nbformat.writes(done.notebook)
        write_aside(path, lambda file: file.write(text.encode()))
        _tidy(path.parent.glob(f"{lesson.name}.{language}.*.ipynb"))
    return done.notebook


def _kept_values(folder: Path) -> Path:
    """The folder of the values that took long, for the library as it is; the oldest others are removed."""
    kept = folder / "kept" / state_of_the_library()
    kept.mkdir(parents=True, exist_ok=True)
    os.utime(kept)
    _tidy(kept.parent.iterdir())
    return kept


def _tidy(paths: Iterable[Path]) -> None:
    """Remove all but the newest."""

    def age(path: Path) -> float:
        try:
            return -path.stat().st_mtime
        except OSError:  # another process has removed it
            return 0.0

    for old in sorted(paths, key=age)[_STATES:]:
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)


def _names(paths: Iterable[str]) -> list[str]:
    return [Path(path).relative_to(ROOT).as_posix() if Path(path).is_relative_to(ROOT) else path for path in paths]


def _digest(path: str, how: Any) -> str:
    try:
        stat = os.stat(path)
        return how(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, SyntaxError):
        return ""


@lru_cache(maxsize=2000)
def _of_code(path: str, *_: int) -> str:
    tree = without_docstrings(ast.parse(Path(path).read_bytes()))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@lru_cache(maxsize=2000)
def _of_bytes(path: str, *_: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
