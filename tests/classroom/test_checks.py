"""Checks know a right version from a wrong one, name classic mistakes, and explain what stopped."""

import inspect
import sys

import numpy as np
import pytest
import torch

from dalle_edu.bricks import attention, decoding, gpt, mlp, perceptron
from dalle_edu.classroom.checks import check, compare, diagnose, expect, grade_strictly
from dalle_edu.classroom.proof import mistakes

MISTAKES = mistakes()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.target}-{mistake.name}")
def test_each_mistake_is_named(mistake):
    verdict = diagnose(mistake.version, mistake.target)
    assert verdict.kind == "mistake", verdict
    assert verdict.mistake is not None
    assert verdict.mistake.name == mistake.name
    assert verdict.text == mistake.en


@pytest.mark.parametrize("target", sorted({mistake.target for mistake in MISTAKES}))
def test_the_library_passes_its_own_check(target):
    module, name = target.split(":")
    version = getattr(__import__(f"dalle_edu.bricks.{module}", fromlist=[name]), name)
    assert diagnose(version, target).right


def test_another_way_of_writing_it_passes():
    def sigmoid(z):
        return 0.5 * (1 + np.tanh(z / 2))

    assert diagnose(sigmoid, "mlp:sigmoid").right
    assert check(sigmoid, "mlp:sigmoid") is sigmoid


def test_an_untouched_stub_is_told_to_begin():
    def step(z):
        raise NotImplementedError

    verdict = diagnose(step, "perceptron:step")
    assert verdict.kind == "untouched"
    assert "Your turn" in verdict.text
    assert diagnose(..., "perceptron:step").kind == "untouched"


def test_a_wrong_version_is_replaced_by_the_librarys_so_that_the_lesson_goes_on(capsys):
    assert check(lambda z: z * 0.0, "perceptron:step") is perceptron.step
    assert "off by up to 1" in capsys.readouterr().out


def test_a_grader_hears_of_it(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_STRICT", "0")
    grade_strictly()
    with pytest.raises(AssertionError, match="off by up to 1"):
        check(lambda z: z * 0.0, "perceptron:step")
    with pytest.raises(AssertionError, match="your turn"):
        expect(..., 3, "the answer")
    assert check(perceptron.step, "perceptron:step") is perceptron.step


def test_an_exception_is_explained_with_its_line_and_what_was_given():
    def scaled_dot_product(query, key, value, mask=None):
        scores = query @ key  # the transpose is missing
        return scores @ value, scores

    verdict = diagnose(scaled_dot_product, "attention:scaled_dot_product")
    assert verdict.kind == "raised"
    assert "scores = query @ key" in verdict.text
    assert "Tensor of" in verdict.text
    assert "RuntimeError" in verdict.text


def test_a_wrong_shape_and_a_missing_return_are_told_apart():
    verdict = diagnose(lambda z: np.append(z, 0.0), "mlp:relu")
    assert verdict.kind == "shape"
    assert "expected a ndarray of 83" in verdict.text
    assert "return" in diagnose(lambda z: None, "mlp:relu").text


def test_a_class_is_held_against_its_peer():
    class Half(attention.MultiHeadAttention):
        def forward(self, *args, **options):
            return super().forward(*args, **options) / 2

    verdict = diagnose(Half, "attention:MultiHeadAttention")
    assert verdict.kind == "wrong"
    assert "torch.nn.MultiheadAttention" in verdict.text


def test_the_students_own_arguments_are_never_altered():
    """A version that writes into its arguments spoils nothing for the next case."""

    def relu(z):
        z[z < 0] = 0
        return z

    assert diagnose(relu, "mlp:relu").right
    assert diagnose(mlp.relu, "mlp:relu").right


def test_it_speaks_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert diagnose(perceptron.step, "perceptron:step").text == "Juste\u00a0: cela fait ce que fait la bibliothèque."
    assert "s'écarte de 1 au plus" in diagnose(lambda z: z * 0.0, "perceptron:step").text


def test_a_target_that_nothing_holds_is_refused():
    with pytest.raises(LookupError, match="no reference holds perceptron:gate"):
        diagnose(perceptron.gate, "perceptron:gate")


@pytest.mark.parametrize(
    ("value", "right", "kind"),
    [
        (..., 3, "untouched"),
        (3.0, 3, "right"),
        (4, 3, "wrong"),
        (np.array([1, 0]), [1, 0], "right"),
        (np.array([1, 1]), [1, 0], "wrong"),
        (torch.ones(2), torch.ones(3), "shape"),
        (None, 3, "shape"),
        (True, True, "right"),
        ({"a": 1}, {"a": 1}, "right"),
        ({"a": 1}, {"b": 1}, "shape"),
    ],
)
def test_values_are_compared(value, right, kind):
    assert compare(value, right, "the answer").kind == kind


def test_expect_shows_and_returns_nothing(capsys):
    assert expect(3, 3, "the answer") is None  # type: ignore[func-returns-value]
    assert capsys.readouterr().out == "✓ the answer: right.\n"


@pytest.mark.parametrize("version", [gpt.TextToImageGPT, gpt.sample_codes])
def test_without_its_peer_a_check_says_so_and_passes_nothing(version, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setenv("DALLE_EDU_STRICT", "1")
    target = f"gpt:{version.__name__}"
    verdict = diagnose(version, target)
    assert verdict.kind == "unchecked"
    assert "transformers" in verdict.text
    with pytest.raises(AssertionError, match="transformers"):
        check(version, target)


def test_without_its_peer_a_function_is_still_held_against_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "transformers.generation.logits_process", None)
    assert diagnose(decoding.keep_top_k, "decoding:keep_top_k").right
    assert not diagnose(lambda logits, k: logits, "decoding:keep_top_k").right


def test_a_verdict_is_drawn_as_a_box_without_a_hole():
    verdict = compare("<script>", "x", "a <b> tag")
    assert "<script>" not in verdict._repr_html_()
    assert 'role="status"' in verdict._repr_html_()


def test_the_stub_of_a_lesson_keeps_the_signature():
    assert list(inspect.signature(perceptron.neuron).parameters) == ["x", "weights", "bias"]
