"""Generative adversarial networks (GANs): two networks trained against each other.

The generator G turns noise into pictures. The discriminator D gives each picture a
logit, high for real pictures. D is trained to raise the value V(G, D), and G to
lower it (Goodfellow et al. 2014); no loss compares pixels. This file holds the
game: its exact value, its losses, its training loop, and a measure of mode
collapse. The networks are in `dcgan.py`. Lesson 09.

Letters: n pictures, m fakes, z noise values, k outcomes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# ------------------------------------------------------- the game, computed exactly


def optimal_discriminator(
    p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, " k"]:
    """The best D when real outcomes have probabilities p, and fakes q: p / (p + q).

    This is proposition 1 of Goodfellow et al. (2014). Where p and q are both 0, any
    answer is as good, and this one is 1/2. Raises `DalleEduError` unless both are
    distributions over the same k outcomes.
    """
    _check_distributions(p, q)
    smallest = torch.finfo(p.dtype).tiny  # no division by 0
    return torch.where(p + q > 0, p / (p + q).clamp(min=smallest), 0.5)


def expected_value(
    d: Float[Tensor, " k"], p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """The exact value V of the game: Σ p log d + q log(1 - d), in nats.

    D calls outcome i real with probability d_i. Raises `DalleEduError` unless p and
    q are distributions over the same outcomes.
    """
    _check_distributions(p, q)
    return (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum()


def jensen_shannon(
    p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """The Jensen-Shannon divergence of p and q, in nats.

    It is their mean divergence from their mixture: 0 when they are equal, log 2
    when they share no outcome. Against the best D, V is -log 4 + 2 JSD(p, q)
    (Goodfellow et al. 2014, equation 6), so that this divergence is all that G can
    lower. Raises `DalleEduError` unless both are distributions over the same
    outcomes.
    """
    _check_distributions(p, q)
    mixture = (p + q) / 2
    entropy = torch.special.entr
    return entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2


def _check_distributions(p: Tensor, q: Tensor) -> None:
    """Raise `DalleEduError` unless both are distributions of the same length."""
    if (
        p.ndim != 1
        or p.shape != q.shape
        or min(p.min(), q.min()) < 0
        or not abs(p.sum() - 1) + abs(q.sum() - 1) < 1e-4
    ):
        came = "; ".join(
            f"{name} {list(each.shape)}, Σ = {float(each.sum()):.6g}"
            for name, each in (("p", p), ("q", q))
        )
        raise DalleEduError(
            f"{came}: give two distributions over the same outcomes",
            f"{came} : donnez deux lois sur les mêmes issues",
        )


# ----------------------------------------------- losses, from the logits of samples


def value(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """V(G, D) = E log D(x) + E log(1 - D(G(z))), estimated from D's logits.

    This is equation 1 of Goodfellow et al. (2014), in nats; it is -log 4 when D
    gives 1/2 to everything. D's probability is the sigmoid of its logit l, and 1 -
    sigmoid(l) = sigmoid(-l). Written so, no probability that rounds to 0 meets a
    logarithm.
    """
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """The loss of D: -V, the cross-entropy of "real" and "fake" labels, in nats.

    It is the mean of -log D over all real logits plus that of -log(1 - D) over all
    fake ones, and finite for logits of any size.
    """
    return -value(real_logits, fake_logits)


def saturating_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """The loss of G as first defined: E log(1 - D(G(z))), in nats.

    E is the mean over all logits, D the sigmoid of one; the loss is finite for
    logits of any size. It saturates: its gradient by D's logit is minus D's
    probability, which vanishes when D is sure of a fake.
    """
    return F.logsigmoid(-fake_logits).mean()


def non_saturating_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """The loss of G in practice: -E log D(G(z)), in nats.

    E is the mean over all logits, and the loss is finite for logits of any size.
    Its aim is that of the saturating loss, and its gradient is strongest where D is
    sure of a fake (Goodfellow et al. 2014, section 3).
    """
    return -F.logsigmoid(fake_logits).mean()


def hinge_discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """The hinge loss of D: real logits should exceed 1, fake ones be below -1.

    A real logit l costs max(0, 1 - l), a fake one max(0, 1 + l): beyond the margins
    they cost nothing (Lim & Ye 2017; Miyato et al. 2018). The mean cost of the real
    logits and the mean cost of the fake ones are added.
    """
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def hinge_generator_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """The loss of G against a hinge: minus the mean logit of its fakes."""
    return -fake_logits.mean()


@dataclass(frozen=True)
class Losses:
    """The losses of both players.

    D's is a function of real and fake logits, G's of fake logits.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


