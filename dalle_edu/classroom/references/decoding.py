"""Sampling against Hugging Face's filters and guidance, and against PyTorch's own draws."""

from typing import Any, cast

import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say


def _rows(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _top_k(seed: int) -> list[Case]:
    def peer(logits: Tensor, k: int) -> Tensor:
        from transformers.generation.logits_process import TopKLogitsWarper

        return TopKLogitsWarper(k)(None, logits)

    wide = 2 * numbers(seed, 6, 12)
    small = [(_rows([1.0, 3.0, 2.0]), k) for k in (1, 2, 3, 5)] + [(_rows([0.0, 2.0, 1.0], [5.0, -1.0, 4.0]), 1)]
    return [call(peer, logits, k) for logits, k in [*small, *((wide, k) for k in (1, 3, 11, 12, 50))]]


def _top_p(seed: int) -> list[Case]:
    """What is left after the filter. With p = 1 nothing is left out, which Hugging Face's refuses to be asked."""

    def peer(logits: Tensor, p: float) -> Tensor:
        from transformers.generation.logits_process import TopPLogitsWarper

        return logits if p >= 1 else TopPLogitsWarper(p)(None, logits)

    few, wide = _rows([0.5, 0.2, 0.3]).log(), 2 * numbers(seed, 6, 12)
    halves = _rows([0.5, 0.25, 0.25]).log()  # whose sums are exact
    small = [(few, p) for p in (0.0, 0.1, 0.6, 0.9)] + [(halves, 0.5)] + [(_rows([0.1, 0.9], [0.6, 0.4]).log(), 0.7)]
    unordered = _rows([0.25, 0.05, 0.4, 0.3], [0.05, 0.75, 0.15, 0.05 + 1e-3]).log()
    return [call(peer, logits, p) for logits, p in [*small, (unordered, 0.6), *((wide, p) for p in (0.05, 0.5, 0.9, 1.0))]]


def above_epsilon(logits: Tensor, epsilon: float) -> Tensor:
    """What Hugging Face's epsilon sampling leaves. It refuses 0, which leaves all, and 1, which leaves the likeliest."""
    from transformers.generation.logits_process import EpsilonLogitsWarper

    return logits if epsilon == 0 else EpsilonLogitsWarper(min(epsilon, 1 - 1e-9))(None, logits)


def _epsilon(seed: int) -> list[Case]:
    def peer(logits: Tensor, epsilon: float) -> Tensor:
        return above_epsilon(logits, epsilon)

    few, wide = _rows([0.5, 0.2, 0.3]).log(), 2 * numbers(seed, 6, 12)
    halves = _rows([0.5, 0.25, 0.25]).log()  # exact
    small = [(few, epsilon) for epsilon in (0.25, 0.1, 0.0, 0.6, 1.0)] + [(halves, 0.25), (_rows([0.0] * 5), 0.3)]
    rows = [(_rows([0.4, 0.3, 0.3], [0.1, 0.15, 0.75]).log(), epsilon) for epsilon in (0.2, 0.5)]
    return [call(peer, *each) for each in [*small, *rows, *((wide, epsilon) for epsilon in (0.003, 0.02, 0.1, 0.6)), (wide.float(), 0.05)]]


def _temper(seed: int) -> list[Case]:
    """Row by row: the likeliest entry at `daring`, what it leaves shared out among the others at `temperature`."""

    def peer(logits: Tensor, temperature: float, daring: float | None = None) -> Tensor:
        if daring is None:
            return logits / temperature
        rows = []
        for row in logits.double():
            whether, best = (row / daring).exp() / (row / daring).exp().sum(), int(row.argmax())
            which = (row / temperature).exp()
            shares = which / (which.sum() - which[best]) * (whether.sum() - whether[best])
            rows.append(torch.stack([whether[i] if i == best else shares[i] for i in range(len(row))]).log())
        return torch.stack(rows).to(logits.dtype)

    two, three, wide = _rows([1.0, 0.0]), _rows([0.0, 2.0, 1.0], [3.0, 3.0, -1.0]), 2 * numbers(seed, 5, 9)
    plain = [(two, 2.0), (two, 1.0), (two, 0.5), (wide, 0.7)]
    daring = [(two, 1.0, 2.0), (_rows([0.0, 0.0]), 0.5, 2.0), (three[:1], 0.5, 2.0), (three[:1], 2.0, 0.5), (three[:1], 1.0, 1.0)]
    asked = [*plain, *daring, (wide, 0.5, 1.2), (wide, 1.3, 0.8), (wide.float(), 0.5, 1.2)]
    return [
        *(call(peer, *each) for each in asked),
        *(call(peer, numbers(seed + 1, 3, 4, gradient=True), 0.6, each) for each in (None, 1.5)),
    ]


def _draw(seed: int) -> list[Case]:
    """The inverse of the cumulative distribution at some numbers, those just beside its jumps included."""

    def peer(logits: Tensor, uniform: Tensor) -> Tensor:
        from torch.distributions import Categorical

        return (Categorical(logits=logits).probs.cumsum(dim=-1) <= uniform.unsqueeze(-1)).sum(dim=-1)

    even = _rows([0.0, 0.0])
    small = [(even, [0.0]), (even, [0.25]), (even, [0.75]), (_rows([0.2, 0.5, 0.3]).log(), [0.6]), (_rows([-torch.inf, 1.0]), [0.0])]
    wide = 2 * numbers(seed, 40, 12)
    rows = [(logits, torch.tensor(uniform, dtype=torch.float64)) for logits, uniform in small]
    rows += [(wide, torch.linspace(0.003, 0.997, 40, dtype=torch.float64)), (wide.float(), torch.rand(40, generator=_generator(seed)))]
    many, just_below_1 = 2 * numbers(seed, 20, 20_000).float(), torch.full((20,), 1 - 2.0**-24)
    exists = scenario(
        "20,000 entries and the largest uniform below 1: whether the entry exists",
        "20 000 entrées et le plus grand nombre uniforme sous 1 : l'entrée existe-t-elle",
        lambda: True,
        lambda version: bool((version(many.clone(), just_below_1.clone()) < 20_000).all()),
        many.numel(),
    )
    return [*(call(peer, *each) for each in rows), exists]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _guide(seed: int) -> list[Case]:
    def peer(logits: Tensor, guidance_scale: float) -> Tensor:
        from transformers.generation.logits_process import ClassifierFreeGuidanceLogitsProcessor

        if guidance_scale <= 1:  # which Hugging Face's refuses: nothing is added, or only the unconditional is left
            return logits.chunk(2)[0] if guidance_scale == 1 else logits.chunk(2)[1]
        wrapped: Any = ClassifierFreeGuidanceLogitsProcessor(guidance_scale)
        return wrapped(torch.zeros(len(logits) // 2, 1), logits)

    said, wide = _rows([2.0, -1.0], [1.0, 0.0]), numbers(seed, 6, 12).log_softmax(dim=-1)
    learned = numbers(seed + 1, 4, 3).requires_grad_()
    small = [(said, scale) for scale in (3.0, 1.0, 0.0)]
    return [call(peer, logits, scale) for logits, scale in [*small, (wide, 1.5), (wide, 3.0), (learned, 2.0)]]


def chosen_of(
    logits: Tensor,
    uniform: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    daring: float | None = None,
) -> Tensor:
    """Hugging Face's temperature and filters, then the place where the cumulative distribution passes `uniform`."""
    from transformers.generation import logits_process

    if temperature == 0:
        return logits.argmax(dim=-1)
    if daring is None:
        tempered = logits_process.TemperatureLogitsWarper(float(temperature))(None, logits)
    else:
        tempered = _daring(logits, temperature, daring)
    for wrapper, value in ((logits_process.TopKLogitsWarper, top_k), (logits_process.TopPLogitsWarper, top_p)):
        tempered = tempered if value is None else cast("Any", wrapper)(value)(None, tempered)
    return (torch.distributions.Categorical(logits=tempered).probs.cumsum(dim=-1) <= uniform.unsqueeze(-1)).sum(dim=-1)


def _daring(logits: Tensor, temperature: float, daring: float) -> Tensor:
    """Row by row: the likeliest code keeps its probability at one temperature, the others share the rest at the other."""
    rows = []
    for row in logits:
        first = int(row.argmax())
        stay = torch.distributions.Categorical(logits=row / daring).probs[first]
        others = torch.cat([row[:first], row[first + 1 :]])
        if others.max() == -torch.inf:  # nothing to share out
            rows.append(row - row[first])
            continue
        shares = (1 - stay) * torch.distributions.Categorical(logits=others / temperature).probs
        rows.append(torch.cat([shares[:first], stay[None], shares[first:]]).log())
    return torch.stack(rows)


REFERENCES = [
    Reference("decoding:temper", say("probabilities written out, row by row", "des probabilités écrites, ligne par ligne"), _temper, 1e-5),
    Reference("decoding:keep_top_k", "transformers TopKLogitsWarper", cases=_top_k, tolerance=1e-10),
    Reference("decoding:keep_top_p", "transformers TopPLogitsWarper", cases=_top_p, tolerance=1e-10),
    Reference("decoding:keep_above_epsilon", "transformers EpsilonLogitsWarper", cases=_epsilon, tolerance=1e-10),
    Reference(
        "decoding:sample",
        say("torch.distributions.Categorical, inverted", "torch.distributions.Categorical, inversée"),
        cases=_draw,
        tolerance=0.0,
    ),
    Reference("guidance:guide", "transformers ClassifierFreeGuidanceLogitsProcessor", cases=_guide, tolerance=1e-10),
]
