"""What a VAE's latents are used for: likelihoods known in closed form, planes and arcs."""

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.vae import VAE, VAEConfig
from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, filled, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.vae import law_of_pixels
from dalle_edu.language import comma, say


def linear_gaussian_vae(std: float = 0.5, seed: int = 0) -> tuple[VAE, torch.distributions.Distribution]:
    """A VAE of which log p(image) is known, with that distribution: x = W z + b + noise, W's columns orthogonal.

    Its encoder says the true posterior, so that one draw of importance sampling is exact.
    """
    vae = VAE(VAEConfig(pixels=4, latent=2, hidden=(), likelihood="gaussian", std=std)).double()
    encoder, decoder = cast("nn.Linear", vae.encoder[0]), cast("nn.Linear", vae.decoder[0])
    w, b = torch.linalg.qr(numbers(seed, 4, 2)).Q * torch.tensor([2.0, 0.5]), numbers(seed + 1, 4)
    variance = 1 / (1 + w.square().sum(dim=0) / std**2)
    to_mean = variance[:, None] * w.T / std**2
    with torch.no_grad():
        decoder.weight.copy_(w)
        decoder.bias.copy_(b)
        encoder.weight.copy_(torch.cat([to_mean, torch.zeros(2, 4)]))
        encoder.bias.copy_(torch.cat([-to_mean @ b, variance.log()]))
    return vae, torch.distributions.MultivariateNormal(b, w @ w.T + std**2 * torch.eye(4, dtype=DOUBLE))


def _near(found: Tensor, *values: Tensor, allowed: float = 0.1) -> Tensor:
    """An estimate; where chance explains its distance from one of these values, that value."""
    for value in values:
        found = torch.where((found - value).abs() < allowed, value, found) if found.shape == value.shape else found
    return found


def _exact(std: float, n: int, samples: int, seed: int, far: float = 1.0) -> Case:
    """With the true posterior every draw has the same weight, p(image), which no float holds for a picture that is far off."""
    images = far * numbers(seed + 2, n, 4)

    def ask(version: Any) -> Tensor:
        return asked(version, linear_gaussian_vae(std, seed)[0], images, samples, torch.Generator().manual_seed(seed)).detach()

    def peer() -> Tensor:
        return linear_gaussian_vae(std, seed)[1].log_prob(images)

    said, dit = ("", "") if far == 1 else (f", {far:g} times as far", f", {far:g} fois plus loin")
    en = f"images of {n} × 4{said}, samples = {samples}, std = {std:g}, the encoder says the posterior"
    fr = f"des images de {n} × 4{dit}, samples = {samples}, std = {comma(std, 1)}, l'encodeur dit la loi a posteriori"
    return scenario(en, fr, peer, ask, images.numel() + samples)


def _poorer(seed: int) -> Case:
    """With a poorer encoder the estimate comes close, from many draws."""
    images = numbers(3, 8, 4)
    vae, truth = linear_gaussian_vae()
    exact = truth.log_prob(images)
    with torch.no_grad():
        posterior, poor = (vae.encode(images)[0][:1], vae.encode(images)[1][:1]), double(0.1, -0.1, 1.0, 1.0)
        cast("nn.Linear", vae.encoder[0]).bias.add_(poor)
    true, q = (
        torch.distributions.Normal(posterior[0] + shift, (posterior[1] / 2 + widening).exp())
        for shift, widening in ((0, 0), (poor[:2], 0.5))
    )
    elbo = exact - torch.distributions.kl_divergence(q, true).sum()

    def ask(version: Any) -> Tensor:
        return _near(asked(version, vae, images, 4000, torch.Generator().manual_seed(seed)).detach(), exact, elbo)

    return scenario("8 pictures, 4,000 samples, a poor encoder", "8 images, 4 000 échantillons, un encodeur médiocre",
                    lambda: exact, ask, 5000)  # fmt: skip


