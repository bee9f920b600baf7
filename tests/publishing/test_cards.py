"""Cards: what they say of weights is what the run's own files say."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from tiny_systems import TINY, tiny_clip

from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.publishing import cards
from dalle_edu.scorecard import SKILL_NAMES, SKILLS
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The folder of a tiny run of each kind, and of what was published of it."""
    folder = tmp_path_factory.mktemp("cards")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cards, "PROMPTS", 100)  # a gallery of captions
        for name, config in (("imagen", TINY["imagen"]().config), ("clip", tiny_clip().config)):
            patched.setitem(model_class(name).presets, "tiny", config)
            train(Run(name, "tiny", seed=4, updates=40, batch_size=4, exam=16), folder / name, device="cpu", quiet=True)
            cards.publish(folder / name, folder / "weights", device="cpu")
        yield folder


@pytest.mark.parametrize("name", ["imagen", "clip"])
def test_what_is_published_is_the_run(published, name):
    weights = published / "weights"
    assert (weights / f"{name}.safetensors").read_bytes() == (published / name / f"{name}.safetensors").read_bytes()
    report = json.loads((weights / f"{name}.json").read_text())
    assert report["training"]["commands"] == [f"dalle-edu train {name} --preset tiny --updates 40 --seed 4 --batch-size 4 --exam 16"]
    looks = [json.loads(line) for line in (weights / f"{name}.log.jsonl").read_text().splitlines()]
    assert {look["stage"] for look in looks} == {stage.name for stage in model_class(name)(model_class(name).presets["tiny"]).stages}
    for language, suffix in (("en", ""), ("fr", ".fr")):
        card = (weights / f"{name}{suffix}.md").read_text()
        assert report["training"]["commands"][0] in card
        assert f"{name}.{language}.png" in card
        assert (weights / f"{name}.{language}.png").is_file()
        assert str(torch.__version__) in card
        assert "{" not in card
        assert "16 p" in card  # prompts, or phrases, at each look


def test_a_french_card_is_french(published):
    card = (published / "weights" / "imagen.fr.md").read_text()
    assert "encodeur de texte" in card
    assert "updates" not in card.replace("--updates", "")
    assert "à chaque examen" in card
    assert "examen ;" not in card  # the space before a semicolon does not break


def test_weights_are_published_with_the_settings_that_their_preset_has_today(published, tmp_path, monkeypatch):
    config = TINY["imagen"]().config
    sampling, recipe = replace(config.sampling, guidance_scale=3.5), replace(config.recipe, caption_dropout=0.9)
    monkeypatch.setitem(model_class("imagen").presets, "tiny", replace(config, sampling=sampling, recipe=recipe))
    monkeypatch.setattr(cards, "PROMPTS", 100)
    cards.publish(published / "imagen", tmp_path, device="cpu")
    tensors, facts = load_checkpoint(tmp_path / "imagen.safetensors")
    learned, before = load_checkpoint(published / "imagen" / "imagen.safetensors")
    assert facts["config"]["sampling"] == before["config"]["sampling"] | {"guidance_scale": 3.5}
    assert facts["config"]["recipe"] == before["config"]["recipe"]  # what training went by stays
    assert facts["config"]["model"] == before["config"]["model"]
    assert all(torch.equal(tensors[name], learned[name]) for name in learned)


def test_published_twice_a_run_is_told_once(published, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PROMPTS", 100)
    shutil.copytree(published / "weights", tmp_path / "weights")
    begin = str(published / "weights" / "imagen.safetensors")
    log = [json.loads(line) for line in (published / "weights" / "imagen.log.jsonl").read_text().splitlines()]
    before = max(look["update"] for look in log if look["stage"] == "base")
    more = Run("imagen", "tiny", seed=5, updates=8, batch_size=4, exam=16, only="base", begin_with=begin)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(model_class("imagen").presets, "tiny", TINY["imagen"]().config)
        train(more, tmp_path / "more", device="cpu", quiet=True)
        for _ in range(2):
            cards.publish(tmp_path / "more", tmp_path / "weights", device="cpu")
            looks = [json.loads(line) for line in (tmp_path / "weights" / "imagen.log.jsonl").read_text().splitlines()]
            updates = [look["update"] for look in looks if look["stage"] == "base"]
            assert updates == sorted(set(updates))
            assert updates[-1] == before + 8
    assert len(json.loads((tmp_path / "weights" / "imagen.json").read_text())["training"]["commands"]) == 2


def test_going_on_from_weights_is_told_as_two_commands():
    first = {"system": "clip", "preset": "laptop", "updates": None, "minutes": 10.0, "seed": 0, "exam": 128}
    second = first | {"minutes": 2.5, "only": "clip", "rate": 0.5}
    assert cards.commands([first, second]) == [
        "dalle-edu train clip --preset laptop --minutes 10 --seed 0",
        "dalle-edu train clip --preset laptop --minutes 2.5 --seed 0 --only clip --rate 0.5 --begin-with runs/clip-laptop/clip.safetensors"
        " --run runs/clip-laptop-2",
    ]


def test_the_curves_leave_out_no_skill_and_give_a_stage_that_draws_nothing_its_own_legend():
    clocks = {"update": 1, "cpu_seconds": 1.0}
    log = [{"stage": "text_encoder", "seconds": 60 * i, "space": 0.5 + 0.1 * i, "colour": 1.0, **clocks} for i in (1, 2)]
    # a skill that the first look asked nothing of is still drawn
    log += [{"stage": "base", "seconds": 60, "skills": {skill: 0.5 for skill in SKILLS if skill != "counting"}, **clocks}]
    log += [{"stage": "base", "seconds": 120, "skills": dict.fromkeys(SKILLS, 0.75), **clocks}]
    log += [{"stage": "base", "seconds": 130, "loss": 1.0, **clocks}]
    figure = cards.curves(log, "fr")
    text_encoder, base = figure.axes
    assert [text.get_text() for text in text_encoder.get_legend().get_texts()] == ["gauche ou droite", "couleur"]
    assert [list(line.get_ydata()) for line in text_encoder.lines] == [pytest.approx([60, 70]), [100, 100]]
    assert len(base.lines) == len(SKILLS)
    assert [list(line.get_xdata()) for line in base.lines if line.get_label() == SKILL_NAMES["fr"]["counting"]] == [[2]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [SKILL_NAMES["fr"][skill] for skill in SKILLS]
    assert len({(line.get_color(), line.get_marker()) for line in base.lines}) == len(SKILLS)


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".log.jsonl") for path in cards.WEIGHTS.glob("*.log.jsonl")))
def test_the_cards_that_are_published_say_what_the_files_beside_them_say(name, tmp_path):
    for suffix in ("safetensors", "json", "log.jsonl"):
        (tmp_path / f"{name}.{suffix}").symlink_to(cards.WEIGHTS / f"{name}.{suffix}")
    cards.write_cards(name, tmp_path)
    for card in (f"{name}.md", f"{name}.fr.md"):
        assert (tmp_path / card).read_text() == (cards.WEIGHTS / card).read_text(), "write them again: python -m dalle_edu.publishing.cards"
