"""The batches of a stage: a series that depends on the seed and the stage alone, whoever makes and takes them."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from dalle_edu.datasets.source import ENDLESS, Batch, Source
from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import SEEDS
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.training.interrupts import leave_signals_to_the_loop
from dalle_edu.training.processes import Processes
from dalle_edu.training.run import Run


def share_of(run: Run, stage: Stage, processes: Processes) -> int:
    """How many pictures of a batch go through a process at a time. Raises `DalleEduError` where a batch does not divide among the
    processes, and into the parts that the run accumulates.
    """
    size, count, parts = run.batch_size or stage.batch_size, processes.count, run.accumulate
    if size % (count * parts):
        raise DalleEduError(
            f"a batch of {size} cannot be shared out among {count} processes in {parts} parts; choose a multiple (--batch-size)",
            f"un lot de {size} ne se partage pas entre {count} processus en {parts} parts ; choisissez un multiple (--batch-size)",
        )
    return size // (count * parts)


def batches(source: Source, run: Run, index: int, stage: Stage, update: int, processes: Processes, workers: int) -> Iterator[list[Batch]]:
    """The batches of a source for the stage of an index, from that of `update` on, without end. Each process takes its share of every
    batch, in the parts that the run accumulates. `workers` other processes make them, where there are any.
    """
    share, parts = share_of(run, stage, processes), run.accumulate
    mine, size = share * parts, share * parts * processes.count

    def order() -> Iterator[list[int]]:
        for number in range(update, ENDLESS // size):
            start = number * size + processes.rank * mine
            for part in range(start, start + mine, share):
                yield list(range(part, part + share))

    series = _series(source, run, index)
    heed = leave_signals_to_the_loop if workers else None
    loader = iter(DataLoader(series, batch_sampler=order(), collate_fn=series.collate, num_workers=workers, worker_init_fn=heed))
    while True:
        yield [next(loader) for _ in range(parts)]


def first_batch(source: Source, run: Run, index: int, count: int) -> Batch:
    """The first `count` captioned pictures of a source for the stage of an index; all there are, each once, where there are fewer."""
    series = _series(source, run, index)
    return series.collate([series[item] for item in range(min(count, source.size or count))])


def _series(source: Source, run: Run, index: int) -> Any:
    return source.series((run.seed * 101 + index) % SEEDS)
