"""Work shared out among threads, its results in order: decoding pictures, during which Pillow and files wait for no lock of Python."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dalle_edu.datasets.memory import available_memory

_A_PICTURE = 1 << 30  # bytes that decoding the largest picture takes, with its copies
A, B = TypeVar("A"), TypeVar("B")


def few() -> int:
    """How many threads decode pictures: one for each core, 8 at most, and fewer where memory is short."""
    return max(1, min(8, os.cpu_count() or 1, available_memory() // _A_PICTURE))


def in_threads(function: Callable[[A], B], items: Iterable[A], threads: int | None = None) -> Iterator[B]:
    """Yield the function's result for each item, in the order of the items; few results wait at a time.

    Raises what the function raises, where the result would have come.
    """
    threads = threads or few()
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[B]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
