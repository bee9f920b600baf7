"""The steps of a GAN's training, written out with PyTorch's optimisers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from dalle_edu.bricks.gan import NON_SATURATING, Game, Losses
from dalle_edu.classroom.checking.asking import filled, lent, numbers
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.gan import cross_entropy
from dalle_edu.language import say


class _Player(nn.Module):
    """A small player that normalises its batch. A label, where there are any, adds its row of a table to what the player is given."""

    def __init__(self, inputs: int, outputs: int, classes: int, last: nn.Module):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 5), nn.BatchNorm1d(5), last, nn.Linear(5, outputs))
        self.table = nn.Embedding(classes, inputs) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(x if self.table is None or labels is None else x + self.table(labels))


LEAST_SQUARES = Losses(
    lambda real, fake: F.mse_loss(real, torch.ones_like(real)) + fake.square().mean(), lambda fake: (fake - 1).square().mean()
)

WRITTEN_OUT = Losses(lambda real, fake: cross_entropy(real, 1.0) + cross_entropy(fake, 0.0), lambda fake: cross_entropy(fake, 1.0))


class _Rules:
    """Both players, their batches, and the same moves by plain autograd: no optimiser, no freezing."""

    def __init__(self, seed: int, n: int, classes: int = 0, losses: Losses = NON_SATURATING, rate: float = 0.1):
        self.seed, self.n, self.classes, self.losses, self.rate = seed, n, classes, losses, rate
        self.theirs = WRITTEN_OUT if losses is NON_SATURATING else losses

    def players(self) -> tuple[Any, Any]:
        generator, discriminator = _Player(3, 4, self.classes, nn.Tanh()), _Player(4, 1, self.classes, nn.LeakyReLU(0.2))
        return filled(generator, self.seed), filled(discriminator, self.seed + 1)

    def game(self) -> Game:
        generator, discriminator = self.players()
        first, second = (torch.optim.SGD(player.parameters(), self.rate) for player in (generator, discriminator))
        game = Game(generator, discriminator, first, second)
        return game if self.losses is NON_SATURATING else replace(game, losses=self.losses)

    def batch(self, place: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Real pictures, noise, and labels."""
        generator = torch.Generator().manual_seed(self.seed + place)
        labels = torch.randint(self.classes, (self.n,), generator=generator) if self.classes else None
        return numbers(self.seed + 100 + place, self.n, 4) + 2, numbers(self.seed + 200 + place, self.n, 3), labels

    def after(self, moves: str) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Tensor]]:
        """Both players after some moves, "D" or "G", and the losses. Noise is drawn at each move, pictures and labels at each "D"."""
        players = self.players()
        drawing, judging = ({name: value.detach().requires_grad_() for name, value in player.named_parameters()} for player in players)
        losses, shown = list[Tensor](), 0
        labels = self.batch(0)[2]
        for place, move in enumerate(moves):
            noise = self.batch(place)[1]
            if move == "D":
                real, _, labels = self.batch(shown)
                shown += 1
            given = () if labels is None else (labels,)
            fake = functional_call(players[0], drawing, (noise, *given))
            on_fake = functional_call(players[1], judging, (fake, *given))
            if move == "D":
                loss = self.theirs.discriminator(functional_call(players[1], judging, (real, *given)), on_fake)
                judging = self._descended(judging, loss)
            else:
                loss = self.theirs.generator(on_fake)
                drawing = self._descended(drawing, loss)
            losses.append(loss.detach())
        return drawing, judging, losses

    def _descended(self, parameters: dict[str, Tensor], loss: Tensor) -> dict[str, Tensor]:
        slopes = torch.autograd.grad(loss, list(parameters.values()))
        moved = [parameter - self.rate * slope for parameter, slope in zip(parameters.values(), slopes, strict=True)]
        return {name: parameter.detach().requires_grad_() for name, parameter in zip(parameters, moved, strict=True)}


def _weights(parameters: Any) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in sorted(dict(parameters).items())}


def _filled_in(player: nn.Module, value: float) -> None:
    for parameter in player.parameters():
        parameter.grad = torch.full_like(parameter, value)


def _all_gradients(player: nn.Module) -> list[float]:
    """The smallest and the largest entry of the gradients that a player keeps."""
    kept = [parameter.grad.flatten() for parameter in player.parameters() if parameter.grad is not None]
    return [float(torch.cat(kept).min()), float(torch.cat(kept).max())] if kept else [0.0, 0.0]


_SETTINGS = (
    ("", "", 2, 0, NON_SATURATING),
    ("", "", 6, 0, NON_SATURATING),
    (", with labels", ", avec des étiquettes", 5, 3, NON_SATURATING),
    (", least-squares losses", ", des pertes aux moindres carrés", 4, 0, LEAST_SQUARES),
)


