"""The transformer against PyTorch's layers."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.classroom.checking.asking import DOUBLE, asked, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference


def _positions(seed: int) -> list[Case]:
    def peer(length: int, width: int) -> Tensor:
        from diffusers.models.embeddings import SinusoidalPositionalEmbedding

        return cast("Tensor", SinusoidalPositionalEmbedding(width, length).pe)[0]

    return [call(peer, length, width) for length, width in ((1, 2), (3, 2), (2, 6), (50, 8))]


def _norms(seed: int, count: int, width: int) -> list[Tensor]:
    return [1 + 0.3 * numbers(seed + place, width) for place in range(count)]


def _peer_layer(kind: Any, width: int, heads: int, weights: dict[str, Tensor]) -> Any:
    """PyTorch's layer with these weights; `train` without dropout keeps it from its fused path, which skips padding."""
    peer = kind(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, bias=False, dtype=DOUBLE
    ).train()
    with torch.no_grad():
        for name, value in weights.items():
            dict(peer.named_parameters())[name].copy_(value)
    return peer


_NAMES = {  # of PyTorch's layer, and ours
    "self_attn.in_proj_weight": "attention.qkv.weight",
    "self_attn.out_proj.weight": "attention.out.weight",
    "linear1.weight": "expand.weight",
    "linear2.weight": "contract.weight",
    "norm1.weight": "norm_1.weight",
    "norm2.weight": "norm_2.weight",
    "norm3.weight": "norm_3.weight",
}


def _with_weights(layer: Any, weights: dict[str, Tensor], width: int) -> Any:
    ours = {_NAMES[name]: value for name, value in weights.items() if name in _NAMES}
    if "multihead_attn.in_proj_weight" in weights:
        query, key_value = weights["multihead_attn.in_proj_weight"].split((width, 2 * width))
        ours |= {"cross_attention.query.weight": query, "cross_attention.key_value.weight": key_value}
        ours["cross_attention.out.weight"] = weights["multihead_attn.out_proj.weight"]
    layer = layer.double()
    with torch.no_grad():
        for name, value in ours.items():
            dict(layer.named_parameters())[name].copy_(value)
    return layer


def _drawn(width: int, seed: int, crossed: bool = False) -> dict[str, Tensor]:
    shapes = {
        "self_attn.in_proj_weight": (3 * width, width),
        "self_attn.out_proj.weight": (width, width),
        "linear1.weight": (4 * width, width),
        "linear2.weight": (width, 4 * width),
    }
    if crossed:
        shapes |= {"multihead_attn.in_proj_weight": (3 * width, width), "multihead_attn.out_proj.weight": (width, width)}
    weights = {name: numbers(seed + place, *shape) * 0.4 for place, (name, shape) in enumerate(shapes.items())}
    norms = _norms(seed + 20, 3 if crossed else 2, width)
    return weights | {f"norm{place + 1}.weight": value for place, value in enumerate(norms)}


