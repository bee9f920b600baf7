"""GANs against PyTorch's cross-entropy, SciPy, scikit-learn, and plain autograd."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from dalle_edu.bricks.dcgan import GANConfig
from dalle_edu.bricks.gan import Game
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.classroom.references.convolution import pixels_seen
from dalle_edu.language import say

# ---------------------------------------------------------------- distributions


def _distributions() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    p, q = (2 * torch.randn(2, 6, generator=generator, dtype=torch.float64)).softmax(dim=-1)
    holes = torch.tensor([0.5, 0.5, 0.0, 0.0]).double(), torch.tensor([0.0, 0.25, 0.75, 0.0]).double()
    return [(p, q), (q, p), (p, p), holes]


def _optimum(version: Callable[..., Tensor]) -> float:
    """A numerical search for the best answer to each outcome, one at a time."""
    from scipy.optimize import minimize_scalar
    from scipy.special import xlogy

    p, q = _distributions()[0]
    best = [
        minimize_scalar(lambda d, a=a, b=b: -xlogy(a, d) - xlogy(b, 1 - d), bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
        for a, b in zip(p.tolist(), q.tolist(), strict=True)
    ]
    return gap(version(p, q), best)


def _expected_value(version: Callable[..., Tensor]) -> float:
    """At any D by integration over scipy's own distributions, and at the best D by its Jensen-Shannon distance, squared."""
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import rv_discrete

    differences = []
    for p, q in _distributions()[:3]:
        d = torch.linspace(0.1, 0.8, len(p), dtype=torch.float64)
        real, fake = (rv_discrete(values=(range(len(p)), probabilities.numpy())) for probabilities in (p, q))
        expected = real.expect(lambda i, d=d: np.log(d.numpy()[i])) + fake.expect(lambda i, d=d: np.log1p(-d.numpy()[i]))
        optimum = -math.log(4) + 2 * jensenshannon(p, q) ** 2
        differences += [gap(version(d, p, q), np.float64(expected)), gap(version(p / (p + q), p, q), optimum)]
    return max(differences)


def _jensen_shannon(version: Callable[..., Tensor]) -> float:
    from scipy.spatial.distance import jensenshannon

    return max(gap(version(p, q), jensenshannon(p, q) ** 2) for p, q in _distributions())


# ---------------------------------------------------------------- losses


def _logits() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return 3 * torch.randn(7, generator=generator).double(), 3 * torch.randn(5, generator=generator).double()


def _discriminator_loss(version: Callable[..., Tensor]) -> float:
    real, fake = _logits()
    on_logits = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    on_logits = on_logits + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    on_probabilities = F.binary_cross_entropy(real.sigmoid(), torch.ones_like(real))
    on_probabilities = on_probabilities + F.binary_cross_entropy(fake.sigmoid(), torch.zeros_like(fake))
    sure = torch.full((3,), 200.0, dtype=torch.float64)  # whose probability rounds to 1
    extreme = gap(version(-sure, sure), F.binary_cross_entropy_with_logits(-sure, torch.ones(3).double()) * 2)
    return max(gap(version(real, fake), on_logits), gap(version(real, fake), on_probabilities), extreme)


def _value(version: Callable[..., Tensor]) -> float:
    real, fake = _logits()
    means = torch.distributions.Bernoulli(logits=real).log_prob(torch.ones_like(real)).mean()
    means = means + torch.distributions.Bernoulli(logits=fake).log_prob(torch.zeros_like(fake)).mean()
    return gap(version(real, fake), means)


def _saturating(version: Callable[..., Tensor]) -> float:
    _, fake = _logits()
    return gap(version(fake), -F.binary_cross_entropy(fake.sigmoid(), torch.zeros_like(fake)))


def _non_saturating(version: Callable[..., Tensor]) -> float:
    _, fake = _logits()
    return gap(version(fake), F.binary_cross_entropy(fake.sigmoid(), torch.ones_like(fake)))


