import math
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from games import a_game, noise
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.dcgan import GANConfig
from dalle_edu.bricks.gan import (
    HINGE,
    NON_SATURATING,
    SATURATING,
    Game,
    algorithm_1,
    discriminator_loss,
    discriminator_step,
    expected_value,
    generator_step,
    hinge_discriminator_loss,
    hinge_generator_loss,
    jensen_shannon,
    mode_coverage,
    non_saturating_loss,
    optimal_discriminator,
    saturating_loss,
    value,
)
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
weights = st.lists(st.floats(0.01, 1), min_size=2, max_size=8)


def distribution(entries: list[float]) -> torch.Tensor:
    entries = torch.tensor(entries, dtype=torch.float64)
    return entries / entries.sum()


def unchecked(function):
    """A function without the shape checks of the tests, as its users call it."""
    return getattr(function, "__wrapped__", function)


# ---------------------------------------------------------------- the game on distributions


@given(weights, seeds)
def test_no_discriminator_does_better_than_the_best(entries, seed):
    p = distribution(entries)
    q = noise(len(p), seed=seed).softmax(dim=0)
    best = expected_value(optimal_discriminator(p, q), p, q)
    other = noise(len(p), seed=seed + 1).sigmoid()
    assert expected_value(other, p, q) <= best + 1e-12
    torch.testing.assert_close(best, -math.log(4) + 2 * jensen_shannon(p, q))


@given(weights)
def test_against_its_equal_the_discriminator_guesses(entries):
    p = distribution(entries)
    torch.testing.assert_close(optimal_discriminator(p, p), torch.full_like(p, 0.5))
    assert float(expected_value(optimal_discriminator(p, p), p, p)) == pytest.approx(-math.log(4))
    assert float(jensen_shannon(p, p)) == pytest.approx(0, abs=1e-12)


@given(weights, seeds)
def test_the_divergence_is_symmetric_and_at_most_log_2(entries, seed):
    p = distribution(entries)
    q = noise(len(p), seed=seed).softmax(dim=0)
    torch.testing.assert_close(jensen_shannon(p, q), jensen_shannon(q, p))
    assert -1e-12 <= float(jensen_shannon(p, q)) <= math.log(2)


def test_distributions_that_share_no_outcome_are_told_apart_for_sure():
    p, q = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([0.0, 0.0, 1.0, 0.0])
    assert optimal_discriminator(p, q).tolist() == [1, 1, 0, 0.5]
    assert float(jensen_shannon(p, q)) == pytest.approx(math.log(2))
    assert float(expected_value(optimal_discriminator(p, q), p, q)) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("function", [optimal_discriminator, jensen_shannon, lambda p, q: expected_value(p.clamp(0.1, 0.9), p, q)])
@pytest.mark.parametrize("q", [[0.5, 0.6], [1.5, -0.5], [math.nan, 1.0]], ids=str)
def test_what_is_no_distribution_is_refused(function, q):
    with pytest.raises(DalleEduError, match="give two distributions over the same outcomes"):
        function(torch.tensor([0.5, 0.5]), torch.tensor(q))


def test_distributions_over_different_outcomes_are_refused():
    with pytest.raises(DalleEduError, match=r"p \[2\], Σ = 1; q \[3\], Σ = 1"):
        unchecked(jensen_shannon)(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.25, 0.25]))
    with pytest.raises(DalleEduError, match=r"p \[2, 2\]"):
        unchecked(optimal_discriminator)(torch.full((2, 2), 0.25), torch.full((2, 2), 0.25))


# ---------------------------------------------------------------- losses


@given(seeds)
def test_the_value_of_samples_tends_to_the_value_of_distributions(seed):
    """Every outcome once, weighted by repetition: 4 real and 4 fakes among 3 outcomes."""
    logits = noise(3, seed=seed)
    real, fake = torch.tensor([0, 0, 1, 2]), torch.tensor([1, 2, 2, 2])
    p, q = (outcomes.bincount(minlength=3).double() / 4 for outcomes in (real, fake))
    torch.testing.assert_close(value(logits[real], logits[fake]), expected_value(logits.sigmoid(), p, q))
    torch.testing.assert_close(discriminator_loss(logits[real], logits[fake]), -value(logits[real], logits[fake]))


