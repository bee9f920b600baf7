"""`make quick` finds the tests of what changed, and stops when its time is up."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import quick

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("dalle_edu/bricks/gpt.py", "tests/bricks/test_gpt.py"),  # by its name
        ("dalle_edu/systems/families/cascade.py", "tests/systems/test_cascade.py"),  # in a folder of a room
        ("dalle_edu/bricks/vae.py", "tests/bricks/test_autoencoder.py"),  # by an import
        ("dalle_edu/systems/families/autoregressive.py", "tests/systems/test_cascade.py"),  # of those that import it, its room's
        ("dalle_edu/cli/generate.py", "tests/cli/test_cli.py"),  # by its room
        ("dalle_edu/classroom/mistakes/gan.py", "tests/classroom/test_proof.py"),  # which loads it by its name
        ("tests/systems/test_clip.py", "tests/systems/test_clip.py"),  # itself
        ("tools/quick.py", "tests/test_quick.py"),
    ],
)
def test_the_nearest_test_of_a_file_comes_first(path, first):
    assert quick.tests_of([path])[0] == first


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("dalle_edu/world/grammar.py", "tests/world/test_catalogue.py"),  # whose names the package passes on
        ("dalle_edu/systems/dalle2.py", "tests/systems/test_contract.py"),  # by a module of tests
        ("tests/tiny_systems.py", "tests/systems/test_contract.py"),
    ],
)
def test_what_imports_a_file_in_a_roundabout_way_is_found(path, test):
    assert test in quick.tests_of([path])


def test_what_was_removed_or_has_no_tests_asks_for_none():
    assert quick.tests_of(["README.md", "tests/test_of_yesterday.py"]) == []
    assert all((ROOT / test).exists() for test in (*quick.WITHOUT_CHANGES, *quick.LOADED.values()))


def test_after_the_deadline_no_other_test_begins():
    for seconds, stopped in ((60, False), (-1, True)):
        deadline, session = quick.Deadline(seconds), SimpleNamespace(shouldstop=False)
        deadline.pytest_sessionstart(session)
        deadline.pytest_runtest_logfinish()
        assert bool(session.shouldstop) is deadline.over is stopped
