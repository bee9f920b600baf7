"""How long the continuous integration takes once all lessons are there: a sum, from measured parts.

    python -m benchmarks.ci [--rest MINUTES] [--report runs/tests.xml]

`make test` leaves the time of each test in `runs/tests.xml`; `lessons/measured.json` says what a lesson costs. A lesson is executed three
times: solved in one language, solved in the other, which reads the values that the first one kept, and untouched in one of the two. What is
no test of pytest (installing, style, types, the site, the browser) is given by `--rest`, as the last run of `.ci/run` took it.
"""

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from benchmarks.lessons import LESSONS, projected
from dalle_edu.classroom.builder import build

CORES = 2
MINUTES = 50.0  # allowed
SECOND = 0.75  # what the second language costs, of the first, since the rest is read: an estimate
REST = 13.0  # minutes of what is no test of pytest, with three lessons: 5.5 to install and check, 7.5 for the site and the browser
SITE = 5.0  # seconds that each further lesson adds to the site and to its tests in a browser: an estimate
REPORT = Path("runs/tests.xml")
_LESSONS_TESTS = "test_lessons"


def seconds_of_tests(report: Path) -> float:
    """The seconds of all tests but those that execute the lessons, from pytest's report; each runs on one core."""
    cases = ET.parse(report).getroot().iter("testcase")
    return sum(float(case.get("time", 0)) for case in cases if _LESSONS_TESTS not in (case.get("classname") or ""))


def parts(tests: float, costs: dict[str, Any], rest: float = REST) -> dict[str, float]:
    """The minutes of each part with all lessons; `tests` are the seconds of the other tests, `rest` the minutes outside pytest."""
    executions = (1 + SECOND + 1) * projected(costs)
    return {
        "tests without lessons": tests / CORES / 60,
        f"{LESSONS} lessons: two languages solved, one untouched": executions / CORES / 60,
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
    found = parts(seconds_of_tests(given.report), build.measured(), given.rest)
    for name, minutes in found.items():
        print(f"{minutes:6.1f} min  {name}")
    print(f"{sum(found.values()):6.1f} min  in all, on {CORES} cores; {MINUTES:g} are allowed")
    if sum(found.values()) > MINUTES:
        sys.exit("too long")


if __name__ == "__main__":
    main()
