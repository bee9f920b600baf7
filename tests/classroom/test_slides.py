"""A deck is made of the cells that are slides, in the lesson's language, at the path that the site links to."""

from pathlib import Path

import nbformat.v4 as v4
import pytest

from dalle_edu.classroom.builder.slides.deck import slides_of
from dalle_edu.classroom.builder.slides.reveal import write_deck
from dalle_edu.classroom.builder.source import Cell, Lesson

LESSON = Lesson(Path("nowhere/sources/42_deck.py"), "42", (1.0, 0.0, 0.0, 0.0), {"en": "A deck", "fr": "Des diapositives"}, ())
PICTURE = '<img src="data:," alt="a picture of nothing" width="10">'


def cell(make, text: str, slide: str, tags: tuple[str, ...] = (), said: str = "", html: str = ""):
    made = make(text, metadata={"slideshow": {"slide_type": slide}, "tags": list(tags)})
    if said:
        made.outputs = [v4.new_output("stream", name="stdout", text=said)]
    if html:
        made.outputs = [v4.new_output("display_data", data={"text/html": html})]
    return made


def deck(cells, tmp_path: Path, language: str = "en", lesson: Lesson = LESSON) -> str:
    notebook = v4.new_notebook(cells=[cell(v4.new_markdown_cell, "# 42 · A deck", "slide"), *cells])
    return write_deck(notebook, lesson, language, tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "title"), [("en", "42 · A deck"), ("fr", "42 · Des diapositives")])
def test_a_deck_has_the_slides_of_a_lesson_and_nothing_else(language, title, tmp_path):
    cells = [
        cell(v4.new_markdown_cell, "## Shown first", "slide"),
        cell(v4.new_markdown_cell, "Left for the page", "skip"),
        cell(v4.new_code_cell, "visible_code()", "fragment", said="its output"),
        cell(v4.new_code_cell, "hidden_code()", "fragment", ("output-only-slide",), said="output alone"),
    ]
    page = deck(cells, tmp_path, language)
    assert (tmp_path / "slides" / language / "42_deck.html").exists()
    assert f"<title>{title}" in page
    assert f'lang="{language}"' in page
    for shown in ("Shown first", "visible_code", "its output", "output alone"):
        assert shown in page, shown
    for hidden in ("Left for the page", "hidden_code"):
        assert hidden not in page, hidden
    assert page.count("<section") == 2


def test_the_title_slide_says_what_the_deck_is_and_where_else_to_go(tmp_path):
    page = deck([cell(v4.new_code_cell, "draw()", "skip", html=PICTURE), cell(v4.new_markdown_cell, "## Next", "slide")], tmp_path)
    title = page[page.index('<section id="title"') : page.index("</section>")]
    for part in ("from the perceptron to the picture", "42 · A deck", "English", "CC BY 4.0", PICTURE, "../../en/lessons/42_deck.html"):
        assert part in title, part
    assert 'href="../fr/42_deck.html"' in title


def test_words_stand_before_the_picture_and_notes_apart(tmp_path):
    cells = [
        cell(v4.new_markdown_cell, "## A question", "slide"),
        cell(v4.new_code_cell, "draw()", "fragment", ("hide-input",), html=PICTURE),
        cell(v4.new_markdown_cell, "And after", "fragment"),
        cell(v4.new_markdown_cell, "5 min. Ask them.", "notes"),
    ]
    page = deck(cells, tmp_path)
    places = [
        page.index(part) for part in ('<div class="words">', '<div class="shown">', '<div class="words after">', "And after", "Ask them")
    ]
    assert places[0] < page.rindex('<div class="shown">') < places[2] < places[3] < places[4]
    assert '<aside class="notes"><p>5 min. Ask them.</p>' in page


def test_the_answers_of_a_quiz_are_in_the_notes_of_the_slide_that_announces_it(tmp_path):
    announcing = [Cell("markdown", "## Quiz", {"lang": language, "slide": "slide", "slide_for": "quiz mine"}) for language in ("fr", "en")]
    lesson = Lesson(LESSON.path, "42", LESSON.hours, LESSON.title, (*announcing, Cell("code", "quiz()", {"quiz": "mine"})))
    shown = "<div class=\"quiz\"><p>2 + 2?</p><details><summary aria-label='x'>Answer</summary><p>✓ four</p></details></div>"
    cells = [cell(v4.new_markdown_cell, "## Quiz", "slide"), cell(v4.new_code_cell, "quiz()", "skip", ("quiz",), html=shown)]
    page = deck(cells, tmp_path, lesson=lesson)
    notes = page[page.index('<aside class="notes">') : page.index("</aside>")]
    assert "2 + 2?" in notes
    assert "✓ four" in notes
    assert "<details>" not in notes


def test_ids_are_the_same_in_both_languages():
    cells = tuple(
        Cell("markdown", f"## {heading}", {"lang": language, "slide": "slide"})
        for fr, en in (("Un neurone vote", "A neuron votes"), ("Encore", "A neuron votes"))
        for language, heading in (("fr", fr), ("en", en))
    )
    lesson = Lesson(LESSON.path, "42", LESSON.hours, LESSON.title, cells)
    ids = {language: [slide.id for slide in slides_of(lesson, language)] for language in ("fr", "en")}
    assert ids["fr"] == ids["en"] == ["title", "a-neuron-votes", "a-neuron-votes-2"]