def _steps(move: str) -> Callable[[int], list[Case]]:
    """One move of either player: its loss, both players after it, the gradients that the other keeps, and that both can still learn.

    The player who moves has old gradients, which count for nothing. G, in a move of D, has some too, which stay.
    """

    def case(en: str, fr: str, rules: _Rules) -> Case:
        kept = say("gradients of the other", "gradients de l'autre")
        loss, learn = say("loss", "perte"), say("all can learn", "tous peuvent apprendre")

        def ask(version: Any) -> dict[str, Any]:
            game, (real, noise, labels) = rules.game(), rules.batch(0)
            mover, other = (game.discriminator, game.generator) if move == "D" else (game.generator, game.discriminator)
            _filled_in(mover, 7.0)
            if move == "D":
                _filled_in(other, 3.0)
            given = {"real": real, "noise": noise, "labels": labels} if move == "D" else {"noise": noise, "labels": labels}
            given = {name: value for name, value in given.items() if value is not None}
            lost = lent(lambda *values: version(game, *values), " ".join(given), *given.values())
            return {
                loss: lost,
                kept: _all_gradients(other),
                learn: all(weight.requires_grad for player in (mover, other) for weight in player.parameters()),
                "G": _weights(game.generator.named_parameters()),
                "D": _weights(game.discriminator.named_parameters()),
            }

        def peer() -> dict[str, Any]:
            drawing, judging, losses = rules.after(move)
            gradients = [3.0, 3.0] if move == "D" else [0.0, 0.0]
            return {loss: losses[0], kept: gradients, learn: True, "G": _weights(drawing), "D": _weights(judging)}

        return scenario(en, fr, peer, ask, 10 * rules.n + rules.classes)

    def cases(seed: int) -> list[Case]:
        return [
            case(
                f"{n} pictures{en}" if move == "D" else f"noise for {n} pictures{en}",
                f"{n} images{fr}" if move == "D" else f"du bruit pour {n} images{fr}",
                _Rules(seed + 1000 * place, n, classes, losses),
            )
            for place, (en, fr, n, classes, losses) in enumerate(_SETTINGS)
        ]

    return cases


def _training(en: str, fr: str, rules: _Rules, rounds: int, k: int | None) -> Case:
    """Some rounds of k steps of D, then one of G. Batches and noise are read from lists, in order; the callback keeps what it is told."""
    steps = k or 1
    moves = ("D" * steps + "G") * rounds
    drawn, told = say("batches and noises drawn", "lots et bruits tirés"), say("callback", "callback")

    def ask(version: Any) -> dict[str, Any]:
        game, shown, noises = rules.game(), list[Any](), list[Any]()

        def draw_real() -> tuple[Tensor, Tensor | None]:
            shown.append(None)
            real, _, labels = rules.batch(len(shown) - 1)
            return real, labels

        def draw_noise() -> Tensor:
            noises.append(None)
            return rules.batch(len(noises) - 1)[1]

        heard: list[Any] = []
        options: dict[str, Any] = {} if k is None else {"k": k, "callback": lambda *said: heard.append(said)}
        version(game, draw_real, draw_noise, rounds, **options)
        return {
            drawn: [len(shown), len(noises)],
            told: [list(said) for said in heard],
            "G": _weights(game.generator.named_parameters()),
            "D": _weights(game.discriminator.named_parameters()),
        }

    def peer() -> dict[str, Any]:
        drawing, judging, losses = rules.after(moves)
        each = [[turn, losses[turn * (steps + 1) + steps - 1], losses[turn * (steps + 1) + steps]] for turn in range(rounds)]
        return {
            drawn: [rounds * steps, len(moves)],
            told: [] if k is None else each,
            "G": _weights(drawing),
            "D": _weights(judging),
        }

    said = "" if k is None else f", k = {k}"
    return scenario(f"rounds = {rounds}{said}{en}", f"rounds = {rounds}{said}{fr}", peer, ask, 10 * len(moves) + rules.n)


def _algorithm_1(seed: int) -> list[Case]:
    plays = ((1, None), (1, 1), (1, 2), (3, 2))
    usual = [_training("", "", _Rules(seed + rounds, 4), rounds, k) for rounds, k in plays]
    told = [_training(en, fr, _Rules(seed + 50, n, classes, losses), 2, 3) for en, fr, n, classes, losses in _SETTINGS if en]
    return [*usual, *told]


REFERENCES = [
    Reference("gan:discriminator_step", "torch.autograd.grad", cases=_steps("D"), tolerance=1e-10),
    Reference("gan:generator_step", "torch.autograd.grad", cases=_steps("G"), tolerance=1e-10),
    Reference("gan:algorithm_1", "torch.autograd.grad", cases=_algorithm_1, tolerance=1e-10),
]
