import threading
import time
import warnings

import psutil
import pytest
import torch
from faulty import picture

from dalle_edu.datasets import Folder, memory, threads
from dalle_edu.datasets.memory import available_memory, empty_pictures, room_for_pictures
from dalle_edu.datasets.threads import in_threads


def test_a_quarter_of_the_available_memory_is_for_pictures(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr(memory, "available_memory", lambda: 8000)
    assert room_for_pictures() == 2000
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")  # processes of torchrun on this machine
    assert room_for_pictures() == 500


def test_a_container_limits_what_is_available(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_LIMITS", (str(tmp_path / "none"), str(tmp_path / "limit")))
    assert 0 < available_memory() <= psutil.virtual_memory().total
    (tmp_path / "limit").write_text("max\n")
    assert available_memory() > 10_000
    (tmp_path / "limit").write_text("10000\n")
    assert available_memory() == 10_000


def test_pictures_are_in_shared_memory_where_there_is_room(tmp_path, monkeypatch):
    assert empty_pictures(2, 8).is_shared()
    assert empty_pictures(2, 8).shape == (2, 3, 8, 8)
    monkeypatch.setattr(memory, "_SHARED", tmp_path)
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2 * 2 * 3 * 64}))
    assert not empty_pictures(2, 8).is_shared()  # /dev/shm of a container is small, and writing beyond its end kills a process
    assert empty_pictures(1, 8).is_shared()


# ---------------------------------------------------------------- threads


def test_threads_are_fewer_where_memory_is_short(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 64)
    for available, wanted in ((10**6, 1), (3 << 30, 3), (10**12, 8)):
        monkeypatch.setattr(threads, "available_memory", lambda available=available: available)
        assert threads.few() == wanted


def test_results_come_in_order():
    def slow(number):
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(in_threads(slow, range(50), 4)) == [number * number for number in range(50)]
    assert list(in_threads(slow, [])) == []


def test_threads_work_together_and_are_few():
    together = threading.Barrier(3, timeout=20)
    assert list(in_threads(lambda number: together.wait() >= 0, range(9), 3)) == [True] * 9


def test_few_results_wait():
    given = []
    results = in_threads(lambda number: number, (given.append(number) or number for number in range(1000)), 2)
    assert next(results) == 0
    assert len(given) <= 8
    results.close()
    assert len(given) <= 8


def test_what_a_thread_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 // (3 - number), range(10), 2))


def test_filters_of_warnings_are_what_they_were(tmp_path, monkeypatch):
    """Two threads enter and leave `catch_warnings` crosswise, the last with the filters that the first had set."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(picture())
        (tmp_path / f"{name}.txt").write_text("kite")
    entered_a, entered_b, left_a = (threading.Event() for _ in range(3))

    def crosswise(self, pair):
        before, then, after = (None, entered_a, entered_b) if pair.name == "a.png" else (entered_a, entered_b, left_a)
        assert before is None or before.wait(20)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            then.set()
            assert after.wait(20)
        left_a.set()
        return torch.zeros(3, 8, 8)

    monkeypatch.setattr(Folder, "picture", crosswise)
    monkeypatch.setattr(threads, "few", lambda: 2)
    before = list(warnings.filters)
    Folder(tmp_path, 8)
    assert list(warnings.filters) == before
