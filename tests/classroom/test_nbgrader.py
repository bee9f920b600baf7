"""A class can use the same notebooks: nbgrader takes them, hides the solutions, and grades what students hand in, cheats included."""

import json
import os
import sys
from pathlib import Path

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
"""1 là où z >= 0, 0 ailleurs : un neurone s'active ou se tait (Rosenblatt 1958)."""

# %% level=2
half = 1 / 2

# %%
expect(half, 0.5, say("half", "la moitié"))
'''


RIGHT, WRONG = "return np.where(z >= 0, 1.0, 0.0)", "return np.where(z > 0, 1.0, 0.0)"
LATER = "half = 0.5"
SUBMISSIONS = {  # the body of `step`, what the second answer's cell holds, and the points that they are worth
    "right": (RIGHT, LATER, 3),
    "wrong": (WRONG, LATER, 2),
    "blank": ("raise NotImplementedError", "half = ...", 0),
    "another_check": (WRONG + "\n\n\ncheck = lambda *given: step", "half = 0.25\nexpect = lambda *given: None", 0),
    "calls_the_library": ("import dalle_edu.bricks.perceptron as p\n    return p.step(z)", LATER, 2),
    "hands_in_the_library": (WRONG + "\n\n\nfrom dalle_edu.bricks.perceptron import step", LATER, 2),
    "changes_the_library": (WRONG + "\n\n\nimport dalle_edu.bricks.perceptron as p\np.step = step", LATER, 2),
    "changes_the_judge": (
        WRONG + "\n\n\nimport dalle_edu.classroom.checks as c, dalle_edu.classroom.checking.verdict as v\n"
        'c.diagnose = lambda *given: v.Verdict("right", "")\nc.show = v.show = lambda verdict: None',
        LATER,
        2,
    ),
}


def answered(notebook: dict, step: str, half: str) -> dict:
    """A released notebook with a student's two answers in it."""
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if "def step" in text:
            cell["source"] = text.split("    # YOUR CODE HERE")[0] + f"    {step}\n"
        elif text.startswith("# YOUR CODE HERE"):
            cell["source"] = half
    return notebook


@pytest.mark.slow
def test_nbgrader_grades_right_and_wrong_submissions_and_cheating_earns_nothing(tmp_path, monkeypatch):
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    (tmp_path / "lessons" / "sources").mkdir(parents=True)
    (tmp_path / "lessons" / "sources" / "99_trial.py").write_text(LESSON, encoding="utf-8")
    course = tmp_path / "course"
    build.build_course(course, "en", tmp_path / "lessons")
    monkeypatch.chdir(course)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # nbgrader calls alembic by name
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.course_id = "dalle"
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    api = NbGraderAPI(config=config)

    assert api.generate_assignment("99_trial")["success"]
    released = course / "release" / "99_trial" / "99_trial.ipynb"
    text = released.read_text(encoding="utf-8")
    assert "np.where" not in text
    assert "1 / 2" not in text

    for student, (step, half, _) in SUBMISSIONS.items():
        submission = course / "submitted" / student / "99_trial" / "99_trial.ipynb"
        submission.parent.mkdir(parents=True)
        submission.write_text(json.dumps(answered(json.loads(text), step, half)), encoding="utf-8")
        assert api.autograde("99_trial", student)["success"]
    with Gradebook(config.CourseDirectory.db_url) as book:
        scores = {student: book.find_submission("99_trial", student).score for student in SUBMISSIONS}
    assert scores == {student: points for student, (_, _, points) in SUBMISSIONS.items()}
