"""Trials in processes of their own, each under a watch: one that takes too long or too much memory is ended, and its process replaced."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tools.fuzz.trial import BYTES, SECONDS, Verdict, attempt, make

Job = tuple[str, int]  # a kind and a number


@dataclass
class _Worker:
    """A process, the line to it, the job that it has and when that began."""

    process: Any
    line: Connection
    job: Job | None = None
    began: float = field(default_factory=time.monotonic)


def tried(jobs: Sequence[Job], seed: int, workers: int) -> Iterator[tuple[Job, str, float, Verdict]]:
    """Each job with its sentence, its seconds and its verdict, as they are done."""
    left, busy = list(reversed(jobs)), [_started(seed) for _ in range(workers)]
    while left or any(worker.job for worker in busy):
        for place, worker in enumerate(busy):
            if worker.job and (fault := _beyond(worker)):
                worker.process.kill()
                worker.process.join()
                yield worker.job, "", time.monotonic() - worker.began, Verdict(fault, "")
                busy[place] = _started(seed)
        for line in wait([worker.line for worker in busy], timeout=0.1):
            worker = next(each for each in busy if each.line is line)
            try:
                answer = worker.line.recv()
            except EOFError:  # the process died
                if worker.job is None:
                    raise RuntimeError("a process of the pool cannot start") from None
                yield worker.job, "", time.monotonic() - worker.began, Verdict("death", "")
                busy[busy.index(worker)] = _started(seed)
                continue
            if worker.job:
                yield (worker.job, *answer)
            worker.job = left.pop() if left else None
            if worker.job:
                worker.began = time.monotonic()
                worker.line.send(worker.job)
    for worker in busy:
        worker.process.kill()
        worker.process.join()


def _started(seed: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, seed), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def _work(line: Connection, seed: int) -> None:
    import torch

    from tools.fuzz import KINDS, small

    torch.set_num_threads(1)
    small.warm_up()
    line.send("ready")
    while True:
        kind, number = line.recv()
        began, trial = time.monotonic(), make(KINDS[kind], kind, seed, number)
        verdict = attempt(trial)
        line.send((trial.says, time.monotonic() - began, verdict))


def _beyond(worker: _Worker) -> str | None:
    if time.monotonic() - worker.began > SECONDS:
        return "hang"
    try:
        pages = int(Path(f"/proc/{worker.process.pid}/statm").read_text(encoding="utf-8").split()[1])
    except (OSError, IndexError):  # no such folder on this system, or the process is gone
        return None
    return "memory" if pages * os.sysconf("SC_PAGE_SIZE") > BYTES else None
