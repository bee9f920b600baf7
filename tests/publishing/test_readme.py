"""The READMEs' table is of the weights that are here, and says what was measured."""

import json

import pytest

from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.loading import trained_systems
from dalle_edu.publishing.readme import BEGIN, END, MARKS, READMES, marks_table, with_table
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
    assert with_table(text, marks_table(MEASURED, language)) == text


def test_a_table_takes_the_place_of_another_and_of_nothing_else():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_table(text, "| new |\n")
    assert once == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert with_table(once, "| new |\n") == once


def test_numbers_are_written_as_the_reader_writes_them():
    rate = {"n": 1000, "correct": 875}
    skills = dict.fromkeys(MEASURED["systems"][0]["skills"], rate)
    entry = MEASURED["systems"][0] | {"splits": {"seen": skills, "held_out": skills}}
    english, french = (marks_table({"systems": [entry]}, language) for language in ("en", "fr"))
    assert "| 87.5/87.5 |" in english
    assert "| 87,5/87,5 |" in french
