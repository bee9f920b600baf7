"""The U-Net's parts against diffusers' and PyTorch's, and its skip connections against Ronneberger's figure, written out by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.recurrent import drawn_weights, part_of, with_weights
from dalle_edu.language import say

Weights = Mapping[str, Tensor]


def positions(height: int, width: int, channels: int) -> Tensor:
    """Sines and cosines of the row, then those of the column, one by one."""
    half = channels // 2
    found = torch.zeros(height * width, channels, dtype=torch.float64)
    for place in range(height * width):
        for channel in range(channels):
            number, within = (place // width, channel) if channel < half else (place % width, channel - half)
            angle = torch.tensor(number / 10_000 ** (2 * (within // 2) / half), dtype=torch.float64)
            found[place, channel] = angle.cos() if within % 2 else angle.sin()
    return found


def torch_layer(width: int, heads: int, weights: Weights) -> Any:
    """PyTorch's layer with a layer's weights; `train` without dropout keeps it from its fused path."""
    options: dict[str, Any] = {"activation": "gelu", "batch_first": True, "norm_first": True, "bias": False, "dtype": torch.float64}
    crossed = "norm_3.weight" in weights
    kind = nn.TransformerDecoderLayer if crossed else nn.TransformerEncoderLayer
    peer: Any = kind(width, heads, 4 * width, 0.0, **options).train()
    pairs = {"self_attn.in_proj_weight": "attention.qkv.weight", "self_attn.out_proj.weight": "attention.out.weight"}
    pairs |= {"linear1.weight": "expand.weight", "linear2.weight": "contract.weight"}
    pairs |= {f"norm{number}.weight": f"norm_{number}.weight" for number in (1, 2, 3)[: 3 if crossed else 2]}
    if crossed:
        peer.multihead_attn = torch_attention(width, heads, part_of(weights, "cross_attention"))
    return with_weights(peer, {theirs: weights[ours] for theirs, ours in pairs.items()})


def torch_attention(width: int, heads: int, weights: Weights) -> nn.MultiheadAttention:
    """PyTorch's attention with the weights of one to a memory, or of one to itself."""
    if "qkv.weight" in weights:
        peer = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)
        return with_weights(peer, {"in_proj_weight": weights["qkv.weight"], "out_proj.weight": weights["out.weight"]})
    key, value = weights["key_value.weight"].chunk(2)
    query, out = weights["query.weight"], {"out_proj.weight": weights["out.weight"]}
    if key.shape[1] == width:
        joint = {"in_proj_weight": torch.cat([query, key, value])}
        return with_weights(nn.MultiheadAttention(width, heads, bias=False, batch_first=True), joint | out)
    peer = nn.MultiheadAttention(width, heads, bias=False, kdim=key.shape[1], vdim=key.shape[1], batch_first=True)
    return with_weights(peer, {"q_proj_weight": query, "k_proj_weight": key, "v_proj_weight": value} | out)


