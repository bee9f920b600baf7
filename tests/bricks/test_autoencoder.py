import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.autoencoder import Autoencoder, largest_angle, network, pca
from dalle_edu.bricks.vae import (
    VAE,
    VAEConfig,
    bernoulli_log_likelihood,
    gaussian_log_likelihood,
    importance_log_likelihood,
    kl_to_standard_normal,
    reparametrise,
)
from dalle_edu.classroom.references.latents import linear_gaussian_vae
from dalle_edu.datasets.digits import digits
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- principal components


@given(seed=seeds, latent=st.integers(1, 5))
def test_the_directions_are_orthonormal_and_the_variances_fall(seed, latent):
    found = pca(noise(12, 5, seed=seed), latent)
    torch.testing.assert_close(found.directions @ found.directions.T, torch.eye(latent, dtype=torch.float64))
    assert (found.variances.diff() <= 0).all()
    assert (found.variances >= 0).all()


@given(seed=seeds)
def test_all_components_bring_everything_back(seed):
    data = noise(12, 5, seed=seed) + 3
    found = pca(data, 5)
    torch.testing.assert_close(found.decode(found.encode(data)), data)
    torch.testing.assert_close(found.variances.sum(), data.var(dim=0).sum())


@given(seed=seeds, latent=st.integers(1, 4))
def test_no_other_plane_does_better(seed, latent):
    data = noise(20, 5, seed=seed) * torch.tensor([5.0, 3, 2, 1, 0.5])
    found = pca(data, latent)
    error = (found.decode(found.encode(data)) - data).square().sum()
    torch.testing.assert_close(error, (data - data.mean(dim=0)).square().sum() - found.variances.sum() * 19)
    other = torch.linalg.qr(noise(5, latent, seed=seed + 1)).Q
    centred = data - data.mean(dim=0)
    assert error <= (centred @ other @ other.T - centred).square().sum() + 1e-9


def test_the_latents_do_not_move_with_the_data():
    data = noise(12, 5)
    moved = pca(data + 100, 2)
    torch.testing.assert_close(moved.encode(data + 100).abs(), pca(data, 2).encode(data).abs())


@pytest.mark.parametrize(("latent", "most"), [(0, 5), (6, 5), (-1, 5)])
def test_too_many_components_are_refused(latent, most):
    with pytest.raises(DalleEduError, match=f"{latent} components were asked of 12 pictures of 5 pixels; ask for 1 to {most}"):
        pca(noise(12, 5), latent)
    with pytest.raises(DalleEduError, match="ask for 1 to 2"):
        pca(noise(3, 5), 3)


def test_angles_by_hand():
    plane = torch.eye(3)[:2]
    assert largest_angle(plane, plane.flip(0) * 7) == pytest.approx(0, abs=1e-6)
    tilted = torch.tensor([[1.0, 0, 0], [0, math.cos(0.3), math.sin(0.3)]])
    assert largest_angle(plane, tilted) == pytest.approx(0.3, abs=1e-6)
    assert largest_angle(torch.eye(3)[:1], torch.eye(3)[1:2]) == pytest.approx(math.pi / 2)


# ---------------------------------------------------------------- autoencoders


def test_without_hidden_layers_an_autoencoder_is_linear():
    torch.manual_seed(0)
    model = Autoencoder(6, 2).double()
    a, b = noise(3, 6), noise(3, 6, seed=1)
    torch.testing.assert_close(model(a) + model(b), model(a + b) + model(torch.zeros_like(a)))
    assert [type(layer).__name__ for layer in Autoencoder(6, 2, (4, 3)).encoder] == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [layer.out_features for layer in Autoencoder(6, 2, (4, 3)).decoder[::2]] == [3, 4, 6]


def test_the_trained_linear_autoencoder_spans_the_principal_components():
    """On real digits: its decoder's columns end in the space of the first three components, and no loss lies below PCA's."""
    images = digits()[0][:200].flatten(1).double()
    plane = pca(images, 3)
    torch.manual_seed(0)
    model = Autoencoder(64, 3).double()
    started = largest_angle(model.decoder[0].weight.T, plane.directions)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=300, tolerance_change=0.0, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = model.loss(images)
        loss.backward()
        return loss

    optimiser.step(closure)
    assert started > 1
    assert largest_angle(model.decoder[0].weight.T, plane.directions) < 0.01
    best = (plane.decode(plane.encode(images)) - images).square().sum(dim=1).mean()
    assert best < model.loss(images) < best * 1.0001


def test_pictures_of_another_size_are_refused():
    for model in (Autoencoder(6, 2), VAE(VAEConfig(6, 2, (4,)))):
        with pytest.raises(DalleEduError, match=r"the pictures have 5 pixels and 6 were expected; flatten them"):
            model.loss(torch.zeros(3, 5), *([generator()] if isinstance(model, VAE) else []))


