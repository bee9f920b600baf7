"""Attention against PyTorch's."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.classroom.checking.asking import DOUBLE, asked, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference


def _attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The mixtures; the weights are the mixtures of values that tell keys apart."""
    apart = torch.eye(key.shape[-2], dtype=key.dtype).expand(*key.shape[:-1], key.shape[-2])
    mixed, weights = (F.scaled_dot_product_attention(query, key, each, attn_mask=mask) for each in (value, apart))
    return mixed, weights


def _or_nan(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """The same, with NaN for a query that may look nowhere, as the softmax of nothing but -∞ has it; the fused kernel gives 0."""
    sees = mask.any(dim=-1, keepdim=True)
    return tuple(each.where(sees, torch.nan) for each in _attended(query, key, value, mask))


def _scaled_dot_product(seed: int) -> list[Case]:
    one = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0], [0.0]])
    small = [each.double() for each in one]
    mask = torch.ones(5, 7, dtype=torch.bool).tril(2)
    batch = [3 * numbers(seed, 2, 3, 5, 8), numbers(seed + 1, 2, 3, 7, 8), numbers(seed + 2, 2, 3, 7, 4)]
    learned = [numbers(seed + 3, 4, 6, gradient=True), numbers(seed + 4, 3, 6, gradient=True), numbers(seed + 5, 3, 2, gradient=True)]
    large = [1000 * small[0], small[1], small[2]]
    nowhere = torch.tensor([[True, False], [False, False]])
    twice = [small[0].expand(2, 2), *small[1:]]
    padding = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])[:, None, None]
    return [
        call(_attended, *small),
        call(_attended, *small, torch.tensor([[True, False]])),
        call(_or_nan, *twice, nowhere),
        call(_attended, *large),
        call(_attended, *batch),
        call(_attended, *batch, mask),
        call(_attended, *batch, mask=padding),
        call(_attended, *learned),
    ]


