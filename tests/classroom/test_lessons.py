"""Every lesson runs from its first cell to its last: solved, as the book shows it, and untouched, as a student first runs it."""

import nbformat
import pytest
from nbclient import NotebookClient

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.book import executed

LESSONS = build.lessons()
CPU_SECONDS = 120


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_solved_lesson_runs_without_a_warning_in_little_time(lesson, language):
    """An error, or anything on stderr, raises in `executed`; every exercise's check is passed by its solution."""
    notebook = executed(lesson, language)
    assert 0 < notebook.metadata["cost"]["cpu_seconds"] < CPU_SECONDS
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    verdicts = [verdict for cell in notebook.cells for verdict in verdicts_in(cell)]
    assert len(verdicts) >= sum(cell.is_exercise for cell in lesson.cells)
    assert all(verdict.startswith("✓") for verdict in verdicts), verdicts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "language"), list(zip(LESSONS, ["fr", "en"] * len(LESSONS), strict=False)), ids=lambda it: getattr(it, "name", it)
)
def test_an_untouched_lesson_runs_too_and_asks_for_every_exercise(lesson, language):
    path = build.LESSONS / language / f"{lesson.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=build.TIME_LIMIT, extra_arguments=build.QUIET, resources=folder).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    verdicts = [verdict for cell in notebook.cells for verdict in verdicts_in(cell)]
    assert sum(verdict.startswith("…") for verdict in verdicts) >= sum(cell.is_exercise for cell in lesson.cells), verdicts


def verdicts_in(cell) -> list[str]:
    """What the checks of a cell said, as text."""
    shown = [output.data.get("text/plain", "") for output in cell.get("outputs", []) if output.output_type == "display_data"]
    return [text for text in shown if text[:1] in "✓…?✗" and text]
