"""Every lesson runs from its first cell to its last: solved, as the book shows it, and untouched, as a student first runs it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import nbformat
import pytest

from dalle_edu.classroom.builder import build, execution
from dalle_edu.classroom.builder.executed import executed

LESSONS = {lesson.name: lesson for lesson in build.lessons()}
CPU_SECONDS = 120
SOLVED = [(name, language) for name in LESSONS for language in ("fr", "en")]
UNTOUCHED = list(zip(LESSONS, ["fr", "en"] * len(LESSONS), strict=False))  # each in one language, in turn


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[tuple[str, str, str], Future]]:
    """All the runs, started together, one on each core; the longest lessons come last, so they are begun first."""
    with pytest.MonkeyPatch.context() as environment, ThreadPoolExecutor(os.cpu_count()) as pool:
        environment.setenv("OMP_NUM_THREADS", "1")
        order: list[tuple[str, str, str, Callable]] = [("solved", *each, solved) for each in SOLVED]
        order += [("untouched", *each, untouched) for each in UNTOUCHED]
        order.sort(key=lambda run: run[1], reverse=True)
        yield {(kind, name, language): pool.submit(how, name, language) for kind, name, language, how in order}
        pool.shutdown(wait=False, cancel_futures=True)


def solved(name: str, language: str) -> nbformat.NotebookNode:
    return executed(LESSONS[name], language)


def untouched(name: str, language: str) -> nbformat.NotebookNode:
    path = build.LESSONS / language / f"{name}.ipynb"
    return execution.execute(nbformat.read(path, as_version=4), path.parent, path, language, static=False).notebook


def verdicts(notebook: nbformat.NotebookNode) -> list[str]:
    """What the checks said, as text."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "display_data"]
    texts = [output.data.get("text/plain", "") for output in shown]
    return [text for text in texts if text[:1] in tuple("✓…?✗")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), SOLVED)
def test_a_solved_lesson_runs_without_a_warning_in_little_time(name, language, runs):
    """An error, or anything on stderr, raises; every exercise's check is passed by its solution."""
    notebook = runs["solved", name, language].result()
    assert 0 < notebook.metadata["cost"]["cpu_seconds"] < CPU_SECONDS
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    said = verdicts(notebook)
    assert len(said) >= sum(cell.is_exercise for cell in LESSONS[name].cells)
    assert all(text.startswith("✓") for text in said), said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), UNTOUCHED)
def test_an_untouched_lesson_runs_too_and_asks_for_every_exercise(name, language, runs):
    said = verdicts(runs["untouched", name, language].result())
    asked = [text for text in said if text.startswith("…")]
    assert len(asked) >= sum(cell.is_exercise for cell in LESSONS[name].cells), said
    assert not [text for text in said if text.startswith(("✗", "?"))], said