def _hinge(version: Callable[..., Tensor]) -> float:
    """Scikit-learn's is the mean over both halves together: with as many of each, half the sum of their means."""
    from sklearn.metrics import hinge_loss

    real, fake = (part[:5] / 2 for part in _logits())
    labels = [1] * 5 + [-1] * 5
    return gap(version(real, fake), np.float64(2 * hinge_loss(labels, torch.cat([real, fake]).numpy())))


# ---------------------------------------------------------------- Algorithm 1


class _Players:
    """Two small players that normalise their batches, and the same round of algorithm 1 by plain autograd: no optimiser, no freezing."""

    def __init__(self, rate: float = 0.1):
        torch.manual_seed(0)
        drawing: list[nn.Module] = [nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 4)]
        judging: list[nn.Module] = [nn.Linear(4, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)]
        self.generator, self.discriminator, self.rate = nn.Sequential(*drawing).double(), nn.Sequential(*judging).double(), rate
        self.real = [torch.randn(6, 4, dtype=torch.float64) + 2 for _ in range(2)]
        self.noise = [torch.randn(6, 3, dtype=torch.float64) for _ in range(3)]

    def game(self) -> Game:
        generator, discriminator = deepcopy(self.generator), deepcopy(self.discriminator)
        first, second = (torch.optim.SGD(player.parameters(), self.rate) for player in (generator, discriminator))
        return Game(generator, discriminator, first, second)

    def expected(self, k: int, generator_moves: bool = True) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Tensor]]:
        """The parameters of both players after k steps of D and perhaps one of G, and the losses on the way."""
        g: dict[str, Tensor] = dict(deepcopy(self.generator).named_parameters())
        d: dict[str, Tensor] = dict(deepcopy(self.discriminator).named_parameters())
        losses = []

        def judged(images: Tensor) -> Tensor:
            return functional_call(self.discriminator, d, images)

        def drawn(noise: Tensor) -> Tensor:
            return functional_call(self.generator, g, noise)

        for real, noise in zip(self.real[:k], self.noise, strict=False):
            on_real, on_fake = judged(real).sigmoid(), judged(drawn(noise)).sigmoid()
            loss = F.binary_cross_entropy(on_real, torch.ones_like(on_real)) + F.binary_cross_entropy(on_fake, torch.zeros_like(on_fake))
            d = self._descended(d, loss)
            losses.append(loss)
        if generator_moves:
            on_fake = judged(drawn(self.noise[k])).sigmoid()
            loss = F.binary_cross_entropy(on_fake, torch.ones_like(on_fake))
            g = self._descended(g, loss)
            losses.append(loss)
        return g, d, losses

    def _descended(self, parameters: dict[str, Tensor], loss: Tensor) -> dict[str, Tensor]:
        slopes = torch.autograd.grad(loss, list(parameters.values()))
        moved = [parameter - self.rate * slope for parameter, slope in zip(parameters.values(), slopes, strict=True)]
        return {name: parameter.detach().requires_grad_() for name, parameter in zip(parameters, moved, strict=True)}


def _apart(player: nn.Module, expected: dict[str, Tensor]) -> float:
    return max(gap(parameter, expected[name]) for name, parameter in player.named_parameters())


def _gradients(player: nn.Module) -> float:
    return max((float(parameter.grad.abs().max()) for parameter in player.parameters() if parameter.grad is not None), default=0.0)


def _discriminator_step(version: Callable[..., Tensor]) -> float:
    players = _Players()
    game = players.game()
    lost = version(game, players.real[0], players.noise[0])
    g, d, losses = players.expected(1, generator_moves=False)
    return max(gap(lost, losses[0]), _apart(game.generator, g), _apart(game.discriminator, d), _gradients(game.generator))


def _generator_step(version: Callable[..., Tensor]) -> float:
    players = _Players()
    game = players.game()
    lost = version(game, players.noise[0])
    g, d, losses = players.expected(0)
    return max(gap(lost, losses[0]), _apart(game.generator, g), _apart(game.discriminator, d), _gradients(game.discriminator))


