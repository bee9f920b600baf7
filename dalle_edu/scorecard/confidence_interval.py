"""Rates with their 95 % confidence interval (Wilson)."""

import math
from dataclasses import dataclass


def wilson_interval(correct: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927): unlike the normal one, it stays within [0, 1] and never shrinks to a point."""
    if n == 0:
        return 0.0, 1.0
    rate, spread = correct / n, z * z / n
    middle = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(rate * (1 - rate) / n + spread / (4 * n))
    low, high = middle - half, middle + half
    return (0.0 if correct == 0 else low), (1.0 if correct == n else high)


@dataclass(frozen=True)
class Rate:
    """How often a skill was right: `correct` of `n`."""

    n: int
    correct: int

    def to_json(self) -> dict[str, int | float]:
        low, high = wilson_interval(self.correct, self.n)
        rate = self.correct / self.n if self.n else 0.0
        return {"n": self.n, "correct": self.correct, "rate": rate, "low": low, "high": high}
