"""Notebooks on disk: written from the lessons' sources, compared with those committed, executed, and measured."""

import json
import multiprocessing
import os
import re
import resource
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import notebooks
from dalle_edu.classroom.builder.assignment import assignment
from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.exercises import exercises
from dalle_edu.classroom.builder.prose import check_lesson
from dalle_edu.classroom.builder.references import faults_of_references
from dalle_edu.classroom.builder.settings import SETTINGS, settings
from dalle_edu.classroom.builder.source import Lesson, read_lesson
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


def lessons(folder: Path = LESSONS) -> list[Lesson]:
    """All lessons, in order. Raises `DalleEduError` where there is none, and `Faults` with all that is wrong in any of them."""
    paths = sorted(path for path in (folder / "sources").glob("*.py") if path.stem != START)
    if not paths:
        raise DalleEduError(f"{folder / 'sources'} holds no lesson", f"{folder / 'sources'} ne contient aucune leçon")
    found, faults = list[Lesson](), list[Complaint]()
    for path in paths:
        try:
            found.append(read_lesson(path))
            check_lesson(found[-1])
        except Faults as error:
            faults += error.complaints
    faults += [complaint for lesson in found for complaint in faults_of_references(lesson, found)]
    if faults:
        raise Faults(faults)
    return found


def start_page(folder: Path = LESSONS) -> Lesson | None:
    """The page that students begin on, if the folder has one. Raises `DalleEduError` for a fault in it."""
    path = folder / "sources" / f"{START}.py"
    if not path.exists():
        return None
    page = read_lesson(path)
    check_lesson(page)
    return page


def measured(folder: Path = LESSONS) -> dict[str, Any]:
    """The cost of each lesson by its number, as `measure` wrote it; empty where nothing was measured."""
    path = folder / MEASURED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def build(folder: Path = LESSONS) -> list[Path]:
    """Write the students' notebooks and the exercises in both languages; returns the paths of the files that changed.

    Raises `DalleEduError` for a faulty lesson.
    """
    return [path for path, text in _texts(folder) if _write(path, text)]


def stale(folder: Path = LESSONS) -> list[Path]:
    """The files that differ from what `build` would write, and those without a source. Raises `DalleEduError` for a faulty lesson."""
    expected = dict(_texts(folder))
    differing = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    orphans = [path for language in LANGUAGES for path in sorted((folder / language).glob("*.ipynb")) if path not in expected]
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
    """Execute a lesson's solved notebook, with the cells for slides alone. Raises `DalleEduError` for an error or a warning in it."""
    notebook = notebooks.everything(lesson, language, measured(lesson.path.parents[1]))
    return execute(notebook, lesson.path.parents[2], f"{lesson.name} ({language})")


def execute(notebook: Any, folder: Path, name: str, static: bool = True) -> Executed:
    """Execute a notebook in a working folder; `static` shows pictures in place of widgets. `name` is what errors call it.

    Raises `DalleEduError` for an error or a warning in it.
    """
    import nbformat

    alone = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=alone) as pool:  # in a process of its own, whose children's cost is that of this notebook alone
        text, seconds, peak, stopped = pool.submit(_execute, _json(notebook), str(folder), static).result()
    if stopped:
        raise DalleEduError(f"the lesson stopped: {name}: {stopped}", f"la leçon s'est arrêtée : {name} : {stopped}")
    executed = nbformat.reads(text, as_version=4)
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                what = f"{name}: {output.text.strip()[:300]}"
                raise DalleEduError(f"a warning was left in {what}", f"un avertissement est resté dans {what}")
    for cell in executed.cells:
        if "scratch" in cell.metadata.get("tags", []) and static:
            _check_example(cell, name)
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


def _texts(folder: Path) -> Iterator[tuple[Path, str]]:
    costs, found, start = measured(folder), lessons(folder), start_page(folder)
    for language in LANGUAGES:
        for lesson in found:
            yield folder / language / f"{lesson.name}.ipynb", _json(notebooks.student(lesson, language, costs))
        if start is not None:
            yield folder / language / f"{START}.ipynb", _json(notebooks.student(notebooks.with_lessons(start, found), language))
        known = {lesson.name: exercises(lesson, language) for lesson in (*found, *([start] if start else []))}
        yield folder / language / FILE, json.dumps(known, indent=1, ensure_ascii=False) + "\n"


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


def _check_example(cell: Any, name: str) -> None:
    """Raise `DalleEduError` where the value of an example is not the one written behind it as `# → …`."""
    written = re.findall(r"# → (.+)", cell.source)
    outputs = [output.data.get("text/plain", "") for output in cell.outputs if output.output_type in ("execute_result", "display_data")]
    shown = " ".join(" ".join(outputs).split())
    if len(written) != 1 or shown != written[0].strip():
        raise DalleEduError(
            f"{name}: an example gives {shown or cell.outputs}, and says → {written}: {cell.source}",
            f"{name} : un exemple donne {shown or cell.outputs}, et dit → {written} : {cell.source}",
        )


def _execute(text: str, folder: str, static: bool) -> tuple[str, float, float, str]:
    """The executed notebook as text, its processor seconds, its peak memory in MB, and the error that stopped it, if one did."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.reads(text, as_version=4)
    with tempfile.TemporaryDirectory() as desk:  # what the reader's own desk holds is neither read nor changed
        os.environ |= {"DALLE_EDU_STATIC": str(int(static)), "OMP_WAIT_POLICY": "PASSIVE", "DALLE_EDU_DESK": desk}
        try:
            resources = {"metadata": {"path": folder}}
            NotebookClient(
                notebook, timeout=TIME_LIMIT, kernel_name="python3", extra_arguments=QUIET, coalesce_streams=True, resources=resources
            ).execute()
        except CellExecutionError as error:
            return text, 0.0, 0.0, str(error)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return nbformat.writes(notebook), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, ""


def _machine(language: str) -> str:
    cores = os.cpu_count() or 1
    return f"{processor_name()}, {cores} cœurs" if language == "fr" else f"{processor_name()}, {cores} cores"
