"""The command line: what it writes, and that each mistake ends in one sentence, a non-zero status and nothing half-written."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_systems import build, tiny_clip

from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.scorecard import SKILLS
from dalle_edu.systems.dalle1 import DallE1, DallE1Config, DallE1Model

COMMAND = [sys.executable, "-c", "from dalle_edu.cli import main; main()"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    gpt = GPTConfig(num_codes=32, width=32, depth=1, heads=2)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    DallE1(DallE1Config(DallE1Model(DVAEConfig(resolution=32, num_codes=32, width=16, depth=1), gpt))).save(path)
    return path


def assert_one_sentence(status: int, err: str, *words: str) -> None:
    assert status not in (0, None)
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


def test_generate_writes_a_grid_with_captions_and_its_marks(run, weights, tmp_path):
    prompts = ["un grand cercle rouge à gauche d'un petit carré bleu", "three green stars"]
    status, out, err = run("generate", *prompts, "--system", weights, "-n", 3, "--out", "grid.png", "--json", "grid.json")
    assert (status, err) == (0, "")
    assert Image.open(tmp_path / "grid.png").size[0] > 3 * 192
    pictures = json.loads((tmp_path / "grid.json").read_text())["pictures"]
    assert [picture["prompt"] for picture in pictures] == [prompts[0]] * 3 + [prompts[1]] * 3
    assert "position" in pictures[0]["marks"]
    assert "counting" in pictures[3]["marks"]
    assert "attribution des couleurs" in out
    assert "number" in out


def test_generate_is_repeatable_and_follows_its_seed(run, weights, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("generate", "a red circle", "--system", weights, "--seed", seed, "--temperature", 1, "--out", f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_unknown_words_are_named_in_the_users_language_and_the_rest_is_drawn(run, weights, tmp_path):
    status, _, err = run("generate", "un cercle rouge et fluorescent", "--system", weights, "--out", "x.png")
    assert status == 0
    assert "«\u00a0fluorescent\u00a0»" in err
    assert "Vocabulaire" in err
    assert (tmp_path / "x.png").exists()


def test_what_is_not_read_gets_no_marks(run, weights, tmp_path):
    """One circle is no right answer to "5 red circles": the command says what it did not read, and marks what it read."""
    prompts = ["5 red circles", "aucun cercle rouge", "red circles", "2 red circles"]
    status, out, err = run("generate", *prompts, "--system", weights, "-n", 1, "--out", "x.png", "--json", "x.json")
    assert status == 0
    assert "Only the numbers from 1 to 4 are read." in err
    assert "Une négation ne se lit pas" in err
    assert '5 red circles: the examiner does not read "5": no marks' in out
    assert "aucun cercle rouge\u00a0: l'examinateur ne lit pas «\u00a0aucun\u00a0»\u00a0: pas de note" in out
    assert "red circles: the examiner cannot read this sentence: no marks" in out
    assert out.count("entirely right") == 1
    pictures = json.loads((tmp_path / "x.json").read_text())["pictures"]
    assert [picture["marks"] is None for picture in pictures] == [True, True, True, False]
    assert [picture.get("unread") for picture in pictures] == [["5"], ["aucun"], [], None]


def test_score_writes_the_report(run, weights, tmp_path):
    status, out, _ = run("score", weights, "--prompts", 24, "--json", "score.json")
    report = json.loads((tmp_path / "score.json").read_text())
    assert status == 0
    assert "number" in out
    assert (report["system"], report["seed"], report["prompts"]) == ("dalle1", 0, 24)
    sections = [report["skills"], *report["languages"].values(), *report["splits"].values()]
    assert set(report["languages"]) == {"fr", "en"}
    assert set(report["splits"]) == {"seen", "held_out"}
    for section in sections:
        assert set(section) == set(SKILLS)
        for rate in section.values():
            assert set(rate) == {"n", "correct", "rate", "low", "high"}
            assert 0 <= rate["low"] <= rate["rate"] <= rate["high"] <= 1
    assert report["skills"]["shape"]["n"] == 24


def test_world_draws_a_sheet(run, tmp_path):
    assert run("world", "--n", 5, "--out", "w.png")[0] == 0
    assert Image.open(tmp_path / "w.png").format == "PNG"


def test_doctor_names_what_is_installed(run):
    _, out, _ = run("doctor")
    assert torch.__version__.split("+")[0] in out
    assert "devices" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", ""], "empty"),
        (["generate", "x" * 10_000], "10000 characters"),
        (["generate", "a red\x07circle"], "U+0007"),
        (["generate", "красный круг"], "красный"),
        (["generate", "un chat violet"], "«\u00a0chat\u00a0»"),
        (["generate", "a red circle", "-n", "0"], "0 pictures"),
        (["generate", "a red circle", "-n", str(10**9)], "1000000000 pictures"),
        (["generate", "a red circle", "--out", "picture.jpg"], ".png"),
        (["generate", "a red circle", "--guidance", "-3"], "guidance"),
        (["generate", "a red circle", "--temperature", "99"], "temperature"),
        (["generate", "a red circle", "--top-k", "0"], "top-k"),
        (["generate", "a red circle", "--device", "abacus"], "abacus"),
        (["score", "--prompts", "0"], "0 prompts"),
        (["world", "--n", "0"], "0 scenes"),
        (["world", "--split", "nowhere"], "nowhere"),
        (["world", "--resolution", "100000"], "100000"),
        (["train", "dalle1", "--preset", "enormous"], "enormous"),
        (["train", "dalle9"], "dalle9"),
        (["train", "dalle1", "--minutes", "0"], "minutes"),
    ],
)
def test_bad_input_ends_in_one_sentence(run, weights, tmp_path, words, said):
    if words[0] == "generate":
        words = [*words, "--system", str(weights)]
    elif words[0] == "score":
        words = ["score", str(weights), *words[1:]]
    status, _, err = run(*words)
    assert_one_sentence(status, err, said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file/below/picture.png", "."])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(run, weights, tmp_path, place):
    (tmp_path / "file").write_text("not a folder")
    status, _, err = run("generate", "a red circle", "--system", weights, "--out", place if place != "." else "folder.png")
    if place == ".":  # a folder of that name
        (tmp_path / "folder.png").unlink()
        (tmp_path / "folder.png").mkdir()
        status, _, err = run("generate", "a red circle", "--system", weights, "--out", "folder.png")
    assert_one_sentence(status, err)


def test_a_damaged_checkpoint_is_refused(run, weights, tmp_path):
    whole = weights.read_bytes()
    altered = bytearray(whole)
    altered[-100] ^= 1
    for name, contents in {"truncated": whole[:5000], "altered": bytes(altered), "foreign": b"PK\x03\x04 a zip", "empty": b""}.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(contents)
        status, _, err = run("generate", "a red circle", "--system", path, "--out", "x.png")
        assert_one_sentence(status, err, name)
        assert not (tmp_path / "x.png").exists()


def test_a_full_disk_leaves_the_old_file_and_says_so(run, weights, tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(b"the old picture")

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    status, _, err = run("generate", "a red circle", "--system", weights, "--out", "x.png")
    assert_one_sentence(status, err, "no space left")
    assert (tmp_path / "x.png").read_bytes() == b"the old picture"
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit on memory is set the way of Linux")
def test_no_memory_ends_in_one_sentence(tmp_path):
    def little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    words = ["train", "dalle1", "--updates", "4", "--batch-size", "65536", "--exam", "0", "--run", str(tmp_path / "run"), "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, preexec_fn=little_memory, env=environment, timeout=200, check=False
    )
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    assert "memory" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_ctrl_c_while_training_saves_and_says_how_to_go_on(tmp_path):
    words = [
        "train",
        "dalle1",
        "--updates",
        "5000",
        "--batch-size",
        "2",
        "--exam",
        "0",
        "--save-every",
        "0",
        "--run",
        str(tmp_path / "run"),
    ]
    child = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    began = time.monotonic()
    while not checkpoint.exists() and child.poll() is None and time.monotonic() - began < 120:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert "goes on from it" in err
    assert checkpoint.exists()


def test_all_systems_are_compared_in_one_table(run, weights, monkeypatch, tmp_path):

    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "dalle1.safetensors").write_bytes(weights.read_bytes())
    for module in ("loading", "checkpoints.shipped"):
        monkeypatch.setattr(f"dalle_edu.{module}.weights_path", lambda name: tmp_path / "w" / f"{name}.safetensors")
    status, out, _ = run("score", "all", "--prompts", 8, "--json", "all.json")
    assert status == 0
    assert "dalle1" in out
    assert "imagen" not in out  # whose weights are not there
    (entry,) = json.loads(Path("all.json").read_text(encoding="utf-8"))["systems"]
    assert entry["bytes"] == weights.stat().st_size
    assert entry["evaluations_per_picture"] == 65
    assert entry["seconds_per_picture"] > 0
    assert set(entry["skills"]) == set(SKILLS)
    status, out, _ = run("generate", "un cercle rouge", "--system", "all", "-n", 2, "--out", "all.png", "--json", "drawn.json")
    assert status == 0
    assert [picture["system"] for picture in json.loads(Path("drawn.json").read_text(encoding="utf-8"))["pictures"]] == ["dalle1", "dalle1"]


def test_settings_that_nobody_examined_has_are_refused(run, weights, tmp_path):
    build("imagen").save(tmp_path / "imagen.safetensors")
    tiny_clip().save(tmp_path / "clip.safetensors")
    for words, names in (
        (("all", "--guidance", 2), ("all", "guidance_scale")),
        ((tmp_path / "imagen.safetensors", "--temperature", 0.5), ("imagen", "temperature")),
        ((tmp_path / "clip.safetensors", "--candidates", 4), ("clip", "candidates")),
    ):
        status, _, err = run("score", *words, "--prompts", 8)
        assert_one_sentence(status, err, *names)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    status, _, err = run("rank", "pictures", tmp_path / "full", "--system", "no such system")
    assert_one_sentence(status, err, "holds something already")


def test_brackets_in_a_sentence_are_printed_as_they_are(run, weights):
    status, out, _ = run("generate", "a [red] circle [/b]", "--system", weights, "-n", 1, "--out", "brackets.png")
    assert status == 0
    assert "a [red] circle [/b]" in out


def test_an_edit_says_which_words_it_does_not_know(run, weights):
    assert run("world", "-n", 1, "--resolution", 32, "--out", "one.png")[0] == 0
    words = ["edit", "complete", "one.png", "a red circle and a dragon", "--system", weights, "-n", 1]
    status, _, err = run(*words)
    assert status == 0
    assert "dragon" in err


def test_all_systems_without_any_weights(run, monkeypatch):
    import dalle_edu.loading

    monkeypatch.setattr(dalle_edu.loading, "trained_systems", list)
    for words in (("generate", "un cercle", "--system", "all"), ("score", "all")):
        status, _, err = run(*words)
        assert_one_sentence(status, err, "dalle-edu train dalle1")


def test_a_setting_that_the_system_does_not_have_is_refused(run, weights):
    status, _, err = run("generate", "un cercle rouge", "--system", weights, "--steps", 5, "--out", "no.png")
    assert_one_sentence(status, err, "steps", "temperature")
    assert not Path("no.png").exists()
