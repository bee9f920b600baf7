"""Checks in a lesson: verdicts that stay what they are, stand-ins that say so, values; and what graders hear."""

import numpy as np
import pytest
import torch

from dalle_edu.bricks import attention, perceptron
from dalle_edu.classroom import checks
from dalle_edu.classroom.checking import standin
from dalle_edu.classroom.checking.standin import is_stand_in, replaced_by
from dalle_edu.classroom.checks import check, compare, expect, grade_strictly

# ---------------------------------------------------------------- in a lesson


def names(**given):
    """What `check` reads from: the names of this module."""
    globals().update(given)


@pytest.fixture(autouse=True)
def nothing_in_use(monkeypatch):
    """No stand-in of another test."""
    monkeypatch.setattr(standin, "_used", {})


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(checks, "_namespace", lambda: globals())
    yield names
    for name in ("step", "neuron"):
        globals().pop(name, None)


def right_step(z):
    return np.where(z >= 0, 1.0, 0.0)


def wrong_step(z):
    return np.where(z > 0, 1.0, 0.0)


def test_a_right_version_is_given_back(here):
    here(step=right_step)
    assert check("perceptron:step") is right_step


def test_a_wrong_version_stays_wrong_however_often_it_is_checked(here, capsys):
    here(step=wrong_step)
    first = check("perceptron:step")
    assert is_stand_in(first)
    assert replaced_by(first) is wrong_step
    here(step=first)
    second = check("perceptron:step")
    assert is_stand_in(second)
    assert "✓" not in capsys.readouterr().out
    here(step=right_step)
    assert check("perceptron:step") is right_step


def test_an_exercise_not_written_yet_is_asked_for_in_a_sentence(here, capsys):
    assert is_stand_in(check("perceptron:step"))
    assert "There is no `step` yet" in capsys.readouterr().out


def test_a_stand_in_works_and_says_so_once(here, capsys):
    here(neuron=...)
    stand_in = check("perceptron:neuron")
    capsys.readouterr()
    assert stand_in(np.array([[1.0]]), np.array([1.0]), 0.0) == 1.0
    assert "the library's `neuron` stands in for yours" in capsys.readouterr().out


def test_a_stand_in_of_a_class_is_one_and_works():
    stand_in = checks._checked("attention:MultiHeadAttention", ..., {})
    assert is_stand_in(stand_in)
    layer = stand_in(4, 2)
    assert isinstance(layer, attention.MultiHeadAttention)
    assert layer(torch.zeros(1, 2, 4)).shape == (1, 2, 4)


def test_what_a_stand_in_computed_earns_no_tick(here, capsys, monkeypatch):
    monkeypatch.setattr("dalle_edu.classroom.checking.standin.this_cell", lambda: 7)
    here(step=wrong_step)
    stand_in = check("perceptron:step")
    value = stand_in(np.array([1.0]))
    capsys.readouterr()
    expect(value, np.array([1.0]), "the first answer")
    out = capsys.readouterr().out
    assert "✓" not in out
    assert "comes once `step` is yours" in out
    monkeypatch.setattr("dalle_edu.classroom.checking.standin.this_cell", lambda: 8)
    expect(1.0, 1.0, "the second answer")
    assert "✓" in capsys.readouterr().out


def test_notebooks_of_version_0_1_give_the_version_first():
    assert check(right_step, "perceptron:step") is right_step


def test_a_grader_hears_of_it(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_STRICT", "0")
    grade_strictly()
    with pytest.raises(AssertionError, match="exactly zero"):
        check(wrong_step, "perceptron:step")
    with pytest.raises(AssertionError, match="your turn"):
        expect(..., 3, "the answer")
    with pytest.raises(AssertionError, match="library's version"):
        check(perceptron.step, "perceptron:step")
    assert check(right_step, "perceptron:step") is right_step


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("value", "right", "kind"),
    [
        (..., 3, "untouched"),
        ([..., 2], [1, 2], "untouched"),
        (3.0, 3, "right"),
        (4, 3, "wrong"),
        (np.array([1, 0]), [1, 0], "right"),
        (torch.tensor([1, 0]), [1, 0], "right"),
        (np.array([1, 1]), [1, 0], "wrong"),
        (torch.ones(2), torch.ones(3), "wrong"),
        (None, 3, "wrong"),
        (True, True, "right"),
        (np.bool_(True), True, "right"),
        (1, True, "wrong"),
        ({"a": 1}, {"a": 1}, "right"),
        ({"a": 1}, {"b": 1}, "wrong"),
    ],
)
def test_values_are_compared(value, right, kind):
    assert compare(value, right, "the answer").kind == kind


def test_long_answers_are_told_apart_by_how_many_numbers_differ_and_the_first(monkeypatch):
    wanted = torch.arange(3072.0).view(3, 32, 32)
    found = wanted.clone()
    found[0, 2, 5], found[2] = 70.5, 0.0
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    verdict = compare(found, wanted, "the picture")
    assert verdict.text == "the picture: not yet. 1,025 of 3,072 numbers differ, the first at [0, 2, 5]: yours is 70.5; wanted 69.0."
    assert verdict.difference == 3071.0  # the largest difference
    one = compare([wanted, found], [wanted, wanted], "both").text
    assert one == "both: not yet. 1,025 of 3,072 numbers differ ([1]), the first at [0, 2, 5]: yours is 70.5; wanted 69.0."
    found = wanted.clone()
    found[2, 0, 0] += 0.25
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    text = compare(found.numpy(), wanted.numpy(), "l'image").text.replace("\u00a0", " ")
    assert text == "l'image : pas encore. 1 nombre sur 3 072 diffère, d'abord en [2, 0, 0] : vous avez 2048.2 ; il faut 2048."


def test_expect_shows_and_returns_nothing(capsys):
    assert expect(3, 3, "the answer") is None  # type: ignore[func-returns-value]
    assert expect(lambda: 1 + 2, 3, "the sum") is None  # type: ignore[func-returns-value]
    assert capsys.readouterr().out == "✓ the answer: right.\n✓ the sum: right.\n"


def test_a_value_that_needs_a_cell_not_run_says_which_name(capsys):
    expect(lambda: no_such_name + 1, 2, "the sum")  # type: ignore[name-defined]  # noqa: F821
    assert capsys.readouterr().out.startswith("… the sum: `no_such_name` is not known yet: run the first cell")


def test_a_value_that_cannot_be_computed_is_a_verdict(capsys):
    expect(lambda: np.zeros(3) @ np.zeros(4), 0.0, "the product")
    assert "✗ the product: it stopped with ValueError" in capsys.readouterr().out


def test_a_verdict_is_drawn_as_a_box_without_a_hole():
    verdict = compare("<script>", "x", "a <b> tag")
    assert "<script>" not in verdict._repr_html_()
    assert 'role="status"' in verdict._repr_html_()