def torch_middle(x: Tensor, heads: int, weights: Weights, text: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
    """Layers of PyTorch's on positions written out by hand."""
    channels, h, w = x.shape[1:]
    tokens = x.flatten(2).transpose(1, 2) + positions(h, w, channels)
    hidden = None if mask is None else ~mask
    for number in range(len({name.split(".")[1] for name in weights})):
        layer = torch_layer(channels, heads, part_of(weights, f"blocks.{number}"))
        tokens = layer(tokens) if text is None else layer(tokens, text, memory_key_padding_mask=hidden)
    return tokens.transpose(1, 2).unflatten(2, (h, w))


class _Wired:
    """The weights of a U-Net, wired by hand from PyTorch's functions."""

    def __init__(self, config: UNetConfig, weights: Weights):
        self.config, self.weights = config, weights

    def normed(self, x: Tensor, name: str) -> Tensor:
        """GroupNorm with the parameters of that name."""
        return F.group_norm(x, self.config.groups, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def convolved(self, x: Tensor, name: str, **how: int) -> Tensor:
        """Convolution with the parameters of that name."""
        return F.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], **how)

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A linear layer with the parameters of that name."""
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def block(self, x: Tensor, name: str, told: Tensor | None) -> Tensor:
        """A residual block, `told` of time and class."""
        hidden = self.convolved(F.silu(self.normed(x, f"{name}.norm_1")), f"{name}.look_1", padding=1)
        hidden = self.normed(hidden, f"{name}.norm_2")
        if told is not None:
            scale, shift = self.linear(F.silu(told), f"{name}.scale_shift")[..., None, None].chunk(2, dim=1)
            hidden = hidden * (scale + 1) + shift
        short = self.convolved(x, f"{name}.shortcut") if f"{name}.shortcut.weight" in self.weights else x
        return short + self.convolved(F.silu(hidden), f"{name}.look_2", padding=1)

    def attended(self, x: Tensor, name: str, words: Tensor | None, mask: Tensor | None) -> Tensor:
        """Attention of positions to one another, then to words."""
        (h, w), width, heads = x.shape[2:], x.shape[1], self.config.heads
        tokens = x.flatten(2).transpose(1, 2)
        looked = F.layer_norm(tokens, (width,), self.weights[f"{name}.norm_1.weight"])
        tokens = tokens + torch_attention(width, heads, part_of(self.weights, f"{name}.positions"))(looked, looked, looked)[0]
        if words is not None:
            looked = F.layer_norm(tokens, (width,), self.weights[f"{name}.norm_2.weight"])
            across = torch_attention(width, heads, part_of(self.weights, f"{name}.words"))
            tokens = tokens + across(looked, words, words, key_padding_mask=None if mask is None else ~mask)[0]
        return tokens.transpose(1, 2).unflatten(2, (h, w))

    def level(self, x: Tensor, name: str, told: Tensor | None, words: Tensor | None, mask: Tensor | None) -> Tensor:
        """The layers of one resolution on one side."""
        for number in range(self.config.depth):
            x = self.block(x, f"{name}.blocks.{number}", told)
        return self.attended(x, f"{name}.attention", words, mask) if f"{name}.attention.norm_1.weight" in self.weights else x

    def told(self, time: Tensor | None, pooled: Tensor | None) -> Tensor | None:
        """The vector of time and class."""
        from diffusers.models.embeddings import get_timestep_embedding

        parts = []
        if time is not None:
            embedding = get_timestep_embedding(time, self.config.widths[0]).double()
            parts.append(self.linear(F.silu(self.linear(embedding, "time.0")), "time.2"))
        if pooled is not None:
            parts.append(F.linear(pooled, self.weights["pooled.weight"]))
        return torch.stack(parts).sum(dim=0) if parts else None

    def read(self, n: int, text: Tensor | None, mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The words after the learned vector, and where they are visible."""
        if not self.config.text_width:
            return None, None
        nothing = self.weights["no_text"].repeat(n, 1, 1)
        if text is None:
            return nothing, None
        normed = F.layer_norm(text, (self.config.text_width,), self.weights["text_norm.weight"], self.weights["text_norm.bias"])
        words = torch.cat([nothing, normed], dim=1)
        return words, None if mask is None else torch.cat([torch.ones(n, 1, dtype=torch.bool), mask], dim=1)

    def __call__(self, images: Tensor, time: Any = None, text: Any = None, text_mask: Any = None, pooled: Any = None) -> Tensor:
        """Down, the bottom, and up again."""
        told, (words, mask) = self.told(time, pooled), self.read(len(images), text, text_mask)
        bottom = len(self.config.widths) - 1
        x, kept = self.convolved(images, "door", stride=self.config.patch_size), []
        for number in range(bottom):
            x = self.level(x, f"encoder.{number}", told, words, mask)
            kept.append(x)
            x = self.convolved(x, f"down.{number}", stride=2)
        x = self.level(x, f"encoder.{bottom}", told, words, mask)
        if self.config.middle_depth:
            x = torch_middle(x, self.config.heads, part_of(self.weights, "middle"), words, mask)
        for number in reversed(range(bottom)):
            up = F.conv_transpose2d(x, self.weights[f"up.{number}.weight"], self.weights[f"up.{number}.bias"], stride=2)
            x = self.level(torch.cat([up, kept[number]], dim=1), f"decoder.{number}", told, words, mask)
        return F.pixel_shuffle(self.convolved(F.silu(self.normed(x, "norm")), "exit.paint", padding=1), self.config.patch_size)


