"""Values kept on disk: they come back as they were, and only while the code that made them is the same."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from dalle_edu.bricks import convolution, perceptron
from dalle_edu.classroom.checking import standin
from dalle_edu.classroom.desk import keeping, kept
from dalle_edu.classroom.desk.code_read import fingerprint_of_call
from dalle_edu.errors import DalleEduError
from dalle_edu.world import World


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path / "desk"))
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    calls.made = 0
    return tmp_path / "desk"


class Calls:
    """How often a value was made. Its content is none of what makes a value another."""

    made = 0


calls = Calls()
factor = 3.0


def helper(x):
    return factor * x


VALUE = {
    "losses": [0.5, float("inf"), 1],
    3: (torch.arange(6).reshape(2, 3).t(), np.linspace(0, 1, 3), np.float32(0.25), torch.ones(2, dtype=torch.bfloat16)),
    "text": "é",
    "nothing": None,
    "none": {},
}


def same(left, right) -> bool:
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right)
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def make():
    calls.made += 1
    return VALUE


def test_a_value_that_took_long_comes_back_as_it_was(capsys):
    kept("value", make, patience=-1)
    assert "is kept on disk" in capsys.readouterr().out
    again = kept("value", make, patience=-1)
    assert calls.made == 1
    assert same(again, VALUE)
    assert "is read from disk" in capsys.readouterr().out
    kept("value", make, patience=-1, anew=True)
    assert calls.made == 2


def test_what_was_quick_is_not_kept(desk, capsys):
    kept("value", make)
    assert not desk.exists()
    assert capsys.readouterr().out == ""


def build():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_a_network_is_kept_through_its_state(capsys):
    def learn():
        torch.manual_seed(calls.made)
        calls.made += 1
        network = build().eval()
        network[1].running_mean += 7
        return network

    first = kept("network", learn, like=build, patience=-1)
    second = kept("network", learn, like=build, patience=-1)
    assert calls.made == 1
    assert not second.training
    assert same(dict(first.state_dict()), dict(second.state_dict()))
    kept("another", learn, patience=-1)
    assert "not kept on disk: it holds a network without `like`" in capsys.readouterr().out
    wider = kept("network", learn, like=lambda: nn.Linear(9, 9), patience=-1)  # it fits no longer: computed, not an error
    assert isinstance(wider, nn.Sequential)
    assert "computed anew" in capsys.readouterr().out


@pytest.mark.parametrize("value", [object(), {1, 2}, [np.array(["a"])], {"a": nn.Linear(1, 1)}, np.random.default_rng(0)])
def test_other_values_are_given_and_not_kept(value, desk, capsys):
    assert kept("value", lambda: value, patience=-1) is value
    assert "is not kept on disk: it holds" in capsys.readouterr().out
    assert not list(desk.rglob("*.safetensors"))


def test_a_damaged_file_is_computed_anew(desk, capsys):
    kept("value", make, patience=-1)
    (path,) = desk.rglob("*.safetensors")
    path.write_bytes(b"no such thing")
    assert same(kept("value", make, patience=-1), VALUE)
    assert "computed anew" in capsys.readouterr().out
    kept("value", make, patience=-1)
    assert calls.made == 2


def test_where_nothing_can_be_written_the_value_is_given(desk, capsys):
    desk.write_text("", encoding="utf-8")
    assert kept("value", make, patience=-1) is VALUE
    assert "is not kept on disk" in capsys.readouterr().out


def test_a_bad_name_is_refused():
    with pytest.raises(DalleEduError, match="letters"):
        kept("../value", make)
    with pytest.raises(DalleEduError, match="a function"):
        kept("value", partial(helper, 1.0))


# ---------------------------------------------------------------- what it depends on


@dataclass
class Recipe:
    steps: int


BEFORE = """
import numpy as np, torch
def inner(x): return 2 * x
class Net(torch.nn.Linear):
    def forward(self, x): return x
def outer(x): return [inner(part) for part in x]
rate, recipe, weights, rng = 0.1, Recipe(3), torch.ones(3), np.random.default_rng(0)
world = World(4, languages=("en",))
def make(): return outer([rate, recipe.steps, weights, Net(1, 1), rng, world])
"""


def printed(code: str, folder) -> str:
    """The fingerprint of `make` in code, which a file holds, so that it has a source."""
    path = folder / "code.py"
    path.write_text(code, encoding="utf-8")
    names = {"__name__": "notebook", "Recipe": Recipe, "World": World}
    import linecache

    linecache.clearcache()
    exec(compile(code, str(path), "exec"), names)
    return fingerprint_of_call(names["make"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return outer([", "return outer([1, "),
        ("2 * x", "3 * x"),
        ("forward(self, x): return x", "forward(self, x): return -x"),
        ("0.1", "0.2"),
        ("Recipe(3)", "Recipe(4)"),
        ('("en",)', '("fr",)'),
        ("torch.ones(3)", "torch.zeros(3)"),
        ("def outer(x)", "def outer(x, y=1)"),
    ],
)
def test_a_change_in_what_is_read_makes_it_another(old, new, tmp_path):
    assert old in BEFORE
    assert printed(BEFORE, tmp_path) == printed(BEFORE, tmp_path)
    assert printed(BEFORE.replace(old, new), tmp_path) != printed(BEFORE, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("default_rng(0)", "default_rng(1)"),
        ("def make", "other = 3\ndef make"),
        ("def make", "steps = 'a name of the notebook, and an attribute of another value'\ndef make"),
    ],
)
def test_a_change_elsewhere_does_not(old, new, tmp_path):
    assert printed(BEFORE.replace(old, new), tmp_path) == printed(BEFORE, tmp_path)


EXERCISES = """
from dalle_edu.bricks.convolution import ResidualBlock as Block
from dalle_edu.bricks.perceptron import neuron, step
def doubled(x): return 2 * np.asarray(step(x))
class Deeper(Block):
    def forward(self, x): return super().forward(x) + x
