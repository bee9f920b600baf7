"""GANs against PyTorch's cross-entropy, SciPy, scikit-learn, and plain autograd."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import double, numbers
from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference

HOLES = double(0.5, 0.5, 0.0, 0.0), double(0.0, 0.25, 0.75, 0.0)


def _pair(seed: int, k: int) -> list[Tensor]:
    return [(2 * numbers(seed + place, k)).softmax(dim=0) for place in (0, 1)]


def _distributions(seed: int) -> list[tuple[Tensor, ...]]:
    """Equal, apart, with holes, and any."""
    even, sure = double(0.5, 0.5), double(1.0, 0.0)
    some = [(double(1.0), double(1.0)), (even, even), (even, sure), (double(0.75, 0.25), double(0.25, 0.75)), (sure, sure.flip(0)), HOLES]
    return [*some, *(tuple(_pair(seed + 10 * place, k)) for place, k in enumerate((6, 3, 11)))]


def _optimum(seed: int) -> list[Case]:
    def peer(p: Tensor, q: Tensor) -> Tensor:
        """A numerical search for the best answer to each outcome, one at a time; where there is nothing to tell, 1/2."""
        from scipy.optimize import minimize_scalar
        from scipy.special import xlog1py, xlogy

        def best(a: float, b: float) -> float:
            settings = {"bounds": (0, 1), "method": "bounded", "options": {"xatol": 1e-10}}
            return minimize_scalar(lambda d: -xlogy(a, d) - xlog1py(b, -d), **settings).x if a or b else 0.5

        return double(*(best(a, b) for a, b in zip(p.tolist(), q.tolist(), strict=True)))

    return [call(peer, p, q) for p, q in _distributions(seed)]


def _expected_value(seed: int) -> list[Case]:
    """At any D by integration over SciPy's own distributions, and at the best D by its Jensen-Shannon distance, squared."""

    def by_integration(d: Tensor, p: Tensor, q: Tensor) -> Tensor:
        from scipy.stats import rv_discrete

        real, fake = (rv_discrete(values=(range(len(d)), probabilities.numpy())) for probabilities in (p, q))
        value = real.expect(lambda i: np.log(d.numpy()[i])) + fake.expect(lambda i: np.log1p(-d.numpy()[i]))
        return torch.tensor(value, dtype=d.dtype)

    def at_the_best(d: Tensor, p: Tensor, q: Tensor) -> Tensor:
        from scipy.spatial.distance import jensenshannon

        return torch.tensor(-np.log(4) + 2 * jensenshannon(p, q) ** 2, dtype=d.dtype)

    def by_cross_entropy(d: Tensor, p: Tensor, q: Tensor) -> Tensor:
        sure = torch.ones_like(d)
        on_real = F.binary_cross_entropy(d, sure, weight=p, reduction="sum")
        return -on_real - F.binary_cross_entropy(d, 0 * sure, weight=q, reduction="sum")

    def at_the_edges(*given: Tensor) -> Tensor:
        from scipy.special import xlog1py, xlogy

        d, p, q = (part.numpy() for part in given)
        return torch.tensor(xlogy(p, d).sum() + xlog1py(q, -d).sum())

    even, sure = double(0.5, 0.5), double(1.0, 0.0)
    anywhere = [(torch.linspace(0.1, 0.8, k).double(), *_pair(seed + k, k)) for k in (2, 6, 9)]
    best = [(p / (p + q), p, q) for p, q in (_pair(seed + 3, 6), _pair(seed + 5, 4))]
    learned = numbers(seed, 5).sigmoid().requires_grad_(), *_pair(seed + 7, 5)
    return [
        call(by_integration, even, even, even),
        call(by_integration, double(0.75, 0.25), double(0.5, 0.5), double(0.25, 0.75)),
        call(at_the_edges, sure, sure, sure.flip(0)),
        call(at_the_edges, even, sure, sure.flip(0)),
        call(at_the_edges, sure.flip(0), sure, sure.flip(0)),  # wrong and sure of it: minus infinity
        call(at_the_edges, double(1.0, 2 / 3, 0.0, 0.5), *HOLES),
        *(call(by_integration, *each) for each in anywhere),
        *(call(at_the_best, *each) for each in best),
        call(by_cross_entropy, *learned),
    ]


