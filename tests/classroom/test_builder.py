"""The lesson machine: what it makes of a source, and every fault that it must refuse."""

import json
import re

import pytest

from dalle_edu.bricks.perceptron import neuron
from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.complaints import Faults
from dalle_edu.classroom.builder.faults import problems
from dalle_edu.classroom.builder.faults.languages import reads_as_other
from dalle_edu.classroom.builder.hollow import French, _refilled, free_names, hollowed, imports_for, solution
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.source import Cell, one_language, read_lesson
from dalle_edu.classroom.checking.diagnosis import diagnose, judge
from dalle_edu.classroom.checking.proof import mistakes
from dalle_edu.classroom.suspect import suspect
from dalle_edu.errors import DalleEduError
from tests.trial_lesson import GOOD, write


@pytest.fixture
def lesson(tmp_path):
    return read_lesson(write(tmp_path, GOOD))


def sources(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells)


# ---------------------------------------------------------------- what it makes


def test_a_good_source_has_no_problem(lesson):
    assert list(problems(lesson)) == []


def test_each_edition_shows_only_its_own_language(lesson):
    french, english = sources(notebooks.student(lesson, "fr")), sources(notebooks.student(lesson, "en"))
    assert "La décision" in french
    assert "The decision" not in french
    assert "# une ligne de nombres" in french
    assert "# a line" not in french
    assert 'print("nombres\u00a0:", z)' in french
    assert 'print("numbers:", z)' in english
    assert "say(" not in french + english


def test_the_stub_is_the_library_without_its_body(lesson):
    text = sources(notebooks.student(lesson, "en"))
    assert 'def step(z: Real[ndarray, "*n"]) -> Float[ndarray, "*n"]:' in text
    assert "1 where z >= 0" in text
    assert "np.where" not in text
    assert "raise NotImplementedError  # your turn: replace this line" in text
    assert 'step = check("perceptron:step")' in text
    assert "half = ..." in text
    assert "1 / 2" not in text
    assert "return 2 * x" not in text
    assert "np.where" in sources(notebooks.solved(lesson, "en"))


def test_a_notebook_fetches_the_library_where_it_is_not_installed(lesson, monkeypatch):
    """On Colab, which opens the notebook alone."""
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "https://github.com/someone/course")
    preamble = notebooks.student(lesson, "fr").cells[2].source
    assert preamble.index('%pip install --quiet "dalle-edu @ git+https://github.com/someone/course"') < preamble.index("from dalle_edu")
    assert "# sur Colab, par exemple" in preamble


def test_a_notebook_installs_nothing_from_an_address_that_is_not_set(lesson, monkeypatch):
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "")
    preamble = notebooks.student(lesson, "fr").cells[2].source
    assert "%pip" not in preamble
    lines = "\n".join(preamble.splitlines()[1:8])
    with pytest.MonkeyPatch.context() as missing:
        missing.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ModuleNotFoundError, match="dalle_edu n'est pas installé ici\u00a0: installez-le"):
            exec(lines, {})


def test_exercises_are_numbered_and_graded(lesson):
    text = sources(notebooks.student(lesson, "fr"))
    assert "### Exercice 1 ●\n" in text + "\n"
    assert "### Exercice 2 ●●" in text


def test_a_notebook_is_the_same_at_each_build_and_holds_no_output(tmp_path, lesson):
    assert len(build.build(tmp_path)) == 4  # the notebook and the exercises, in two languages
    first = {path: path.read_bytes() for path in tmp_path.rglob("*.ipynb")}
    assert build.build(tmp_path) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.ipynb")} == first
    for content in first.values():
        cells = json.loads(content)["cells"]
        assert len({cell["id"] for cell in cells}) == len(cells)
        assert not any(cell.get("outputs") for cell in cells)


