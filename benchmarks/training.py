"""Speed of training: updates and pictures per second of each stage of DALL·E 1, in single precision and in bfloat16, on one thread.

Every number is measured in the loop of `dalle_edu.training.loop` itself, with data and logging. Seconds are CPU seconds. The two precisions
take turns, so their ratio says where bfloat16 is faster.

    python -m benchmarks.training [--presets laptop standard] [--updates 8] [--rounds 3]
"""

import argparse
import dataclasses
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator

from benchmarks.measuring import machine, ratio, table
from dalle_edu.device import Device
from dalle_edu.systems.dalle1 import PRESETS
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.training.loop import Trainer
from dalle_edu.training.run import Run
from dalle_edu.world.dataset import Batch

WARM_UP = 2  # updates that do not count: in these, memory is allocated and kernels are chosen


class Stopwatch(Trainer):
    """A trainer of one stage, without exams, that notes the time of each update. Making one trains the stage."""

    def __init__(self, preset: str, stage: str, place: Device, updates: int, workers: int | None = None, compile: bool = False):
        run = Run("dalle1", preset, updates=updates, exam=0, save_every=1e9)
        accelerator = Accelerator(cpu=place.torch_device.type == "cpu", device_placement=False)
        with tempfile.TemporaryDirectory() as folder:
            super().__init__(run, Path(folder), place, accelerator, compile, workers, quiet=True)
            self.stage = next(known for known in self.stages if known.name == stage)
            self.stages = (dataclasses.replace(self.stage, updates_share=1.0),)
            self.begun: list[float] = []  # CPU seconds at the beginning of each update, and at the end of the last
            self.logged: list[tuple[int, float]] = []  # updates done, and wall seconds once the device had finished them
            self.go(threading.Event())

    def _batches(self, index: int, stage: Stage, update: int) -> Iterator[list[Batch]]:
        for batch in super()._batches(index, stage, update):
            self.begun.append(time.process_time())
            yield batch

    def _log(self, stage, clock, losses, bar) -> None:
        super()._log(stage, clock, losses, bar)  # waits for the device
        self.logged.append((clock.update, time.perf_counter()))

    @property
    def cpu_seconds(self) -> list[float]:
        """CPU seconds of each update, from batch to batch, without the first `WARM_UP`."""
        return [end - start for start, end in zip(self.begun, self.begun[1:], strict=False)][WARM_UP:]

    @property
    def updates_per_second(self) -> float:
        """Updates per second of wall time, between the first and the last logged loss."""
        (first, start), (last, end) = self.logged[0], self.logged[-1]
        return (last - first) / (end - start)


def cpu(bfloat16: bool) -> Device:
    """The CPU, with or without bfloat16."""
    return Device(torch.device("cpu"), bfloat16, "CPU")


def measure(presets: tuple[str, ...] = ("laptop", "standard"), updates: int = 8, rounds: int = 3) -> str:
    """A table of both precisions for each stage of each preset."""
    rows: list[list[str]] = []
    for preset in presets:
        for stage in ("codec", "decoder", "prior"):
            seconds: dict[bool, list[float]] = {False: [], True: []}
            for number in range(rounds):
                for bfloat16 in (False, True) if number % 2 else (True, False):
                    watch = Stopwatch(preset, stage, cpu(bfloat16), updates + WARM_UP)
                    seconds[bfloat16].append(statistics.median(watch.cpu_seconds))
            single, half = statistics.median(seconds[False]), statistics.median(seconds[True])
            batch = watch.stage.batch_size
            rows.append([
                f"{preset}, {stage}", str(batch), f"{single:.3f}", f"{half:.3f}", f"{ratio(seconds[True], seconds[False]):.2f} ×",
                f"{1 / min(single, half):.2f}", f"{batch / min(single, half):.0f}",
            ])  # fmt: skip
    head = ["stage", "batch", "CPU s per update, fp32", "bf16", "bf16, times as fast", "updates/s, best", "pictures/s, best"]
    return table(head, rows)


def main() -> None:
    """`python -m benchmarks.training [--presets …] [--updates N] [--rounds N]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=["laptop", "standard"])
    parser.add_argument("--updates", type=int, default=8, help="updates of each precision in a round (8)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which both precisions run (3)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{machine()}\n\n{measure(tuple(options.presets), options.updates, options.rounds)}")


if __name__ == "__main__":
    main()
