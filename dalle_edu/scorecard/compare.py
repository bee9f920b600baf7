"""The comparison of all systems in one table: their marks and their costs."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.language import comma
from dalle_edu.scorecard.exam import score
from dalle_edu.scorecard.marks import SKILL_NAMES, SKILLS


@runtime_checkable
class Comparable(Protocol):
    """A system that can be compared: all that the table needs of it."""

    name: str

    @property
    def evaluations(self) -> int:
        """The number of network evaluations for a picture."""

    def parameter_count(self) -> int:
        """The number of parameters of all networks together."""

    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor:
        """Generate a picture for each prompt: (n, 3, h, w) in [-1, 1]."""


def enter(
    system: Comparable,
    prompts: int,
    seed: int,
    files: Sequence[Path],
    training: dict[str, Any],
    progress: bool | None = None,
) -> dict[str, Any]:
    """Score a system and measure its costs: one column of the table, as JSON.

    `files` are its weights, and `training` the costs of their training, from `training_of`. Seconds, of the clock and of the CPU, are for
    a picture and include generation in batches and marking. `evaluations_per_picture` is the number of network evaluations. `progress` is
    as in `score`. Raises `DalleEduError` for fewer than 1 or more than 100000 prompts.
    """
    began, cpu_began = time.monotonic(), time.process_time()
    report = score(system, system.name, prompts, seed, progress)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    return report.to_json() | {
        "parameters": system.parameter_count(),
        "bytes": sum(path.stat().st_size for path in files),
        "weights": {path.name: digest(path) for path in files},
        "seconds_per_picture": round(seconds / prompts, 4),
        "cpu_seconds_per_picture": round(cpu_seconds / prompts, 4),
        "evaluations_per_picture": system.evaluations,
        "training": training,
    }


def digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal, which identifies the weights of a table."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def training_of(report_file: Path) -> dict[str, Any]:
    """The costs of training from the report published with weights; empty where there is none."""
    if not report_file.is_file():
        return {}
    return json.loads(report_file.read_text(encoding="utf-8")).get("training", {})


def table(entries: Sequence[dict[str, Any]], language: str) -> tuple[list[list[str]], list[list[str]]]:
    """The table of marks and the table of costs, in "fr" or "en": rows of a name and a cell for each system.

    `entries` are columns from `enter`. Marks are percentages, seen/held out. Raises `DalleEduError` where the entries come from different
    worlds or exams.
    """
    same_numbers(entries)
    marks = []
    for skill in SKILLS:
        parts = [[entry["splits"][split][skill] for split in ("seen", "held_out")] for entry in entries]
        marks.append([SKILL_NAMES[language][skill], *("/".join(_percent([rate], language) for rate in rates) for rates in parts)])
    costs = []
    for names, cell in _COSTS:
        costs.append([names[language], *(cell(entry, language) for entry in entries)])
    return marks, costs


def same_numbers(entries: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The numbers of world and exam that all entries share. Raises `DalleEduError` where they do not: such marks do not compare."""
    found = {(entry.get("world"), entry.get("exam")) for entry in entries}
    if len(found) != 1:
        shown = " / ".join(f"world {world}, exam {exam}" for world, exam in sorted(found, key=str))
        raise DalleEduError(
            f"these marks were taken in different worlds or exams ({shown}) and do not compare; examine all of them again",
            f"ces notes viennent de mondes ou d'examens différents ({shown}) et ne se comparent pas ; examinez tout de nouveau",
        )
    ((world, exam),) = found
    return {"world": int(world or 0), "exam": int(exam or 0)}


def _percent(rates: Sequence[dict[str, Any]], language: str) -> str:
    """The percentage of right answers of several rates together, or a dash where nothing was asked."""
    n = sum(rate["n"] for rate in rates)
    right = sum(rate["correct"] for rate in rates)
    if right == n:
        return "100" if n else "–"
    return _number(100 * right / n, 1, language)


def _number(value: float, digits: int, language: str) -> str:
    return comma(value, digits) if language == "fr" else f"{value:.{digits}f}"


def _minutes(entry: dict[str, Any], of: str, language: str) -> str:
    return _number(entry["training"].get(f"{of}_minutes", 0.0), 0, language) if entry["training"] else "–"


_COSTS: tuple[tuple[dict[str, str], Callable[[dict[str, Any], str], str]], ...] = (
    ({"en": "all, in French", "fr": "tout, en français"}, lambda entry, of: _percent([*entry["languages"]["fr"].values()], of)),
    ({"en": "all, in English", "fr": "tout, en anglais"}, lambda entry, of: _percent([*entry["languages"]["en"].values()], of)),
    ({"en": "million parameters", "fr": "millions de paramètres"}, lambda entry, of: _number(entry["parameters"] / 1e6, 2, of)),
    ({"en": "megabytes", "fr": "mégaoctets"}, lambda entry, of: _number(entry["bytes"] / 1e6, 1, of)),
    ({"en": "training, CPU minutes", "fr": "entraînement, min CPU"}, lambda entry, of: _minutes(entry, "cpu", of)),
    ({"en": "training, GPU minutes", "fr": "entraînement, min GPU"}, lambda entry, of: _minutes(entry, "gpu", of)),
    ({"en": "a picture, CPU seconds", "fr": "une image, s CPU"}, lambda entry, of: _number(entry["cpu_seconds_per_picture"], 2, of)),
    ({"en": "a picture, networks run", "fr": "une image, passages"}, lambda entry, of: str(entry["evaluations_per_picture"])),
)