def test_the_network_has_no_relu_at_its_ends():
    torch.manual_seed(0)
    assert (network(3, (8,), 50)(torch.randn(20, 3)) < 0).any()


# ---------------------------------------------------------------- the parts of the ELBO


def test_draws_depend_on_the_generator_alone():
    mean, log_variance = noise(4, 3), noise(4, 3, seed=1)
    torch.manual_seed(1)
    first = reparametrise(mean, log_variance, generator(5))
    torch.manual_seed(2)
    assert torch.equal(first, reparametrise(mean, log_variance, generator(5)))
    assert not torch.equal(first, reparametrise(mean, log_variance, generator(6)))


def test_the_gradients_are_those_of_finite_differences():
    inputs = noise(2, 3).requires_grad_(), noise(2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, v: reparametrise(m, v, generator()), inputs)
    assert torch.autograd.gradcheck(kl_to_standard_normal, inputs)
    greys = noise(2, 3, seed=2).sigmoid()
    assert torch.autograd.gradcheck(lambda logits: bernoulli_log_likelihood(greys, logits), inputs[:1])
    assert torch.autograd.gradcheck(lambda mean: gaussian_log_likelihood(greys, mean, 0.3), inputs[:1])


@given(seed=seeds, scale=st.floats(0, 5))
def test_the_kl_is_never_negative_and_adds_up_over_latents(seed, scale):
    mean, log_variance = scale * noise(4, 3, seed=seed), scale * noise(4, 3, seed=seed + 1)
    kl = kl_to_standard_normal(mean, log_variance)
    assert (kl >= -1e-12).all()  # rounding
    torch.testing.assert_close(kl, sum(kl_to_standard_normal(mean[:, [k]], log_variance[:, [k]]) for k in range(3)))


def test_the_kl_is_zero_for_the_prior_alone():
    assert kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0, 0]
    torch.testing.assert_close(kl_to_standard_normal(torch.full((1, 1), 2.0), torch.zeros(1, 1)), torch.tensor([2.0]))


def test_the_likelihood_of_sure_and_unsure_pixels():
    images = torch.tensor([[0.0, 1.0, 1.0]])
    torch.testing.assert_close(bernoulli_log_likelihood(images, torch.zeros(1, 3)), torch.tensor([-3 * math.log(2)]))
    assert bernoulli_log_likelihood(images, torch.tensor([[-200.0, 200, 200]])) == 0
    torch.testing.assert_close(bernoulli_log_likelihood(images, torch.tensor([[200.0, 200, 200]])), torch.tensor([-200.0]))


@given(grey=st.floats(0.01, 0.99))
def test_a_grey_pixel_is_best_painted_by_its_own_probability(grey):
    image = torch.tensor([[grey]], dtype=torch.float64)
    best = bernoulli_log_likelihood(image, image.logit())
    for nearby in (image.logit() - 0.01, image.logit() + 0.01):
        assert bernoulli_log_likelihood(image, nearby) < best


def test_a_halved_deviation_makes_errors_four_times_as_dear():
    images, mean = noise(2, 5), noise(2, 5, seed=1)
    perfect = [gaussian_log_likelihood(images, images, std) for std in (1.0, 0.5)]
    dear = [gaussian_log_likelihood(images, mean, std) - best for std, best in zip((1.0, 0.5), perfect, strict=True)]
    torch.testing.assert_close(dear[1], 4 * dear[0])


def test_pixels_out_of_range_are_refused():
    with pytest.raises(DalleEduError, match=r"the pixels go from -1 to 1; a Bernoulli likelihood wants them in \[0, 1\]: rescale"):
        bernoulli_log_likelihood(torch.tensor([[-1.0, 1.0]]), torch.zeros(1, 2))
    with pytest.raises(DalleEduError, match="from 0 to 16"):
        VAE(VAEConfig(2, 1, ())).loss(torch.tensor([[0.0, 16.0]]), generator())


def test_a_deviation_of_zero_is_refused():
    with pytest.raises(DalleEduError, match=r"the standard deviation of a pixel is 0.0; choose one above 0"):
        gaussian_log_likelihood(torch.zeros(1, 2), torch.zeros(1, 2), 0.0)


