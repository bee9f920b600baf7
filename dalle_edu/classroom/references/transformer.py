"""The transformer against PyTorch's layers."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from dalle_edu.classroom.proof import Reference, gap


def _inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, memory = (torch.randn(2, tokens, 16, generator=generator, dtype=torch.float64) for tokens in (5, 7))
    return x, memory, torch.tensor([[True] * 7, [True] * 4 + [False] * 3])


def _positions(version: Any) -> float:
    from diffusers.models.embeddings import SinusoidalPositionalEmbedding

    return max(
        gap(version(length, width), cast("Tensor", SinusoidalPositionalEmbedding(width, length).pe)[0])
        for length, width in ((1, 2), (50, 8))
    )


def _peer_layer(kind: Any, ours: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    peer = kind(16, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, bias=False, dtype=torch.float64, **options)
    for norm in (module for module in peer.modules() if isinstance(module, nn.LayerNorm)):
        nn.init.normal_(norm.weight, mean=1.0, std=0.3)
    with torch.no_grad():
        for number, norm in enumerate(module for module in peer.modules() if isinstance(module, nn.LayerNorm)):
            getattr(ours, f"norm_{number + 1}").weight.copy_(norm.weight)
        ours.attention.qkv.weight.copy_(peer.self_attn.in_proj_weight)
        ours.attention.out.weight.copy_(peer.self_attn.out_proj.weight)
        ours.expand.weight.copy_(peer.linear1.weight)
        ours.contract.weight.copy_(peer.linear2.weight)
    return peer


def _block(version: Any) -> float:
    x, _, _ = _inputs()
    differences = []
    for causal in (True, False):
        ours = version(16, 4, causal).double()
        peer = _peer_layer(nn.TransformerEncoderLayer, ours)
        mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64) if causal else None
        differences.append(gap(ours(x), peer(x, src_mask=mask)))
    return max(differences)


def _cross_block(version: Any) -> float:
    x, memory, visible = _inputs()
    ours = version(16, 4).double()
    peer = _peer_layer(nn.TransformerDecoderLayer, ours)
    query, key_value = peer.multihead_attn.in_proj_weight.split((16, 32))
    with torch.no_grad():
        ours.cross_attention.query.weight.copy_(query)
        ours.cross_attention.key_value.weight.copy_(key_value)
        ours.cross_attention.out.weight.copy_(peer.multihead_attn.out_proj.weight)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    return gap(ours(x, memory, visible), peer(x, memory, tgt_mask=mask, memory_key_padding_mask=~visible))


REFERENCES = [
    Reference("transformer:sinusoidal_positions", "diffusers SinusoidalPositionalEmbedding", _positions, 1e-5),
    Reference("transformer:Block", "torch.nn.TransformerEncoderLayer", _block, 1e-10),
    Reference("transformer:CrossBlock", "torch.nn.TransformerDecoderLayer", _cross_block, 1e-10),
]
