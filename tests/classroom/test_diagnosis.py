"""Diagnosis: right versions and wrong ones, what was seen, mistakes by name; nothing hangs, and the library's code is no answer."""

import sys
import time

import numpy as np
import pytest
import torch
from torch import nn
from wrong_answers import survivors, wrong_answers

from dalle_edu.bricks import attention, decoding, mlp, perceptron
from dalle_edu.classroom.checking.attempt import patience
from dalle_edu.classroom.checking.diagnosis import diagnose, judge
from dalle_edu.classroom.checking.proof import library_version, mistakes

MISTAKES = mistakes()
EXERCISES = {  # of the lessons, with the methods that students write
    "perceptron:step": (),
    "perceptron:neuron": (),
    "perceptron:train_perceptron": (),
    "mlp:sigmoid": (),
    "mlp:sigmoid_derivative": (),
    "mlp:softmax": (),
    "mlp:cross_entropy": (),
    "mlp:MLP": ("backward",),
    "mlp:gradient_descent": (),
    "attention:scaled_dot_product": (),
    "attention:causal_mask": (),
    "attention:MultiHeadAttention": ("forward",),
    "transformer:Block": ("forward",),
    "decoding:keep_top_k": (),
    "decoding:keep_top_p": (),
    "decoding:sample": (),
    "dvae:gumbel_softmax": (),
    "dvae:kl_to_uniform": (),
    "dvae:codebook_entropy": (),
    "guidance:guide": (),
}


# ---------------------------------------------------------------- right and wrong


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.target}-{mistake.name}")
def test_each_mistake_is_named(mistake):
    verdict = judge(mistake.version, mistake.target)
    assert verdict.kind == "mistake", verdict
    assert verdict.mistake is not None
    assert verdict.mistake.name == mistake.name
    assert verdict.text.startswith(mistake.en)


@pytest.mark.parametrize("target", sorted({mistake.target for mistake in MISTAKES}))
def test_the_librarys_own_code_is_right(target):
    assert judge(library_version(target), target, seed=3).right


@pytest.mark.parametrize("target", EXERCISES)
def test_wrong_answers_made_by_machine_are_all_refused(target):
    """Each argument ignored or modified, other types and shapes, signs, constants, hard-coded inputs, gradients cut: at least eight."""
    wrong = wrong_answers(target, EXERCISES[target])
    assert len(wrong) >= 8
    assert survivors(target, wrong) == []


def sigmoid_by_tanh(z):
    return 0.5 * (1 + np.tanh(z / 2))


def step_by_integers(z):
    return (z >= 0).astype(int)


def softmax_by_logarithms(z):
    z = z - z.max(axis=-1, keepdims=True)
    return np.exp(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


def mask_by_comparison(queries, keys, device=None):
    rows, columns = torch.arange(queries, device=device)[:, None], torch.arange(keys, device=device)
    return columns <= rows + keys - queries


def kl_by_sums(log_q):
    k = log_q.shape[-1]
    return (log_q.exp() * (log_q + np.log(k))).sum(-1).mean()


@pytest.mark.parametrize(
    ("version", "target"),
    [
        (sigmoid_by_tanh, "mlp:sigmoid"),
        (step_by_integers, "perceptron:step"),
        (softmax_by_logarithms, "mlp:softmax"),
        (mask_by_comparison, "attention:causal_mask"),
        (kl_by_sums, "dvae:kl_to_uniform"),
    ],
)
def test_other_ways_of_writing_it_are_right(version, target):
    for seed in (0, 1, 2):
        assert diagnose(version, target, seed).right, diagnose(version, target, seed)


# ---------------------------------------------------------------- what a refusal says


def test_it_shows_the_smallest_input_what_was_given_and_what_was_wanted():
    verdict = diagnose(lambda z: np.where(z > 0, 1.0, 0.0), "perceptron:step")
    assert verdict.text.endswith("upwards, zero included.\nWith z = [0.0], yours gives [0.0]; wanted [1.0].")


def test_it_says_the_same_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    verdict = diagnose(lambda z: np.where(z > 0, 1.0, 0.0), "perceptron:step")
    assert verdict.text == (
        "À zéro exactement elle rend 0\u00a0; la décision est 1 à partir de zéro, zéro compris.\n"
        "Avec z = [0.0], la vôtre donne [0.0]\u00a0; il faut [1.0]."
    )


def printed(z):
    print(np.where(z >= 0, 1.0, 0.0))


def in_place(z):
    z[z < 0] = 0
    return z


def turned_over(kernels, strides):
    kernels.reverse()
    strides.reverse()
    side = 1
    for kernel, stride in zip(kernels, strides, strict=True):
        side = (side - 1) * stride + kernel
    return side


def overflowing(z):
    return 1 / (1 + np.exp(-z))


def summed(log_q):
    return np.log(log_q.shape[-1]) + (log_q.exp() * log_q).sum(-1).sum()


def without_gradient(logits, temperature, hard=False, generator=None):
    uniform = torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)
    soft = ((logits - uniform.log().neg().log()) / temperature).softmax(dim=-1)
    return torch.zeros_like(soft).scatter(-1, soft.argmax(-1, keepdim=True), 1.0) if hard else soft


def too_few(logits, k):
    return logits.masked_fill(logits <= logits.topk(min(k, logits.shape[-1])).values[..., -1:], -np.inf)


def without_a_mask(query, key, value, mask=None):
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)
    return weights @ value, weights


