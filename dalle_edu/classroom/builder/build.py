"""Notebooks on disk: written from the lessons' sources, compared with those committed, executed, and measured."""

import json
import multiprocessing
import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import notebooks
from dalle_edu.classroom.builder.assignment import assignment
from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.exercises import exercises
from dalle_edu.classroom.builder.faults import problems
from dalle_edu.classroom.builder.faults.numbering import shared
from dalle_edu.classroom.builder.faults.running import fault_of_stop, faults_of_run
from dalle_edu.classroom.builder.settings import SETTINGS, settings
from dalle_edu.classroom.builder.source import Lesson, read
from dalle_edu.classroom.desk.exercises import FILE
from dalle_edu.device import processor_name
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import LANGUAGES

LESSONS = Path(__file__).parents[3] / "lessons"
MEASURED = "measured.json"
START = "start"  # the page that students begin on; it is no lesson, and has no number
TIME_LIMIT = 600  # seconds, of a cell
QUIET = ["--log-level=ERROR"]  # otherwise a kernel warns that its connection, within this machine, is not encrypted


@dataclass(frozen=True)
class Executed:
    """An executed notebook, the processor seconds that it took, and its peak memory in MB."""

    notebook: Any
    cpu_seconds: float
    peak_mb: float


def lessons(folder: Path = LESSONS, names: Sequence[str] = ()) -> list[Lesson]:
    """All lessons, in order, or those that are named, by their names or numbers.

    Raises `DalleEduError` where there is none, or none of a name, and `Faults` with all that is wrong in any of them; without names the
    page that students begin on is looked at too.
    """
    found, faults = with_faults(folder, names)
    if faults:
        raise Faults(faults)
    return [lesson for lesson in found if lesson.path.stem != START]


def with_faults(folder: Path = LESSONS, names: Sequence[str] = ()) -> tuple[list[Lesson], list[Complaint]]:
    """What can be read of all lessons, and of the page that students begin on, or of those named, and all that is wrong in them.

    Raises `DalleEduError` where there is no lesson, or none of a name.
    """
    paths = sorted(path for path in (folder / "sources").glob("*.py") if path.stem != START)
    if not paths:
        raise DalleEduError(f"{folder / 'sources'} holds no lesson", f"{folder / 'sources'} ne contient aucune leçon")
    wanted = _wanted(paths, names or [path.stem for path in paths])
    everywhere = [read(path) for path in paths]
    found = [(lesson, faults) for lesson, faults in everywhere if lesson.name in wanted]
    start = folder / "sources" / f"{START}.py"
    if start.exists() and not names:
        found.append(read(start))
    known = [path.stem for path in paths]
    faults = [fault for lesson, unreadable in found for fault in (*unreadable, *problems(lesson, known))]
    faults += [fault for fault in shared([lesson for lesson, _ in everywhere]) if fault.path.stem in wanted]
    return [lesson for lesson, _ in found], faults


def start_page(folder: Path = LESSONS) -> Lesson | None:
    """The page that students begin on, if the folder has one. Raises `Faults` with all that is wrong in it."""
    path = folder / "sources" / f"{START}.py"
    if not path.exists():
        return None
    page, faults = read(path)
    faults += problems(page, [each.stem for each in path.parent.glob("*.py")])
    if faults:
        raise Faults(faults)
    return page


def measured(folder: Path = LESSONS) -> dict[str, Any]:
    """The cost of each lesson by its number, as `measure` wrote it; empty where nothing was measured."""
    path = folder / MEASURED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def build(folder: Path = LESSONS, names: Sequence[str] = ()) -> list[Path]:
    """Write the students' notebooks in both languages, of all lessons or of those named; returns the paths of the files that changed.

    Their exercises are written too, and without names the page that students begin on. Raises `DalleEduError` for a faulty lesson, and for
    a name that no lesson has.
    """
    return [path for path, text in _texts(folder, names) if _write(path, text)]


def stale(folder: Path = LESSONS, names: Sequence[str] = ()) -> list[Path]:
    """The files that differ from what `build` would write, and without names those that have no source. Raises `DalleEduError` for a faulty
    lesson, and for a name that no lesson has.
    """
    expected = dict(_texts(folder, names))
    differing = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    orphans = (
        [] if names else [path for language in LANGUAGES for path in sorted((folder / language).glob("*.ipynb")) if path not in expected]
    )
    return differing + orphans


def build_course(target: Path, language: str, folder: Path = LESSONS) -> list[Path]:
    """Write an nbgrader course in one language: its settings, and an assignment for each lesson; returns the notebooks' paths.

    Settings that are there already are kept. Raises `DalleEduError` for a faulty lesson.
    """
    paths = []
    if not (target / SETTINGS).exists():
        _write(target / SETTINGS, settings(language))
    for lesson in lessons(folder):
        path = target / "source" / lesson.name / f"{lesson.name}.ipynb"
        _write(path, _json(assignment(lesson, language)))
        paths.append(path)
    return paths


