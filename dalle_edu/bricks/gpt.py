"""A GPT over one stream of text and image tokens.

The caption's tokens come first, then the picture's codes, row by row. One network
predicts each token from those before it (Ramesh et al. 2021, section 2.2). A
picture is two-dimensional, so its positions are too: one embedding for the row, one
for the column. Lesson 11.

Letters: n captions, t text tokens, i image tokens, w channels, v entries of a
vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.decoding import sample_sequence
from dalle_edu.bricks.transformer import Block, initialise
from dalle_edu.device import linear_for


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a text-to-image GPT. Text token 0 is padding."""

    text_vocabulary: int = 512
    text_length: int = 20
    num_codes: int = 256
    grid: int = 8
    width: int = 256
    depth: int = 4
    heads: int = 4

    @property
    def image_length(self) -> int:
        """Codes of a picture."""
        return self.grid**2


class TextToImageGPT(nn.Module):
    """The stream is: a start token, `text_length` text tokens, `grid`² image codes.
    Each predicts the next.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.start = nn.Parameter(torch.zeros(width))
        self.text_embedding = nn.Embedding(config.text_vocabulary, width)
        self.text_position = nn.Embedding(config.text_length, width)
        # padding is learned apart for each position, as in DALL·E
        self.text_padding = nn.Embedding(config.text_length, width)
        self.code_embedding = nn.Embedding(config.num_codes, width)
        self.row_position = nn.Embedding(config.grid, width)
        self.column_position = nn.Embedding(config.grid, width)
        self.blocks = nn.ModuleList(
            Block(width, config.heads) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width, bias=False)
        self.text_head = nn.Linear(width, config.text_vocabulary, bias=False)
        self.code_head = nn.Linear(width, config.num_codes, bias=False)
        initialise(self, config.depth)

    def embed_text(self, text: Int[Tensor, "n t"]) -> Float[Tensor, "n t+1 w"]:
        """The start token and the caption; padding (token 0) has an embedding of
        its own at each position.
        """
        positions = torch.arange(text.shape[1], device=text.device)
        words = self.text_embedding(text) + self.text_position(positions)
        words = torch.where(
            (text == 0).unsqueeze(-1), self.text_padding(positions), words
        )
        return torch.cat([self.start.expand(len(text), 1, -1), words], dim=1)

    def embed_codes(
        self, codes: Int[Tensor, "n i"], first: int = 0
    ) -> Float[Tensor, "n i w"]:
        """Image codes, the first of which stands at position `first` of the
        picture.
        """
        positions = torch.arange(first, first + codes.shape[1], device=codes.device)
        rows, columns = positions // self.config.grid, positions % self.config.grid
        return (
            self.code_embedding(codes)
            + self.row_position(rows)
            + self.column_position(columns)
        )

    def _run(
        self, x: Float[Tensor, "n t w"], cache: KeyValueCache | None = None
    ) -> Float[Tensor, "n t w"]:
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache is not None:
            cache.filled += x.shape[1]
        return self.norm(x)

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> tuple[Float[Tensor, "n t text_v"], Float[Tensor, "n i code_v"]]:
        """The logits of every text token and of every image code, each given what
        comes before it.
        """
        hidden = self._run(
            torch.cat(
                [self.embed_text(text), self.embed_codes(codes[:, :-1])], dim=1
            )
        )
        return self.text_head(hidden[:, : text.shape[1]]), self.code_head(
            hidden[:, text.shape[1] :]
        )

    def loss(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> dict[str, Float[Tensor, ""]]:
        """Cross-entropy in nats per token: 1/8 on the text and 7/8 on the picture,
        since pictures are what we want (Ramesh et al. 2021).
        """
        text_logits, code_logits = self(text, codes)
        text_loss = F.cross_entropy(
            text_logits.float().flatten(0, 1), text.flatten()
        )
        code_loss = F.cross_entropy(
            code_logits.float().flatten(0, 1), codes.flatten()
        )
        return {
            "loss": text_loss / 8 + code_loss * 7 / 8,
            "text": text_loss.detach(),
            "image": code_loss.detach(),
        }

    def with_cache(self, text: Int[Tensor, "n t"]) -> "CachedGPT":
        """The network with a cache, which has read captions and writes one code at
        a time.
        """
        return CachedGPT(self, text)

    def next_logits(
        self, text: Int[Tensor, "n t"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n v"]:
        """The same without a cache: the logits of the code that comes after those
        written.
        """
        stream = torch.cat(
            [self.embed_text(text), self.embed_codes(written)], dim=1
        )
        return self.code_head(self._run(stream)[:, -1])


class CachedGPT:
    """The network as sampling uses it: the caption at once, then one code of each
    picture at a time; logits are those of `forward`.

    The work on one token is so small that looking up modules and launching
    operations would cost as much again: weights are looked up once, positions added
    up beforehand.
    """

    def __init__(self, model: TextToImageGPT, text: Int[Tensor, "n t"]):
        config, rows, head = model.config, len(text), model.code_head.weight
        self.heads, self.head_dim = config.heads, config.width // config.heads
        length = 1 + config.text_length + config.image_length
        self.cache = KeyValueCache(
            config.depth,
            rows,
            config.heads,
            length,
            self.head_dim,
            head.device,
            head.dtype,
        )
        self.blocks = [
            (
                block.norm_1.weight,
                linear_for(block.attention.qkv.weight, rows),
                linear_for(block.attention.out.weight, rows),
                block.norm_2.weight,
                linear_for(block.expand.weight, rows),
                linear_for(block.contract.weight, rows),
            )
            for block in cast("list[Block]", model.blocks)
        ]
        self.norm, self.head, self.codes = (
            model.norm.weight,
            linear_for(head, rows),
            model.code_embedding.weight,
        )
        self.positions = (
            model.row_position.weight[:, None] + model.column_position.weight
        ).flatten(0, 1)
        self.first = self.head(
            model._run(model.embed_text(text), self.cache)[:, -1].contiguous()
        )

    def logits(
        self, position: int, last: Int[Tensor, " n"] | None
    ) -> Float[Tensor, "n v"]:
        """What the network says of the code at `position`, the one before it being
        `last` (None at the first).
        """
        if last is None:
            return self.first
        x = F.embedding(last, self.codes) + self.positions[position - 1]
        n, w = x.shape
        for layer, (norm_1, qkv, out, norm_2, expand, contract) in enumerate(
            self.blocks
        ):
            query, key, value = (
                qkv(torch.layer_norm(x, (w,), norm_1))
                .view(n, 3, self.heads, 1, self.head_dim)
                .unbind(1)
            )
            key, value = self.cache.extend(layer, key, value)
            x = x + out(
                F.scaled_dot_product_attention(query, key, value).view(n, w)
            )
            x = x + contract(F.gelu(expand(torch.layer_norm(x, (w,), norm_2))))
        self.cache.filled += 1
        return self.head(torch.layer_norm(x, (w,), self.norm))


@runtime_checkable
class CodeModel(Protocol):
    """What `sample_codes` asks of a network: `logits(position, last)` of its cached
    form, and `next_logits`.
    """

    def with_cache(self, text: Tensor) -> Any: ...
    def next_logits(self, text: Tensor, written: Tensor) -> Tensor: ...


def sample_codes(
    model: CodeModel,
    text: Int[Tensor, "n t"],
    uniforms: Float[Tensor, "n i"],
    guidance_scale: float = 1.0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    cached: bool = True,
    given: Int[Tensor, "n i"] | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
    daring: float | None = None,
) -> Int[Tensor, "n i"]:
    """Write the image codes one after the other, row by row, as `sample_sequence`
    does.

    With `guidance_scale` other than 1 the captions and as many empty ones go
    through the network as one doubled batch. A `temperature` of 0 takes the
    likeliest code.
    """
    rows = 1 if guidance_scale == 1.0 else 2
    if rows == 2:
        text = torch.cat([text, torch.zeros_like(text)])
    # one token at a time, bookkeeping for gradients and casting to half precision
    # would cost more than they give
    with torch.inference_mode(), torch.autocast(text.device.type, enabled=False):
        writer = model.with_cache(text) if cached else None

        def next_logits(
            position: int, written: Int[Tensor, "n written"]
        ) -> Float[Tensor, "rows v"]:
            if writer is not None:
                return writer.logits(
                    position, written[:, -1].repeat(rows) if position else None
                )
            return model.next_logits(text, written.repeat(rows, 1))

        return sample_sequence(
            next_logits,
            uniforms,
            guidance_scale,
            temperature,
            top_k,
            top_p,
            given,
            callback,
            daring,
        )
