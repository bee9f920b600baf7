"""What the lesson machine puts around an exercise: an example to try, hints, claims of the prose, quizzes."""

import pytest

from dalle_edu.classroom.builder import notebooks
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.nbgrader.assignment import assignment
from dalle_edu.classroom.builder.source import read_lesson
from dalle_edu.errors import DalleEduError
from tests.trial_lesson import GOOD, write


def sources(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells)


EXTRAS = GOOD.replace(
    "# %% level=2",
    """# %% scratch=true
step(np.array([-1.0, 0.0, 2.0]))  # → array([0., 1., 1.])

# %% claims=true
assert z.sum() == 0

# %% [markdown] lang="fr"
# Puis une moitié.
#
# <details><summary>Un indice</summary>Un sur deux.</details>

# %% [markdown] lang="en"
# Then a half.
#
# <details><summary>A hint</summary>One in two.</details>

# %% level=2""",
)


def test_an_example_stands_between_an_exercise_and_its_check(tmp_path):
    notebook = notebooks.student(read_lesson(write(tmp_path, EXTRAS)), "fr")
    stub, example, asked = (
        next(i for i, cell in enumerate(notebook.cells) if text in cell.source) for text in ("def step", "# →", "check(")
    )
    assert (stub, example, asked) == (stub, stub + 1, stub + 2)
    assert notebook.cells[example].source.startswith("# Essayez la vôtre ici, avec d'autres valeurs aussi.\nstep(")
    assert "raises-exception" in notebook.cells[example].metadata.tags  # run before the exercise is done, it stops nothing


def test_the_value_written_behind_an_example_is_the_one_it_has(tmp_path):
    execution.run(read_lesson(write(tmp_path, EXTRAS)), "en")
    path = write(tmp_path, EXTRAS.replace("array([0., 1., 1.])", "array([0., 0., 1.])"))
    with pytest.raises(DalleEduError, match="an example gives"):
        execution.run(read_lesson(path), "en")


def test_claims_of_the_prose_are_run_and_shown_to_nobody(tmp_path):
    lesson = read_lesson(write(tmp_path, EXTRAS))
    assert "z.sum()" in sources(notebooks.everything(lesson, "en"))
    assert "z.sum()" not in sources(notebooks.student(lesson, "en")) + sources(notebooks.solved(lesson, "en")) + sources(
        assignment(lesson, "en")
    )
    with pytest.raises(DalleEduError, match="AssertionError"):
        execution.run(read_lesson(write(tmp_path, EXTRAS.replace("z.sum() == 0", "z.sum() > 1"))), "en")


def test_graded_editions_have_no_hints(tmp_path):
    lesson = read_lesson(write(tmp_path, EXTRAS))
    assert "One in two" in sources(notebooks.student(lesson, "en"))
    assert "One in two" not in sources(assignment(lesson, "en"))
    assert "Then a half." in sources(assignment(lesson, "en"))


def test_a_quiz_runs_nothing_that_the_student_wrote(tmp_path):
    numbers = (
        'Number("1 + 1?", 2, "One more.", computed=lambda: double(1)),',
        'Number("2?", 2, "Two.", tolerance=1e-3, computed=lambda: 2),',
    )
    asked = "quiz(\n    {}\n    {}\n)".format(*numbers)
    lesson = read_lesson(write(tmp_path, f'{GOOD}\n# %% quiz="sums"\n{asked}\n'))
    cell = next(cell for cell in notebooks.student(lesson, "en").cells if "quiz(" in cell.source)
    imports, _, code = cell.source.partition("\n\n")
    assert imports == "from dalle_edu.classroom.quiz import Number, quiz"
    assert code == 'quiz(\n    Number("1 + 1?", 2, "One more."),\n    Number("2?", 2, "Two.", tolerance=1e-3),\n)'
    assert "computed" in sources(notebooks.everything(lesson, "en"))
