"""The READMEs' table is of the weights that are here, and says what was measured; what leads to the repository follows its address."""

import json
import re

import pytest

from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.loading import trained_systems
from dalle_edu.publishing.readme import LESSONS, MARKS, READMES, badges, lessons_table, marks_table, with_part, without_a_clone, written
from dalle_edu.scorecard.compare import digest

MEASURED = json.loads(MARKS.read_text(encoding="utf-8"))


def test_every_system_was_measured_with_the_weights_that_are_here():
    assert [entry["system"] for entry in MEASURED["systems"]] == trained_systems()
    for entry in MEASURED["systems"]:
        assert entry["prompts"] == MEASURED["prompts"] == 512
        for name, sha in entry["weights"].items():
            assert digest(weights_path(name.removesuffix(".safetensors"))) == sha, f"{name} has changed: make marks"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_readme_shows_what_was_measured(language):
    text = READMES[language].read_text(encoding="utf-8")
    assert written(text, MEASURED, language) == text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_readme_has_every_lesson_that_is_written(language):
    sources = sorted(path.stem for path in (LESSONS / "sources").glob("[0-9]*.py"))
    links = re.findall(r"\]\(lessons/(..)/(.+)\.ipynb\)", lessons_table(language))
    assert links == [(language, name) for name in sources]
    assert all((LESSONS / language / f"{name}.ipynb").exists() for name in sources)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_badges_follow_the_address_and_are_left_out_where_there_is_none(language, monkeypatch):
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "https://github.com/someone/course")
    text = written(READMES[language].read_text(encoding="utf-8"), MEASURED, language)
    start = f"lessons/{language}/start.ipynb"
    assert f"(https://colab.research.google.com/github/someone/course/blob/main/{start})" in text
    assert f"(https://mybinder.org/v2/gh/someone/course/main?urlpath=lab%2Ftree%2Flessons%2F{language}%2Fstart.ipynb)" in text
    assert 'pip install "dalle-edu[course] @ git+https://github.com/someone/course"' in text
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "https://forge.school.example/a/course")
    assert "colab" not in badges(language)
    assert "/v2/git/https%3A%2F%2Fforge.school.example%2Fa%2Fcourse/main" in badges(language)
    monkeypatch.setattr("dalle_edu.address.REPOSITORY", "")
    assert badges(language) == without_a_clone(language) == ""
    assert not re.search("colab.research|mybinder|git\\+", written(text, MEASURED, language))


def test_a_table_takes_the_place_of_another_and_of_nothing_else():
    begin, end = "<!-- marks -->", "<!-- end of marks -->"
    text = f"before\n{begin}\nold\n{end}\nafter\n"
    once = with_part(text, "marks", "| new |\n")
    assert once == f"before\n{begin}\n\n| new |\n\n{end}\nafter\n"
    assert with_part(once, "marks", "| new |\n") == once
    assert with_part(once, "marks", "") == f"before\n{begin}\n{end}\nafter\n"


def test_numbers_are_written_as_the_reader_writes_them():
    rate = {"n": 1000, "correct": 875}
    skills = dict.fromkeys(MEASURED["systems"][0]["skills"], rate)
    entry = MEASURED["systems"][0] | {"splits": {"seen": skills, "held_out": skills}}
    english, french = (marks_table({"systems": [entry]}, language) for language in ("en", "fr"))
    assert "| 87.5/87.5 |" in english
    assert "| 87,5/87,5 |" in french
