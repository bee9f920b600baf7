"""The student's desk outside of notebooks: solutions after two tries, progress, reset, and the record on disk."""

import json
import threading
from html.parser import HTMLParser

import numpy as np
import pytest

from dalle_edu.classroom import checks
from dalle_edu.classroom.builder import build
from dalle_edu.classroom.checking import standin
from dalle_edu.classroom.checking.proof import mistakes
from dalle_edu.classroom.checks import check, expect
from dalle_edu.classroom.desk import forget_progress, open_lesson, progress, record, reset, solution
from dalle_edu.classroom.desk.attempts import fingerprint
from dalle_edu.classroom.desk.exercises import exercises, exercises_path
from dalle_edu.classroom.desk.opening import _opened

COUNT = len(json.loads((build.LESSONS / "en" / "exercises.json").read_text(encoding="utf-8"))["01_perceptron"])


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    """A desk of one's own, with lesson 01 open in English."""
    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path / "desk"))
    monkeypatch.setenv("DALLE_EDU_STRICT", "0")
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    monkeypatch.setattr(checks, "_namespace", lambda: globals())
    monkeypatch.setattr(standin, "_used", {})  # no other test has left something in use
    record._unkept.clear()
    open_lesson("01_perceptron", "en")
    yield tmp_path / "desk"
    _opened.clear()
    record._unkept.clear()
    globals().pop("step", None)


def right_step(z):
    return np.where(z >= 0, 1.0, 0.0)


def strict_step(z):
    return np.where(z > 0, 1.0, 0.0)


def twice_step(z):
    return np.where(z >= 0, 2.0, 0.0)


def batch_softmax(z):
    large = np.exp(z - z.max())
    return large / large.sum(axis=0, keepdims=True)


def undone_step(z):
    raise NotImplementedError


def judged(version, capsys) -> str:
    globals()["step"] = version
    capsys.readouterr()
    check("perceptron:step")
    return capsys.readouterr().out


def answered(lesson: str, key: str) -> record.Entry:
    return record.entries(lesson).get(key, record.Entry())


