"""The student's desk in a real notebook: lines in place of tracebacks, the solution, a reset, and the next day."""

import json

import nbformat
import pytest

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.kernels.kernel import QUIET

STEP, WRONG = "def step(z):\n    return np.where(z >= 0, 1.0, 0.0)", "def step(z):\n    return np.where(z > 0, 1.0, 0.0)"
CHECK = 'step = check("perceptron:step")'
TABLE = 'expect(table, [1, 1, 0, 1], "the table of “a implies b”")'
COUNT = "len(In) - get_ipython().execution_count"
WEIGHTS = "implies_weights = [-1.0, 1.0]\nimplies_bias = 0.5"
pytestmark = pytest.mark.slow


def preamble(language: str = "en") -> str:
    notebook = nbformat.read(build.LESSONS / language / "01_perceptron.ipynb", as_version=4)
    return next(cell.source for cell in notebook.cells if "open_lesson(" in cell.source)


def stub(name: str) -> str:
    exercises = json.loads((build.LESSONS / "en" / "exercises.json").read_text(encoding="utf-8"))["01_perceptron"]
    return next(one["stub"] for one in exercises if name in one["names"])


@pytest.fixture
def day(tmp_path, monkeypatch):
    """Run cells in a kernel of its own; what is kept stays from one day to the next. Returns what each cell showed."""
    from nbclient import NotebookClient

    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path / "desk"))
    monkeypatch.setenv("DALLE_EDU_STRICT", "0")

    def run(*cells: str) -> list[str]:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True, extra_arguments=[QUIET])
        client.execute(cwd=str(tmp_path))
        return [shown(cell) for cell in book.cells]

    return run


def shown(cell) -> str:
    """What a cell showed, as text; of an error its name and its traceback."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "error":
            parts.append(f"ERROR {output.ename}: {output.evalue}")
        else:
            parts.append(output.text if output.output_type == "stream" else output.data["text/plain"])
    return "\n".join(parts)


def test_an_undone_exercise_is_a_line_and_every_other_error_a_traceback(day):
    said = day(
        preamble(),
        "import numpy as np",
        stub("step"),
        "step(np.array([1.0]))",
        "raise NotImplementedError",
        "def mine():\n    raise NotImplementedError('of my own')\nmine()",
        "1 / 0",
        "import torch\ntorch.nn.Module()(1)",
        CHECK,
    )
    assert said[0] == ""
    assert said[3].strip() == "… `step` is not written yet: your turn."
    assert said[4].startswith("ERROR NotImplementedError")
    assert said[5].startswith("ERROR NotImplementedError: of my own")
    assert said[6].startswith("ERROR ZeroDivisionError")
    assert said[7].startswith("ERROR NotImplementedError: Module")
    assert "Your turn" in said[8]


def test_a_solution_a_reset_and_the_next_day(day, tmp_path):
    first = day(
        preamble(),
        "import numpy as np\ncorners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])",
        WRONG,
        CHECK,
        WRONG + "  # the same",
        CHECK,
        WRONG.replace("1.0", "2.0"),
        CHECK,
        STEP,
        CHECK,
        "def neuron(x, weights, bias):\n    return step(x @ weights + bias)",
        'neuron = check("perceptron:neuron")',
        "def table():\n    return neuron(corners, np.array(implies_weights), implies_bias)",
        WEIGHTS.replace("0.5", "-0.5"),
        TABLE,
        WEIGHTS.split("\n")[0],
        WEIGHTS.split("\n")[1],
        TABLE,
        "progress()",
    )
    assert "solution(" not in first[3] + first[5]
    assert 'solution("step")' in first[7]
    assert "✓" in first[9]
    assert "✓" in first[11]
    assert "not yet" in first[14]
    assert "✓" in first[17]
    assert "3 of 17" in first[18]

    second = day(
        COUNT,
        preamble(),
        "take_up()",
        CHECK,
        'neuron = check("perceptron:neuron")',
        "import inspect, numpy as np\ncorners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])\nprint(inspect.getsource(step))",
        "def table():\n    return neuron(corners, np.array(implies_weights), implies_bias)",
        TABLE,
        "def step(z):\n    return np.where(z >= 0, 1.0 0.0)",
        CHECK,
        "take_up()",
        CHECK,
        preamble(),
        COUNT,
    )
    assert "3 exercises are yours already" in second[1]
    assert second[2].strip() == "Taken up: `step`, `neuron`, `implies_weights`."
    assert "✓" in second[3]
    assert "✓" in second[4]
    assert STEP in second[5]
    assert "✓" in second[7]
    assert "SyntaxError" in second[8]
    assert "earlier version" in second[9]
    assert "✓" in second[11]
    assert second[12] == ""
    assert second[13] == second[0]  # the cells that were taken up are counted once

    third = day(
        preamble(),
        "take_up()",
        'reset("step")',
        CHECK,
        "reset(3)",
        "print(implies_weights)",
        "progress()",
        "from dalle_edu.classroom.desk import record\n"
        'record.change("01_perceptron", "mlp:softmax", lambda entry: setattr(entry, "right", "softmax = absent + 1"))\ntake_up()',
        'record.change("01_perceptron", "mlp:softmax", lambda entry: setattr(entry, "right", "softmax = lambda z: absent"))\ntake_up()',
        "1 / 0",
    )
    assert "begins again" in third[2]
    assert "There is no `step` yet" in third[3]
    assert third[5].strip() == "Ellipsis"
    assert "1 of 17" in third[6]
    assert "Taken up: `neuron`." in third[7]
    assert "`softmax` (NameError: name 'absent' is not defined)" in third[7]
    assert "ERROR" not in third[7]
    assert "Taken up: `neuron`, `softmax`. They read `absent`" in " ".join(third[8].split())  # printed in one message or in two
    assert third[9].startswith("ERROR ZeroDivisionError")


def test_a_reset_puts_the_exercise_into_a_fresh_cell(tmp_path, monkeypatch):
    from jupyter_client.manager import start_new_kernel

    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=[QUIET])
    try:
        assert client.execute_interactive(preamble(), timeout=120)["content"]["status"] == "ok"
        reply = client.execute_interactive('reset("step")', timeout=60)["content"]
        assert [item["text"] for item in reply["payload"] if item["source"] == "set_next_input"] == [stub("step")]
        assert not reply["payload"][0]["replace"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_grading_judge_gives_no_solution(day):
    said = day(
        preamble(),
        "import importlib\nimport numpy as np\nimport dalle_edu.classroom.grading\n"
        "check, expect = importlib.reload(dalle_edu.classroom.grading).judges()",
        WRONG,
        CHECK,
        WRONG.replace("1.0", "2.0"),
        CHECK,
        'solution("step")',
    )
    for place in (3, 5):
        assert said[place].startswith("ERROR AssertionError")
        assert "solution" not in said[place]
    assert "gives no solution" in said[6]