SATURATING = Losses(discriminator_loss, saturating_loss)
NON_SATURATING = Losses(discriminator_loss, non_saturating_loss)
HINGE = Losses(hinge_discriminator_loss, hinge_generator_loss)


# ------------------------------------------------------------ training: Algorithm 1


@dataclass(frozen=True)
class Game:
    """Both players, an optimiser for each, and their losses.

    The generator is called with noise, the discriminator with pictures, and both
    with labels as a second argument where there are any.
    """

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    losses: Losses = NON_SATURATING


def discriminator_step(
    game: Game,
    real: Float[Tensor, "n *picture"],
    noise: Float[Tensor, "n z"],
    labels: Int[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """One optimiser step of D on real pictures and as many fakes; returns its loss.

    D's old gradients are cleared first. G is left as it is, gradients included.
    Real and fake pictures go through D in separate batches: in one batch, batch
    normalisation would mix their statistics. The loss is that of before the step,
    without gradient.
    """
    given = () if labels is None else (labels,)
    with torch.no_grad():  # D's loss gives G no gradient
        fake = game.generator(noise, *given)
    real_logits = game.discriminator(real, *given)
    fake_logits = game.discriminator(fake, *given)
    loss = game.losses.discriminator(real_logits, fake_logits)
    game.discriminator_optimizer.zero_grad()
    loss.backward()
    game.discriminator_optimizer.step()
    return loss.detach()


def generator_step(
    game: Game, noise: Float[Tensor, "n z"], labels: Int[Tensor, " n"] | None = None
) -> Float[Tensor, ""]:
    """One optimiser step of G on its fakes; returns its loss.

    G's old gradients are cleared first. The gradient passes through D, which keeps
    none of it: D's parameters require no gradient while the loss is computed, and
    do again afterwards. The loss is that of before the step, without gradient.
    """
    given = () if labels is None else (labels,)
    game.discriminator.requires_grad_(False)
    fake = game.generator(noise, *given)
    loss = game.losses.generator(game.discriminator(fake, *given))
    game.discriminator.requires_grad_(True)
    game.generator_optimizer.zero_grad()
    loss.backward()
    game.generator_optimizer.step()
    return loss.detach()


def algorithm_1(
    game: Game,
    draw_real: Callable[[], tuple[Tensor, Tensor | None]],
    draw_noise: Callable[[], Tensor],
    rounds: int,
    k: int = 1,
    callback: Callable[[int, Tensor, Tensor], None] | None = None,
) -> None:
    """Train both players: in each round k steps of D, then one of G.

    This is algorithm 1 of Goodfellow et al. (2014). Each step of D has fresh
    pictures and noise, and G has fresh noise. `draw_real()` gives a batch of
    pictures and their labels (or None), `draw_noise()` as many rows of noise; G is
    given the labels of the last batch. `callback(round, D's loss, G's loss)` is
    called after each round. Raises `DalleEduError` when `k` or `rounds` is below 1.
    """
    if k < 1 or rounds < 1:
        raise DalleEduError(
            f"k is {k} and rounds {rounds}; give 1 or more of each",
            f"k vaut {k} et rounds {rounds} ; donnez au moins 1 pour chacun",
        )
    for turn in range(rounds):
        for _ in range(k):
            real, labels = draw_real()
            d_loss = discriminator_step(game, real, draw_noise(), labels)
        g_loss = generator_step(game, draw_noise(), labels)
        if callback is not None:
            callback(turn, d_loss, g_loss)


# -------------------------------------------------------------------- mode collapse


def mode_coverage(
    classes: Int[Tensor, " n"], num_classes: int, least: float = 0.01
) -> tuple[int, float]:
    """How many classes a set of samples covers, and the entropy of its classes.

    `classes` is what a classifier trained on real pictures says of each sample. A
    class counts when at least a part `least` of the samples falls in it; the
    entropy of their histogram is in nats. With all modes kept they are num_classes
    and about log num_classes; after a collapse to one mode, 1 and 0. Raises
    `DalleEduError` for no sample, or a class outside 0 to num_classes - 1.
    """
    if (
        not len(classes)
        or not 0 <= int(classes.min()) <= int(classes.max()) < num_classes
    ):
        raise DalleEduError(
            f"{len(classes)} samples came; give 1 or more, each of a class from 0 "
            f"to {num_classes - 1}",
            f"{len(classes)} échantillons sont venus ; donnez-en au moins 1, "
            f"chacun d'une classe de 0 à {num_classes - 1}",
        )
    shares = classes.bincount(minlength=num_classes) / len(classes)
    return int((shares >= least).sum()), float(torch.special.entr(shares).sum())
