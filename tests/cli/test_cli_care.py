"""What the command line takes care of: nothing that was given is lost, nothing that was asked is ignored, nothing is said too late."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tiny_systems import build, tiny_clip

COMMAND = [sys.executable, "-c", "from dalle_edu.cli import main; main()"]


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.safetensors" for name in ("dalle1", "imagen", "dalle2")}
    for name, path in paths.items():
        build(name).save(path)
    return paths


def refused(answer: tuple[int, str, str], *words: str) -> None:
    status, _, err = answer
    assert status == 1
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


def test_two_results_do_not_share_a_name(run, files):
    refused(run("generate", "a red circle", "--system", files["dalle1"], "--out", "a.png", "--json", "a.png"), "a.png", "twice")
    refused(run("study", "thresholds", files["imagen"], "--out", "b.png", "--json", "./b.png"), "b.png", "twice")
    assert not Path("a.png").exists()


def test_a_picture_that_was_given_is_not_written_over(run, files):
    assert run("world", "-n", 1, "--out", "mine.png")[0] == 0
    before = Path("mine.png").read_bytes()
    for verb, others in (("vary", []), ("inpaint", ["a red circle"])):
        refused(run("edit", verb, "mine.png", *others, "--system", files["dalle2"], "--out", "mine.png"), "mine.png")
    assert Path("mine.png").read_bytes() == before


def test_pictures_come_one_by_one_for_edit_to_take(run, files, tmp_path):
    words = ["generate", "a red circle", "a blue star", "--system", files["dalle2"], "-n", 2, "--out", "sheet.png"]
    assert run(*words, "--apart", "drawn", "--json", "marks.json")[0] == 0
    named = [picture["file"] for picture in json.loads(Path("marks.json").read_text(encoding="utf-8"))["pictures"]]
    assert named == ["0.png", "1.png", "2.png", "3.png"]
    assert sorted(path.name for path in Path("drawn").iterdir()) == named
    side = build("dalle2").resolution
    assert {Image.open(Path("drawn") / name).size for name in named} == {(side, side)}
    refused(run(*words, "--apart", "drawn"), "drawn", "holds something already")
    assert run("edit", "vary", "drawn/0.png", "--system", files["dalle2"], "-n", 1)[0] == 0
    refused(run("edit", "inpaint", "drawn/0.png", "a red circle", "--system", files["dalle2"], "--box", "0.5,0.5,0.501,0.501"), "no pixel")
    refused(run("edit", "steer", "drawn/0.png", "a red circle", "a red circle", "--system", files["dalle2"]), "say the same")


def test_a_sentence_said_twice_is_drawn_and_counted_twice(run, files):
    words = ["generate", "a red circle", "a red circle", "--system", files["dalle1"], "-n", 1, "--out", "twice.png", "--json", "twice.json"]
    status, out, _ = run(*words)
    assert status == 0
    assert out.count("of 1 entirely right") == 2
    assert len(json.loads(Path("twice.json").read_text(encoding="utf-8"))["pictures"]) == 2


def test_what_nothing_would_heed_is_refused(run, files):
    draw = ["generate", "a red circle", "--system", files["dalle2"]]
    refused(run(*draw, "--clip", "clip"), "--candidates")
    refused(run("score", files["dalle1"], "--prompts", 8, "--clip", "clip"), "--candidates")
    refused(run(*draw, "--top-k", 3), "dalle2 takes no top-k; its settings are: guidance-scale, threshold, steps, upsampler-steps")
    refused(run("rank", "captions", "asked", "--download"), "--coco")
    refused(run("rank", "captions", "asked", "--split", "train2017"), "--coco")
    assert run("rank", "captions", "asked", "-n", 3)[0] == 0
    refused(run("rank", "compare", "asked", "--clip", "clip", "--without-clip"), "--without-clip")
    refused(run("train", "dalle2", "--foundation", "clip=a.safetensors", "--foundation", "clip=b.safetensors"), "two foundations")


def test_a_foundation_must_be_what_it_is_named(run, files):
    words = ["train", "dalle2", "--updates", 4, "--run", "new", "--foundation", f"clip={files['dalle1']}"]
    refused(run(*words), "holds dalle1, and clip is wanted")
    refused(run("train", "dalle1", "--updates", 4, "--run", files["dalle1"]), "dalle1.safetensors")


def test_an_export_fills_a_folder_of_its_own(run, tmp_path):
    tiny_clip().save(tmp_path / "clip.safetensors")
    assert run("export", "out", "--clip", tmp_path / "clip.safetensors")[0] == 0
    refused(run("export", "out", "--clip", tmp_path / "clip.safetensors"), "holds something already")


def test_guidances_that_read_alike_are_one(run, files):
    words = ["study", "thresholds", files["imagen"], "--guidances", "1,1.0000001", "--prompts", 8, "--json", "marks.json"]
    assert run(*words)[0] == 0
    assert list(json.loads(Path("marks.json").read_text(encoding="utf-8"))) == ["dynamic, 1", "clip, 1"]


def test_tables_fit_a_terminal(run, files):
    status, out, _ = run("study", "thresholds", files["imagen"], "--prompts", 8)
    assert status == 0
    assert "…" not in out
    assert max(map(len, out.splitlines()[:-1])) <= 80
    for guidance_scale in (1, 2, 4, 8, 16):
        assert out.count(f", {guidance_scale} ") == 2  # with thresholding and without


@pytest.mark.slow
def test_a_terminal_without_arrows_loses_no_picture(files, tmp_path):
    words = ["generate", "a red circle", "--system", str(files["dalle1"]), "-n", "1", "--out", "old.png"]
    old = os.environ | {"PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*COMMAND, *words], cwd=tmp_path, capture_output=True, env=old, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"? old.png" in done.stdout


@pytest.mark.slow
def test_ctrl_c_is_told(files, tmp_path):
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # which a shell's background would have it ignore
    command = [sys.executable, "-c", f"{heard}; from dalle_edu.cli import main; print('at work', flush=True); main()"]
    english = os.environ | {"OMP_NUM_THREADS": "1", "DALLE_EDU_LANGUAGE": "en"}
    words = [*command, "score", str(files["imagen"]), "--prompts", "100000"]
    child = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=english)
    assert child.stdout
    assert child.stdout.readline() == "at work\n"
    began = time.monotonic()
    while child.poll() is None and time.monotonic() - began < 120:  # a first one may be lost while torch is being imported
        time.sleep(5)
        child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.strip().endswith("dalle-edu: interrupted")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_what_the_system_refuses_is_one_sentence():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([*COMMAND, "world", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
