"""Generative adversarial networks: one network draws, another tells its drawings
from real pictures, and each is the other's teacher.

The generator G turns noise into pictures; the discriminator D gives each picture a
logit, high for real. D climbs the value V(G, D) and G goes down it (Goodfellow et
al. 2014); no loss between pixels is ever written. The networks follow DCGAN
(Radford et al. 2016), classes are told to D by projection (Miyato & Koyama 2018),
and a patch discriminator (Isola et al. 2017) judges a picture piece by piece.

Letters: n pictures, z channels of noise, c channels, h x w pixels, k outcomes.
Lesson 08.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# ---------------------------------------- the game, where everything can be counted


def optimal_discriminator(
    p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, " k"]:
    """The best D where real outcomes fall with probabilities p and fakes with q: p
    / (p + q) (Goodfellow et al. 2014, proposition 1).

    Where neither ever falls any answer is as good, and it is 1/2. Raises
    `DalleEduError` unless both are distributions over the same k.
    """
    _check_distributions(p, q)
    return torch.where(
        p + q > 0, p / (p + q).clamp(min=torch.finfo(p.dtype).tiny), 0.5
    )


def expected_value(
    d: Float[Tensor, " k"], p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """V exactly: Σ p log d + q log(1 - d), in nats, for a D that calls outcome i
    real with probability d_i.
    """
    _check_distributions(p, q)
    return (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum()


def jensen_shannon(
    p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """The mean divergence of p and q from their own mixture, in nats: 0 when they
    are equal, log 2 when they share no outcome.

    Against the best D, V is -log 4 + 2 JSD(p, q) (Goodfellow et al. 2014, equation
    6): all that G can lower is this distance.
    """
    _check_distributions(p, q)
    mixture = (p + q) / 2
    entropy = torch.special.entr
    return entropy(mixture).sum() - (entropy(p) + entropy(q)).sum() / 2


def _check_distributions(p: Tensor, q: Tensor) -> None:
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


# ------------------------------------ the same game, from samples: losses on logits


def value(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """V(G, D) = E log D(x) + E log(1 - D(G(z))) (Goodfellow et al. 2014, equation
    1), estimated from D's logits; -log 4 when D must guess.

    D's probability is the sigmoid of its logit, and 1 - sigmoid(l) = sigmoid(-l):
    taken so, no logarithm ever meets a rounded 0.
    """
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """What D lowers: -V, the cross-entropy of saying "real" of real pictures and
    "fake" of fakes.
    """
    return -value(real_logits, fake_logits)


def saturating_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """What G lowers by the letter: E log(1 - D(G(z))). Its gradient is D's
    probability itself, and dies when D is sure of a fake.
    """
    return F.logsigmoid(-fake_logits).mean()


def non_saturating_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """What G lowers in practice: -E log D(G(z)), the same aim with a gradient that
    is strongest where D is sure of a fake (section 3).
    """
    return -F.logsigmoid(fake_logits).mean()


def hinge_discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """D wants real logits above 1 and fake ones below -1, and asks no more of those
    that are (Lim & Ye 2017; Miyato et al. 2018).
    """
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def hinge_generator_loss(fake_logits: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Against a hinge, G raises the logits of its fakes, without a margin."""
    return -fake_logits.mean()


@dataclass(frozen=True)
class Losses:
    """What each player lowers: D a function of real and fake logits, G one of fake
    logits.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


SATURATING = Losses(discriminator_loss, saturating_loss)
NON_SATURATING = Losses(discriminator_loss, non_saturating_loss)
HINGE = Losses(hinge_discriminator_loss, hinge_generator_loss)


# ------------------------------------------------------------- playing: Algorithm 1


@dataclass(frozen=True)
class Game:
    """Both players, an optimiser for each, and what each lowers.

    A generator is called with noise, a discriminator with pictures, and both with
    labels as a second argument where there are any.
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
    """D's turn: one step down its loss on real pictures and as many fakes; returns
    that loss. G is left as it is, gradients included.

    Real and fake go through D apart: in one batch, batch normalisation would mix
    their statistics and tell D which half it is.
    """
    given = () if labels is None else (labels,)
    with torch.no_grad():  # nothing of D's loss may reach G
        fake = game.generator(noise, *given)
    loss = game.losses.discriminator(
        game.discriminator(real, *given), game.discriminator(fake, *given)
    )
    game.discriminator_optimizer.zero_grad()
    loss.backward()
    game.discriminator_optimizer.step()
    return loss.detach()


def generator_step(
    game: Game, noise: Float[Tensor, "n z"], labels: Int[Tensor, " n"] | None = None
) -> Float[Tensor, ""]:
    """G's turn: one step down its loss; returns that loss. The gradient passes
    through D, which keeps none of it.
    """
    given = () if labels is None else (labels,)
    game.discriminator.requires_grad_(False)
    loss = game.losses.generator(
        game.discriminator(game.generator(noise, *given), *given)
    )
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
    """In each round k steps of D, each on fresh pictures and noise, then one of G
    on fresh noise (Goodfellow et al. 2014, algorithm 1).

    `draw_real()` gives a batch of pictures and their labels (or None),
    `draw_noise()` as many rows of noise; G draws the labels of the last batch.
    `callback(round, D's loss, G's loss)` watches. Raises `DalleEduError` when k or
    the rounds are below 1.
    """
    if k < 1 or rounds < 1:
        raise DalleEduError(
            f"k is {k} and rounds {rounds}; give 1 or more of each",
            f"k vaut {k} et rounds {rounds} ; donnez au moins 1 pour chacun",
        )
    for turn in range(rounds):
        for _ in range(k):
            real, labels = draw_real()
            discriminator_lost = discriminator_step(
                game, real, draw_noise(), labels
            )
        generator_lost = generator_step(game, draw_noise(), labels)
        if callback is not None:
            callback(turn, discriminator_lost, generator_lost)


# ----------------------------------------------------------- judging piece by piece


# ---------------------------------------------------------------- did it collapse?


def mode_coverage(
    classes: Int[Tensor, " n"], num_classes: int, least: float = 0.01
) -> tuple[int, float]:
    """How many classes at least a part `least` of the samples falls in, and the
    entropy of their histogram, in nats.

    `classes` is what a classifier trained on real pictures says of samples. All
    modes kept: num_classes and about log num_classes; one mode left: 1 and 0.
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
