"""The front page of the book: its drawings are there, its marks are those that were measured, its cards are the lessons."""

import json
import re

import pytest
from PIL import Image

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.book.front import ROOT, bars, cards, course, described, drawings, filled
from dalle_edu.classroom.builder.book.site import BOOK
from dalle_edu.loading import drawing_systems
from dalle_edu.world.grammar import unknown_words

FRONT = json.loads((BOOK / "front.json").read_text(encoding="utf-8"))
MARKS = json.loads((ROOT / "data" / "marks.json").read_text(encoding="utf-8"))["systems"]
READMES = {"en": "README.md", "fr": "README.fr.md"}


@pytest.fixture(scope="module")
def lessons():
    return build.lessons()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_drawing_has_its_sentence_and_its_file(language):
    html = drawings(FRONT["drawings"], language)
    for source, alt in re.findall(r'<img src="\.\./assets/shared/([^"]+)" alt="([^"]+)" width="256" height="256">', html):
        with Image.open(BOOK / "shared" / source) as picture:
            assert picture.size == (256, 256)
            assert len(set(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=8).get_flattened_data())) > 2
        assert len(alt.split()) > 3
    assert html.count("<img") == html.count("width=") == len(FRONT["drawings"]) == 4
    assert not [word for drawing in FRONT["drawings"] for word in unknown_words(drawing[language])]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_bars_are_the_marks_that_were_measured(language):
    html = bars(FRONT["machines"], MARKS, language)
    assert {machine["system"] for machine in FRONT["machines"]} == set(drawing_systems()) == {entry["system"] for entry in MARKS}
    measured = {entry["system"]: entry for entry in MARKS}
    for machine in FRONT["machines"]:
        entry = measured[machine["system"]]
        counts = entry["languages"][language].values()
        share = 100 * sum(count["correct"] for count in counts) / sum(count["n"] for count in counts)
        row = next(line for line in html.splitlines() if f">{machine['name']}<" in line)
        assert f"--share: {share:.1f}%" in row
        assert (f"{share:.1f}".replace(".", ",") if language == "fr" else f"{share:.1f}") in row


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_lesson_of_the_course_has_a_card_and_those_to_come_say_so(language, lessons, tmp_path):
    (tmp_path / "slides" / language).mkdir(parents=True)
    (tmp_path / "slides" / language / f"{lessons[0].name}.html").touch()
    html = cards(lessons, language, tmp_path, {lessons[0].name: '<img src="x.webp" alt="a picture">'}).splitlines()[2:-1]
    assert [re.search(r'class="number">(\d\d)', card).group(1) for card in html] == [f"{n:02}" for n in range(18)]
    written = [card for card in html if "coming" not in card]
    assert [re.search(r'href="lessons/([^"]+)\.html"', card).group(1) for card in written] == [lesson.name for lesson in lessons]
    assert "x.webp" in written[0]
    assert f"../slides/{language}/{lessons[0].name}.html" in written[0]
    assert ".pdf" not in written[0]
    assert "/slides/" not in written[1]
    for lesson, card in zip(lessons, written, strict=True):
        hours = f"{sum(lesson.hours):g} h"
        assert (hours.replace(".", ",") if language == "fr" else hours) in card
        assert f"_sources/lessons/{lesson.name}.ipynb" in card


def test_the_course_says_of_a_written_lesson_what_the_lesson_says(lessons):
    rows = {row["number"]: row for row in course()}
    for lesson in lessons:
        assert rows[lesson.number]["title"] == lesson.title


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_part_of_the_front_page_is_filled(language, lessons, tmp_path):
    text = filled((BOOK / language / "index.md").read_text(encoding="utf-8"), language, lessons, tmp_path, {})
    assert not re.findall(r"^% ", text, flags=re.MULTILINE)
    for name in ("lead", "drawings", "start", "marks", "lessons"):
        assert f'class="{name}"' in text
    assert f'href="lessons/{lessons[0].name}.html"' in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_readme_opens_with_the_front_pages_sentence(language):
    readme = (ROOT / READMES[language]).read_text(encoding="utf-8").replace("\u00a0", " ")
    assert FRONT["sentence"][language] in " ".join(readme.split("\n## ")[0].split())
    for drawing in FRONT["drawings"]:
        assert f"book/shared/drawings/{drawing['system']}.{language}.webp" in readme
        assert drawing[language] in " ".join(readme.split())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_book_is_described_and_has_a_card_for_whoever_shares_it(language, lessons):
    words = described(lessons, language)
    assert set(words) == {"front", *(f"lessons/{lesson.name}" for lesson in lessons)}
    assert all(20 < len(text) < 200 for text in words.values())
    path = BOOK / "shared" / "cards" / f"{language}.png"
    with Image.open(path) as card:
        assert card.size == (1200, 630)
    assert path.stat().st_size < 100_000
