"""What the book says of its own: the glossaries answer each other, and the comparison gives our machines' true sizes."""

import re

import pytest

from dalle_edu.classroom.builder.book.comparison import compared
from dalle_edu.classroom.builder.book.page import paired
from dalle_edu.classroom.builder.book.site import BOOK
from dalle_edu.systems.dalle1 import DallE1


def page(language: str, name: str) -> str:
    return (BOOK / language / f"{name}.md").read_text(encoding="utf-8")


def terms(language: str) -> list[str]:
    return [
        re.sub(r"^\[(.*)\]\{.*?\}", r"\1", term) for term in re.findall(r"^([^\s:#].*)\n  ", page(language, "glossary"), flags=re.MULTILINE)
    ]


def order(term: str) -> str:
    return term.lower().translate(str.maketrans("éèêà-", "eeea "))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_glossary_is_in_alphabetical_order(language):
    assert terms(language) == sorted(terms(language), key=order)


def test_both_glossaries_explain_the_same_terms():
    """Every term of one is a term of the other, under its other name or its acronym."""
    sides = {language: [set(re.findall(r"\w[\w' -]*\w", term.lower())) for term in terms(language)] for language in ("fr", "en")}
    assert len(sides["fr"]) == len(sides["en"])
    for here, there in (("fr", "en"), ("en", "fr")):
        alone = [names for names in sides[here] if sum(bool(names & others) for others in sides[there]) != 1]
        assert not alone, alone


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_comparison_gives_our_sizes(language):
    """The machines' own configurations and parameters, in the places where the page asks for them."""
    text = compared(page(language, "comparison"), language)
    assert not re.search(r"\{\w+\.", text)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    first = {row[0]: row[-1] for row in rows[2:7]}
    millions = DallE1(DallE1.presets["standard"]).parameter_count() / 1e6
    assert first["DALL·E"].replace(",", ".").startswith(f"{millions:.2f} million")
    model = DallE1.presets["standard"].model
    assert [f"{model.dvae.resolution} × {model.dvae.resolution} px", f"{model.dvae.grid} × {model.dvae.grid}"] == [
        rows[i][-1] for i in (10, 11)
    ]
    assert rows[12][-1] == f"{model.dvae.num_codes}"
    assert f"{model.gpt.depth} " in rows[13][-1]


def test_both_comparisons_give_the_same_numbers_of_ours():
    asked = [re.findall(r"\{([\w.]+%?)\}", page(language, "comparison")) for language in ("fr", "en")]
    assert asked[0] == asked[1]
    assert len(asked[0]) > 30
    with pytest.raises(KeyError):
        compared("{dalle1.model.gpt.length}", "en")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_has_the_headings_of_its_translation(language):
    for path in (BOOK / language).glob("*.md"):
        text = paired(path.read_text(encoding="utf-8"), (BOOK / "en" / path.name).read_text(encoding="utf-8"))
        assert re.findall(r"^% id: (\S+)", text, flags=re.MULTILINE), path.name
    with pytest.raises(ValueError, match="1 headings, and 2 in English"):
        paired("# Un", "# One\n\n## Two")
