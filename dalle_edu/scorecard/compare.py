"""One table for all systems: what each gets right, and what it costs."""

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
    """What the table must know of a system, beyond that it draws."""

    name: str

    @property
    def evaluations(self) -> int: ...
    def parameter_count(self) -> int: ...
    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor: ...


def enter(
    system: Comparable,
    prompts: int,
    seed: int,
    files: Sequence[Path],
    training: dict[str, Any],
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """A column of the table: a system examined and weighed.

    `files` are the weights that it is made of, and `training` what the card of these says of how they were made. Seconds are those that
    a picture takes, drawn and marked among many; `evaluations_per_picture` says how often networks run for it.
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
    """The SHA-256 of a file, by which a table says which weights it is of."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def training_of(report_file: Path) -> dict[str, Any]:
    """How weights were made, as the report published with them says; nothing where it says nothing."""
    if not report_file.is_file():
        return {}
    return json.loads(report_file.read_text(encoding="utf-8")).get("training", {})


def table(entries: Sequence[dict[str, Any]], language: str) -> tuple[list[list[str]], list[list[str]]]:
    """What each system gets right, seen/held out in percent, and what it costs: lines of a name and a cell for each system."""
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
    """All these marks together."""
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
