"""The seconds of a check are those of a machine of today: code on a busy or slow machine has its time, and code that waits has no more."""

import time

import pytest

from dalle_edu.classroom.checking import pace


@pytest.fixture
def clocks(monkeypatch):
    """The clock and the processor time of the stopwatch, which a test sets."""
    now = {"clock": 0.0, "processor": 0.0}
    monkeypatch.setattr(pace.time, "monotonic", lambda: now["clock"])
    monkeypatch.setattr(pace.time, "process_time", lambda: now["processor"])
    monkeypatch.setattr(pace, "slowness", lambda: 1.0)
    return now


@pytest.mark.parametrize(
    ("clock", "processor", "slowness", "spent"),
    [
        (10, 10, 1, 10),  # alone on its machine
        (40, 10, 1, 10),  # three others want the processor, too
        (10, 40, 1, 10),  # four threads at work
        (40, 40, 4, 10),  # a slow processor
        (160, 40, 4, 10),  # both
        (10, 0.01, 4, 10),  # asleep
    ],
)
def test_the_stopwatch_counts_the_seconds_of_a_machine_of_today(clocks, monkeypatch, clock, processor, slowness, spent):
    monkeypatch.setattr(pace, "slowness", lambda: slowness)
    watch = pace.Stopwatch()
    clocks |= {"clock": clock, "processor": processor}
    assert watch.spent() == spent
    clocks |= {"clock": 2 * clock, "processor": 2 * processor}
    assert watch.spent() == 2 * spent


@pytest.mark.parametrize(("seconds", "times"), [(0.01, 1.0), (0.04, 2.0), (7.0, 10.0)])
def test_slowness_is_at_least_one_and_has_an_end(monkeypatch, seconds, times):
    monkeypatch.setattr(pace, "_known_work", lambda: seconds)
    assert pace.slowness.__wrapped__() == pytest.approx(times)


def test_the_known_work_takes_time():
    assert 0 < pace._known_work() < 60
    assert time.thread_time() > 0