def test_what_is_out_of_date_is_found(tmp_path, lesson):
    build.build(tmp_path)
    assert build.stale(tmp_path) == []
    (tmp_path / "fr" / "99_trial.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "en" / "00_orphan.ipynb").write_text("{}", encoding="utf-8")
    assert [path.name for path in build.stale(tmp_path)] == ["99_trial.ipynb", "00_orphan.ipynb"]


def test_a_method_alone_can_be_hollowed():
    code = (
        "class A:\n    def __init__(self):\n        self.x = 1\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2"
    )
    assert "return 1" not in hollowed(code, "en", ["f"])
    assert "return 2" in hollowed(code, "en", ["f"])
    assert "self.x = 1" in hollowed(code, "en")
    assert "return 2" not in hollowed(code, "en")


def test_the_name_of_a_method_is_no_name_that_the_code_defines():
    """Else a class whose method has a function's name would lose that function's import."""
    assert free_names("class Judge:\n    def field(self):\n        return field(self.strides)") == {"field"}
    assert free_names("def field(strides):\n    return field(strides[1:])") == set()


def test_checks_of_the_input_are_left_out_and_imports_found():
    code = solution("perceptron:neuron", "fr", French(("1 là où la somme n'est pas négative.",), {}))
    assert "DalleEduError" not in code
    assert "1 là où" in code
    needed = imports_for([("perceptron:neuron", code)], known={"step"})
    assert needed == "from jaxtyping import Float, Real\nfrom numpy import ndarray"


def test_what_the_missing_checks_would_raise_is_not_said():
    """The paragraph of the docstring goes with them; one line is left, which is closed on its line."""
    assert "Raises `DalleEduError`" in (neuron.__doc__ or "")
    code = solution("perceptron:neuron", "en", French(("1 là où la somme n'est pas négative.",), {}))
    assert "Raises" not in code
    assert '    """A neuron: 1 where x · weights + bias is not negative, 0 elsewhere."""\n' in code


def test_a_sentence_about_missing_checks_is_left_out_wherever_it_stands():
    """In the middle of a paragraph, at its end, in a method; what is left is filled again, and the other sentences are whole."""
    bare = French(("Un bloc.", "L'entrée et sa correction."), {})
    code = solution("unet_blocks:GroupNormBlock", "en", bare)
    assert "Raises" not in code
    assert 'With a `condition_width` of 0 there is no condition.\n    """' in code
    assert '        """The input, or its 1 x 1 convolution, plus a correction."""\n' in code
    assert max(map(len, code.splitlines())) <= 84
    french = solution("pooling:upsample_nearest", "fr", French(("Chaque pixel est répété.",), {}))
    assert "Raises" not in french
    assert "scale below 1" not in french + solution("pooling:upsample_nearest", "en", French(("Chaque pixel est répété.",), {}))
    whole = "Either.  Raises `A` for x < 0.5 (see 1.2). Then\nmore. Raises\n`B`. Raises nobody."
    assert _refilled(whole, 84) == "Either. Then more. Raises nobody."
    assert _refilled("As it\nstands.", 84) == "As it\nstands."


def test_a_translation_that_no_longer_fits_the_code_is_refused():
    with pytest.raises(DalleEduError, match="to be put into French: the code has 1 docstrings"):
        solution("perceptron:step", "fr", French((), {}))
    with pytest.raises(DalleEduError, match="to be put into French"):
        solution("perceptron:step", "en", French(("x",), {"a comment": "un commentaire"}))


def test_strings_in_two_languages_are_resolved_as_they_are_written():
    code = 'f(say(f"é {x}", "à"), [say("a", "b")])'
    assert one_language(code, "en") == 'f(f"é {x}", ["a"])'
    assert one_language(code, "fr") == 'f("à", ["b"])'


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("found", "replaced", "complaint"),
    [
        ("# ## A step\n", "# A step\n", "headings differ"),
        ("# $$ y = 1 $$", "# $$ y = 1 $$\n# and some words of prose", "prose without a language"),
        ("# The decision is written here", "# $$ 2 $$ The decision is written here", "equations differ"),
        ('lang="en" slide="slide"', 'lang="en" slide="subslide"', "slide differs"),
        ('lang="en" slide="slide"', 'lang="fr" slide="slide"', "2 cells in French and 0 in English"),
        ("# The decision", "# ![](a.png) The decision", "pictures differ"),
        ("La décision est écrite ici, pour un tableau entier.", "It is here and it is for the array.", "English in the fr edition"),
        ("The decision is written here, for a whole array.", "Elle est dans ce tableau, elle est là.", "French in the en edition"),
        ("# fr: une ligne de nombres", "# une ligne de nombres", "a comment is in one language only"),
        ('say("numbers:", "nombres :")', '"the numbers that we have and the ones you see"', "a text is in one language only"),
        ("print(say", "plt.show(); print(say", "a figure shown without a description"),
    ],
)  # fmt: skip
def test_a_fault_is_found(tmp_path, found, replaced, complaint):
    assert found in GOOD
    lesson = read_lesson(write(tmp_path, GOOD.replace(found, replaced, 1)))
    assert any(complaint in problem.en for problem in problems(lesson)), list(problems(lesson))
    with pytest.raises(DalleEduError):
        build.build(tmp_path)
    assert not list(tmp_path.rglob("*.ipynb"))