def _network(config: UNetConfig, en: str, fr: str, weight: int, seed: int, n: int, side: tuple[int, int], **given: Tensor) -> list[Case]:
    """A U-Net of this shape, given pictures and what else it takes."""
    weights = drawn_weights(UNet(config), seed, 0.2)
    images = numbers(seed + 300, n, config.in_channels, *side)

    def ask(version: Callable[..., Any]) -> Tensor:
        network = with_weights(version(config), weights)
        return lent(
            lambda x, *rest: network(x, **dict(zip(given, rest, strict=True))), f"images {' '.join(given)}", images, *given.values()
        )

    def learned(version: Callable[..., Any]) -> dict[str, Any]:
        return slopes_of(with_weights(version(config), weights))

    def slopes_of(apply: Callable[..., Tensor]) -> dict[str, Any]:
        own = {name: value.clone().requires_grad_(value.is_floating_point() and name != "time") for name, value in given.items()}
        x = images.clone().requires_grad_()
        return with_gradients(apply(x, **own), [x, *(value for value in own.values() if value.requires_grad)])

    title_en, title_fr = f"widths {config.widths}, {en}", f"largeurs {config.widths}, {fr}"
    return [
        scenario(title_en, title_fr, lambda: _Wired(config, weights)(images, **given).detach(), lambda v: ask(v).detach(), weight),
        scenario(f"{title_en}: gradients", f"{title_fr} : gradients", lambda: slopes_of(_Wired(config, weights)), learned, weight + 1),
    ]


def _joined(config: UNetConfig, seed: int) -> Case:
    """What `join` makes of two pictures; neither is changed."""
    x, skip = numbers(seed, 1, 2, 1, 2), numbers(seed + 1, 1, 2, 1, 2)
    title = "`join`, 1 × 2 × 1 × 2"
    wanted = torch.stack([*x[0], *skip[0]]).unsqueeze(0)
    return scenario(title, title, lambda: wanted, lambda version: lent(version(config).join, "x skip", x, skip), 0)


def _asks_join(config: UNetConfig, seed: int) -> Case:
    """The channels of the skips that `join` is given on the way up: whoever replaces `join` changes what the network does."""

    def ask(version: Callable[..., Any]) -> list[int]:
        network, channels = version(config).double(), list[int]()
        join = network.join

        def noted(x: Tensor, skip: Tensor) -> Tensor:
            channels.append(skip.shape[1])
            return join(x, skip)

        network.join = noted
        network(numbers(seed, 1, config.in_channels, 4, 4))
        return channels

    wanted = list(config.widths[-2::-1])
    en, fr = "the channels of the skips that `join` is given", "les canaux des raccourcis donnés à `join`"
    return scenario(f"widths {config.widths}, {en}", f"largeurs {config.widths}, {fr}", lambda: wanted, ask, 4)


