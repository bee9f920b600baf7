"""Notebooks on disk: written from the lessons' sources, and compared with those committed."""

import json
from collections.abc import Iterator
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
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import languages
from dalle_edu.world.catalogue import LANGUAGES

LESSONS = Path(__file__).parents[3] / "lessons"
MEASURED = "measured.json"
START = "start"  # the page that students begin on; it is no lesson, and has no number


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
    """The cost of each lesson by its number, as `make measure` wrote it; empty where nothing was measured."""
    path = folder / MEASURED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def build(folder: Path = LESSONS) -> list[Path]:
    """Write the students' notebooks and the exercises in every language; returns the paths of the files that changed.

    Raises `DalleEduError` for a faulty lesson.
    """
    return [path for path, text in _texts(folder) if _write(path, text)]


def stale(folder: Path = LESSONS) -> list[Path]:
    """The files that differ from what `build` would write, and those without a source. Raises `DalleEduError` for a faulty lesson."""
    expected = dict(_texts(folder))
    differing = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    orphans = [path for language in languages() for path in sorted((folder / language).glob("*.ipynb")) if path not in expected]
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


# ---------------------------------------------------------------- pieces


def _texts(folder: Path) -> Iterator[tuple[Path, str]]:
    costs, found, start = measured(folder), lessons(folder), start_page(folder)
    for language in languages():
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
