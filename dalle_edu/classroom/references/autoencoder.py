"""Autoencoders against scikit-learn's and SciPy's algebra, and torch.distributions' probabilities."""

import math
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from dalle_edu.bricks.vae import VAE, VAEConfig
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _data(n: int = 60, d: int = 6) -> Tensor:
    """A cloud far from the origin, more spread in some directions than in others."""
    return _noise(n, d) * torch.arange(d, 0, -1) @ _noise(d, d, seed=1) + 5


def _pca(version: Callable[[Tensor, int], Any]) -> float:
    from sklearn.decomposition import PCA

    data, fresh = _data(), _noise(5, 6, seed=2)
    gaps = []
    for latent in (1, 2, 5):
        ours, theirs = version(data, latent), PCA(latent, svd_solver="full").fit(data.numpy())
        signs = torch.sign((ours.directions * torch.from_numpy(theirs.components_)).sum(dim=1))  # either sense of a direction will do
        gaps.append(gap(ours.mean, theirs.mean_))
        gaps.append(gap(ours.variances, theirs.explained_variance_))
        gaps.append(gap(ours.encode(fresh) * signs, theirs.transform(fresh.numpy())))
        gaps.append(gap(ours.decode(ours.encode(fresh)), theirs.inverse_transform(theirs.transform(fresh.numpy()))))
    return max(gaps)


def _largest_angle(version: Callable[[Tensor, Tensor], float]) -> float:
    from scipy.linalg import subspace_angles

    first, other = _noise(2, 6), _noise(2, 6, seed=1)
    pairs = [(first, other), (first, first + 1e-5 * other), (first, _noise(2, 2, seed=2) @ first)]
    return max(abs(version(a, b) - float(subspace_angles(a.numpy().T, b.numpy().T).max())) for a, b in pairs)


def _linear_autoencoder(version: Callable[..., Any]) -> float:
    """Trained to the end, the linear autoencoder brings data back as PCA does."""
    from sklearn.decomposition import PCA

    data = _data() / 10
    torch.manual_seed(0)
    model = version(6, 2).double()
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=2000, tolerance_grad=1e-10, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = model.loss(data)
        loss.backward()
        return loss

    optimiser.step(closure)
    peer = PCA(2, svd_solver="full").fit(data.numpy())
    expected = torch.from_numpy(peer.inverse_transform(peer.transform(data.numpy())))
    return max(gap(model(data), expected), gap(model.loss(data), (data - expected).square().sum(dim=1).mean()))


def _reparametrise(version: Callable[..., Tensor]) -> float:
    """The draws are normal (beyond what chance explains), and their gradient is the implicit one, -(∂F/∂θ) / p(z), of the distribution."""
    from scipy.stats import kstest

    parameters = torch.tensor([[0.5, -1.0, 2.0], [0.0, -2.0, 1.0]], dtype=torch.float64).unsqueeze(1).expand(2, 4000, 3)
    mean, log_variance = (part.clone().requires_grad_() for part in parameters)
    drawn = version(mean, log_variance, torch.Generator().manual_seed(0))
    expected = torch.distributions.Normal(mean, log_variance.exp().sqrt())
    doubt = max(kstest(expected.cdf(drawn).detach()[:, latent].numpy(), "uniform").statistic for latent in range(3))
    slopes = torch.autograd.grad(drawn.sum(), (mean, log_variance))
    place = drawn.detach()
    implicit = torch.autograd.grad((-expected.cdf(place) / expected.log_prob(place).exp().detach()).sum(), (mean, log_variance))
    return max(0.0, doubt - 0.035, *(gap(mine, other) for mine, other in zip(slopes, implicit, strict=True)))


def _kl_by_pytorch(version: Callable[[Tensor, Tensor], Tensor]) -> float:
    mean, log_variance = _noise(7, 3), _noise(7, 3, seed=1)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros(3, dtype=torch.float64), 1.0)
    return gap(version(mean, log_variance), torch.distributions.kl_divergence(posterior, prior).sum(dim=-1))