def test_a_picture_without_a_description_is_found(tmp_path):
    text = GOOD.replace("# La décision", "# ![](a.png) La décision").replace("# The decision", "# ![](a.png) The decision")
    assert any("a picture without a description" in problem.en for problem in problems(read_lesson(write(tmp_path, text))))


def test_an_exercise_in_one_language_only_cannot_be_written(tmp_path):
    write(tmp_path, GOOD.replace("# %% level=2", '# %% level=2 lang="fr"'))
    with pytest.raises(DalleEduError, match="code exists once"):
        build.lessons(tmp_path)


@pytest.mark.parametrize(("line", "complaint"), [('# %% slde="slide"', "unknown metadata"), ('# %% slide="slid"', "it is one of")])
def test_a_misspelt_fact_is_refused(tmp_path, line, complaint):
    write(tmp_path, f"{line}\nx = 1\n")
    with pytest.raises(DalleEduError, match=complaint):
        build.lessons(tmp_path)


def test_a_header_without_its_facts_is_refused(tmp_path):
    path = write(tmp_path, GOOD)
    path.write_text(path.read_text(encoding="utf-8").replace("hours:", "minutes:"), encoding="utf-8")
    with pytest.raises(DalleEduError, match="the header lacks hours"):
        read_lesson(path)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The cat is on the table and it sleeps.", "fr", True),
        ("Le chat est sur la table et il dort.", "fr", False),
        ("Le chat est sur la table et il dort.", "en", True),
        ("un grand cercle rouge à gauche d'un petit carré bleu", "en", False),  # a sentence of the world is for the machine
        ("a large red circle to the left of a small blue square", "fr", False),
        ("Voir *Learning representations by back-propagating errors*.", "fr", False),
        ("`for x in the_list: is_it and that` se lit comme du code", "fr", False),
    ],
)
def test_the_language_of_prose_is_told(text, language, expected):
    assert reads_as_other(text, language) is expected


