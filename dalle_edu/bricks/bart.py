"""BART for text to image: an encoder reads a caption, a decoder writes the codes.

It is text to image as translation. DALL·E mini (Dayma et al. 2021) took BART (Lewis
et al. 2020), a transformer that reads one text and writes another, and had it write
the codes of a VQGAN. Unlike in a GPT over one stream, every word sees the words
after it. What was read is kept apart from what is written: every layer of the
decoder has a cross-attention to it. `gpt.sample_codes` samples from both. Lesson
13.

Letters: n captions, t text tokens, i image tokens, w channels, v codes.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.gpt import CodeModelConfig
from dalle_edu.bricks.neighbours import Smear
from dalle_edu.bricks.transformer import CrossBlock, Decoder, Encoder, initialise


@dataclass(frozen=True)
class BARTConfig(CodeModelConfig):
    """The shape of a text-to-image BART.

    The decoder has `depth` layers, the encoder `encoder_depth`. Text token 0 is
    padding. If `directed`, half of the encoder's heads look back and the others
    ahead (`DirectedAttention`). With `smear`, each word's embedding gets a map of
    the one before it added (`neighbours.py`). BART had neither.
    """

    encoder_depth: int = 2
    directed: bool = False
    smear: bool = False


class TextToImageBART(nn.Module):
    """An encoder of captions and a decoder of a picture's codes.

    The codes are written row by row, each given the caption and the codes before
    it.
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
        self.smear = Smear(width) if config.smear else nn.Identity()

    def encode(
        self, text: Int[Tensor, "n t"]
    ) -> tuple[Float[Tensor, "n t+1 w"], Bool[Tensor, "n t+1"]]:
        """The memory of captions, and where it is visible.

        A padding token goes before each caption and is always visible, so that an
        empty caption has a memory too.
        """
        text = F.pad(text, (1, 0))
        visible = text != 0
        visible[:, 0] = True
        x = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        return self.encoder(self.smear(x), visible), visible

    def embed_codes(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n i+1 w"]:
        """The embeddings of a start token and the codes.

        Each has the position of the code that comes after it, which is the one to
        predict there.
        """
        positions = torch.arange(codes.shape[1] + 1, device=codes.device)
        # after the last code there is none: it keeps the last position
        positions = positions.clamp(max=self.config.image_length - 1)
        rows, columns = positions // self.config.grid, positions % self.config.grid
        start = self.start.expand(len(codes), 1, -1)
        x = torch.cat([start, self.code_embedding(codes)], dim=1)
        return x + self.row_position(rows) + self.column_position(columns)

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        """The logits of each code, given the caption and the codes before it."""
        memory, visible = self.encode(text)
        hidden = self.decoder(self.embed_codes(codes[:, :-1]), memory, visible)
        return self.code_head(hidden)

    def loss(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The cross-entropy of the codes, in nats per code.

        There is no loss on the text, which is read and not written.
        """
        logits = self(text, codes).float().flatten(0, 1)
        return {"loss": F.cross_entropy(logits, codes.flatten())}

    def with_cache(self, text: Int[Tensor, "n t"]) -> "CachedBART":
        """The network with a cache, ready to write each picture's first code."""
        return CachedBART(self, text)

    def next_logits(
        self, text: Int[Tensor, "n t"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code after those written, without a cache."""
        memory, visible = self.encode(text)
        hidden = self.decoder(self.embed_codes(written), memory, visible)
        return self.code_head(hidden[:, -1])


class CachedBART:
    """A BART with a cache, as sampling uses it: one code of each picture at a time.

    The keys and values of the memory, and those of the codes written so far, are
    the same at every step, and are kept.
    """

    def __init__(self, model: TextToImageBART, text: Int[Tensor, "n t"]):
        config = model.config
        memory, self.visible = model.encode(text)
        self.model = model
        self.blocks = cast("list[CrossBlock]", list(model.decoder.blocks))
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
        by_row, by_column = model.row_position.weight, model.column_position.weight
        self.positions = (by_row[:, None] + by_column).flatten(0, 1)

    def next_logits(
        self, position: int, written: Int[Tensor, "pictures written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code at `position`, given those written before it.

        With guidance the captions come twice, with words and without: the codes of
        each picture then go on after both. Positions must be asked for in order.
        """
        model, rows = self.model, len(self.visible)
        if position == 0:
            x = model.start.expand(rows, -1)
        else:
            x = model.code_embedding(written[:, -1].repeat(rows // len(written)))
        x = (x + self.positions[position]).unsqueeze(1)
        for layer, block in enumerate(self.blocks):
            key, value = self.read[layer]
            x = x + block.attention(block.norm_1(x), True, self.cache, layer)
            normed = block.norm_2(x)
            x = x + block.cross_attention.look(normed, key, value, self.visible)
            x = x + block.contract(F.gelu(block.expand(block.norm_3(x))))
        self.cache.filled += 1
        return model.code_head(model.decoder.norm(x[:, 0]))
