"""Attention against PyTorch's."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.proof import Reference, gap


def _inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 4))
    query, key, value = (torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes)
    return 3 * query, key, value


def _scaled_dot_product(version: Callable[..., Any]) -> float:
    query, key, value = _inputs()
    mask = torch.ones(5, 7, dtype=torch.bool).tril(2)
    found = [version(query, key, value), version(query, key, value, mask)]
    expected = [F.scaled_dot_product_attention(query, key, value, attn_mask=m) for m in (None, mask)]
    rows = max(gap(weights.sum(dim=-1), torch.ones(2, 3, 5)) for _, weights in found)
    return max(rows, *(gap(ours, theirs) for (ours, _), theirs in zip(found, expected, strict=True)))


def _causal_mask(version: Callable[..., Any]) -> float:
    expected = ~nn.Transformer.generate_square_subsequent_mask(6).bool()
    return max(gap(version(6, 6), expected), gap(version(2, 6), expected[-2:]))


def _multi_head(version: Callable[..., Any]) -> float:
    torch.manual_seed(0)
    ours, theirs = version(12, 3).double(), nn.MultiheadAttention(12, 3, bias=False, batch_first=True).double()
    ours.qkv.weight.data, ours.out.weight.data = theirs.in_proj_weight.data, theirs.out_proj.weight.data
    x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    blocked = torch.ones(5, 5, dtype=torch.bool).triu(1)
    differences = []
    for causal in (False, True):
        expected, _ = theirs(x, x, x, attn_mask=blocked if causal else None, need_weights=False)
        differences.append(gap(ours(x, causal=causal), expected))
    return max(differences)


def _cross_attention(version: Callable[..., Any]) -> float:
    torch.manual_seed(0)
    ours = version(12, 3, 10).double()
    theirs: Any = nn.MultiheadAttention(12, 3, bias=False, kdim=10, vdim=10, batch_first=True).double()
    theirs.q_proj_weight.data, theirs.out_proj.weight.data = ours.query.weight.data, ours.out.weight.data
    theirs.k_proj_weight.data, theirs.v_proj_weight.data = ours.key_value.weight.data.chunk(2)
    generator = torch.Generator().manual_seed(1)
    x, memory = (3 * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((2, 6, 12), (2, 5, 10)))
    differences = []
    for visible in (None, torch.tensor([[True] * 5, [True, True, False, False, False]])):
        expected, _ = theirs(x, memory, memory, key_padding_mask=None if visible is None else ~visible, need_weights=False)
        differences.append(gap(ours(x, memory, visible), expected))
    return max(differences)


REFERENCES = [
    Reference("attention:scaled_dot_product", "torch.nn.functional.scaled_dot_product_attention", _scaled_dot_product, 1e-10),
    Reference("attention:causal_mask", "torch.nn.Transformer.generate_square_subsequent_mask", _causal_mask, 0.0),
    Reference("attention:MultiHeadAttention", "torch.nn.MultiheadAttention", _multi_head, 1e-10),
    Reference("attention:CrossAttention", "torch.nn.MultiheadAttention", _cross_attention, 1e-10),
]