def _causal_mask(seed: int) -> list[Case]:
    def peer(queries: int, keys: int, device: Any = None) -> Tensor:
        return ~nn.Transformer.generate_square_subsequent_mask(keys).bool()[keys - queries :]

    sizes = [(1, 1), (2, 2), (3, 3), (1, 3), (2, 3), (2, 6), (6, 6)] + [(2 + (seed + place) % 7, 9 + (seed // 7) % 5) for place in range(3)]
    elsewhere = torch.device("meta")  # a device that is never the default one
    on_it = scenario(
        'device = torch.device("meta")',
        'device = torch.device("meta")',
        lambda: str(elsewhere),
        lambda version: str(version(2, 3, device=elsewhere).device),
    )
    return [*(call(peer, queries, keys) for queries, keys in sizes), on_it]


# ---------------------------------------------------------------- layers


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"


def _layer(version: Any, heads: int, drawn: Sequence[Tensor]) -> Any:
    """A version's layer of self-attention with these weights: of queries, keys and values, and of the projection."""
    made = version(drawn[1].shape[0], heads).double()
    with torch.no_grad():
        made.qkv.weight.copy_(drawn[0])
        made.out.weight.copy_(drawn[1])
    return made


def _peer(heads: int, drawn: Sequence[Tensor]) -> nn.MultiheadAttention:
    """PyTorch's layer with the same weights."""
    peer = nn.MultiheadAttention(drawn[1].shape[0], heads, bias=False, batch_first=True).double()
    with torch.no_grad():
        peer.in_proj_weight.copy_(drawn[0])
        peer.out_proj.weight.copy_(drawn[1])
    return peer


def _self_attention(width: int, heads: int, n: int, tokens: int, seed: int) -> list[Case]:
    """What a layer of self-attention makes of some sequences, in all the ways that it can be asked."""
    drawn = [numbers(seed, 3 * width, width) * 0.5, numbers(seed + 1, width, width) * 0.5]
    x, ahead = numbers(seed + 2, n, tokens, width), torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    visible = torch.arange(tokens) < torch.tensor([max(1, tokens - 2 * row) for row in range(n)])[:, None]
    size = f"{n} × {tokens} × {width}"

    def theirs(given: Tensor, causal: bool, padding: Tensor | None = None) -> tuple[Tensor, Tensor]:
        peer = _peer(heads, drawn)
        hidden = None if padding is None else ~padding
        mixed, weights = peer(given, given, given, attn_mask=ahead if causal else None, key_padding_mask=hidden, average_attn_weights=False)
        return mixed, weights

    def case(en: str, fr: str, ask: Callable[[Any], Any], peer: Callable[[], Any], extra: int = 0) -> Case:
        return scenario(
            f"{_counted(heads, 'head')}, x of {size}, {en}",
            f"{_counted(heads, 'tête')}, x de {size}, {fr}",
            peer,
            lambda version: ask(_layer(version, heads, drawn)),
            x.numel() + extra,
        )

    def by_steps(sizes: Sequence[int], number: int) -> Callable[[Any], Tensor]:
        def ask(made: Any) -> Tensor:
            cache, written = KeyValueCache(number + 1, n, heads, tokens, width // heads, x.device, DOUBLE), []
            for part in x.split(list(sizes), dim=1):
                written.append(made(part.clone(), cache=cache, layer=number))
                for other in range(number):  # what another layer keeps is its own
                    made(-part, cache=cache, layer=other)
                cache.filled += part.shape[1]
            return torch.cat(written, dim=1).detach()

        return ask

    def with_gradient(apply: Callable[[Tensor], Tensor]) -> Tensor:
        given = x.clone().requires_grad_()
        answer = apply(given)
        return torch.autograd.grad((answer * torch.linspace(0.5, 1.5, answer.numel()).double().view(answer.shape)).sum(), given)[0]

    def looked(made: Any) -> list[Tensor]:
        maps: list[Tensor] = []
        made(x.clone(), maps=maps)
        return [each.detach() for each in maps]

    plain = [
        case("causal=False", "causal=False", lambda made: asked(made, x=x, causal=False).detach(), lambda: theirs(x, False)[0].detach()),
        case("causal=True", "causal=True", lambda made: asked(made, x=x).detach(), lambda: theirs(x, True)[0].detach(), 1),
    ]
    if tokens == 1:
        return plain
    return [
        *plain,
        case(
            "causal=False and `visible`", "causal=False et `visible`",
            lambda made: asked(made, x=x, causal=False, visible=visible).detach(), lambda: theirs(x, False, visible)[0].detach(), 2,
        ),
        case(
            "causal=True and `visible`", "causal=True et `visible`",
            lambda made: asked(made, x=x, visible=visible).detach(), lambda: theirs(x, True, visible)[0].detach(), 3,
        ),
        case("what `maps` receives", "ce que reçoit `maps`", looked, lambda: [theirs(x, True)[1].detach()], 4),
        case(
            "token by token with `cache`", "jeton par jeton avec `cache`",
            by_steps([1] * tokens, 0), lambda: theirs(x, True)[0].detach(), 5,
        ),
        case(
            "in two parts with `cache`, as layer 1", "en deux parts avec `cache`, comme couche 1",
            by_steps([tokens - 2, 2], 1), lambda: theirs(x, True)[0].detach(), 6,
        ),
        case("the gradient", "le gradient", with_gradient, lambda: with_gradient(lambda given: theirs(given, True)[0]), 7),
    ]  # fmt: skip


def _multi_head(seed: int) -> list[Case]:
    shapes = ((2, 1, 1, 1), (4, 2, 1, 3), (12, 3, 2, 5), (8, 4, 3, 4))
    return [case for place, shape in enumerate(shapes) for case in _self_attention(*shape, seed + 10 * place)]


def _cross_attention(seed: int) -> list[Case]:
    def cases(width: int, heads: int, memory_width: int | None, n: int, tokens: int, keys: int, seed: int) -> list[Case]:
        wide = memory_width or width
        x, memory = 3 * numbers(seed, n, tokens, width), 3 * numbers(seed + 1, n, keys, wide)
        drawn = [numbers(seed + 2 + place, *shape) * 0.5 for place, shape in enumerate([(width, width), (2 * width, wide), (width, width)])]
        visible = torch.arange(keys) < torch.tensor([max(1, keys - 2 * row) for row in range(n)])[:, None]

        def ask(version: Any, seen: Tensor | None, maps: list[Tensor] | None) -> Tensor:
            layer = (version(width, heads, memory_width) if memory_width else version(width, heads)).double()
            with torch.no_grad():
                for linear, weight in zip((layer.query, layer.key_value, layer.out), drawn, strict=True):
                    linear.weight.copy_(weight)
            return layer(x.clone(), memory.clone(), seen, maps).detach()

        def theirs(seen: Tensor | None) -> tuple[Tensor, Tensor]:
            peer: Any = nn.MultiheadAttention(width, heads, bias=False, kdim=wide, vdim=wide, batch_first=True).double()
            with torch.no_grad():
                key, value = drawn[1].chunk(2)
                if wide == width:
                    peer.in_proj_weight.copy_(torch.cat([drawn[0], key, value]))
                else:
                    for name, weight in (("q", drawn[0]), ("k", key), ("v", value)):
                        getattr(peer, f"{name}_proj_weight").copy_(weight)
                peer.out_proj.weight.copy_(drawn[2])
            return peer(x, memory, memory, key_padding_mask=None if seen is None else ~seen, average_attn_weights=False)

        def looked(version: Any) -> list[Tensor]:
            maps: list[Tensor] = []
            ask(version, visible, maps)
            return maps

        size, weight = f"{heads} × {tokens} × {keys}", x.numel() + memory.numel()
        en, fr = f"heads, tokens, memory: {size}", f"têtes, jetons, mémoire : {size}"
        return [
            scenario(en, fr, lambda: theirs(None)[0].detach(), lambda version: ask(version, None, None), weight),
            scenario(
                f"{en}, `visible`", f"{fr}, `visible`", lambda: theirs(visible)[0].detach(), lambda v: ask(v, visible, None), weight + 1
            ),
            scenario(f"{en}, `maps`", f"{fr}, `maps`", lambda: [theirs(visible)[1].detach()], looked, weight + 2),
        ]

    return [*cases(2, 1, None, 1, 1, 2, seed), *cases(12, 3, 10, 2, 6, 5, seed + 10), *cases(8, 4, None, 2, 3, 4, seed + 20)]


# ---------------------------------------------------------------- half of the heads back, the others ahead


def _directions(heads: int, tokens: int) -> Tensor:
    """Who may look where, from the upper and lower triangles of NumPy's matrices."""
    every = np.ones((tokens, tokens), dtype=bool)
    return torch.from_numpy(np.stack([np.tril(every) if 2 * head < heads else np.triu(every) for head in range(heads)]))


def _directed_mask(seed: int) -> list[Case]:
    def peer(heads: int, tokens: int, device: Any = None) -> Tensor:
        return _directions(heads, tokens)

    sizes = [(2, 2), (2, 1), (1, 3), (4, 3), (3, 4), (5, 2), (8, 6), (2 + seed % 5, 3 + seed // 5 % 6)]
    elsewhere = torch.device("meta")
    on_it = scenario(
        'device = torch.device("meta")', 'device = torch.device("meta")',
        lambda: str(elsewhere), lambda version: str(version(2, 3, device=elsewhere).device),
    )  # fmt: skip
    return [*(call(peer, *each) for each in sizes), on_it]


def _directed(seed: int) -> list[Case]:
    """A layer whose heads have directions; a padding token, which nothing else looks at, looks at itself."""

    def cases(width: int, heads: int, n: int, tokens: int, seed: int) -> list[Case]:
        drawn = [numbers(seed, 3 * width, width) * 0.5, numbers(seed + 1, width, width) * 0.5]
        x, size = numbers(seed + 2, n, tokens, width), f"{n} × {tokens} × {width}"
        visible = torch.arange(tokens) < torch.tensor([max(1, tokens - 2 * row) for row in range(n)])[:, None]

        def theirs(given: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
            peer = _peer(heads, drawn)
            allowed = _directions(heads, tokens).expand(n, -1, -1, -1)
            if seen is not None:
                allowed = (allowed & seen[:, None, None, :]) | torch.eye(tokens, dtype=torch.bool)
            return peer(given, given, given, attn_mask=~allowed.flatten(0, 1), average_attn_weights=False)

        def slopes(apply: Callable[[Tensor], Tensor]) -> Any:
            given = x.clone().requires_grad_()
            return with_gradients(apply(given), [given])

        def looked(version: Any) -> list[Tensor]:
            maps: list[Tensor] = []
            _layer(version, heads, drawn)(x.clone(), maps=maps)
            return [each.detach() for each in maps]

        def case(en: str, fr: str, peer: Callable[[], Any], ask: Callable[[Any], Any], extra: int) -> Case:
            return scenario(
                f"{_counted(heads, 'head')}, x of {size}{en}", f"{_counted(heads, 'tête')}, x de {size}{fr}", peer, ask, x.numel() + extra
            )

        return [
            case("", "", lambda: theirs(x, None)[0].detach(), lambda version: asked(_layer(version, heads, drawn), x=x).detach(), 0),
            case(
                ", `visible`", ", `visible`", lambda: theirs(x, visible)[0].detach(),
                lambda version: asked(_layer(version, heads, drawn), x=x, visible=visible).detach(), 1,
            ),
            case(", what `maps` receives", ", ce que reçoit `maps`", lambda: [theirs(x, None)[1].detach()], looked, 2),
            case(
                ", the gradient", ", le gradient", lambda: slopes(lambda given: theirs(given, None)[0]),
                lambda version: slopes(_layer(version, heads, drawn)), 3,
            ),
        ]  # fmt: skip

    return [
        case
        for place, shape in enumerate(((2, 1, 1, 2), (4, 2, 1, 3), (12, 3, 2, 5), (8, 4, 3, 4)))
        for case in cases(*shape, seed + 10 * place)
    ]


REFERENCES = [
    Reference(
        "attention:scaled_dot_product",
        "torch.nn.functional.scaled_dot_product_attention",
        cases=_scaled_dot_product,
        tolerance=1e-10,
    ),
    Reference("attention:causal_mask", "torch.nn.Transformer.generate_square_subsequent_mask", cases=_causal_mask, tolerance=0.0),
    Reference("attention:MultiHeadAttention", "torch.nn.MultiheadAttention", cases=_multi_head, tolerance=1e-10),
    Reference("attention:CrossAttention", "torch.nn.MultiheadAttention", cases=_cross_attention, tolerance=1e-10),
    Reference("attention:directed_mask", "numpy.tril, numpy.triu", cases=_directed_mask, tolerance=0.0),
    Reference("attention:DirectedAttention", "torch.nn.MultiheadAttention", cases=_directed, tolerance=1e-10),
]
