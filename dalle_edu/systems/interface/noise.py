"""Random numbers for pictures: those of picture i depend on (seed, i) alone, so a
picture does not depend on the batch that it is drawn in.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def _generators(n: int, seed: int, stream: int) -> list[torch.Generator]:
    """One for each picture, which depends on (seed, i) and on the stream alone."""
    # the generator looks at 32 bits of its seed: the golden ratio of them leads far
    # from the other streams
    return [
        torch.Generator().manual_seed(
            (seed * 1_000_003 + i + stream * 0x9E3779B9) % 2**32
        )
        for i in range(n)
    ]


def uniforms_for(
    n: int, length: int, seed: int, stream: int = 0
) -> Float[Tensor, "n length"]:
    """Uniform numbers in [0, 1), a row for each picture; row i depends on (seed, i)
    alone, on every device. Who draws twice for one picture takes another `stream`.
    """
    return torch.stack(
        [
            torch.rand(length, generator=generator)
            for generator in _generators(n, seed, stream)
        ]
    )


def noise_for(
    n: int, shape: Sequence[int], seed: int, stream: int = 0
) -> Float[Tensor, "n *shape"]:
    """Standard normal numbers for each picture, as `uniforms_for` gives uniform
    ones.
    """
    return torch.stack(
        [
            torch.randn(tuple(shape), generator=generator)
            for generator in _generators(n, seed, stream)
        ]
    )
