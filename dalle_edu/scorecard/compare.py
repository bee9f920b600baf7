"""One table for all systems: what each gets right, and what it costs."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from dalle_edu.scorecard.exam import Report, score


@runtime_checkable
class Comparable(Protocol):
    """What the table must know of a system, beyond that it draws."""

    name: str

    @property
    def evaluations(self) -> int: ...
    def parameter_count(self) -> int: ...
    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor: ...


@dataclass(frozen=True)
class Entry:
    """A line of the table. `evaluations` says how often networks run for a picture, `seconds` and `cpu_seconds` what one takes, drawn
    among many; `training` is what the weights' card says of how they were made."""

    report: Report
    parameters: int
    bytes: int
    seconds: float
    cpu_seconds: float
    evaluations: int
    training: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        costs = {
            "parameters": self.parameters,
            "bytes": self.bytes,
            "seconds_per_picture": round(self.seconds, 4),
            "cpu_seconds_per_picture": round(self.cpu_seconds, 4),
            "evaluations_per_picture": self.evaluations,
            "training": self.training,
        }
        return self.report.to_json() | costs


def enter(
    system: Comparable,
    prompts: int,
    seed: int,
    files: Sequence[Path],
    training: dict[str, Any],
    progress: Callable[[int], None] | None = None,
) -> Entry:
    """Examine a system and weigh it; `files` are the weights that it is made of."""
    began, cpu_began = time.monotonic(), time.process_time()
    report = score(system, system.name, prompts, seed, progress)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    size = sum(path.stat().st_size for path in files)
    return Entry(report, system.parameter_count(), size, seconds / prompts, cpu_seconds / prompts, system.evaluations, training)


def training_of(report_file: Path) -> dict[str, Any]:
    """How weights were made, as the report published with them says; nothing where it says nothing."""
    if not report_file.is_file():
        return {}
    return json.loads(report_file.read_text(encoding="utf-8")).get("training", {})