def make(): return doubled(1.0), Deeper
"""


def test_for_the_builder_a_right_exercise_and_its_stand_in_are_the_same(tmp_path):
    """A version that is neither counts with its code, as it does for a reader, whose exercises are told apart however right they are."""

    def fingerprint(versions, same):
        path = tmp_path / "exercises.py"
        path.write_text(EXERCISES, encoding="utf-8")
        names = {"__name__": "notebook", "np": np}
        exec(compile(EXERCISES, str(path), "exec"), names)
        exec("def step(total): return np.where(np.asarray(total) >= 0, 1, 0)", names)
        names["Block"] = type("Block", (nn.Module,), {"__module__": "notebook", "forward": lambda self, x: x})
        for name, library in (("step", perceptron.step), ("Block", convolution.ResidualBlock)):
            if versions == "right":
                standin.note_right(names[name], library)
            elif versions == "undone":
                names[name] = standin.stand_in(library, names[name], name)
        names["Deeper"].__bases__ = (names["Block"],)
        return fingerprint_of_call(names["make"], same)

    assert fingerprint("right", standin.same_in_library) == fingerprint("undone", standin.same_in_library)
    assert fingerprint("wrong", standin.same_in_library) != fingerprint("right", standin.same_in_library)
    assert fingerprint("right", lambda _: None) != fingerprint("undone", lambda _: None)


def test_what_a_closure_holds_counts():
    def maker(number):
        return lambda: number

    assert fingerprint_of_call(maker(1)) != fingerprint_of_call(maker(2))


def test_a_new_version_replaces_the_kept_one(desk, monkeypatch):
    def scaled():
        return helper(2.0)

    assert kept("scaled", scaled, patience=-1) == 6.0
    monkeypatch.setitem(globals(), "factor", 4.0)
    assert kept("scaled", scaled, patience=-1) == 8.0
    assert len(list(desk.rglob("*.safetensors"))) == 1


@pytest.mark.slow
def test_it_is_read_in_another_process(tmp_path, desk):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import torch
        from dalle_edu.classroom.desk import keeping, kept, open_lesson
        open_lesson("01_perceptron", "fr")
        def grow(x): return x + torch.ones(2)
        print(kept("sum", lambda: grow(torch.zeros(2)), patience=-1).tolist())
        """),
        encoding="utf-8",
    )
    first, second = (
        subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, encoding="utf-8").stdout for _ in range(2)
    )
    assert "est gardé sur disque\u00a0: après un redémarrage" in first
    assert "est lu sur disque" in second
    assert first.splitlines()[-1] == second.splitlines()[-1] == "[1.0, 1.0]"
    assert [path.parent.name for path in desk.rglob("*.safetensors")] == ["01_perceptron"]


def test_without_a_folder_of_its_own_the_book_computes_everything_anew_and_keeps_nothing(monkeypatch, desk, capsys):
    monkeypatch.setenv("DALLE_EDU_STATIC", "1")
    monkeypatch.delenv("DALLE_EDU_KEPT", raising=False)
    for _ in range(2):
        assert same(kept("value", make, patience=-1), VALUE)
    assert calls.made == 2
    assert not desk.exists()
    assert capsys.readouterr().out == ""


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """The builder's folder; whatever took long enough is kept, and nothing on the reader's desk."""
    monkeypatch.setenv("DALLE_EDU_STATIC", "1")
    monkeypatch.setenv("DALLE_EDU_KEPT", str(tmp_path / "shared"))
    monkeypatch.setattr(keeping, "_SHARED", -1.0)
    return tmp_path / "shared"


def test_the_book_keeps_values_in_its_own_folder_without_a_word(shared, desk, capsys):
    for _ in range(2):
        assert same(kept("value", make), VALUE)
    assert calls.made == 1
    kept("value", make, anew=True)
    assert calls.made == 2
    assert not desk.exists()
    assert capsys.readouterr().out == ""


def test_an_untouched_notebook_reads_what_the_book_has_kept(shared, monkeypatch, desk, capsys):
    kept("value", make)
    monkeypatch.setenv("DALLE_EDU_STATIC", "0")
    assert same(kept("value", make), VALUE)
    assert (calls.made, desk.exists(), capsys.readouterr().out) == (1, False, "")


def test_the_book_computes_what_is_damaged_or_cannot_be_kept(shared, capsys):
    kept("value", make)
    (path,) = shared.glob("*.safetensors")
    path.write_bytes(b"no such thing")
    assert same(kept("value", make), VALUE)
    assert calls.made == 2
    assert kept("network", build).training
    assert kept("object", lambda: {1, 2}) == {1, 2}
    assert [path.name.partition(".")[0] for path in shared.iterdir()] == ["value"]
    assert capsys.readouterr().out == ""


def test_a_quick_value_is_not_kept_for_the_book(shared, monkeypatch):
    monkeypatch.setattr(keeping, "_SHARED", 1.0)
    kept("value", make)
    assert not shared.exists()
