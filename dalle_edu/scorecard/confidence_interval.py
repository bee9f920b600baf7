"""Rates with their 95 % confidence interval (Wilson 1927)."""

from dataclasses import dataclass


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of the rate `correct` / `n` (Wilson 1927), within [0, 1]; all of it where `n` is 0.

    Unlike the normal interval, it has a width above 0 for rates of 0 and 1 too. Raises `ValueError` for `correct` above `n`.
    """
    if n == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes a second to import

    low, high = binomtest(correct, n).proportion_ci(method="wilson")
    return float(low), float(high)


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
