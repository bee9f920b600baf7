import json
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.progress_bar import Bar
from dalle_edu.scorecard import SKILLS, Question, Report, mark, parse_pictures, questions, score
from dalle_edu.world import LANGUAGES, Scene, is_held_out, read_caption, render
from dalle_edu.world.grammar import phrasings


class KnowsTheAnswers:
    """Draws the very scene that a caption comes from."""

    def __init__(self, asked: Sequence[Question]):
        self.scenes: dict[str, Scene] = {question.text: question.scene for question in asked}
        self.calls: list[tuple[int, int, dict]] = []

    def generate(self, prompts: Sequence[str], *, seed: int, **options) -> Tensor:
        self.calls.append((len(prompts), seed, options))
        return render([self.scenes[prompt] for prompt in prompts], 32)


class LeavesThePaperWhite:
    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor:
        return torch.ones(len(prompts), 3, 32, 32)


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return questions(144, seed=5)


@pytest.fixture(scope="module")
def perfect(asked) -> Report:
    return score(KnowsTheAnswers(asked), "perfect", prompts=144, seed=5)


# ---------------------------------------------------------------- questions


def test_each_scene_is_asked_in_both_languages(asked):
    assert [question.language for question in asked] == ["fr", "en"] * 72
    for french, english in zip(asked[::2], asked[1::2], strict=True):
        assert french.scene == english.scene
        assert french.split == english.split
        assert french.text in phrasings(french.scene.description, "fr")
        assert english.text in phrasings(english.scene.description, "en")
        assert read_caption(french.text) == read_caption(english.text) == french.scene.description
    assert any(question.text.startswith(("une image d", "il y a ")) for question in asked)  # in all the ways there are to say it


def test_every_fourth_scene_is_held_out(asked):
    held_out = [question.split == "held_out" for question in asked[::2]]
    assert held_out == [False, False, False, True] * 18
    assert [is_held_out(question.scene.objects) for question in asked[::2]] == held_out


def test_an_exam_is_its_seed(asked):
    assert questions(144, seed=5) == asked
    assert questions(10, seed=5) == asked[:10]  # a longer exam goes on where a shorter one ends
    assert questions(10, seed=6) != asked[:10]


@pytest.mark.parametrize("n", [0, -1, 10**9])
def test_an_exam_has_a_sensible_length(n):
    with pytest.raises(DalleEduError, match=f"an exam of {n} prompts"):
        questions(n)


# ---------------------------------------------------------------- scores


def test_who_knows_the_answers_gets_them_all_right(perfect):
    assert all(rate.correct == rate.n for rate in perfect.rates().values())
    assert sum(rate.n for rate in perfect.rates().values()) > 100


def test_who_draws_nothing_gets_nothing():
    report = score(LeavesThePaperWhite(), "white", prompts=20)
    assert all(rate.correct == 0 for rate in report.rates().values())
    assert report.rates()["shape"].n == 20


def test_the_report_is_that_of_reading_and_marking_by_hand(asked, perfect):
    found = parse_pictures(render([question.scene for question in asked], 32))
    assert list(perfect.marks) == [mark(question.scene.description, objects) for question, objects in zip(asked, found, strict=True)]
    assert list(perfect.asked) == asked


def test_batches_options_and_progress(asked, monkeypatch):
    system, told = KnowsTheAnswers(asked), []
    monkeypatch.setattr(Bar, "reach", lambda bar, done: told.append((bar.description, bar.total, bar.shown, done)))
    score(system, "perfect", prompts=144, seed=5, progress=True, guidance_scale=2.0, temperature=0.5)
    assert told == [("perfect", 144, True, done) for done in (64, 128, 144)]
    assert [size for size, _, _ in system.calls] == [64, 64, 16]
    assert len({seed for _, seed, _ in system.calls}) == 3  # no batch repeats the chance of another
    assert all(options == {"guidance_scale": 2.0, "temperature": 0.5} for _, _, options in system.calls)


def test_languages_and_splits_add_up(perfect):
    for skill, rate in perfect.rates().items():
        assert rate.n == sum(perfect.rates(language=language)[skill].n for language in LANGUAGES)
        assert rate.n == sum(perfect.rates(split=split)[skill].n for split in ("seen", "held_out"))
        assert perfect.rates("fr", "seen")[skill].n <= perfect.rates("fr")[skill].n
    assert perfect.rates("fr")["shape"].n == perfect.rates("en")["shape"].n == 72
    assert perfect.rates(split="held_out")["shape"].n == 36


# ---------------------------------------------------------------- the report as JSON


def test_the_json_has_its_documented_form(perfect, tmp_path):
    perfect.save(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert document == perfect.to_json()
    assert set(document) == {"system", "world", "exam", "seed", "prompts", "skills", "languages", "splits"}
    assert (document["system"], document["seed"], document["prompts"]) == ("perfect", 5, 144)
    assert set(document["languages"]) == {"fr", "en"}
    assert set(document["splits"]) == {"seen", "held_out"}
    for section in (document["skills"], *document["languages"].values(), *document["splits"].values()):
        assert list(section) == list(SKILLS)
        for told in section.values():
            assert list(told) == ["n", "correct", "rate", "low", "high"]
            assert isinstance(told["n"], int)
            assert isinstance(told["correct"], int)
            assert 0 <= told["low"] <= told["rate"] <= told["high"] <= 1 or told["n"] == 0
            assert told["rate"] == (told["correct"] / told["n"] if told["n"] else 0.0)


def test_an_unwritable_report_is_told(perfect, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DalleEduError, match="could not be written"):
        perfect.save(tmp_path / "file" / "report.json")
