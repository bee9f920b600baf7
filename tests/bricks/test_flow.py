import math
from itertools import pairwise

import pytest
import torch
from emulated.metal import emulated_metal
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.diffusion import picture_and_noise, training_target
from dalle_edu.bricks.flow import (
    endpoints,
    euler,
    flow_matching_loss,
    heun,
    logit_normal_times,
    midpoint,
    on_timestep_scale,
    spaced_times,
    straight_path,
    uniform_times,
)
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import NoiseSchedule, shifted
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
shapes = st.sampled_from([(), (5,), (3, 4, 4), (2, 3, 4, 5)])
SAMPLERS = {"euler": euler, "midpoint": midpoint, "heun": heun}
samplers = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
CPU = torch.device("cpu")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def times(*t: float) -> torch.Tensor:
    return torch.tensor(t, dtype=torch.float64)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def gaussian(mean: float, deviation: float):
    """The exact velocity when pictures are drawn from a normal law: the mean of noise - x0 over all lines through (x_t, t)."""

    def velocity(x_t, t):
        part = t.view(-1, *[1] * (x_t.ndim - 1)).to(x_t.dtype)
        variance = (1 - part) ** 2 * deviation**2 + part**2
        away = (x_t - (1 - part) * mean) / variance
        return part * away - (mean + (1 - part) * deviation**2 * away)

    return velocity


# ---------------------------------------------------------------- the path


@given(seed=seeds, shape=shapes, t=st.floats(0, 1))
def test_the_path_leads_from_the_picture_to_noise_at_one_speed(seed, shape, t):
    x0, eps = noise(2, *shape, seed=seed), noise(2, *shape, seed=seed + 1)
    x_t, velocity = straight_path(x0, eps, times(t, 0.5))
    close(straight_path(x0, eps, times(0.0, 0.0))[0], x0)
    close(straight_path(x0, eps, times(1.0, 1.0))[0], eps)
    for end, wanted in zip(endpoints(velocity, x_t, times(t, 0.5)), (x0, eps), strict=True):
        close(end, wanted, 1e-9)
    step = 1e-3
    ahead = straight_path(x0, eps, times(0.5 + step, 0.5 + step))[0]
    behind = straight_path(x0, eps, times(0.5 - step, 0.5 - step))[0]
    close((ahead - behind) / (2 * step), velocity, 1e-9)


@given(seed=seeds, shape=shapes)
def test_each_picture_has_its_own_time(seed, shape):
    x0, eps, t = noise(3, *shape, seed=seed), noise(3, *shape, seed=seed + 1), times(0.1, 0.5, 0.9)
    together = straight_path(x0, eps, t)[0]
    assert torch.equal(together, torch.cat([straight_path(x0[i : i + 1], eps[i : i + 1], t[i : i + 1])[0] for i in range(3)]))


@pytest.mark.parametrize("t", [0.05, 0.4, 0.5, 0.83])
def test_a_velocity_and_v_say_the_same(t):
    """At the timestep that has as much noise for its signal: what the module's docstring says of both."""
    length = math.hypot(1 - t, t)
    schedule = NoiseSchedule(times(1 - ((1 - t) / length) ** 2))  # one timestep, whose signal rate is (1 - t) / length
    x0, eps, first = noise(2, 6), noise(2, 6, seed=1), torch.tensor([0, 0])
    x_t, velocity = straight_path(x0, eps, times(t, t))
    v = training_target(x0, eps, first, schedule, "v")
    close(v, length * velocity + (1 - 2 * t) * x_t / length)
    close(picture_and_noise(v, x_t / length, first, schedule, "v")[0], endpoints(velocity, x_t, times(t, t))[0])
    if t == 0.5:
        close(v, velocity / math.sqrt(2))


@pytest.mark.parametrize(
    "t",
    [torch.tensor([0, 1]), torch.tensor([0.5]), torch.tensor([0.5, 1.1]), torch.tensor([-0.1, 0.5]), torch.tensor([0.5, math.nan])],
    ids=str,
)
def test_times_that_are_not_real_or_not_between_0_and_1_are_refused(no_shape_checking, t):
    for function in (straight_path, endpoints):
        with pytest.raises(DalleEduError, match=r"t is .* each of 2 pictures wants a real number from 0 \(clean\) to 1 \(noise\)"):
            function(noise(2, 3), noise(2, 3), t)