@pytest.mark.parametrize(
    ("version", "target", "says"),
    [
        (printed, "perceptron:step", "write `return` where it says `print`"),
        (lambda z: None, "perceptron:step", "end with `return`"),
        (lambda z: [1.0 if each >= 0 else 0.0 for each in z], "perceptron:step", "an array is wanted"),
        (lambda z: torch.tensor(np.where(z >= 0, 1.0, 0.0)), "perceptron:step", "an array of NumPy is wanted"),
        (lambda z: z >= 0, "perceptron:step", "numbers are wanted, 1 and 0"),
        (in_place, "mlp:relu", "changes its argument `z`"),
        (turned_over, "convolution:receptive_field", "changes its argument `strides`"),
        (overflowing, "mlp:sigmoid", "overflow"),
        (lambda z: np.append(z, 0.0), "mlp:relu", "one more than wanted"),
        (lambda z: sigmoid_by_tanh(z).astype(np.float32), "mlp:sigmoid", "float32"),
        (summed, "dvae:kl_to_uniform", "a sum stood for a mean"),
        (without_gradient, "dvae:gumbel_softmax", "no gradient comes back"),
        (without_a_mask, "attention:scaled_dot_product", "The mask is not used"),
        (lambda q, k, device=None: torch.ones(q, k).tril(k - q), "attention:causal_mask", "True and False"),
        (lambda logits, scale: logits.chunk(2)[0], "guidance:guide", "nothing were multiplied by `guidance_scale`"),
        (too_few, "decoding:keep_top_k", "The k-th entry is lost too"),
    ],
)
def test_what_may_be_wrong_with_any_code_has_its_sentence(version, target, says):
    verdict = diagnose(version, target)
    assert not verdict.right
    assert says in verdict.text, verdict
    assert "inf." not in verdict.text
    assert "off by" not in verdict.text


def test_an_error_is_explained_with_its_line_and_what_was_given():
    def scaled_dot_product(query, key, value, mask=None):
        scores = query @ key  # the transpose is missing
        return scores @ value, scores

    verdict = diagnose(scaled_dot_product, "attention:scaled_dot_product")
    assert verdict.kind == "raised"
    assert "scores = query @ key" in verdict.text
    assert "It had been given: query = a tensor of" in verdict.text
    assert "RuntimeError" in verdict.text


def test_a_version_that_is_slow_when_it_is_asked_again_gets_a_verdict():
    """It is asked once more, to see whether it is steady; that it runs out of time then is no error of the check's."""
    asked = set()

    def step(z):
        if repr(z) in asked:
            time.sleep(1.5)
        asked.add(repr(z))
        return np.zeros_like(z) + 0.5

    assert not diagnose(step, "perceptron:step").right


def endless(z):
    while True:
        try:
            while z is not None:
                pass
        except Exception:
            continue


def deep(z):
    return deep(z)


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (endless, "does not end"),
        (lambda z: time.sleep(1000), "does not end"),
        (deep, "calls itself without end"),
        (lambda z: sys.exit(1), "leaves Python"),
        (lambda z: float(input("z?")), "input()"),
    ],
)
def test_nothing_hangs_or_ends_the_notebook(version, says, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_PATIENCE", "0.1")
    began = time.monotonic()
    assert says in diagnose(version, "perceptron:step").text
    assert time.monotonic() - began < 20


def test_patience_is_a_factor_of_the_environment(monkeypatch):
    plain = patience()
    monkeypatch.setenv("DALLE_EDU_PATIENCE", "4")
    assert patience() == 4 * plain <= 60
    monkeypatch.setenv("DALLE_EDU_PATIENCE", "much")
    assert patience() == plain


def test_an_untouched_stub_is_told_to_begin():
    def step(z):
        raise NotImplementedError

    assert diagnose(step, "perceptron:step").kind == "untouched"
    assert diagnose(..., "perceptron:step").kind == "untouched"


# ---------------------------------------------------------------- the library's own code is no answer


def by_the_library(z):
    return perceptron.step(z)


class Made(attention.MultiHeadAttention):
    pass


class Wrapped(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.inner = attention.MultiHeadAttention(width, heads)
        self.qkv, self.out = self.inner.qkv, self.inner.out

    def forward(self, *args, **options):
        return self.inner(*args, **options)


@pytest.mark.parametrize(
    ("version", "target", "kind"),
    [
        (perceptron.step, "perceptron:step", "unrun"),
        (by_the_library, "perceptron:step", "refused"),
        (lambda z: mlp.step(z), "perceptron:step", "refused"),
        (Made, "attention:MultiHeadAttention", "unrun"),
        (Wrapped, "attention:MultiHeadAttention", "refused"),
    ],
)
def test_what_is_the_librarys_or_calls_it_is_not_judged(version, target, kind):
    assert diagnose(version, target).kind == kind
    assert perceptron.step(np.array([1.0])) == 1.0  # and works as before


def test_a_target_that_nothing_holds_is_refused():
    with pytest.raises(LookupError, match="no reference holds perceptron:gate"):
        diagnose(lambda name, x: x, "perceptron:gate")
    with pytest.raises(LookupError, match="the library has no perceptron:dendrite"):
        diagnose(lambda z: z, "perceptron:dendrite")


def test_without_its_peer_a_function_is_still_held_against_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "transformers.generation.logits_process", None)
    assert judge(decoding.keep_top_k, "decoding:keep_top_k").right
    assert not diagnose(lambda logits, k: logits, "decoding:keep_top_k").right
