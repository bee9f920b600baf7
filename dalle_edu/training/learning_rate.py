"""The learning rate's schedule."""


def learning_rate_schedule(update: int, progress: float, warmup: int = 30) -> float:
    """The learning rate as a part of its peak, in [0, 1]: a linear warm-up, then a linear decay to zero (Bergsma et al. 2025).

    `update` counts from 0, `progress` in [0, 1] is the part of the stage that is done, and `warmup` is in updates.
    """
    return min(1.0, (update + 1) / warmup) * max(0.0, 1 - progress)
