"""The samplers of flow matching: their times, what all of them keep to, and what is known exactly."""

import math
from itertools import pairwise

import pytest
import torch
from emulated.metal import emulated_metal
from flow_laws import close, gaussian, generator, noise, times
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.flow import (
    endpoints,
    euler,
    heun,
    midpoint,
    spaced_times,
    straight_path,
)
from dalle_edu.bricks.noise_schedule import NoiseSchedule, shifted
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
shapes = st.sampled_from([(), (5,), (3, 4, 4), (2, 3, 4, 5)])
SAMPLERS = {"euler": euler, "midpoint": midpoint, "heun": heun}
samplers = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
CPU = torch.device("cpu")


# ---------------------------------------------------------------- the times of samplers


@given(strides=st.integers(1, 200), shift=st.floats(0.1, 10))
def test_times_go_down_from_noise_to_the_picture(strides, shift):
    path = spaced_times(strides, shift)
    assert len(path) == strides + 1
    assert path[0] == pytest.approx(1)
    assert path[-1] == 0
    assert all(now > then for now, then in pairwise(path))
    even = [now - then for now, then in pairwise(spaced_times(strides))]
    assert max(even) - min(even) < 1e-12


def test_a_shift_is_that_of_noise_schedules():
    """Both multiply the ratio of noise to signal, of rates here, at every time."""
    even, moved = spaced_times(10)[1:-1], spaced_times(10, 3.0)[1:-1]
    assert [t / (1 - t) for t in moved] == pytest.approx([3 * t / (1 - t) for t in even])
    signal = torch.tensor([(1 - t) ** 2 / ((1 - t) ** 2 + t**2) for t in even[::-1]], dtype=torch.float64)
    schedule = shifted(NoiseSchedule(1 - signal / torch.cat([signal.new_ones(1), signal[:-1]])), 3.0)
    ratios = ((1 - schedule.alphas_bar) / schedule.alphas_bar).sqrt()
    close(ratios, times(*[t / (1 - t) for t in moved[::-1]]), 1e-9)


@pytest.mark.parametrize(("steps", "shift"), [(0, 1.0), (-1, 1.0), (5, 0.0), (5, -2.0), (5, math.inf), (5, math.nan)])
def test_impossible_steps_and_shifts_are_refused(steps, shift):
    message = rf"{steps} steps with a shift of {shift:g}; ask for at least 1 step"
    with pytest.raises(DalleEduError, match=message):
        spaced_times(steps, shift)
    for sampler in SAMPLERS.values():
        with pytest.raises(DalleEduError, match=message):
            sampler(gaussian(0.0, 1.0), noise(1, 2), steps, shift=shift)


def test_the_reader_is_told_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="0 pas avec un décalage de 1\u00a0; demandez au moins 1 pas"):
        euler(gaussian(0.0, 1.0), noise(1, 2), 0)


# ---------------------------------------------------------------- samplers, all alike


@samplers
@given(seed=seeds, shape=st.sampled_from([(1,), (5,), (3, 4, 4)]), steps=st.integers(1, 12), shift=st.floats(0.3, 4))
def test_on_a_straight_line_one_step_is_as_good_as_many(sampler, seed, shape, steps, shift):
    """Where all lines end in one picture, the velocity at noise is already right."""
    picture, start = noise(2, *shape, seed=seed), noise(2, *shape, seed=seed + 1)
    close(sampler(lambda x, t: start - picture, start, steps, shift=shift), picture, 1e-9)


@samplers
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_noise_stays_as_it_was_and_the_picture_has_its_dtype(sampler, dtype):
    start = noise(2, 3, dtype=dtype)
    before, heard = start.clone(), set()

    def network(x, t):
        heard.add(t.dtype)
        return gaussian(0.0, 0.5)(x, t)

    picture = sampler(network, start, 6, generator())
    assert torch.equal(start, before)
    assert picture.dtype == dtype
    assert heard == {dtype}


@samplers
def test_in_half_precision_the_time_is_not_rounded(sampler):
    heard = []

    def network(x, t):
        heard.append(t)
        return x / 2

    assert sampler(network, noise(2, 3).bfloat16(), 7).dtype == torch.bfloat16
    assert {t.dtype for t in heard} == {torch.float32}


@samplers
@pytest.mark.parametrize("steps", [1, 4, 5])
def test_the_network_runs_as_often_as_asked_and_the_callback_sees_each_run(sampler, steps):
    seen, asked = [], []

    def network(x, t):
        asked.append((x, t.tolist()))
        return gaussian(0.3, 0.5)(x, t)

    start = noise(2, 3)
    picture = sampler(network, start, steps, generator(), seen.append)
    assert [(step.index, step.steps) for step in seen] == [(index, steps) for index in range(steps)]
    assert torch.equal(seen[0].x, start)
    assert seen[0].t == 1
    for step, (x, t) in zip(seen, asked, strict=True):
        assert torch.equal(step.x, x)
        assert t == [step.t, step.t]
        close(step.x0, x - step.t * gaussian(0.3, 0.5)(x, times(*t)))
    if steps % 2 or sampler is euler:  # the last run is one of Euler's steps, which goes all the way
        close(seen[-1].x0, picture)


