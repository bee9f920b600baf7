"""The sampler of codes against Hugging Face's GPT-2 and Hugging Face's filters, step by step."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.gpt import TextToImageGPT
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.decoding import above_epsilon, chosen_of
from dalle_edu.classroom.references.gpt import (
    OTHER,
    PAIRS,
    SMALL,
    TEXT,
    TINY,
    embedded_stream,
    gpt2,
    lively,
    logits_of,
    networks_and_captions,
    random_codes,
    stream_for_code,
)
from dalle_edu.language import say


@torch.no_grad()
def _sampled(
    model: Any,
    text: Tensor,
    uniforms: Tensor,
    guidance_scale: float = 1.0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    cached: bool = True,
    given: Tensor | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
    daring: float | None = None,
    epsilon: float | None = None,
) -> Tensor:
    """Codes that GPT-2 writes, one token at a time without cache, with guidance computed from two passes."""
    peer, written = gpt2(model), torch.zeros(len(text), 0, dtype=torch.long)
    for position in range(uniforms.shape[1]):
        streams = [embedded_stream(model, each, written) for each in (text, torch.zeros_like(text))]
        begun = written[:, position - position % model.config.codes_per_token :]
        each = [stream_for_code(model, peer(inputs_embeds=stream).last_hidden_state[:, -1], begun) for stream in streams]
        said, unsaid = (logits_of(model, x, model.code_head.weight) for x in each)
        logits = unsaid + guidance_scale * (said - unsaid)
        if epsilon is not None:
            logits = logits.where(above_epsilon(unsaid + min(guidance_scale, 1) * (said - unsaid), epsilon) > -torch.inf, -torch.inf)
        chosen = chosen_of(logits, uniforms[:, position], temperature, top_k, top_p, daring)
        if given is not None:
            chosen = chosen.where(given[:, position] < 0, given[:, position])
        written = torch.cat([written, chosen.unsqueeze(1)], dim=1)
        if callback is not None:
            callback(position, F.pad(written, (0, uniforms.shape[1] - written.shape[1])))
    return written


def _options(uniforms: Tensor, seed: int) -> list[tuple[float, dict[str, Any]]]:
    """Every option alone, some together."""
    known = random_codes(SMALL, 4, seed + 5).where(torch.rand(4, 9, generator=torch.Generator().manual_seed(seed + 6)) < 0.4, -1)
    return [
        (1.0, {"temperature": 0.0}),
        (2.5, {"temperature": 0.0}),
        (0.0, {"temperature": 0.0}),
        (1.0, {}),
        (3.0, {}),
        (1.0, {"temperature": 0.4}),
        (1.0, {"temperature": 3.0, "top_k": 3}),
        (1.0, {"temperature": 3.0, "top_p": 0.5}),
        (1.5, {"temperature": 2.0, "top_k": 6, "top_p": 0.7}),
        (1.0, {"temperature": 3.0, "daring": 0.2}),
        (1.0, {"temperature": 0.5, "daring": 4.0, "top_k": 5}),
        (1.0, {"epsilon": 0.1}),
        (0.0, {"epsilon": 0.1, "temperature": 0.0}),
        (0.5, {"epsilon": 0.15}),
        (4.0, {"epsilon": 0.06, "temperature": 3.0}),
        (3.0, {"epsilon": 0.2, "temperature": 2.0, "daring": 3.0}),
        (1.0, {"given": known}),
        (2.0, {"given": known, "cached": False}),
        (1.0, {"cached": False, "temperature": 2.0}),
    ]


def _sampler(seed: int) -> list[Case]:
    tiny, small, other, pairs = (lively(TextToImageGPT(config), seed) for config in (TINY, SMALL, OTHER, PAIRS))
    text, uniforms = networks_and_captions(seed)[3][1], torch.rand(4, 9, generator=torch.Generator().manual_seed(seed + 2))
    longer = torch.rand(3, 16, generator=torch.Generator().manual_seed(seed + 4))
    some = random_codes(PAIRS, 3, seed).where(longer < 0.4, -1)
    few, one = torch.tensor([[1, 0]]), torch.tensor([[0.1, 0.9, 0.5, 0.3]])
    return [
        call(_sampled, tiny, few, one, temperature=0.0, may_change=("model",)),
        call(_sampled, tiny, few, one, may_change=("model",)),
        *(call(_sampled, small, TEXT, uniforms, scale, may_change=("model",), **options) for scale, options in _options(uniforms, seed)),
        call(_sampled, small, TEXT, uniforms, may_change=("model",)),
        call(_sampled, other, text, uniforms[:3, :4], 2.0, 1.5, 4, 0.9, may_change=("model",)),
        call(_sampled, pairs, text, longer, 2.0, may_change=("model",)),
        call(_sampled, pairs, text, longer, cached=False, given=some, may_change=("model",)),
        _told_of_each_code(small, uniforms),
        *_from_any_network(seed),
    ]


def _told_of_each_code(model: Any, uniforms: Tensor) -> Case:
    """What a callback hears, and that the codes can be used once gradients are wanted again."""

    def heard(sample: Callable[..., Tensor]) -> dict[str, Any]:
        told: list[tuple[int, list[list[int]]]] = []
        codes = sample(
            model, TEXT.clone(), uniforms.clone(), temperature=0.5,
            callback=lambda position, codes: told.append((position, codes[:, : position + 1].tolist())),
        )  # fmt: skip
        table = torch.ones(17, 2, requires_grad=True)
        F.embedding(codes, table).sum().backward()
        return {"callback": told, "codes": codes}

    return scenario("what `callback` hears", "ce que reçoit `callback`", lambda: heard(_sampled), heard, 400)


class _Table:
    """A network of another kind: the next code's logits depend on the caption, the place and the code before. It notes what it is asked."""

    def __init__(self, seed: int):
        self.logits, self.asked = 2 * numbers(seed, 5, 6, 4, 5), list[Any]()

    def with_cache(self, text: Tensor) -> Any:
        """Itself, which knows the captions."""
        self.asked.append(("with_cache", text.tolist()))
        return _Reader(self, text)

    def next_logits(self, text: Tensor, written: Tensor) -> Tensor:
        """The logits after some codes."""
        self.asked.append(("next_logits", text.tolist(), written.tolist()))
        return self.after(text, written)

    def after(self, text: Tensor, written: Tensor) -> Tensor:
        """A row of the table for each picture."""
        last = written[:, -1] if written.shape[1] else torch.full((len(text),), 4)
        last = last.repeat(len(text) // len(last))
        return self.logits[text.sum(dim=1) % 5, written.shape[1] % 6].gather(1, (last % 4)[:, None, None].expand(-1, 1, 5)).squeeze(1)


class _Reader:
    """A table with its captions."""

    def __init__(self, table: _Table, text: Tensor):
        self.table, self.text = table, text

    def next_logits(self, position: int, written: Tensor) -> Tensor:
        """The logits of the code at `position`."""
        self.table.asked.append((position, written.tolist()))
        return self.table.after(self.text, written)


def _from_any_network(seed: int) -> list[Case]:
    """What a network that is no GPT is asked, with a cache and without, and the codes."""
    text, uniforms = torch.tensor([[1, 3], [2, 2], [4, 0]]), torch.rand(3, 5, generator=torch.Generator().manual_seed(seed + 3))

    def case(scale: float, cached: bool) -> Case:
        def ask(version: Callable[..., Tensor]) -> dict[str, Any]:
            table = _Table(seed)
            codes = lent(lambda *given: version(table, *given, scale, cached=cached), "text uniforms", text, uniforms)
            return {"codes": codes, say("asked", "demandes"): table.asked}

        def peer() -> dict[str, Any]:
            table, written, asked = _Table(seed), torch.zeros(3, 0, dtype=torch.long), list[Any]()
            empty, twice = torch.zeros_like(text), scale != 1
            both = torch.cat([text, empty]) if twice else text
            asked += [("with_cache", both.tolist())] if cached else []
            for position in range(5):
                rows = torch.cat([written, written]) if twice else written
                asked.append((position, written.tolist()) if cached else ("next_logits", both.tolist(), rows.tolist()))
                said, unsaid = table.after(text, written), table.after(empty, written)
                chosen = chosen_of(unsaid + scale * (said - unsaid), uniforms[:, position])
                written = torch.cat([written, chosen[:, None]], dim=1)
            return {"codes": written, say("asked", "demandes"): asked}

        en, fr = f"another network, guidance_scale={scale}, cached={cached}", f"un autre réseau, guidance_scale={scale}, cached={cached}"
        return scenario(en, fr, peer, ask, 300)

    return [case(1.0, True), case(3.0, True), case(1.0, False), case(3.0, False)]


REFERENCES = [
    Reference(
        "gpt:sample_codes",
        say("transformers GPT2Model, one token at a time without cache", "transformers GPT2Model, un jeton à la fois sans cache"),
        cases=_sampler,
        tolerance=0.0,
    ),
]
