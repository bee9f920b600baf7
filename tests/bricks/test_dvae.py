import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import Categorical, kl_divergence

from dalle_edu.bricks.dvae import (
    DiscreteVAE,
    DVAEConfig,
    codebook_entropy,
    gumbel_softmax,
    kl_to_uniform,
    patch_contrast,
    reconstruction_loss,
    temperature_at,
)

SMALL = DVAEConfig(resolution=16, grid=4, num_codes=24, width=8, depth=1)


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distributions(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=fresh(seed), dtype=dtype).log_softmax(dim=-1)


# ---------------------------------------------------------------- Gumbel-softmax


@pytest.mark.parametrize("hard", [False, True])
def test_draws_have_the_probabilities_of_the_logits(hard):
    """At a low temperature the largest entry is a draw from softmax(logits): 20,000 of them, by chi-square."""
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0, 0.5])
    draws = gumbel_softmax(logits.expand(20_000, 6), temperature=0.02, hard=hard, generator=fresh(0))
    counts = draws.argmax(dim=-1).bincount(minlength=6).numpy()
    expected = 20_000 * logits.double().softmax(dim=-1).numpy()
    assert stats.chisquare(counts, expected).pvalue > 0.01


def test_a_low_temperature_is_nearly_one_hot_and_a_high_one_nearly_uniform():
    logits = distributions(500, 6, dtype=torch.float32)
    cold = gumbel_softmax(logits, temperature=1e-3, generator=fresh(1))
    assert (cold.amax(dim=-1) > 0.99).float().mean() > 0.95
    hot = gumbel_softmax(logits, temperature=1e4, generator=fresh(1))
    torch.testing.assert_close(hot, torch.full((500, 6), 1 / 6), rtol=0, atol=1e-3)


@given(st.integers(0, 2**31), st.floats(0.05, 20))
def test_rows_sum_to_one(seed, temperature):
    draws = gumbel_softmax(distributions(3, 2, 5, seed=seed), temperature, generator=fresh(seed))
    assert (draws >= 0).all()
    torch.testing.assert_close(draws.sum(dim=-1), torch.ones(3, 2, dtype=torch.float64))


def test_hard_is_one_hot_with_the_soft_gradient():
    logits, downstream = distributions(40, 6), torch.randn(40, 6, dtype=torch.float64, generator=fresh(3))
    outcome = {}
    for hard in (False, True):
        leaf = logits.clone().requires_grad_()
        draws = gumbel_softmax(leaf, 0.7, hard=hard, generator=fresh(2))
        (draws * downstream).sum().backward()
        outcome[hard] = draws.detach(), leaf.grad
    soft, hard = outcome[False], outcome[True]
    torch.testing.assert_close(hard[0], F.one_hot(soft[0].argmax(dim=-1), 6).double())
    torch.testing.assert_close(hard[1], soft[1])
    assert soft[1].abs().max() > 0.01


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.0])
def test_is_pytorchs_on_the_same_noise(monkeypatch, hard, temperature):
    """PyTorch draws exponential numbers, we draw uniform ones: -log of the same uniform numbers is exponential."""
    logits = distributions(50, 7)
    ours = gumbel_softmax(logits, temperature, hard=hard, generator=fresh(4))

    def exponential_of_our_uniforms(self: torch.Tensor) -> torch.Tensor:
        return self.uniform_(1e-7, 1, generator=fresh(4)).log_().neg_()

    monkeypatch.setattr(torch.Tensor, "exponential_", exponential_of_our_uniforms, raising=False)
    theirs = F.gumbel_softmax(logits, tau=temperature, hard=hard)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_chance_comes_from_the_generator_alone():
    logits = distributions(4, 5)
    before = logits.clone()
    torch.manual_seed(0)
    first = gumbel_softmax(logits, 1.0, generator=fresh(5))
    torch.manual_seed(1)
    assert torch.equal(gumbel_softmax(logits, 1.0, generator=fresh(5)), first)
    assert not torch.equal(gumbel_softmax(logits, 1.0, generator=fresh(6)), first)
    assert torch.equal(logits, before)