def _unet(seed: int) -> list[Case]:
    """Each condition alone and together, one resolution to three, patches or none, attention at some level."""
    time, pooled = torch.tensor([3.0, 30.5]), numbers(seed + 1, 2, 5)
    words = {"text": numbers(seed + 2, 2, 4, 6), "text_mask": torch.tensor([[True, True, True, True], [True, False, False, False]])}
    nobody = words | {"text_mask": torch.zeros(2, 4, dtype=torch.bool)}
    plain = UNetConfig(1, 1, 1, (2,), 1, (), groups=1, time=False)
    skips = UNetConfig(2, 3, 1, (4, 8), 1, (), groups=2, time=False)
    clock = UNetConfig(1, 1, 2, (4, 8), 1, (), groups=2)
    deep = UNetConfig(3, 2, 2, (8, 12, 16), depth=2, attention_levels=(), groups=4, pooled_width=5)
    classes = UNetConfig(1, 2, 1, (4, 8), 1, (0,), heads=2, groups=4, time=False, pooled_width=5)
    reader = UNetConfig(3, 3, 2, (8, 12), 1, (0, 1), heads=4, groups=4, text_width=6)
    late = torch.tensor([3.0, 700.0])
    return [
        _joined(skips, seed + 4500),
        _asks_join(UNetConfig(1, 1, 1, (2, 4, 6), 1, (), groups=1, time=False), seed + 4600),
        *_network(plain, "1 picture of 2 × 2", "1 image de 2 × 2", 1, seed, 1, (2, 2)),
        *_network(skips, "2 pictures of 4 × 6", "2 images de 4 × 6", 3, seed + 500, 2, (4, 6)),
        *_network(clock, "`time`", "`time`", 5, seed + 1000, 2, (4, 8), time=time),
        *_network(classes, "`pooled`, attention", "`pooled`, attention", 7, seed + 1500, 2, (4, 2), pooled=pooled),
        *_network(reader, "no words for a network that reads", "sans mots, pour un réseau qui lit", 9, seed + 2000, 2, (4, 8), time=time),
        *_network(reader, "`text`, no `text_mask`", "`text`, sans `text_mask`", 11, seed + 2500, 2, (8, 4), time=time, text=words["text"]),
        *_network(reader, "`text`, `text_mask`", "`text`, `text_mask`", 13, seed + 3000, 2, (8, 4), time=time, **words),
        *_network(reader, "all words hidden", "tous les mots cachés", 15, seed + 3500, 2, (4, 4), time=time, **nobody),
        *_network(deep, "`time`, `pooled`", "`time`, `pooled`", 17, seed + 4000, 2, (16, 24), time=late, pooled=pooled),
    ]


def _unet_with_middle(seed: int) -> list[Case]:
    """A transformer at the bottom, with words and without; its positions are in single precision."""
    words = {"text": numbers(seed + 2, 2, 4, 6), "text_mask": torch.tensor([[True, True, True, True], [True, False, False, False]])}
    silent = UNetConfig(2, 2, 1, (4, 8), 1, (), heads=2, groups=4, time=False, middle_depth=1)
    reader = UNetConfig(2, 2, 1, (4, 8), 2, (), heads=2, groups=4, time=False, text_width=6, middle_depth=2)
    return [
        *_network(silent, "a transformer at the bottom", "un transformeur au fond", 1, seed + 5000, 2, (2, 4)),
        *_network(reader, "`text` at the bottom", "`text` au fond", 3, seed + 5500, 2, (2, 4), text=words["text"]),
        *_network(reader, "`text`, `text_mask` at the bottom", "`text`, `text_mask` au fond", 5, seed + 6000, 2, (4, 2), **words),
    ]


REFERENCES = [
    Reference(
        "unet:UNet",
        say(
            "torch.nn.functional, wired as in Ronneberger et al. 2015, figure 1",
            "torch.nn.functional, câblé comme dans Ronneberger et al. 2015, figure 1",
        ),
        cases=_unet,
        tolerance=1e-10,
    ),
    Reference(
        "unet:UNet",
        say("torch.nn.TransformerDecoderLayer at the bottom", "torch.nn.TransformerDecoderLayer au fond"),
        cases=_unet_with_middle,
        tolerance=1e-6,
    ),
]
