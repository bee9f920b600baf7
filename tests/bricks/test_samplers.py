import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.inpainting import inpainting
from dalle_edu.bricks.noise_schedule import cosine_schedule, linear_schedule
from dalle_edu.bricks.samplers import ddim, ddpm, dpm_solver, spaced_timesteps
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
SAMPLERS = {"ddpm": ddpm, "ddim": ddim, "dpm_solver": dpm_solver}
samplers = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
LINEAR, COSINE = linear_schedule(), cosine_schedule()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def gaussian(mean: float, deviation: float, schedule):
    """The best denoiser there is when pictures are drawn from a normal law: the posterior mean."""

    def denoise(x_t, t):
        signal, rest = schedule.rates(t, x_t)
        gain = signal * deviation**2 / (signal**2 * deviation**2 + rest**2)
        return mean + gain * (x_t - signal * mean)

    return denoise


# ---------------------------------------------------------------- the path


@given(steps=st.integers(1, 1000))
def test_the_path_starts_where_only_noise_is_left_and_goes_down_evenly(steps):
    path = spaced_timesteps(LINEAR, steps)
    assert len(path) == steps
    assert path[0] == 999
    strides = [now - then for now, then in zip(path, [*path[1:], -1], strict=True)]
    assert max(strides) - min(strides) <= 1
    assert min(strides) >= 1


@samplers
@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_impossible_numbers_of_steps_are_refused(sampler, steps):
    with pytest.raises(DalleEduError, match=f"{steps} steps are asked of a schedule of 1000 timesteps; ask for 1 to 1000"):
        sampler(gaussian(0.0, 1.0, LINEAR), noise(1, 2), LINEAR, steps)


@samplers
def test_a_denoiser_must_return_what_it_was_given(sampler):
    with pytest.raises(DalleEduError, match=r"the denoiser was given \(2, 3\) and answered \(4, 3\)"):
        sampler(lambda x, t: torch.cat([x, x]), noise(2, 3), LINEAR, 5)


@pytest.mark.parametrize("eta", [-0.1, 1.5])
def test_eta_goes_from_0_to_1(eta):
    with pytest.raises(DalleEduError, match=f"eta is {eta}; give 0 "):
        ddim(gaussian(0.0, 1.0, LINEAR), noise(1, 2), LINEAR, eta=eta)


def test_the_reader_is_told_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="0 pas demandés à un calendrier de 1000 instants\u00a0; demandez-en de 1 à 1000"):
        spaced_timesteps(LINEAR, 0)


# ---------------------------------------------------------------- all alike


@samplers
@given(seed=seeds, shape=st.sampled_from([(1,), (5,), (3, 4, 4), (2, 3, 4, 5)]), steps=st.integers(1, 12))
def test_who_knows_the_picture_gets_it(sampler, seed, shape, steps):
    """Whatever the noise, the shape and the number of steps: the last step goes all the way and adds nothing."""
    picture = noise(2, *shape, seed=seed)
    close(sampler(lambda x, t: picture, noise(2, *shape, seed=seed + 1), LINEAR, steps, generator()), picture)


@samplers
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_noise_stays_as_it_was_and_the_picture_has_its_dtype(sampler, dtype):
    start = noise(2, 3, dtype=dtype)
    before = start.clone()
    picture = sampler(gaussian(0.0, 0.5, COSINE), start, COSINE, 6, generator())
    assert torch.equal(start, before)
    assert picture.dtype == dtype


@samplers
def test_the_callback_sees_every_step(sampler):
    seen, asked = [], []

    def denoise(x, t):
        asked.append((x, t.tolist()))
        return gaussian(0.3, 0.5, LINEAR)(x, t)

    start = noise(2, 3)
    picture = sampler(denoise, start, LINEAR, 5, generator(), seen.append)
    assert [(step.index, step.steps, step.t) for step in seen] == [(0, 5, 999), (1, 5, 799), (2, 5, 599), (3, 5, 399), (4, 5, 199)]
    assert [t for _, t in asked] == [[999] * 2, [799] * 2, [599] * 2, [399] * 2, [199] * 2]
    assert torch.equal(seen[0].x, start)
    for step, (x, _) in zip(seen, asked, strict=True):
        assert torch.equal(step.x, x)
    close(seen[-1].x0, picture)