def _blocks(width: int, heads: int, n: int, tokens: int, seed: int) -> list[Case]:
    """A layer of GPT in all the ways that it can be asked."""
    weights, x = _drawn(width, seed), numbers(seed + 40, n, tokens, width)
    visible = torch.arange(tokens) < torch.tensor([max(1, tokens - 2 * row) for row in range(n)])[:, None]
    size = f"{n} × {tokens} × {width}"

    def ask(version: Any, causal: bool, seen: Tensor | None = None, **options: Any) -> Tensor:
        layer = _with_weights(version(width, heads, causal), weights, width)
        return asked(lambda **arguments: layer(**arguments, **options), x=x, visible=seen).detach()

    def learned(layer: Any, **options: Any) -> Tensor:
        given = x.clone().requires_grad_()
        return torch.autograd.grad((layer(given, **options) * x.cos()).sum(), given)[0]

    def theirs(causal: bool, seen: Tensor | None = None) -> Tensor:
        peer = _peer_layer(nn.TransformerEncoderLayer, width, heads, weights)
        mask = torch.ones(tokens, tokens, dtype=torch.bool).triu(1) if causal else None
        return peer(x, src_mask=mask, src_key_padding_mask=None if seen is None else ~seen).detach()

    def looked(version: Any) -> list[Tensor]:
        maps: list[Tensor] = []
        ask(version, False, maps=maps)
        return [each.detach() for each in maps]

    def their_maps() -> list[Tensor]:
        peer = _peer_layer(nn.TransformerEncoderLayer, width, heads, weights)
        normed = peer.norm1(x)
        return [peer.self_attn(normed, normed, normed, average_attn_weights=False)[1].detach()]

    def by_steps(version: Any) -> Tensor:
        layer = _with_weights(version(width, heads), weights, width)
        cache, written = KeyValueCache(2, n, heads, tokens, width // heads, x.device, DOUBLE), []
        for part in x.split(1, dim=1):
            written.append(layer(part.clone(), cache, 1))
            layer(-part, cache, 0)  # what another layer keeps is its own
            cache.filled += 1
        return torch.cat(written, dim=1).detach()

    def case(en: str, fr: str, peer: Any, asked: Any, extra: int) -> Case:
        return scenario(f"{heads} heads, x of {size}, {en}", f"{heads} têtes, x de {size}, {fr}", peer, asked, x.numel() + extra)

    plain = [
        case("causal", "causal", lambda: theirs(True), lambda version: ask(version, True), 0),
        case("not causal", "non causal", lambda: theirs(False), lambda version: ask(version, False), 1),
    ]
    if tokens == 1:
        return plain
    return [
        *plain,
        case("`visible`", "`visible`", lambda: theirs(True, visible), lambda version: ask(version, True, visible), 2),
        case("what `maps` receives", "ce que reçoit `maps`", their_maps, looked, 3),
        case("token by token with `cache`, as layer 1", "jeton par jeton avec `cache`, comme couche 1", lambda: theirs(True), by_steps, 4),
        case(
            "the gradient",
            "le gradient",
            lambda: learned(_peer_layer(nn.TransformerEncoderLayer, width, heads, weights)),
            lambda version: learned(_with_weights(version(width, heads, False), weights, width)),
            5,
        ),
    ]


def _block(seed: int) -> list[Case]:
    shapes = ((2, 1, 1, 1), (4, 2, 1, 3), (16, 4, 2, 5))
    return [case for place, shape in enumerate(shapes) for case in _blocks(*shape, seed + 100 * place)]


def _cross_blocks(width: int, heads: int, n: int, tokens: int, keys: int, seed: int) -> list[Case]:
    weights, x, memory = _drawn(width, seed, crossed=True), numbers(seed + 40, n, tokens, width), numbers(seed + 41, n, keys, width)
    visible = torch.arange(keys) < torch.tensor([max(1, keys - 3 * row) for row in range(n)])[:, None]

    def ask(version: Any, causal: bool, *rest: Any) -> Tensor:
        return _with_weights(version(width, heads, causal), weights, width)(x.clone(), memory.clone(), *rest).detach()

    def theirs(causal: bool, seen: Tensor | None) -> Tensor:
        peer = _peer_layer(nn.TransformerDecoderLayer, width, heads, weights)
        mask = torch.ones(tokens, tokens, dtype=torch.bool).triu(1) if causal else None
        return peer(x, memory, tgt_mask=mask, memory_key_padding_mask=None if seen is None else ~seen).detach()

    def looked(version: Any) -> list[list[int]]:
        maps: list[Tensor] = []
        ask(version, True, visible, maps)
        return [list(each.shape) for each in maps]

    en, fr = f"{tokens} tokens, memory of {keys}", f"{tokens} jetons, mémoire de {keys}"
    weight = x.numel() + memory.numel()
    return [
        scenario(en, fr, lambda: theirs(True, None), lambda version: ask(version, True), weight),
        scenario(f"{en}, `visible`", f"{fr}, `visible`", lambda: theirs(True, visible), lambda v: ask(v, True, visible), weight + 1),
        scenario(f"{en}, not causal", f"{fr}, non causal", lambda: theirs(False, None), lambda v: ask(v, False), weight + 2),
        scenario(f"{en}, shapes in `maps`", f"{fr}, formes dans `maps`", lambda: [[n, heads, tokens, keys]], looked, weight + 3),
    ]


def _cross_block(seed: int) -> list[Case]:
    return [*_cross_blocks(2, 1, 1, 1, 2, seed), *_cross_blocks(16, 4, 2, 5, 7, seed + 100)]


REFERENCES = [
    Reference("transformer:sinusoidal_positions", "diffusers SinusoidalPositionalEmbedding", cases=_positions, tolerance=1e-5),
    Reference("transformer:Block", "torch.nn.TransformerEncoderLayer", cases=_block, tolerance=1e-10),
    Reference("transformer:CrossBlock", "torch.nn.TransformerDecoderLayer", cases=_cross_block, tolerance=1e-10),
]
