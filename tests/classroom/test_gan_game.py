"""The game of a GAN on a line says what the bricks compute, ends near its best value, and is told in both languages."""

import math
import re

import pytest
import torch

from dalle_edu.bricks.gan import NON_SATURATING, SATURATING, expected_value, jensen_shannon
from dalle_edu.classroom.diagrams.gan import Standing, bins, draw_pulls, draw_standing, play_on_a_line, pulls, real_probabilities
from dalle_edu.classroom.widgets.gan_game import game_explorer
from dalle_edu.errors import DalleEduError


@pytest.fixture(scope="module")
def standings():
    return play_on_a_line(seed=0, rounds=600, seen=6)


def test_the_game_goes_from_apart_to_alike(standings):
    """At first the fakes share hardly a bin with the real numbers; then the divergence falls, and the value comes near -log 4."""
    assert [standing.rounds for standing in standings] == [0, 100, 200, 300, 400, 500, 600]
    assert standings[0].divergence > 0.6
    assert standings[-1].divergence < 0.15
    assert abs(standings[-1].value + math.log(4)) < 0.15
    for standing in standings:
        assert torch.allclose(standing.q.sum(), torch.ones((), dtype=torch.float64))
        assert standing.value <= -math.log(4) + 2 * standing.divergence + 1e-9  # the best discriminator cannot be beaten


def test_the_same_seed_gives_the_same_game_and_nothing_global_changes():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other = (play_on_a_line(seed=1, rounds=3, seen=1)[-1] for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.q, other.q)
    assert torch.equal(one.d, other.d)


def test_the_real_probabilities_are_those_of_the_bumps():
    p = real_probabilities([(1.0, 0.5)])
    assert torch.allclose(p.sum(), torch.ones((), dtype=torch.float64))
    assert float((bins() * p).sum()) == pytest.approx(1.0, abs=1e-3)
    assert float((bins().square() * p).sum() - 1.0) == pytest.approx(0.25, abs=5e-3)


def test_the_picture_says_the_value_and_the_divergence(monkeypatch):
    p, q, d = torch.zeros(80), torch.zeros(80), torch.full((80,), 0.25)
    p[10], q[10], q[30] = 1.0, 0.5, 0.5
    standing = Standing(7, p.double(), q.double(), d.double())
    value, divergence = expected_value(d, p, q), jensen_shannon(p, q)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    alt = draw_standing(standing).alt
    assert f"After 7 rounds 50 % of both densities overlap; the value is {value:.2f} nats" in alt
    assert f"divergence {divergence:.3f}." in alt
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    alt = draw_standing(standing).alt
    assert f"{divergence:.3f}".replace(".", ",") in alt
    assert not re.search(r"\d\.\d", alt)


def test_the_slider_has_a_picture_for_each_measure(standings, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    explorer = game_explorer(standings, start=6)
    assert explorer.frames().count("data:image/png") == 7 + 1  # and the one that is shown first
    assert repr(explorer).startswith("After 600 rounds")
    box = explorer.widget()
    box.children[0].value = 0
    assert "After 0 rounds" in box.children[-1].value
    with pytest.raises(DalleEduError, match="at most 64"):
        game_explorer([Standing(place, *[standings[0].p] * 3) for place in range(65)])


def test_the_pull_of_a_loss_is_the_discriminators_probability_or_the_rest():
    """The gradient of log(1 - D) by the logit is -D, that of -log D is D - 1 (Goodfellow et al. 2014, section 3)."""
    probabilities = torch.tensor([0.001, 0.25, 0.5, 0.999], dtype=torch.float64)
    assert torch.allclose(pulls(SATURATING, probabilities), probabilities)
    assert torch.allclose(pulls(NON_SATURATING, probabilities), 1 - probabilities)


def test_the_picture_of_both_pulls_is_told_in_both_languages(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    assert draw_pulls().alt == "Where D gives a fake 0.01, the saturating loss pulls with 0.01 and the non-saturating one with 0.99."
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert draw_pulls().alt == "Là où D donne 0,01 à un faux, la perte qui sature tire de 0,01 et l'autre de 0,99."
