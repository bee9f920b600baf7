"""Bars in notebooks, which no lesson that is executed for the book may show."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from dalle_edu.classroom.builder.kernels.execution import execute
from dalle_edu.progress_bar import Bar, progress_bar

WORK = """
from dalle_edu import progress_bar
progress_bar.PATIENCE = 0
with progress_bar.progress_bar("at work", 4) as bar:
    for done in range(3):  # it ends before its time
        bar.reach(done)
        if bar.shown:
            container = bar._tqdm.container
            shown = container.children[0].value
"""
STATE = 'print(bar.shown, "at work" in shown.replace("\\u2007", " "), container.comm is None)'


def notebook(*cells: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def test_a_notebook_shows_a_bar_and_closes_it(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    client = NotebookClient(notebook(WORK, STATE), timeout=120, kernel_name="python3")
    first, second = client.execute().cells
    assert [output.output_type for output in first.outputs] == ["display_data"]
    assert second.outputs[0].text == "True True True\n"


def test_lessons_are_executed_without_bars(tmp_path, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    done = execute(notebook(WORK + "print(bar.shown)"), tmp_path, Path("lesson.py"), "en")
    (output,) = done.notebook.cells[0].outputs
    assert (output.output_type, output.text) == ("stream", "False\n")


def test_a_bar_is_taken_away_when_the_work_fails(capsys):
    def fail(bar: Bar) -> None:
        bar.reach(1)
        raise KeyError

    with pytest.raises(KeyError), progress_bar("at work", 2, progress=True) as bar:
        fail(bar)
    assert bar.shown  # it still exists, so that nothing but the end of the work has taken it away
    said = capsys.readouterr().err
    assert "at work" in said
    assert "50 %" in said
    assert said.endswith(" \r")


def test_a_bar_that_cannot_be_written_ends_no_work(monkeypatch):
    class Gone:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            self.write("")

    with progress_bar("at work", 2, progress=True, file=Gone()) as bar:
        bar.reach(1)
        bar.reach(2)


@pytest.mark.parametrize("stream", ["closed", None])
def test_without_standard_error_there_is_no_bar(stream, monkeypatch, tmp_path):
    with (tmp_path / "err").open("w") as file:
        pass
    monkeypatch.setattr("sys.stderr", file if stream else None)
    with progress_bar("at work") as bar:
        shown = bar.shown
    monkeypatch.undo()
    assert shown is False
