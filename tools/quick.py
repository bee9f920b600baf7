"""`make quick`: `make lint`, and beside it the quick tests of what the last commit and uncommitted changes touch.

It runs, the nearest first, tests that changed, tests called as a changed module is (tests/ROOM/test_NAME.py is of dalle_edu/ROOM/NAME.py),
and tests that import one, its own room's first; where there are none, all of its room. Where no change has tests it runs a fixed few. Slow
and long tests are left out, and after a minute so is what was not reached.
"""

import ast
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest  # which must begin before any module of dalle_edu is imported: jaxtyping checks their shapes

ROOT = Path(__file__).parent.parent
SECONDS = 60
WITHOUT_CHANGES = ("tests/test_house.py", "tests/test_version.py", "tests/world", "tests/bricks/test_attention.py")
LOADED = {  # what is loaded by its name, and so imported by nobody
    "dalle_edu/classroom/references": "tests/classroom/test_proof.py",
    "dalle_edu/classroom/mistakes": "tests/classroom/test_proof.py",
    "dalle_edu/classroom/demos": "tests/classroom/test_demos.py",
    "lessons/sources": "tests/classroom/test_builder.py",
}


def changed() -> list[str]:
    """The files that the last commit or an uncommitted change touches; none where git does not say."""
    asked = (("diff", "--name-only", "HEAD~1"), ("ls-files", "--others", "--exclude-standard"))
    answers = [subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False) for words in asked]
    return [name for answer in answers for name in answer.stdout.splitlines()]


def tests_of(paths: Iterable[str]) -> list[str]:
    """The test files of changed files, the nearest first."""
    paths, ranked = list(paths), dict[str, int]()
    for path in paths:
        near, importing, room = _by_name(path), _by_import(path), _room(path)
        here = [test for test in importing if test in room]
        for rank, tests in enumerate((near, here, importing, [] if near or importing else room)):
            for test in tests:
                ranked[test] = min(rank, ranked.get(test, rank))
    return sorted(ranked, key=lambda test: (ranked[test], test))


def _by_name(path: str) -> list[str]:
    here = Path(path)
    if here.suffix != ".py" or not (ROOT / path).exists():
        return []
    if here.parts[0] == "tests" and here.name.startswith("test_"):
        return [path]
    loaded = LOADED.get(here.parent.as_posix())
    if loaded or here.parts[0] not in ("dalle_edu", "tools"):
        return [loaded] if loaded else []
    return [test for test in _test_files() if Path(test).name == f"test_{here.stem}.py" and Path(test).parts[1:-1] == here.parts[1:-1][:1]]


def _by_import(path: str) -> list[str]:
    if not path.endswith(".py"):
        return []
    module = path.removesuffix(".py").removesuffix("/__init__").removeprefix("tests/").replace("/", ".")
    return [test for test in _test_files() if module in _imports(test)]


def _room(path: str) -> list[str]:
    room = "tests/" + "/".join(Path(path).parts[1:2])
    return [test for test in _test_files() if path.startswith("dalle_edu/") and test.startswith(f"{room}/")]


@cache
def _test_files() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))


@cache
def _imports(path: str) -> frozenset[str]:
    """The modules that a test file imports, itself or by a module of tests. A name that a package takes from one of its modules stands for
    that module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    found |= {_origins()[name] for name in found & set(_origins())}
    helpers = [f"tests/{name}.py" for name in found if (ROOT / "tests" / f"{name}.py").is_file()]
    return frozenset(found.union(*map(_imports, helpers)))


@cache
def _origins() -> dict[str, str]:
    """For each name that a package's `__init__` imports, the module that it is from."""
    origins = {}
    for file in (ROOT / "dalle_edu").rglob("__init__.py"):
        package = ".".join(file.relative_to(ROOT).parent.parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                origins |= {f"{package}.{alias.name}": node.module for alias in node.names}
    return origins


class Deadline:
    """A plugin of pytest: after `seconds` no other test begins."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds
        self.session: pytest.Session | None = None
        self.over = False

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.session = session

    def pytest_runtest_logfinish(self) -> None:
        if time.monotonic() > self.end and self.session is not None:
            self.over = True
            self.session.shouldstop = f"{SECONDS} s"


def run(tests: Iterable[str]) -> bool:
    """Whether these tests, or those of them that there was time for, pass."""
    deadline = Deadline(SECONDS)
    status = pytest.main(["-m", "not slow and not long", *(str(ROOT / test) for test in tests)], plugins=[deadline])
    if deadline.over and deadline.session is not None:
        from dalle_edu.language import say

        print(say("time is up: make test runs the other tests too", "le temps est écoulé : make test lance aussi les autres tests"))
        return deadline.session.testsfailed == 0
    return status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def main() -> int:
    """Lint in a process of its own, since mypy without its cache takes a minute too, and the tests. 0 where both are well."""
    with tempfile.TemporaryFile() as said:
        lint = subprocess.Popen(["make", "--no-print-directory", "lint"], cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        tests = tests_of(changed()) or list(WITHOUT_CHANGES)
        print(*tests, sep="\n", flush=True)
        passed = run(tests)
        clean = lint.wait() == 0
        said.seek(0)
        print(said.read().decode(), end="")
    return 0 if passed and clean else 1


if __name__ == "__main__":
    sys.exit(main())
