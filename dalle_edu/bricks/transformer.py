"""The transformer: layers of attention and of small networks, on a residual stream.

Each layer's result is added to what it was given. An encoder reads a whole sequence
at once. A decoder writes another, one token after the other: it looks at what it
has written and at what the encoder read (Vaswani et al. 2017). A `Block` without
encoder is a layer of GPT. Layer norms come before each sublayer (pre-norm, Xiong et
al. 2020), and nothing has a bias. Lesson 05.

Letters: n sequences, t tokens of one, k tokens of the other (the memory), w
channels, m channels of a memory, v entries of a vocabulary.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.attention import (
    CrossAttention,
    DirectedAttention,
    KeyValueCache,
    MultiHeadAttention,
)
from dalle_edu.errors import DalleEduError


def sinusoidal_positions(length: int, width: int) -> Float[Tensor, "t w"]:
    """Positions as waves (Vaswani et al. 2017, section 3.5).

    Channel 2i is sin(t / 10000^(2i/w)), and channel 2i + 1 the cosine. Moving by a
    fixed number of tokens turns each pair of channels by a fixed angle, so that
    relative positions are linear in them.

    Raises `DalleEduError` for a length below 1 and for an odd width or one below 2.
    """
    if length < 1 or width < 2 or width % 2:
        raise DalleEduError(
            f"{length} positions of {width} channels were asked for; give 1 or "
            "more positions and an even width",
            f"{length} positions de {width} canaux sont demandées ; donnez 1 "
            "position ou plus et une largeur paire",
        )
    cpu = torch.device("cpu")  # whatever the default device
    positions = torch.arange(length, device=cpu).unsqueeze(1)
    channels = torch.arange(0, width, 2, device=cpu, dtype=torch.float32)
    angles = positions * torch.exp(channels * (-math.log(10_000) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def initialise(model: nn.Module, depth: int) -> None:
    """Initialise a transformer of `depth` blocks in place, as GPT-2's.

    Matrices, and a parameter called `start`, are drawn with a standard deviation of
    0.02. The projections that add to the residual stream get that over √(2 depth),
    so that its variance does not grow with depth (Radford et al. 2019, section
    2.3).
    """
    for name, parameter in model.named_parameters():
        if name.endswith(("contract.weight", "attention.out.weight")):
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * depth))
        elif parameter.ndim == 2 or name == "start":
            nn.init.normal_(parameter, std=0.02)


class Block(nn.Module):
    """A layer of GPT-2: attention, then a small network for each token.

    The result of each is added to its input. If not `causal`, every token looks at
    all the others, as in an encoder.
    """

    def __init__(self, width: int, heads: int, causal: bool = True):
        super().__init__()
        self.causal = causal
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.attention = MultiHeadAttention(width, heads)
        self.norm_2 = nn.LayerNorm(width, bias=False)
        self.expand = nn.Linear(width, 4 * width, bias=False)
        self.contract = nn.Linear(4 * width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        cache: KeyValueCache | None = None,
        layer: int = 0,
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The stream after attention and the small network.

        `visible`, `cache`, `layer` and `maps` are those of `MultiHeadAttention`.
        """
        normed = self.norm_1(x)
        x = x + self.attention(normed, self.causal, cache, layer, visible, maps)
        return x + self.contract(F.gelu(self.expand(self.norm_2(x))))


class CrossBlock(nn.Module):
    """A decoder's layer: self-attention, cross-attention, a small network.

    Each token looks at those written so far, then at the memory. If not `causal`,
    it looks at all the others, as the positions of a picture do.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        causal: bool = True,
        memory_width: int | None = None,
    ):
        super().__init__()
        self.causal = causal
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.attention = MultiHeadAttention(width, heads)
        self.norm_2 = nn.LayerNorm(width, bias=False)
        self.cross_attention = CrossAttention(width, heads, memory_width)
        self.norm_3 = nn.LayerNorm(width, bias=False)
        self.expand = nn.Linear(width, 4 * width, bias=False)
        self.contract = nn.Linear(4 * width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        memory: Float[Tensor, "n k m"],
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The stream after both attentions and the small network.

        `visible` is False where the memory is padding. A list `maps` receives the
        weights of the cross-attention.
        """
        x = x + self.attention(self.norm_1(x), self.causal)
        x = x + self.cross_attention(self.norm_2(x), memory, visible, maps)
        return x + self.contract(F.gelu(self.expand(self.norm_3(x))))