def run(lesson: Lesson, language: str) -> Executed:
    """Execute a lesson's solved notebook, with the cells for slides alone. Raises `Faults` for an error or a warning in it."""
    notebook = notebooks.everything(lesson, language, measured(lesson.path.parents[1]))
    return execute(notebook, lesson.path.parents[2], f"{lesson.name} ({language})", source=lesson.path, language=language)


def execute(notebook: Any, folder: Path, name: str, static: bool = True, source: Path | None = None, language: str = "") -> Executed:
    """Execute a notebook in a working folder; `static` shows pictures in place of widgets. `name` is what errors call it; where `source` is
    given, the file of the lesson, they tell the line in it.

    Raises `Faults` for an error or a warning in it, for an example with another value, and for a kernel that dies or stalls.
    """
    import nbformat

    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=alone) as pool:  # in a process of its own, whose children's cost is that of this notebook alone
        text, seconds, peak, stopped = pool.submit(_execute, _json(notebook), str(folder), static, TIME_LIMIT).result()
    executed, path = nbformat.reads(text, as_version=4), source or folder / name
    faults = [fault_of_stop(path, language, executed, *stopped)] if stopped else list(faults_of_run(path, language, executed, static))
    if faults:
        raise Faults(faults)
    return Executed(executed, seconds, peak)


def measure(folder: Path = LESSONS) -> dict[str, Any]:
    """Execute every lesson in both languages, and write the larger cost of the two, with the machine's description, to `MEASURED`.

    Raises `DalleEduError` for an error or a warning in a lesson.
    """
    costs = {}
    for lesson in lessons(folder):
        runs = [run(lesson, language) for language in LANGUAGES]
        costs[lesson.number] = {
            "cpu_seconds": round(max(one.cpu_seconds for one in runs), 1),
            "peak_mb": round(max(one.peak_mb for one in runs)),
            "download_mb": 0,
            "machine": {"en": f"measured on {_machine('en')}", "fr": f"mesuré sur {_machine('fr')}"},
        }
    _write(folder / MEASURED, json.dumps(costs, indent=2, ensure_ascii=False) + "\n")
    return costs


# ---------------------------------------------------------------- pieces


def _wanted(paths: Sequence[Path], names: Sequence[str]) -> set[str]:
    """The names of the lessons that are asked for, by name or number. Raises `DalleEduError` for one that is no lesson."""
    known = {path.stem: path.stem for path in paths} | {path.stem.partition("_")[0]: path.stem for path in paths}
    for name in names:
        if name.removesuffix(".py") not in known:
            there = ", ".join(path.stem for path in paths)
            raise DalleEduError(f"no lesson is called {name}; there are {there}", f"aucune leçon ne s'appelle {name} ; il y a {there}")
    return {known[name.removesuffix(".py")] for name in names}


def _texts(folder: Path, names: Sequence[str] = ()) -> Iterator[tuple[Path, str]]:
    costs, found = measured(folder), lessons(folder, names)
    start = None if names else start_page(folder)
    for language in LANGUAGES:
        for lesson in found:
            yield folder / language / f"{lesson.name}.ipynb", _json(notebooks.student(lesson, language, costs))
        if start is not None:
            yield folder / language / f"{START}.ipynb", _json(notebooks.student(notebooks.with_lessons(start, found), language))
        yield folder / language / FILE, _exercises(folder / language / FILE, [*found, *([start] if start else [])], language, bool(names))


def _exercises(path: Path, found: Sequence[Lesson], language: str, add: bool) -> str:
    """The exercises of lessons as their file has them; `add` keeps those of other lessons that it holds already."""
    known = json.loads(path.read_text(encoding="utf-8")) if add and path.exists() else {}
    known |= {lesson.name: exercises(lesson, language) for lesson in found}
    order = sorted(known, key=lambda name: (name == START, name))
    return json.dumps({name: known[name] for name in order}, indent=1, ensure_ascii=False) + "\n"


def _json(notebook: Any) -> str:
    import nbformat

    nbformat.validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _write(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda file: file.write(text.encode()))
    return True


def _execute(text: str, folder: str, static: bool, limit: int) -> tuple[str, float, float, tuple[int, str, str] | None]:
    """The executed notebook as text, its processor seconds, its peak memory in MB, and what stopped it, if anything did: the place of the
    cell, the name of the error and its message.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook, begun = nbformat.reads(text, as_version=4), [0]
    with tempfile.TemporaryDirectory() as desk:  # what the reader's own desk holds is neither read nor changed
        os.environ |= {"DALLE_EDU_STATIC": str(int(static)), "OMP_WAIT_POLICY": "PASSIVE", "DALLE_EDU_DESK": desk}
        try:
            NotebookClient(
                notebook,
                timeout=limit,
                kernel_name="python3",
                extra_arguments=QUIET,
                coalesce_streams=True,
                resources={"metadata": {"path": folder}},
                on_cell_start=lambda cell, cell_index: begun.append(cell_index),
            ).execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return nbformat.writes(notebook), 0.0, 0.0, (begun[-1], type(error).__name__, str(error))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return nbformat.writes(notebook), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, None


def _machine(language: str) -> str:
    cores = os.cpu_count() or 1
    return f"{processor_name()}, {cores} cœurs" if language == "fr" else f"{processor_name()}, {cores} cores"
