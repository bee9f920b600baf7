"""A word knows its neighbours: tokens mixed with those just before them.

Attention has to learn where the word before is, and only then can it use it. Two
cheap layers hand it over from the first update on. `Smear` acts on the embeddings.
It is the token shift of RWKV (Peng et al. 2023), with a matrix in place of one
weight per channel. `Canon` is a short causal convolution within each layer
(Allen-Zhu 2025, "Physics of language models: part 4.1, architecture design and the
magic of canon layers"). Lesson 11.

Letters: n sequences, t tokens, w channels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def shifted(x: Float[Tensor, "n t w"], tokens: int) -> Float[Tensor, "n t w"]:
    """In the place of each token the one so many `tokens` before it.

    The first ones, which have none, get zeros.
    """
    return F.pad(x, (0, 0, tokens, 0))[:, : x.shape[1]]


class Smear(nn.Module):
    """Adds to each token a linear map of the token before it.

    The map is a matrix without bias, drawn with a standard deviation of 0.02.
    """

    def __init__(self, width: int):
        super().__init__()
        self.before = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.before.weight, std=0.02)

    def forward(self, x: Float[Tensor, "n t w"]) -> Float[Tensor, "n t w"]:
        """Tokens with their neighbours in them; the first stays as it is."""
        return x + self.before(shifted(x, 1))


class Canon(nn.Module):
    """Adds to each token the `taps` before it, each channel with its own weights.

    It is a causal convolution of `taps` + 1 tokens, channel by channel, whose
    weight for the token itself is 1. The others, of shape (taps, width), are drawn
    with a standard deviation of 0.3, and the nearest token's come first.
    """

    def __init__(self, width: int, taps: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(taps, width))
        nn.init.normal_(self.weight, std=0.3)

    def forward(self, x: Float[Tensor, "n t w"]) -> Float[Tensor, "n t w"]:
        """y(t) = x(t) + Σ w(j) x(t - j), for j from 1 to `taps`."""
        y = x
        for distance, weight in enumerate(self.weight, start=1):
            y = y + weight * shifted(x, distance)
        return y

    def step(
        self, x: Float[Tensor, "n w"], before: Sequence[Float[Tensor, "n w"]]
    ) -> Float[Tensor, "n w"]:
        """y for one token of each sequence, from those `before` it, nearest first.

        At the beginning of a sequence there are fewer than `taps`.
        """
        for weight, token in zip(self.weight, before, strict=False):
            x = x + weight * token
        return x
