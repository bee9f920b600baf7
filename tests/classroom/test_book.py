"""What the book says of its own: the glossaries answer each other, and the comparison gives our machine's true sizes."""

import re

import pytest

from dalle_edu.classroom.builder.book import BOOK
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
    config = DallE1.presets["standard"]
    model = config.model
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page(language, "comparison").splitlines() if line.startswith("|")]
    ours = [row[-1] for row in rows]
    resolution, grid = model.dvae.resolution, model.dvae.grid
    assert ours[3:6] == [f"{resolution} × {resolution} px", f"{grid} × {grid}", f"{model.dvae.num_codes}"]
    assert f"{model.gpt.depth} " in ours[6]
    assert ours[8] == f"{model.gpt.text_length}"
    limit = int(re.search(r"\d+", ours[7]).group())
    assert (limit - 1) * 10**6 < DallE1(config).parameter_count() < limit * 10**6
