"""Lessons executed: each notebook in a process of its own, whose processor seconds and memory are counted.

A kernel notes which files it has read, and what each cell cost (`files_read.py`); no cell is added to the notebook for that.
"""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import Faults
from dalle_edu.classroom.builder.faults.running import fault_of_stop, faults_of_run
from dalle_edu.classroom.builder.kernels.kernel import execute_here
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.classroom.desk.keeping import KEPT_BY_THE_BUILDER

TIME_LIMIT = 600  # seconds, of a cell


@dataclass(frozen=True)
class Executed:
    """An executed notebook and its cost.

    `cpu_seconds` counts what it would have taken to compute values that were read instead, which are `kept_seconds` of it; `peak_mb` is the
    peak memory in MB. `cells` are the processor seconds of its cells of code, in order. `modules` and `files` are what its kernel read of
    the project.
    """

    notebook: Any
    cpu_seconds: float
    peak_mb: float
    kept_seconds: float = 0.0
    cells: list[float] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def run(lesson: Lesson, language: str, kept: Path | None = None) -> Executed:
    """Execute a lesson's solved notebook, with the cells for slides alone.

    Values that took long are read from and written to the folder `kept`, if one is given. Raises `Faults` for an error or a warning in
    it, with the line of its cell.
    """
    notebook = notebooks.everything(lesson, language, build.measured(lesson.path.parents[1]))
    return execute(notebook, lesson.path.parents[2], lesson.path, language, kept=kept)


def run_untouched(lesson: Lesson, language: str, kept: Path | None = None) -> Executed:
    """Execute the student's notebook as it is, with its widgets; values are kept as `run` keeps them. Raises `Faults` as `run` does."""
    notebook = notebooks.student(lesson, language, lines=True)
    return execute(notebook, lesson.path.parents[1] / language, lesson.path, language, static=False, kept=kept)


def execute(notebook: Any, folder: Path, source: Path, language: str, static: bool = True, kept: Path | None = None) -> Executed:
    """Execute a notebook in a working folder; `static` shows pictures in place of widgets. Errors name the file `source`, and its line.

    Raises `Faults` for an error or a warning in it, for an example with another value, and for a kernel that dies or takes too long.
    """
    import nbformat

    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=alone) as pool:  # in a process of its own, whose children's cost is that of this notebook alone
        environment = {"DALLE_EDU_STATIC": str(int(static)), KEPT_BY_THE_BUILDER: str(kept or "")}
        done = pool.submit(execute_here, json.dumps(notebook), str(folder), environment, TIME_LIMIT).result()
    executed = nbformat.reads(done.text, as_version=4)
    faults = (
        [fault_of_stop(source, language, executed, *done.stopped)]
        if done.stopped
        else list(faults_of_run(source, language, executed, static))
    )
    if faults:
        raise Faults(faults)
    record, read = done.record, done.record["kept_seconds"]
    return Executed(executed, done.seconds + read, done.peak_mb, read, record["cells"], record["modules"], record["files"])