def test_the_value_when_the_discriminator_guesses():
    assert float(value(torch.zeros(3), torch.zeros(2))) == pytest.approx(-math.log(4))


@pytest.mark.parametrize("loss", [saturating_loss, non_saturating_loss, hinge_generator_loss])
def test_a_generator_wants_its_logits_to_rise(loss):
    logits = noise(6).requires_grad_()
    loss(logits).backward()
    assert (logits.grad < 0).all()
    assert torch.autograd.gradcheck(loss, noise(4, seed=1).requires_grad_())


@pytest.mark.parametrize("loss", [discriminator_loss, hinge_discriminator_loss])
def test_a_discriminator_wants_real_to_rise_and_fakes_to_fall(loss):
    real, fake = (noise(6, seed=seed).clamp(-0.9, 0.9).requires_grad_() for seed in range(2))
    loss(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    assert torch.autograd.gradcheck(loss, (noise(4, seed=2).requires_grad_(), noise(3, seed=3).requires_grad_()))


def test_only_the_saturating_loss_loses_its_gradient_on_a_fake_that_is_found_out():
    found_out = torch.full((1,), -20.0, dtype=torch.float64)
    for losses, slope in ((SATURATING, 2e-9), (NON_SATURATING, 1.0), (HINGE, 1.0)):
        logits = found_out.clone().requires_grad_()
        losses.generator(logits).backward()
        assert abs(float(logits.grad)) == pytest.approx(slope, rel=0.05)


def test_both_generator_losses_agree_where_the_discriminator_guesses():
    """At a logit of 0 their slopes are the same: only the strength of the lesson differs, not its aim."""
    slopes = []
    for loss in (saturating_loss, non_saturating_loss):
        logits = torch.zeros(1, requires_grad=True)
        loss(logits).backward()
        slopes.append(float(logits.grad))
    assert slopes == [-0.5, -0.5]


def test_a_hinge_asks_no_more_of_what_is_beyond_its_margin():
    real, fake = torch.tensor([1.5, 3.0], requires_grad=True), torch.tensor([-1.5, -9.0], requires_grad=True)
    loss = hinge_discriminator_loss(real, fake)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not real.grad.any()
    assert not fake.grad.any()


# ---------------------------------------------------------------- algorithm 1


def state(player: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in player.parameters()]


def same(before: list[torch.Tensor], after: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("losses", [SATURATING, NON_SATURATING, HINGE])
@pytest.mark.parametrize("classes", [0, 3])
def test_each_turn_moves_one_player_only(losses, classes):
    game = a_game(GANConfig(8, latent_dim=4, width=4, num_classes=classes), losses)
    labels = torch.tensor([0, 1, 2, 1]) if classes else None
    drawing, judging = state(game.generator), state(game.discriminator)
    assert discriminator_step(game, noise(4, 1, 8, 8), noise(4, 4), labels).isfinite()
    assert same(drawing, state(game.generator))
    assert not same(judging, state(game.discriminator))
    judging = state(game.discriminator)
    gradients = [parameter.grad.clone() for parameter in game.discriminator.parameters()]
    assert generator_step(game, noise(4, 4), labels).isfinite()
    assert not same(drawing, state(game.generator))
    assert same(judging, state(game.discriminator))
    assert same(gradients, [parameter.grad for parameter in game.discriminator.parameters()])
    assert all(parameter.requires_grad for parameter in game.discriminator.parameters())


def test_each_turn_lowers_its_own_loss():
    """A small step of gradient descent: the same loss, on the same batch, is lower after it."""
    game = a_game()
    for player in (game.generator, game.discriminator):
        player.eval()  # batch statistics would move with the batch
    first, second = (torch.optim.SGD(player.parameters(), 1e-2) for player in (game.generator, game.discriminator))
    game = Game(game.generator, game.discriminator, first, second)
    real, z = noise(8, 1, 8, 8), noise(8, 4)
    before = discriminator_step(game, real, z)
    assert discriminator_step(game, real, z) < before
    before = generator_step(game, z)
    assert generator_step(game, z) < before


@pytest.mark.parametrize("k", [1, 3])
def test_a_round_is_k_steps_of_one_and_one_of_the_other(k):
    game, drawn, turns = a_game(), {"real": 0, "noise": 0}, []

    def draw_real():
        drawn["real"] += 1
        return noise(4, 1, 8, 8, seed=drawn["real"]), None

    def draw_noise():
        drawn["noise"] += 1
        return noise(4, 4, seed=drawn["noise"])

    algorithm_1(game, draw_real, draw_noise, 2, k, lambda turn, d, g: turns.append((turn, d.isfinite(), g.isfinite())))
    assert drawn == {"real": 2 * k, "noise": 2 * (k + 1)}
    assert turns == [(0, True, True), (1, True, True)]


@pytest.mark.parametrize(("rounds", "k"), [(0, 1), (1, 0), (-2, 1)])
def test_no_round_and_no_step_are_refused_before_anything_is_drawn(rounds, k):
    with pytest.raises(DalleEduError, match=f"k is {k} and rounds {rounds}; give 1 or more"):
        algorithm_1(a_game(), lambda: pytest.fail("drawn"), lambda: pytest.fail("drawn"), rounds, k)


def test_two_points_are_learned():
    """A generator of one number learns a data set of one value: the game has its optimum at the truth."""
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    first = torch.optim.Adam(generator.parameters(), 0.02, betas=(0.5, 0.99))
    second = torch.optim.Adam(discriminator.parameters(), 0.02, betas=(0.5, 0.99))
    source = torch.Generator().manual_seed(0)

    def draw_real():
        return 2 + 0.1 * torch.randn(64, 1, generator=source), None

    def draw_noise():
        return torch.randn(64, 1, generator=source)

    algorithm_1(Game(generator, discriminator, first, second), draw_real, draw_noise, 400)
    drawn = generator(draw_noise()).detach()
    assert abs(float(drawn.mean()) - 2) < 0.3


# ---------------------------------------------------------------- modes


@given(st.integers(2, 12), st.integers(1, 9))
def test_all_modes_alike_and_one_mode_alone(num_classes, repeats):
    everything = torch.arange(num_classes).repeat(repeats)
    found, nats = mode_coverage(everything, num_classes)
    assert found == num_classes
    assert nats == pytest.approx(math.log(num_classes), rel=1e-5)
    assert mode_coverage(torch.full((repeats,), num_classes - 1), num_classes) == (1, 0)


def test_a_class_counts_from_its_share_on():
    classes = torch.tensor([0] * 97 + [1] * 2 + [2])
    assert mode_coverage(classes, 5)[0] == 3
    assert mode_coverage(classes, 5, least=0.02)[0] == 2
    assert mode_coverage(classes, 5, least=0.5)[0] == 1


@pytest.mark.parametrize("classes", [[], [0, 10], [-1, 3]], ids=str)
def test_samples_of_no_class_are_refused(classes):
    with pytest.raises(DalleEduError, match=f"{len(classes)} samples came; give 1 or more, each of a class from 0 to 9"):
        mode_coverage(torch.tensor(classes, dtype=torch.long), 10)


def test_steps_are_the_same_whatever_the_seed_of_the_process():
    """All chance comes from outside: two games of equal weights stay equal under equal batches."""
    one = a_game()
    two = deepcopy(one)
    for seed, game in enumerate((one, two)):
        torch.manual_seed(seed)
        discriminator_step(game, noise(4, 1, 8, 8), noise(4, 4))
        generator_step(game, noise(4, 4))
    assert same(state(one.generator), state(two.generator))
    assert same(state(one.discriminator), state(two.discriminator))


def test_losses_are_those_of_cross_entropy_on_a_map_of_logits():
    """A patch discriminator's map counts position by position."""
    real, fake = noise(2, 3, 3), noise(2, 3, 3, seed=1)
    whole = F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) + F.binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )
    torch.testing.assert_close(discriminator_loss(real, fake), whole)
