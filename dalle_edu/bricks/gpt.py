"""A GPT over one stream of text and image tokens.

The caption's tokens come first, then the picture's codes, row by row. One network
predicts each token from those before it (Ramesh et al. 2021, section 2.2). A
picture is two-dimensional, so its positions are too: one embedding for the row, one
for the column. Lesson 11.

Letters: n captions, t text tokens, i codes of a picture, k image tokens, g codes of
each, w channels, v entries of a vocabulary.
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
from dalle_edu.bricks.local_model import LocalModel, by_place
from dalle_edu.bricks.neighbours import Canon, Smear
from dalle_edu.bricks.transformer import Block, initialise
from dalle_edu.device import linear_for
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class CodeModelConfig:
    """The shape of a network that reads captions and writes pictures' codes.

    `grid` is the side of the picture in codes. Text token 0 is padding.
    """

    text_vocabulary: int = 512
    text_length: int = 20
    num_codes: int = 256
    grid: int = 8
    width: int = 256
    depth: int = 4
    heads: int = 4

    @property
    def image_length(self) -> int:
        """The number of codes of a picture."""
        return self.grid**2


@dataclass(frozen=True)
class GPTConfig(CodeModelConfig):
    """The shape of a text-to-image GPT.

    With `smear`, each word's embedding gets a map of the one before it added. With
    `canon_taps`, attention reads each word with so many before it mixed in. DALL·E
    had neither. They are in `neighbours.py`.

    A token holds `codes_per_token` codes side by side in a row, one in DALL·E. A
    local model writes them one by one (`local_model.py`). Raises `DalleEduError`
    unless that number divides `grid`.
    """

    smear: bool = False
    canon_taps: int = 0
    codes_per_token: int = 1

    def __post_init__(self) -> None:
        if self.codes_per_token < 1 or self.grid % self.codes_per_token:
            raise DalleEduError(
                f"tokens of {self.codes_per_token} codes do not fit rows of "
                f"{self.grid}; choose a divisor of {self.grid}",
                f"des jetons de {self.codes_per_token} codes ne vont pas dans des "
                f"lignes de {self.grid} ; choisissez un diviseur de {self.grid}",
            )


class TextToImageGPT(nn.Module):
    """A GPT that predicts each token of a stream from those before it.

    The stream is a start token, `text_length` text tokens and `grid`² image codes.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        width, together = config.width, config.codes_per_token
        self.start = nn.Parameter(torch.zeros(width))
        self.text_embedding = nn.Embedding(config.text_vocabulary, width)
        self.text_position = nn.Embedding(config.text_length, width)
        # an embedding of padding for each position, as in DALL·E
        self.text_padding = nn.Embedding(config.text_length, width)
        self.code_embedding = nn.Embedding(together * config.num_codes, width)
        self.row_position = nn.Embedding(config.grid, width)
        self.column_position = nn.Embedding(config.grid // together, width)
        self.blocks = nn.ModuleList(
            Block(width, config.heads) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width, bias=False)
        self.text_head = nn.Linear(width, config.text_vocabulary, bias=False)
        self.code_head = nn.Linear(width, config.num_codes, bias=False)
        self.local: LocalModel | None = None
        if together > 1:
            self.local = LocalModel(width, config.num_codes, together)
        initialise(self, config.depth)
        self.smear = Smear(width) if config.smear else nn.Identity()
        # outside the blocks: Muon trains those, and canon weights are no matrices
        self.canons = nn.ModuleList(
            Canon(width, config.canon_taps)
            for _ in range(config.depth if config.canon_taps else 0)
        )

    def embed_text(self, text: Int[Tensor, "n t"]) -> Float[Tensor, "n t+1 w"]:
        """The embeddings of the start token and the caption, before `smear`.

        Padding (token 0) has an embedding of its own at each position.
        """
        positions = torch.arange(text.shape[1], device=text.device)
        words = self.text_embedding(text) + self.text_position(positions)
        is_padding = (text == 0).unsqueeze(-1)
        words = torch.where(is_padding, self.text_padding(positions), words)
        return torch.cat([self.start.expand(len(text), 1, -1), words], dim=1)

    def embed_codes(
        self, codes: Int[Tensor, "n i"], first: int = 0
    ) -> Float[Tensor, "n k w"]:
        """The embeddings of image tokens: for each, the sum of those of its codes.

        The first code, with which a token begins, stands at position `first`.
        """
        together = self.config.codes_per_token
        tokens = by_place(codes.unflatten(1, (-1, together)), self.config.num_codes)
        end, grid = first + codes.shape[1], self.config.grid
        positions = torch.arange(first, end, together, device=codes.device)
        rows, columns = positions // grid, positions % grid // together
        x = self.code_embedding(tokens).sum(dim=2)
        return x + self.row_position(rows) + self.column_position(columns)

    def _run(
        self,
        x: Float[Tensor, "n t w"],
        cache: KeyValueCache | None = None,
        words: int = 0,
    ) -> Float[Tensor, "n t w"]:
        """The stream before the last norm; its first `words` tokens are text."""
        for layer, block in enumerate(cast("list[Block]", self.blocks)):
            normed = block.norm_1(x)
            if self.canons and words:
                text, image = normed[:, :words], normed[:, words:]
                normed = torch.cat([self.canons[layer](text), image], dim=1)
            x = x + block.attention(normed, True, cache, layer)
            x = x + block.contract(F.gelu(block.expand(block.norm_2(x))))
        if cache is not None:
            cache.filled += x.shape[1]
        return x

    def _read(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n t_and_k w"]:
        words, image = self.smear(self.embed_text(text)), self.embed_codes(codes)
        return self._run(torch.cat([words, image], dim=1), words=words.shape[1])

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> tuple[Float[Tensor, "n t text_v"], Float[Tensor, "n i code_v"]]:
        """The logits of all text tokens and codes, each given those before it."""
        together, text_length = self.config.codes_per_token, text.shape[1]
        # the last token predicts nothing
        hidden = self._read(text, codes[:, :-together])
        if self.local is not None:
            words, image = hidden[:, :text_length], hidden[:, text_length:]
            image = self.local(image, codes.unflatten(1, (-1, together)))
            hidden = torch.cat([words, image.flatten(1, 2)], dim=1)
        hidden = self.norm(hidden)
        text_logits = self.text_head(hidden[:, :text_length])
        return text_logits, self.code_head(hidden[:, text_length:])

    def loss(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The cross-entropy of text and picture, in nats per token.

        The text counts for 1/8 and the picture for 7/8, since pictures are what we
        want (Ramesh et al. 2021). "loss" is their sum, to be minimised; "text" and
        "image" are the parts, unweighted and without gradient.
        """
        text_logits, code_logits = self(text, codes)
        text_logits = text_logits.float().flatten(0, 1)
        code_logits = code_logits.float().flatten(0, 1)
        text_loss = F.cross_entropy(text_logits, text.flatten())
        code_loss = F.cross_entropy(code_logits, codes.flatten())
        return {
            "loss": text_loss / 8 + code_loss * 7 / 8,
            "text": text_loss.detach(),
            "image": code_loss.detach(),
        }

    def with_cache(self, text: Int[Tensor, "n t"]) -> "CachedGPT":
        """The network with a cache, ready to write each picture's first code."""
        return CachedGPT(self, text)

    def next_logits(
        self, text: Int[Tensor, "n t"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code after those written, without a cache."""
        together, length = self.config.codes_per_token, written.shape[1]
        # only the local model reads the codes of a token that is not whole
        whole, begun = length // together * together, length % together
        hidden = self._read(text, written[:, :whole])[:, -1:]
        if self.local is not None:
            codes = F.pad(written[:, whole:], (0, together - begun))
            hidden = self.local(hidden, codes.unsqueeze(1))[:, :, begun]
        return self.code_head(self.norm(hidden)[:, -1])


class CachedGPT:
    """A GPT with a cache, as sampling uses it.

    It reads the captions at once, then one token of each picture at a time. Its
    logits are those of `forward`. One token is so little work that looking up
    modules and launching operations would cost as much again. So weights are looked
    up once, and row and column positions are added up beforehand.
    """

    def __init__(self, model: TextToImageGPT, text: Int[Tensor, "n t"]):
        config, rows, head = model.config, len(text), model.code_head.weight
        self.heads, self.head_dim = config.heads, config.width // config.heads
        self.together, self.local = config.codes_per_token, model.local
        length = 1 + config.text_length + config.image_length // self.together
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
        self.norm = model.norm.weight
        self.head = linear_for(head, rows)
        self.codes, self.num_codes = model.code_embedding.weight, config.num_codes
        by_row, by_column = model.row_position.weight, model.column_position.weight
        self.positions = (by_row[:, None] + by_column).flatten(0, 1)
        words = model.smear(model.embed_text(text))
        hidden = model._run(words, self.cache, words.shape[1])
        self.hidden = hidden[:, -1].contiguous()

    def next_logits(
        self, position: int, written: Int[Tensor, "pictures written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code at `position`, given those written before it.

        With guidance the captions come twice, with words and without: the codes of
        each picture then go on after both. Positions must be asked for in order.
        """
        written = written.repeat(len(self.hidden) // len(written), 1)
        token, place = divmod(position, self.together)
        if token > 0 and place == 0:
            self.hidden = self._after(token - 1, written[:, -self.together :])
        x = self.hidden
        if self.local is not None:
            x = self.local.step(x, written[:, position - place :])
        return self.head(torch.layer_norm(x, x.shape[1:], self.norm))

    def _after(self, token: int, codes: Int[Tensor, "n g"]) -> Float[Tensor, "n w"]:
        """The stream after all layers, for a token of each picture."""
        embedded = F.embedding(by_place(codes, self.num_codes), self.codes)
        x = embedded.sum(dim=1) + self.positions[token]
        n, w = x.shape
        for layer, block in enumerate(self.blocks):
            norm_1, qkv, out, norm_2, expand, contract = block
            projected = qkv(torch.layer_norm(x, (w,), norm_1))
            by_head = projected.view(n, 3, self.heads, 1, self.head_dim)
            query, key, value = by_head.unbind(1)
            key, value = self.cache.extend(layer, key, value)
            mixed = F.scaled_dot_product_attention(query, key, value)
            x = x + out(mixed.view(n, w))
            x = x + contract(F.gelu(expand(torch.layer_norm(x, (w,), norm_2))))
        self.cache.filled += 1
        return x


@runtime_checkable
class CodeModel(Protocol):
    """What `sample_codes` asks of a network that writes a picture's codes."""

    def with_cache(self, text: Tensor) -> Any:
        """The network with a cache: what has `next_logits(position, written)`."""

    def next_logits(self, text: Tensor, written: Tensor) -> Tensor:
        """The logits of the code that comes after those written."""


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
    epsilon: float | None = None,
) -> Int[Tensor, "n i"]:
    """Write image codes one after the other, row by row.

    The parameters are those of `sample_sequence`. With a `guidance_scale` other
    than 1, the captions and as many empty ones go through the network as one
    doubled batch. A `temperature` of 0 takes the likeliest code. Without `cached`
    every step reads the whole stream again, with the same result but for rounding.
    """
    rows = 1 if guidance_scale == 1.0 else 2
    if rows == 2:
        text = torch.cat([text, torch.zeros_like(text)])
    # one token is so little work that bookkeeping for gradients and casts to half
    # precision would cost more than they give
    with torch.inference_mode(), torch.autocast(text.device.type, enabled=False):
        if cached:
            next_logits = model.with_cache(text).next_logits
        else:

            def next_logits(position: int, written: Tensor) -> Tensor:
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
            epsilon,
        )
