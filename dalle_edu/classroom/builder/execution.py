"""Lessons executed: each notebook in a process of its own, whose processor seconds and memory are counted.

A kernel notes which files it has read, and what each cell cost (`files_read.py`); no cell is added to the notebook for that.
"""

import json
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import Faults
from dalle_edu.classroom.builder.faults.running import fault_of_stop, faults_of_run
from dalle_edu.classroom.builder.files_read import RECORD
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.classroom.desk.keeping import KEPT_BY_THE_BUILDER

TIME_LIMIT = 600  # seconds, of a cell
QUIET = "--log-level=ERROR"  # otherwise a kernel warns that its connection, within this machine, is not encrypted
RECORDING = "--IPKernelApp.extra_extensions=dalle_edu.classroom.builder.files_read"


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
    return execute(notebooks.student(lesson, language), lesson.path.parents[1] / language, lesson.path, language, static=False, kept=kept)


def execute(notebook: Any, folder: Path, source: Path, language: str, static: bool = True, kept: Path | None = None) -> Executed:
    """Execute a notebook in a working folder; `static` shows pictures in place of widgets. Errors name the file `source`, and its line.

    Raises `Faults` for an error or a warning in it, for an example with another value, and for a kernel that dies or takes too long.
    """
    import nbformat

    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=alone) as pool:  # in a process of its own, whose children's cost is that of this notebook alone
        done = pool.submit(_execute, json.dumps(notebook), str(folder), static, str(kept or ""), TIME_LIMIT).result()
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


# ---------------------------------------------------------------- pieces


@dataclass(frozen=True)
class _Done:
    """What comes back from the process of a notebook: its text, its cost and record, or the place, error and message of what stopped it."""

    text: str
    seconds: float = 0.0
    peak_mb: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    stopped: tuple[int, str, str] | None = None


def _execute(text: str, folder: str, static: bool, kept: str, limit: int) -> _Done:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook, begun = nbformat.reads(text, as_version=4), [0]

    with tempfile.TemporaryDirectory() as desk:  # what the reader's own desk holds is neither read nor changed
        record = Path(desk) / "record.json"
        os.environ |= {"DALLE_EDU_STATIC": str(int(static)), "OMP_WAIT_POLICY": "PASSIVE", "DALLE_EDU_DESK": desk}
        os.environ |= {RECORD: str(record), KEPT_BY_THE_BUILDER: kept, "TQDM_DISABLE": "1"}  # a bar comes or not by the time it takes
        client = NotebookClient(
            notebook,
            timeout=limit,
            kernel_name="python3",
            extra_arguments=[QUIET, RECORDING],
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
            on_cell_start=lambda cell, cell_index: begun.append(cell_index),
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return _Done(nbformat.writes(notebook), stopped=(begun[-1], type(error).__name__, str(error)))
        read = json.loads(record.read_text(encoding="utf-8"))
    return _Done(nbformat.writes(notebook), *_used(read), read)


def _used(record: dict[str, Any]) -> tuple[float, float]:
    """The processor seconds and the peak memory, in MB, of the kernel that has ended; on Windows those of its cells, and no memory."""
    try:
        import resource
    except ImportError:
        return sum(record["cells"]), 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
