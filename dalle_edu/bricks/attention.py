"""Attention: each query gets a mean of all values, weighted by how well keys fit.

`scaled_dot_product` spells out the five steps. `MultiHeadAttention` does the same
for several heads at once, within one sequence. It can keep keys and values in a
`KeyValueCache`, so that writing one more token costs one token's work.
`CrossAttention` takes its queries from one sequence and its keys and values from
another. Lesson 05.

Letters: n sequences, s heads, q queries, k keys, t tokens, d channels of a head, v
channels of a value, w = s * d channels in all, m channels of a memory.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError


def scaled_dot_product(
    query: Float[Tensor, "*n q d"],
    key: Float[Tensor, "*n k d"],
    value: Float[Tensor, "*n k v"],
    mask: Bool[Tensor, "*#n #q k"] | None = None,
) -> tuple[Float[Tensor, "*n q v"], Float[Tensor, "*n q k"]]:
    """softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, equation 1), and its weights.

    `mask` is True where a query may look. A query that may look nowhere gets NaN
    (PyTorch's fused kernel gives it 0).
    """
    # 1. how well each key fits each query: *n q k
    scores = query @ key.transpose(-2, -1)
    # 2. scores of variance d get variance 1: large ones saturate the softmax
    scores = scores / math.sqrt(query.shape[-1])
    if mask is not None:
        # 3. hidden keys score -inf *before* the softmax: their weight is 0
        scores = scores.masked_fill(~mask, -math.inf)
    # 4. the softmax is over the keys: each query's weights sum to 1
    weights = scores.softmax(dim=-1)
    # 5. each query gets the mean of the values with these weights
    return weights @ value, weights


def causal_mask(
    queries: int, keys: int, device: torch.device | None = None
) -> Bool[Tensor, "q k"]:
    """True where a query may look: at the keys up to its own position.

    The queries are the last of the sequence. The last one sees every key, the one
    before it all but the last key, and so on.
    """
    everywhere = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return everywhere.tril(keys - queries)


class KeyValueCache:
    """The keys and values of the tokens so far, in every layer.

    There is room for `length` tokens. It is allocated once and filled in place.
    Without a cache, writing token t computes t tokens again; with it, one. `filled`
    is the number of tokens that every layer has seen; the network that has run all
    its layers adds to it.
    """

    def __init__(
        self,
        layers: int,
        n: int,
        heads: int,
        length: int,
        head_dim: int,
        device: torch.device,
        dtype: torch.dtype,
    ):
        self.keys = torch.zeros(
            layers, n, heads, length, head_dim, device=device, dtype=dtype
        )
        self.values = torch.zeros_like(self.keys)
        self.filled = 0

    def extend(
        self,
        layer: int,
        key: Float[Tensor, "n s t d"],
        value: Float[Tensor, "n s t d"],
    ) -> tuple[Float[Tensor, "n s k d"], Float[Tensor, "n s k d"]]:
        """Store the new tokens' keys and values, and return those of all so far.

        Raises `ValueError` for more tokens than there is room for.
        """
        tokens = key.shape[2]
        end = self.filled + tokens
        if end > self.keys.shape[3]:
            raise ValueError(
                f"the cache has room for {self.keys.shape[3]} tokens "
                f"and was given token {end}"
            )
        keys, values = self.keys[layer], self.values[layer]
        keys.narrow(2, self.filled, tokens).copy_(key)
        values.narrow(2, self.filled, tokens).copy_(value)
        return keys.narrow(2, 0, end), values.narrow(2, 0, end)


def attend(
    query: Float[Tensor, "n s q d"],
    key: Float[Tensor, "n s k d"],
    value: Float[Tensor, "n s k d"],
    mask: Bool[Tensor, "*#n #q k"] | None = None,
    maps: list[Tensor] | None = None,
) -> Float[Tensor, "n q w"]:
    """`scaled_dot_product` for all heads, whose mixtures are put side by side.

    PyTorch's fused kernel computes it where that is faster. A list `maps` receives
    the weights (n, s, q, k), which can then be drawn.
    """
    # on a CPU in bfloat16, gradients included, the fused kernel is slower
    slow_kernel = query.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if maps is not None or slow_kernel:
        mixed, weights = scaled_dot_product(query, key, value, mask)
        if maps is not None:
            maps.append(weights.detach())
    else:
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return rearrange(mixed, "n s q d -> n q (s d)")


def _check_heads(width: int, heads: int) -> None:
    if heads < 1 or width % heads:
        raise DalleEduError(
            f"width {width} cannot be shared out among {heads} heads; choose a "
            "multiple",
            f"la largeur {width} ne se partage pas entre {heads} têtes ; "
            "choisissez un multiple",
        )


class MultiHeadAttention(nn.Module):
    """Self-attention by `heads` attentions side by side.

    Each has its own slice of the channels, and a projection mixes their results
    (Vaswani et al. 2017, section 3.2.2).

    Raises `DalleEduError` unless `width` is a multiple of `heads`.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        _check_heads(width, heads)
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        causal: bool = True,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The tokens' new channels, from those of the tokens that each may look at.

        With `causal` a token does not look at those after it. `visible` is False
        where a token is padding, which no token looks at. `cache` holds the keys
        and values of the tokens before, in layer number `layer`. A list `maps`
        receives the weights.
        """
        query, key, value = rearrange(
            self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
        )
        if cache is not None:
            key, value = cache.extend(layer, key, value)
        queries, keys = query.shape[2], key.shape[2]
        # a single query is the newest token, which sees every key
        masked = causal and queries > 1
        mask = causal_mask(queries, keys, x.device) if masked else None
        if visible is not None:
            visible_keys = visible[:, None, None]
            mask = visible_keys if mask is None else mask & visible_keys
        return self.out(attend(query, key, value, mask, maps))


def directed_mask(
    heads: int, tokens: int, device: torch.device | None = None
) -> Bool[Tensor, "s t t"]:
    """True where a head may look: half of the heads back, the others ahead.

    Every token may look at itself too.
    """
    back = causal_mask(tokens, tokens, device)
    ahead = back.T
    return torch.stack(
        [back if head < heads / 2 else ahead for head in range(heads)]
    )


class DirectedAttention(MultiHeadAttention):
    """Self-attention in which half of the heads look back and the others ahead.

    It is for reading whole sequences (Shen et al. 2018, DiSAN). Attention by itself
    does not know order. Where every head sees everything, the words before "left
    of" and those after it get the same from it, but for what positions say. Which
    object is on which side is then learned late.
    """

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        causal: bool = False,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The tokens' new channels, as in `MultiHeadAttention`.

        `visible` is False where a token is padding, which no other token looks at.
        A padding token looks at itself, since a query that looks nowhere gives NaN.

        Raises `ValueError` with `causal` or a `cache`: it reads whole sequences.
        """
        if causal or cache is not None:
            raise ValueError(
                "directed attention reads whole sequences; it is "
                "neither causal nor cached"
            )
        query, key, value = rearrange(
            self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
        )
        tokens = x.shape[1]
        mask = directed_mask(self.heads, tokens, x.device)
        if visible is not None:
            itself = torch.eye(tokens, dtype=torch.bool, device=x.device)
            mask = (mask & visible[:, None, None]) | itself
        return self.out(attend(query, key, value, mask, maps))


class CrossAttention(nn.Module):
    """Attention from one sequence to another, the memory.

    Queries come from the first, keys and values from the memory. A decoder looks at
    what an encoder read in this way, and pixels look at words.

    Raises `DalleEduError` unless `width` is a multiple of `heads`.
    """

    def __init__(self, width: int, heads: int, memory_width: int | None = None):
        super().__init__()
        _check_heads(width, heads)
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(memory_width or width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "n t w"],
        memory: Float[Tensor, "n k m"],
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The tokens' new channels, from the memory.

        `visible` is False where the memory is padding, which no token looks at. A
        list `maps` receives the weights.
        """
        return self.look(x, *self.remember(memory), visible, maps)

    def remember(
        self, memory: Float[Tensor, "n k m"]
    ) -> tuple[Float[Tensor, "n s k d"], Float[Tensor, "n s k d"]]:
        """The keys and values of a memory.

        They stay the same however often it is looked at, so they can be computed
        once.
        """
        both = self.key_value(memory)
        key, value = rearrange(
            both, "n k (two s d) -> two n s k d", two=2, s=self.heads
        )
        return key, value

    def look(
        self,
        x: Float[Tensor, "n t w"],
        key: Float[Tensor, "n s k d"],
        value: Float[Tensor, "n s k d"],
        visible: Bool[Tensor, "n k"] | None = None,
        maps: list[Tensor] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """What `forward` returns, from the keys and values of `remember`."""
        query = rearrange(self.query(x), "n t (s d) -> n s t d", s=self.heads)
        mask = None if visible is None else visible[:, None, None]
        return self.out(attend(query, key, value, mask, maps))
