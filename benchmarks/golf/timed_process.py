"""A process under a stopwatch: its wall and CPU seconds, those of all that it starts included, and its end where it takes too long."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_GLANCE = 0.1  # seconds between two looks


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit status, None where it was stopped for time, what it wrote, and the seconds it took."""

    status: int | None
    output: bytes
    errors: str
    wall_seconds: float
    cpu_seconds: float


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    given: bytes = b"",
    most_wall: float = float("inf"),
    most_cpu: float = float("inf"),
    watch: Callable[[float], None] = lambda seconds: None,
) -> Outcome:
    """Run a command in a folder, with `given` as its input, until it ends or takes more than so many seconds of wall or CPU time.

    `watch` is called with the wall seconds now and then. Whatever the command started ends with it.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        source.write(given)
        source.seek(0)
        before, begun = _waited_for(), time.monotonic()
        alone = os.name == "posix"
        process = subprocess.Popen(
            command, stdin=source, stdout=output, stderr=errors, cwd=folder, env=environment, start_new_session=alone
        )
        tree, cpu, late = psutil.Process(process.pid), 0.0, False
        known: dict[int, psutil.Process] = {}
        try:
            while True:
                try:
                    process.wait(_GLANCE)
                    break
                except subprocess.TimeoutExpired:
                    pass
                known |= _descendants(tree)
                cpu, wall = max(cpu, tree_seconds(tree)), time.monotonic() - begun
                watch(wall)
                if wall > most_wall or cpu > most_cpu:
                    late = True
                    break
        finally:
            _end(process, known | _descendants(tree))
        wall = time.monotonic() - begun
        cpu = max(cpu, _waited_for() - before)
        output.seek(0)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
        late = late or wall > most_wall or cpu > most_cpu
        return Outcome(None if late else process.returncode, output.read(), said, wall, cpu)


def tree_seconds(process: psutil.Process) -> float:
    """The CPU seconds of a process, of those that it started and that live, and of those that it has seen end."""
    seconds = 0.0
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                times = one.cpu_times()
            except psutil.Error:
                continue
            seconds += times.user + times.system + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    except psutil.Error:
        pass
    return seconds


def _descendants(tree: psutil.Process) -> dict[int, psutil.Process]:
    try:
        return {child.pid: child for child in tree.children(recursive=True)}
    except psutil.Error:
        return {}


def _end(process: subprocess.Popen, others: Mapping[int, psutil.Process]) -> None:
    """End a process and those that it started, also where these changed their parent."""
    if process.poll() is None:
        process.kill()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads its own group
    for other in others.values():
        with contextlib.suppress(psutil.Error):
            other.kill()  # by its id and its time of birth
    process.wait()


def _waited_for() -> float:
    """The CPU seconds of all processes that this one has waited for."""
    times = os.times()
    return times.children_user + times.children_system
