"""Every lesson runs from its first cell to its last: solved, as the book shows it, and untouched, as a student first runs it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import nbformat
import pytest

from benchmarks import calibrate
from benchmarks.lessons import FIRST, MOST, faults, projected
from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.kernels.executed import executed, executed_untouched

LESSONS = {lesson.name: lesson for lesson in build.lessons()}
SOLVED = [(name, language) for language in ("fr", "en") for name in LESSONS]
UNTOUCHED = list(zip(LESSONS, ["fr", "en"] * len(LESSONS), strict=False))  # each in one language, in turn
NOISE = 1.25  # neighbours on the same cores disturb a run, and its calibration, by as much


@pytest.fixture(scope="module")
def runs(request) -> Iterator[dict[tuple[str, str, str], Future]]:
    """The runs that the chosen tests ask for, one on each core; a second language comes late, and reads what the first computed."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        how: dict[str, Callable] = {"solved": executed, "untouched": executed_untouched}
        order = [("solved", name, "fr") for name in LESSONS]
        order += [("untouched", *each) for each in UNTOUCHED]
        order += [("solved", name, "en") for name in LESSONS]
        chosen = asked_for(request.session.items)
        yield {run: pool.submit(how[run[0]], LESSONS[run[1]], run[2]) for run in order if run in chosen}
        pool.shutdown(wait=False, cancel_futures=True)


def asked_for(tests) -> set[tuple[str, str, str]]:
    """The runs, (kind, name, language), that these tests of this module look at."""
    found = set()
    for test in tests:
        if "runs" in getattr(test, "fixturenames", ()) and test.module.__name__ == __name__:
            of = test.callspec.params
            found.add(("untouched" if "untouched" in test.originalname else "solved", of["name"], of["language"]))
    return found


def test_only_the_lessons_of_the_chosen_tests_are_executed(request):
    chosen = asked_for(request.session.items)
    assert asked_for(test for test in request.session.items if "runs" not in test.fixturenames) == set()
    assert {kind for kind, _, _ in chosen} <= {"solved", "untouched"}
    assert {name for _, name, _ in chosen} == {name for name in LESSONS if any(f"[{name}-" in test.name for test in request.session.items)}


@pytest.fixture(scope="module")
def calibration(runs) -> float:
    """The processor seconds that the known piece of work takes while the lessons run, before and after."""
    before = calibrate.measure()
    for run in runs.values():
        run.exception()
    return (before + calibrate.measure()) / 2


def verdicts(notebook: nbformat.NotebookNode) -> list[str]:
    """What the checks said, as text."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "display_data"]
    texts = [output.data.get("text/plain", "") for output in shown]
    return [text for text in texts if text[:1] in tuple("✓…?✗")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), SOLVED)
def test_a_solved_lesson_runs_without_a_warning(name, language, runs):
    """An error, or anything on stderr, raises; every exercise's check is passed by its solution."""
    notebook = runs["solved", name, language].result()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    said = verdicts(notebook)
    assert len(said) >= sum(cell.is_exercise for cell in LESSONS[name].cells)
    assert all(text.startswith("✓") for text in said), said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), SOLVED)
def test_a_lesson_takes_little_time(name, language, runs, calibration):
    """In seconds of the reference machine; values that the other language computed count as if they had been computed here."""
    spent = runs["solved", name, language].result().metadata["cost"]["cpu_seconds"]
    seconds = calibrate.calibrated(spent, calibration, calibration)
    limit = FIRST if LESSONS[name].number == "00" else MOST
    print(f"{name} {language}: {spent:.0f} s, {seconds:.0f} s calibrated, {limit} allowed")
    assert 0 < seconds < NOISE * limit


def test_every_lesson_was_measured():
    """By `make measure`, alone on a machine."""
    measured = build.measured()
    assert set(measured) == {lesson.number for lesson in LESSONS.values()}, "run `make measure`"
    assert all(cost["calibrated_seconds"] < MOST for cost in measured.values())


def test_the_lessons_together_keep_to_their_budget():
    """As measured: each, on average, and all eighteen in one language."""
    measured = build.measured()
    assert faults(measured) == []
    assert projected(measured) > sum(cost["calibrated_seconds"] for cost in measured.values())


@pytest.mark.parametrize(
    ("seconds", "wrong"),
    [
        ({"00": 30, "01": 60, "02": 54}, []),
        ({"00": 31, "01": 50}, ["lesson 00 takes 31 s"]),
        ({"01": 121, "02": 1, "03": 1, "04": 1}, ["lesson 01 takes 121 s"]),
        ({"01": 70, "02": 60}, ["65 s on average", "all lessons will take 1135 s"]),
        ({f"{number:02}": 58 for number in range(1, 18)}, ["all lessons will take 1016 s"]),
    ],
)
def test_what_exceeds_the_budget_is_named(seconds, wrong):
    found = faults({number: {"calibrated_seconds": spent} for number, spent in seconds.items()})
    assert len(found) == len(wrong), found
    assert all(words in fault for words, fault in zip(wrong, found, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), UNTOUCHED)
def test_an_untouched_lesson_runs_too_and_asks_for_every_exercise(name, language, runs):
    said = verdicts(runs["untouched", name, language].result())
    asked = [text for text in said if text.startswith("…")]
    assert len(asked) >= sum(cell.is_exercise for cell in LESSONS[name].cells), said
    assert not [text for text in said if text.startswith(("✗", "?"))], said
