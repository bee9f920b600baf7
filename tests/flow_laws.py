"""What the tests of flow matching share: numbers drawn by seed, and the exact velocity of a normal law."""

import torch


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def times(*t: float) -> torch.Tensor:
    return torch.tensor(t, dtype=torch.float64)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def gaussian(mean: float, deviation: float):
    """The exact velocity when pictures are drawn from a normal law: the mean of noise - x0 over all lines through (x_t, t)."""

    def velocity(x_t, t):
        part = t.view(-1, *[1] * (x_t.ndim - 1)).to(x_t.dtype)
        variance = (1 - part) ** 2 * deviation**2 + part**2
        away = (x_t - (1 - part) * mean) / variance
        return part * away - (mean + (1 - part) * deviation**2 * away)

    return velocity
