"""Slips: every one is a version of its own, says in both languages what it changes, and a student's version that makes it is told so."""

import math
import re

import numpy as np
import pytest
import torch

from dalle_edu.classroom.checking.diagnosis import judge
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.explanation import functions_of
from dalle_edu.classroom.checking.proof import library_version
from dalle_edu.classroom.checking.slips import slips
from dalle_edu.language import speak

TARGETS = ["perceptron:neuron", "mlp:softmax", "mlp:MLP", "attention:scaled_dot_product", "decoding:keep_top_p", "transformer:Block"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_function_has_many_slips_and_is_whole_afterwards(target, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    english = [slip.sentence for slip in slips(target)]
    speak("fr")
    french = [slip.sentence for slip in slips(target)]
    assert len(english) == len(french) >= 8
    assert all(sentence.startswith("It answers as if ") for sentence in english)
    assert all(sentence.startswith("Elle répond comme si ") for sentence in french)
    assert not [one for one, other in zip(english, french, strict=True) if one.count("`") != other.count("`")]


@pytest.mark.parametrize("target", ["words:nearest", "word2vec:keep_probability", "convolution:receptive_field", TARGETS[3], TARGETS[4]])
def test_a_slip_names_nothing_that_only_the_librarys_code_names(target, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    library = library_version(target)
    code = functions_of(library)[0].__code__
    variables = set(code.co_varnames[code.co_argcount + code.co_kwonlyargcount :])
    named = {name for slip in slips(target) for quoted in re.findall("`([^`]+)`", slip.sentence) for name in re.findall(r"\w+", quoted)}
    assert variables
    assert named & set(code.co_varnames)
    assert not named & variables


def test_what_is_set_to_a_number_is_told_by_what_it_is_made_of(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    sentences = [slip.sentence for slip in slips("words:nearest")]
    assert "Elle répond comme si rien dans ce qui est fait de `vectors`, `query` n'était mis à −∞." in sentences
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    sentences = [slip.sentence for slip in slips("word2vec:keep_probability")]
    assert "It answers as if nothing in what is made of `counts`, `threshold` were set to 0." in sentences


def test_a_slip_that_no_list_names_is_recognised_by_what_it_does(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")

    def swapped(z):
        return np.where(z >= 0, 0.0, 1.0)

    def no_root(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights

    assert judge(swapped, "perceptron:step").text.startswith("It answers as if `1.0` and `0.0` were exchanged.\nWith z = [")
    assert "read the other way round" in judge(no_root, "attention:scaled_dot_product").text


def test_what_is_right_on_some_cases_where_the_slip_is_wrong_has_not_made_it(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")

    def nearly(z):
        return np.where(z == 0.5, 0.0, np.where(z >= 0, 1.0, 0.0))

    verdict = judge(nearly, "perceptron:step")
    assert verdict.kind not in ("slip", "mistake")
    assert "With z = [0.5], yours gives [0.0]; wanted [1.0]." in verdict.text


def test_a_version_that_answers_differently_each_time_is_told_so(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")

    def by_chance(logits, uniform):
        return torch.multinomial(logits.softmax(dim=-1), 1).squeeze(-1)

    assert "Asked the same thing twice" in judge(by_chance, "decoding:sample").text


def test_a_mistake_written_as_an_edit_says_when_the_code_has_changed():
    mistake = edited("mlp:softmax", "axis=-1", "axis=0", "Rows.", "Lignes.")
    assert mistake.version(np.zeros((2, 4))).tolist() == [[0.5] * 4] * 2
    assert mistake.name == "softmax: axis=0"
    with pytest.raises(LookupError, match="no 'axis=7'"):
        edited("mlp:softmax", "axis=7", "axis=0", "Rows.", "Lignes.")