def test_the_temperature_falls_and_stays():
    course = [temperature_at(i / 200) for i in range(201)]
    assert course[0] == pytest.approx(1.0)
    assert course[-1] == pytest.approx(1 / 4)
    assert temperature_at(1.0, end=1 / 16) == pytest.approx(1 / 16)
    assert all(later <= earlier for earlier, later in pairwise(course))
    assert temperature_at(0.9) == temperature_at(1.0)


# ---------------------------------------------------------------- divergence, entropy, usage


def test_kl_is_that_of_torch_distributions():
    log_q = distributions(6, 3, 4, 9)
    uniform = Categorical(logits=torch.zeros(9, dtype=torch.float64))
    torch.testing.assert_close(kl_to_uniform(log_q), kl_divergence(Categorical(logits=log_q), uniform).mean())


def test_kl_by_hand():
    assert float(kl_to_uniform(torch.zeros(2, 8).log_softmax(dim=-1))) == pytest.approx(0, abs=1e-6)
    certain = torch.tensor([[0.0, -1e4, -1e4, -1e4]]).log_softmax(dim=-1)
    assert float(kl_to_uniform(certain)) == pytest.approx(math.log(4), abs=1e-6)
    half = torch.tensor([0.5, 0.5, 1e-30, 1e-30]).log()
    assert float(kl_to_uniform(half)) == pytest.approx(math.log(2), abs=1e-6)


@given(st.integers(1, 5), st.integers(1, 4))
def test_kl_does_not_depend_on_the_size_of_batch_or_grid(batch, grid):
    log_q = distributions(1, 1, 1, 9)
    many = log_q.expand(batch, grid, grid, 9)
    torch.testing.assert_close(kl_to_uniform(many), kl_to_uniform(log_q))
    leaf = many.clone().requires_grad_()
    kl_to_uniform(leaf).backward()
    torch.testing.assert_close(leaf.grad.sum(dim=(0, 1, 2)), _gradient(log_q)[0, 0, 0])  # nor does its pull


def _gradient(log_q: torch.Tensor) -> torch.Tensor:
    leaf = log_q.clone().requires_grad_()
    kl_to_uniform(leaf).backward()
    return leaf.grad


def test_codebook_entropy():
    """Of the mean: log k when positions share the codes out, 0 when they agree on one, log 2 for two."""
    sharp = 60 * torch.eye(4, dtype=torch.float64)
    assert float(codebook_entropy(sharp.log_softmax(dim=-1))) == pytest.approx(math.log(4))
    assert float(codebook_entropy(sharp[[1, 1, 1]].log_softmax(dim=-1))) == pytest.approx(0, abs=1e-9)
    assert float(codebook_entropy(sharp[[0, 2, 0, 2]].view(2, 2, 4).log_softmax(dim=-1))) == pytest.approx(math.log(2))
    assert float(codebook_entropy(torch.zeros(3, 2, 2, 10).log_softmax(dim=-1))) == pytest.approx(math.log(10), abs=1e-6)


def test_codebook_entropy_is_that_of_torch_distributions():
    log_q = distributions(5, 2, 2, 7)
    mean = log_q.exp().view(-1, 7).mean(dim=0)
    torch.testing.assert_close(codebook_entropy(log_q), Categorical(probs=mean).entropy())


def test_codebook_entropy_counts_positions_by_weight():
    """Two codes, the second wherever the weight is: half the weight makes log 2, all of it 0."""
    log_q = (60 * torch.eye(2, dtype=torch.float64))[[0, 0, 0, 1]].log_softmax(dim=-1).view(1, 2, 2, 2)
    assert torch.equal(codebook_entropy(log_q, torch.ones(1, 2, 2).double()), codebook_entropy(log_q))
    assert float(codebook_entropy(log_q, torch.tensor([[[1.0, 1.0], [1.0, 3.0]]]).double())) == pytest.approx(math.log(2))
    assert float(codebook_entropy(log_q, torch.tensor([[[0.0, 0.0], [0.0, 1.0]]]).double())) == pytest.approx(0, abs=1e-9)
    assert float(codebook_entropy(log_q, torch.zeros(1, 2, 2).double())) == 0


