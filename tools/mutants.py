"""Mutation testing: faults drawn by seed are planted in the library, one at a time, to show which ones no test sees.

    python -m tools.mutants --seed 0 --count 100 --jobs 2
    python -m tools.mutants --only dalle_edu/bricks/vae.py --report runs/mutants.md

Each job works in a copy of the tree, in a temporary folder, first on PYTHONPATH. A fault is tried on the test files nearest to its file, by
name and by import, without the tests marked slow or long; three times what a test file takes without a fault is its time limit.
The status is 0 when every survivor is argued in `equivalent_mutants.json`: why no test can see it.
"""

import argparse
import ast
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.faults import Fault, draw, faults

ROOT = Path(__file__).parent.parent
ARGUED = Path(__file__).with_name("equivalent_mutants.json")
DRAWN_FROM = ("systems", "training", "scorecard", "world/grammar.py", "classroom/builder")
LEFT_BEHIND = (".git", ".venv", "runs", "downloads", "node_modules", "site", "__pycache__", ".*_cache")  # what no test needs in a copy
MOST_TESTS = 8  # test files for a fault
PATIENCE, LEAST = 3, 10.0  # a time limit in times of the clean run, and in seconds
MEMORY = 8 << 30  # bytes for a job: a fault in a size must not take the machine down

CAUGHT, TIMED_OUT, SURVIVED = "caught", "timed out", "survived"


