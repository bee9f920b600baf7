"""Every brick agrees with its reference, every classic mistake is caught, and each is explained in both languages."""

import pkgutil
import re
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

import dalle_edu.bricks
from dalle_edu.classroom.checking.cases import call
from dalle_edu.classroom.checking.diagnosis import judge
from dalle_edu.classroom.checking.left_out import left_out
from dalle_edu.classroom.checking.proof import Mistake, Reference, library_version, mistakes, references

REFERENCES, MISTAKES = references(), mistakes()


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: f"{reference.target}-{reference.peer}")
def test_the_library_agrees_with_the_reference(reference: Reference):
    try:
        difference = reference.difference(reference.library_version())
    except ModuleNotFoundError as error:
        if not left_out(error.name or ""):
            raise
        pytest.skip(left_out(error.name))
    assert difference <= reference.tolerance


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "gensim has no wheel for Python 3.14 yet: the comparison"), ("fr", "gensim n'a pas encore de paquet pour Python 3.14")],
)
def test_a_reference_without_a_wheel_is_left_out_and_that_is_said(language, says, monkeypatch, run):
    """On Python 3.14 the examination of `words` says so, and students' answers are checked: they are held against the library."""
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    monkeypatch.setattr(sys, "meta_path", [NoGensim(), *sys.meta_path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "gensim"]:
        monkeypatch.delitem(sys.modules, name)
    held = references("words:split_words")
    monkeypatch.setattr("dalle_edu.classroom.checking.proof.references", lambda target="": held)
    assert "left out" not in run("doctor", "--bricks")[1]
    monkeypatch.setattr("dalle_edu.classroom.checking.left_out.sys", SimpleNamespace(version_info=(3, 14, 0)))
    status, written, _ = run("doctor", "--bricks")
    assert status == 0
    assert says in " ".join(written.replace("\u00a0", " ").split())
    assert judge(library_version("words:split_words"), "words:split_words").right


class NoGensim:
    """Finds no gensim, as on a Python for which it has no wheel."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "gensim":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("target", ["words:split_words", "words:Vocabulary", "words:jaccard_similarity"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_words_are_asked_in_the_readers_language(target, language, monkeypatch):
    """The library agrees with the reference in both, and each mistake is caught; an English reader is shown no French word."""
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    for reference in references(target):
        try:
            assert reference.difference(reference.library_version()) <= reference.tolerance
        except ModuleNotFoundError as error:
            if not left_out(error.name or ""):
                raise
    for mistake in mistakes(target):
        told = judge(mistake.version, target)
        assert told.mistake is not None
        assert told.mistake.name == mistake.name
        assert not re.search(r"\b(le|chat|chien|dort|court)\b" if language == "en" else r"\b(the|cat|dog|sleeps|runs)\b", told.text)


def test_every_mistake_has_a_reference_to_be_caught_by():
    """That it is caught, and called by its name, is in test_diagnosis.py."""
    assert {mistake.target for mistake in MISTAKES} <= {reference.target for reference in REFERENCES}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.target}-{mistake.name}")
def test_the_mistake_is_explained_in_both_languages(mistake: Mistake):
    for sentence in (mistake.en, mistake.fr):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert 30 < len(sentence) < 220
    assert mistake.en != mistake.fr


def test_every_brick_has_references_and_at_least_three_mistakes():
    # the cached GPT is asked with and without its cache, by the reference of `gpt:sample_codes`
    bricks = {module.name for module in pkgutil.iter_modules(dalle_edu.bricks.__path__)} - {"cached_gpt"}
    assert {reference.module for reference in REFERENCES if "." not in reference.module} == bricks
    counts = {brick: sum(mistake.target.startswith(f"{brick}:") for mistake in MISTAKES) for brick in bricks}
    assert {brick: count for brick, count in counts.items() if count < 3} == {}


@pytest.mark.parametrize(("folder", "known", "of"), [("references", REFERENCES, references), ("mistakes", MISTAKES, mistakes)])
def test_a_check_imports_the_files_about_its_target_and_misses_nothing(folder, known, of):
    """What is found through the names of files, without importing the others, is what all files together hold."""
    for target in {each.target for each in known}:
        assert of(target) == [each for each in known if each.target == target], f"name its files in ELSEWHERE, in {folder}/__init__.py"


def test_a_check_imports_no_others():
    code = """
    import sys
    from dalle_edu.classroom.checking.proof import references
    assert references("perceptron:step")
    print(sorted(name.split(".")[-1] for name in sys.modules if name.startswith("dalle_edu.classroom.references.")))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['perceptron']"


def test_a_reference_catches_what_raises_or_is_not_finite():
    reference = Reference("attention:causal_mask", "arithmetic", lambda seed: [call(0.0)], 1e-5)
    assert reference.catches(lambda: 1 / 0)
    assert reference.catches(lambda: float("nan"))
    assert reference.catches(lambda: 1.0)
    assert not reference.catches(lambda: 1e-6)