def test_noise_of_another_shape_is_refused(no_shape_checking):
    with pytest.raises(DalleEduError, match=r"the noise has the shape \(2, 1\) and the pictures \(2, 3\)"):
        straight_path(noise(2, 3), noise(2, 1), times(0.1, 0.2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_path_has_the_dtype_of_the_pictures(dtype):
    x0, eps = noise(2, 3, dtype=torch.float32).to(dtype), noise(2, 3, seed=1, dtype=torch.float32).to(dtype)
    for t in (torch.tensor([0.25, 0.75]), times(0.25, 0.75)):
        assert {part.dtype for part in (*straight_path(x0, eps, t), *endpoints(eps, x0, t))} == {dtype}


# ---------------------------------------------------------------- times


def test_each_part_of_time_gets_one_picture_of_the_batch():
    drawn = torch.stack([uniform_times(8, generator(seed), CPU) for seed in range(2000)])
    assert drawn.dtype == torch.float32
    assert ((drawn.sort(dim=1).values * 8).floor() == torch.arange(8)).all()
    assert 0 <= float(drawn.min()) < 0.001
    assert 0.999 < float(drawn.max()) <= 1
    for place in drawn.T:  # and each picture may get any
        assert abs(float(place.mean()) - 0.5) < 0.03
        assert abs(float(place.std()) - math.sqrt(1 / 12)) < 0.02
    assert uniform_times(0, generator(), CPU).shape == (0,)


def test_logits_of_times_are_normal():
    drawn = logit_normal_times(40_000, generator(), CPU, mean=0.5, std=0.8)
    assert drawn.dtype == torch.float32
    assert abs(float(drawn.logit().mean()) - 0.5) < 0.02
    assert abs(float(drawn.logit().std()) - 0.8) < 0.02
    middle = logit_normal_times(40_000, generator(), CPU)
    assert abs(float(((middle > 0.25) & (middle < 0.75)).float().mean()) - math.erf(math.log(3) / math.sqrt(2))) < 0.01


@pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
def test_a_spread_that_is_not_positive_is_refused(std):
    with pytest.raises(DalleEduError, match=r"std is .*; give a positive number, such as 1"):
        logit_normal_times(3, None, CPU, std=std)


# ---------------------------------------------------------------- the loss


@pytest.mark.parametrize("shape", [(), (6,), (3, 4, 4)], ids=str)
@pytest.mark.parametrize("drawn", [uniform_times, logit_normal_times])
def test_who_knows_the_picture_loses_nothing(shape, drawn):
    x0 = noise(8, *shape)

    def network(x_t, t):
        return (x_t - x0) / t.view(-1, *[1] * (x_t.ndim - 1)).to(x_t.dtype)

    assert float(flow_matching_loss(network, x0, drawn, generator())) < 1e-12
    assert float(flow_matching_loss(lambda x, t: torch.zeros_like(x), x0, drawn, generator())) > 0.3


def test_the_best_answer_is_the_exact_velocity():
    """For normal pictures the mean velocity is known; scaled or moved, it loses more, and it does not lose nothing."""
    x0 = 0.3 + 0.5 * noise(20_000, 2)
    exact = gaussian(0.3, 0.5)
    losses = [
        float(flow_matching_loss(lambda x, t, shift=shift, scale=scale: scale * exact(x, t) + shift, x0, generator=generator()))
        for shift, scale in ((0.0, 1.0), (0.05, 1.0), (-0.05, 1.0), (0.0, 1.1), (0.0, 0.9))
    ]
    assert losses[0] == min(losses)
    t = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    left = 0.25 / (0.25 * (1 - t) ** 2 + t**2)  # the variance of noise - x0, given x_t
    assert abs(losses[0] - float(left.mean())) < 0.01


def test_the_same_seed_gives_the_same_loss_and_conditions_arrive():
    x0, shift = noise(4, 3), noise(4, 1, seed=1)

    def network(x, t, shift):
        return x + shift

    losses = [flow_matching_loss(network, x0, generator=generator(seed), shift=shift) for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    assert losses[0] != flow_matching_loss(network, x0, generator=generator(0), shift=0 * shift)


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    weight = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)

    def loss(weight):
        return flow_matching_loss(
            lambda x, t, shift: x * weight[0] + weight[1] * shift, noise(4, 3), generator=generator(), shift=noise(4, 1)
        )

    assert torch.autograd.gradcheck(loss, (weight,))


def test_a_velocity_of_another_shape_is_refused():
    message = r"the network was given \(2, 3\) and answered \(2, 1\); it must return a velocity of the same shape"
    with pytest.raises(DalleEduError, match=message):
        flow_matching_loss(lambda x, t: x[:, :1], noise(2, 3))
    for sampler in SAMPLERS.values():
        with pytest.raises(DalleEduError, match=message):
            sampler(lambda x, t: x[:, :1], noise(2, 3), 5)


def test_a_network_hears_times_as_timesteps():
    heard = []

    def network(x_t, t, pooled):
        heard.append((t, pooled))
        return x_t

    pooled = noise(2, 3)
    on_timestep_scale(network)(noise(2, 3), times(0.25, 1.0), pooled=pooled)
    on_timestep_scale(network, 50)(noise(2, 3), times(0.25, 1.0), pooled=pooled)
    close(heard[0][0], times(250, 1000))
    close(heard[1][0], times(12.5, 50))
    assert heard[0][1] is pooled
    with pytest.raises(DalleEduError, match="timesteps is 0; give a positive number, such as 1000"):
        on_timestep_scale(network, 0)


# ---------------------------------------------------------------- guidance


@given(seed=seeds, scale=st.floats(0, 10))
def test_guiding_velocities_is_guiding_pictures(seed, scale):
    x_t, t = noise(2, 6, seed=seed), times(0.2, 0.9)
    said = [noise(2, 6, seed=seed + place) for place in (1, 2)]
    with_condition, without = ({"said": each} for each in said)
    pictures = guided(lambda x, t, said: endpoints(said, x, t)[0], scale, with_condition, without)(x_t, t)
    velocity = guided(lambda x, t, said: said, scale, with_condition, without)(x_t, t)
    close(endpoints(velocity, x_t, t)[0], pictures, 1e-9)


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


@pytest.mark.parametrize("drawn", [uniform_times, logit_normal_times])
def test_the_loss_works_where_there_is_no_float64(drawn):
    with emulated_metal() as metal:
        x0 = noise(4, 3, dtype=torch.float32).to(metal)
        loss = flow_matching_loss(gaussian(0.3, 0.5), x0, drawn, torch.Generator(metal).manual_seed(0))
        assert loss.device.type == "mps"
        assert math.isfinite(float(loss))


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


def test_a_small_network_learns_to_carry_noise():
    """Trained by the loss, walked by Euler: the law of the pictures comes out, and a U-Net takes the same calls."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.SiLU(), torch.nn.Linear(32, 1))

    def velocity(x, t):
        return network(torch.cat([x, t[:, None]], dim=1))

    optimizer, draw = torch.optim.Adam(network.parameters(), 1e-2), generator()
    for _ in range(300):
        x0 = 2 + 0.5 * torch.randn(256, 1, generator=draw)
        optimizer.zero_grad()
        flow_matching_loss(velocity, x0, generator=draw).backward()
        optimizer.step()
    found = euler(velocity, noise(2000, 1, dtype=torch.float32), 20)
    assert abs(float(found.mean()) - 2) < 0.15
    assert abs(float(found.std()) - 0.5) < 0.15
    unet = UNet(UNetConfig(1, 1, 1, (8, 16), depth=1, attention_levels=(), pooled_width=3))
    asked, blank = {"pooled": torch.eye(3)}, {"pooled": torch.zeros(3, 3)}
    pictures = heun(guided(on_timestep_scale(unet), 2.0, asked, blank), noise(3, 1, 8, 8, dtype=torch.float32), 4)
    assert pictures.shape == (3, 1, 8, 8)
