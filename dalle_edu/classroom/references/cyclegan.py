"""CycleGAN's losses and steps against PyTorch's losses and plain autograd."""

from collections.abc import Callable
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.cyclegan import CycleGAN, CycleGANConfig, Exchange, HistoryPool
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

_SMALL = CycleGANConfig(width=4, blocks=1, pool_size=2)


def _pictures() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(n, 3, 16, 16, generator=generator, dtype=torch.float64) * 2 - 1 for n in (2, 3))
    return a, b


def _expected(model: CycleGAN, a: Tensor, b: Tensor) -> Tensor:
    """What the translators lower, in PyTorch's words."""

    def fools(judge: nn.Module, fake: Tensor) -> Tensor:
        logits = judge(fake)
        return F.mse_loss(logits, torch.ones_like(logits))

    there = fools(model.judge_b, model.to_b(a)) + fools(model.judge_a, model.to_a(b))
    back = F.l1_loss(model.to_a(model.to_b(a)), a) + F.l1_loss(model.to_b(model.to_a(b)), b)
    still = F.l1_loss(model.to_b(b), b) + F.l1_loss(model.to_a(a), a)
    return there + 10 * back + 5 * still


def _squares(judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    on_real, on_fake = judge(real), judge(fake.detach())
    return (F.mse_loss(on_real, torch.ones_like(on_real)) + F.mse_loss(on_fake, torch.zeros_like(on_fake))) / 2


def _model(version: type[CycleGAN]) -> CycleGAN:
    torch.manual_seed(0)
    return version(_SMALL).double()


def _translators(version: type[CycleGAN]) -> float:
    model, (a, b) = _model(version), _pictures()
    return gap(model.translators_loss(a, b)["loss"], _expected(model, a, b))


def _judges(version: type[CycleGAN]) -> float:
    """The loss, and that no gradient returns to the translators."""
    model, (a, b) = _model(version), _pictures()
    fake_b, fake_a = model.to_b(a), model.to_a(b)
    loss = model.discriminators_loss(a, b, fake_a, fake_b)
    expected = _squares(model.judge_a, a, fake_a) + _squares(model.judge_b, b, fake_b)
    loss.backward()
    leaked = [p.grad.abs().max() for side in (model.to_a, model.to_b) for p in side.parameters() if p.grad is not None]
    return max(gap(loss, expected), float(max(leaked, default=0.0)))


def _step(version: Callable[..., dict[str, Tensor]]) -> float:
    """One step by gradient descent: the translators first, then the judges on what the translators drew before they moved."""
    ours, rate, (a, b) = _model(CycleGAN), 0.1, _pictures()
    theirs = deepcopy(ours)
    sides = [[*ours.to_a.parameters(), *ours.to_b.parameters()], [*ours.judge_a.parameters(), *ours.judge_b.parameters()]]
    translators, judges = (torch.optim.SGD(side, rate) for side in sides)
    pools = [HistoryPool(4, torch.Generator().manual_seed(0)) for _ in "ab"]
    version(Exchange(ours, translators, judges, pools[0], pools[1]), a, b)

    fake_a, fake_b = theirs.to_a(b).detach(), theirs.to_b(a).detach()
    translating = [*theirs.to_a.parameters(), *theirs.to_b.parameters()]
    judging = [*theirs.judge_a.parameters(), *theirs.judge_b.parameters()]
    slopes = torch.autograd.grad(_expected(theirs, a, b), translating)
    turned = torch.autograd.grad(_squares(theirs.judge_a, a, fake_a) + _squares(theirs.judge_b, b, fake_b), judging)
    moved = [p - rate * slope for p, slope in zip([*translating, *judging], [*slopes, *turned], strict=True)]
    return max(gap(mine, other) for mine, other in zip([*sides[0], *sides[1]], moved, strict=True))


def _history_pool(version: type[HistoryPool]) -> float:
    """Book-keeping over 2,000 numbered pictures: all that went in is either shown or stored, once, and half of those shown are old.

    Half is held to four standard deviations of a fair coin, by scipy.
    """
    from scipy.stats import binom

    pool = version(50, torch.Generator().manual_seed(0))
    numbers = torch.arange(2000.0).view(-1, 1, 1, 1)
    shown = torch.cat([pool(batch) for batch in numbers.split(4)]).flatten()
    stored = torch.stack(list(pool.images)).flatten()
    kept = gap(torch.cat([shown, stored[stored < 2000]]).unique(), numbers.flatten())
    old = int((shown[50:] != numbers.flatten()[50:]).sum())
    low, high = binom.interval(1 - 1e-4, 1950, 0.5)
    return max(kept, gap(shown[:50], torch.arange(50.0)), gap(len(stored), 50), float(low - old), float(old - high))


REFERENCES = [
    Reference(
        "cyclegan:CycleGAN", say("torch.nn.functional.l1_loss and mse_loss", "torch.nn.functional.l1_loss et mse_loss"), _translators, 1e-10
    ),
    Reference("cyclegan:CycleGAN", say("torch.nn.functional.mse_loss, judges", "torch.nn.functional.mse_loss, comme juge"), _judges, 1e-10),
    Reference("cyclegan:cyclegan_step", "torch.autograd.grad", _step, 1e-10),
    Reference("cyclegan:HistoryPool", "scipy.stats.binom", _history_pool, 0.0),
]