def _jensen_shannon(seed: int) -> list[Case]:
    def peer(p: Tensor, q: Tensor) -> Tensor:
        from scipy.spatial.distance import jensenshannon

        return torch.tensor(jensenshannon(p, q) ** 2, dtype=p.dtype)

    def by_divergences(p: Tensor, q: Tensor) -> Tensor:
        mixture = ((p + q) / 2).log()
        return (F.kl_div(mixture, p, reduction="sum") + F.kl_div(mixture, q, reduction="sum")) / 2

    learned = [part.detach().requires_grad_() for part in _pair(seed + 50, 5)]
    return [*(call(peer, p, q) for p, q in _distributions(seed)), call(by_divergences, *learned)]


def of_both(peer: Callable[[Tensor, Tensor], Tensor]) -> Callable[[int], list[Case]]:
    """A loss of real and fake logits: few and many, as many of each or not, patches, and logits whose probability rounds to 1."""

    def cases(seed: int) -> list[Case]:
        sure, learned = double(200.0, 1000.0), [2 * numbers(seed + 8 + place, n, gradient=True) for place, n in enumerate((4, 3))]
        return [
            call(peer, double(0.0), double(0.0)),
            call(peer, double(2.0), double(-1.0)),
            call(peer, double(0.5, -3.0), double(0.5)),
            call(peer, double(3.0), double(-2.0, 0.0, 1.5)),
            call(peer, sure, -sure),
            call(peer, -sure, sure),
            call(peer, 3 * numbers(seed, 7), 3 * numbers(seed + 1, 5)),
            call(peer, 3 * numbers(seed + 2, 5), 3 * numbers(seed + 3, 5)),
            call(peer, numbers(seed + 4, 2, 3, 4), numbers(seed + 5, 5, 3, 4)),
            call(peer, *learned),
        ]

    return cases


def of_fakes(peer: Callable[[Tensor], Tensor]) -> Callable[[int], list[Case]]:
    """A loss of fake logits: few and many, patches, and logits whose probability rounds to 0 or 1."""

    def cases(seed: int) -> list[Case]:
        few = [double(0.0), double(2.0), double(-1.0), double(3.0, -3.0), double(200.0, 1000.0), double(-200.0, -1000.0)]
        many = [3 * numbers(seed, 7), numbers(seed + 1, 2, 3, 4), 2 * numbers(seed + 2, 5, gradient=True)]
        return [call(peer, logits) for logits in [*few, *many]]

    return cases


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _bernoulli(real: Tensor, fake: Tensor) -> Tensor:
    on_real = torch.distributions.Bernoulli(logits=real).log_prob(torch.ones_like(real))
    return on_real.mean() + torch.distributions.Bernoulli(logits=fake).log_prob(torch.zeros_like(fake)).mean()


def _discriminator_loss(seed: int) -> list[Case]:
    def on_logits(real: Tensor, fake: Tensor) -> Tensor:
        return cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)

    def on_probabilities(real: Tensor, fake: Tensor) -> Tensor:
        on_real = F.binary_cross_entropy(real.sigmoid(), torch.ones_like(real))
        return on_real + F.binary_cross_entropy(fake.sigmoid(), torch.zeros_like(fake))

    return [*of_both(on_logits)(seed), call(on_probabilities, 3 * numbers(seed + 20, 6), 3 * numbers(seed + 21, 4))]


