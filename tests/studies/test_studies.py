"""`dalle-edu study`: every study runs on small systems, and writes what it prints."""

import json

import pytest
import torch
from PIL import Image
from tiny_systems import build, tiny_clip

from dalle_edu.studies.wording import study_openings
from dalle_edu.world import caption_tokenizer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The weights of untrained systems, by name."""
    folder = tmp_path_factory.mktemp("weights")
    for name in ("dalle1", "imagen", "dalle2"):
        build(name).save(folder / f"{name}.safetensors")
    tiny_clip().save(folder / "clip.safetensors")
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("system", "edits"),
    [("dalle1", {"complete", "alter colour", "alter shape"}), ("imagen", {"inpaint"}), ("dalle2", {"vary", "mix", "inpaint"})],
)
def test_each_system_is_asked_for_the_edits_that_it_has(run, files, tmp_path, system, edits):
    status, out, _ = run("study", "edits", files[system], "--prompts", 8, "--json", tmp_path / "edits.json")
    found = json.loads((tmp_path / "edits.json").read_text())["edits"]
    assert status == 0
    assert set(found) == edits
    assert all(edit.split()[0] in out for edit in edits)
    if "inpaint" in edits:
        assert found["inpaint"]["touched"] <= 1e-6


def test_candidates_make_a_curve(run, files, tmp_path):
    words = ["study", "candidates", files["dalle1"], "--clip", files["clip"], "--most", 4, "--prompts", 8]
    assert run(*words, "--json", tmp_path / "curve.json", "--out", tmp_path / "curve.png")[0] == 0
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.width > picture.height > 300
    assert "a.jpg" in run(*words, "--out", "a.jpg")[2]
    curve = json.loads((tmp_path / "curve.json").read_text())
    assert list(curve) == ["1", "2", "4", "any"]
    assert sum(rate["correct"] for rate in curve["any"]["skills"].values()) >= max(
        sum(rate["correct"] for rate in curve[number]["skills"].values()) for number in "124"
    )


def test_wordings_of_a_system_and_of_a_critic(run, files, tmp_path):
    assert run("study", "wording", files["dalle1"], "--prompts", 8, "--json", tmp_path / "system.json")[0] == 0
    by_opening = json.loads((tmp_path / "system.json").read_text())
    assert list(by_opening) == ["plain", "picture of", "there is", "never heard"]
    assert run("study", "wording", files["clip"], "--prompts", 8, "--json", tmp_path / "critic.json")[0] == 0
    assert len(json.loads((tmp_path / "critic.json").read_text())["wordings"]) == 32


def test_no_opening_makes_a_sentence_too_long_for_the_systems():
    asked: list[str] = []

    class Reads:
        def generate(self, prompts, *, seed):
            asked.extend(prompts)
            return torch.ones(len(prompts), 3, 16, 16)

    study_openings(Reads(), "reads", 1024)
    assert len(asked) == 4 * 1024
    caption_tokenizer().encode(asked, 20)  # which refuses what is longer


def test_thresholds_are_pictured(run, files, tmp_path):
    words = ["study", "thresholds", files["imagen"], "--guidances", "1,8", "--prompts", 8, "--out", tmp_path / "sheet.png"]
    assert run(*words)[0] == 0
    assert Image.open(tmp_path / "sheet.png").width < Image.open(tmp_path / "sheet.png").height
    status, _, complaint = run("study", "thresholds", files["imagen"], "--guidances", "1;8")
    assert status == 1
    assert "1,2,4" in complaint
    for words, about in ((("--guidances", "1,60"), "a number from 0 to 50"), (("--out", tmp_path / "sheet.jpg"), "PNG")):
        status, _, complaint = run("study", "thresholds", "no such system", *words)  # said before anything is loaded
        assert status == 1
        assert about in complaint
    words = ["study", "thresholds", files["imagen"], "--guidances", "1,1", "--prompts", 8, "--out", tmp_path / "one.png"]
    assert run(*words)[0] == 0
    status, _, complaint = run("study", "thresholds", files["dalle1"])
    assert status == 1
    assert "threshold" in complaint


def test_priors_are_compared(run, files, tmp_path):
    status, out, _ = run("study", "priors", files["dalle2"], "--prompts", 8, "--json", tmp_path / "priors.json")
    assert status == 0
    assert "…" not in out  # no name is cut
    compared = json.loads((tmp_path / "priors.json").read_text())
    assert list(compared) == ["diffusion, z, y", "diffusion, z", "autoregressive, z, y", "autoregressive, z"]
    status, _, complaint = run("study", "priors", files["dalle1"])
    assert status == 1
    assert "has no prior" in complaint


def test_text_encoders_are_compared_in_text_and_in_pictures(run, files, tmp_path):
    status, out, _ = run(
        "study", "text-encoders", files["imagen"], files["imagen"], "--prompts", 32, "--json", tmp_path / "text_encoders.json"
    )
    assert status == 0
    assert "1 × 16" in out
    first, second = json.loads((tmp_path / "text_encoders.json").read_text())["text_encoders"]
    assert first == second
    assert set(first["told_apart"]) == {"space", "binding", "number", "size", "shape", "colour"}
    assert first["text_encoder_parameters"] > 0
    status, _, complaint = run("study", "text-encoders", files["dalle1"])
    assert status == 1
    assert "has no text encoder" in complaint
