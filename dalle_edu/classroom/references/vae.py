"""The variational autoencoder against PyTorch's distributions and integrals by quadrature."""

import math
from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.vae import VAEConfig
from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, filled, gradients_by_name, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.autoencoder import named_slopes, stack
from dalle_edu.language import comma, say


def _reparametrise(seed: int) -> list[Case]:
    """In single precision, in which PyTorch draws unless told otherwise."""

    def peer(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.empty_like(mean).normal_(generator=generator)
        return torch.distributions.Normal(mean, log_variance.exp().sqrt()).icdf(torch.special.ndtr(noise.double())).to(mean)

    def directly(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
        return torch.addcmul(mean, log_variance.exp().sqrt(), torch.empty_like(mean).normal_(generator=generator))

    def case(law: Any, mean: Tensor, log_variance: Tensor, number: int) -> Case:
        return call(law, mean, log_variance, torch.Generator().manual_seed(number), may_change=("generator",))

    few = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 2.0]])
    sure = torch.tensor([[3.0, -1.0]]), torch.tensor([[-200.0, -200.0]])
    learned = [numbers(seed + place, 4, 6).float().requires_grad_() for place in (1, 2)]
    return [
        case(peer, *few, 4),
        case(directly, *sure, 4),
        case(peer, torch.tensor([1.0]), torch.tensor([-1.0]), seed),
        case(directly, numbers(seed, 5, 3).float(), 2 * numbers(seed + 1, 5, 3).float(), seed),
        case(directly, numbers(seed, 2, 4, 3).float(), numbers(seed + 1, 2, 4, 3).float(), seed + 1),
        case(directly, learned[0], learned[1], seed),
        _in_double_precision(seed),
        _as_pytorch_learns(seed),
    ]


def _in_double_precision(seed: int) -> Case:
    """How far a draw is from mean + σ ε, with the ε that the version draws itself for N(0, 1)."""
    mean, log_variance = numbers(seed, 6, 3), numbers(seed + 1, 6, 3)

    def ask(version: Any) -> dict[str, Any]:
        def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
            return version(mean.clone(), log_variance.clone(), torch.Generator().manual_seed(seed))

        noise, found = draw(torch.zeros_like(mean), torch.zeros_like(mean)), draw(mean, log_variance)
        off = (found - mean - (log_variance / 2).exp() * noise).abs().max()
        return {"dtype": str(found.dtype), say("distance from mean + σ ε", "écart avec moyenne + σ ε"): torch.where(off < 1e-12, 0.0, off)}

    def peer() -> dict[str, Any]:
        return {"dtype": "torch.float64", say("distance from mean + σ ε", "écart avec moyenne + σ ε"): torch.tensor(0.0, dtype=DOUBLE)}

    return scenario("means in double precision", "des moyennes en double précision", peer, ask, 60)


def _as_pytorch_learns(seed: int) -> Case:
    """The gradient is the implicit one of the distribution, -(∂F/∂θ) / p(z), and the draws are normal beyond what chance explains."""
    place = torch.tensor([[0.5, -1.0, 2.0], [0.0, -2.0, 1.0]], dtype=DOUBLE).unsqueeze(1).expand(2, 4000, 3)

    def ask(version: Any) -> dict[str, Any]:
        mean, log_variance = (part.clone().requires_grad_() for part in place)
        found = version(mean, log_variance, torch.Generator().manual_seed(seed))
        law = torch.distributions.Normal(mean.detach(), (log_variance.detach() / 2).exp())
        in_order = law.cdf(found.detach()).sort(dim=0).values
        gap = (in_order - (torch.arange(4000, dtype=DOUBLE)[:, None] + 0.5) / 4000).abs().max()
        slopes = torch.autograd.grad(found.sum(), (mean, log_variance)) if found.requires_grad else (torch.zeros(4000, 3).double(),) * 2
        at = found.detach()
        theirs = torch.distributions.Normal(mean, log_variance.exp().sqrt())
        implicit = torch.autograd.grad((-theirs.cdf(at) / theirs.log_prob(at).exp().detach()).sum(), (mean, log_variance))
        wrong = max(float((mine - other).abs().max()) for mine, other in zip(slopes, implicit, strict=True))
        return {"normal": bool(gap < 0.06), say("error of the gradient", "erreur du gradient"): wrong if wrong > 1e-8 else 0.0}

    def peer() -> dict[str, Any]:
        return {"normal": True, say("error of the gradient", "erreur du gradient"): 0.0}

    return scenario("4,000 draws", "4 000 tirages", peer, ask, 4000)


