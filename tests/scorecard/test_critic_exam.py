"""The examination of critics, and the study of prompts."""

import json

import pytest
import torch

from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.critic_exam import QUESTION_NAMES, class_names, distinct_scenes, examine_critic, true_of
from dalle_edu.studies.wording import WORDINGS, sentences, study_prompts
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.world import SHAPES, read_caption


def test_galleries_hold_no_caption_that_is_true_of_another_picture():
    scenes = distinct_scenes(60, seed=4)
    true = [[true_of(other.description, scene) for other in scenes] for scene in scenes]
    assert torch.equal(torch.tensor(true), torch.eye(60, dtype=torch.bool))


class Blind(Critic):
    """Says of every picture the same."""

    title, scale = "blind", torch.tensor(1.0)

    def encode_images(self, images):
        return torch.ones(len(images), 1)

    def encode_texts(self, captions):
        return torch.ones(len(captions), 1)


def test_a_blind_critic_is_found_out(tmp_path):
    report = examine_critic(Blind(), prompts=80, gallery=20, resolution=16)
    rates = report.rates()
    assert max(rate.correct / rate.n for rate in rates.values()) < 0.3
    assert set(rates) == set(QUESTION_NAMES["fr"]) == set(QUESTION_NAMES["en"])
    assert report.rates(language="fr")["zero_shot_shape"].n == 40
    assert report.rates(split="held_out")["zero_shot_shape"].n == 20
    report.save(tmp_path / "blind.json")
    assert json.loads((tmp_path / "blind.json").read_text())["questions"]["zero_shot_shape"]["n"] == 80


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [((1, 1), "prompts=1; it takes 2 to 100000"), ((8, 9), "galleries of 9 were asked for in an exam of 8 prompts")],
)
def test_an_exam_too_small_is_refused(sizes, complaint):
    with pytest.raises(DalleEduError, match=complaint):
        examine_critic(Blind(), *sizes)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", ["shape", "colour"])
def test_classes_say_their_class_and_no_other(kind, language):
    things = SHAPES.shapes if kind == "shape" else SHAPES.colours
    for thing, said in zip(things, class_names(kind, language), strict=True):
        mentions = [read_caption(text).mentions[0] for text in said]
        assert {getattr(mention, kind) for mention in mentions} == {thing.name}
        if kind == "shape":
            assert {mention.colour for mention in mentions} == {None}


def test_wordings_differ_and_each_is_asked_in_both_languages():
    assert sentences("shape", "star", "plain", "fr") == ["une étoile"]
    assert sentences("shape", "star", "picture of", "fr") == ["une image d'une étoile"]
    assert sentences("colour", "green", "bare word", "fr") == ["vert"]
    assert sentences("colour", "green", "there is", "en") == ["there is a green circle"]
    assert sentences("shape", "star", "digit", "en") == ["1 star"]
    assert len(sentences("shape", "star", "everything", "en")) == 72
    results = study_prompts(Blind(), prompts=8, resolution=16)
    assert {(each.kind, each.language, each.wording) for each in results} == {
        (kind, language, wording) for kind in ("shape", "colour") for language in ("fr", "en") for wording in WORDINGS
    }
    assert all(each.rate.n == 8 for each in results)
