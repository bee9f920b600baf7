"""The U-Net's parts against diffusers' and PyTorch's, and its skip connections against Ronneberger's figure, written out by hand."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _shake(module: Any) -> Any:
    """Other weights everywhere: what starts at zero would hide what goes in."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.2, generator=generator)
    return module.double()


def _sinusoidal_embedding(version: Callable[..., Any]) -> float:
    from diffusers.models.embeddings import get_timestep_embedding

    time = torch.tensor([0.0, 0.5, 1.0, 37.25, 999.0])
    return max(gap(version(time, width), get_timestep_embedding(time, width)) for width in (4, 10, 64))


def _group_norm_block(version: Callable[..., Any]) -> float:
    from diffusers.models.resnet import ResnetBlock2D

    differences = []
    for width, e in ((8, 6), (12, 6), (12, 0)):
        ours = _shake(version(8, width, 4, e))
        theirs: Any = ResnetBlock2D(
            in_channels=8,
            out_channels=width,
            temb_channels=e or None,  # type: ignore[arg-type]
            groups=4,
            eps=1e-5,
            time_embedding_norm="scale_shift" if e else "default",
        ).double()
        pairs = {"norm1": "norm_1", "conv1": "look_1", "norm2": "norm_2", "conv2": "look_2"}
        pairs |= {"time_emb_proj": "scale_shift"} if e else {}
        pairs |= {"conv_shortcut": "shortcut"} if width != 8 else {}
        for their_name, our_name in pairs.items():
            getattr(theirs, their_name).load_state_dict(getattr(ours, our_name).state_dict())
        x, condition = _noise(2, 8, 6, 4), _noise(2, e, seed=1) if e else None
        differences.append(gap(ours(x, condition), theirs(x, condition)))
    return max(differences)


def _middle(version: Callable[..., Any]) -> float:
    """With words and without, against PyTorch's layers on positions written out by hand."""
    from torch import nn

    differences = []
    x, text, mask = _noise(2, 16, 3, 4), _noise(2, 5, 8, seed=1), torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    options: dict[str, Any] = {"activation": "gelu", "batch_first": True, "norm_first": True, "bias": False, "dtype": torch.float64}
    for text_width in (8, 0):
        ours = _shake(version(16, 2, 4, text_width))
        tokens = x.flatten(2).transpose(1, 2).clone()
        for position in range(12):
            for channel in range(16):
                place, within = (position // 4, channel) if channel < 8 else (position % 4, channel - 8)
                angle = torch.tensor(place / 10_000 ** (2 * (within // 2) / 8), dtype=torch.float64)
                tokens[:, position, channel] += angle.cos() if within % 2 else angle.sin()
        for block in ours.blocks:
            kind = nn.TransformerDecoderLayer if text_width else nn.TransformerEncoderLayer
            peer: Any = kind(16, 4, 64, 0.0, **options)
            norms = ("norm1", "norm2", "norm3") if text_width else ("norm1", "norm2")
            with torch.no_grad():
                for number, name in enumerate(norms):
                    getattr(peer, name).weight.copy_(getattr(block, f"norm_{number + 1}").weight)
                peer.self_attn.in_proj_weight.copy_(block.attention.qkv.weight)
                peer.self_attn.out_proj.weight.copy_(block.attention.out.weight)
                peer.linear1.weight.copy_(block.expand.weight)
                peer.linear2.weight.copy_(block.contract.weight)
                if text_width:
                    across = nn.MultiheadAttention(16, 4, bias=False, kdim=8, vdim=8, batch_first=True, dtype=torch.float64)
                    across.q_proj_weight.copy_(block.cross_attention.query.weight)
                    key, value = block.cross_attention.key_value.weight.chunk(2)
                    across.k_proj_weight.copy_(key)
                    across.v_proj_weight.copy_(value)
                    across.out_proj.weight.copy_(block.cross_attention.out.weight)
                    peer.multihead_attn = across
            tokens = peer(tokens, text, memory_key_padding_mask=~mask) if text_width else peer(tokens)
        found = ours(x, text, mask) if text_width else ours(x)
        differences.append(gap(found, tokens.transpose(1, 2).unflatten(2, (3, 4))))
    return max(differences)


def _unet(version: Callable[..., Any]) -> float:
    """Three resolutions, two blocks each, a time and a class: the same weights, wired by hand from PyTorch's functions."""
    from diffusers.models.embeddings import get_timestep_embedding

    config = UNetConfig(3, 2, 2, (8, 12, 16), depth=2, attention_levels=(), groups=4, pooled_width=5)
    network = _shake(version(config))
    weights = network.state_dict()
    images, time, pooled = _noise(2, 3, 16, 24), torch.tensor([3.0, 700.0]), _noise(2, 5, seed=1)

    def normed(x: Tensor, name: str) -> Tensor:
        return F.group_norm(x, 4, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def convolved(x: Tensor, name: str, **how: int) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], **how)

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    embedding = get_timestep_embedding(time, 8).double()
    told = linear(F.silu(linear(embedding, "time.0")), "time.2") + F.linear(pooled, weights["pooled.weight"])

    def block(x: Tensor, name: str) -> Tensor:
        hidden = convolved(F.silu(normed(x, f"{name}.norm_1")), f"{name}.look_1", padding=1)
        scale, shift = linear(F.silu(told), f"{name}.scale_shift")[..., None, None].chunk(2, dim=1)
        hidden = normed(hidden, f"{name}.norm_2") * (scale + 1) + shift
        short = convolved(x, f"{name}.shortcut") if f"{name}.shortcut.weight" in weights else x
        return short + convolved(F.silu(hidden), f"{name}.look_2", padding=1)

    def blocks(x: Tensor, name: str) -> Tensor:
        return block(block(x, f"{name}.blocks.0"), f"{name}.blocks.1")

    def up(x: Tensor, name: str) -> Tensor:
        return F.conv_transpose2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride=2)

    fine = blocks(convolved(images, "door", stride=2), "encoder.0")
    middle = blocks(convolved(fine, "down.0", stride=2), "encoder.1")
    bottom = blocks(convolved(middle, "down.1", stride=2), "encoder.2")
    x = blocks(torch.cat([up(bottom, "up.1"), middle], dim=1), "decoder.1")
    x = blocks(torch.cat([up(x, "up.0"), fine], dim=1), "decoder.0")
    expected = F.pixel_shuffle(convolved(F.silu(normed(x, "norm")), "exit.paint", padding=1), 2)
    return gap(network(images, time, pooled=pooled), expected) / float(expected.abs().max())


REFERENCES = [
    Reference(
        "unet_blocks:Middle",
        say("torch.nn.TransformerDecoderLayer and TransformerEncoderLayer", "torch.nn.TransformerDecoderLayer et TransformerEncoderLayer"),
        _middle,
        1e-6,
    ),
    Reference("unet_blocks:sinusoidal_embedding", "diffusers.models.embeddings.get_timestep_embedding", _sinusoidal_embedding),
    Reference("unet_blocks:GroupNormBlock", "diffusers.models.resnet.ResnetBlock2D", _group_norm_block, 1e-10),
    Reference(
        "unet:UNet",
        say(
            "torch.nn.functional, wired as in Ronneberger et al. 2015, figure 1",
            "torch.nn.functional, câblé comme dans Ronneberger et al. 2015, figure 1",
        ),
        _unet,
        1e-10,
    ),
]