def test_when_the_network_is_asked():
    def asked(sampler, steps: int) -> list[float]:
        seen: list[float] = []
        sampler(gaussian(0.3, 0.5), noise(1, 2), steps, callback=lambda step: seen.append(step.t))
        return seen

    assert asked(euler, 4) == pytest.approx([1, 0.75, 0.5, 0.25])
    assert asked(midpoint, 4) == pytest.approx([1, 0.75, 0.5, 0.25])
    assert asked(heun, 4) == pytest.approx([1, 0.5, 0.5, 0])
    assert asked(heun, 3) == pytest.approx([1, 0.5, 0.5])


@samplers
def test_no_gradient_is_kept(sampler):
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert not sampler(lambda x, t: weight * x, noise(2, 3), 3, generator()).requires_grad


@samplers
def test_pictures_of_a_batch_do_not_hear_each_other_and_nothing_is_drawn(sampler):
    start = noise(2, 3)
    other = start.clone()
    other[0] = 9.0
    one, another = (sampler(gaussian(0.3, 0.5), x, 5, generator(seed)) for seed, x in enumerate((start, other)))
    assert torch.equal(one[1], another[1])
    assert not torch.equal(one[0], another[0])


def test_a_step_of_euler_mixes_both_ends_again():
    """As DDIM does: the picture and the noise that the velocity implies, with less noise."""
    velocity, start, seen = gaussian(0.3, 0.5), noise(2, 3), []
    euler(velocity, start, 4, callback=seen.append)
    for now, then in pairwise(seen):
        t = times(now.t, now.t)
        close(straight_path(*endpoints(velocity(now.x, t), now.x, t), times(then.t, then.t))[0], then.x)


@samplers
def test_every_sampler_works_where_there_is_no_float64(sampler):
    start = noise(2, 3, dtype=torch.float32)
    expected = sampler(gaussian(0.3, 0.5), start, 5, shift=2.0)
    with emulated_metal() as metal:
        found = sampler(gaussian(0.3, 0.5), start.to(metal), 5, callback=lambda step: None, shift=2.0)
        assert found.device.type == "mps"
        close(found.cpu(), expected, 1e-6)


# ---------------------------------------------------------------- against what is known exactly


@pytest.mark.parametrize(("sampler", "steps"), [(euler, 400), (midpoint, 40), (heun, 41)], ids=["euler", "midpoint", "heun"])
def test_each_noise_ends_where_the_exact_transport_brings_it(sampler, steps):
    """Between normal laws, x_t keeps its rank: noise z ends at mean + deviation * z, and the law with it."""
    start = noise(1000, 2)
    found = sampler(gaussian(0.3, 0.5), start, steps)
    close(found, 0.3 + 0.5 * start, 0.02)
    assert abs(float(found.std()) - 0.5 * float(start.std())) < 0.005


def mixture(x_t, t):
    """The exact velocity when pictures come from two normal laws: theirs, each as much as it is likely to be the one."""
    part = t.view(-1, *[1] * (x_t.ndim - 1)).to(x_t.dtype)
    likely, velocities = [], []
    for mean, deviation in TWO_LAWS:
        variance = (1 - part) ** 2 * deviation**2 + part**2
        likely.append(torch.exp(-((x_t - (1 - part) * mean) ** 2) / (2 * variance)) / variance.sqrt())
        velocities.append(gaussian(mean, deviation)(x_t, t))
    return sum(p * u for p, u in zip(likely, velocities, strict=True)) / sum(likely)


def transported(z: torch.Tensor) -> torch.Tensor:
    """Where noise ends in the mixture: on a line nothing overtakes, so it keeps its rank. Found by halving an interval."""
    rank, low, high = torch.special.ndtr(z), torch.full_like(z, -10), torch.full_like(z, 10)
    for _ in range(80):
        middle = (low + high) / 2
        below = sum(torch.special.ndtr((middle - mean) / deviation) for mean, deviation in TWO_LAWS) / 2 < rank
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return low


TWO_LAWS = ((-1.0, 0.5), (1.5, 0.6))


@pytest.mark.parametrize(("sampler", "order"), [(euler, 1), (midpoint, 2), (heun, 2)], ids=["euler", "midpoint", "heun"])
def test_the_error_falls_by_the_order_of_the_method(sampler, order):
    """Measured against the exact transport. (For a single normal law the midpoint method happens to be of third order.)"""
    start = torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]
    errors = [float((sampler(mixture, start, steps) - transported(start)).square().mean().sqrt()) for steps in (160, 320, 640)]
    assert [math.log2(coarse / fine) for coarse, fine in pairwise(errors)] == pytest.approx([order, order], abs=0.15)


def test_a_single_normal_law_shows_the_third_order_of_the_midpoint():
    start = times(0.5, 1.0, 2.0)[:, None]
    errors = [float((midpoint(gaussian(0.3, 0.5), start, steps) - (0.3 + 0.5 * start)).abs().max()) for steps in (40, 80)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(3, abs=0.1)


def test_for_the_same_runs_the_second_order_is_nearer():
    start = noise(200, 2)
    errors = {name: float((sampler(gaussian(0.3, 0.5), start, 20) - (0.3 + 0.5 * start)).norm()) for name, sampler in SAMPLERS.items()}
    assert errors["midpoint"] < errors["euler"] / 5
    assert errors["heun"] < errors["euler"] / 5
