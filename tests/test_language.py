"""The reader's language: where it comes from, and that a French reader meets French."""

import os
import subprocess
import sys

import pytest

from dalle_edu import cli
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, reader_language, say, typeset
from dalle_edu.systems.interface.registry import model_class


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


@pytest.mark.parametrize(
    ("language", "sentence"), [("fr", "il n'y a pas de système «\u00a0dalle9\u00a0»"), ("en", 'there is no system "dalle9"')]
)
def test_errors_speak_it(monkeypatch, language, sentence):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    with pytest.raises(DalleEduError, match=sentence):
        model_class("dalle9")


def test_french_punctuation_stays_with_its_word(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert say("no", "« non » ; et a;b : pourquoi ?") == "«\u00a0non\u00a0»\u00a0; et a;b\u00a0: pourquoi\u00a0?"


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
        (["score", "--sede", "3"], "l'option --sede n'existe pas", "no such option: --sede (Possible options: --seed"),
        (["scor"], "la commande «\u00a0scor\u00a0» n'existe pas", "no such command 'scor'. Did you mean 'score'"),
        (["export"], "il manque l'argument «\u00a0folder\u00a0»", "missing argument 'folder'"),
        (["train", "--exam", "x"], "la valeur donnée à --exam ne convient pas", "invalid value for '--exam'"),
        (["train", "--exam", "-1"], "la valeur donnée à --exam ne convient pas", "invalid value for '--exam'"),
        (["score", "a", "b"], "il y a un mot de trop (b)", "got unexpected extra argument(s) (b)"),
        (["train", "--minutes"], "l'option --minutes demande une valeur", "option '--minutes' requires an argument"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_in_one_sentence(monkeypatch, capsys, words, french, english):
    for language, sentence, help in (("fr", french, "--help\u00a0» énumère ce qui existe"), ("en", english, '--help" tells what there is')):
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


@pytest.mark.parametrize(
    ("plain", "set_in_type"),
    [
        ("« un cercle » : quoi ?", "«~un cercle~»~: quoi~?"),
        ("1 024 images, 95 % justes", "1~024 images, 95~% justes"),
        ("de 1 à 4, ou 64 images", "de 1 à 4, ou 64 images"),
        ("10 000 000 de pixels", "10~000~000 de pixels"),
    ],
)
def test_french_is_set_as_french_printers_do(plain, set_in_type):
    assert typeset(plain) == set_in_type.replace("~", "\u00a0")