def _kl_by_pytorch(seed: int) -> list[Case]:
    def peer(mean: Tensor, log_variance: Tensor) -> Tensor:
        posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
        prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
        return torch.distributions.kl_divergence(posterior, prior).sum(dim=-1)

    small = [([[0.0]], [[0.0]]), ([[1.0]], [[0.0]]), ([[0.0]], [[-2.0]]), ([[3.0, 0.0]], [[0.0, 1.0]]), ([[0.0], [2.0]], [[1.0], [0.0]])]
    shapes = ((4,), (7, 3), (1, 5), (2, 4, 3))
    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (20, 21)]
    return [
        *(call(peer, double(*mean), double(*log_variance)) for mean, log_variance in small),
        call(peer, double([0.5, 100.0]), double([-60.0, 15.0])),
        *(call(peer, 2 * numbers(seed + place, *shape), numbers(seed + 10 + place, *shape)) for place, shape in enumerate(shapes)),
        call(peer, *learned),
    ]


def _kl_by_quadrature(seed: int) -> list[Case]:
    def peer(mean: Tensor, log_variance: Tensor) -> Tensor:
        from scipy.integrate import quad
        from scipy.stats import norm

        posterior = norm(float(mean), math.exp(float(log_variance) / 2))
        middle, width = float(mean), 15 * max(1.0, math.exp(float(log_variance) / 2))

        def integrand(z: float) -> float:
            return posterior.pdf(z) * (posterior.logpdf(z) - norm.logpdf(z))

        area, _ = quad(integrand, middle - width, middle + width, epsabs=1e-12, limit=200, points=[middle])
        return double(area)

    any_mean, any_log_variance = numbers(seed, 1, 1), numbers(seed + 1, 1, 1).clamp(-2, 2)
    pairs = ((double([0.7]), double([-1.0])), (double([-1.5]), double([0.5])), (any_mean, any_log_variance))
    return [call(peer, *pair) for pair in pairs]


def _bernoulli(seed: int) -> list[Case]:
    def peer(images: Tensor, logits: Tensor) -> Tensor:
        return torch.distributions.Bernoulli(logits=logits, validate_args=False).log_prob(images).sum(dim=-1)

    def greys(place: int, *shape: int) -> Tensor:
        return numbers(seed + place, *shape).sigmoid()

    sure = double([1000.0, -1000.0, 1000.0])
    return [
        call(peer, double([1.0]), double([0.0])),
        call(peer, double([0.0]), double([2.0])),
        call(peer, double([1.0, 0.0], [0.0, 1.0]), double([1.0, 1.0], [-3.0, 2.0])),
        call(peer, double([0.5, 0.25]), double([1.0, -1.0])),
        call(peer, double([1.0, 0.0, 1.0]), sure),
        call(peer, double([0.0, 1.0, 1.0]), sure),
        call(peer, greys(0, 5, 8), 4 * numbers(seed + 1, 5, 8)),
        call(peer, greys(2, 5, 8).round(), 4 * numbers(seed + 3, 5, 8)),
        call(peer, greys(4, 2, 3, 4).round(), numbers(seed + 5, 2, 3, 4)),
        call(peer, greys(6, 7), numbers(seed + 7, 7)),
        call(peer, greys(8, 3, 4), 3 * numbers(seed + 9, 3, 4, gradient=True)),
        call(peer, greys(10, 3, 4), numbers(seed + 11, 3, 4, gradient=True)),
    ]


def _gaussian(seed: int) -> list[Case]:
    def peer(images: Tensor, mean: Tensor, std: float = 1.0) -> Tensor:
        return torch.distributions.Normal(mean, std).log_prob(images).sum(dim=-1)

    one, both = (double([0.0]), double([0.0])), (double([1.0, 2.0], [0.0, -1.0]), double([1.0, 0.0], [3.0, -1.0]))
    wide = numbers(seed, 5, 8), numbers(seed + 1, 5, 8)
    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (2, 3)]
    return [
        call(peer, *one),
        call(peer, *one, 2.0),
        call(peer, *both),
        call(peer, *both, 0.5),
        *(call(peer, *wide, std) for std in (0.2, 1.0, 3.0)),
        call(peer, 0.05 * wide[0], 0.05 * wide[1], std=0.01),
        call(peer, numbers(seed + 4, 2, 3, 4), numbers(seed + 5, 2, 3, 4)),
        call(peer, numbers(seed + 6, 6), numbers(seed + 7, 6), 0.7),
        call(peer, *learned, 0.6),
    ]


def law_of_pixels(config: VAEConfig, painted: Tensor) -> torch.distributions.Distribution:
    white = torch.distributions.Bernoulli(logits=painted, validate_args=False)
    pixels = white if config.likelihood == "bernoulli" else torch.distributions.Normal(painted, config.std)
    return torch.distributions.Independent(pixels, 1, validate_args=False)


