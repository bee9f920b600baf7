"""Parts of all benchmarks: a line on the machine, rounds in which contenders alternate, tables."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn


def machine() -> str:
    """A line on the machine: processor, cores, load, Python, torch and its threads."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{processor()}, {os.cpu_count()} cores{load}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
    )


def processor() -> str:
    """The model of the processor, or its architecture where the system does not name the model."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("model name")
        ]
        if models:
            return models[0]
    return platform.processor() or platform.machine()


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU seconds that `work` takes. Unlike wall time, other processes on the same cores add little to it."""
    start = time.process_time()
    work()
    return time.process_time() - start


def interleave(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each contender in each round, after one round that warms up.

    Every contender runs in every round, and another one begins each time, so that what slows the machine for a while slows all of them.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            spent = cpu_seconds(contenders[name])
            if number:
                seconds[name].append(spent)
    return seconds


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times as fast ours is: the median over the rounds of theirs / ours."""
    return statistics.median(their / our for our, their in zip(ours, theirs, strict=True))


def parameters(model: nn.Module) -> str:
    """The number of a model's parameters, in millions."""
    return f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.2f} M"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table that reads well in a terminal too. The first column is aligned left, the others right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]

    def line(row: Sequence[str]) -> str:
        padded = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        return "| " + " | ".join(padded) + " |"

    rule = "| " + " | ".join("-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)) + " |"
    return "\n".join([line(cells[0]), rule, *(line(row) for row in cells[1:])])
