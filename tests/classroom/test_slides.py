"""A deck is made of the cells that are slides, in the lesson's language, at the path that the site links to."""

from pathlib import Path

import nbformat.v4 as v4
import pytest

from dalle_edu.classroom.builder.slides import write_deck
from dalle_edu.classroom.builder.source import Lesson

LESSON = Lesson(Path("42_deck.py"), "42", (1.0, 0.0, 0.0, 0.0), {"en": "A deck", "fr": "Des diapositives"}, ())


def cell(make, text: str, slide: str, tags: tuple[str, ...] = (), said: str = ""):
    made = make(text, metadata={"slideshow": {"slide_type": slide}, "tags": list(tags)})
    if said:
        made.outputs = [v4.new_output("stream", name="stdout", text=said)]
    return made


@pytest.mark.parametrize(("language", "title"), [("en", "42 · A deck"), ("fr", "42 · Des diapositives")])
def test_a_deck_has_the_slides_of_a_lesson_and_nothing_else(language, title, tmp_path):
    notebook = v4.new_notebook(
        cells=[
            cell(v4.new_markdown_cell, "## Shown first", "slide"),
            cell(v4.new_markdown_cell, "Left for the page", "skip"),
            cell(v4.new_code_cell, "visible_code()", "fragment", said="its output"),
            cell(v4.new_code_cell, "hidden_code()", "fragment", ("output-only-slide",), said="output alone"),
        ]
    )
    path = write_deck(notebook, LESSON, language, tmp_path)
    assert path == tmp_path / "slides" / language / "42_deck.html"
    page = path.read_text(encoding="utf-8")
    assert f"<title>{title}" in page
    assert f'lang="{language}"' in page
    for shown in ("Shown first", "visible_code", "its output", "output alone"):
        assert shown in page, shown
    for hidden in ("Left for the page", "hidden_code"):
        assert hidden not in page, hidden
    assert len(notebook.cells) == 4  # the notebook itself is left as it was
