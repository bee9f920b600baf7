"""The game of a GAN on a line, where all of it can be seen: the real numbers' density, the fakes', and the discriminator. Lesson 09.

Real outcomes are numbers, sampled from two bumps. The line is cut into bins: p and q are the probabilities of each, of the real and of the
fake numbers, and the bricks' exact functions (`optimal_discriminator`, `expected_value`, `jensen_shannon`) say where the game stands.

Letters: k bins of the line, m values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Normal

from dalle_edu.bricks.gan import (
    NON_SATURATING,
    SATURATING,
    Game,
    Losses,
    algorithm_1,
    expected_value,
    jensen_shannon,
    optimal_discriminator,
)
from dalle_edu.classroom.figures import BLACK, BLUE, VERMILION, Picture, legend, picture, plot
from dalle_edu.language import say

REACH, BINS = 4.0, 80  # the line from -4 to 4
MARGINS = {"left": 0.1, "bottom": 0.1, "right": 0.98, "top": 0.93, "hspace": 0.25}  # of the pictures of a game
RARE = 0.002  # what the probabilities of a bin add up to where the best D is not drawn
BUMPS = ((-1.5, 0.4), (1.5, 0.4))  # the mean and the deviation of each half of the real numbers
DECAYS = (0.5, 0.999)  # DCGAN's decays of the two averages of Adam
QUANTILES = 20_000  # how many values of noise, evenly likely, tell the density of the fakes


def bins() -> Float[Tensor, " k"]:
    """The middles of the bins of the line."""
    edges = torch.linspace(-REACH, REACH, BINS + 1, dtype=torch.float64)
    return (edges[1:] + edges[:-1]) / 2


@dataclass(frozen=True)
class Standing:
    """How the game stands after `rounds` rounds: real and fake probabilities of each bin, and D's probability that it is real."""

    rounds: int
    p: Float[Tensor, " k"]
    q: Float[Tensor, " k"]
    d: Float[Tensor, " k"]

    @property
    def best(self) -> Float[Tensor, " k"]:
        """The best discriminator against these fakes, p / (p + q)."""
        return optimal_discriminator(self.p, self.q)

    @property
    def value(self) -> float:
        """The exact value of the game, in nats: D raises it, G lowers it. It is -log 4 when D gives 1/2 to everything."""
        return float(expected_value(self.d, self.p, self.q))

    @property
    def divergence(self) -> float:
        """The Jensen-Shannon divergence of the fakes from the real, in nats: 0 when they are alike, log 2 when they share no bin."""
        return float(jensen_shannon(self.p, self.q))


def real_probabilities(bumps: Sequence[tuple[float, float]] = BUMPS) -> Float[Tensor, " k"]:
    """The exact probability of each bin for the real numbers; what is beyond the line counts in its outer bins."""
    edges = torch.linspace(-REACH, REACH, BINS + 1, dtype=torch.float64)
    below = torch.stack([Normal(mean, deviation).cdf(edges) for mean, deviation in bumps]).mean(dim=0)
    below[0], below[-1] = 0.0, 1.0
    return below.diff()


@torch.no_grad()
def standing(game: Game, rounds: int, p: Float[Tensor, " k"]) -> Standing:
    """Measure a game on a line: 20,000 evenly likely values of noise go through G, and the middle of each bin through D."""
    noise = Normal(0.0, 1.0).icdf((torch.arange(QUANTILES) + 0.5) / QUANTILES)
    fakes = game.generator(noise[:, None]).flatten()
    places = ((fakes + REACH) / (2 * REACH) * BINS).long().clamp(0, BINS - 1)
    q = places.bincount(minlength=BINS).double() / QUANTILES
    return Standing(rounds, p, q, game.discriminator(bins().float()[:, None]).sigmoid().double())


