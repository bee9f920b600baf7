"""Executed lessons are kept: what executes one again, and what does not. The kernels are real, the lesson is a trial."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from trial_lesson import write

from dalle_edu.classroom.builder import exercises, notebooks
from dalle_edu.classroom.builder.kernels import execution, files_read
from dalle_edu.classroom.builder.kernels.executed import executed
from dalle_edu.classroom.builder.source import read_lesson
from dalle_edu.classroom.checking.proof import references
from dalle_edu.classroom.desk.code_read import ONE_AT_A_TIME, fingerprint_of_call

LESSON = """# %% [markdown] lang="en"
# Numbers are read and added.

# %% [markdown] lang="fr"
# Des nombres sont lus et ajoutés.

# %%
import time

import helper
from safetensors import safe_open

from dalle_edu.classroom.desk import kept

with safe_open("numbers.safetensors", framework="pt") as file:
    numbers = file.get_tensor("numbers")


def count():
    # en: a long work
    # fr: un long travail
    until = time.process_time() + 1.3
    while time.process_time() < until:
        pass
    return {"stamp": time.time(), "sum": helper.double(float(numbers.sum()))}


counted = kept("count", count)
# en: the sum
# fr: la somme
print(counted["sum"], time.time(), counted["stamp"])
"""
HELPER = '"""What the lesson imports."""\n\n\ndef double(x):\n    """Twice x."""\n    return 2 * x\n'


class Project:
    """A folder with a lesson, a module and weights; `runs` counts the executions."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.pages, self.runs, run = folder / "project", folder / "pages", 0, execution.run
        self.lesson(LESSON)
        self.write("helper.py", HELPER)
        self.write("stranger.py", "x = 1\n")
        self.weights([1.0, 2.0])

        def counted(*args, **options):
            self.runs += 1
            return run(*args, **options)

        monkeypatch.setattr(execution, "run", counted)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def weights(self, numbers: list[float]) -> None:
        save_file({"numbers": torch.tensor(numbers)}, self.folder / "numbers.safetensors")

    def lesson(self, text: str) -> None:
        self.path = write(self.folder / "lessons", text)

    def notebook(self, language: str = "en"):
        """The executed lesson, and how many executions that took."""
        before = self.runs
        notebook = executed(read_lesson(self.path), language, self.pages)
        return notebook, self.runs - before


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    return Project(tmp_path, monkeypatch)


def printed(notebook) -> list[float]:
    """The numbers that the lesson printed: a sum, when, and the stamp of the value that is kept."""
    texts = [output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"]
    return [float(word) for word in texts[-1].split()]


@pytest.mark.slow
def test_words_execute_nothing_and_code_or_weights_execute_the_lesson(project):
    first, runs = project.notebook()
    assert runs == 1
    assert printed(first)[0] == 6.0
    assert first.metadata["cost"]["cpu_seconds"] > 1
    assert "read" not in first.metadata

    project.lesson(LESSON.replace("Numbers are read", "Numbers are taken"))  # a word of prose
    project.write("helper.py", HELPER.replace("Twice x.", "x and x.").replace("    return", "    # a comment\n    return"))
    project.write("stranger.py", "x = 2\n")  # a module that it does not import
    again, runs = project.notebook()
    assert runs == 0
    assert printed(again) == printed(first)
    assert "Numbers are taken" in "".join(cell.source for cell in again.cells)

    project.write("helper.py", HELPER.replace("2 * x", "3 * x"))
    other, runs = project.notebook()
    assert (runs, printed(other)[0]) == (1, 9.0)

    project.weights([1.0, 3.0])
    other, runs = project.notebook()
    assert (runs, printed(other)[0]) == (1, 12.0)
    assert project.notebook()[1] == 0

    project.lesson(LESSON.replace("float(numbers.sum())", "float(numbers.sum()) + 1"))
    other, runs = project.notebook()
    assert (runs, printed(other)[0]) == (1, 15.0)


@pytest.mark.slow
def test_what_one_language_computed_the_other_reads_and_a_damaged_file_is_computed_anew(project):
    english, _ = project.notebook("en")
    french, runs = project.notebook("fr")
    assert runs == 1
    assert printed(french)[1] > printed(english)[1]
    assert printed(french)[2] == printed(english)[2]  # the value is the same one
    assert french.metadata["cost"]["cpu_seconds"] > 1.3  # and its cost is counted

    (page,) = project.pages.rglob("99_trial.fr.*.ipynb")
    page.write_text(page.read_text(encoding="utf-8")[:-100], encoding="utf-8")
    (value,) = project.pages.rglob("count.*.safetensors")
    value.write_bytes(b"no such thing")
    french, runs = project.notebook("fr")
    assert runs == 1
    assert printed(french)[2] > printed(english)[2]
    assert project.notebook("fr")[1] == 0

    project.weights([5.0, 5.0])  # a value that was read brings along what it was made of
    assert project.notebook("en")[1] == project.notebook("fr")[1] == 1


def ask(path: Path, pages: Path) -> list[float]:
    return printed(executed(read_lesson(path), "en", pages))


@pytest.mark.slow
def test_lessons_execute_in_one_thread_whatever_the_machine_has(project, monkeypatch):
    """With another number of threads sums are added up in another order, and trainings end elsewhere."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    project.lesson(LESSON + "\n# %%\nimport torch\n\nprint(torch.get_num_threads())\n")
    assert printed(project.notebook()[0]) == [1.0]


@pytest.mark.slow
def test_of_two_processes_at_once_one_executes(project):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        one, other = (pool.submit(ask, project.path, project.pages) for _ in range(2))
        assert one.result() == other.result()


def test_comments_and_docstrings_are_no_part_of_a_fingerprint(tmp_path):
    def of(code: str) -> str:
        import linecache

        path = tmp_path / "code.py"
        path.write_text(code, encoding="utf-8")
        linecache.clearcache()
        names = {"__name__": "notebook"}
        exec(compile(code, str(path), "exec"), names)
        return fingerprint_of_call(names["make"])

    plain = of("def make():\n    return 1\n")
    assert of('def make():\n    """Make."""\n    # one\n    return 1  # only\n') == plain
    assert of("def make():\n    return 2\n") != plain
    assert of("make = (\n  lambda: 1\n)\n") != of("make = (\n  lambda: 2\n)\n")


def test_references_are_of_the_target_alone():
    assert {reference.target for reference in references("mlp:softmax")} == {"mlp:softmax"}


def test_whatever_parses_code_in_a_thread_waits_for_its_turn(project, tmp_path):
    """Python 3.11's parser raises `SystemError`, now and then, where two threads parse at a time."""
    lesson, code = read_lesson(project.path), tmp_path / "code.py"
    code.write_text("x = 1\n")
    parse = [
        lambda: notebooks.everything(lesson, "en"),
        lambda: notebooks.student(lesson, "en"),
        lambda: exercises.exercises(lesson, "en"),
        lambda: files_read.digests([str(code)], []),
    ]
    with ThreadPoolExecutor(len(parse)) as pool:
        with ONE_AT_A_TIME:
            waiting = [pool.submit(each) for each in parse]
            assert not wait(waiting, timeout=0.3).done
        assert not wait(waiting, timeout=30).not_done
