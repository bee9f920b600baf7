"""What the lessons cost: each is executed in each language, alone, in one thread, between two calibrations.

    make measure                                          all lessons; writes lessons/measured.json
    python -m benchmarks.lessons [NUMBER…] [--cells 5]    those named, with their dearest cells; only a run of all writes the file

Every value is computed, or counts as if it had been. Of two languages the larger cost counts. The student's notebook is executed too, and
`three_runs` says what the tests spend on a lesson, whose second and third run read what the first one kept.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import calibrate
from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.device import processor_name
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import LANGUAGES

LESSONS = 18  # of the course, 00 to 17
FIRST, MOST, MEAN, ALL = 30, 120, 60, 1000  # calibrated seconds: of lesson 00, of any lesson, on average, of all lessons in a language


def measure(numbers: Sequence[str] = (), cells: int = 0, folder: Path = build.LESSONS) -> dict[str, Any]:
    """The costs of lessons by their numbers, all unless named, printed as they come; those of all lessons are written to the folder.

    Raises `DalleEduError` for an error or a warning in a lesson.
    """
    costs: dict[str, Any] = {}
    for lesson in build.lessons(folder):
        if numbers and lesson.number not in numbers:
            continue
        runs = _three_runs(lesson, cells)
        dearest = max(runs[: len(LANGUAGES)], key=lambda each: each.calibrated)
        costs[lesson.number] = {
            "cpu_seconds": round(dearest.done.cpu_seconds, 1),
            "calibrated_seconds": round(dearest.calibrated, 1),
            "three_runs": round(sum(each.spent for each in runs), 1),
            "peak_mb": round(max(each.done.peak_mb for each in runs)),
            "download_mb": 0,
            "machine": {"en": f"measured on {_machine('en')}", "fr": f"mesuré sur {_machine('fr')}"},
        }
    if not numbers:
        text = json.dumps(costs, indent=2, ensure_ascii=False) + "\n"
        write_aside(folder / build.MEASURED, lambda file: file.write(text.encode()))
    return costs


def faults(costs: dict[str, Any]) -> list[str]:
    """What the lessons' costs exceed, in calibrated seconds; those that are missing are counted by `projected`."""
    found = []
    seconds = {number: cost["calibrated_seconds"] for number, cost in costs.items()}
    for number, spent in seconds.items():
        limit = FIRST if number == "00" else MOST
        if spent > limit:
            found.append(f"lesson {number} takes {spent:.0f} s, and {limit} are allowed")
    others = [spent for number, spent in seconds.items() if number != "00"]
    mean = sum(others) / max(len(others), 1)
    if mean > MEAN:
        found.append(f"lessons take {mean:.0f} s on average, and {MEAN} are allowed")
    if projected(costs) > ALL:
        found.append(f"all lessons will take {projected(costs):.0f} s, and {ALL} are allowed")
    return found


def projected(costs: dict[str, Any], part: str = "calibrated_seconds", first: float = FIRST) -> float:
    """The calibrated seconds of all lessons: those that are missing count as the average of the others, and a missing 00 as `first`.

    `part` is the cost that is summed, the calibrated seconds in one language unless another is named.
    """
    seconds = {number: cost[part] for number, cost in costs.items()}
    return seconds.pop("00", first) + (LESSONS - 1) * sum(seconds.values()) / max(len(seconds), 1)


# ---------------------------------------------------------------- pieces


@dataclass(frozen=True)
class _Run:
    """A run between two calibrations: `calibrated` seconds with every value computed, `spent` seconds with those that were read."""

    done: execution.Executed
    before: float
    after: float

    @property
    def calibrated(self) -> float:
        return calibrate.calibrated(self.done.cpu_seconds, self.before, self.after)

    @property
    def spent(self) -> float:
        return calibrate.calibrated(self.done.cpu_seconds - self.done.kept_seconds, self.before, self.after)


def _three_runs(lesson: Lesson, cells: int) -> list[_Run]:
    """A lesson solved in each language, and then untouched in the first, as the tests execute it."""
    runs = []
    ways = [(execution.run, language) for language in LANGUAGES] + [(execution.run_untouched, LANGUAGES[0])]
    with tempfile.TemporaryDirectory() as kept:
        for way, language in ways:
            before = calibrate.measure()
            done = way(lesson, language, kept=Path(kept))
            run = _Run(done, before, calibrate.measure())
            runs.append(run)
            name = f"{lesson.number} {language}" + (", untouched" if way is execution.run_untouched else "")
            print(
                f"{name}: {done.cpu_seconds:.1f} s of processor time, {run.calibrated:.1f} s calibrated, {run.spent:.1f} s without what "
                f"was read ({run.before:.2f} and {run.after:.2f} s for {calibrate.REFERENCE:.2f}), {done.peak_mb:.0f} MB",
                flush=True,
            )
            for spent, source in _dearest(done, cells):
                print(f"     {spent:6.1f} s  {source}", flush=True)
    return runs


def _dearest(done: execution.Executed, number: int) -> list[tuple[float, str]]:
    """The cells that took longest, each with its first line that is no import."""
    sources = [cell.source for cell in done.notebook.cells if cell.cell_type == "code"]
    ranked = sorted(zip(done.cells, sources, strict=True), key=lambda pair: -pair[0])[:number]
    return [(spent, source.strip().splitlines()[-1][:90]) for spent, source in ranked]


def _machine(language: str) -> str:
    cores = os.cpu_count() or 1
    gigabytes = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30) if hasattr(os, "sysconf") else 0
    if language == "fr":
        return f"{processor_name()}, {cores} cœurs, {gigabytes} Go, un fil" if gigabytes else f"{processor_name()}, {cores} cœurs, un fil"
    return (
        f"{processor_name()}, {cores} cores, {gigabytes} GB, one thread" if gigabytes else f"{processor_name()}, {cores} cores, one thread"
    )


def main() -> None:
    """`python -m benchmarks.lessons [NUMBER…] [--cells N]`; ends with an error where a budget is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lessons", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="the lessons' numbers, such as 05; all unless given")
    parser.add_argument("--cells", type=int, default=0, help="show so many of the dearest cells of each run")
    given = parser.parse_args()
    costs = measure(given.numbers, given.cells)
    print(f"all {LESSONS} lessons, in one language: {projected(costs):.0f} s calibrated of {ALL} allowed")
    if wrong := faults(costs):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
