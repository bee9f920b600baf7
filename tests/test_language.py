"""The reader's language: where it comes from, and that a French reader meets French."""

import os
import subprocess
import sys

import pytest

from dalle_edu import cli
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, reader_language, say
from dalle_edu.systems import model_class


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_CA"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "fr_BE.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8", "DALLE_EDU_LANGUAGE": "fr"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "DALLE_EDU_LANGUAGE": "en"}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(monkeypatch, environment, language):
    for variable in ("DALLE_EDU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert reader_language() == language
    assert say("yes", "oui") == {"fr": "oui", "en": "yes"}[language]


@pytest.mark.parametrize(("language", "sentence"), [("fr", "il n'y a pas de système « dalle9 »"), ("en", 'there is no system "dalle9"')])
def test_errors_speak_it(monkeypatch, language, sentence):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    with pytest.raises(DalleEduError, match=sentence):
        model_class("dalle9")


def test_help_speaks_it():
    environment = os.environ | {"DALLE_EDU_LANGUAGE": "fr", "TERMINAL_WIDTH": "200"}
    command = [sys.executable, "-c", "from dalle_edu.cli import main; main()"]
    for words in (["--help"], ["train", "--help"]):
        shown = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=True).stdout
        assert "affiche ce message" in shown
        for english in ("Show this", "show this", "default:", "Commands", "pictures", " the "):
            assert english not in shown


@pytest.mark.parametrize(
    ("words", "french", "english"),
    [
        (["score", "--sede", "3"], "l'option --sede n'existe pas", "no such option: --sede (Possible options: --seed)"),
        (["scor"], "la commande « scor » n'existe pas", "no such command 'scor'. Did you mean 'score'"),
        (["generate"], "il manque l'argument « prompts »", "missing argument 'prompts'"),
        (["score", "--seed", "x"], "la valeur donnée à --seed ne convient pas", "invalid value for '--seed'"),
        (["score", "--seed", "-1"], "la valeur donnée à --seed ne convient pas", "invalid value for '--seed'"),
        (["score", "a", "b"], "il y a un mot de trop (b)", "got unexpected extra argument(s) (b)"),
        (["train", "--minutes"], "l'option --minutes demande une valeur", "option '--minutes' requires an argument"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_in_one_sentence(monkeypatch, capsys, words, french, english):
    for language, sentence, help in (("fr", french, "--help » dit ce qu'il y a"), ("en", english, '--help" tells what there is')):
        monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
        monkeypatch.setattr(sys, "argv", ["dalle-edu", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr().err
        assert stop.value.code == 2
        assert said.startswith(f"dalle-edu: {sentence}")
        assert help in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(("language", "expected"), [("en", "97.5"), ("fr", "97,5")])
def test_numbers_are_written_as_the_reader_writes_them(monkeypatch, language, expected):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    assert decimal(97.52) == expected
