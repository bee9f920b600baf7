"""The graded edition of a lesson: what it keeps, what it leaves out, and what of a student's cell is not run."""

import ast

import pytest

from dalle_edu.classroom.builder.build import lessons
from dalle_edu.classroom.builder.nbgrader.assignment import assignment
from dalle_edu.classroom.builder.nbgrader.needed import made_anew, names_of_answers, needed
from dalle_edu.classroom.builder.nbgrader.settings import settings
from dalle_edu.classroom.caution import reaches

GIVEN = [
    "import numpy as np\nfrom dalle_edu.classroom.figures import plot",
    "data = np.arange(3)\nplot(data)\nunused = data.sum()",
    "data[0] = 5\nmodel = train(unused)\nfor epoch in range(3):\n    model.step()",
    "answer = data.sum()",
    "def table():\n    epoch = answer\n    return epoch\n\n\nexpect(table, data, 'x')\nplot(answer)",
    "import math",
]


def test_cells_keep_what_an_exercise_and_its_check_read_and_nothing_else():
    kept = needed(GIVEN, [False, False, False, True, False, False], [""] * 6)
    assert kept == [
        "import numpy as np",
        "data = np.arange(3)",
        "data[0] = 5",
        "answer = data.sum()",
        GIVEN[4].removesuffix("\nplot(answer)"),
        "",
    ]


def test_what_a_statement_of_an_exercise_names_is_kept_unless_the_exercise_makes_it():
    kept = needed(GIVEN, [False, False, False, True, False, False], ["", "", "", "`unused.max` and `answer` and `model`", "", ""])
    assert "unused = data.sum()" in kept[1]
    assert "model = train(unused)" in kept[2]
    assert "answer" not in needed(["answer = 1", "answer = 2"], [False, True], ["", "`answer`"])[0]


def test_a_check_makes_its_data_anew_but_not_the_answer():
    assert made_anew([GIVEN[0], GIVEN[1], GIVEN[2], "answer = 1"], [GIVEN[3]], GIVEN[4]).split("\n") == [
        "import numpy as np", "from dalle_edu.classroom.figures import plot", "data = np.arange(3)", "data[0] = 5",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_graded_edition_holds_exercises_and_checks_and_draws_nothing(language):
    for lesson in lessons():
        notebook = assignment(lesson, language)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        marks = [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]
        exercises = [cell for cell in lesson.cells if cell.is_exercise]
        assert [mark["points"] for mark in marks if mark["grade"]] == [cell.metadata["level"] for cell in exercises]
        assert len([mark for mark in marks if mark["solution"]]) == len(exercises)
        given = [text for text, mark in zip(code, marks, strict=False) if not mark["solution"]]
        called = {
            node.func.id
            for text in given[1:]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"picture", "plot", "sheet", "legend", "quiz", "boundary_explorer", "Explorer"}
        assert "<details>" not in "".join(cell.source for cell in notebook.cells)


def test_the_settings_are_python_in_the_language_of_the_course():
    assert "à vous : remplacez cette ligne" in settings("fr")
    assert "your turn: replace this line" in settings("en")
    assert ast.parse(settings("en"))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("get_ipython().ast_transformers.append(f)", "get_ipython"),
        ("get_ipython().events.register('pre_run_cell', f)", "get_ipython"),
        ("import sys\nsys.exit()", "sys"),
        ("import os; os._exit(0)", "os"),
        ("import os\nos.environ['DALLE_EDU_STRICT'] = '0'", "os"),
        ("%env DALLE_EDU_PATIENCE=100", "%env DALLE_EDU_PATIENCE=100"),
        ("!rm -r .", "!rm -r ."),
        ("%%time\nimport sys", "sys"),
        ("AssertionError = KeyError\n__builtins__.AssertionError = KeyError", "__builtins__"),
        ("import builtins", "builtins"),
        ("import importlib\nimportlib.reload = lambda module: module", "importlib"),
        ("import atexit", "atexit"),
        ("exec(open('dalle_edu/bricks/perceptron.py').read())", "exec"),
        ("from inspect import getsource", "inspect"),
        ("from dalle_edu.bricks.perceptron import step", "dalle_edu.bricks.perceptron"),
        ("import numpy as np\nnp.allclose = lambda *given: True", "np.allclose"),
        ("def f(module):\n    module.allclose = print\nf(np)", "np"),
        ("torch.testing.assert_close = print", "torch.testing.assert_close"),
        ("setattr(np, 'allclose', print)", "setattr"),
        ("from torch import os", "os"),
        ("np.random._pickle", "np.random._pickle"),
        ("().__class__.__mro__", "().__class__.__mro__"),
        ("try:\n    1 / 0\nexcept Exception as error:\n    error.__traceback__.tb_frame.f_back", "error.__traceback__.tb_frame.f_back"),
        ("def f():\n    yield\nf().gi_frame", "f().gi_frame"),
        ("half = exit", "exit"),
    ],
)
def test_a_cell_that_reaches_out_of_its_exercise_is_found(code, found):
    assert reaches(code)
    assert found in {reaches(code), *reaches(code).split(".")} or found in reaches(code)


@pytest.mark.parametrize(
    "code",
    [
        "def waves(length, width):\n    return torch.stack([torch.arange(length)] * width, dim=-1)",
        "import matplotlib.pyplot as plt\nimport numpy as np\n%matplotlib inline\nplt.plot(np.arange(3))",
        "class Net(torch.nn.Module):\n    def __init__(self):\n        self._n = 3\n        self.w = torch.ones(3)",
        "F = torch.ones(3)\nprint(F @ F)",
        "for p in model.parameters():\n    p.grad = None\nmodel.eval()",
        "%timeit step(z)",
        "def step(z:\n",
        "import re\npattern = re.compile('a')",
        "raise NotImplementedError  # your turn",
    ],
)
def test_a_cell_that_keeps_to_its_exercise_is_run(code):
    assert reaches(code) == ""


def test_what_a_check_compares_with_is_no_answer():
    code = "expect(mine, machine.dvae.encode(images[:4]), 'codes')\nexpect(lambda: p[1:], places[:-1], 'x')\nexpect(waves, wave(5), 'y')"
    assert names_of_answers(code) == {"encode", "places", "wave"}
    assert names_of_answers("expect(a, torch.tensor([1]).sum(), 'a')\nexpect(b, float(np.ones(3).max()) + math.pi, 'b')") == set()
    assert reaches("def mine(x):\n    return machine.dvae.encode(x)", {"encode"}) == "machine.dvae.encode"
    assert reaches("waves = lambda n: wave(n)", {"wave"}) == "wave"
    assert reaches("def wave(n):\n    return n\n\n\nwaves = wave(5)", {"wave"}) == ""