def play_on_a_line(
    seed: int = 0,
    rounds: int = 800,
    seen: int = 40,
    k: int = 1,
    losses: Losses = NON_SATURATING,
    bumps: Sequence[tuple[float, float]] = BUMPS,
) -> list[Standing]:
    """Play algorithm 1 with two small networks; measure the game before it, and after every so many rounds, `seen` times in all.

    It takes some seconds. The same seed gives the same game; in games of more than about 1,000 rounds D may lose its hold.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
        bend = nn.LeakyReLU(0.2)
        discriminator = nn.Sequential(nn.Linear(1, 32), bend, nn.Linear(32, 32), bend, nn.Linear(32, 1), nn.Flatten(0))
    slow, fast = torch.optim.Adam(generator.parameters(), 1e-3, DECAYS), torch.optim.Adam(discriminator.parameters(), 1e-2, DECAYS)
    game = Game(generator, discriminator, slow, fast, losses)
    numbers, p = torch.Generator().manual_seed(seed), real_probabilities(bumps)
    means, deviations = torch.tensor(bumps).T

    def draw_real() -> tuple[Tensor, None]:
        half = torch.randint(len(bumps), (256,), generator=numbers)
        return (means[half] + deviations[half] * torch.randn(256, generator=numbers))[:, None], None

    moments = {round(rounds * (place + 1) / seen) for place in range(seen)}
    standings = [standing(game, 0, p)]

    def watch(turn: int, d_loss: Tensor, g_loss: Tensor) -> None:
        if turn + 1 in moments:
            standings.append(standing(game, turn + 1, p))

    algorithm_1(game, draw_real, lambda: torch.randn(256, 1, generator=numbers), rounds, k, watch)
    return standings


def draw_standing(standing: Standing) -> Picture:
    """The density of the real numbers and of the fakes, in black the discriminator, and dashed the best one against these fakes.

    The best one is left out where neither kind of number comes.
    """
    figure, (above, below) = plot(2, 1, width=7.2, height=5.0, margins=MARGINS)
    middles, width = bins(), 2 * REACH / BINS
    for probabilities, colour, style, name in (
        (standing.p, BLUE, "-", say("p, real", "p, vraies")),
        (standing.q, VERMILION, "-", say("q, fakes", "q, fausses")),
    ):
        above.plot(middles, probabilities / width, style, color=colour, linewidth=2, label=name)
        above.fill_between(middles, probabilities / width, color=colour, alpha=0.15)
    above.set(xlim=(-REACH, REACH), ylim=(0, 1.6), xticks=[])
    above.set_ylabel(say("density", "densité"))
    comes = standing.p + standing.q > RARE  # elsewhere p / (p + q) is a matter of single samples
    best = torch.where(comes, standing.best, torch.nan)
    below.plot(middles, best, "--", color="grey", linewidth=2, label=say("the best D, p / (p + q)", "le meilleur D, p / (p + q)"))
    below.plot(middles, standing.d, color=BLACK, linewidth=2, label=say("D as it is", "D tel qu'il est"))
    below.set(xlim=(-REACH, REACH), ylim=(-0.03, 1.03), xticks=range(-4, 5, 2), yticks=[0, 0.5, 1])
    below.set_ylabel(say("probability of “real”", "probabilité de « vrai »"))
    below.set_xlabel(say("outcome x", "issue x"))
    legend(above, loc="upper left")
    legend(below, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    found = f"V = {standing.value:.2f}, JSD = {standing.divergence:.3f}"
    above.set_title(say(f"after {standing.rounds} rounds: {found}", f"après {standing.rounds} tours : {found}"))
    shared = 100 * float(torch.minimum(standing.p, standing.q).sum())
    en = f"After {standing.rounds} rounds {shared:.0f} % of both densities overlap; the value is {standing.value:.2f} nats"
    fr = f"Après {standing.rounds} tours, {shared:.0f} % des deux densités se recouvrent ; la valeur est de {standing.value:.2f} nat"
    return picture(
        figure,
        say(
            f"{en}, and the Jensen-Shannon divergence {standing.divergence:.3f}.",
            f"{fr} et la divergence de Jensen-Shannon de {standing.divergence:.3f}.",
        ),
    )


def pulls(losses: Losses, probabilities: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """How hard a loss of G pulls on the logit of one fake, by D's probability that it is real: the size of its gradient."""
    logits = torch.logit(probabilities.double()).requires_grad_()
    loss = torch.stack([losses.generator(logit) for logit in logits.split(1)]).sum()
    return torch.autograd.grad(loss, logits)[0].abs()


def draw_pulls() -> Picture:
    """The pull of the saturating loss and of the non-saturating one on a fake, over what D says of it."""
    probabilities = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)
    figure, axes = plot(width=6.4, height=3.4)
    strengths = [pulls(losses, probabilities) for losses in (SATURATING, NON_SATURATING)]
    names = [say("saturating: log(1 - D)", "qui sature : log(1 - D)"), say("non-saturating: -log D", "qui ne sature pas : -log D")]
    for strength, name, colour, style in zip(strengths, names, (BLUE, VERMILION), ("--", "-"), strict=True):
        axes.plot(probabilities, strength, style, color=colour, linewidth=2, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_xlabel(say("D's probability that the fake is real", "probabilité que D donne au faux d'être vrai"))
    axes.set_ylabel(say("pull on the logit", "traction sur le logit"))
    legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
    sure = pulls(SATURATING, torch.tensor([0.01])), pulls(NON_SATURATING, torch.tensor([0.01]))
    weak, strong = (float(pull) for pull in sure)
    en = f"Where D gives a fake 0.01, the saturating loss pulls with {weak:.2f} and the non-saturating one with {strong:.2f}."
    fr = f"Là où D donne 0.01 à un faux, la perte qui sature tire de {weak:.2f} et l'autre de {strong:.2f}."
    return picture(figure, say(en, fr))
