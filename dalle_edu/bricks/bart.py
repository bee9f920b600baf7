"""An encoder reads a caption, a decoder writes a picture's codes: text to image as
translation.

DALL·E mini (Dayma et al. 2021) took BART (Lewis et al. 2020), a transformer that
reads one text and writes another, and had it write the codes of a VQGAN. Unlike in
a GPT over one stream, every word sees the words after it, and what was read is kept
apart from what is written: the decoder looks across at it in every layer.
`gpt.sample_codes` samples from both. Lesson 13.

Letters: n captions, t text tokens, i image tokens, w channels, v codes.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.bricks.transformer import CrossBlock, Decoder, Encoder, initialise


@dataclass(frozen=True)
class BARTConfig(GPTConfig):
    """The shape of a text-to-image BART: `depth` layers write, `encoder_depth`
    layers read. Text token 0 is padding.

    If `directed`, half of the encoder's heads look back, the others ahead (see
    `DirectedAttention`).
    """

    encoder_depth: int = 2
    directed: bool = False


class TextToImageBART(nn.Module):
    """Captions in, the logits of a picture's codes out, row by row, each code given
    those before it.
    """

    def __init__(self, config: BARTConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.text_embedding = nn.Embedding(config.text_vocabulary, width)
        self.text_position = nn.Embedding(config.text_length + 1, width)
        self.encoder = Encoder(
            width, config.encoder_depth, config.heads, config.directed
        )
        self.start = nn.Parameter(torch.zeros(width))
        self.code_embedding = nn.Embedding(config.num_codes, width)
        self.row_position = nn.Embedding(config.grid, width)
        self.column_position = nn.Embedding(config.grid, width)
        self.decoder = Decoder(width, config.depth, config.heads)
        self.code_head = nn.Linear(width, config.num_codes, bias=False)
        initialise(self, config.depth)

    def encode(
        self, text: Int[Tensor, "n t"]
    ) -> tuple[Float[Tensor, "n t+1 w"], Bool[Tensor, "n t+1"]]:
        """What the encoder makes of captions, and where there is something to look
        at.

        A padding token goes before each caption and may be seen, so that there is
        something to look at even where nothing is said.
        """
        text = F.pad(text, (1, 0))
        visible = text != 0
        visible[:, 0] = True
        x = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        return self.encoder(x, visible), visible

    def embed_codes(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n i+1 w"]:
        """A start token and the codes, each at the place of the code that comes
        next, since that is what must be said there.
        """
        positions = torch.arange(codes.shape[1] + 1, device=codes.device).clamp(
            max=self.config.image_length - 1
        )
        rows, columns = positions // self.config.grid, positions % self.config.grid
        x = torch.cat(
            [self.start.expand(len(codes), 1, -1), self.code_embedding(codes)],
            dim=1,
        )
        return x + self.row_position(rows) + self.column_position(columns)

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        """The logits of every code, given the caption and the codes before it."""
        memory, visible = self.encode(text)
        return self.code_head(
            self.decoder(self.embed_codes(codes[:, :-1]), memory, visible)
        )

    def loss(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> dict[str, Float[Tensor, ""]]:
        """Cross-entropy of the codes, in nats per code. Nothing is asked about the
        text: it is read, not written.
        """
        return {
            "loss": F.cross_entropy(
                self(text, codes).float().flatten(0, 1), codes.flatten()
            )
        }

    def with_cache(self, text: Int[Tensor, "n t"]) -> "CachedBART":
        """The network with a cache, which has read captions and writes one code at
        a time.
        """
        return CachedBART(self, text)

    def next_logits(
        self, text: Int[Tensor, "n t"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n v"]:
        """The same without a cache: the logits of the code that comes after those
        written.
        """
        memory, visible = self.encode(text)
        return self.code_head(
            self.decoder(self.embed_codes(written), memory, visible)[:, -1]
        )


class CachedBART:
    """The decoder as sampling uses it: one code of each picture at a time.

    What was read gives the same keys and values at every step, and what was written
    too: both are kept.
    """

    def __init__(self, model: TextToImageBART, text: Int[Tensor, "n t"]):
        config = model.config
        memory, self.visible = model.encode(text)
        self.model, self.blocks = (
            model,
            cast("list[CrossBlock]", list(model.decoder.blocks)),
        )
        self.read = [
            block.cross_attention.remember(memory) for block in self.blocks
        ]
        head_dim = config.width // config.heads
        self.cache = KeyValueCache(
            config.depth,
            len(text),
            config.heads,
            config.image_length,
            head_dim,
            memory.device,
            memory.dtype,
        )
        self.places = (
            model.row_position.weight[:, None] + model.column_position.weight
        ).flatten(0, 1)

    def logits(
        self, position: int, last: Int[Tensor, " n"] | None
    ) -> Float[Tensor, "n v"]:
        """What the network says of the code at `position`, the one before it being
        `last` (None at the first).
        """
        model = self.model
        x = (
            model.start.expand(len(self.visible), -1)
            if last is None
            else model.code_embedding(last)
        )
        x = (x + self.places[position]).unsqueeze(1)
        for layer, (block, (key, value)) in enumerate(
            zip(self.blocks, self.read, strict=True)
        ):
            x = x + block.attention(block.norm_1(x), True, self.cache, layer)
            x = x + block.cross_attention.look(
                block.norm_2(x), key, value, self.visible
            )
            x = x + block.contract(F.gelu(block.expand(block.norm_3(x))))
        self.cache.filled += 1
        return model.code_head(model.decoder.norm(x[:, 0]))
