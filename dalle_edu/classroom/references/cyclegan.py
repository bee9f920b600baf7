"""CycleGAN's losses and steps against PyTorch's losses and plain autograd."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.cyclegan import CycleGAN, CycleGANConfig, Exchange, HistoryPool
from dalle_edu.classroom.checking.asking import asked, filled, gradients_by_name, lent, numbers
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.gan import of_both, of_fakes
from dalle_edu.language import say

# ---------------------------------------------------------------- losses


def _least_squares(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return (_off(real_logits, 1.0) + _off(fake_logits, 0.0)) / 2


def _off(logits: Tensor, label: float) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, label))


def _pictures(seed: int, config: CycleGANConfig, n: int, m: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    a, b = (numbers(seed + 10 * side, count, config.channels, height, width).tanh() for side, count in enumerate((n, m)))
    return a, b


def _terms(model: CycleGAN, a: Tensor, b: Tensor) -> dict[str, Tensor]:
    """What the translators lower, in PyTorch's words."""

    there = _off(model.judge_b(model.to_b(a)), 1.0) + _off(model.judge_a(model.to_a(b)), 1.0)
    back = F.l1_loss(model.to_a(model.to_b(a)), a) + F.l1_loss(model.to_b(model.to_a(b)), b)
    still = F.l1_loss(model.to_b(b), b) + F.l1_loss(model.to_a(a), a)
    loss = there + model.config.cycle_weight * back + model.config.identity_weight * still
    return {"loss": loss, "adversarial": there, "cycle": back, "identity": still}


