"""A second of the reference machine: one known piece of work says how fast a machine is just now.

The same lesson took 51 and 104 processor seconds on one machine within a day: neighbours take caches, memory and clock away. So this work,
a mix of what lessons do, is timed before and after a measurement, and the measurement is told in units of it.

    python -m benchmarks.calibrate      prints what it takes here, in twenty rounds
"""

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

REFERENCE = 1.0  # processor seconds of the work on the reference machine: the least of twenty rounds on an AMD EPYC, in one thread
Result = TypeVar("Result")


def work() -> float:
    """The known piece of work: a small network that learns, arrays, and Python, a third of the time each; returns a number from all."""
    return _networks() + _arrays() + _python()


def measure() -> float:
    """The processor seconds that the work takes now, in one thread: the median of three, since a neighbour may disturb one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return statistics.median(_once() for _ in range(3))
    finally:
        torch.set_num_threads(threads)


def _once() -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def calibrated(seconds: float, before: float, after: float) -> float:
    """Processor seconds as the reference machine would have taken them; `before` and `after` are what `measure` gave around them."""
    return seconds * REFERENCE / statistics.mean((before, after))


def timed(task: Callable[[], Result]) -> tuple[Result, float]:
    """What a task returns, and the calibrated processor seconds that this process took for it."""
    before, begun = measure(), time.process_time()
    result = task()
    seconds = time.process_time() - begun
    return result, calibrated(seconds, before, measure())


def report(rounds: int = 20) -> str:
    """A line on what the work takes here, in so many rounds."""
    found = sorted(measure() for _ in range(rounds))
    median = statistics.median(found)
    return (
        f"{rounds} rounds: least {found[0]:.2f} s, median {median:.2f} s, most {found[-1]:.2f} s; "
        f"reference {REFERENCE:.2f} s, so that this machine is {median / REFERENCE:.2f} times as slow"
    )


# ---------------------------------------------------------------- the work


def _networks() -> float:
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.LayerNorm(128), nn.Linear(128, 64))
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -0.1, 0.1, generator=generator)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    batch, loss = torch.randn(32, 16, 64, generator=generator), torch.zeros(())
    for _ in range(150):
        weights = (batch @ batch.mT / 8).softmax(-1)
        loss = (network(weights @ batch) - batch).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def _arrays() -> float:
    generator, total = np.random.default_rng(0), 0.0
    points, centres = generator.normal(size=(400, 16)), generator.normal(size=(60, 16))
    for _ in range(150):
        distances = ((points[:, None] - centres) ** 2).sum(-1)
        nearest = distances.argmin(1)
        centres = np.stack([points[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(len(centres))])
        total += float(np.sort(distances, axis=0)[0].sum())
    return total


def _python() -> float:
    words, counts = [f"{number % 97}-{number % 89}" for number in range(60_000)], dict[str, int]()
    for _ in range(38):
        for word in words:
            counts[word] = counts.get(word, 0) + len(word)
    return sum(counts.values()) / 1e6


if __name__ == "__main__":
    print(report())