@samplers
def test_no_gradient_is_kept(sampler):
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert not sampler(lambda x, t: weight * x, noise(2, 3), LINEAR, 3, generator()).requires_grad


@samplers
def test_pictures_of_a_batch_do_not_hear_each_other(sampler):
    start = noise(2, 3)
    other = start.clone()
    other[0] = 9.0
    one, another = (sampler(gaussian(0.3, 0.5, LINEAR), x, LINEAR, 5, generator()) for x in (start, other))
    assert torch.equal(one[1], another[1])
    assert not torch.equal(one[0], another[0])


@samplers
def test_one_step_is_one_question(sampler):
    start = noise(2, 3)
    close(sampler(gaussian(0.3, 0.5, LINEAR), start, LINEAR, 1), gaussian(0.3, 0.5, LINEAR)(start, torch.tensor([999, 999])))


# ---------------------------------------------------------------- each its own way


@pytest.mark.parametrize("schedule", [LINEAR, COSINE], ids=["linear", "cosine"])
@pytest.mark.parametrize("steps", [7, 50])
def test_ddim_with_all_the_noise_is_ddpm(schedule, steps):
    start, denoise = noise(2, 3, 4), gaussian(0.3, 0.5, schedule)
    close(ddim(denoise, start, schedule, steps, generator(), eta=1.0), ddpm(denoise, start, schedule, steps, generator()))


def test_who_draws_and_who_does_not():
    start, denoise = noise(2, 3), gaussian(0.3, 0.5, LINEAR)
    for sampler in (ddim, dpm_solver):
        assert torch.equal(sampler(denoise, start, LINEAR, 5, generator(0)), sampler(denoise, start, LINEAR, 5, generator(1)))
    assert torch.equal(ddpm(denoise, start, LINEAR, 5, generator(0)), ddpm(denoise, start, LINEAR, 5, generator(0)))
    assert not torch.equal(ddpm(denoise, start, LINEAR, 5, generator(0)), ddpm(denoise, start, LINEAR, 5, generator(1)))


@pytest.mark.parametrize(("sampler", "steps"), [(ddpm, 200), (ddim, 200), (dpm_solver, 30)], ids=["ddpm", "ddim", "dpm_solver"])
def test_the_law_of_the_pictures_comes_out(sampler, steps):
    """Normal pictures of mean 0.3 and deviation 0.5, from their own best denoiser."""
    found = sampler(gaussian(0.3, 0.5, COSINE), noise(20_000), COSINE, steps, generator(1))
    assert abs(float(found.mean()) - 0.3) < 0.015
    assert abs(float(found.std()) - 0.5) < 0.015


def error_half_way(sampler, steps: int, fine: int = 100_000) -> float:
    """How far a sampler is from the exact path at T / 2, on a schedule so fine that it is nearly continuous.

    Without fresh noise each normal picture keeps its rank in a law whose deviation changes: that is the exact path.
    """
    schedule, path = linear_schedule(fine, 0.1 / fine, 20 / fine), []
    sampler(gaussian(0.0, 0.5, schedule), torch.ones(1, dtype=torch.float64), schedule, steps, None, path.append)
    half = path[steps // 2]
    assert half.t == fine // 2 - 1
    start, end = (0.25 * left + 1 - left for left in (schedule.alpha_bar(fine - 1), schedule.alpha_bar(half.t)))
    return abs(float(half.x) - math.sqrt(end / start))


def test_twice_the_steps_halve_the_error_of_ddim_and_quarter_that_of_dpm_solver():
    first, second = ([error_half_way(sampler, steps) for steps in (20, 40, 80)] for sampler in (ddim, dpm_solver))
    assert all(1.7 < coarse / fine < 2.3 for coarse, fine in pairwise(first))
    assert all(3.4 < coarse / fine < 4.6 for coarse, fine in pairwise(second))
    assert second[0] < first[0] / 3


def test_what_is_known_survives_every_sampler():
    known, mask = noise(2, 3, 4), noise(1, 3, 4, seed=1) > 0
    for sampler in SAMPLERS.values():
        plain = gaussian(0.3, 0.5, LINEAR)
        picture = sampler(inpainting(plain, known, mask, LINEAR, generator(2)), noise(2, 3, 4, seed=3), LINEAR, 8, generator(4))
        everywhere = mask.expand(2, 3, 4)
        close(picture[everywhere], known[everywhere])
        assert float((picture - known)[~everywhere].abs().min()) > 1e-3
