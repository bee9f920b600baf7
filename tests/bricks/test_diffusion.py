import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.diffusion import (
    TARGETS,
    add_noise,
    denoiser,
    diffusion_loss,
    dynamic_threshold,
    picture_and_noise,
    spread_timesteps,
    training_target,
)
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule, linear_schedule, shifted
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
shapes = st.sampled_from([(), (5,), (3, 4, 4), (2, 3, 4, 5)])
SCHEDULES = {"linear": linear_schedule(), "cosine": cosine_schedule()}
schedules = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


# ---------------------------------------------------------------- schedules


@schedules
def test_schedules_go_from_the_picture_to_noise(schedule):
    assert len(schedule) == 1000
    assert (schedule.alphas_bar.diff() < 0).all()
    assert schedule.alpha_bar(-1) == 1
    assert schedule.alpha_bar(0) > 0.9998
    assert 0 < schedule.alpha_bar(999) < 5e-5
    assert schedule.alphas_bar.dtype == torch.float64


def test_the_cosine_keeps_half_of_the_picture_half_way_and_the_line_nearly_nothing():
    assert abs(SCHEDULES["cosine"].alpha_bar(499) - 0.5) < 0.02
    assert SCHEDULES["linear"].alpha_bar(499) < 0.1
    assert float(SCHEDULES["cosine"].betas.max()) == 0.999


@schedules
def test_one_step_to_t_is_t_steps_of_one(schedule):
    """x_t = sqrt(1 - beta) x_(t-1) + sqrt(beta) eps, again and again: the signal's rates multiply, the variances of the noise add up."""
    signal, variance = 1.0, 0.0
    for t, beta in enumerate(schedule.betas[:300].tolist()):
        signal, variance = signal * math.sqrt(1 - beta), variance * (1 - beta) + beta
        signal_rate, noise_rate = schedule.rates(torch.tensor([t]), noise(1))
        assert abs(float(signal_rate) - signal) < 1e-12
        assert abs(float(noise_rate) ** 2 - variance) < 1e-12


@pytest.mark.parametrize("betas", [[], [0.5, 1.0], [0.0, 0.1], [-0.1], [float("nan")]], ids=str)
def test_betas_lie_between_0_and_1(betas):
    with pytest.raises(DalleEduError, match="each above 0 and below 1; clip them"):
        NoiseSchedule(torch.tensor(betas))


@pytest.mark.parametrize(
    "t", [torch.tensor([-1, 0]), torch.tensor([0, 1000]), torch.tensor([0]), torch.tensor([0.0, 1.0]), torch.tensor([0, 1]).int()], ids=str
)
def test_timesteps_outside_the_schedule_are_refused(no_shape_checking, t):
    with pytest.raises(DalleEduError, match=r"t is .* each of 2 pictures wants a whole number \(int64\), 0 to 999"):
        add_noise(noise(2, 3), noise(2, 3), t, linear_schedule())


def test_noise_of_another_shape_is_refused(no_shape_checking):
    with pytest.raises(DalleEduError, match=r"the noise has the shape \(2, 1\) and the pictures \(2, 3\)"):
        add_noise(noise(2, 3), noise(2, 1), torch.tensor([0, 1]), linear_schedule())


# ---------------------------------------------------------------- towards noise and back


@given(seed=seeds, shape=shapes)
def test_each_picture_has_its_own_timestep(seed, shape):
    schedule, x0, eps, t = linear_schedule(), noise(3, *shape, seed=seed), noise(3, *shape, seed=seed + 1), torch.tensor([10, 500, 999])
    together = add_noise(x0, eps, t, schedule)
    alone = [add_noise(x0[i : i + 1], eps[i : i + 1], t[i : i + 1], schedule) for i in range(3)]
    assert torch.equal(together, torch.cat(alone))


