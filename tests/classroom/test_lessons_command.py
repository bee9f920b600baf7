"""`dalle-edu lessons` for authors: all lessons or those named, formulas compiled by MathJax, and what is missing said."""

import json
import shutil

import pytest

from dalle_edu.classroom.builder import latex
from dalle_edu.classroom.builder.complaints import REPOSITORY, Complaint, Faults
from dalle_edu.classroom.builder.slides import slide_count
from dalle_edu.cli.lessons import Action, lessons
from dalle_edu.errors import DalleEduError
from tests.careful_lesson import CAREFUL, write

MATHJAX = pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "book/node_modules/mathjax").is_dir(), reason="needs Node.js and `npm ci` in book/"
)


@pytest.fixture
def folder(tmp_path):
    """Two lessons; the second has a fault."""
    write(tmp_path)
    write(tmp_path, CAREFUL.replace('"98"', '"99"').replace("98_careful", "99_other").replace("level=2", "level=7"), "99_other.py")
    return tmp_path


def test_a_named_lesson_is_built_alone(folder):
    lessons(Action.build, ["98"], folder=folder)
    assert sorted(path.name for path in folder.rglob("*.ipynb")) == ["98_careful.ipynb"] * 2
    with pytest.raises(Faults, match=r"99_other.py:84: level is 7"):
        lessons(Action.build, folder=folder)


def test_building_one_lesson_keeps_the_exercises_of_others(folder):
    lessons(Action.build, ["98_careful"], folder=folder)
    path = folder / "sources" / "99_other.py"
    path.write_text(path.read_text(encoding="utf-8").replace("level=7", "level=2"), encoding="utf-8")
    lessons(Action.build, ["99"], folder=folder)
    (found, *_) = folder.glob("en/*.json")
    assert list(json.loads(found.read_text(encoding="utf-8"))) == ["98_careful", "99_other"]


def test_a_name_of_no_lesson_is_refused(folder):
    for action in (Action.build, Action.check, Action.run):
        with pytest.raises(DalleEduError, match="no lesson is called 97; there are 98_careful, 99_other"):
            lessons(action, ["97"], folder=folder)


@MATHJAX
def test_a_check_tells_formulas_and_stale_notebooks(folder, monkeypatch):
    lessons(Action.build, ["98"], folder=folder)
    with pytest.raises(Faults, match=r"98_careful.py:1: 2 slides; a deck has 25 to 50"):
        lessons(Action.check, ["98"], folder=folder)
    monkeypatch.setattr(slide_count, "slide_faults", lambda lesson: ())
    lessons(Action.check, ["98"], folder=folder)
    path = folder / "sources" / "98_careful.py"
    path.write_text(CAREFUL.replace("Now write the step", "Write the step"), encoding="utf-8")
    with pytest.raises(DalleEduError, match=r"out of date: en/98_careful.ipynb; run `dalle-edu lessons build 98`"):
        lessons(Action.check, ["98"], folder=folder)
    path.write_text(CAREFUL.replace(r"\frac{1}", r"\frak{1}{"), encoding="utf-8")
    with pytest.raises(Faults, match=r"98_careful.py:24: a formula does not compile"):
        lessons(Action.check, ["98"], folder=folder)


@MATHJAX
def test_the_courses_formulas_compile():
    from dalle_edu.classroom.builder import build

    assert latex.faults_of_formulas(build.with_faults()[0]) == []


@MATHJAX
def test_a_formula_of_several_lines_is_told_at_the_line_of_its_macro(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# Title\n\n$$ a \\\\\n\\nothing b $$\n\n`$ code`, \\$5 and $x$\n", encoding="utf-8")
    (fault,) = latex.faults_of_formulas([], [path])
    assert (fault.line, "Undefined control sequence \\nothing" in fault.en) == (4, True)


def test_a_missing_node_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(latex.shutil, "which", lambda name: None)
    with pytest.raises(DalleEduError, match="install it"):
        latex.compiled([("x", False)])
    monkeypatch.undo()
    monkeypatch.setattr(latex, "BOOK", tmp_path)
    monkeypatch.setattr(latex.shutil, "which", lambda name: "node")
    with pytest.raises(DalleEduError, match="npm ci"):
        latex.compiled([("x", False)])


def test_a_place_is_told_from_the_repository_on(tmp_path):
    assert Complaint(REPOSITORY / "lessons/sources/05_attention.py", 12, "x", "x").place == "lessons/sources/05_attention.py:12"
    assert Complaint(tmp_path / "a.py", 1, "x", "x").place == f"{tmp_path / 'a.py'}:1"
