"""A system defined outside the package is known wherever those of the package are, with no line of the package changed."""

import inspect
import json
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_model
from dalle_edu.publishing import cards
from dalle_edu.systems import interface
from dalle_edu.systems.interface.registry import model_class, system_names

FILE = Path(__file__).parents[1] / "outside" / "direct.py"
WEIGHTS = "runs/direct-tiny/direct.safetensors"


def test_it_trains_resumes_draws_scores_and_has_a_true_card(run, direct, monkeypatch):
    train = ("train", direct, "--preset", "tiny", "--updates", 30, "--exam", 8, "--device", "cpu")
    status, out, err = run(*train)
    assert status == 0, err
    assert WEIGHTS in out
    before = Path(WEIGHTS).read_bytes()
    Path(WEIGHTS).unlink()
    assert run(*train)[0] == 0  # from the checkpoint
    assert Path(WEIGHTS).read_bytes() == before
    there = f"{direct}@{WEIGHTS}"
    assert run("generate", "a red circle", "--system", there, "-n", 2, "--out", "drawn.png", "--set", "loudness=0.5")[0] == 0
    assert run("score", there, "--prompts", 8, "--guidance-scale", 2, "--json", "score.json")[0] == 0
    assert json.loads(Path("score.json").read_text(encoding="utf-8"))["system"] == "direct"
    status, out, _ = run("systems", direct)
    assert status == 0
    assert "paint" in out
    assert "loudness" in out
    monkeypatch.setattr(cards, "PROMPTS", 8)
    cards.publish(Path("runs/direct-tiny"), Path("published"), device="cpu")
    card = Path("published/direct.md").read_text(encoding="utf-8")
    assert "dalle-edu train direct.py:Direct --preset tiny --updates 30 --seed 0 --exam 8" in card
    assert "dalle-edu score direct.py:Direct@direct.safetensors --prompts 8" in card
    assert "| `paint` | 30 |" in card
    assert "prior" not in card
    assert "reconstructed" not in card


def test_the_example_in_the_documentation_of_the_interface_works_as_it_stands(run, direct):
    said = inspect.getdoc(interface) or ""
    start, end = said.index("    from collections.abc"), said.index("Every command that takes a system takes this one")
    Path("mine.py").write_text(textwrap.dedent(said[start:end]), encoding="utf-8")
    commands = [line.split()[1:] for line in said[end:].replace("\\\n", " ").splitlines() if line.startswith("    dalle-edu ")]
    assert [words[0] for words in commands] == ["train", "generate", "score", "systems"]
    train, generate, score, systems = (shlex.split(" ".join(words)) for words in commands)
    train[train.index("--updates") + 1] = "2"
    for words in ([*train, "--exam", 0], [*generate, "--out", "drawn.png"], [*score, "--prompts", 4], systems):
        status, out, err = run(*words)
        assert status == 0, err
    assert "grain 0.1" in out
    assert run(*generate, "--set", "grain=much")[0] == 1


def test_its_settings_are_refused_by_name(run, direct):
    assert run("train", direct, "--preset", "tiny", "--updates", 2, "--exam", 0, "--device", "cpu")[0] == 0
    there = f"{direct}@{WEIGHTS}"
    status, _, err = run("generate", "a red circle", "--system", there, "--temperature", 1)
    assert status == 1
    assert "direct takes no temperature; its settings are: guidance-scale, loudness" in err
    status, _, err = run("generate", "a red circle", "--system", there, "--set", "loudness")
    assert status == 1
    assert "NAME=VALUE" in err
    status, _, err = run("generate", "a red circle", "--system", there, "--set", "loudness=very")
    assert status == 1
    assert "loudness is 'very'; it takes a number" in err
    status, _, err = run("generate", "a red circle", "--system", direct)
    assert status == 1
    assert "names no weights" in err


def test_what_is_no_system_is_refused(direct):
    Path("nothing.py").write_text("Nothing = 1\n", encoding="utf-8")
    refused = {
        "nothing.py:Nothing": "no system called Nothing",
        "absent.py:Absent": "no file absent.py",
        f"{direct}s": "no system called Directs",
    }
    for name, says in refused.items():
        with pytest.raises(DalleEduError, match=says):
            model_class(name)


def test_a_name_is_borne_once(direct):
    Path("twin.py").write_text(
        Path("direct.py").read_text(encoding="utf-8").replace("class Direct(System)", "class Twin(System)"), encoding="utf-8"
    )
    model_class(direct)
    with pytest.raises(DalleEduError, match='a system "direct" already'):
        model_class("twin.py:Twin")


def test_weights_of_an_unknown_system_say_how_to_name_it(direct, run):
    """In a process where nothing has named the file, its class is unknown, and nothing executes what it loads."""
    assert run("train", direct, "--preset", "tiny", "--updates", 2, "--exam", 0, "--device", "cpu")[0] == 0
    code = f"from dalle_edu.loading import load_model\nload_model({WEIGHTS!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "name its file and class too: FILE.py:CLASS@" in ended.stderr
    assert load_model(f"{direct}@{WEIGHTS}").name == "direct"
    assert "direct" in system_names()
