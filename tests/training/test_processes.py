"""Several processes, and processes that are stopped: what they share, and what they leave behind."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import RUN, train_share

from benchmarks.endurance import work, work_and_die
from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.training.interrupts import StopPolitely

spawn = multiprocessing.get_context("forkserver")
spawn.set_forkserver_preload(["tiny_training"])
SHORT = replace(RUN, updates=24, batch_size=4, exam=0)


def started(target: Any, *arguments: Any) -> Any:
    child = spawn.Process(target=target, args=arguments)
    child.start()
    return child


def free_port() -> int:
    with contextlib.closing(socket.socket()) as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def ends(*children: Any) -> list[int]:
    for child in children:
        child.join(timeout=240)
    return [child.exitcode for child in children]


def pair(folders: tuple[Path, Path], weights: Path) -> list[Any]:
    """Two processes of a run, each with a folder of its own, as on two machines."""
    port = free_port()
    names = [str(weights.with_name(f"{weights.name}-{rank}.safetensors")) for rank in (0, 1)]
    return [started(train_share, rank, port, str(folders[rank]), SHORT, names[rank]) for rank in (0, 1)]


def assert_same(one: Path, other: Path) -> None:
    ours, theirs = load_checkpoint(one)[0], load_checkpoint(other)[0]
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.slow
def test_two_machines_without_a_shared_disk_do_what_one_run_does(tmp_path):
    """The second has an empty folder, before and after the run was stopped by a signal that only the second was sent."""
    a, b = tmp_path / "a", tmp_path / "b"
    assert ends(*pair((a, b), tmp_path / "whole")) == [0, 0]
    assert_same(tmp_path / "whole-0.safetensors", tmp_path / "whole-1.safetensors")
    assert not b.exists()
    log = [json.loads(line) for line in (a / "log.jsonl").read_text().splitlines()]
    assert len({(entry["stage"], entry["update"], "loss" in entry) for entry in log}) == len(log)  # one writes, and each line once
    assert log[0]["conditions"]["processes"] == 2

    c, d = tmp_path / "c", tmp_path / "d"
    children = pair((c, d), tmp_path / "stopped")
    began = time.monotonic()
    while not (c / "checkpoint.safetensors").exists() and time.monotonic() - began < 120:
        time.sleep(0.01)
    os.kill(children[1].pid, signal.SIGTERM)
    assert ends(*children) == [1, 1]  # KeyboardInterrupt
    assert 0 < load_checkpoint(c / "checkpoint.safetensors")[1]["clocks"][0]["update"] < 24
    assert not (c / "dalle1.safetensors").exists()
    assert not d.exists()
    assert ends(*pair((c, d), tmp_path / "on")) == [0, 0]
    assert_same(tmp_path / "whole-0.safetensors", tmp_path / "on-0.safetensors")
    assert_same(tmp_path / "whole-0.safetensors", tmp_path / "on-1.safetensors")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names the files of a process the way of Linux")
def test_killed_at_each_point_of_a_save_it_ends_with_the_same_weights(tmp_path):
    run = replace(SHORT, preset="endurance", updates=12)
    assert ends(started(work, str(tmp_path / "whole"), run)) == [0]
    for save, point, newest in ((3, "write", True), (2, "first", True), (2, "second", False), (1, "write", False)):
        assert ends(started(work_and_die, str(tmp_path / "killed"), run, point, save)) == [-signal.SIGKILL]
        left = {path.name for path in (tmp_path / "killed").iterdir()}
        assert ("checkpoint.safetensors" in left) == newest
        assert "checkpoint.before.safetensors" in left
    assert ends(started(work, str(tmp_path / "killed"), run)) == [0]
    assert_same(tmp_path / "whole" / "dalle1.safetensors", tmp_path / "killed" / "dalle1.safetensors")
    left = {path.name for path in (tmp_path / "killed").iterdir()}
    assert left == {path.name for path in (tmp_path / "whole").iterdir()}  # no temporary files


# ---------------------------------------------------------------- signals


@pytest.fixture
def handlers() -> Iterator[None]:
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in names}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.01)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_politely_and_its_handler_comes_back(name, handlers):
    number, caught = getattr(signal, name), list[int]()
    signal.signal(number, lambda *_: caught.append(1))
    with StopPolitely() as stopping:
        send(number)
        assert stopping.is_set()
        send(number)  # as what starts several processes passes on what the terminal has sent to them too
    assert not caught
    send(number)
    assert caught == [1]


def test_a_second_ctrl_c_ends_at_once_and_a_second_sigterm_does_not(handlers, monkeypatch):
    with StopPolitely() as stopping:
        send(signal.SIGTERM)
        assert stopping.is_set()
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 5)
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
def test_what_nohup_has_ignored_stays_ignored(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with StopPolitely() as stopping:
        send(signal.SIGHUP)
        assert not stopping.is_set()


def test_outside_the_main_thread_no_handler_changes(handlers):
    seen = []

    def elsewhere() -> None:
        with StopPolitely():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]
