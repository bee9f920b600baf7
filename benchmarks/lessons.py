"""What the lessons cost: each is executed in each language, alone, in one thread, between two calibrations.

    make measure                                          all lessons; writes lessons/measured.json
    python -m benchmarks.lessons [NUMBER…] [--cells 5]    those named, with their dearest cells; only a run of all writes the file

Nothing that was kept is read: every value is computed. Of two languages the larger cost counts.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import calibrate
from dalle_edu.classroom.builder import build, execution
from dalle_edu.device import processor_name
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import LANGUAGES

LESSONS = 18  # of the course, 00 to 17
FIRST, MOST, MEAN, ALL = 30, 120, 60, 1000  # calibrated seconds: of lesson 00, of any lesson, on average, of all lessons in a language


def measure(numbers: Sequence[str] = (), cells: int = 0, folder: Path = build.LESSONS) -> dict[str, Any]:
    """The costs of lessons by their numbers, all unless named, printed as they come; those of all lessons are written to the folder.

    Raises `DalleEduError` for an error or a warning in a lesson.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    costs: dict[str, Any] = {}
    for lesson in build.lessons(folder):
        if numbers and lesson.number not in numbers:
            continue
        runs = []
        for language in LANGUAGES:
            before = calibrate.measure()
            done = execution.run(lesson, language)
            after = calibrate.measure()
            seconds = calibrate.calibrated(done.cpu_seconds, before, after)
            runs.append((seconds, done.cpu_seconds, done.peak_mb))
            print(
                f"{lesson.number} {language}: {done.cpu_seconds:.1f} s of processor time, {seconds:.1f} s calibrated "
                f"({before:.2f} and {after:.2f} s for {calibrate.REFERENCE:.2f}), {done.peak_mb:.0f} MB",
                flush=True,
            )
            for spent, source in _dearest(done, cells):
                print(f"     {spent:6.1f} s  {source}", flush=True)
        dearest = max(runs)
        costs[lesson.number] = {
            "cpu_seconds": round(dearest[1], 1),
            "calibrated_seconds": round(dearest[0], 1),
            "peak_mb": round(max(run[2] for run in runs)),
            "download_mb": 0,
            "machine": {"en": f"measured on {_machine('en')}", "fr": f"mesuré sur {_machine('fr')}"},
        }
    if not numbers:
        text = json.dumps(costs, indent=2, ensure_ascii=False) + "\n"
        write_aside(folder / build.MEASURED, lambda file: file.write(text.encode()))
    return costs


def faults(costs: dict[str, Any]) -> list[str]:
    """What the lessons' costs exceed, in calibrated seconds; missing lessons count as the average of the others."""
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


def projected(costs: dict[str, Any]) -> float:
    """The calibrated seconds of all lessons in one language: those that are missing count as the average of the others."""
    seconds = [cost["calibrated_seconds"] for cost in costs.values()]
    return sum(seconds) + (LESSONS - len(seconds)) * sum(seconds) / max(len(seconds), 1)


# ---------------------------------------------------------------- pieces


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
