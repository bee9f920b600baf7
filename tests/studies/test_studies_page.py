"""The pages on the studies say what the studies measured, in both languages."""

import json
import re
from pathlib import Path

import pytest

from dalle_edu.language import typeset
from dalle_edu.scorecard import SKILL_NAMES

STUDIES = Path(__file__).parents[2] / "data" / "studies"
PAGES = {"en": STUDIES / "README.md", "fr": STUDIES / "README.fr.md"}
APART = {
    "en": {"space": "text: left or right", "binding": "text: whose colour"},
    "fr": {"space": "texte : gauche ou droite", "binding": "texte : couleur de quel objet"},
}
KEPT = {
    "en": {
        "vary": "`vary`: shape, colour and number are kept",
        "between": "`mix`, 30 %: between its parents",
        "nearer_to_the_first": "`mix`, 30 %: nearer to the first",
        "inpaint": "`inpaint`: the whole is what is said",
        "complete": "`complete`: the whole is what is said",
        "alter colour": "another colour: the whole is what is said",
        "alter shape": "another shape: the whole is what is said",
    },
    "fr": {
        "vary": "`vary` : forme, couleur et nombre sont gardés",
        "between": "`mix`, 30 % : entre ses parents",
        "nearer_to_the_first": "`mix`, 30 % : plus près du premier",
        "inpaint": "`inpaint` : le tout est ce qui est dit",
        "complete": "`complete` : le tout est ce qui est dit",
        "alter colour": "autre couleur : le tout est ce qui est dit",
        "alter shape": "autre forme : le tout est ce qui est dit",
    },
}


def load(name: str) -> dict:
    return json.loads((STUDIES / f"{name}.json").read_text(encoding="utf-8"))


def row(name: str, rates: list[float], language: str) -> str:
    cells = [f"{100 * rate:.1f}".replace("100.0", "100") for rate in rates]
    line = f"| {name} | " + " | ".join(cells) + " |"
    return typeset(line.replace(".", ",")) if language == "fr" else line


def rows(reports: list[dict], language: str) -> list[str]:
    """A line for each skill, a column for each report."""
    return [row(name, [report["skills"][skill]["rate"] for report in reports], language) for skill, name in SKILL_NAMES[language].items()]


def _text_encoders(language: str) -> list[str]:
    text_encoders = load("text_encoders")["text_encoders"]
    text = [
        row(name, [text_encoder["told_apart"][asked] for text_encoder in text_encoders], language)
        for asked, name in APART[language].items()
    ]
    return text + rows(text_encoders, language)


def _edits(language: str) -> list[str]:
    lines = []
    for system in ("dalle2", "imagen", "dalle1", "dalle_mini"):
        for edit, found in load(f"edits_{system}")["edits"].items():
            for asked, rate in (found if "rate" not in found else {edit: found}).items():
                lines.append(row(f"`{system}` | {KEPT[language][asked]}", [rate["rate"]], language))
    return lines


def expected(study: str, language: str) -> list[str]:
    """The lines of a study's table."""
    if study == "text_encoders":
        return _text_encoders(language)
    if study == "edits":
        return _edits(language)
    return rows(list(load(study).values()), language)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("study", ["candidates", "text_encoders", "priors", "thresholds", "edits", "wording_dalle1"])
def test_the_page_shows_what_was_measured(study, language):
    assert "\n".join(expected(study, language)) in PAGES[language].read_text(encoding="utf-8")


def test_both_pages_have_the_same_commands_and_files():
    def shown(path: Path) -> tuple[list[str], list[str]]:
        text = path.read_text(encoding="utf-8")
        return re.findall(r"^dalle-edu .*$", text, re.MULTILINE), [
            re.sub(r"\.(fr|en)\.", ".", name) for name in re.findall(r"\(([\w.-]+)\)", text)
        ]

    assert shown(PAGES["en"]) == shown(PAGES["fr"])
    for language, page in PAGES.items():
        for name in re.findall(r"\(([\w.-]+)\)", page.read_text(encoding="utf-8")):
            assert (STUDIES / name).is_file(), (language, name)
