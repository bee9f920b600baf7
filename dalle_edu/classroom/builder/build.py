"""Notebooks on disk: written from the lessons' sources, and compared with those committed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import notebooks
from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.exercises import exercises
from dalle_edu.classroom.builder.faults import problems
from dalle_edu.classroom.builder.faults.numbering import shared
from dalle_edu.classroom.builder.links.references import faults_of_references
from dalle_edu.classroom.builder.nbgrader.assignment import assignment
from dalle_edu.classroom.builder.nbgrader.settings import SETTINGS, settings
from dalle_edu.classroom.builder.source import Lesson, read
from dalle_edu.classroom.desk.exercises import FILE
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import languages

LESSONS = Path(__file__).parents[3] / "lessons"
MEASURED = "measured.json"
START = "start"  # the page that students begin on; it is no lesson, and has no number


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
    wanted = chosen([path.stem for path in paths], names)
    everywhere = [read(path) for path in paths]
    found = [(lesson, faults) for lesson, faults in everywhere if lesson.name in wanted]
    start = folder / "sources" / f"{START}.py"
    if start.exists() and not names:
        found.append(read(start))
    known = [path.stem for path in paths]
    faults = [fault for lesson, unreadable in found for fault in (*unreadable, *problems(lesson, known))]
    faults += [fault for fault in shared([lesson for lesson, _ in everywhere]) if fault.path.stem in wanted]
    course = [lesson for lesson, _ in everywhere]
    faults += [fault for lesson in course if lesson.name in wanted for fault in faults_of_references(lesson, course)]
    return [lesson for lesson, _ in found], faults


def chosen(lessons: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of the lessons that are asked for, by name or number; all where none is. Raises `DalleEduError` for what is no lesson."""
    known = {key: lesson for lesson in lessons for key in (lesson, lesson.partition("_")[0])}
    asked = [name.removesuffix(".py") for name in names]
    for name in asked:
        if name not in known:
            there = ", ".join(lessons)
            raise DalleEduError(f"no lesson is called {name}; there are {there}", f"aucune leçon ne s'appelle {name} ; il y a {there}")
    return [lesson for lesson in lessons if not names or lesson in {known[name] for name in asked}]


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
    """The cost of each lesson by its number, as `make measure` wrote it; empty where nothing was measured."""
    path = folder / MEASURED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def build(folder: Path = LESSONS, names: Sequence[str] = ()) -> list[Path]:
    """Write the students' notebooks in every language, of all lessons or of those named; returns the paths of the files that changed.

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
    orphans = [] if names else [path for code in languages() for path in sorted((folder / code).glob("*.ipynb")) if path not in expected]
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


def _texts(folder: Path, names: Sequence[str] = ()) -> Iterator[tuple[Path, str]]:
    costs, found = measured(folder), lessons(folder, names)
    start = None if names else start_page(folder)
    for language in languages():
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