class Encoder(nn.Module):
    """Reads a sequence: every token looks at all the others.

    If `directed`, half of the heads look back and the others ahead
    (`DirectedAttention`).
    """

    def __init__(self, width: int, depth: int, heads: int, directed: bool = False):
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(width, heads, causal=False) for _ in range(depth)
        )
        if directed:
            for block in self.blocks:
                block.attention = DirectedAttention(width, heads)
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        visible: Bool[Tensor, "n t"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The sequence after all layers and a last norm.

        `visible` is False where a token is padding. A list `maps` receives the
        weights of each layer.
        """
        for block in self.blocks:
            x = block(x, visible=visible, maps=maps)
        return self.norm(x)


class Decoder(nn.Module):
    """Writes a sequence: every token looks at those before it and at the memory."""

    def __init__(self, width: int, depth: int, heads: int):
        super().__init__()
        self.blocks = nn.ModuleList(CrossBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        memory: Float[Tensor, "n k w"],
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The sequence after all layers and a last norm.

        `visible` is False where the memory is padding. A list `maps` receives the
        cross-attention's weights in each layer.
        """
        for block in self.blocks:
            x = block(x, memory, visible, maps)
        return self.norm(x)


class Transformer(nn.Module):
    """From one sequence of tokens to another, as in translation.

    It has embeddings, positions, an encoder, a decoder and a linear head. Token 0
    is padding. `length` is the most tokens of a sequence. If `directed`, so is the
    encoder.
    """

    positions: Tensor

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        length: int = 64,
        directed: bool = False,
    ):
        super().__init__()
        self.source_embedding = nn.Embedding(source_vocabulary, width)
        self.target_embedding = nn.Embedding(target_vocabulary, width)
        for embedding in (self.source_embedding, self.target_embedding):
            # _embed multiplies by √width: larger words would drown the positions
            nn.init.normal_(embedding.weight, std=width**-0.5)
        positions = sinusoidal_positions(length, width)
        self.register_buffer("positions", positions, persistent=False)
        self.encoder = Encoder(width, depth, heads, directed)
        self.decoder = Decoder(width, depth, heads)
        self.head = nn.Linear(width, target_vocabulary, bias=False)

    def _embed(
        self, tokens: Int[Tensor, "n t"], embedding: nn.Embedding
    ) -> Float[Tensor, "n t w"]:
        if tokens.shape[1] > len(self.positions):
            raise DalleEduError(
                f"a sequence has {tokens.shape[1]} tokens and may have "
                f"{len(self.positions)}; build the transformer longer",
                f"une suite a {tokens.shape[1]} jetons et peut en avoir "
                f"{len(self.positions)} ; construisez le transformeur plus long",
            )
        # Vaswani et al. 2017, section 3.4
        words = embedding(tokens) * math.sqrt(embedding.embedding_dim)
        return words + self.positions[: tokens.shape[1]]

    def encode(
        self, source: Int[Tensor, "n k"], maps: list[Tensor] | None = None
    ) -> Float[Tensor, "n k w"]:
        """The memory: what the encoder makes of a source.

        A list `maps` receives the weights. Raises `DalleEduError` for sequences
        over `length`.
        """
        x = self._embed(source, self.source_embedding)
        return self.encoder(x, source != 0, maps)

    def decode(
        self,
        written: Int[Tensor, "n t"],
        memory: Float[Tensor, "n k w"],
        source: Int[Tensor, "n k"],
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t v"]:
        """The logits of the token that follows each token written so far.

        `source` says where the memory is padding. A list `maps` receives the
        weights of the cross-attention. Raises `DalleEduError` for sequences over
        `length`.
        """
        x = self._embed(written, self.target_embedding)
        return self.head(self.decoder(x, memory, source != 0, maps))

    def forward(
        self, source: Int[Tensor, "n k"], written: Int[Tensor, "n t"]
    ) -> Float[Tensor, "n t v"]:
        """Teacher forcing: the logits of what follows each token of `written`.

        `written` holds the true tokens. Raises `DalleEduError` for sequences over
        `length`.
        """
        return self.decode(written, self.encode(source), source)