def _hinge(seed: int) -> list[Case]:
    """Values by scikit-learn, each half counting for one half; gradients by PyTorch's hinge, away from its corner."""

    def peer(real: Tensor, fake: Tensor) -> Tensor:
        from sklearn.metrics import hinge_loss

        labels = [1] * real.numel() + [-1] * fake.numel()
        shares = [1 / real.numel()] * real.numel() + [1 / fake.numel()] * fake.numel()
        mean = hinge_loss(labels, torch.cat([real.flatten(), fake.flatten()]).numpy(), sample_weight=shares)
        return torch.tensor(2 * mean, dtype=real.dtype)

    def by_pytorch(real: Tensor, fake: Tensor) -> Tensor:
        losses = [F.hinge_embedding_loss(half, -torch.ones_like(half), margin=1.0) for half in (real, -fake)]
        return torch.stack(losses).sum()

    usual = [case for case in of_both(peer)(seed) if not any(part.requires_grad for part in case.args or ())]
    learned = [numbers(seed + place, n, gradient=True) for place, n in ((30, 4), (31, 6))]
    corners = call(peer, double(1.0, 0.5), double(-1.0, -0.5))
    return [*usual, corners, call(by_pytorch, *learned), call(by_pytorch, *[5 * part.detach() for part in learned])]


def _mode_coverage(seed: int) -> list[Case]:
    def peer(classes: Tensor, num_classes: int, least: float = 0.01) -> tuple[int, float]:
        from scipy.stats import entropy

        counts = np.bincount(classes.numpy(), minlength=num_classes)
        return int((counts / counts.sum() >= least).sum()), float(entropy(counts))

    shares = torch.tensor([0.4, 0.3, 0.2, 0.06, 0.03, 0.004, 0.003, 0.003])
    drawn = torch.multinomial(shares, 1000, replacement=True, generator=torch.Generator().manual_seed(seed))
    rare = torch.cat([torch.zeros(995, dtype=torch.long), torch.full((5,), 2)])
    on_the_limit = torch.cat([torch.zeros(99, dtype=torch.long), torch.ones(1, dtype=torch.long)])
    return [
        call(peer, torch.tensor([0]), 1),
        call(peer, torch.tensor([2, 2, 2]), 4),
        call(peer, torch.tensor([0, 1, 1, 3]), 4),
        call(peer, torch.tensor([0, 1, 1, 3]), 4, 0.25),
        call(peer, torch.tensor([0, 1, 1, 3]), 5, 0.5),
        call(peer, torch.arange(8), 8),
        call(peer, torch.full((50,), 3), 8),
        call(peer, on_the_limit, 2),
        call(peer, rare, 3),
        call(peer, rare, 3, least=0.001),
        call(peer, drawn, 8),
        call(peer, drawn, 20, 0.1),
    ]


REFERENCES = [
    Reference("gan:optimal_discriminator", "scipy.optimize.minimize_scalar", cases=_optimum, tolerance=1e-7),
    Reference("gan:expected_value", "scipy.spatial.distance.jensenshannon", cases=_expected_value, tolerance=1e-10),
    Reference("gan:jensen_shannon", "scipy.spatial.distance.jensenshannon", cases=_jensen_shannon, tolerance=1e-10),
    Reference("gan:value", "torch.distributions.Bernoulli", cases=of_both(_bernoulli), tolerance=1e-10),
    Reference("gan:discriminator_loss", "torch.nn.functional.binary_cross_entropy", cases=_discriminator_loss, tolerance=1e-10),
    Reference(
        "gan:saturating_loss",
        "torch.nn.functional.binary_cross_entropy",
        cases=of_fakes(lambda fake_logits: -cross_entropy(fake_logits, 0.0)),
        tolerance=1e-10,
    ),
    Reference(
        "gan:non_saturating_loss",
        "torch.nn.functional.binary_cross_entropy",
        cases=of_fakes(lambda fake_logits: cross_entropy(fake_logits, 1.0)),
        tolerance=1e-10,
    ),
    Reference("gan:hinge_discriminator_loss", "sklearn.metrics.hinge_loss", cases=_hinge, tolerance=1e-10),
    Reference("gan:mode_coverage", "scipy.stats.entropy", cases=_mode_coverage, tolerance=1e-6),
]