def _kl_by_quadrature(version: Callable[[Tensor, Tensor], Tensor]) -> float:
    from scipy.integrate import quad
    from scipy.stats import norm

    gaps = []
    for mean, log_variance in ((0.7, -1.0), (-1.5, 0.5)):
        posterior = norm(mean, math.exp(log_variance / 2))

        def integrand(z: float, posterior: Any = posterior) -> float:
            return posterior.pdf(z) * (posterior.logpdf(z) - norm.logpdf(z))

        area, _ = quad(integrand, mean - 15, mean + 15, epsabs=1e-12, limit=200, points=[mean])
        found = version(torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[log_variance]], dtype=torch.float64))
        gaps.append(gap(found, torch.tensor([area], dtype=torch.float64)))
    return max(gaps)


def _bernoulli(version: Callable[[Tensor, Tensor], Tensor]) -> float:
    logits, greys = 4 * _noise(5, 8), _noise(5, 8, seed=1).sigmoid()
    white = torch.distributions.Bernoulli(logits=logits, validate_args=False)
    return max(gap(version(images, logits), white.log_prob(images).sum(dim=-1)) for images in (greys, greys.round()))


def _gaussian(version: Callable[..., Tensor]) -> float:
    images, mean = _noise(5, 8), _noise(5, 8, seed=1)
    return max(
        gap(version(images, mean, std), torch.distributions.Normal(mean, std).log_prob(images).sum(dim=-1)) for std in (0.2, 1.0, 3.0)
    )


def _loss(version: Callable[[VAEConfig], Any]) -> float:
    """The loss, its parts and its gradient, from the same noise, as torch.distributions makes them."""
    gaps = []
    for config in (VAEConfig(9, 2, (5,)), VAEConfig(9, 3, (5,), beta=4.0), VAEConfig(9, 2, (), "gaussian", std=0.5)):
        torch.manual_seed(0)
        vae = version(config).double()
        images = _noise(6, 9, seed=1).sigmoid()
        parts = vae.loss(images, torch.Generator().manual_seed(2))
        mean, log_variance = vae.encoder(images).chunk(2, dim=-1)
        posterior = torch.distributions.Normal(mean, log_variance.exp().sqrt())
        painted = vae.decoder(posterior.mean + posterior.stddev * _noise(6, config.latent, seed=2))
        white = torch.distributions.Bernoulli(logits=painted, validate_args=False)
        pixels = white if config.likelihood == "bernoulli" else torch.distributions.Normal(painted, config.std)
        reconstruction = -torch.distributions.Independent(pixels, 1, validate_args=False).log_prob(images).mean()
        prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
        kl = torch.distributions.kl_divergence(posterior, prior).sum(dim=-1).mean()
        loss = reconstruction + config.beta * kl
        gaps += [gap(parts["loss"], loss), gap(parts["reconstruction"], reconstruction), gap(parts["kl"], kl)]
        weights = list(vae.parameters())
        slopes = torch.autograd.grad(parts["loss"], weights), torch.autograd.grad(loss, weights)
        gaps += [gap(mine, other) for mine, other in zip(*slopes, strict=True)]
    return max(gaps)


def linear_gaussian_vae(std: float = 0.5) -> tuple[VAE, torch.distributions.Distribution]:
    """A VAE of which log p(image) is known, with that distribution: x = W z + b + noise, W's columns orthogonal.

    Its encoder says the true posterior, so that one draw of importance sampling is exact.
    """
    vae = VAE(VAEConfig(pixels=4, latent=2, hidden=(), likelihood="gaussian", std=std)).double()
    encoder, decoder = cast("nn.Linear", vae.encoder[0]), cast("nn.Linear", vae.decoder[0])
    w, b = torch.linalg.qr(_noise(4, 2)).Q * torch.tensor([2.0, 0.5]), _noise(4, seed=1)
    variance = 1 / (1 + w.square().sum(dim=0) / std**2)
    to_mean = variance[:, None] * w.T / std**2
    with torch.no_grad():
        decoder.weight.copy_(w)
        decoder.bias.copy_(b)
        encoder.weight.copy_(torch.cat([to_mean, torch.zeros(2, 4)]))
        encoder.bias.copy_(torch.cat([-to_mean @ b, variance.log()]))
    return vae, torch.distributions.MultivariateNormal(b, w @ w.T + std**2 * torch.eye(4, dtype=torch.float64))


