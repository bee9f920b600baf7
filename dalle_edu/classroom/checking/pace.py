"""The time that a student's code has taken, in seconds of a machine of today, so that a slow or busy machine gives the same verdict.

Two things make code late. The machine is busy with other programs, or is halted: then the processor time of this process grows more slowly
than the clock, and is what counts. The processor itself is slow: then a known piece of work, measured once, says how many times slower.
"""

import functools
import time

REFERENCE = 0.020  # processor seconds that the known piece of work takes on a machine of today
SLOWEST = 10.0  # times; a machine slower than that is taken for one as slow as that
ASLEEP = 0.02  # share of a processor below which code is taken to wait: waiting counts by the clock


class Stopwatch:
    """Counts the seconds that code in this process takes, from its making on; it is read every now and then."""

    def __init__(self) -> None:
        self._spent, self._clock, self._processor = 0.0, time.monotonic(), time.process_time()

    def spent(self) -> float:
        """Seconds so far, as a machine of today would have taken them.

        Between two readings, the smaller of clock and processor time counts. Code that sleeps, or waits for what never comes, uses next to
        no processor: it counts by the clock.
        """
        clock, processor = time.monotonic(), time.process_time()
        passed, worked = clock - self._clock, processor - self._processor
        self._clock, self._processor = clock, processor
        self._spent += passed if worked < ASLEEP * passed else min(passed, worked) / slowness()
        return self._spent


@functools.cache
def slowness() -> float:
    """How many times slower this processor is than one of today: at least 1, at most `SLOWEST`."""
    return min(max(min(_known_work() for _ in range(3)) / REFERENCE, 1.0), SLOWEST)


def _known_work() -> float:
    start, total = time.thread_time(), 0
    for number in range(250_000):
        total += number % 7
    return time.thread_time() - start
