"""Attention and translation against the same built from PyTorch's own modules."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.language_model import END, PAD, START
from dalle_edu.bricks.recurrent import Cell, GRUCell, LSTMCell, RNNCell
from dalle_edu.bricks.seq2seq import (
    AdditiveAttention,
    Attention,
    DotAttention,
    GeneralAttention,
    NoAttention,
    Seq2Seq,
)
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients, written
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.recurrent import drawn_weights, layer_of, packed, part_of, with_weights
from dalle_edu.language import say

Mixing = Callable[[Mapping[str, Tensor], Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

# ---------------------------------------------------------------- attention


def _dot(weights: Mapping[str, Tensor], query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Handed the identity as values, PyTorch's kernel gives its weights away."""
    apart = torch.eye(memory.shape[1], dtype=memory.dtype).expand(len(memory), -1, -1)
    seen = mask[:, None].expand(-1, query.shape[1], -1)
    mixed, shares = (F.scaled_dot_product_attention(query, memory, each, attn_mask=seen, scale=1.0) for each in (memory, apart))
    return mixed, shares


def _pair_by_pair(judge: Callable[[Mapping[str, Tensor]], Callable[[Tensor, Tensor], Tensor]]) -> Mixing:
    """Each sentence alone, without its padding; each pair of a query and a memory judged by itself."""

    def mix(weights: Mapping[str, Tensor], query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        score, shares, mixed = judge(weights), [], []
        for asked, remembered, real in zip(query, memory, mask, strict=True):
            kept = remembered[real]
            for each in asked:
                share = score(each.expand(len(kept), -1), kept).flatten().softmax(dim=0)
                shares.append(torch.zeros(len(real), dtype=share.dtype).masked_scatter(real, share))
                mixed.append(torch.einsum("k,km->m", share, kept))
        shape = query.shape[:2]
        return torch.stack(mixed).unflatten(0, shape), torch.stack(shares).unflatten(0, shape)

    return mix


def _bilinear(weights: Mapping[str, Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda query, memory: F.bilinear(query, memory, weights["key.weight"].unsqueeze(0))


def _concatenated(weights: Mapping[str, Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """W q + U k is one linear map of q and k side by side."""
    joint = torch.cat([weights["query.weight"], weights["key.weight"]], dim=1)
    return lambda query, memory: F.linear(F.linear(torch.cat([query, memory], dim=-1), joint).tanh(), weights["value.weight"])


def _none(weights: Mapping[str, Tensor], query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """PyTorch's dropout with a probability of 1 leaves nothing, of equal shares or of their means."""
    shares = F.dropout(torch.ones(*query.shape[:2], memory.shape[1], dtype=memory.dtype), p=1.0)
    return F.dropout(memory.mean(dim=1, keepdim=True).expand(-1, query.shape[1], -1), p=1.0), shares


_MIXINGS: dict[type[Attention], Mixing] = {
    NoAttention: _none,
    DotAttention: _dot,
    GeneralAttention: _pair_by_pair(_bilinear),
    AdditiveAttention: _pair_by_pair(_concatenated),
}


def _looks(kind: type[Attention], weights: Mapping[str, Tensor], query: Tensor, memory: Tensor, mask: Tensor) -> list[Case]:
    """What attention makes of queries and a memory: means and weights, and their gradients."""
    sizes, mixing = (query.shape[-1], memory.shape[-1]), _MIXINGS[kind]

    def ask(version: Callable[..., Any]) -> dict[str, Tensor]:
        answer = lent(with_weights(version(*sizes), weights), "query memory mask", query, memory, mask)
        return told(*answer)

    def told(mixed: Tensor, shares: Tensor) -> dict[str, Tensor]:
        return {say("weights", "poids"): shares.detach(), say("means", "moyennes"): mixed.detach()}

    def learned(version: Callable[..., Any]) -> dict[str, Any]:
        made, given = with_weights(version(*sizes), weights), [each.clone().requires_grad_() for each in (query, memory)]
        return with_gradients(tuple(made(*given, mask.clone())), [*given, *(made.get_parameter(name) for name in weights)])

    def their_slopes() -> dict[str, Any]:
        own, given = {name: value.clone().requires_grad_() for name, value in weights.items()}, [query.clone(), memory.clone()]
        given = [each.requires_grad_() for each in given]
        return with_gradients(mixing(own, given[0], given[1], mask), [*given, *own.values()])

    title = ", ".join(f"{name} = {written(value)}" for name, value in (("query", query), ("memory", memory), ("mask", mask)))
    weight = query.numel() + memory.numel()
    return [
        scenario(title, title, lambda: told(*mixing(weights, query, memory, mask)), ask, weight),
        scenario(f"{title}: the gradients", f"{title} : les gradients", their_slopes, learned, weight + 1),
    ]


def _steep(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights that make large scores, of large queries and memories, even through tanh."""
    return {name: 4000 * value if name == "value.weight" else value for name, value in weights.items()}


def _attention(kind: type[Attention]) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        small, wide = (1, 1) if kind is DotAttention else (1, 2), (5, 5) if kind is DotAttention else (5, 3)
        every, last, ends = torch.ones(1, 2).bool(), torch.tensor([[False, True]]), torch.arange(6) < torch.tensor([[6], [4], [1]])
        holes = torch.tensor([[True, False, True, True], [False, False, True, False]])
        asked = [
            (small, (1, 1, 2), every, 1.0),
            (small, (1, 2, 2), every, 1.0),
            (small, (1, 1, 2), last, 1.0),
            (wide, (3, 4, 6), ends, 2.0),
            (wide, (2, 3, 4), holes, 1.0),
            (wide, (2, 1, 4), holes, 1.0),
            (wide[::-1], (2, 5, 4), holes, 1.0),
            (wide, (3, 4, 6), ends, 60.0),
        ]
        found = []
        for place, (sizes, (n, q, k), mask, scale) in enumerate(asked):
            drawn = drawn_weights(kind(*sizes), seed + 10 * place)
            weights = _steep(drawn) if scale > 2 else drawn
            query, memory = (
                scale * numbers(seed + 10 * place + part, *shape) for part, shape in ((5, (n, q, sizes[0])), (6, (n, k, sizes[1])))
            )
            found += _looks(kind, weights, query, memory, mask)
        weights = _steep(drawn_weights(kind(*wide), seed + 90))
        query, memory = numbers(seed + 95, 3, 4, wide[0]), numbers(seed + 96, 3, 6, wide[1]).where(ends.unsqueeze(-1), 1e4)
        return [*found, *_looks(kind, weights, query, memory, ends)]

    return cases


# ---------------------------------------------------------------- translation


class _Peer:
    """A translator of PyTorch's layers on packed sentences."""

    def __init__(self, weights: Mapping[str, Tensor], attention: type[Attention], cell: type[Cell]):
        self.weights, self.mixing, self.cell = weights, _MIXINGS[attention], cell
        self.reader = _functional(layer_of, cell, part_of(weights, "forwards"), part_of(weights, "backwards"))
        self.writer = _functional(layer_of, cell, part_of(weights, "writer"))

    def read(self, source: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The memory, zero at padding, and the parts of the state of its end."""
        words = F.embedding(source, self.weights["source_embedding.weight"])
        outputs, ends = self.reader(packed(words, source != PAD))
        memory = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=source.shape[1])[0]
        parts = ends if isinstance(ends, tuple) else (ends,)
        return memory, tuple(torch.cat([part[0], part[1]], dim=-1) for part in parts)

    def logits(self, source: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of the words that follow those shown, and the attention's weights."""
        memory, ends = self.read(source)
        state = tuple(part.unsqueeze(0) for part in ends)
        outputs, _ = self.writer(F.embedding(shown, self.weights["target_embedding.weight"]), state if self.cell is LSTMCell else state[0])
        context, shares = self.mixing(part_of(self.weights, "attention"), outputs, memory, source != PAD)
        combined = self._linear("combine", torch.cat([context, outputs], dim=-1)).tanh()
        return self._linear("head", combined), shares

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def translate(self, source: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The likeliest word at each step, every sentence read anew and as if alone."""
        written, shares = torch.full((len(source), 1), START), torch.zeros(len(source), 0, source.shape[1], dtype=torch.float64)
        while written.shape[1] <= length and not (written == END).any(dim=1).all():
            ended = (written == END).any(dim=1)
            logits, shares = self.logits(source, written)
            written = torch.cat([written, logits[:, -1:].argmax(dim=-1).where(~ended[:, None], PAD)], dim=1)
        return written[:, 1:], shares


def _functional(build: Callable[..., nn.Module], *args: Any) -> Callable[..., Any]:
    """A layer that `build` makes of weights, applied so that their gradients come back to them."""
    layer = build(*args)
    own: dict[str, Tensor] = {}
    for suffix, weights in zip(("", "_reverse"), args[1:], strict=False):
        own |= {f"{name}_l0{suffix}": value for name, value in weights.items()}
    return functools.partial(_called, layer, own)


def _called(layer: nn.Module, own: dict[str, Tensor], *args: Any) -> Any:
    return torch.func.functional_call(layer, own, args)


def _with_ends(
    sizes: tuple[int, int, int, int], attention: type[Attention], cell: type[Cell], source: Tensor, seed: int
) -> dict[str, Tensor]:
    """Weights with which the translations of some sentences end, and not all at once."""
    for number in range(200):
        weights = drawn_weights(Seq2Seq(*sizes, attention, cell), seed + 1000 * number, 1.5)
        ends = (_Peer(weights, attention, cell).translate(source, 9)[0] == END).long()
        if ends.any(dim=1).all() and len(set(ends.argmax(dim=1).tolist())) > 1:
            break
    return weights


def _translations(
    attention: type[Attention] | None,
    cell: type[Cell] | None,
    sizes: tuple[int, int, int, int],
    source: Tensor,
    target: Tensor,
    seed: int,
    ends: bool = False,
) -> list[Case]:
    """What a translator reads, says, loses and translates, with some kind of attention and of cell, or with those that it has by itself."""
    chosen: dict[str, Any] = {name: value for name, value in (("attention", attention), ("cell", cell)) if value is not None}
    own_attention, own_cell = attention or AdditiveAttention, cell or GRUCell
    words, others, width, hidden = sizes
    weights = (
        _with_ends(sizes, own_attention, own_cell, source, seed)
        if ends
        else drawn_weights(Seq2Seq(*sizes, own_attention, own_cell), seed, 0.7)
    )

    def made(version: Callable[..., Any]) -> Any:
        return with_weights(version(words, others, width=width, hidden=hidden, **chosen), weights)

    def read(version: Callable[..., Any]) -> dict[str, Any]:
        memory, state = lent(made(version).encode, "source", source)
        parts = state if isinstance(state, tuple) else (state,)
        return of_memory(memory, parts)

    def of_memory(memory: Tensor, parts: tuple[Tensor, ...]) -> dict[str, Any]:
        seen = memory.detach().where((source != PAD).unsqueeze(-1), 0.0)
        return {say("state", "état"): [part.detach() for part in parts], say("memory", "mémoire"): seen}

    def said(version: Callable[..., Any]) -> dict[str, Tensor]:
        return of_logits(*lent(made(version), "source shown", source, target[:, :-1]))

    def of_logits(logits: Tensor, shares: Tensor) -> dict[str, Tensor]:
        return {"logits": logits.detach(), say("weights", "poids"): shares.detach()}

    def lost(version: Callable[..., Any]) -> dict[str, Any]:
        model = made(version)
        return with_gradients(lent(model.loss, "source target", source, target), [model.get_parameter(name) for name in weights])

    def their_loss() -> dict[str, Any]:
        own = {name: value.clone().requires_grad_() for name, value in weights.items()}
        logits = _Peer(own, own_attention, own_cell).logits(source, target[:, :-1])[0]
        return with_gradients(F.cross_entropy(logits.transpose(1, 2), target[:, 1:], ignore_index=PAD), list(own.values()))

    def translated(length: int) -> Callable[[Any], dict[str, Any]]:
        def ask(version: Callable[..., Any]) -> dict[str, Any]:
            return of_translation(*lent(lambda given: made(version).translate(given, length), "source", source))

        return ask

    def of_translation(tokens: Tensor, shares: Tensor) -> dict[str, Any]:
        return {say("translation", "traduction"): tokens, say("weights", "poids"): shares.where((tokens != PAD).unsqueeze(-1), 0.0)}

    def peer() -> _Peer:
        return _Peer(weights, own_attention, own_cell)

    names = ", ".join(f"{name}={value.__name__}" for name, value in chosen.items())
    text = str(source.tolist()) if source.numel() < 5 else f"{len(source)} × {source.shape[1]}"
    title, weight = ", ".join(part for part in (f"source {text}", names) if part), source.numel() + target.numel()
    return [
        scenario(f"{title}: encode", f"{title} : encode", lambda: of_memory(*peer().read(source)), read, weight),
        scenario(f"{title}: logits", f"{title} : logits", lambda: of_logits(*peer().logits(source, target[:, :-1])), said, weight + 1),
        scenario(f"{title}: loss", f"{title} : perte", their_loss, lost, weight + 2),
        *(
            scenario(
                f"{title}: translate, length={length}",
                f"{title} : translate, length={length}",
                lambda length=length: of_translation(  # type: ignore[misc]
                    *peer().translate(source, length)
                ),
                translated(length),
                weight + 3,
            )
            for length in (1, 9)
        ),
    ]


def _translator(seed: int) -> list[Case]:
    """Sentences of different lengths in both languages, one and several, by each kind of cell and of attention."""
    source = torch.tensor([[1, 5, 3, 7, 8, 2], [1, 4, 4, 2, PAD, PAD], [1, PAD, PAD, PAD, PAD, PAD]])
    target = torch.tensor([[1, 7, 2, PAD], [1, 3, 4, 2], [1, 6, 2, PAD]])
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(3, 9, (2, 5), generator=generator) * (torch.arange(5) < torch.tensor([[3], [5]]))
    answers = torch.randint(3, 8, (2, 6), generator=generator) * (torch.arange(6) < torch.tensor([[6], [4]]))
    return [
        *_translations(DotAttention, None, (4, 5, 2, 2), torch.tensor([[1, 3]]), torch.tensor([[1, 4, 2]]), seed),
        *_translations(DotAttention, None, (9, 8, 3, 6), source, target, seed + 30),
        *_translations(None, None, (9, 8, 3, 6), source, target, seed + 60),
        *_translations(DotAttention, None, (9, 5, 3, 4), source, target.clamp(max=4), seed + 75, ends=True),
        *_translations(GeneralAttention, LSTMCell, (9, 8, 5, 4), drawn, answers, seed + 90),
        *_translations(DotAttention, RNNCell, (9, 8, 4, 8), drawn, answers, seed + 120),
    ]


REFERENCES = [
    Reference(
        "seq2seq:NoAttention",
        "torch.nn.functional.dropout(p=1)",
        cases=_attention(NoAttention),
        tolerance=1e-10,
    ),
    Reference(
        "seq2seq:DotAttention",
        "torch.nn.functional.scaled_dot_product_attention(scale=1)",
        cases=_attention(DotAttention),
        tolerance=1e-10,
    ),
    Reference(
        "seq2seq:GeneralAttention",
        say("torch.nn.Bilinear, pair by pair", "torch.nn.Bilinear, paire par paire"),
        cases=_attention(GeneralAttention),
        tolerance=1e-10,
    ),
    Reference(
        "seq2seq:AdditiveAttention",
        say("torch.nn.Linear and Tanh, pair by pair", "torch.nn.Linear et Tanh, paire par paire"),
        cases=_attention(AdditiveAttention),
        tolerance=1e-10,
    ),
    Reference(
        "seq2seq:Seq2Seq",
        say(
            "torch.nn.GRU on packed sentences, with PyTorch's attention and cross-entropy",
            "torch.nn.GRU sur des phrases compactées, avec l'attention et l'entropie croisée de PyTorch",
        ),
        cases=_translator,
        tolerance=1e-10,
    ),
]