@schedules
def test_pictures_of_variance_1_keep_it(schedule):
    x_t = add_noise(noise(4, 20_000), noise(4, 20_000, seed=1), torch.tensor([0, 300, 600, 999]), schedule)
    close(x_t.var(dim=1), torch.ones(4, dtype=torch.float64), 0.03)


@given(seed=seeds, shape=shapes, t=st.integers(0, 999), target=st.sampled_from(TARGETS), name=st.sampled_from(sorted(SCHEDULES)))
def test_the_right_prediction_gives_back_the_picture_and_the_noise(seed, shape, t, target, name):
    schedule, when = SCHEDULES[name], torch.tensor([t, t])
    x0, eps = noise(2, *shape, seed=seed), noise(2, *shape, seed=seed + 1)
    x_t = add_noise(x0, eps, when, schedule)
    found = picture_and_noise(training_target(x0, eps, when, schedule, target), x_t, when, schedule, target)
    close(found[0], x0, 1e-9)
    close(found[1], eps, 1e-9)


@pytest.mark.parametrize("source", TARGETS)
@pytest.mark.parametrize("wanted", TARGETS)
def test_targets_turn_into_one_another(source, wanted):
    schedule, t, x_t, prediction = cosine_schedule(), torch.tensor([20, 700]), noise(2, 6), noise(2, 6, seed=1)
    x0, eps = picture_and_noise(prediction, x_t, t, schedule, source)
    close(add_noise(x0, eps, t, schedule), x_t)
    again = picture_and_noise(training_target(x0, eps, t, schedule, wanted), x_t, t, schedule, wanted)
    close(again[0], x0)
    close(again[1], eps)


def test_v_is_the_speed_along_the_circle():
    """With signal cos φ and noise sin φ, v = d x_t / d φ (Salimans & Ho 2022, appendix D)."""
    schedule, x0, eps, t = cosine_schedule(), noise(1, 6), noise(1, 6, seed=1), torch.tensor([400])
    phi, step = math.acos(math.sqrt(schedule.alpha_bar(400))), 1e-5
    ahead, behind = (math.cos(angle) * x0 + math.sin(angle) * eps for angle in (phi + step, phi - step))
    close(training_target(x0, eps, t, schedule, "v"), (ahead - behind) / (2 * step), 1e-8)


def test_an_unknown_target_is_refused():
    x, t, schedule = noise(1, 2), torch.tensor([0]), linear_schedule()
    message = 'the target is "noise"; a network predicts one of eps, x0, v'
    with pytest.raises(DalleEduError, match=message):
        training_target(x, x, t, schedule, "noise")
    with pytest.raises(DalleEduError, match=message):
        picture_and_noise(x, x, t, schedule, "noise")
    with pytest.raises(DalleEduError, match=message):
        denoiser(lambda x, t: x, schedule, "noise")


# ---------------------------------------------------------------- the loss