def test_contrast_is_the_deviation_of_each_patch():
    images = torch.zeros(1, 3, 4, 6)
    images[0, :, :2, 3:] = torch.randn(3, 2, 3, generator=fresh(0))
    found = patch_contrast(images, grid=2)
    assert found.shape == (1, 2, 2)
    assert float(found[0, 0, 1]) == pytest.approx(float(images[0, :, :2, 3:].std()))
    assert found.count_nonzero() == 1


# ---------------------------------------------------------------- the discrete VAE


@pytest.fixture(scope="module")
def dvae() -> DiscreteVAE:
    torch.manual_seed(0)
    model = DiscreteVAE(SMALL)
    for parameter in model.parameters():  # away from the zeros at which residual blocks start
        parameter.data.add_(torch.randn(parameter.shape, generator=fresh(1)) * 0.05)
    return model


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 3, 16, 16, generator=fresh(2)) * 2 - 1


def test_pictures_become_codes_and_codes_pictures(dvae, images):
    logits, codes = dvae.logits(images), dvae.encode(images)
    assert logits.shape == (5, 4, 4, 24)
    assert codes.shape == (5, 4, 4)
    assert codes.dtype == torch.int64
    assert torch.equal(codes, logits.argmax(dim=-1))
    assert codes.min() >= 0
    assert codes.max() < 24
    assert codes.unique().numel() > 1
    painted = dvae.decode(codes)
    assert painted.shape == images.shape
    assert painted.dtype == torch.float32
    assert painted.isfinite().all()


def test_a_code_and_its_one_hot_paint_the_same(dvae, images):
    codes = dvae.encode(images)
    torch.testing.assert_close(dvae.decode(codes), dvae.decode_soft(F.one_hot(codes, 24).float()), rtol=0, atol=1e-5)


def test_each_picture_is_coded_for_itself(dvae, images):
    assert torch.equal(torch.cat([dvae.encode(image[None]) for image in images]), dvae.encode(images))


def test_equal_patches_get_equal_codes_whatever_surrounds_them(dvae, images):
    other = images.clone()
    other[:, :, 4:8, 8:12] = -images[:, :, 4:8, 8:12]
    changed = (dvae.encode(other) != dvae.encode(images)).any(dim=0)
    assert changed[1, 2]
    assert changed.sum() == 1


def test_different_codes_paint_different_pictures(dvae):
    first, second = dvae.decode(torch.zeros(1, 4, 4, dtype=torch.long)), dvae.decode(torch.ones(1, 4, 4, dtype=torch.long))
    assert (first - second).abs().max() > 1e-4


def test_the_loss_reaches_every_parameter(images):
    torch.manual_seed(0)
    model = DiscreteVAE(SMALL)
    for parameter in model.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=fresh(1)) * 0.05)
    model.loss(images, 1.0, fresh(3))["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_the_same_seed_gives_the_same_loss(dvae, images):
    before = images.clone()
    torch.manual_seed(0)
    first = dvae.loss(images, 0.5, fresh(3))["loss"]
    torch.manual_seed(1)
    assert torch.equal(dvae.loss(images, 0.5, fresh(3))["loss"], first)
    assert not torch.equal(dvae.loss(images, 0.5, fresh(4))["loss"], first)
    assert torch.equal(images, before)


def test_the_decoder_learns_from_the_codes_that_it_will_paint():
    torch.manual_seed(0)
    dvae = DiscreteVAE(SMALL)
    images = torch.rand(4, 3, 16, 16, generator=fresh(0)) * 2 - 1
    loss = dvae.decoder_loss(images)["loss"]
    painted = dvae.decode(dvae.encode(images))
    torch.testing.assert_close(loss, reconstruction_loss(painted, images))
    torch.testing.assert_close(loss, ((painted - images) ** 2).mean() + (painted - images).abs().mean())
    loss.backward()
    assert {name.split(".")[0] for name, parameter in dvae.named_parameters() if parameter.grad is not None} == {"decoder"}
