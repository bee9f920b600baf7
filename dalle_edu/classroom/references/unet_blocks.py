"""The blocks of a U-Net against diffusers' and PyTorch's."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from dalle_edu.bricks.unet_blocks import GroupNormBlock, Middle
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.recurrent import drawn_weights, with_weights
from dalle_edu.classroom.references.unet import Weights, positions, torch_middle
from dalle_edu.language import say


def _sinusoidal_embedding(seed: int) -> list[Case]:
    def peer(time: Tensor, width: int, max_period: float = 10_000.0) -> Tensor:
        from diffusers.models.embeddings import get_timestep_embedding

        return get_timestep_embedding(time, width, max_period=int(max_period))

    several = torch.tensor([0.0, 0.5, 1.0, 37.25, 60.0])
    drawn = 50 * torch.rand(7, generator=torch.Generator().manual_seed(seed))
    dtypes = {"int64": "float32", "float32": "float32", "float64": "float64"}
    return [
        call(peer, torch.tensor([0.0]), 4),
        call(peer, torch.tensor([1.0]), 4),
        call(peer, torch.tensor([2.0, 999.0]), 4),
        call(peer, torch.tensor([3.0, 0.25]), 6, 100.0),
        call(peer, torch.tensor([0, 7, 30]), 6),
        *(call(peer, several, width) for width in (10, 64)),
        call(peer, drawn, 12),
        call(peer, drawn, 32, max_period=500.0),
        scenario(
            "times in int64, float32, float64 (the dtype of the answer)",
            "des temps en int64, float32, float64 (le dtype de la réponse)",
            lambda: [f"torch.{dtype}" for dtype in dtypes.values()],
            lambda version: [str(version(torch.tensor([3]).to(getattr(torch, dtype)), 4).dtype) for dtype in dtypes],
        ),
    ]


def _diffusers_block(channels: int, width: int, groups: int, e: int, weights: Weights) -> Any:
    from diffusers.models.resnet import ResnetBlock2D

    theirs: Any = ResnetBlock2D(
        in_channels=channels,
        out_channels=width,
        temb_channels=e or None,  # type: ignore[arg-type]
        groups=groups,
        eps=1e-5,
        time_embedding_norm="scale_shift" if e else "default",
    )
    pairs = {"norm_1": "norm1", "look_1": "conv1", "norm_2": "norm2", "look_2": "conv2"}
    pairs |= {"scale_shift": "time_emb_proj", "shortcut": "conv_shortcut"}
    return with_weights(theirs, {f"{pairs[name.split('.')[0]]}.{name.split('.')[1]}": value for name, value in weights.items()})


def _residual(sizes: tuple[int, int, int | None, int], shape: tuple[int, int, int], seed: int) -> list[Case]:
    """A block with some condition or without; no number of groups means that it is left out, which makes 8."""
    (channels, width, groups, e), (n, h, w) = sizes, shape
    options: dict[str, int] = ({} if groups is None else {"groups": groups}) | ({"condition_width": e} if e else {})
    weights = drawn_weights(GroupNormBlock(channels, width, **options), seed, 0.2)
    x, condition = 2 * numbers(seed + 50, n, channels, h, w), [numbers(seed + 51, n, e)] if e else []
    names = "x condition" if e else "x"

    def ask(version: Callable[..., Any]) -> Tensor:
        return lent(with_weights(version(channels, width, **options), weights), names, x, *condition).detach()

    def learned(version: Callable[..., Any]) -> dict[str, Any]:
        return slopes_of(with_weights(version(channels, width, **options), weights))

    def slopes_of(block: Any) -> dict[str, Any]:
        given = [each.clone().requires_grad_() for each in (x, *condition)]
        return with_gradients(block(given[0], given[1] if e else None), given)

    def fresh(version: Callable[..., Any]) -> Tensor:
        block = version(channels, width, **options).double()
        short = block.shortcut(x) if width != channels else x
        return (block(x.clone(), *(each.clone() for each in condition)) - short).detach()

    def peer() -> Any:
        return _diffusers_block(channels, width, groups or 8, e, weights)

    told = ", ".join(f"{name} {value}" for name, value in options.items())
    title = ", ".join(part for part in (f"{channels} → {width}", told, f"x {n} × {channels} × {h} × {w}") if part)
    weight = x.numel()
    return [
        scenario(title, title, lambda: peer()(x, *(condition or cast("Any", [None]))).detach(), ask, weight),
        scenario(f"{title}: gradients", f"{title} : gradients", lambda: slopes_of(peer()), learned, weight + 1),
        scenario(
            f"{title}: what a new block adds to its shortcut",
            f"{title} : ce qu'un bloc neuf ajoute à son raccourci",
            lambda: torch.zeros(n, width, h, w, dtype=x.dtype),
            fresh,
            weight + 2,
        ),
    ]


def _group_norm_block(seed: int) -> list[Case]:
    asked: list[tuple[tuple[int, int, int | None, int], tuple[int, int, int]]] = [
        ((2, 2, 1, 0), (1, 1, 2)),
        ((2, 2, 2, 1), (1, 2, 2)),
        ((8, 8, 4, 6), (2, 6, 4)),
        ((8, 12, 4, 6), (2, 6, 4)),
        ((8, 12, 4, 0), (2, 6, 4)),
        ((16, 8, None, 3), (1, 3, 5)),
        ((8, 16, None, 0), (3, 2, 3)),
    ]
    return [case for place, each in enumerate(asked) for case in _residual(*each, seed + 100 * place)]


def _bottoms(width: int, depth: int, heads: int, text_width: int, shape: tuple[int, int, int], seed: int) -> list[Case]:
    """A transformer on a grid, with words or without."""
    (n, h, w), options = shape, {"text_width": text_width} if text_width else {}
    weights = drawn_weights(Middle(width, depth, heads, text_width), seed, 0.2)
    x, text = numbers(seed + 70, n, width, h, w), numbers(seed + 71, n, 5, text_width or 1)
    mask = torch.arange(5) < torch.tensor([5, 2, 3])[:n, None]

    def layer(version: Callable[..., Any]) -> Any:
        return with_weights(version(width, depth, heads, **options), weights)

    def case(en: str, fr: str, extra: int, *words: Tensor) -> Case:
        def ask(version: Callable[..., Any]) -> Tensor:
            return lent(layer(version), " ".join(("x", "text", "mask")[: 1 + len(words)]), x, *words).detach()

        title = f"{depth} × {width}, {heads} {{}}, x {n} × {width} × {h} × {w}"
        en, fr = f"{title.format('heads')}{en}", f"{title.format('têtes')}{fr}"
        return scenario(en, fr, lambda: torch_middle(x, heads, weights, *words).detach(), ask, x.numel() + extra)

    def learned(version: Callable[..., Any]) -> dict[str, Any]:
        made = layer(version)
        return slopes_of(lambda given, *words: made(given, *words))

    def slopes_of(apply: Callable[..., Tensor]) -> dict[str, Any]:
        given = [each.clone().requires_grad_() for each in ((x, text) if text_width else (x,))]
        return with_gradients(apply(*given, *([mask] if text_width else [])), given)

    def fresh(version: Callable[..., Any]) -> Tensor:
        words = [text.clone(), mask.clone()] if text_width else []
        return (version(width, depth, heads, **options).double()(x.clone(), *words) - x).detach()

    def their_positions() -> Tensor:
        return positions(h, w, width).T.unflatten(1, (h, w)).expand(n, -1, -1, -1)

    title = f"{depth} × {width}, {n} × {h} × {w}"
    return [
        *(
            [case(", text", ", text", 0, text), case(", text, mask", ", text, mask", 1, text, mask)]
            if text_width
            else [case(", no words", ", sans mots", 0)]
        ),
        scenario(
            f"{title}: gradients", f"{title} : gradients",
            lambda: slopes_of(lambda given, *words: torch_middle(given, heads, weights, *words)), learned, x.numel() + 2,
        ),
        scenario(f"{title}: what a new one adds", f"{title} : ce qu'un neuf ajoute", their_positions, fresh, x.numel() + 3),
    ]  # fmt: skip


def _middle(seed: int) -> list[Case]:
    return [
        *_bottoms(4, 1, 1, 0, (1, 1, 2), seed),
        *_bottoms(4, 1, 1, 3, (1, 2, 1), seed + 100),
        *_bottoms(16, 2, 4, 8, (2, 3, 4), seed + 200),
        *_bottoms(16, 2, 4, 0, (2, 3, 4), seed + 300),
        *_bottoms(8, 3, 2, 8, (3, 4, 2), seed + 400),
    ]


REFERENCES = [
    Reference(
        "unet_blocks:Middle",
        say("torch.nn.TransformerDecoderLayer and TransformerEncoderLayer", "torch.nn.TransformerDecoderLayer et TransformerEncoderLayer"),
        cases=_middle,
        tolerance=1e-6,
    ),
    Reference("unet_blocks:sinusoidal_embedding", "diffusers.models.embeddings.get_timestep_embedding", cases=_sinusoidal_embedding),
    Reference("unet_blocks:GroupNormBlock", "diffusers.models.resnet.ResnetBlock2D", cases=_group_norm_block, tolerance=1e-10),
]
