"""A class can use the same notebooks: nbgrader takes them, hides the solutions, and grades what students hand in, cheats included."""

import json
import os
import sys
from pathlib import Path

import nbformat.v4 as v4
import pytest

from dalle_edu.classroom.builder import build

LESSON = '''# ---
# jupyter:
#   lesson:
#     number: "99"
#     hours: [0.1, 0.1, 0.1, 0.2]
#     title: {en: "A trial", fr: "Un essai"}
# ---

# %% implements="perceptron:step" level=1
"""1 là où z >= 0, 0 ailleurs : un neurone s'active (Rosenblatt 1958)."""

# %%
total = 1

# %% level=2
half = 1 / 2

# %%
expect(half, total / 2, say("half", "la moitié"))

# %% level=3
signs = step(np.array([-1.0, 1.0]))

# %%
expect(lambda: signs, [0, 1], say("signs", "les signes"))

# %% level=1
third = 1 / 3

# %%
expect(third, 1 / 3, say("a third", "un tiers"))
'''
STEP = "def step(z):\n    "
RIGHT, WRONG = STEP + "return np.where(z >= 0, 1.0, 0.0)", STEP + "return np.where(z > 0, 1.0, 0.0)"
SIGNS = "signs = step(np.array([-1.0, 1.0]))"
HOOK = """def skip(lines):
    return ["pass"] if any("check(" in line or "expect(" in line for line in lines) else lines


get_ipython().input_transformers_cleanup.append(skip)"""
FORGED = """import dalle_edu.classroom.checks as c, dalle_edu.classroom.checking.verdict as v
c.diagnose = lambda *given: v.Verdict("right", "")
c.show = v.show = lambda verdict: None
c.check = c.expect = lambda *given: None"""
SUBMISSIONS = {  # what the cells of the four exercises hold, and the points that each is worth
    "right": ((RIGHT, "half = 0.5", SIGNS, "third = 1 / 3"), (1, 2, 3, 1)),
    "blank": (("", "", "", ""), (0, 0, 0, 0)),
    "others": ((WRONG, "half = 0.25", SIGNS, "third = 1 / 3"), (0, 0, 3, 1)),  # the third builds on the first, and is right for itself
    "clobbers": ((RIGHT + "\n\n\ntotal = 7", "half = 3.5", SIGNS + "\ncheck = expect = lambda *given: None", "third = 0"), (1, 0, 3, 0)),
    "hooks": ((f"{WRONG}\n\n\n{HOOK}", "half = 0.5", SIGNS, f"third = 1 / 3\n{FORGED}"), (0, 2, 3, 0)),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of one lesson in French, its assignment made by nbgrader, and nbgrader itself."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    folder = tmp_path_factory.mktemp("nbgrader")
    (folder / "lessons" / "sources").mkdir(parents=True)
    (folder / "lessons" / "sources" / "99_trial.py").write_text(LESSON, encoding="utf-8")
    course = folder / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # nbgrader calls alembic by name
        patch.setenv("JUPYTER_CONFIG_DIR", str(folder / "jupyter"))
        patch.setenv("DALLE_EDU_LANGUAGE", "fr")
        build.build_course(course, "fr", folder / "lessons")
        patch.chdir(course)
        config = Config()
        config.merge(PyFileConfigLoader("nbgrader_config.py", str(course)).load_config())
        config.CourseDirectory.root = str(course)
        config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
        api = NbGraderAPI(config=config)
        assert api.generate_assignment("99_trial")["success"]
        yield course, api


def released(course) -> dict:
    return json.loads((course[0] / "release" / "99_trial" / "99_trial.ipynb").read_text(encoding="utf-8"))


def graded(course, student: str, answers) -> list[float]:
    """The points of a student for each exercise, whose answers stand in the released notebook; an empty one is left as it is."""
    from nbgrader.api import Gradebook

    folder, api = course
    notebook = released(course)
    asked = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell, answer in zip(asked, answers, strict=True):
        cell["source"] = answer or cell["source"]
    for cell in [cell for cell in notebook["cells"] if "check, expect = " in "".join(cell["source"]) and student == "hooks"]:
        cell["source"] = "pass"  # nbgrader puts locked cells back
        cell["metadata"]["nbgrader"] |= {"locked": False, "points": 9}
    path = folder / "submitted" / student / "99_trial" / "99_trial.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert api.autograde("99_trial", student)["success"]
    with Gradebook(api.config.CourseDirectory.db_url) as book:
        points = {grade.name: grade.score for grade in book.find_submission_notebook("99_trial", "99_trial", student).grades}
    checks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    return [points[check["grade_id"]] for check in checks]


@pytest.mark.slow
def test_what_is_handed_out_has_the_exercises_in_the_language_of_the_course_and_no_solution(course):
    cells = released(course)["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "raise NotImplementedError  # à vous : remplacez cette ligne" in text
    assert "half = ..." in text
    assert not [word for word in ("np.where", "1 / 2", "YOUR CODE", "SOLUTION", "stub") if word in text + json.dumps(cells[0]["metadata"])]
    assert not [cell for cell in cells if cell["cell_type"] == "code" and "nbgrader" not in cell["metadata"]]  # nothing else can be changed


@pytest.mark.slow
@pytest.mark.parametrize("student", SUBMISSIONS)
def test_each_exercise_has_its_own_points_and_cheating_earns_none(course, student):
    answers, points = SUBMISSIONS[student]
    assert graded(course, student, answers) == list(points)


@pytest.mark.slow
def test_a_cell_that_ends_the_kernel_costs_its_own_points_alone(course, monkeypatch):
    from dalle_edu.classroom import course as steps

    monkeypatch.setattr(steps, "_refused", lambda notebook: {})  # as if reading had found nothing in the cell
    assert graded(course, "ends", (RIGHT, "import os\nos._exit(1)", SIGNS, "third = 1 / 3")) == [1, 0, 3, 1]


def test_what_a_check_writes_on_stderr_is_no_fault(monkeypatch):
    from nbgrader.utils import determine_grade

    from dalle_edu.classroom.course import Execute, RunSubmission

    monkeypatch.setattr(Execute, "preprocess_cell", lambda self, cell, resources, index: (cell, resources))
    step = RunSubmission()
    step._refused = {}
    cell = v4.new_code_cell("expect(1, 1)", outputs=[v4.new_output("stream", name="stderr", text="a warning")])
    cell.metadata["nbgrader"] = {"grade": True, "points": 3, "grade_id": "x", "solution": False}
    assert determine_grade(cell)[0] == 0  # nbgrader's own way
    assert determine_grade(step.preprocess_cell(cell, {}, 0)[0])[0] == 3


def test_an_answer_in_a_cell_that_is_no_longer_marked_as_an_exercise_is_read_all_the_same():
    from dalle_edu.classroom.course import _refused

    marks = {"schema_version": 3, "task": False, "locked": False, "grade": False, "solution": False}
    check = v4.new_code_cell("expect(waves, library_waves(5), 'waves')")
    check.metadata["nbgrader"] = {**marks, "grade": True, "locked": True, "grade_id": "a", "points": 1}
    later = v4.new_code_cell("print(library_waves)")
    later.metadata["nbgrader"] = {**marks, "solution": True, "grade_id": "b"}
    forged = v4.new_code_cell("import os")
    forged.metadata["nbgrader"] = {**marks, "locked": True}  # nbgrader has taken away a name that it does not know
    added = v4.new_code_cell("waves = library_waves(5)")
    assert sorted(_refused(v4.new_notebook(cells=[added, check, later, forged]))) == [0, 3]


def test_a_verdict_is_shown_without_the_way_to_it(monkeypatch):
    from dalle_edu.classroom.course import Execute, RunSubmission

    monkeypatch.setattr(Execute, "preprocess_cell", lambda self, cell, resources, index: (cell, resources))
    step = RunSubmission()
    step._refused = {}
    error = v4.new_output("error", ename="AssertionError", evalue="not yet\nbecause", traceback=["a file", "another"])
    cell = v4.new_code_cell("expect(1, 2)", outputs=[error])
    cell.metadata["nbgrader"] = {"grade": True, "points": 3, "grade_id": "x", "solution": False}
    assert step.preprocess_cell(cell, {}, 0)[0].outputs[0].traceback == ["not yet", "because"]