def _vaes(config: VAEConfig, n: int, seed: int) -> list[Case]:
    """The loss, its parts and its gradient, from the same noise; and what the VAE encodes, decodes and samples."""
    images, latents = numbers(seed, n, config.pixels).sigmoid(), numbers(seed + 1, n, config.latent)
    encoding = (config.pixels, *config.hidden, 2 * config.latent)
    decoding = (config.latent, *config.hidden[::-1], config.pixels)

    def asked_loss(version: Any) -> dict[str, Any]:
        vae = filled(version(config), seed)
        parts = asked(vae.loss, images, torch.Generator().manual_seed(seed))
        return {name: value.detach() for name, value in parts.items()} | {"gradients": gradients_by_name(parts["loss"], vae)}

    def their_loss() -> dict[str, Any]:
        weights: dict[str, Tensor] = {}
        mean, log_variance = stack(images, "encoder", encoding, seed, weights).chunk(2, dim=-1)
        posterior = torch.distributions.Normal(mean, log_variance.exp().sqrt())
        noise = torch.empty_like(mean).normal_(generator=torch.Generator().manual_seed(seed))
        painted = stack(posterior.mean + posterior.stddev * noise, "decoder", decoding, seed, weights)
        fit = -law_of_pixels(config, painted).log_prob(images).mean()
        prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
        kl = torch.distributions.kl_divergence(posterior, prior).sum(dim=-1).mean()
        loss = fit + config.beta * kl
        values = {"loss": loss, "reconstruction": fit, "kl": kl, "elbo": -(fit + kl)}
        return {name: value.detach() for name, value in values.items()} | {"gradients": named_slopes(loss, weights)}

    def asked_uses(version: Any) -> dict[str, Any]:
        vae = filled(version(config), seed)
        uses = {
            "encode": list(asked(vae.encode, images)),
            "decode": asked(vae.decode, latents),
            "log_likelihood": asked(vae.log_likelihood, images, latents),
            "sample": vae.sample(9, torch.Generator().manual_seed(seed + 1)),
        }
        return {name: [part.detach() for part in use] if isinstance(use, list) else use.detach() for name, use in uses.items()}

    def their_uses() -> dict[str, Any]:
        prior = torch.empty(9, config.latent, dtype=DOUBLE).normal_(generator=torch.Generator().manual_seed(seed + 1))
        painted, sampled = (stack(each, "decoder", decoding, seed, {}) for each in (latents, prior))
        law = law_of_pixels(config, painted)
        return {
            "encode": [part.detach() for part in stack(images, "encoder", encoding, seed, {}).chunk(2, dim=-1)],
            "decode": law.mean.detach(),
            "log_likelihood": law.log_prob(images).detach(),
            "sample": law_of_pixels(config, sampled).mean.detach(),
        }

    shape = f"{n} × {config.pixels}, latent = {config.latent}, hidden = {config.hidden}"
    name, beta = config.likelihood, config.beta
    en = f"{name}, pictures of {shape}, beta = {beta:g}, std = {config.std:g}"
    fr = f"{name}, images de {shape}, beta = {comma(beta, 1)}, std = {comma(config.std, 1)}"
    return [
        scenario(f"{en}: the loss", f"{fr} : la perte", their_loss, asked_loss, images.numel()),
        scenario(f"{en}: its other methods", f"{fr} : ses autres méthodes", their_uses, asked_uses, images.numel() + 1),
    ]


def _loss(seed: int) -> list[Case]:
    configs = (
        (VAEConfig(2, 1, ()), 1),
        (VAEConfig(9, 2, (5,)), 6),
        (VAEConfig(9, 3, (5,), beta=4.0), 6),
        (VAEConfig(9, 2, (), "gaussian", std=0.5), 6),
        (VAEConfig(6, 3, (7, 5), "gaussian", beta=0.5), 1),
    )
    cases = [case for place, (config, n) in enumerate(configs) for case in _vaes(config, n, seed + place)]
    return [*cases, _parts_without_gradient(configs[1][0], seed)]


def _parts_without_gradient(config: VAEConfig, seed: int) -> Case:
    """Whether the loss, and nothing else, keeps its gradient."""
    images = numbers(seed, 4, config.pixels).sigmoid()
    kept = {name: say(f"gradient kept by {name}", f"gradient gardé par {name}") for name in ("loss", "reconstruction", "kl", "elbo")}

    def ask(version: Any) -> dict[str, Any]:
        found = asked(filled(version(config), seed).loss, images, torch.Generator().manual_seed(seed))
        return {said: found[name].requires_grad for name, said in kept.items()}

    en, fr = f"pictures of 4 × {config.pixels}, the parts of the loss", f"des images de 4 × {config.pixels}, les parties de la perte"
    return scenario(en, fr, lambda: {said: name == "loss" for name, said in kept.items()}, ask, 200)


REFERENCES = [
    Reference("vae:reparametrise", "torch.distributions.Normal", cases=_reparametrise, tolerance=1e-7),
    Reference("vae:kl_to_standard_normal", "torch.distributions.kl_divergence", cases=_kl_by_pytorch, tolerance=1e-10),
    Reference("vae:kl_to_standard_normal", "scipy.integrate.quad", cases=_kl_by_quadrature, tolerance=1e-10),
    Reference("vae:bernoulli_log_likelihood", "torch.distributions.Bernoulli", cases=_bernoulli, tolerance=1e-10),
    Reference("vae:gaussian_log_likelihood", "torch.distributions.Normal", cases=_gaussian, tolerance=1e-10),
    Reference("vae:VAE", "torch.distributions: Independent, kl_divergence", cases=_loss, tolerance=1e-10),
]
