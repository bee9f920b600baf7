"""The page that students begin on, and what is said to who skips the first cell of a lesson."""

import json
import re

import pytest

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.notebooks import everything
from dalle_edu.classroom.identity import source
from dalle_edu.cli.installation import Finding, in_words


def cells(language: str, name: str) -> list[dict]:
    return json.loads((build.LESSONS / language / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_start_page_links_every_lesson_and_is_none(language):
    text = "\n".join(source(cell) for cell in cells(language, "start"))
    assert all(f"]({lesson.name}.ipynb)" in text for lesson in build.lessons())
    assert all(mark in text for mark in ("✓", "…", "✗", "**?**", "●●●"))
    assert "LESSONS" not in text
    assert source(cells(language, "start")[0]) == {"fr": "# Commencer ici", "en": "# Start here"}[language]
    assert "start" not in [lesson.name for lesson in build.lessons()]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_cells_that_judge_or_ask_need_no_first_cell(language):
    """They import what they call, so none ends in a NameError for `check`, `expect` or `quiz`."""
    for lesson in build.lessons():
        judging = 0
        for cell in cells(language, lesson.name)[3:]:
            text = source(cell)
            for name in ("check", "expect", "quiz"):
                if cell["cell_type"] == "code" and re.search(rf"(?<![.\w]){name}\(", text):
                    assert any(line.startswith("from dalle_edu.classroom.") and name in line for line in text.splitlines()), text
                    judging += 1
        assert judging >= 8


def test_the_set_up_is_said_in_a_sentence(monkeypatch):
    good = [Finding(True, "python", "3.12.1"), Finding(True, "torch", "2.9"), Finding(True, "chosen", "cpu")]
    assert in_words(good) == "All is here: Python 3.12.1, torch 2.9, the weights of the systems. Computing is done on: cpu."
    assert in_words([*good, Finding(False, "numpy", "missing")]) == "To be mended first: numpy: missing. `dalle-edu doctor` says more."
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert in_words([Finding(False, "numpy", "manque")]).startswith("À réparer d'abord")


@pytest.mark.slow
def test_the_start_page_runs(tmp_path):
    start = build.start_page()
    assert start is not None
    execution.execute(everything(start, "en"), tmp_path, start.path, "en")
