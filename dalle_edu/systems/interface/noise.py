"""Random numbers for pictures.

Those of picture i depend on (seed, i) alone, so a picture does not depend on the
batch that it is drawn in, but for the rounding of sums: one level of grey. They are
made on the CPU, so that every device is given the same, and the caller moves them.
Training does not use them: a loss takes its random numbers from a
`torch.Generator`.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def _generators(n: int, seed: int, stream: int) -> list[torch.Generator]:
    """A generator for each picture; it depends on (seed, i, stream) alone."""
    # a generator uses 32 bits of its seed; multiples of 2³² / golden ratio keep the
    # streams far apart
    return [
        torch.Generator().manual_seed(
            (seed * 1_000_003 + i + stream * 0x9E3779B9) % 2**32
        )
        for i in range(n)
    ]


def uniforms_for(
    n: int, length: int, seed: int, stream: int = 0
) -> Float[Tensor, "n length"]:
    """Uniform numbers in [0, 1), `length` of them for each of n pictures; row i
    depends on (seed, i) alone.

    A second series for the same pictures, independent of the first, needs another
    `stream`.
    """
    return torch.stack(
        [
            torch.rand(length, generator=generator, dtype=torch.float32)
            for generator in _generators(n, seed, stream)
        ]
    )


def noise_for(
    n: int, shape: Sequence[int], seed: int, stream: int = 0
) -> Float[Tensor, "n *shape"]:
    """Standard normal numbers, an array of this shape for each of n pictures; the
    one of picture i depends on (seed, i) alone. `stream` is as in `uniforms_for`.
    """
    return torch.stack(
        [
            torch.randn(tuple(shape), generator=generator, dtype=torch.float32)
            for generator in _generators(n, seed, stream)
        ]
    )