class NearestTests:
    """Which test files are about a file: by convention tests/ROOM/test_NAME.py for PACKAGE/ROOM/…/NAME.py, and those that import it."""

    def __init__(self, root: Path, package: str):
        self.modules = {path.stem: path for path in sorted((root / "tests").rglob("*.py"))}
        for path in sorted((root / package).rglob("*.py")):
            self.modules[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
        self.tests, self.package = root / "tests", root / package
        self.distances = {test: self._distances(test) for test in sorted(self.tests.rglob("test_*.py"))}

    def of(self, path: Path) -> list[Path]:
        """The nearest test files: those of the same name first, then by imports, where another room counts as one more."""
        room = path.relative_to(self.package).parts[0]
        ranked = []
        for test, distances in self.distances.items():
            home = test.parent.name == room or test.parent == self.tests
            named = home and test.stem == f"test_{path.stem}"
            if named or path in distances:
                ranked.append((not named, distances.get(path, 0) + (not home), not home, test))
        nearest = min((distance for _, distance, *_ in ranked), default=0)
        return [test for other, distance, _, test in sorted(ranked) if not other or distance <= nearest + 1][:MOST_TESTS]

    def _distances(self, test: Path) -> dict[Path, int]:
        """How far each file is: 0 when the test imports it, 1 when a helper of the tests does, and one more for each file between."""
        found: dict[Path, int] = {}
        frontier, distance = {test}, 0
        while frontier:
            reached = {path for each in frontier for path in self._imported(each)} - found.keys()
            found |= dict.fromkeys(reached, distance)
            frontier, distance = reached, distance + 1
        return found

    @cache  # noqa: B019  one instance a run
    def _imports(self, path: Path) -> list[tuple[str, str]]:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
        plain = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        return plain + [(node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]

    @cache  # noqa: B019
    def _imported(self, path: Path) -> set[Path]:
        return {found for module, name in self._imports(path) if (found := self._resolve(module, name))}

    def _resolve(self, module: str, name: str) -> Path | None:
        """Where a name comes from, also through the `__init__.py` of a folder."""
        path = self.modules.get(f"{module}.{name}") or self.modules.get(module)
        if path and path == self.modules.get(module) and path.name == "__init__.py":
            return next((self._resolve(*each) for each in self._imports(path) if name and each[1] == name), None) or path
        return path


@dataclass
class Outcome:
    fault: Fault
    verdict: str
    seconds: float
    tests: list[str]
    why: str = ""  # no test can see it


@dataclass
class Workshop:
    """Copies of the tree, each for one job at a time, and what the test files take in them without a fault."""

    root: Path
    package: str
    nearest: NearestTests
    trees: "asyncio.Queue[Path]" = field(default_factory=asyncio.Queue)
    clean_seconds: dict[Path, float | None] = field(default_factory=dict)  # None: nothing is left of it without slow tests

    def open(self, scratch: Path, jobs: int) -> None:
        for job in range(jobs):
            tree = scratch / str(job) / "tree"
            shutil.copytree(self.root, tree, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
            script = "import importlib.util, sys; print(importlib.util.find_spec(sys.argv[1]).origin)"
            command = [sys.executable, "-c", script, self.package]
            found = subprocess.run(command, cwd=scratch, env=environment(tree), capture_output=True, text=True, check=True).stdout.strip()
            if not Path(found).resolve().is_relative_to(tree.resolve()):
                sys.exit(f"{self.package} is imported from {found}, and not from the copy in {tree}")
            self.trees.put_nowait(tree)

    async def measure(self, test: Path) -> None:
        """Time a test file in a tree without a fault."""
        tree = await self.trees.get()
        try:
            await self._time(tree, test)
        finally:
            self.trees.put_nowait(tree)

    async def _time(self, tree: Path, test: Path) -> None:
        began = time.monotonic()
        status, output = await run_tests(tree, test.relative_to(self.root), None)
        if status not in (0, 5):  # 5: no test was selected
            raise ChildProcessError(f"{test.relative_to(self.root)} fails without any fault (status {status}):\n{output}")
        self.clean_seconds[test] = max(time.monotonic() - began, self.clean_seconds.get(test) or 0.0) if status == 0 else None

    async def judge(self, fault: Fault) -> Outcome:
        """Plant a fault in a tree, run its test files until one fails, and take it out again."""
        tree = await self.trees.get()
        path, began = tree / fault.path, time.monotonic()
        clean, tried, verdict = path.read_bytes(), [], SURVIVED
        try:
            tests = [test for test in self.nearest.of(self.root / fault.path) if self.clean_seconds[test] is not None]
            while tests and verdict == SURVIVED:
                test = tests.pop(0)
                tried.append(test.relative_to(self.root).as_posix())
                replace(path, fault.planted(clean))
                status = await self._try(tree, test)
                if status is None:  # unless the machine has become slower since the clean run
                    replace(path, clean)
                    await self._time(tree, test)
                    replace(path, fault.planted(clean))
                    status = await self._try(tree, test)
                verdict = SURVIVED if status == 0 else TIMED_OUT if status is None else CAUGHT
            return Outcome(fault, verdict, time.monotonic() - began, tried)
        finally:
            replace(path, clean)
            self.trees.put_nowait(tree)

    async def _try(self, tree: Path, test: Path) -> int | None:
        limit = max(PATIENCE * (self.clean_seconds[test] or 0.0), LEAST)
        return (await run_tests(tree, test.relative_to(self.root), limit))[0]


def environment(tree: Path) -> dict[str, str]:
    """The copy comes before any installed package."""
    return os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONHASHSEED": "0"}


def replace(path: Path, source: bytes) -> None:
    """Write a source, and forget what was compiled of the one before: dates of files tell seconds apart, not faults."""
    path.write_bytes(source)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


async def run_tests(tree: Path, test: Path, limit: float | None) -> tuple[int | None, str]:
    """The status of pytest, None beyond the time limit, and the end of what it says."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not long"]
    command += [f"--basetemp={tree.parent / 'tmp'}", str(test)]
    surroundings = environment(tree) | ({} if limit is None else {"PYTHONDONTWRITEBYTECODE": "1"})
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tree, env=surroundings, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        with suppress(ImportError, AttributeError, ProcessLookupError):  # Linux only
            import resource

            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        try:
            status = await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            status = None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with whatever the tests have started
            await process.wait()
        output.seek(0)
        return status, output.read()[-3000:].decode(errors="replace")


async def run(root: Path, package: str, drawn: list[Fault], jobs: int, argued: dict[tuple, str]) -> list[Outcome]:
    """What becomes of each fault, in the order of the draw; a line for each as soon as it is known."""
    workshop = Workshop(root, package, NearestTests(root, package))
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        workshop.open(Path(scratch), jobs)
        tests = {test: None for fault in drawn for test in workshop.nearest.of(root / fault.path)}
        print(f"{len(drawn)} faults, {len(tests)} test files; these are run once without a fault", flush=True)
        await together(workshop.measure(test) for test in tests)
        told = 0

        async def judged(fault: Fault) -> Outcome:
            nonlocal told
            outcome = await workshop.judge(fault)
            outcome.why, told = argued.get(fault.identity, "") if outcome.verdict == SURVIVED else "", told + 1
            place = f"{fault.path}:{fault.line}  {fault.before}  ->  {fault.after}"
            print(f"[{told}/{len(drawn)}] {outcome.verdict}, {outcome.seconds:.0f} s  {place}", flush=True)
            return outcome

        return await together(judged(fault) for fault in drawn)


async def together(tasks: Iterable) -> list:
    """All of them; when one fails or is interrupted, the others are stopped."""
    try:
        async with asyncio.TaskGroup() as group:
            started = [group.create_task(task) for task in tasks]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in started]


def survivor(outcome: Outcome) -> str:
    """An item of a Markdown list: where a fault is, who did not see it, the lines before and after."""
    fault, tests = outcome.fault, ", ".join(outcome.tests) or "no test file reaches it"
    place = f"{fault.path}:{fault.line}, in {fault.scope or 'the module'} ({fault.kind})"
    told = f"argued: {outcome.why}" if outcome.why else f"unseen by {tests}"
    return f"- {place}; {told}\n  ```diff\n  - {fault.before}\n  + {fault.after}\n  ```"


def write_report(path: Path, outcomes: list[Outcome], sentence: str) -> None:
    """The survivors, as JSON or as Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = [outcome for outcome in outcomes if outcome.verdict == SURVIVED]
    if path.suffix == ".json":
        rows = [{**vars(outcome.fault), "tests": outcome.tests, "why": outcome.why} for outcome in left]
        path.write_text(json.dumps({"summary": sentence, "survivors": rows}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    else:
        path.write_text("\n\n".join([f"# Mutants\n\n{sentence}", *map(survivor, left)]) + "\n", encoding="utf-8")


def read_argued(path: Path) -> dict[tuple, str]:
    """Identities of equivalent mutants, and why no test can see them."""
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return {(entry["path"], entry["scope"], entry["before"], entry["after"]): entry["why"] for entry in entries}


def main(words: list[str] | None = None, root: Path = ROOT, package: str = "dalle_edu", argued_in: Path = ARGUED) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="PATH", help=f"files or folders of {package}, rather than {', '.join(DRAWN_FROM)}")
    parser.add_argument("--report", type=Path, help="where the survivors are written: FILE.md or FILE.json")
    asked = parser.parse_args(words)
    began, places = time.monotonic(), asked.only or [f"{package}/{name}" for name in DRAWN_FROM]
    if lost := [place for place in places if not (root / place).exists()]:
        parser.error(f"there is no {', '.join(lost)} in {root}")
    files = sorted({file for place in places for file in ((root / place).rglob("*.py") if (root / place).is_dir() else [root / place])})
    found, argued = faults(root, files), read_argued(argued_in)
    for identity in argued.keys() - {fault.identity for fault in found if fault.identity in argued}:
        if identity[0] in {file.relative_to(root).as_posix() for file in files} or not (root / identity[0]).exists():
            print(f"argued in {argued_in.name}, and no longer there: {' | '.join(identity)}")
    try:
        outcomes = asyncio.run(run(root, package, list(draw(root, found, asked.count, asked.seed)), max(1, asked.jobs), argued))
    except ChildProcessError as error:
        sys.exit(str(error))
    verdicts, left = Counter(outcome.verdict for outcome in outcomes), [each for each in outcomes if each.verdict == SURVIVED]
    holes = [outcome for outcome in left if not outcome.why]
    sentence = (
        f"{len(outcomes)} faults drawn with seed {asked.seed} from {len(files)} files: {verdicts[CAUGHT]} caught, "
        f"{verdicts[TIMED_OUT]} timed out, {len(left)} survived, of which {len(left) - len(holes)} are argued in {argued_in.name}; "
        f"{(time.monotonic() - began) / 60:.1f} minutes."
    )
    print("\n".join(["", *map(survivor, left), "", sentence]))
    if asked.report:
        write_report(asked.report, outcomes, sentence)
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
