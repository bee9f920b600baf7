"""Languages are a table: one that only a phrasebook knows gets its notebook and its checks; what machines read stays English and French."""

import html
import json

import pytest

from dalle_edu.classroom.builder import build, notebooks
from dalle_edu.classroom.builder.book.page import as_page
from dalle_edu.classroom.builder.kernels import execution
from dalle_edu.classroom.builder.links.linking import on_page
from dalle_edu.classroom.builder.slides.reveal import write_deck
from dalle_edu.classroom.builder.source import one_language, read_lesson
from dalle_edu.language import decimal, language_named, languages, reader_language, say, sentence_language, speak
from tests.trial_lesson import GOOD, write

PHRASES = {
    "A trial": "Provo",
    "## A step": "## Paŝo",
    "The decision is written here, for a whole array.": "La decido estas skribita ĉi tie, por tuta tabelo.",
    "a line of numbers": "linio de nombroj",
    "numbers:": "nombroj:",
    "half": "duono",
    "Exercise": "Ekzerco",
    "Right: it does what the library does.": "Ĝuste: ĝi faras tion, kion faras la biblioteko.",
    "your turn: replace this line": "via vico: anstataŭigu ĉi tiun linion",
    "About {} h: reading {} h, exercises {}.": "Ĉirkaŭ {} h: legado {} h, ekzercoj {}.",
    notebooks.MACHINES_READ: "La maŝinoj de ĉi tiu kurso legas la anglan kaj la francan.",
    "DALL·E, from the perceptron to the picture": "DALL·E, de la perceptrono al la bildo",
    "Show the solution": "Montri la solvon",
    "{} of {} read": "legitaj: {} el {}",
}


@pytest.fixture
def esperanto(tmp_path, monkeypatch):
    """A phrasebook on disk, and the reader's language set to it."""
    folder = tmp_path / "phrasebooks"
    folder.mkdir()
    (folder / "eo.json").write_text(json.dumps({"name": "Esperanto", "decimal": ",", "phrases": PHRASES}), encoding="utf-8")
    monkeypatch.setenv("DALLE_EDU_PHRASEBOOKS", str(folder))
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "eo")
    return folder


def test_a_phrasebook_makes_a_language(esperanto):
    assert list(languages()) == ["fr", "en", "eo"]
    assert language_named("eo").name == "Esperanto"
    assert reader_language() == "eo"
    assert say("half", "la moitié") == "duono"
    assert say("3 of 4 read", "3 lues sur 4") == "legitaj: 3 el 4"
    assert say("not translated", "pas traduit") == "not translated"
    assert decimal(97.5) == "97,5"
    assert sentence_language() == "en"


def test_a_language_that_is_not_in_the_table_is_refused(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "eo")
    assert reader_language() == "en"
    with pytest.raises(ValueError, match='the language is "eo"; it is one of fr, en'):
        speak("eo")


@pytest.mark.parametrize("text", ["no json", "[]", '{"name": "Esperanto"}'])
def test_a_file_that_is_no_phrasebook_is_named(esperanto, text):
    (esperanto / "xx.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"xx\.json is no phrasebook"):
        languages()


def test_its_notebook_is_in_it_and_says_what_machines_read(esperanto, tmp_path):
    lesson = read_lesson(write(tmp_path, GOOD))
    text = "\n\n".join(cell.source for cell in notebooks.student(lesson, "eo").cells)
    for phrase in (
        "# 99 · Provo",
        "## Paŝo",
        "La decido estas",
        "# linio de nombroj",
        "Ekzerco 2",
        "raise NotImplementedError  # via vico",
    ):
        assert phrase in text, phrase
    for phrase in ("Ĉirkaŭ 0,5 h: legado 0,1 h", 'print("nombroj:", z)', 'expect(half, 0.5, "duono")', 'open_lesson("99_trial", "eo")'):
        assert phrase in text.replace("'", '"'), phrase
    assert PHRASES[notebooks.MACHINES_READ] in text
    assert "The decision" not in text
    assert "La décision" not in text
    assert notebooks.MACHINES_READ not in "\n".join(cell.source for cell in notebooks.student(lesson, "en").cells)


def test_build_writes_it_beside_the_others(esperanto, tmp_path):
    write(tmp_path, GOOD)
    built = {path.relative_to(tmp_path).as_posix() for path in build.build(tmp_path)}
    assert built == {f"{code}/{name}" for code in ("fr", "en", "eo") for name in ("99_trial.ipynb", "exercises.json")}
    assert build.stale(tmp_path) == []


def test_what_an_f_string_holds_stays_in_its_translation(esperanto):
    assert one_language('print(say(f"{len(a)} of {b:.2f} read", f"{b}"))', "eo") == 'print(f"legitaj: {len(a)} el {b:.2f}")'
    assert one_language('print(say(f"{a} is left", "x"))', "eo") == 'print(f"{a} is left")'


@pytest.mark.slow
def test_its_checks_its_page_and_its_deck_speak_it(esperanto, tmp_path):
    lesson = read_lesson(write(tmp_path, GOOD))
    done = execution.run(lesson, "eo").notebook
    shown = [output.data.get("text/plain", "") for cell in done.cells for output in cell.get("outputs", []) if "data" in output]
    assert f"✓ {PHRASES['Right: it does what the library does.']}" in "\n".join(shown)
    page = on_page(as_page(done, lesson, "eo", {}), lesson, "eo")
    text = "\n".join(cell.source for cell in page.cells)
    for words in ("% id: a-step\n\n## Paŝo", "La decido estas", PHRASES[notebooks.MACHINES_READ], "### Ekzerco 2"):
        assert words in text, words
    assert "Montri la solvon" in {cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in page.cells}
    deck = write_deck(done, lesson, "eo", tmp_path / "site").read_text(encoding="utf-8")
    deck = html.unescape(deck)
    for words in ('lang="eo"', "Provo", "Paŝo", 'id="a-step"', "de la perceptrono al la bildo", "Français"):
        assert words in deck, words
    for words in ("The decision", "La décision", "## A step"):
        assert words not in text + deck, words