def _squares(judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return _least_squares(judge(real), judge(fake.detach()))


_SIZES = (  # the configuration, n, m, height, width
    (CycleGANConfig(width=2, blocks=1, channels=1), 1, 1, 8, 8),
    (CycleGANConfig(width=3, blocks=1), 2, 3, 8, 12),
    (CycleGANConfig(width=2, blocks=2, channels=2, discriminator_layers=2, cycle_weight=3.0, identity_weight=7.0), 3, 1, 16, 12),
)


def _said(config: CycleGANConfig, n: int, m: int, height: int, width: int) -> tuple[str, str]:
    weights = "" if config.cycle_weight == 10 else f", cycle_weight = {config.cycle_weight:g}, identity_weight = {config.identity_weight:g}"
    size = f"{config.channels} × {height} × {width}"
    return f"a of {n} × {size}, b of {m} × {size}{weights}", f"a de {n} × {size}, b de {m} × {size}{weights}"


def _without_gradient(parts: dict[str, Tensor]) -> dict[str, Any]:
    named = {name: part for name, part in parts.items() if name != "loss"}
    return named | {say("one learns", "l'un s'entraîne"): any(part.requires_grad for part in named.values())}


def _translators(seed: int) -> list[Case]:
    """The loss and its gradient; its parts, and the fakes."""

    def cases(place: int, config: CycleGANConfig, *size: int) -> list[Case]:
        number = seed + 100 * place
        a, b = _pictures(number, config, *size)

        def ask(version: Any) -> dict[str, Any]:
            model = filled(version(config), number)
            loss = asked(model.translators_loss, a, b)["loss"]
            return {"loss": loss.detach(), "gradients": gradients_by_name(loss, model)}

        def peer() -> dict[str, Any]:
            model = filled(CycleGAN(config), number)
            loss = _terms(model, a, b)["loss"]
            return {"loss": loss.detach(), "gradients": gradients_by_name(loss, model)}

        def ask_parts(version: Any) -> dict[str, Any]:
            found = asked(filled(version(config), number).translators_loss, a, b)
            return _without_gradient({name: found[name] for name in ("adversarial", "cycle", "identity", "fake_a", "fake_b")})

        def peer_parts() -> dict[str, Any]:
            model = filled(CycleGAN(config), number)
            parts = _terms(model, a, b) | {"fake_a": model.to_a(b), "fake_b": model.to_b(a)}
            return _without_gradient({name: part.detach() for name, part in parts.items()})

        en, fr = _said(config, *size)
        weight = a.numel() + b.numel()
        return [
            scenario(f"{en}: the translators' loss", f"{fr} : la perte des traducteurs", peer, ask, weight),
            scenario(f"{en}: its parts and the fakes", f"{fr} : ses parties et les faux", peer_parts, ask_parts, weight + 1),
        ]

    return [case for place, size in enumerate(_SIZES) for case in cases(place, *size)]


def _judges(seed: int) -> list[Case]:
    """The loss, and its gradient: none returns to the translators, through fakes that come from them or from elsewhere."""

    def case(place: int, config: CycleGANConfig, *size: int) -> Case:
        number = seed + 100 * place + 50
        (a, b), (old_a, old_b) = _pictures(number, config, *size), _pictures(number + 5, config, *size)

        def judged(model: CycleGAN, loss: Callable[..., Tensor]) -> dict[str, Any]:
            answers = {}
            for name, fakes in (("new", (model.to_a(b), model.to_b(a))), ("old", (old_b, old_a))):
                found = loss(model, a.clone(), b.clone(), *fakes)
                answers[name] = {"loss": found.detach(), "gradients": gradients_by_name(found, model)}
            return answers

        def ask(version: Any) -> dict[str, Any]:
            model = filled(version(config), number)
            asked(model.discriminators_loss, a, b, old_b, old_a)
            return judged(model, lambda model, *given: model.discriminators_loss(*given))

        def peer() -> dict[str, Any]:
            return judged(
                filled(CycleGAN(config), number),
                lambda model, a, b, fake_a, fake_b: _squares(model.judge_a, a, fake_a) + _squares(model.judge_b, b, fake_b),
            )

        en, fr = _said(config, *size)
        return scenario(f"{en}: the judges' loss", f"{fr} : la perte des juges", peer, ask, a.numel() + b.numel() + 2)

    return [case(place, *size) for place, size in enumerate(_SIZES)]


# ---------------------------------------------------------------- a step


class _Remembers(HistoryPool):
    """A pool that shows some pictures of its own, and keeps what it is given."""

    def __init__(self, shown: Tensor):
        super().__init__(0, torch.Generator())
        self.shown, self.given = shown, list[Tensor]()

    def __call__(self, fakes: Tensor) -> Tensor:
        self.given.append(fakes.detach().clone())
        return self.shown


def _step(seed: int) -> list[Case]:
    """One step by gradient descent: the translators first, then the judges on what the pools show of what the translators drew before."""

    def case(place: int, config: CycleGANConfig, *size: int) -> Case:
        number, rate = seed + 100 * place, 0.1
        (a, b), (old_a, old_b) = _pictures(number, config, *size), _pictures(number + 5, config, *size)
        lost = say("losses", "pertes")
        pools, can_learn = say("given to the pools", "donné aux réserves"), say("all can learn", "tous peuvent apprendre")

        def ask(version: Any) -> dict[str, Any]:
            model = filled(CycleGAN(config), number)
            sides = [[*model.to_a.parameters(), *model.to_b.parameters()], [*model.judge_a.parameters(), *model.judge_b.parameters()]]
            for parameter in model.parameters():
                parameter.grad = torch.full_like(parameter, 5.0)  # left over
            translators, judges = (torch.optim.SGD(side, rate) for side in sides)
            pool_a, pool_b = _Remembers(old_b), _Remembers(old_a)
            exchange = Exchange(model, translators, judges, pool_a, pool_b)
            losses = lent(lambda a, b: version(exchange, a, b), "a b", a, b)
            return {
                lost: {name: losses[name] for name in ("loss", "judges") if name in losses} if isinstance(losses, dict) else losses,
                pools: [*pool_a.given, *pool_b.given],
                can_learn: all(parameter.requires_grad for parameter in model.parameters()),
                "parameters": {name: value.detach() for name, value in model.named_parameters()},
            }

        def peer() -> dict[str, Any]:
            model = filled(CycleGAN(config), number)
            named = dict(model.named_parameters())
            translating = {name: value for name, value in named.items() if name.startswith("to_")}
            judging = {name: value for name, value in named.items() if name not in translating}
            fakes = [model.to_a(b).detach(), model.to_b(a).detach()]
            loss, judged = _terms(model, a, b)["loss"], _squares(model.judge_a, a, old_b) + _squares(model.judge_b, b, old_a)
            slopes = [
                *torch.autograd.grad(loss, list(translating.values())),
                *torch.autograd.grad(judged, list(judging.values())),
            ]
            order = [*translating, *judging]
            moved = {name: named[name].detach() - rate * slope for name, slope in zip(order, slopes, strict=True)}
            parameters = {name: moved[name] for name in named}
            return {lost: {"loss": loss.detach(), "judges": judged.detach()}, pools: fakes, can_learn: True, "parameters": parameters}

        en, fr = _said(config, *size)
        return scenario(en, fr, peer, ask, a.numel() + b.numel())

    return [case(place, *size) for place, size in enumerate(_SIZES)]


# ---------------------------------------------------------------- a pool


def _numbered(first: int, count: int, shape: tuple[int, int, int]) -> Tensor:
    return torch.arange(first, first + count).double().view(-1, 1, 1, 1).expand(-1, *shape).clone()


def _shown_by(pool: Any, first: int, count: int, batch: int, shape: tuple[int, int, int]) -> list[Tensor]:
    """What a pool shows of pictures numbered from `first` on, batch after batch; it must leave them as they are."""
    return [asked(pool, fakes) for fakes in _numbered(first, count, shape).split(batch)]


def _filling(size: int, batch: int, shape: tuple[int, int, int], seed: int) -> Case:
    """Until it is full, a pool shows what it is given; a pool of size 0 always."""
    count = size or 3 * batch

    def ask(version: Any) -> list[Tensor]:
        return _shown_by(version(size, torch.Generator().manual_seed(seed)), seed, count, batch, shape)

    en, fr = f"the first {count} fakes, size = {size}, batches of {batch}", f"les {count} premiers faux, size = {size}, des lots de {batch}"
    return scenario(en, fr, lambda: list(_numbered(seed, count, shape).split(batch)), ask, count)


def _book_asked(size: int, batch: int, count: int, seed: int) -> Case:
    """All that went in is shown or stored; once it is full half of what is shown is old, in each batch some, from any place in it."""
    from scipy.stats import binom

    lost, twice = say("neither shown nor stored", "ni montrés ni gardés"), say("shown too often", "montrés trop souvent")
    fewest, most = binom.interval(1 - 1e-9, count - size, 0.5)
    share, anywhere = say("part that is old", "part d'anciens"), say("from any place", "de toute place")
    mixed = say("old and new in one batch", "anciens et nouveaux dans un lot")

    def ask(version: Any) -> dict[str, Any]:
        pool = version(size, torch.Generator().manual_seed(seed))
        shown = (torch.cat(_shown_by(pool, seed, count, batch, (1, 1, 1))).flatten().long() - seed).tolist()
        stored, ages, unexpected = list(range(size)), list[float](), 0
        for number, picture in enumerate(shown[size:], start=size):
            if picture == number:
                continue
            if picture not in stored:
                unexpected += 1
                continue
            ages.append(stored.index(picture) / max(1, size - 1))
            stored.remove(picture)
            stored.append(number)
        old = sum(picture != number for number, picture in enumerate(shown))
        first = size + (-size) % batch
        in_batches = [[shown[at + k] != at + k for k in range(batch)] for at in range(first, count - batch + 1, batch)]
        middle, spread = 0.5, (1 / 12 * (size + 1) / max(1, size - 1)) ** 0.5
        spread_out = size == 1 or abs(sum(ages) / max(1, len(ages)) - middle) < 6 * spread / max(1, len(ages)) ** 0.5
        return {
            lost: max(0, len(set(range(count)) - set(shown)) - size),
            twice: unexpected,
            share: 0.5 if fewest <= old <= most else old / (count - size),
            anywhere: bool(spread_out),
            mixed: batch == 1 or any(0 < sum(of_batch) < batch for of_batch in in_batches),
        }

    def peer() -> dict[str, Any]:
        return {lost: 0, twice: 0, share: 0.5, anywhere: True, mixed: True}

    en = f"{count} numbered fakes, size = {size}, batches of {batch}"
    return scenario(en, f"{count} faux numérotés, size = {size}, des lots de {batch}", peer, ask, count + 1)


def _stores_no_graph(seed: int) -> Case:
    """Whether a gradient could still come back to fakes of earlier batches."""

    def ask(version: Any) -> bool:
        pool, weight = version(8, torch.Generator().manual_seed(seed)), torch.ones((), requires_grad=True)
        for _ in range(2):
            pool(torch.ones(4, 1, 2, 2) * weight)
        return any(pool(torch.zeros(4, 1, 2, 2)).requires_grad for _ in range(10))

    en, fr = "a gradient through fakes of the past", "un gradient à travers des faux du passé"
    return scenario(en, fr, lambda: False, ask, 60)


def _history_pool(seed: int) -> list[Case]:
    return [
        _filling(3, 1, (1, 1, 1), seed),
        _filling(0, 2, (1, 1, 2), seed),
        _filling(50, 4, (3, 2, 4), seed),
        _stores_no_graph(seed),
        _book_asked(50, 4, 2000, seed),
        _book_asked(4, 1, 1200, seed + 1),
        _book_asked(1, 3, 900, seed + 2),
    ]


REFERENCES = [
    Reference("cyclegan:least_squares_discriminator_loss", "torch.nn.functional.mse_loss", cases=of_both(_least_squares), tolerance=1e-10),
    Reference(
        "cyclegan:least_squares_generator_loss",
        "torch.nn.functional.mse_loss",
        cases=of_fakes(lambda fake_logits: _off(fake_logits, 1.0)),
        tolerance=1e-10,
    ),
    Reference(
        "cyclegan:CycleGAN",
        say("torch.nn.functional.l1_loss and mse_loss", "torch.nn.functional.l1_loss et mse_loss"),
        cases=_translators,
        tolerance=1e-10,
    ),
    Reference(
        "cyclegan:CycleGAN",
        say("torch.nn.functional.mse_loss, judges", "torch.nn.functional.mse_loss, comme juge"),
        cases=_judges,
        tolerance=1e-10,
    ),
    Reference("cyclegan:cyclegan_step", "torch.autograd.grad", cases=_step, tolerance=1e-10),
    Reference("cyclegan:HistoryPool", "scipy.stats.binom", cases=_history_pool, tolerance=0.0),
]
