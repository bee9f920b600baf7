"""What every command writes as JSON: all that write a result have the option, and `-` is standard output with nothing else on it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tiny_systems import build, tiny_clip

from dalle_edu.cli import app
from dalle_edu.training.summary import summary

WITHOUT = {"lab"}  # it opens JupyterLab


def commands(group: Any = None, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every command of the program by the words that call it."""
    group = typer.main.get_command(app) if group is None else group
    if not hasattr(group, "commands"):
        return {" ".join(words): group}
    return {name: each for word, inner in group.commands.items() for name, each in commands(inner, (*words, word)).items()}


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    paths = {name: tmp_path / "weights" / f"{name}.safetensors" for name in ("dalle1", "imagen", "dalle2", "clip")}
    for name, path in paths.items():
        (tiny_clip() if name == "clip" else build(name)).save(path)
    return paths


def test_every_command_that_writes_a_result_has_the_option():
    found = commands()
    assert {"train", "generate", "export", "edit vary", "study edits", "rank captions", "doctor", "systems", "score", "book"} <= set(found)
    lacking = {name for name, each in found.items() if not any("--json" in parameter.opts for parameter in each.params)}
    assert lacking == WITHOUT


EDITS = {
    "complete": ("dalle1", ["a.png", "a red circle"]),
    "alter": ("dalle1", ["a.png", "a red circle", "a blue circle"]),
    "inpaint": ("imagen", ["a.png", "a red circle and a dragon"]),
    "vary": ("dalle2", ["a.png"]),
    "mix": ("dalle2", ["a.png", "a.png"]),
    "steer": ("dalle2", ["a.png", "a red circle", "a blue circle"]),
}


@pytest.mark.parametrize("verb", EDITS)
def test_an_edit_tells_what_was_asked_and_what_was_drawn(run, files, verb):
    system, words = EDITS[verb]
    assert run("world", "-n", 1, "--out", "a.png")[0] == 0
    setting = ["--temperature", 0.5] if system == "dalle1" else ["--steps", 3]
    status, out, err = run("edit", verb, *words, "--system", files[system], "-n", 2, "--seed", 3, "--json", "-", *setting)
    told = json.loads(out)
    assert status == 0
    assert (told["edit"], told["system"], told["seed"], told["file"]) == (verb, system, 3, f"{verb}.png")
    assert told["given"] == [word for word in words if word == "a.png"]
    assert told["sentences"] == [word for word in words if word != "a.png"]
    assert len(told["settings"]) == 1
    assert len(told["pictures"]) == 2
    for picture in told["pictures"]:
        assert picture.get("prompt") == (words[-1] if told["sentences"] else None)
        assert ("marks" in picture) == bool(told["sentences"])
        assert isinstance(picture["objects"], list)
    assert ("unread" in told["pictures"][0]) == (verb == "inpaint")
    assert f"→ {verb}.png" in err


def test_a_loop_tells_its_frames(run, files):
    assert run("world", "-n", 1, "--out", "a.png")[0] == 0
    words = ["edit", "loop", "a.png", "--system", files["dalle2"], "--frames", 3]
    assert run(*words, "--json", "loop.json")[0] == 0
    assert len(json.loads(Path("loop.json").read_text(encoding="utf-8"))["pictures"]) == 3
    assert "loop.gif" in run(*words, "--json", "loop.gif")[2]  # which is to be the animation


def test_training_tells_how_the_run_ended(run, direct):
    words = ["train", direct, "--preset", "tiny", "--updates", 12, "--exam", 8, "--device", "cpu", "--run", "r"]
    status, out, err = run(*words, "--json", "-")
    told = json.loads(out)
    assert status == 0, err
    assert (told["system"], told["preset"], told["seed"], told["updates"]) == ("direct", "tiny", 0, 12)
    assert Path(told["weights"]).is_file()
    assert told["loss"] == told["stages"]["paint"]["loss"] > 0
    assert told["seconds"] > 0
    assert 0 <= told["marks"]["shape"] <= 1
    *along, last = err.splitlines()  # no bar: standard error is no terminal
    assert last == f"→ {Path('r/direct.safetensors')}"
    assert along
    assert all(line.startswith("paint, ") and "number" in line for line in along)
    status, again, _ = run(*words, "--json", "-", "-q")  # the run is over, and its log still tells
    assert json.loads(again) == told
    for taken in ("r/run.json", "r/direct.safetensors", "r/log.jsonl", "r/checkpoint.safetensors"):
        before = Path(taken).read_bytes()
        status, _, err = run(*words, "--json", taken)
        assert (status, len(err.splitlines())) == (1, 1)
        assert Path(taken).name in err
        assert Path(taken).read_bytes() == before