BEFORE = GOOD.count("\n") + 8  # lines, those of the header among them


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "line", "complaint"),
    [
        ("\n# %%\ntwo = 2\n\nprint(say('a', 'b')); 1 / 0\n", 5, "ZeroDivisionError: division by zero"),
        ("\n# %%\ndef f():\n    raise ValueError(1)\n\nf()\n", 4, "ValueError: 1"),
        ('\n# %%\nimport warnings; warnings.warn("hm")\n', 3, "hm"),
        (
            "\n# %% level=1\na = 1\n\n# %% scratch=true\na  # → 2\n\n# %%\nexpect(a, 1, 'a')\n",
            6,
            "an example gives 1 in the en edition, and says → 2",
        ),
        ("\n# %%\nimport os\n\nos._exit(1)\n", 3, "the kernel died"),
        ("\n# %%\nimport time\n\ntime.sleep(30)\n", 3, "takes longer than is allowed"),
    ],
    ids=["error", "error in a call", "warning", "example", "dead kernel", "too slow"],
)
def test_what_goes_wrong_in_a_run_is_told_at_its_line(tmp_path, monkeypatch, cell, line, complaint):
    monkeypatch.setattr(execution, "TIME_LIMIT", 10)
    lesson = read_lesson(write(tmp_path, GOOD + cell))
    with pytest.raises(Faults) as raised:
        execution.run(lesson, "en")
    (fault,) = raised.value.complaints
    assert complaint in fault.en
    assert (fault.path, fault.line) == (lesson.path, BEFORE + line)


@pytest.mark.slow
@pytest.mark.parametrize("error", ["nothing_of_the_kind", "int('one')"], ids=["told in a sentence", "with a traceback"])
def test_what_goes_wrong_in_the_students_notebook_is_told_in_the_lines_of_its_cell(tmp_path, error):
    lesson = read_lesson(write(tmp_path, GOOD + f"\n# %%\ntwo = 2\n\nprint({error})\n"))
    (tmp_path / "en").mkdir()
    with pytest.raises(Faults) as raised:
        execution.run_untouched(lesson, "en")
    (fault,) = raised.value.complaints
    assert re.search("stopped here: (NameError: name 'nothing|ValueError: invalid literal).*; mend the cell", fault.en)
    assert BEFORE + 3 <= fault.line <= BEFORE + 5


# ---------------------------------------------------------------- the course's own lessons


LESSONS = build.lessons()
EXERCISES = [
    (lesson.name, cell.implements, tuple(cell.metadata["hollow"]) if "hollow" in cell.metadata else None, cell)
    for lesson in LESSONS
    for cell in lesson.cells
    if cell.implements
]


def test_the_committed_notebooks_are_up_to_date():
    assert build.stale() == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_has_what_students_were_promised(lesson):
    levels = [cell.metadata["level"] for cell in lesson.cells if cell.is_exercise]
    assert len(levels) >= 6
    assert min(levels.count(level) for level in (1, 2, 3)) >= 2
    slides = [cell for cell in lesson.cells if cell.language in (None, "fr") and cell.metadata.get("slide") in ("slide", "subslide")]
    assert 25 <= len(slides) + 1 <= 50
    questions = sum(cell.text.count("Choice(") + cell.text.count("Number(") for cell in lesson.cells if "quiz" in cell.metadata)
    assert questions >= 6
    suspects = [found for cell in lesson.cells for found in re.findall(r'suspect\("(.+?)", "(.+?)"\)', cell.text)]
    assert suspects
    for target, mistake in suspects:
        suspect(target, mistake)  # raises where the library no longer knows the mistake by this name


def namespace(target: str, code: str) -> dict:
    """The code run where a notebook would run it."""
    scope: dict = {}
    exec(imports_for([(target, code)], {target.split(":")[1]}), scope)
    exec(compile(code, "<student>", "exec"), scope)
    return scope


@pytest.mark.parametrize(("name", "target", "hollow", "cell"), EXERCISES, ids=[f"{name}-{target}" for name, target, _, _ in EXERCISES])
def test_the_gate_closes(name: str, target: str, hollow: tuple[str, ...] | None, cell: Cell):
    """The stub fails its check, the solution passes it, and every known mistake is named."""
    for language in ("fr", "en"):
        code, bare = solution(target, language, French.read(cell.text)), target.split(":")[1]
        verdict = diagnose(namespace(target, hollowed(code, language, hollow))[bare], target)
        assert verdict.kind == "untouched", verdict
        assert diagnose(namespace(target, code)[bare], target).right
    for mistake in mistakes():
        if mistake.target == target:
            found = judge(mistake.version, target).mistake
            assert found is not None
            assert found.name == mistake.name