def _algorithm_1(version: Callable[..., None]) -> float:
    """Two rounds in one: k = 2 steps of D, then G. The batches and the noise are read from a list, in order."""
    players = _Players()
    game, real, noise = players.game(), iter(players.real), iter(players.noise)
    version(game, lambda: (next(real), None), lambda: next(noise), 1, 2)
    g, d, _ = players.expected(2)
    return max(_apart(game.generator, g), _apart(game.discriminator, d))


# ---------------------------------------------------------------- networks and measures


def _patch_discriminator(version: Callable[..., nn.Module]) -> float:
    """The patches that Isola et al. name, found by following gradients back to the picture."""
    torch.manual_seed(0)
    found = [pixels_seen(version(3, 4, layers, nn.Identity).double(), 160) for layers in (1, 2, 3)]
    return gap(torch.tensor(found), torch.tensor([16, 34, 70]))


def _projection(version: Callable[..., Any]) -> float:
    """What the class adds to the logit is bilinear in the class, one-hot, and the features."""
    torch.manual_seed(0)
    judge = version(GANConfig(8, width=4, num_classes=3)).double().eval()
    nn.init.normal_(judge.embedding.weight)
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    features = judge.look(images)
    bilinear = nn.Bilinear(3, features.shape[1], 1, bias=False, dtype=torch.float64)
    bilinear.weight.data = judge.embedding.weight.data[None]
    return gap(judge(images, labels), (judge.judge(features) + bilinear(F.one_hot(labels, 3).double(), features)).squeeze(1))


def _mode_coverage(version: Callable[..., tuple[int, float]]) -> float:
    from scipy.stats import entropy

    generator = torch.Generator().manual_seed(2)
    drawn = torch.multinomial(torch.tensor([0.4, 0.3, 0.2, 0.06, 0.03, 0.004, 0.003, 0.003]), 1000, replacement=True, generator=generator)
    differences = []
    for classes in (drawn, torch.arange(8), torch.full((50,), 3)):
        counts = np.bincount(classes.numpy(), minlength=8)
        found, nats = version(classes, 8)
        differences += [abs(found - int((counts / counts.sum() >= 0.01).sum())), gap(nats, entropy(counts))]
    return max(differences)


REFERENCES = [
    Reference("gan:optimal_discriminator", "scipy.optimize.minimize_scalar", _optimum, 1e-7),
    Reference("gan:expected_value", "scipy.spatial.distance.jensenshannon", _expected_value, 1e-10),
    Reference("gan:jensen_shannon", "scipy.spatial.distance.jensenshannon", _jensen_shannon, 1e-10),
    Reference("gan:value", "torch.distributions.Bernoulli", _value, 1e-10),
    Reference("gan:discriminator_loss", "torch.nn.functional.binary_cross_entropy", _discriminator_loss, 1e-10),
    Reference("gan:saturating_loss", "torch.nn.functional.binary_cross_entropy", _saturating, 1e-10),
    Reference("gan:non_saturating_loss", "torch.nn.functional.binary_cross_entropy", _non_saturating, 1e-10),
    Reference("gan:hinge_discriminator_loss", "sklearn.metrics.hinge_loss", _hinge, 1e-10),
    Reference("gan:discriminator_step", "torch.autograd.grad", _discriminator_step, 1e-10),
    Reference("gan:generator_step", "torch.autograd.grad", _generator_step, 1e-10),
    Reference("gan:algorithm_1", "torch.autograd.grad", _algorithm_1, 1e-10),
    Reference("dcgan:Discriminator", "torch.nn.Bilinear", _projection, 1e-10),
    Reference(
        "dcgan:PatchDiscriminator", say("gradients followed to the picture", "gradients suivis jusqu'à l'image"), _patch_discriminator, 0.0
    ),
    Reference("gan:mode_coverage", "scipy.stats.entropy", _mode_coverage, 1e-6),
]