def _importance(version: Callable[..., Tensor]) -> float:
    """With the true posterior every draw has the same weight, p(image); with a poorer one the estimate comes close from 20,000 draws."""
    vae, truth = linear_gaussian_vae()
    images = _noise(8, 4, seed=3)
    exact = truth.log_prob(images)
    gaps = [gap(version(vae, images, samples, torch.Generator().manual_seed(0)), exact) for samples in (1, 7)]
    with torch.no_grad():
        cast("nn.Linear", vae.encoder[0]).bias[2:] += 1.0
    near = gap(version(vae, images, 20_000, torch.Generator().manual_seed(0)), exact)
    return max(*gaps, near - 0.05)


def _latent_plane(version: Callable[[int], Tensor]) -> float:
    import numpy as np
    from scipy.stats import norm

    side = 5
    points = norm.ppf((np.arange(side) + 0.5) / side)
    expected = np.stack([np.tile(points, (side, 1)), np.tile(points[::-1, None], (1, side))], axis=-1)
    return gap(version(side), torch.from_numpy(expected))


def _interpolate(version: Callable[..., Tensor]) -> float:
    import numpy as np

    first, second = _noise(6), _noise(6, seed=1)
    return gap(version(first, second, 7), np.linspace(first.numpy(), second.numpy(), 7))


def _slerp(version: Callable[..., Tensor]) -> float:
    import numpy as np
    from scipy.spatial import geometric_slerp

    gaps = []
    for first, second in ((_noise(6), _noise(6, seed=1)), (_noise(6), _noise(6) + 1e-4 * _noise(6, seed=1))):
        first, second = first / first.norm(), second / second.norm()
        expected = geometric_slerp(first.numpy(), second.numpy(), np.linspace(0, 1, 7))
        gaps += [gap(version(radius * first, radius * second, 7), radius * expected) for radius in (1.0, 3.0)]
    return max(gaps)


REFERENCES = [
    Reference("autoencoder:pca", "sklearn.decomposition.PCA", _pca, 1e-10),
    Reference("autoencoder:largest_angle", "scipy.linalg.subspace_angles", _largest_angle, 1e-10),
    Reference(
        "autoencoder:Autoencoder",
        say("sklearn.decomposition.PCA, once trained", "sklearn.decomposition.PCA, une fois entraîné"),
        _linear_autoencoder,
        1e-5,
    ),
    Reference(
        "vae:reparametrise",
        say("torch.distributions.Normal and scipy.stats.kstest", "torch.distributions.Normal et scipy.stats.kstest"),
        _reparametrise,
        1e-10,
    ),
    Reference("vae:kl_to_standard_normal", "torch.distributions.kl_divergence", _kl_by_pytorch, 1e-10),
    Reference("vae:kl_to_standard_normal", "scipy.integrate.quad", _kl_by_quadrature, 1e-10),
    Reference("vae:bernoulli_log_likelihood", "torch.distributions.Bernoulli", _bernoulli, 1e-10),
    Reference("vae:gaussian_log_likelihood", "torch.distributions.Normal", _gaussian, 1e-10),
    Reference("vae:VAE", "torch.distributions: Independent, kl_divergence", _loss, 1e-10),
    Reference("vae:importance_log_likelihood", "torch.distributions.MultivariateNormal", _importance, 1e-10),
    Reference("vae:latent_plane", "scipy.stats.norm.ppf", _latent_plane, 1e-6),
    Reference("vae:interpolate", "numpy.linspace", _interpolate, 1e-10),
    Reference("vae:slerp", "scipy.spatial.geometric_slerp", _slerp, 1e-10),
]