class Balanced(HTMLParser):
    """Whether each element that is opened is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


# ---------------------------------------------------------------- what the builder wrote


@pytest.mark.parametrize("lesson", build.lessons(), ids=lambda lesson: lesson.name)
def test_every_exercise_of_the_course_is_known_and_is_asked_for(lesson):
    both = {language: exercises(lesson.name, language) for language in ("fr", "en")}
    assert len(both["fr"]) == sum(cell.is_exercise for cell in lesson.cells)
    assert [one.key for one in both["fr"]] == [one.key for one in both["en"]]
    for language, found in both.items():
        notebook = json.loads((build.LESSONS / language / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))
        cells = ["".join(cell["source"]) for cell in notebook["cells"]]
        assert len({one.key for one in found}) == len(found)
        for one in found:
            assert one.stub in cells
            assert one.stub != one.solution
            assert one.asked or not one.is_own
            compile(one.solution, "<solution>", "exec")


def test_a_lesson_without_the_file_goes_on_without_solutions(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("dalle_edu.classroom.desk.exercises._PACKAGE", tmp_path / "nowhere")
    assert not exercises_path("en").exists()
    open_lesson("01_perceptron", "en")
    judged(strict_step, capsys)
    assert "solution" not in judged(twice_step, capsys)
    assert "not installed" in repr(solution("step"))
    assert "step" in repr(progress())
    assert judged(right_step, capsys).startswith("✓")
    assert answered("01_perceptron", "perceptron:step").done


def test_a_file_that_is_no_list_of_exercises_is_as_good_as_none(monkeypatch, tmp_path):
    monkeypatch.setattr("dalle_edu.classroom.desk.exercises._PACKAGE", tmp_path / "dalle_edu")
    path = tmp_path / "lessons" / "en" / "exercises.json"
    path.parent.mkdir(parents=True)
    for text in ("{", '{"01_perceptron": [{"number": 1}]}', '{"01_perceptron": 3}', "[]"):
        path.write_text(text, encoding="utf-8")
        assert exercises("01_perceptron", "en") == ()


# ---------------------------------------------------------------- the solution, after two tries


def test_the_solution_opens_after_two_different_wrong_versions(capsys):
    assert "after 2 more wrong versions" in repr(solution("step"))
    assert "solution" not in judged(strict_step, capsys)
    assert "solution" not in judged(strict_step, capsys)  # the same again is no second try
    assert "solution" not in judged(undone_step, capsys)
    assert "after 1 more wrong version that" in repr(solution(1))
    assert 'You may open the solution now: solution("step")' in judged(twice_step, capsys)
    assert "np.where(z >= 0, 1.0, 0.0)" in repr(solution("step"))
    assert "<pre" in solution("step")._repr_html_()
    assert repr(solution("step")) == repr(solution(1)) == repr(solution("perceptron:step"))


def test_blanks_and_comments_make_no_other_version():
    assert fingerprint("def f(x):\n    return x") == fingerprint("def f(x):\n\n    return  x  # so")
    assert fingerprint("def f(x):\n    return x") != fingerprint("def f(x):\n    return -x")


def test_the_verdict_folds_the_solution_in_the_readers_language(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(checks, "show", shown.append)
    open_lesson("01_perceptron", "fr")
    for version in (strict_step, twice_step):
        judged(version, capsys)
    first, second = (verdict._repr_html_() for verdict in shown)
    assert "<details>" not in first
    parsed = Balanced(second)
    assert parsed.open == []
    assert parsed.seen[0][1]["lang"] == "fr"
    assert [tag for tag, _ in parsed.seen][-4:] == ["details", "summary", "pre", "code"]
    assert ("div", {"role": "status", "aria-live": "polite"}) in parsed.seen
    assert "La fonction marche" in second
    assert "np.where(z &gt;= 0, 1.0, 0.0)" in second


def test_values_have_solutions_too(capsys):
    what = "the table of “a implies b”"
    expect([1, 1, 1, 1], [1, 1, 0, 1], what)
    expect([1, 1, 1, 1], [1, 1, 0, 1], what)
    expect(..., [1, 1, 0, 1], what)
    assert "solution" not in capsys.readouterr().out
    expect([0, 1, 1, 1], [1, 1, 0, 1], what)
    assert 'solution("implies_weights")' in capsys.readouterr().out
    assert "implies_bias = 0.5" in repr(solution("implies_bias"))
    expect(3, 4, "a value of no exercise")
    assert set(record.entries("01_perceptron")) == {"implies_weights"}


def test_an_exercise_with_two_values_is_done_when_both_are_right():
    open_lesson("11_dalle1", "en")
    expect(192, 192, "the numbers behind a code")
    assert not answered("11_dalle1", "numbers_per_code").done
    expect(192**2, 192**2, "the saving in pairs")
    assert answered("11_dalle1", "numbers_per_code").done


def test_an_exercise_of_another_lesson_is_not_noted(capsys):
    open_lesson("05_attention", "en")
    judged(strict_step, capsys)
    assert record.entries("05_attention") == {}


@pytest.mark.parametrize("how", ["strict", "graded"])
def test_a_graded_edition_gives_no_solution_and_keeps_nothing(how, monkeypatch, capsys):
    if how == "strict":
        monkeypatch.setenv("DALLE_EDU_STRICT", "1")
    else:
        open_lesson("01_perceptron", "en", graded=True)
    said = ""
    for version in (strict_step, twice_step):
        globals()["step"] = version
        if how == "graded":
            check("perceptron:step")
        else:
            with pytest.raises(AssertionError) as error:
                check("perceptron:step")
            said += str(error.value)
    said += capsys.readouterr().out
    assert "exactly zero" in said
    assert "solution" not in said
    for answer in (solution("step"), progress()):
        assert "no solution" in repr(answer)
        assert "np.where" not in repr(answer) + answer._repr_html_()
    reset("step")
    assert "def step" not in capsys.readouterr().out
    assert not record.record_path().exists()


# ---------------------------------------------------------------- progress and reset


def test_progress_tells_what_is_done_and_which_mistakes_were_met(capsys):
    judged(strict_step, capsys)
    judged(right_step, capsys)
    check(batch_softmax, "mlp:softmax")
    sheet = progress()
    assert f"1 of {COUNT} exercises" in repr(sheet)
    assert [line.split() for line in repr(sheet).splitlines()][1] == ["1", "·", "step", "●", "done", "1"]
    assert [line.split() for line in repr(sheet).splitlines()][2] == ["2", "·", "neuron", "●", "not", "yet"]
    explained = next(mistake.explanation for mistake in mistakes() if mistake.name == "softmax_over_the_batch")
    assert explained in repr(sheet)
    assert "without your name" in repr(sheet)
    assert str(record.record_path()) in repr(sheet)
    parsed = Balanced(sheet._repr_html_())
    assert parsed.open == []
    assert [tag for tag, given in parsed.seen if given.get("scope") == "col"] == ["th"] * 4
    assert sum(given.get("scope") == "row" for _, given in parsed.seen) == COUNT
    assert ("caption", {}) in parsed.seen


def test_progress_speaks_french_and_says_where_the_home_is_in_short(capsys, monkeypatch, desk):
    monkeypatch.setattr("pathlib.Path.home", lambda: desk.parent)
    open_lesson("01_perceptron", "fr")
    check(batch_softmax, "mlp:softmax")
    sheet = progress()
    assert "Erreurs classiques que vous avez rencontrées\u00a0:" in repr(sheet)
    assert "~/desk/progress.json" in repr(sheet)
    assert 'lang="fr"' in sheet._repr_html_()


@pytest.mark.parametrize("how", [forget_progress, lambda: progress(forget=True)])
def test_one_call_forgets_everything(how, capsys, desk):
    desk.mkdir()
    record.record_path().write_text("{", encoding="utf-8")
    judged(right_step, capsys)
    assert len(list(desk.glob("*.json"))) == 2
    assert "deleted" in repr(how())
    assert list(desk.glob("*.json")) == []
    assert f"0 of {COUNT}" in repr(progress())


def test_a_reset_forgets_one_exercise_and_prints_it(capsys):
    judged(strict_step, capsys)
    judged(twice_step, capsys)
    expect([1, 1, 0, 1], [1, 1, 0, 1], "the table of “a implies b”")
    capsys.readouterr()
    reset("step")
    assert "raise NotImplementedError  # your turn" in capsys.readouterr().out
    assert "after 2 more" in repr(solution("step"))
    assert set(record._parsed(record.record_path().read_text(encoding="utf-8"))["01_perceptron"]) == {"implies_weights"}
    reset("stepp")
    out = capsys.readouterr().out
    assert "no exercise “stepp”" in out
    assert "1 (step), 2 (neuron)" in out


def test_without_a_lesson_the_desk_says_to_open_one(capsys):
    _opened.clear()
    judged(strict_step, capsys)
    assert not record.record_path().exists()
    for answer in (solution("step"), progress()):
        assert "run its first cell" in repr(answer)
    reset("step")
    assert "run its first cell" in capsys.readouterr().out


# ---------------------------------------------------------------- the file


def test_the_record_holds_the_answer_and_nothing_of_the_person(capsys):
    judged(right_step, capsys)
    kept = json.loads(record.record_path().read_text(encoding="utf-8"))
    (entry,) = kept["lessons"]["01_perceptron"].values()
    assert set(entry) == {"tries", "done", "right", "mistakes"}
    assert entry["right"].startswith("def right_step(z):")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lessons": 3}', '{"lessons": {"a": {"b": {"tries": 1}}}}', b"\xff\xfe"])
def test_a_damaged_file_is_moved_aside_in_a_sentence(text, desk, capsys):
    desk.mkdir()
    path = record.record_path()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    out = judged(right_step, capsys)
    assert "progress.damaged-1.json" in out
    assert (desk / "progress.damaged-1.json").read_bytes() == before
    assert answered("01_perceptron", "perceptron:step").done
    assert "damaged" not in judged(right_step, capsys)


def test_where_nothing_can_be_written_the_lesson_goes_on_and_says_so_once(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("DALLE_EDU_DESK", str(tmp_path / "file" / "desk"))
    assert f"0 of {COUNT}" in repr(progress())
    assert "lasts as long as this notebook" in judged(strict_step, capsys)
    out = judged(twice_step, capsys)
    assert "lasts as long" not in out
    assert 'solution("step")' in out
    assert "kept nowhere" in repr(progress())


def test_a_disk_that_is_full_is_no_error_either(monkeypatch, capsys):
    judged(strict_step, capsys)

    def full(*given):
        raise OSError(28, "no space left")

    monkeypatch.setattr("os.replace", full)
    assert "lasts as long as this notebook" in judged(twice_step, capsys)
    assert "np.where" in repr(solution("step"))


def test_two_notebooks_write_at_once_and_nothing_is_lost():
    def write(lesson: str) -> None:
        for number in range(20):
            record.change(lesson, f"exercise {number}", lambda entry: setattr(entry, "done", True))

    threads = [threading.Thread(target=write, args=(lesson,)) for lesson in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(entry.done for entry in record.entries(lesson).values()) for lesson in ("one", "two")] == [20, 20]
