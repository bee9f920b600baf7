"""Lessons executed: each notebook in a process of its own, whose processor seconds and memory are counted.

A kernel notes which files it has read, and what each cell cost (`files_read.py`); no cell is added to the notebook for that.
"""

import json
import multiprocessing
import os
import re
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.files_read import RECORD
from dalle_edu.classroom.builder.source import Lesson, edition
from dalle_edu.classroom.desk.keeping import KEPT_BY_THE_BUILDER
from dalle_edu.errors import DalleEduError

TIME_LIMIT = 600  # seconds, of a cell
QUIET = "--log-level=ERROR"  # otherwise a kernel warns that its connection, within this machine, is not encrypted
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
RECORDING = "--IPKernelApp.extra_extensions=dalle_edu.classroom.builder.files_read"


@dataclass(frozen=True)
class Executed:
    """An executed notebook and its cost.

    `cpu_seconds` counts what it would have taken to compute values that were read instead; `peak_mb` is the peak memory in MB. `cells` are
    the processor seconds of its cells of code, in order. `modules` and `files` are what its kernel read of the project.
    """

    notebook: Any
    cpu_seconds: float
    peak_mb: float
    cells: list[float] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


class Stopped(DalleEduError):
    """An error or a warning in a notebook that was executed, in a cell whose code is `source`, at a line of it that is counted from 1."""

    def __init__(self, en: str, fr: str, source: str, line: int = 1):
        super().__init__(en, fr)
        self.en, self.fr, self.source, self.line = en, fr, source, line


def run(lesson: Lesson, language: str, kept: Path | None = None) -> Executed:
    """Execute a lesson's solved notebook, with the cells for slides alone.

    Values that took long are read from and written to the folder `kept`, if one is given. Raises `Faults` for an error or a warning in
    it, with the line of its cell.
    """
    notebook = notebooks.everything(lesson, language, build.measured(lesson.path.parents[1]))
    try:
        return execute(notebook, lesson.path.parents[2], f"{lesson.name} ({language})", kept=kept)
    except Stopped as error:
        raise Faults([Complaint(lesson.path, _line(lesson, language, error), error.en, error.fr)]) from error


def execute(notebook: Any, folder: Path, name: str, static: bool = True, kept: Path | None = None) -> Executed:
    """Execute a notebook in a working folder; `static` shows pictures in place of widgets. `name` is what errors call it.

    Raises `Stopped` for an error or a warning in it, and for a kernel that died or took too long.
    """
    import nbformat

    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=alone) as pool:  # in a process of its own, whose children's cost is that of this notebook alone
        work = pool.submit(_execute, json.dumps(notebook), str(folder), static, str(kept or ""))
        done = work.result()
    if done.stopped:
        raise Stopped(
            f"the lesson stopped: {name}: {done.stopped}; mend the cell",
            f"la leçon s'est arrêtée : {name} : {done.stopped} ; corrigez la cellule",
            done.source,
            done.line,
        )
    executed = nbformat.reads(done.text, as_version=4)
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                what = f"{name}: {output.text.strip()[:300]}"
                raise Stopped(f"a warning was left in {what}", f"un avertissement est resté dans {what}", cell.source)
    for cell in executed.cells:
        if "scratch" in cell.metadata.get("tags", []) and static:
            _check_example(cell, name)
    record = done.record
    return Executed(executed, done.seconds + record["kept_seconds"], done.peak_mb, record["cells"], record["modules"], record["files"])


# ---------------------------------------------------------------- pieces


@dataclass(frozen=True)
class _Done:
    """What comes back from the process of a notebook: its text, cost and record, or what stopped it and the code of that cell."""

    text: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    stopped: str = ""
    source: str = ""
    line: int = 1


def _execute(text: str, folder: str, static: bool, kept: str) -> _Done:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook, begun = nbformat.reads(text, as_version=4), [""]

    def note(cell: Any, **_: Any) -> None:
        begun.append(cell.source)

    with tempfile.TemporaryDirectory() as desk:  # what the reader's own desk holds is neither read nor changed
        record = Path(desk) / "record.json"
        os.environ |= {"DALLE_EDU_STATIC": str(int(static)), "OMP_WAIT_POLICY": "PASSIVE", "DALLE_EDU_DESK": desk}
        os.environ |= {RECORD: str(record), KEPT_BY_THE_BUILDER: kept}
        client = NotebookClient(
            notebook,
            timeout=TIME_LIMIT,
            kernel_name="python3",
            extra_arguments=[QUIET, RECORDING],
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
            on_cell_execute=note,
        )
        try:
            client.execute()
        except CellExecutionError as error:
            where = re.search(r"line (\d+)", _COLOURS.sub("", error.traceback).partition("In[")[2])
            return _Done(stopped=f"{error.ename}: {error.evalue}", source=begun[-1], line=int(where[1]) if where else 1)
        except CellTimeoutError:
            return _Done(stopped=f"TimeoutError: > {TIME_LIMIT} s", source=begun[-1])
        except DeadKernelError as error:
            return _Done(stopped=f"DeadKernelError: {error}", source=begun[-1])
        used, read = resource.getrusage(resource.RUSAGE_CHILDREN), json.loads(record.read_text(encoding="utf-8"))
    return _Done(nbformat.writes(notebook), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, read)


def _check_example(cell: Any, name: str) -> None:
    """Raise `Stopped` where the value of an example is not the one written behind it as `# → …`."""
    written = re.findall(r"# → (.+)", cell.source)
    outputs = [output.data.get("text/plain", "") for output in cell.outputs if output.output_type in ("execute_result", "display_data")]
    shown = " ".join(" ".join(outputs).split())
    if len(written) != 1 or shown != written[0].strip():
        raise Stopped(
            f"{name}: an example gives {shown or cell.outputs}, and says → {written}: {cell.source}",
            f"{name} : un exemple donne {shown or cell.outputs}, et dit → {written} : {cell.source}",
            cell.source,
        )


def _line(lesson: Lesson, language: str, error: Stopped) -> int:
    """The line of the source that was executed, or of its cell; the first line for the cell that the builder writes."""
    cells = [cell for cell in edition(lesson.cells, language) if cell.kind == "code" and cell.text.strip()]
    asked = re.search(r'check\("([\w.:]+)"\)', error.source)
    names = re.findall(r"^(?:def|class) (\w+)", error.source, flags=re.MULTILINE)
    for cell in cells:
        if cell.text.strip() in error.source:
            wanted = error.source.splitlines()[error.line - 1].strip()
            lines = lesson.path.read_text(encoding="utf-8").splitlines()[cell.line :]
            within = next((i for i, line in enumerate(lines) if line.strip() == wanted), -1)
            return cell.line + 1 + within
        if cell.implements and (cell.implements == (asked and asked[1]) or cell.implements.split(":")[1] in names):
            return cell.line
    return 1
