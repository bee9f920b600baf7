"""The program's own options, errors that nobody foresaw, and what is read from or written to standard streams."""

import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from dalle_edu import __version__, cli
from dalle_edu.cli import unforeseen


def run(*words: str) -> int:
    """The exit status of `dalle-edu` with these words."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["dalle-edu", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
    return end.value.code or 0


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path / "desk"))
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    return tmp_path / "desk"


@pytest.fixture
def broken(monkeypatch):
    """`dalle-edu systems` with a fault of the program, which names a file of this machine and its user."""

    def fail(name):
        raise KeyError(f"{Path.home()}/secret/{getpass.getuser()}")

    monkeypatch.setattr("dalle_edu.systems.interface.registry.model_class", fail)


def test_the_version_is_printed(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"dalle-edu {__version__}\n"


@pytest.mark.parametrize("words", [("-q", "systems", "clip"), ("systems", "clip", "--quiet"), ("systems", "-q", "clip")])
def test_quiet_prints_nothing_wherever_it_stands(words, capsys):
    assert run(*words) == 0
    assert capsys.readouterr() == ("", "")
    assert run("systems", "clip") == 0
    assert "clip" in capsys.readouterr().out


def test_quiet_does_not_silence_an_error(capsys):
    assert run("systems", "nosuch", "-q") == 1
    assert "nosuch" in capsys.readouterr().err


def test_an_error_that_nobody_foresaw_is_one_sentence(broken, capsys, desk):
    assert run("systems", "clip") == unforeseen.STATUS == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert "this should not have happened (KeyError" in said.err
    assert "doctor --report" in said.err
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1
    assert "KeyError" in (desk / "last_error.txt").read_text(encoding="utf-8")


def test_debug_shows_where_it_is(broken, capsys):
    assert run("systems", "clip", "--debug") == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "systems.py" in said


def test_a_report_tells_the_last_error_and_names_nobody(broken, capsys, tmp_path, monkeypatch):
    run("systems", "clip")
    monkeypatch.setattr("dalle_edu.cli.installation.check_installation", list)
    assert run("doctor", "--report", str(tmp_path / "report.txt")) == 0
    text = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert f"dalle_edu {__version__}" in text
    assert "KeyError" in text
    assert "systems.py" in text
    for name in (str(Path.home()), "secret", str(Path(cli.__file__).parents[2]), str(Path.cwd())):
        assert name not in text, name
    assert "whoever gave you the course" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("File /usr/lib/python3/site-packages/torch/nn/x.py, line 3", "File …/x.py, line 3"),
        (r"C:\Users\Zoe\course\run.py: no", "…/run.py: no"),
        ("1/2 of a/b, and/or", "1/2 of a/b, and/or"),
    ],
)
def test_folders_are_left_out(text, without):
    assert unforeseen._without_names(text) == without


def test_without_a_place_for_it_the_error_is_told_all_the_same(broken, capsys, desk):
    desk.write_text("a file where a folder should be", encoding="utf-8")
    assert run("systems", "clip") == 70
    assert "this should not have happened" in capsys.readouterr().err


def test_json_on_standard_output_is_alone_there(capsys):
    assert run("systems", "clip", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "clip"


def test_a_sheet_of_the_world_says_what_is_on_it(tmp_path):
    assert run("world", "-n", "2", "-o", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json"), "-q") == 0
    scenes = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [len(scene["caption"]) > 3 and scene["objects"][0]["shape"] != "" for scene in scenes] == [True, True]


def test_sentences_are_read_from_a_file_and_from_standard_input(tmp_path, monkeypatch, capsys):
    (tmp_path / "sentences.txt").write_text("\ufeffa red circle\n\n  un cœur rose \n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"three green stars"), encoding="utf-8"))
    out = str(tmp_path / "a.png")
    assert run("generate", "a blue square", "--from", str(tmp_path / "sentences.txt"), "-n", "1", "-o", out, "--json", "-") == 0
    prompts = [picture["prompt"] for picture in json.loads(capsys.readouterr().out)["pictures"]]
    assert prompts == ["a blue square", "a red circle", "un cœur rose"]
    assert run("generate", "--from", "-", "-n", "1", "-o", out, "--json", "-") == 0
    assert [picture["prompt"] for picture in json.loads(capsys.readouterr().out)["pictures"]] == ["three green stars"]


def test_no_sentence_and_what_is_no_text_are_refused(tmp_path, capsys):
    assert run("generate") == 1
    assert "no sentence was given" in capsys.readouterr().err
    (tmp_path / "latin.txt").write_bytes("un carré".encode("latin-1"))
    assert run("generate", "--from", str(tmp_path / "latin.txt")) == 1
    assert "is no text in UTF-8 (byte 7)" in capsys.readouterr().err
    assert run("generate", "--from", "/dev/zero") == 1
    assert "is a device or a pipe" in capsys.readouterr().err


def test_the_shell_completes_commands_and_options(monkeypatch, capsys):
    monkeypatch.setenv("_DALLE_EDU_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "dalle-edu gen")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run() == 0
    assert capsys.readouterr().out.split() == ["generate"]