# ---------------------------------------------------------------- the variational autoencoder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": "poisson"}, 'the likelihood is "poisson"; choose bernoulli or gaussian'),
        ({"latent": 0}, "latent is 0 and beta 1.0; there must be at least 1 latent"),
        ({"beta": -1.0}, "beta may not be below 0"),
        ({"std": 0.0}, "the standard deviation of a pixel is 0.0"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(options, message):
    with pytest.raises(DalleEduError, match=message):
        VAEConfig(**options)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_loss_is_its_parts_and_does_not_depend_on_the_size_of_the_batch(likelihood):
    torch.manual_seed(0)
    vae = VAE(VAEConfig(9, 3, (7,), likelihood, beta=2.5)).double()
    with torch.no_grad():
        vae.encoder[-1].bias[3:] = -60.0  # no chance left in the latents
    images = noise(5, 9).sigmoid()
    parts = vae.loss(images, generator())
    torch.testing.assert_close(parts["loss"], parts["reconstruction"] + 2.5 * parts["kl"])
    torch.testing.assert_close(parts["elbo"], -parts["reconstruction"] - parts["kl"])
    torch.testing.assert_close(vae.loss(images.repeat(4, 1), generator())["loss"], parts["loss"])


def test_the_weight_of_the_kl_grows_with_neither_pixels_nor_batch():
    """A second copy of every pixel doubles the reconstruction and leaves the KL alone: both are those of a whole picture."""
    single, double = VAE(VAEConfig(4, 2, (), "gaussian")), VAE(VAEConfig(8, 2, (), "gaussian"))
    for vae in (single, double):
        for weight in vae.parameters():
            torch.nn.init.zeros_(weight)
        torch.nn.init.ones_(vae.encoder[0].bias[:2])
    images = noise(3, 4).float()
    one, two = (vae.loss(pictures, generator()) for vae, pictures in ((single, images), (double, images.repeat(1, 2))))
    torch.testing.assert_close(two["reconstruction"], 2 * one["reconstruction"])
    torch.testing.assert_close(two["kl"], one["kl"])


def test_the_elbo_is_below_the_log_likelihood_and_touches_it_at_the_true_posterior():
    vae, truth = linear_gaussian_vae()
    images = noise(200, 4, seed=3)
    exact = truth.log_prob(images)

    def elbo() -> float:
        """The mean over pictures and 200 draws of each."""
        return float(vae.loss(images.repeat(200, 1), generator())["elbo"])

    assert elbo() == pytest.approx(float(exact.mean()), abs=0.02)
    with torch.no_grad():
        vae.encoder[0].bias[2:] += 1.0  # clouds too large
    wide = elbo()
    lack = 0.5 * 2 * (math.e - 1 - 1)  # KL(q || posterior): two latents whose variance is e times the right one
    assert wide == pytest.approx(float(exact.mean()) - lack, abs=0.05)


def test_more_draws_come_closer_to_the_log_likelihood_from_below():
    vae, truth = linear_gaussian_vae()
    with torch.no_grad():
        vae.encoder[0].bias[2:] += 1.0
    images = noise(400, 4, seed=3)
    exact = truth.log_prob(images).mean()
    lacks = [float(exact - importance_log_likelihood(vae, images, samples, generator()).mean()) for samples in (1, 5, 50, 500)]
    assert lacks == sorted(lacks, reverse=True)
    assert lacks[0] > 0.5
    assert abs(lacks[-1]) < 0.01


def test_no_draws_are_refused():
    with pytest.raises(DalleEduError, match="0 samples were asked for; the estimate needs at least 1"):
        importance_log_likelihood(linear_gaussian_vae()[0], noise(2, 4), 0, generator())


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_samples(likelihood):
    torch.manual_seed(0)
    vae = VAE(VAEConfig(9, 3, (7,), likelihood)).double()
    pictures = vae.sample(6, generator())
    assert pictures.shape == (6, 9)
    assert pictures.dtype == torch.float64
    assert not pictures.requires_grad
    assert torch.equal(pictures, vae.sample(6, generator()))
    latents = torch.randn(6, 3, generator=generator(), dtype=torch.float64)
    painted = vae.decoder(latents)
    torch.testing.assert_close(pictures, painted.sigmoid() if likelihood == "bernoulli" else painted)


def test_a_vae_learns_digits_and_uses_its_latents():
    images = (digits()[0].flatten(1) + 1) / 2
    torch.manual_seed(0)
    vae, source = VAE(VAEConfig(64, 4, (64,))), generator()
    optimiser = torch.optim.Adam(vae.parameters(), lr=5e-3)
    first = vae.loss(images, source)
    for _ in range(150):
        batch = images[torch.randint(len(images), (128,), generator=source)]
        loss = vae.loss(batch, source)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    last = vae.loss(images, source)
    assert last["elbo"] > first["elbo"] + 10
    assert last["kl"] > 1
    assert importance_log_likelihood(vae, images[:100], 50, source).mean() > vae.loss(images[:100], source)["elbo"]
