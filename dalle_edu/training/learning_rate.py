"""The learning rate's schedule."""


def learning_rate_schedule(update: int, progress: float, warmup: int = 30) -> float:
    """The learning rate as a part of its peak: up over the first updates, then straight down to zero (Bergsma et al. 2025)."""
    return min(1.0, (update + 1) / warmup) * max(0.0, 1 - progress)
