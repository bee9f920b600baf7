"""`dalle-edu lab`: the lessons are there, JupyterLab is started on them in the reader's language, and it ends with this command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dalle_edu.cli import lab
from dalle_edu.cli.app import app
from dalle_edu.errors import DalleEduError


class Started:
    """A program that notes how it was started, and its settings."""

    def __init__(self, line, env):
        self.line, self.env = line, env
        folder = next(Path(option.partition("=")[2]) for option in line if "app_settings_dir" in option)
        self.settings = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
        Started.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self):
        return 3


@pytest.fixture(autouse=True)
def started(monkeypatch):
    monkeypatch.setattr(lab.subprocess, "Popen", Started)
    monkeypatch.setattr(lab.signal, "signal", lambda *_: None)


def test_it_opens_on_the_readers_lessons(tmp_path):
    folder = tmp_path / "mes leçons"
    done = CliRunner().invoke(app, ["lab", "--language", "fr", "--to", str(folder), "--", "--no-browser", "--LabApp.default_url=/tree"])
    assert done.exit_code == 3
    line = Started.last.line
    assert line[1:3] == ["-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={folder}" in line
    assert [option for option in line if "default_url" in option] == ["--LabApp.default_url=/tree"]
    assert line[-2] == "--no-browser"
    assert Started.last.env["DALLE_EDU_LANGUAGE"] == "fr"
    assert Started.last.settings["overrides.json"] == {"@jupyterlab/translation-extension:plugin": {"locale": "fr_FR"}}
    assert (folder / "start.ipynb").is_file()


def test_a_copy_that_cannot_be_renewed_stops_nothing(tmp_path):
    (tmp_path / "01_perceptron.ipynb").write_text("no notebook", encoding="utf-8")
    done = CliRunner().invoke(app, ["lab", "--language", "en", "--to", str(tmp_path)])
    assert done.exit_code == 3
    assert "01_perceptron" in done.output
    assert (tmp_path / "01_perceptron.ipynb").read_text(encoding="utf-8") == "no notebook"
    assert Started.last.settings["overrides.json"] == {"@jupyterlab/translation-extension:plugin": {"locale": "en"}}


def test_without_jupyterlab_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DalleEduError, match=r"dalle_edu\[course\]"):
        lab.lab(to=tmp_path / "none")
    assert not list(tmp_path.iterdir())


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(DalleEduError, match="give one of"):
        lab.lab(language="xx", to=tmp_path)
