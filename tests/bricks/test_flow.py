"""Flow matching: its path, its times and its loss, against what is known exactly."""

import math

import pytest
import torch
from emulated.metal import emulated_metal
from flow_laws import close, gaussian, generator, noise, times
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
    straight_path,
    uniform_times,
)
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
shapes = st.sampled_from([(), (5,), (3, 4, 4), (2, 3, 4, 5)])
SAMPLERS = {"euler": euler, "midpoint": midpoint, "heun": heun}
samplers = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
CPU = torch.device("cpu")


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


@pytest.mark.parametrize("drawn", [uniform_times, logit_normal_times])
def test_the_loss_works_where_there_is_no_float64(drawn):
    with emulated_metal() as metal:
        x0 = noise(4, 3, dtype=torch.float32).to(metal)
        loss = flow_matching_loss(gaussian(0.3, 0.5), x0, drawn, torch.Generator(metal).manual_seed(0))
        assert loss.device.type == "mps"
        assert math.isfinite(float(loss))


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
