"""Work shared out among threads, its results in order: decoding pictures, during which Pillow and files wait for no lock of Python."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A, B = TypeVar("A"), TypeVar("B")


def in_threads(function: Callable[[A], B], items: Iterable[A], threads: int | None = None) -> Iterator[B]:
    """Yield the function's result for each item, in the order of the items; few results wait at a time. By default 8 threads at most.

    Raises what the function raises, where the result would have come.
    """
    threads = threads or min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[B]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