def _of_white_pixels(seed: int) -> Case:
    """Of pixels that are 0 or 1, log p(image) is an integral over one latent."""
    vae = filled(VAE(VAEConfig(3, 1, (4,))), 5)
    images = double([1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    at = torch.linspace(-9, 9, 2001, dtype=DOUBLE)[:, None]
    with torch.no_grad():
        painted = vae.decoder(at)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(at[:, 0])
    likelihood = torch.stack([law_of_pixels(vae.config, painted).log_prob(image) for image in images])
    exact = torch.trapezoid((likelihood + prior).exp(), at[:, 0]).log()
    with torch.no_grad():
        mean, log_variance = vae.encode(images)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(at[:, 0])
    elbo = torch.trapezoid(q.exp() * (likelihood + prior - q), at[:, 0])

    def ask(version: Any) -> Tensor:
        return _near(asked(version, vae, images, 4000, torch.Generator().manual_seed(seed)).detach(), exact, elbo)

    return scenario("3 black and white pictures, 4,000 samples", "3 images en noir et blanc, 4 000 échantillons",
                    lambda: exact, ask, 6000)  # fmt: skip


def _by_the_generator(seed: int) -> Case:
    """The samples are those of the generator: the same from the same one, others from another."""
    vae, images = filled(VAE(VAEConfig(3, 2, (4,))), seed), double([1.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    again, another = say("the same again", "la même à nouveau"), say("another from another", "une autre d'un autre")

    def ask(version: Any) -> dict[str, bool]:
        first, second, third = (asked(version, vae, images, 2, torch.Generator().manual_seed(number)) for number in (5, 5, 6))
        return {again: torch.equal(first, second), another: not torch.equal(first, third)}

    en, fr = "two generators with one seed, and one with another", "deux générateurs de même graine, et un d'une autre"
    return scenario(en, fr, lambda: {again: True, another: True}, ask, 100)


def _importance(seed: int) -> list[Case]:
    known = ((0.5, 1, 1), (0.5, 8, 1), (0.5, 8, 7), (1.5, 3, 4))
    exact = [_exact(std, n, samples, seed) for std, n, samples in known]
    return [_by_the_generator(seed), *exact, _exact(0.5, 3, 4, seed, far=40.0), _poorer(seed), _of_white_pixels(seed)]


def _latent_plane(seed: int) -> list[Case]:
    def peer(side: int) -> Tensor:
        import numpy as np
        from scipy.stats import norm

        points = norm.ppf((np.arange(side) + 0.5) / side)
        grid = np.stack([np.tile(points, (side, 1)), np.tile(points[::-1, None], (1, side))], axis=-1)
        return torch.from_numpy(grid).float()

    return [call(peer, side) for side in (1, 2, 3, 5, 6 + seed % 9)]


def _interpolate(seed: int) -> list[Case]:
    def by_numpy(first: Tensor, second: Tensor, steps: int) -> Tensor:
        import numpy as np

        return torch.from_numpy(np.linspace(first.numpy(), second.numpy(), steps)).to(first)

    def by_lerp(first: Tensor, second: Tensor, steps: int) -> Tensor:
        return torch.stack([torch.lerp(first, second, step / (steps - 1)) for step in range(steps)])

    short, learned = (double(0.0, 4.0), double(8.0, 0.0)), [numbers(seed + place, 3, gradient=True) for place in (2, 3)]
    return [
        call(by_numpy, double(1.0), double(3.0), 2),
        call(by_numpy, *short, 5),
        call(by_numpy, *(part.float() for part in short), 5),
        call(by_numpy, short[0], short[0], 3),
        call(by_numpy, numbers(seed, 6), numbers(seed + 1, 6), 7),
        call(by_numpy, numbers(seed, 4), 1000 * numbers(seed + 1, 4), 4),
        call(by_lerp, *learned, 5),
    ]


def _on_the_arc(first: Tensor, second: Tensor, steps: int) -> Tensor:
    """SciPy's arc between directions; of latents of two lengths, each counts for as much as its direction does there."""
    import numpy as np
    from scipy.spatial import geometric_slerp

    ends = np.stack([first.numpy(), second.numpy()])
    directions = ends / np.linalg.norm(ends, axis=1, keepdims=True)
    if np.allclose(directions[0], directions[1], atol=1e-9):
        return torch.from_numpy(np.linspace(ends[0], ends[1], steps))
    arc = geometric_slerp(directions[0], directions[1], np.linspace(0, 1, steps))
    shares = np.linalg.lstsq(directions.T, arc.T, rcond=None)[0].T
    return torch.from_numpy(shares @ ends)


def _by_rotation(first: Tensor, second: Tensor, steps: int) -> Tensor:
    """The arc as a rotation, the exponential of a matrix: PyTorch knows its gradient. Each latent counts as its direction does there."""
    u, v = (latent / torch.linalg.vector_norm(latent) for latent in (first, second))
    across = v - (u @ v) * u
    across = across / torch.linalg.vector_norm(across)
    turn = torch.acos(u @ v) * (torch.outer(across, u) - torch.outer(u, across))
    arc = torch.stack([torch.linalg.matrix_exp(step / (steps - 1) * turn) @ u for step in range(steps)])
    shares = torch.linalg.solve(torch.stack([u, v]) @ torch.stack([u, v]).T, torch.stack([u, v]) @ arc.T)
    return shares.T @ torch.stack([first, second])


def _slerp(seed: int) -> list[Case]:
    east, north = double(1.0, 0.0), double(0.0, 1.0)
    first, second = (F.normalize(numbers(seed + place, 6), dim=0) for place in (0, 1))
    near = F.normalize(first + 1e-4 * second, dim=0)
    nearly_opposite = double(math.cos(3.0), math.sin(3.0))
    return [
        call(_on_the_arc, east, north, 2),
        call(_on_the_arc, east, north, 3),
        call(_on_the_arc, 2 * east, 2 * north, 4),
        call(_on_the_arc, east, 3 * north, 3),
        call(_on_the_arc, east, east, 3),
        call(_on_the_arc, east, 2 * east, 3),
        call(_on_the_arc, east, nearly_opposite, 5),
        *(call(_on_the_arc, radius * first, radius * end, 7) for end in (second, near) for radius in (1.0, 3.0)),
        call(_on_the_arc, numbers(seed + 2, 9), numbers(seed + 3, 9), 4),
        call(_by_rotation, numbers(seed + 4, 3, gradient=True), numbers(seed + 5, 3, gradient=True), 4),
    ]


REFERENCES = [
    Reference("vae:importance_log_likelihood", "torch.distributions.MultivariateNormal", cases=_importance, tolerance=1e-10),
    Reference("vae:latent_plane", "scipy.stats.norm.ppf", cases=_latent_plane, tolerance=1e-6),
    Reference("vae:interpolate", "numpy.linspace", cases=_interpolate, tolerance=1e-10),
    Reference("vae:slerp", "scipy.spatial.geometric_slerp, torch.linalg.matrix_exp", cases=_slerp, tolerance=1e-10),
]