def truthful(x0: torch.Tensor, schedule: NoiseSchedule, target: str):
    """A network that knows the picture, and with it the answer."""

    def network(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        signal_rate, noise_rate = schedule.rates(t, x_t)
        return training_target(x0, (x_t - signal_rate * x0) / noise_rate, t, schedule, target)

    return network


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", [(), (6,), (3, 4, 4)], ids=str)
def test_who_knows_the_picture_loses_nothing(target, shape):
    schedule, x0 = cosine_schedule(), noise(8, *shape)
    assert float(diffusion_loss(truthful(x0, schedule, target), x0, schedule, target, generator=generator())) < 1e-12
    silent = diffusion_loss(lambda x, t: torch.zeros_like(x), x0, schedule, target, generator=generator())
    assert float(silent) > 0.3


def test_every_timestep_is_drawn_and_the_same_chance_draws_the_same():
    heard = []

    def network(x_t, t):
        heard.append((x_t, t))
        return x_t

    losses = [diffusion_loss(network, noise(2000, 1), linear_schedule(5), generator=generator(seed)) for seed in (0, 0, 1)]
    counts = heard[0][1].bincount(minlength=5)
    assert len(counts) == 5
    assert int(counts.min()) > 340
    assert torch.equal(heard[0][0], heard[1][0])
    assert losses[0] == losses[1] != losses[2]


def test_each_part_of_the_schedule_gets_one_picture_of_the_batch():
    drawn = torch.stack([spread_timesteps(8, 1000, generator(seed), torch.device("cpu")) for seed in range(4000)])
    assert (drawn.sort(dim=1).values // 125 == torch.arange(8)).all()
    assert int(drawn.min()) == 0
    assert int(drawn.max()) == 999
    for place in drawn.T:  # and each picture may get any
        assert abs(float(place.double().mean()) - 499.5) < 20
        assert abs(float(place.double().std()) - 288.7) < 10
    one = torch.stack([spread_timesteps(1, 3, generator(seed), torch.device("cpu")) for seed in range(3000)])
    assert int(one.flatten().bincount(minlength=3).min()) > 900


def test_weights_choose_the_timesteps_that_count():
    x0, schedule = noise(64, 6), linear_schedule(10)
    said: list[torch.Tensor] = []

    def network(x_t, t):
        said[:] = [t]
        return torch.where((t == 3)[:, None], torch.zeros(()), truthful(x0, schedule, "eps")(x_t, t))

    only_3 = torch.zeros(10).index_fill(0, torch.tensor(3), 1.0)
    all_alike = diffusion_loss(network, x0, schedule, "eps", generator=generator())
    assert int((said[0] == 3).sum()) > 0
    close(diffusion_loss(network, x0, schedule, "eps", only_3, generator()), all_alike)
    assert float(diffusion_loss(network, x0, schedule, "eps", 1 - only_3, generator())) < 1e-12
    close(diffusion_loss(network, x0, schedule, "eps", torch.full((10,), 2.0), generator()), 2 * all_alike)


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    weight = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)

    def loss(weight):
        return diffusion_loss(
            lambda x, t, shift: x * weight[0] + weight[1] * shift, noise(4, 3), linear_schedule(), generator=generator(), shift=noise(4, 1)
        )

    assert torch.autograd.gradcheck(loss, (weight,))


# ---------------------------------------------------------------- guidance


@given(seed=seeds, scale=st.floats(0, 10))
def test_guidance_may_mix_whatever_is_predicted(seed, scale):
    """Mixing eps, x0 or v comes to the same picture."""
    schedule, t, x_t = cosine_schedule(), torch.tensor([100, 600]), noise(2, 6, seed=seed)
    given_, blank = {"said": noise(2, 6, seed=seed + 1)}, {"said": noise(2, 6, seed=seed + 2)}

    def network(target):
        def predict(x_t, t, said):
            x0, eps = picture_and_noise(said, x_t, t, schedule, "v")
            return training_target(x0, eps, t, schedule, target)

        return predict

    pictures = [denoiser(guided(network(target), scale, given_, blank), schedule, target)(x_t, t) for target in TARGETS]
    close(pictures[0], pictures[1], 1e-8)
    close(pictures[0], pictures[2], 1e-8)


def test_guidance_runs_the_network_once_and_leaves_the_conditions_alone():
    sizes = []

    def network(x_t, t, pooled, mask):
        sizes.append((len(x_t), len(t), len(pooled), mask.dtype))
        return x_t * pooled + mask

    given_ = {"pooled": noise(3, 1), "mask": torch.ones(3, 1, dtype=torch.bool)}
    blank = {"pooled": torch.zeros(3, 1, dtype=torch.float64), "mask": torch.zeros(3, 1, dtype=torch.bool)}
    before = given_["pooled"].clone()
    x_t, t = noise(3, 2, seed=1), torch.tensor([0, 1, 2])
    strong = guided(network, 3.0, given_, blank)(x_t, t)
    plain = guided(network, 1.0, given_, blank)(x_t, t)
    none = guided(network, 0.0, given_, blank)(x_t, t)
    assert sizes == [(6, 6, 6, torch.bool), (3, 3, 3, torch.bool), (6, 6, 6, torch.bool)]
    assert torch.equal(plain, network(x_t, t, **given_))
    close(none, network(x_t, t, **blank))
    close(strong, none + 3 * (plain - none))
    assert torch.equal(given_["pooled"], before)


@pytest.mark.parametrize("blank", [{}, {"text": torch.zeros(2, 3)}, {"pooled": torch.zeros(2, 4)}, {"pooled": torch.zeros(1, 3)}], ids=str)
def test_guidance_wants_the_same_conditions_on_both_sides(blank):
    with pytest.raises(DalleEduError, match=r"guidance has the conditions \['pooled'\] on one side"):
        guided(lambda x, t, pooled: x, 2.0, {"pooled": torch.zeros(2, 3)}, blank)


# ---------------------------------------------------------------- thresholds


@given(seed=seeds, scale=st.floats(0.1, 20), percentile=st.floats(0, 1))
def test_the_threshold_brings_back_in_range_and_keeps_order(seed, scale, percentile):
    x0 = scale * noise(2, 3, 4, 4, seed=seed)
    found = dynamic_threshold(x0, percentile)
    assert float(found.abs().max()) <= 1
    close(dynamic_threshold(found, percentile), found)
    order = x0.flatten(1).argsort(dim=1)
    assert (found.flatten(1).gather(1, order).diff() >= 0).all()
    assert (found * x0 >= 0).all()


def test_a_picture_in_range_stays_as_it_is_beside_one_that_is_not():
    x0 = torch.stack([noise(3, 4, 4).clamp(-1, 1), 5 * noise(3, 4, 4)])
    found = dynamic_threshold(x0)
    assert torch.equal(found[0], x0[0])
    assert float(found[1].abs().median()) < float(x0[1].clamp(-1, 1).abs().median())  # what a plain clip would saturate is kept apart


def test_half_precision_has_a_threshold_too():
    x0 = 3 * noise(2, 3, 8, 8, dtype=torch.float32)
    found = dynamic_threshold(x0.bfloat16())
    assert found.dtype == torch.bfloat16
    close(found.float(), dynamic_threshold(x0), 0.02)


def test_the_percentile_is_a_part():
    for percentile in (99.5, -0.1):
        with pytest.raises(DalleEduError, match=f"the percentile is {percentile}; give a part of the pixels, from 0 to 1"):
            dynamic_threshold(noise(1, 4), percentile)


def test_a_denoiser_clips_only_if_asked():
    network, schedule, x_t, t = (lambda x, t: torch.full_like(x, 7.0)), linear_schedule(), noise(2, 4), torch.tensor([3, 900])
    assert (denoiser(network, schedule, "x0")(x_t, t) == 7).all()
    assert (denoiser(network, schedule, "x0", lambda x0: x0.clamp(-1, 1))(x_t, t) == 1).all()


def test_the_reader_is_told_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="la cible est «\u00a0noise\u00a0»\u00a0; un réseau prédit l'une de eps, x0, v"):
        denoiser(lambda x, t: x, linear_schedule(), "noise")


def test_a_shift_of_one_changes_nothing_and_a_larger_one_adds_noise_everywhere():
    schedule = cosine_schedule()
    torch.testing.assert_close(shifted(schedule, 1.0).alphas_bar, schedule.alphas_bar, rtol=0, atol=1e-9)
    assert (shifted(schedule, 2.0).alphas_bar < schedule.alphas_bar).all()


@pytest.mark.parametrize("factor", [0.0, -1.0])
def test_a_shift_that_is_not_positive_is_refused(factor):
    with pytest.raises(DalleEduError, match="positive"):
        shifted(cosine_schedule(), factor)