def test_a_summary_leaves_out_what_cannot_be_read(tmp_path):
    lines = ['{"stage": "a", "update": 10, "seconds": 1.5, "cpu_seconds": 1, "loss": 2.0}', "5", '{"stage": "a", "upd']
    lines += ['{"stage": "a", "update": 10, "seconds": 1.5, "cpu_seconds": 1, "skills": {"shape": 0.5}}']
    lines += ['{"stage": "b", "update": 4, "seconds": 2, "cpu_seconds": 3, "loss": 1.0}']
    (tmp_path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    told = summary(tmp_path)
    assert (told["updates"], told["seconds"], told["loss"], told["marks"]) == (14, 3.5, 1.0, {"shape": 0.5})
    assert told["stages"]["a"] == {"updates": 10, "seconds": 1.5, "cpu_seconds": 1, "loss": 2.0, "marks": {"shape": 0.5}}
    assert summary(tmp_path / "absent")["loss"] is None


def test_an_export_tells_what_it_wrote(run, files):
    status, out, _ = run("export", "model", "--clip", files["clip"], "--json", "-")
    told = json.loads(out)
    assert status == 0
    assert (told["model"], told["open_clip"]) == ("clip", "local-dir:model")
    assert told["bytes"] == {path.name: path.stat().st_size for path in Path("model").iterdir()}
    status, _, err = run("export", "other", "--clip", files["clip"], "--json", "other/open_clip_config.json")
    assert status == 1
    assert "open_clip_config.json" in err
    assert not Path("other").exists()


def test_other_commands_have_standard_output_to_themselves(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr("dalle_edu.cli.installation.check_installation", list)
    asked: dict[tuple, type] = {
        ("systems", "clip"): list,
        ("doctor",): list,
        ("world", "-n", 2): list,
        ("generate", "a red circle", "un cercle rouge et un dragon", "-n", 1, "--system", files["dalle1"]): dict,
        ("score", files["dalle1"], "--prompts", 8): dict,
        ("rank", "captions", "r1", "-n", 2): dict,
        ("rank", "pictures", "r2", "-n", 2, "--system", files["dalle1"]): dict,
        ("rank", "compare", "r1", "--without-clip"): dict,
        ("lessons", "get", "05", "--to", "mine", "--language", "fr"): list,
        ("lessons", "get", "01", "--to", "mine", "--language", "en"): list,
    }
    for words, kind in asked.items():
        for quiet in ([], ["-q"]) if words[0] in ("systems", "generate", "lessons") else ([],):
            status, out, err = run(*words, "--json", "-", *quiet)
            assert status == 0, err
            assert isinstance(json.loads(out), kind)
            assert not quiet or words[0] == "generate" or err == ""
    assert [each["name"] for each in json.loads(run("rank", "captions", "r3", "-n", 2, "--json", "-")[1])["questions"]] == [
        "captions-00",
        "captions-01",
    ]
    assert "r4" in run("rank", "captions", "r4", "--json", "r4/questions.json")[2]
    assert not Path("r4").exists()


def test_the_builders_list_what_they_wrote(run, monkeypatch, tmp_path):
    pages, site = [tmp_path / "site" / "index.html"], tmp_path / "site"
    monkeypatch.setattr("dalle_edu.classroom.builder.book.publish.build_book", lambda site, names: pages)
    monkeypatch.setattr("dalle_edu.classroom.builder.build.build", lambda folder, names: pages)
    for words in (("book", "--site", site), ("lessons", "build")):
        status, out, err = run(*words, "--json", "-")
        assert status == 0, err
        assert json.loads(out) == {"written": [str(pages[0])]}
        assert err == f"→ {pages[0]}\n"


@pytest.mark.parametrize("words", ["train --js", "edit vary --js", "export --js", "generate --js", "lessons --js"])
def test_the_shell_completes_it(run, monkeypatch, words):
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None, raising=False)  # the program's name is then its file's
    monkeypatch.setenv("_DALLE_EDU_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"dalle-edu {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    assert run()[1].split() == ["--json"]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_bar_is_shown_on_a_terminal_and_not_under_quiet(run, files, direct, quiet, monkeypatch):
    monkeypatch.setattr("dalle_edu.progress_bar._on_terminal", lambda: True)
    monkeypatch.setattr("dalle_edu.progress_bar.PATIENCE", 0.0)
    assert run("world", "-n", 1, "--out", "a.png")[0] == 0
    flags = ["-q"] if quiet else []
    assert ("dalle1, prior |" in run("generate", "a red circle", "--system", files["dalle1"], *flags)[2]) != quiet
    assert ("dalle2, decoder |" in run("edit", "vary", "a.png", "--system", files["dalle2"], *flags)[2]) != quiet
    shown = run("score", files["dalle1"], "--prompts", 8, *flags)[2]
    assert ("dalle1 |" in shown) != quiet
    assert "prior" not in shown  # one bar at a time
    words = ["train", direct, "--preset", "tiny", "--updates", 12, "--exam", 8, "--device", "cpu"]
    shown = run(*words, *flags)[2]
    assert ("paint, CPU" in shown) != quiet
    assert "direct, paint" not in shown
    assert sys.stderr.isatty() is False
