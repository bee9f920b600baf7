"""BART for text to image: an encoder reads a caption, a decoder writes the codes.

It is text to image as translation. DALL·E mini (Dayma et al. 2021) took BART (Lewis
et al. 2020), a transformer that reads one text and writes another, and had it write
the codes of a VQGAN. Unlike in a GPT over one stream, every word sees the words
after it. What was read is kept apart from what is written: every layer of the
decoder has a cross-attention to it. `gpt.sample_codes` samples from both. Lesson
13.

Letters: n captions, t text tokens, i codes of a picture, k image tokens, g codes of
each, w channels, v entries of the codebook.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.gpt import CodeModelConfig
from dalle_edu.bricks.local_model import LocalModel, by_place
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
    it. The decoder runs once a token; where a token holds several codes, a local
    model (`local_model.py`) writes them one by one.
    """

    def __init__(self, config: BARTConfig):
        super().__init__()
        self.config = config
        width, together = config.width, config.codes_per_token
        self.text_embedding = nn.Embedding(config.text_vocabulary, width)
        self.text_position = nn.Embedding(config.text_length + 1, width)
        self.encoder = Encoder(
            width, config.encoder_depth, config.heads, config.directed
        )
        self.start = nn.Parameter(torch.zeros(width))
        self.code_embedding = nn.Embedding(together * config.num_codes, width)
        self.row_position = nn.Embedding(config.grid, width)
        self.column_position = nn.Embedding(config.grid // together, width)
        self.decoder = Decoder(width, config.depth, config.heads)
        self.code_head = nn.Linear(width, config.num_codes, bias=False)
        self.local: LocalModel | None = None
        if together > 1:
            self.local = LocalModel(width, config.num_codes, together)
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

    def embed_codes(
        self, codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n start_and_k w"]:
        """The embeddings of a start token and the image tokens.

        That of a token is the sum of those of its codes. Each has the position of
        the token that comes after it, which is the one to predict there.
        """
        together, grid = self.config.codes_per_token, self.config.grid
        tokens = by_place(codes.unflatten(1, (-1, together)), self.config.num_codes)
        start = self.start.expand(len(codes), 1, -1)
        x = torch.cat([start, self.code_embedding(tokens).sum(dim=2)], dim=1)
        positions = together * torch.arange(x.shape[1], device=codes.device)
        # after the last token there is none: it keeps the last position
        positions = positions.clamp(max=self.config.image_length - 1)
        rows, columns = positions // grid, positions % grid // together
        return x + self.row_position(rows) + self.column_position(columns)

    def _write(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n start_and_k w"]:
        """The decoder's stream before its last norm."""
        memory, visible = self.encode(text)
        x = self.embed_codes(codes)
        for block in self.decoder.blocks:
            x = block(x, memory, visible)
        return x

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        """The logits of each code, given the caption and the codes before it."""
        together = self.config.codes_per_token
        # the last token predicts nothing
        hidden = self._write(text, codes[:, :-together])
        if self.local is not None:
            each = self.local(hidden, codes.unflatten(1, (-1, together)))
            hidden = each.flatten(1, 2)
        return self.code_head(self.decoder.norm(hidden))

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
        # only the local model reads the codes of a token that is not whole
        whole = written.shape[1] - written.shape[1] % self.config.codes_per_token
        hidden = self._write(text, written[:, :whole])[:, -1]
        if self.local is not None:
            hidden = self.local.step(hidden, written[:, whole:])
        return self.code_head(self.decoder.norm(hidden))


class CachedBART:
    """A BART with a cache, as sampling uses it: one code of each picture at a time.

    The keys and values of the memory, and those of the tokens written so far, are
    the same at every step, and are kept. The decoder runs once a token, and the
    local model, where there is one, once a code.
    """

    def __init__(self, model: TextToImageBART, text: Int[Tensor, "n t"]):
        config = model.config
        memory, self.visible = model.encode(text)
        self.model, self.together = model, config.codes_per_token
        self.blocks = cast("list[CrossBlock]", list(model.decoder.blocks))
        self.read = [
            block.cross_attention.remember(memory) for block in self.blocks
        ]
        head_dim = config.width // config.heads
        self.cache = KeyValueCache(
            config.depth,
            len(text),
            config.heads,
            config.image_length // self.together,
            head_dim,
            memory.device,
            memory.dtype,
        )
        by_row, by_column = model.row_position.weight, model.column_position.weight
        self.positions = (by_row[:, None] + by_column).flatten(0, 1)
        self.hidden = model.start.expand(len(text), -1)

    def next_logits(
        self, position: int, written: Int[Tensor, "pictures written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code at `position`, given those written before it.

        With guidance the captions come twice, with words and without: the codes of
        each picture then go on after both. Positions must be asked for in order.
        """
        model = self.model
        written = written.repeat(len(self.hidden) // len(written), 1)
        token, place = divmod(position, self.together)
        if place == 0:
            self.hidden = self._before(token, written[:, -self.together :])
        x = self.hidden
        if model.local is not None:
            x = model.local.step(x, written[:, position - place :])
        return model.code_head(model.decoder.norm(x))

    def _before(
        self, token: int, codes: Int[Tensor, "n g"]
    ) -> Float[Tensor, "n w"]:
        """The stream from which a token is predicted, after that with `codes`."""
        model = self.model
        if token == 0:
            x = model.start.expand(len(codes), -1)
        else:
            tokens = by_place(codes, model.config.num_codes)
            x = model.code_embedding(tokens).sum(dim=1)
        x = (x + self.positions[token]).unsqueeze(1)
        for layer, block in enumerate(self.blocks):
            key, value = self.read[layer]
            x = x + block.attention(block.norm_1(x), True, self.cache, layer)
            normed = block.norm_2(x)
            x = x + block.cross_attention.look(normed, key, value, self.visible)
            x = x + block.contract(F.gelu(block.expand(block.norm_3(x))))
        self.cache.filled += 1
        return x[:, 0]
