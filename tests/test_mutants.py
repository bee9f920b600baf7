"""The mutation testing of `tools/`, on a package of a few lines."""

import ast
import json
from pathlib import Path

import pytest

from tools import mutants
from tools.faults import Finder, draw, faults

LOOP = """\
def countdown(n: int) -> list[int]:
    left = []
    while n > 0:
        left.append(n)
        n -= 1
    return left


def is_small(n: int) -> bool:
    return n < 10
"""
TESTS = """\
import pytest

from toy.loop import countdown, is_small


def test_both():
    assert countdown(2) == [2, 1]
    assert is_small(3) and not is_small(30)


@pytest.mark.slow
def test_that_is_never_run():
    assert False
"""


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # a package of a few lines needs none
    for name, text in {
        "toy/__init__.py": "",
        "toy/loop.py": LOOP,
        "toy/unread.py": "SIZE = 1\n",
        "tests/test_loop.py": TESTS,
        ".venv/x": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def changes(source: str) -> list[str]:
    """The lines as they are after each fault, in order."""
    return [fault.after for fault in Finder("x.py", source.encode()).found]


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def call(root: Path, *words: str) -> int:
    return mutants.main([*words], root, "toy", root / "argued.json")


def test_a_fault_is_caught_one_ends_nowhere_and_one_is_seen_by_nobody(root, capsys, monkeypatch):
    monkeypatch.setattr(mutants, "LEAST", 2.0)
    wanted = ["return n >= 10", "n += 1", "return n <= 10"]
    planted = [fault for fault in faults(root, [root / "toy" / "loop.py"]) if fault.after in wanted]
    before = snapshot(root)
    outcomes = mutants.asyncio.run(mutants.run(root, "toy", planted, jobs=2, argued={}))
    verdicts = {outcome.fault.after: outcome.verdict for outcome in outcomes}
    assert verdicts == dict(zip(wanted, ["caught", "timed out", "survived"], strict=True))
    assert {test for outcome in outcomes for test in outcome.tests} == {"tests/test_loop.py"}
    assert snapshot(root) == before
    assert "[3/3]" in capsys.readouterr().out


def test_the_status_is_zero_once_every_survivor_is_argued(root, capsys):
    before = snapshot(root)
    report = root / "runs" / "mutants.json"
    assert call(root, "--only", "toy/unread.py", "--jobs", "1", "--report", str(report)) == 1
    assert "1 faults drawn with seed 0 from 1 files: 0 caught, 0 timed out, 1 survived, of which 0 are argued" in capsys.readouterr().out
    (found,) = json.loads(report.read_text())["survivors"]
    assert (found["path"], found["line"], found["before"], found["tests"]) == ("toy/unread.py", 1, "SIZE = 1", [])

    why = "nobody reads it"
    argued = {name: found[name] for name in ("path", "scope", "before", "after")} | {"why": why}
    gone = argued | {"before": "SIZE = 5"}
    (root / "argued.json").write_text(json.dumps([argued, gone]))
    (root / "toy" / "unread.py").write_text("\n\nSIZE = 1\n")  # further down, and the same
    assert call(root, "--only", "toy/unread.py", "--jobs", "1", "--report", str(report.with_suffix(".md"))) == 0
    told = capsys.readouterr().out
    assert "no longer there: toy/unread.py |  | SIZE = 5" in told
    assert "1 survived, of which 1 are argued" in told
    assert f"toy/unread.py:3, in the module (number); argued: {why}" in report.with_suffix(".md").read_text()
    (root / "toy" / "unread.py").write_bytes(before[root / "toy" / "unread.py"])
    assert {path: text for path, text in snapshot(root).items() if path in before} == before


def test_tests_that_fail_without_a_fault_and_unknown_paths_are_refused(root, capsys):
    with pytest.raises(SystemExit):
        call(root, "--only", "toy/lost.py")
    assert "there is no toy/lost.py" in capsys.readouterr().err
    (root / "tests" / "test_loop.py").write_text("import toy.loop\n\n\ndef test_it():\n    assert toy.loop.is_small(10)\n")
    with pytest.raises(SystemExit, match=r"test_loop\.py fails without any fault"):
        call(root, "--only", "toy/loop.py", "--count", "1")


def test_a_seed_gives_one_draw(root):
    found = faults(root, [root / "toy" / "loop.py"])
    first, again, other = (list(draw(root, found, 5, seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert len({(fault.start, fault.end) for fault in first}) == 5
    everywhere = list(draw(root, found, 1000, 0))
    assert 5 < len(everywhere) < len(found)  # one in a place


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ('f("é", x <= y)', ['f("é", x < y)', 'f("é", x > y)']),
        ("(a) + (b)", ["(a) - (b)"]),
        ("a = (b  # why + how\n     * c)", ["/ c)"]),
        ("x = (b  # why + how\n) * c", [") / c"]),
        ("a if b else c", ["a if True else c", "a if False else c"]),
        ("x **= y", ["x *= y"]),
        ("a and b or c", ["a and b and c", "a or b or c"]),
        ("not  a is not b", ["a is not b", "not a is b"]),
        ("f(-1)", ["f(0)", "f(-2)", "f(1)"]),
        ("f(0, 1.5)", ["f(1, 1.5)", "f(0, 2.5)", "f(0, 3.0)", "f(0, -1.5)"]),
        ("f(True)", ["f(False)"]),
        ("x.argmax(dim=d)", ["x.argmin(dim=d)", "x.argmax()"]),
        ("f(a=x, b=(y), *z)", ["f(b=(y), *z)", "f(a=x, *z)"]),
        ("f(w, a=x)", ["f(w)"]),
        ("x[a:]", ["x[(a) + 1:]", "x[a:-1]"]),
        ("x[:, ::k]", ["x[1:, ::k]", "x[:-1, ::k]", "x[:, 1::k]", "x[:, :-1:k]"]),
        ("while going(): pass", ["while False: pass"]),
        ("[a for a in b if c]", ["[a for a in b if True]", "[a for a in b if False]"]),
        ("def f() -> bool: return g()", ["def f() -> bool: return not (g())"]),
        ('def f() -> Float[Tensor, "n"]: return g()', ['def f() -> Float[Tensor, "n"]: return -(g())']),
        ("def f() -> str: return g()", []),
    ],
)
def test_each_fault_replaces_its_span_and_nothing_else(source, after):
    assert changes(source) == after
    for fault in Finder("x.py", source.encode()).found:
        planted = fault.planted(source.encode())
        assert planted.startswith(source.encode()[: fault.start])
        assert planted.endswith(source.encode()[fault.end :])


@pytest.mark.parametrize(
    "source",
    [
        '"""Docs say 1 + 1."""',
        "__all__ = [1]",
        "def f(x: Literal[1] | None, *, seed=0, y=x) -> Shape[2]: pass",
        "class A:\n    seed: int = 0\n    x: Literal[1]",
        "@cache(maxsize=1)\ndef f(): pass",
        'raise DalleEduError(f"{n} < 1", "n" * 2 if n > 1 else "0")',
        'say("1", french[:1])',
        'f"{x[:40]} {y + 1}"',
        "zip(a, b, strict=True)",
        "if TYPE_CHECKING:\n    x = 1",
        'if __name__ == "__main__":\n    main(1)',
    ],
)
def test_what_no_test_should_pin_is_left_alone(source):
    assert changes(source) == []


def test_what_is_drawn_compiles_to_something_else(root):
    path = root / "toy" / "odd.py"
    path.write_text("def f(x):\n    global y\n    y = 0 if x else -x\n    return x[:], f(**x), not(x), x if not x else 1\n")
    drawn = [fault for seed in range(20) for fault in draw(root, faults(root, [path]), 100, seed)]
    assert {fault.after for fault in drawn} >= {"return x[:], f(**x), (x), x if not x else 1", "y = 1 if x else -x"}
    for fault in drawn:
        assert ast.dump(ast.parse(fault.planted(path.read_bytes()))) != ast.dump(ast.parse(path.read_bytes()))


def test_the_nearest_tests_are_those_of_the_same_name_then_those_that_import(tmp_path):
    for name, text in {
        "toy/__init__.py": "from toy.room.deep import thing",
        "toy/room/deep.py": "from toy.room import far",
        "toy/room/far.py": "",
        "toy/room/alone.py": "",
        "tests/helper.py": "from toy import thing",
        "tests/room/test_alone.py": "",
        "tests/room/test_other.py": "import helper",
        "tests/hall/test_deep.py": "import toy.room.deep",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    nearest = mutants.NearestTests(tmp_path, "toy")

    def names(path: str) -> list[str]:
        return [test.relative_to(tmp_path / "tests").as_posix() for test in nearest.of(tmp_path / "toy" / path)]

    assert names("room/alone.py") == ["room/test_alone.py"]
    assert names("room/deep.py") == ["room/test_other.py", "hall/test_deep.py"]
    assert names("room/far.py") == ["room/test_other.py", "hall/test_deep.py"]
    assert names("__init__.py") == []


def test_every_argument_is_a_sentence_about_one_fault():
    entries = json.loads(mutants.ARGUED.read_text(encoding="utf-8"))
    assert all(len(entry["why"].split()) > 4 and entry["before"] != entry["after"] for entry in entries)
    assert len(mutants.read_argued(mutants.ARGUED)) == len(entries)
