"""Students' copies: brought, kept byte for byte, renewed with their answers, and refused in a sentence where they cannot be."""

import json
import os
from copy import deepcopy
from pathlib import Path

import pytest

from dalle_edu.classroom import copies, running
from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.source import read_lesson
from dalle_edu.classroom.identity import source
from dalle_edu.errors import DalleEduError
from tests.trial_lesson import GOOD, write

ANSWER = "def step(z):\n    return (z >= 0).astype(float)\n"
CHANGED = GOOD.replace("The decision is written here", "Here the decision is written").replace("half = 1 / 2", "half = 2 / 4")


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """The folder that lessons come from, with one in it."""
    folder = tmp_path / "shipped"
    monkeypatch.setattr(copies, "shipped_lessons", lambda language: folder)
    monkeypatch.setattr(copies, "open_in_jupyter", lambda path: False)
    ship(folder, GOOD)
    return folder


def ship(folder: Path, text: str) -> dict:
    """Put an edition of the lesson where lessons come from."""
    made = notebooks.student(read_lesson(write(folder.parent, text)), "en")
    folder.mkdir(exist_ok=True)
    (folder / "99_trial.ipynb").write_text(build._json(made), encoding="utf-8")
    return made


def get(tmp_path: Path) -> copies.Copy:
    (copy,) = copies.get_lessons([], "en", tmp_path / "mine")
    return copy


