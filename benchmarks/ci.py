"""How long the continuous integration takes once all lessons are there: a sum, from measured parts.

    python -m benchmarks.ci [--rest MINUTES] [--report runs/tests.xml]

`make test` leaves the time of each test in `runs/tests.xml`; `lessons/measured.json` says what the three executions of each lesson take
(solved in both languages, untouched in one). Tests of one lesson, whose names say which, count for all lessons. What is no test of pytest
(installing, style, types, the site, the browser) is given by `--rest`, as the last run of `.ci/run` took it with the lessons that stand.

All minutes are those of the machine that is asked: what was measured in calibrated seconds is told in its own, as the known piece of work
goes on it now. So ask it on the machine that ran the tests, when it has nothing else to do.
"""

import argparse
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from benchmarks import calibrate
from benchmarks.lessons import FIRST, LESSONS, projected
from dalle_edu.classroom.builder import build

CORES = 2
MINUTES = 50.0  # allowed
REST = 8.5  # minutes of what is no test of pytest, with eleven lessons: to install, check the style and types, build the site, and browse
SITE = 43.0  # seconds that each further lesson adds: 22 for its tests in a browser, two at a time, 21 for its pages, decks and PDFs
REPORT = Path("runs/tests.xml")
_EXECUTING = "test_lessons"  # the tests that execute the lessons
_OF_A_LESSON = re.compile(r"\[.*\b\d\d_[a-z]")  # such as test_name[fr-05_attention]


def seconds_of_tests(report: Path) -> tuple[float, float]:
    """The seconds of tests that know no lesson, and of those of one lesson, without its executions; each runs on one core."""
    general, of_lessons = 0.0, 0.0
    for case in ET.parse(report).getroot().iter("testcase"):
        if _EXECUTING in (case.get("classname") or ""):
            continue
        seconds = float(case.get("time", 0))
        if _OF_A_LESSON.search(case.get("name") or ""):
            of_lessons += seconds
        else:
            general += seconds
    return general, of_lessons


def parts(general: float, of_lessons: float, costs: dict[str, Any], rest: float = REST, pace: float = 1.0) -> dict[str, float]:
    """The minutes of each part with all lessons; the first two are seconds of tests, `rest` the minutes outside pytest.

    `pace` is how many seconds the machine takes for a calibrated one.
    """
    times = LESSONS / len(costs)
    executions = pace * projected(costs, "three_runs", first=3 * FIRST)
    return {
        "tests that know no lesson": general / CORES / 60,
        f"tests of {LESSONS} lessons": times * of_lessons / CORES / 60,
        f"executions of {LESSONS} lessons: two languages solved, one untouched": executions / CORES / 60,
        "installing, style, types, site, browser": rest + (LESSONS - len(costs)) * SITE / 60,
    }


def main() -> None:
    """`python -m benchmarks.ci`; ends with an error where the sum is more than is allowed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ci", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rest", type=float, default=REST, help=f"minutes outside pytest (default {REST:g})")
    parser.add_argument("--report", type=Path, default=REPORT, help="pytest's report")
    given = parser.parse_args()
    if not given.report.exists():
        sys.exit(f"{given.report} is missing; run `make test`, or pytest with --junitxml={given.report}")
    pace = calibrate.measure() / calibrate.REFERENCE
    found = parts(*seconds_of_tests(given.report), build.measured(), given.rest, pace)
    for name, minutes in found.items():
        print(f"{minutes:6.1f} min  {name}")
    print(
        f"{sum(found.values()):6.1f} min  in all; {MINUTES:g} are allowed. On {CORES} cores, where a calibrated second takes {pace:.2f} s"
    )
    if sum(found.values()) > MINUTES:
        sys.exit("too long")


if __name__ == "__main__":
    main()
