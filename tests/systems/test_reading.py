"""How well a prior reads: priors that know the truth, lie, or do not look at the text, and likelihoods step by step."""

import pytest
import torch
from tiny_systems import build
from torch import Tensor

from dalle_edu.scorecard import questions
from dalle_edu.systems.families.reading import contradictions, reading_accuracy
from dalle_edu.world import SHAPES, render
from dalle_edu.world.domain import OpenDomain

SYSTEMS = ("dalle1", "dalle_mini")


@pytest.fixture(scope="module")
def exam() -> tuple[Tensor, list[str]]:
    asked = questions(48, 7, SHAPES)
    return render([question.scene for question in asked], 32), [question.text for question in asked]


def test_what_contradicts_a_caption():
    captions = ["a red star left of a blue cross", "a red star left of a red cross", "a red star", "a dog on a mat", "a star and a cross"]
    assert contradictions(captions, "opposite", SHAPES) == {0: "a red star right of a blue cross", 1: "a red star right of a red cross"}
    assert contradictions(captions, "colours_swapped", SHAPES) == {0: "a blue star left of a red cross"}
    assert contradictions(captions, "opposite", None) == {}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize(("told", "share"), [(9.0, 1.0), (-9.0, 0.0), (0.0, 0.0)], ids=["knows", "lies", "ignores the text"])
def test_the_share_of_a_prior_that_is_known(name, told, share, exam, monkeypatch):
    """What ignores the text finds both captions equally likely: a tie, which counts as wrong."""
    system, (images, captions) = build(name), exam
    true = {tuple(row) for row in system.tokens(captions).tolist()}

    def logits(text: Tensor, codes: Tensor) -> Tensor:
        right = torch.tensor([tuple(row) in true for row in text.tolist()])
        return told * right[:, None, None] * torch.nn.functional.one_hot(codes, 32)

    monkeypatch.setattr(system, "logits", logits)
    assert system.measure("prior", images, captions) == {"reads_relation": share, "reads_colours": share}
    monkeypatch.setattr(system, "domain", OpenDomain(()))
    assert system.measure("prior", images, captions) == {}


def test_each_question_asks_its_own_captions():
    """A prior that knows relations alone, of rows of codes that say which caption is theirs."""
    captions = ["a red star left of a blue cross", "a red star", "a red star above a red cross", "a blue star with a red cross"]
    codes, asked = torch.arange(4)[:, None], []

    def log_likelihood(texts, rows):
        asked.append((list(texts), rows.flatten().tolist()))
        return torch.tensor([float(text.split()[2:4] == captions[row].split()[2:4]) for text, row in zip(texts, rows, strict=True)])

    assert reading_accuracy(captions, codes, log_likelihood, SHAPES) == {"reads_relation": 1.0, "reads_colours": 0.0}
    assert asked[0] == ([captions[0], captions[2]], [0, 2])
    assert [rows for _, rows in asked] == [[0, 2], [0, 2], [0, 3], [0, 3]]
    assert reading_accuracy(captions[1:2], codes, log_likelihood, SHAPES) == {}


@torch.no_grad()
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_likelihood_is_that_of_the_sampler_code_after_code(name, exam):
    system, (images, captions) = build(name), exam
    codes, text = system.encode(images[:3]).flatten(1), system.tokens(captions[:3])
    steps = [system.code_prior.next_logits(text, codes[:, :i]).log_softmax(dim=-1) for i in range(codes.shape[1])]
    expected = sum(step.gather(1, codes[:, i : i + 1]).squeeze(1) for i, step in enumerate(steps))
    torch.testing.assert_close(system.log_likelihood(captions[:3], codes), expected, rtol=1e-5, atol=1e-3)
    assert system.log_likelihood(captions[:3], codes).shape == (3,)


@pytest.mark.parametrize("name", SYSTEMS)
def test_looking_twice_measures_the_same(name, exam):
    system = build(name)
    first = system.measure("prior", *exam)
    assert first == system.measure("prior", *exam)
    assert set(first) == {"reads_relation", "reads_colours"}
    assert all(0 <= value <= 1 for value in first.values())
    assert set(system.measure("codec", *exam)) == {"codes_alive", "codes"}
