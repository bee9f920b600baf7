"""Fidelity: how far drawn pictures are from true ones as two clouds of features, without asking which picture belongs to which caption.

Both distances come with traps. The features are those of one critic: distances by two critics, or on two data sets, do not compare. A
critic trained on few pictures calls equal what it never learned to tell apart. With few pictures a distance is noisy, and Fréchet's too
large besides. Each is therefore read beside its floor: the distance between two halves of the true pictures, measured on as many.

Letters: n and m pictures, d channels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SPLITS = 20  # random halvings of the pictures that a distance is averaged over
FEWEST = 16  # pictures for a kernel distance: eight against eight
FRECHET_NEEDS = 4  # pictures for each channel: with fewer than 2 in a half, its covariance is mostly chance


def kernel_distance(first: Float[Tensor, "n d"], second: Float[Tensor, "m d"]) -> float:
    """The kernel distance of two sets of features: the unbiased estimate of the squared maximum mean discrepancy with the kernel
    (x·y / d + 1)³. On features of Inception it is the kernel inception distance, KID (Bińkowski et al. 2018, section 4).

    It is about 0 for two samples of one distribution, of whatever size, and then as often below 0 as above. Raises `ValueError` for fewer
    than 2 features on a side.
    """
    n, m = len(first), len(second)
    if min(n, m) < 2:
        raise ValueError(f"{n} features against {m}: an unbiased estimate takes 2 on each side")
    x, y = first.double(), second.double()
    among_first, among_second, across = (_kernel(a, b) for a, b in ((x, x), (y, y), (x, y)))
    # a feature is not compared with itself, which is what makes the estimate unbiased
    within = sum(float(each.sum() - each.trace()) / (k * (k - 1)) for each, k in ((among_first, n), (among_second, m)))
    return within - 2 * float(across.mean())


def _kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3


def frechet_distance(first: Float[Tensor, "n d"], second: Float[Tensor, "m d"]) -> float:
    """The Fréchet distance of two sets of features, taken for normal distributions: |μ₁ - μ₂|² + trace(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½) (Dowson &
    Landau 1982). On features of Inception it is the Fréchet inception distance, FID (Heusel et al. 2017, equation 6).

    With few features it is biased: too large, the more so the fewer they are (Bińkowski et al. 2018, section 3). Raises `ValueError` for
    fewer than 2 features on a side.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"{len(first)} features against {len(second)}: a covariance takes 2 on each side")
    x, y = first.double(), second.double()
    covariance_x, covariance_y = x.T.cov(), y.T.cov()
    # the trace of (Σ₁ Σ₂)^½ by the symmetric matrix Σ₁^½ Σ₂ Σ₁^½, which has the same eigenvalues
    values, vectors = torch.linalg.eigh(covariance_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ covariance_y @ root).clamp(min=0).sqrt().sum()
    apart = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    return float(apart + covariance_x.trace() + covariance_y.trace() - 2 * overlap)


@dataclass(frozen=True)
class Distance:
    """A distance between drawn and true pictures, and the same between true ones, its `floor`: means over random halvings. `deviation` is
    the standard deviation of their difference from one halving to another. `n` is the number of pictures on each side.
    """

    n: int
    drawn: float
    floor: float
    deviation: float


def kernel_fidelity(drawn: Float[Tensor, "n d"], true: Float[Tensor, "n d"], seed: int = 0) -> Distance | None:
    """The kernel distance of drawn and true pictures, whose features are unit vectors, picture i of each with the same caption. None for
    fewer than `FEWEST` pictures.
    """
    return _fidelity(kernel_distance, drawn, true, seed) if len(true) >= FEWEST else None


def frechet_fidelity(drawn: Float[Tensor, "n d"], true: Float[Tensor, "n d"], seed: int = 0) -> Distance | None:
    """The Fréchet distance of drawn and true pictures, as `kernel_fidelity`. None for fewer than `FRECHET_NEEDS` pictures a channel."""
    return _fidelity(frechet_distance, drawn, true, seed) if len(true) >= FRECHET_NEEDS * true.shape[1] else None


def _fidelity(measure: Callable[[Tensor, Tensor], float], drawn: Tensor, true: Tensor, seed: int) -> Distance:
    """A distance over `SPLITS` random halvings: of one half the drawn pictures, and then the true ones, against the true pictures of the
    other half. Both are measured on as many pictures, so that what too few of them add is the same; and no drawn picture is compared with
    the true one of its own caption, which would bring it near.

    Unit vectors are lengthened to √d, since the kernel expects channels of a size of about 1.
    """
    drawn, true = (math.sqrt(each.shape[1]) * each.double().cpu() for each in (drawn, true))
    generator, half, found = torch.Generator().manual_seed(seed), len(true) // 2, []
    for _ in range(SPLITS):
        order = torch.randperm(len(true), generator=generator)
        one, other = order[:half], order[half : 2 * half]
        found.append((measure(drawn[one], true[other]), measure(true[one], true[other])))
    against = torch.tensor(found, dtype=torch.float64)
    drawn_mean, floor = against.mean(dim=0).tolist()
    return Distance(half, drawn_mean, floor, float((against[:, 0] - against[:, 1]).std()))
