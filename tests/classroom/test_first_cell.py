"""Whoever skips the first cell of a lesson is told so in a sentence, in the notebook's language; other notebooks are left alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.first_cell import lesson_language

CONFIG = Path(__file__).parents[2] / "data" / "jupyter" / "ipython_kernel_config.json"


def said(path: Path, *cells: str) -> list[str]:
    """What a new kernel for a notebook prints for each of some cells; an error that is shown begins with its name."""
    manager = KernelManager(kernel_name="python3")
    options = [f"--{app}.{key}={value}" for app, given in json.loads(CONFIG.read_text()).items() for key, value in given.items()]
    manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": str(path), "DALLE_EDU_LANGUAGE": "en"}, extra_arguments=options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        texts = []
        for cell in cells:
            shown: list[str] = []

            def hear(message, shown=shown):
                content = message["content"]
                shown.append(content.get("text") or content.get("data", {}).get("text/plain", "") or content.get("ename", ""))

            client.execute_interactive(cell, timeout=60, output_hook=hear, store_history=True)
            texts.append("".join(shown))
        return texts
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_a_skipped_first_cell_is_told_in_the_language_of_the_notebook():
    path = build.LESSONS / "fr" / "01_perceptron.ipynb"
    first = next(cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code")
    check = 'from dalle_edu.classroom.checks import check\n\nstep = check("perceptron:step")'
    skipped, judged, _, known, still = said(path, "np.zeros(3)", check, "".join(first["source"]), "int(np.zeros(3).sum())", "no_such_name")
    assert skipped.startswith("`np` n'est pas encore connu\u00a0: lancez la première cellule")
    assert "`step` n'existe pas encore" in judged
    assert known == "0"
    assert still == "NameError"  # once the lesson is open, errors are Python's own


@pytest.mark.slow
def test_other_notebooks_are_left_alone(tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', encoding="utf-8")
    assert said(path, "np.zeros(3)") == ["NameError"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"metadata": {"dalle_edu": 3}}', '{"metadata": {"dalle_edu": {"language": "de"}}}'])
def test_a_file_that_is_no_lesson_has_no_language(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text, encoding="utf-8")
    assert lesson_language(str(path)) == lesson_language(str(tmp_path / "missing.ipynb")) == ""


def test_a_kernel_starts_without_torch():
    code = "import sys, dalle_edu.classroom.first_cell; print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