def edit(path: Path, start: str, text: str) -> None:
    """Write `text` in the cell that begins with `start`."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    (cell,) = [cell for cell in notebook["cells"] if source(cell).startswith(start)]
    cell["source"] = text.splitlines(keepends=True)  # as JupyterLab writes it
    path.write_text(json.dumps(notebook), encoding="utf-8")


def add_after(path: Path, start: str, cell: dict) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    place = next(i for i, each in enumerate(notebook["cells"]) if source(each).startswith(start))
    notebook["cells"].insert(place + 1, cell)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def texts(path: Path) -> list[str]:
    return [source(cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


OWN = {"cell_type": "markdown", "id": "0b4e3a52-3f2f-4a4f-9d1a-8a9d2c0c7f11", "metadata": {}, "source": "my own note"}


def test_a_first_copy_is_the_lesson_and_says_its_version(shipped, tmp_path):
    copy = get(tmp_path)
    assert copy.kind == "new"
    assert copy.version == copies.facts(json.loads(copy.path.read_text()))["version"]
    assert copy.path.read_bytes() == (shipped / "99_trial.ipynb").read_bytes()


def test_a_copy_whose_lesson_has_not_changed_stays_byte_for_byte(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    add_after(path, "def step", OWN)
    before = path.read_bytes()
    assert get(tmp_path).kind == "kept"
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_changed_lesson_has_the_answers_and_what_was_added(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    edit(path, "half = ", "half = 0.5")
    add_after(path, "def step", OWN)
    before = path.read_bytes()
    ship(shipped, CHANGED)
    copy = get(tmp_path)
    assert copy.kind == "merged"
    found = texts(path)
    assert found.index("my own note") == found.index(ANSWER) + 1
    assert "half = 0.5" in found
    assert any("Here the decision is written" in text for text in found)
    assert not any("The decision is written here" in text for text in found)
    assert not any("NotImplementedError" in text and "def step" in text for text in found)
    assert "Your answers are in it, 2 in all" in found[1]
    (kept,) = (path.parent / "before").iterdir()
    assert kept.read_bytes() == before
    assert f"before/{kept.name}" in found[1]
    assert get(tmp_path).kind == "kept"  # and now it stays


def test_a_second_change_drops_the_first_note_and_keeps_both_files(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    for text in (CHANGED, GOOD):
        ship(shipped, text)
        assert get(tmp_path).kind == "merged"
    assert sum("This lesson has changed" in text for text in texts(path)) == 1
    assert ANSWER in texts(path)
    assert len(list((path.parent / "before").iterdir())) == 2


def test_an_answer_to_an_exercise_with_a_new_text_is_kept_beside_that_text(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    stub = json.loads((shipped / "99_trial.ipynb").read_text())
    for cell in stub["cells"]:
        if source(cell).startswith("def step"):
            cell["source"] = source(cell).replace("z >= 0", "z > 0 or z == 0")
            cell["id"] = copies_id = "123456789abc"
            cell["metadata"]["dalle_edu"] = {"exercise": "neurons:step", "stub": copies_id}  # its module moved, too
    stub["metadata"]["dalle_edu"]["cells"] = [cell["id"] for cell in stub["cells"]]
    (shipped / "99_trial.ipynb").write_text(json.dumps(stub))
    get(tmp_path)
    found = texts(path)
    place = found.index(ANSWER)
    assert "This exercise has changed" in found[place + 1]
    assert "z > 0 or z == 0" in found[place + 1]


def test_an_exercise_that_went_away_leaves_its_answer(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "half = ", "half = 0.5")
    ship(shipped, GOOD.split("# %% level=2")[0])
    get(tmp_path)
    found = texts(path)
    assert "no longer in the lesson" in found[found.index("half = 0.5") - 1]


def test_edited_prose_is_kept_and_prose_that_was_not_edited_gives_way(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "## A step", "## A step\n\nmy words on the decision")
    ship(shipped, CHANGED)
    get(tmp_path)
    found = texts(path)
    assert "## A step\n\nmy words on the decision" in found
    assert sum("Here the decision is written" in text for text in found) == 1
    edit(path, "$$ y", "$$ y = 2 $$")  # this one has not changed in the lesson: the student's stands alone
    ship(shipped, GOOD)
    get(tmp_path)
    assert "$$ y = 2 $$" in texts(path)
    assert "$$ y = 1 $$" not in texts(path)


def test_what_an_older_version_or_colab_did_not_write_is_not_needed(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    with_facts = json.loads(path.read_text())
    older, colab = deepcopy(with_facts), deepcopy(with_facts)
    del older["metadata"]["dalle_edu"]
    for cell in older["cells"]:
        cell["metadata"].pop("dalle_edu", None)
    for cell in colab["cells"]:
        del cell["id"]
    ship(shipped, CHANGED)
    counts = []
    for notebook in (with_facts, older, colab):
        path.write_text(json.dumps(notebook))
        assert get(tmp_path).kind == "merged"
        assert texts(path).count(ANSWER) == 1
        assert not any("The decision is written here" in text for text in texts(path))
        counts.append(len(texts(path)))
        assert len({cell["id"] for cell in json.loads(path.read_text())["cells"]}) == counts[-1]
    assert len(set(counts)) == 1


def test_of_two_answers_none_is_lost(shipped, tmp_path):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    notebook = json.loads(path.read_text())
    (cell,) = [cell for cell in notebook["cells"] if source(cell) == ANSWER]
    add_after(path, "def step", {**cell, "id": "another", "source": ANSWER + "# again"})
    ship(shipped, CHANGED)
    get(tmp_path)
    assert {ANSWER, ANSWER + "# again"} <= set(texts(path))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "content", [b"", b'{"cells": [', b"[]", b'{"nbformat": 3, "worksheets": []}', b"\xff\xfe", b'{"nbformat": 4, "cells": [1]}']
)
def test_a_damaged_copy_is_left_as_it_is(shipped, tmp_path, content):
    path = get(tmp_path).path
    path.write_bytes(content)
    copy = get(tmp_path)
    assert copy.kind == "refused"
    assert "damaged" in copy.says
    assert path.read_bytes() == content


def test_an_open_notebook_and_a_link_are_not_renewed(shipped, tmp_path, monkeypatch):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    before = path.read_bytes()
    ship(shipped, CHANGED)
    monkeypatch.setattr(copies, "open_in_jupyter", lambda path: True)
    assert "is open in Jupyter" in get(tmp_path).says
    monkeypatch.setattr(copies, "open_in_jupyter", lambda path: False)
    path.rename(tmp_path / "elsewhere.ipynb")
    path.symlink_to(tmp_path / "elsewhere.ipynb")
    assert "is a link" in get(tmp_path).says
    assert (tmp_path / "elsewhere.ipynb").read_bytes() == before
    (tmp_path / "elsewhere.ipynb").unlink()
    assert "a link to a file that is not there" in get(tmp_path).says
    assert not (path.parent / "before").exists()


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_leaves_the_copy_whole(shipped, tmp_path, monkeypatch, fails_at):
    path = get(tmp_path).path
    edit(path, "def step", ANSWER)
    before, calls = path.read_bytes(), []
    ship(shipped, CHANGED)

    def replace(*names):
        calls.append(names)
        if len(calls) == fails_at:
            raise OSError(28, "No space left on device")
        return rename(*names)

    rename = os.replace
    monkeypatch.setattr(os, "replace", replace)
    copy = get(tmp_path)
    assert copy.kind == "refused"
    assert "no space left" in copy.says
    assert path.read_bytes() == before
    assert not list(path.parent.rglob(".*"))


def test_a_place_that_cannot_be_written_is_named(shipped, tmp_path):
    (tmp_path / "mine").write_text("a file")
    copy = get(tmp_path)
    assert copy.kind == "refused"
    assert "not a folder one may write in" in copy.says
    with pytest.raises(DalleEduError, match="where the lessons come from"):
        copies.get_lessons([], "en", shipped)


def test_the_command_names_the_lessons_that_there_are_and_says_what_it_did(shipped, tmp_path, run):
    status, _, err = run("lessons", "get", "07", "--to", "mine")
    assert (status, "there are: 99_trial" in err) == (1, True)
    status, out, err = run("lessons", "get", "99", "--language", "en", "--to", "mine")
    assert (status, err) == (0, "")
    assert "99_trial.ipynb: new, version 0." in out
    assert "as it was" in run("lessons", "get", "--to", "mine")[1]
    (tmp_path / "mine" / "99_trial.ipynb").write_text("{")
    status, _, err = run("lessons", "get", "--to", "mine")
    assert (status, "damaged" in err) == (1, True)
    assert run("lessons", "check", "99")[0] == 1


def test_copies_go_to_work_in_a_clone_and_beside_the_reader_elsewhere(tmp_path, monkeypatch):
    assert copies.own_folder("fr") == copies._CLONE / "work" / "fr"
    monkeypatch.setattr(copies, "_CLONE", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert copies.own_folder("fr") == tmp_path / "dalle-lessons" / "fr"
    assert "work/" in (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()


def test_a_server_that_has_the_notebook_open_is_found(tmp_path, monkeypatch):
    """A small server answers as Jupyter does; one that is gone is passed over."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Jupyter(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            right = self.headers["Authorization"] == "token secret" and self.path == "/api/sessions"
            self.wfile.write(json.dumps([{"path": "en/a.ipynb"}] if right else []).encode())

        def log_message(self, *words):
            pass

    served = HTTPServer(("127.0.0.1", 0), Jupyter)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    known = {"root_dir": str(tmp_path), "token": "secret"}
    gone = {**known, "url": "http://127.0.0.1:9/"}
    monkeypatch.setattr(
        "jupyter_server.serverapp.list_running_servers", lambda: [gone, {**known, "url": f"http://127.0.0.1:{served.server_port}/"}]
    )
    assert running.open_in_jupyter(tmp_path / "en" / "a.ipynb")
    assert not running.open_in_jupyter(tmp_path / "en" / "b.ipynb")
    served.shutdown()


@pytest.mark.parametrize(("language", "words"), [("en", "brings the new lesson"), ("fr", "la nouvelle leçon aura vos réponses")])
def test_a_check_of_an_exercise_that_is_gone_answers_in_a_sentence(language, words, monkeypatch, capsys):
    from dalle_edu.classroom.checks import check

    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    version = object()
    assert check(version, "sampling:draw") is version  # as notebooks of 0.1 wrote it
    assert words in capsys.readouterr().out
    assert check("nowhere") is None
    assert "nowhere" in capsys.readouterr().out
