"""Attention: every query looks at all the keys and takes home a mixture of their
values.

`scaled_dot_product` spells out the five steps. `MultiHeadAttention` does the same
for several heads at once, within one sequence, and keeps keys and values in a cache
allocated once, so that writing the next token costs one token's work;
`CrossAttention` looks from one sequence into another. Lesson 05.

Letters: n sequences, s heads, q queries, k keys, t tokens, d channels of a head, w
= s * d channels in all.
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
    """softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, equation 1); returns the mixtures
    and the weights that made them.

    `mask` is True where a query may look. A query that may look nowhere gets NaN,
    as in PyTorch.
    """
    # 1. how well each key answers each query: *n q k
    scores = query @ key.transpose(-2, -1)
    # 2. variance 1 again, or the softmax saturates
    scores = scores / math.sqrt(query.shape[-1])
    if mask is not None:
        # 3. what must not be seen weighs nothing, *before* the softmax
        scores = scores.masked_fill(~mask, -math.inf)
    # 4. over the keys: each query's weights sum to 1
    weights = scores.softmax(dim=-1)
    return weights @ value, weights  # 5. the mixture


def causal_mask(
    queries: int, keys: int, device: torch.device | None = None
) -> Bool[Tensor, "q k"]:
    """True where a query may look: the last query sees every key, the one before
    all but the last key, and so on.
    """
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(
        keys - queries
    )


class KeyValueCache:
    """Room for the keys and values of `length` tokens in every layer, allocated
    once and filled in place.

    Without it, writing token t computes t tokens again; with it, one.
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
        self.filled = 0  # tokens that every layer has seen

    def extend(
        self,
        layer: int,
        key: Float[Tensor, "n s t d"],
        value: Float[Tensor, "n s t d"],
    ) -> tuple[Float[Tensor, "n s k d"], Float[Tensor, "n s k d"]]:
        """Store the new tokens' keys and values; return those of all tokens so
        far.
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
    """`scaled_dot_product` for all heads, and their answers side by side again; by
    PyTorch's fused kernel where that is faster.

    `maps`, a list, receives the weights (n, s, q, k), for drawing.
    """
    # in bfloat16, gradients included
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
    """Self-attention by `heads` attentions side by side, each on its own slice of
    the channels, and a projection that mixes their answers (Vaswani et al. 2017,
    section 3.2.2).
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
        """`causal` hides from each token those after it; `visible` is False where a
        token is padding, which nobody looks at; `cache` holds the keys and values
        of the tokens before; `maps` receives the weights.
        """
        query, key, value = rearrange(
            self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads
        )
        if cache is not None:
            key, value = cache.extend(layer, key, value)
        queries, keys = query.shape[2], key.shape[2]
        # the newest token sees everything before it
        mask = (
            causal_mask(queries, keys, x.device) if causal and queries > 1 else None
        )
        if visible is not None:
            mask = (
                visible[:, None, None]
                if mask is None
                else mask & visible[:, None, None]
            )
        return self.out(attend(query, key, value, mask, maps))


def directed_mask(
    heads: int, tokens: int, device: torch.device | None = None
) -> Bool[Tensor, "s t t"]:
    """Half of the heads look back, the others ahead, each token at itself too."""
    back = causal_mask(tokens, tokens, device)
    return torch.stack(
        [back if head < heads / 2 else back.T for head in range(heads)]
    )


class DirectedAttention(MultiHeadAttention):
    """Self-attention for reading: half of the heads look back, the others ahead
    (Shen et al. 2018, DiSAN).

    Attention by itself does not know order. Where every head sees everything, "left
    of" looks the same to the words before it and to those after it, but for what
    positions say, and who stands on which side is learned late.
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
        """`visible` is False where a token is padding: nobody else looks at it, and
        it at itself, for somewhere it must. There is no reading with `causal` or a
        `cache`.
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
            mask = (mask & visible[:, None, None]) | torch.eye(
                tokens, dtype=torch.bool, device=x.device
            )
        return self.out(attend(query, key, value, mask, maps))


class CrossAttention(nn.Module):
    """Queries from one sequence, keys and values from another: how a decoder reads
    what an encoder wrote, and how pixels read words.
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
        """`visible` is False where the memory is padding; `maps` receives the
        weights.
        """
        return self.look(x, *self.remember(memory), visible, maps)

    def remember(
        self, memory: Float[Tensor, "n k m"]
    ) -> tuple[Float[Tensor, "n s k d"], Float[Tensor, "n s k d"]]:
        """The keys and values of a memory, which stay the same however often it is
        looked at.
        """
        key, value = rearrange(
            self.key_value(memory),
            "n k (two s d) -> two n s k d",
            two=2,
            s=self.heads,
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
        """`forward`, on what `remember` returned."""
        query = rearrange(self.query(x), "n t (s d) -> n s t d", s=self.heads)
        return self.out(
            attend(
                query,
                key,
                value,
                None if visible is None else visible[:, None, None],
                maps,
            )
        )
