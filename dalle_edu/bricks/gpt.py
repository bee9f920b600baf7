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
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import KeyValueCache
from dalle_edu.bricks.cached_gpt import CachedGPT
from dalle_edu.bricks.decoding import sample_sequence
from dalle_edu.bricks.local_model import LocalModel, by_place
from dalle_edu.bricks.neighbours import Canon, Smear
from dalle_edu.bricks.transformer import Block, initialise
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class CodeModelConfig:
    """The shape of a network that reads captions and writes pictures' codes.

    `grid` is the side of the picture in codes. Text token 0 is padding.

    An image token holds `codes_per_token` codes side by side in a row, one unless
    asked for more. A local model writes them one by one (`local_model.py`). Raises
    `DalleEduError` unless that number divides `grid`.
    """

    text_vocabulary: int = 512
    text_length: int = 20
    num_codes: int = 256
    grid: int = 8
    width: int = 256
    depth: int = 4
    heads: int = 4
    codes_per_token: int = 1

    @property
    def image_length(self) -> int:
        """The number of codes of a picture."""
        return self.grid**2

    def __post_init__(self) -> None:
        if self.codes_per_token < 1 or self.grid % self.codes_per_token:
            raise DalleEduError(
                f"tokens of {self.codes_per_token} codes do not fit rows of "
                f"{self.grid}; choose a divisor of {self.grid}",
                f"des jetons de {self.codes_per_token} codes ne vont pas dans des "
                f"lignes de {self.grid} ; choisissez un diviseur de {self.grid}",
            )


@dataclass(frozen=True)
class GPTConfig(CodeModelConfig):
    """The shape of a text-to-image GPT.

    With `smear`, each word's embedding gets a map of the one before it added. With
    `canon_taps`, attention reads each word with so many before it mixed in, and
    with `image_canon_taps` each image token. DALL·E had none of these. They are in
    `neighbours.py`.

    DALL·E learned what to put in the place of words that a caption lacks. With
    `mask_padding` no token looks at these places, and a caption's last word
    predicts the first code. A batch may then end where its longest caption does.
    """

    smear: bool = False
    canon_taps: int = 0
    image_canon_taps: int = 0
    mask_padding: bool = False


def _canons(config: GPTConfig, taps: int) -> nn.ModuleList:
    """A canon layer for each block, or none."""
    layers = range(config.depth if taps else 0)
    return nn.ModuleList(Canon(config.width, taps) for _ in layers)


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
        self.text_padding: nn.Embedding | None = None
        if not config.mask_padding:
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
        self.canons = _canons(config, config.canon_taps)
        self.image_canons = _canons(config, config.image_canon_taps)

    def embed_text(self, text: Int[Tensor, "n t"]) -> Float[Tensor, "n t+1 w"]:
        """The embeddings of the start token and the caption, before `smear`.

        Padding (token 0) has an embedding of its own at each position, unless it is
        masked.
        """
        positions = torch.arange(text.shape[1], device=text.device)
        words = self.text_embedding(text) + self.text_position(positions)
        if self.text_padding is not None:
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

    def visible(
        self, text: Int[Tensor, "n t"], tokens: int
    ) -> Bool[Tensor, "n all"] | None:
        """Where others may look in a stream with so many image `tokens`.

        False at padding. None if padding is not masked: then everywhere.
        """
        if not self.config.mask_padding:
            return None
        words = F.pad(text != 0, (1, 0), value=True)
        return F.pad(words, (0, tokens), value=True)

    def _run(
        self,
        x: Float[Tensor, "n all w"],
        text: Int[Tensor, "n t"],
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "n all w"]:
        """The stream before the last norm: captions, then image tokens."""
        words = 1 + text.shape[1]
        visible = self.visible(text, x.shape[1] - words)
        for layer, block in enumerate(cast("list[Block]", self.blocks)):
            normed = block.norm_1(x)
            text, image = normed[:, :words], normed[:, words:]
            if self.canons:
                text = self.canons[layer](text)
            if self.image_canons:
                image = self.image_canons[layer](image)
            normed = torch.cat([text, image], dim=1)
            x = x + block.attention(normed, True, cache, layer, visible)
            x = x + block.contract(F.gelu(block.expand(block.norm_2(x))))
        if cache is not None:
            cache.filled += x.shape[1]
        return x

    def _read(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n t_and_k w"]:
        words, image = self.smear(self.embed_text(text)), self.embed_codes(codes)
        return self._run(torch.cat([words, image], dim=1), text)

    def predicting(
        self, hidden: Float[Tensor, "n all w"], text: Int[Tensor, "n t"]
    ) -> Float[Tensor, "n k w"]:
        """The states that predict image tokens: at the caption's end, and each
        image token but the last.
        """
        image = hidden[:, text.shape[1] :]
        if self.config.mask_padding:
            ends = (text != 0).sum(dim=1)
            captions = torch.arange(len(text), device=text.device)
            end = hidden[captions, ends].unsqueeze(1)
            image = torch.cat([end, image[:, 1:]], dim=1)
        return image

    def forward(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> tuple[Float[Tensor, "n t text_v"], Float[Tensor, "n i code_v"]]:
        """The logits of all text tokens and codes, each given those before it."""
        together, text_length = self.config.codes_per_token, text.shape[1]
        # the last token predicts nothing
        hidden = self._read(text, codes[:, :-together])
        words, image = hidden[:, :text_length], self.predicting(hidden, text)
        if self.local is not None:
            image = self.local(image, codes.unflatten(1, (-1, together)))
            image = image.flatten(1, 2)
        hidden = self.norm(torch.cat([words, image], dim=1))
        text_logits = self.text_head(hidden[:, :text_length])
        return text_logits, self.code_head(hidden[:, text_length:])

    def loss(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The cross-entropy of text and picture, in nats per token.

        The text counts for 1/8 and the picture for 7/8, since pictures are what we
        want (Ramesh et al. 2021). "loss" is their sum, to be minimised; "text" and
        "image" are the parts, unweighted and without gradient. Masked padding costs
        nothing, and each caption counts as `text_length` tokens all the same.
        """
        text_logits, code_logits = self(text, codes)
        text_logits = text_logits.float().flatten(0, 1)
        code_logits = code_logits.float().flatten(0, 1)
        if self.config.mask_padding:
            text_loss = F.cross_entropy(
                text_logits, text.flatten(), ignore_index=0, reduction="sum"
            ) / (len(text) * self.config.text_length)
        else:
            text_loss = F.cross_entropy(text_logits, text.flatten())
        code_loss = F.cross_entropy(code_logits, codes.flatten())
        return {
            "loss": text_loss / 8 + code_loss * 7 / 8,
            "text": text_loss.detach(),
            "image": code_loss.detach(),
        }

    def with_cache(self, text: Int[Tensor, "n t"]) -> CachedGPT:
        """The network with a cache, ready to write each picture's first code."""
        return CachedGPT(self, text)

    def next_logits(
        self, text: Int[Tensor, "n t"], written: Int[Tensor, "n written"]
    ) -> Float[Tensor, "n v"]:
        """The logits of the code after those written, without a cache."""
        together, length = self.config.codes_per_token, written.shape[1]
        # only the local model reads the codes of a token that is not whole
        whole, begun = length // together * together, length % together
        hidden = self._read(text, written[:, :whole])
        hidden = self.predicting(hidden, text)[:, -1:]
        if self.local is not None:
            codes = F.pad(written[:, whole:], (0, together - begun))
            hidden = self.local(hidden, codes.unsqueeze(1))[:, :, begun]
        return self.code_head(self.norm(hidden)[:, -1])


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
