"""Rates with their 95 % confidence interval (Wilson 1927)."""

import math
from dataclasses import dataclass

Z = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations of its mean


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of the rate `correct` / `n` (Wilson 1927), within [0, 1]; all of it where `n` is 0.

    It holds the true rates p for which `correct` / `n` lies within 1.96 standard deviations √(p (1 - p) / n) of p. Unlike the normal
    interval, it has a width above 0 for rates of 0 and 1 too.

    Raises `ValueError` unless `correct` is 0 to `n`.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} right answers of {n}: give 0 to {n}")
    if n == 0:
        return 0.0, 1.0
    rate = correct / n
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half_width = Z * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    # at the ends rounding would leave 1e-17 in place of 0
    low = middle - half_width if correct > 0 else 0.0
    high = middle + half_width if correct < n else 1.0
    return low, high


@dataclass(frozen=True)
class Rate:
    """A rate: `correct` right answers, 0 to `n`, among `n`."""

    n: int
    correct: int

    def to_json(self) -> dict[str, int | float]:
        """The counts, the rate in [0, 1] (0 where `n` is 0), and its 95 % interval."""
        low, high = wilson_interval(self.correct, self.n)
        rate = self.correct / self.n if self.n else 0.0
        return {"n": self.n, "correct": self.correct, "rate": rate, "low": low, "high": high}
