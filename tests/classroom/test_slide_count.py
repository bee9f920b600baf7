"""Slides that hold too much, or lack what a room needs, are refused with their line."""

from pathlib import Path

import nbformat.v4 as v4
import pytest

from dalle_edu.classroom.builder.slides.deck import slides_of
from dalle_edu.classroom.builder.slides.slide_count import counts, slide_faults, words_of
from dalle_edu.classroom.builder.slides.slide_table import output_faults, pixel_faults, table
from dalle_edu.classroom.builder.source import Cell, Lesson

SLIDES = 26  # that teach: with the title, the exercise and the quiz they are 29
SESSION = 5 * (SLIDES + 2)


def both(text: str, line: int, **metadata) -> list[Cell]:
    return [Cell("markdown", text, {"lang": language, **metadata}, line) for language in ("fr", "en")]


def slide(line: int, text: str = "## One idea\n\nA few words.\n\n$$ x $$", notes: str = "5 min. Say it.", **metadata) -> list[Cell]:
    return [*both(text, line, slide="slide", **metadata), *both(notes, line + 1, slide="notes")]


def lesson(*changed: list[Cell], session: int | None = SESSION) -> Lesson:
    """A lesson whose slides are right, but for those that are `changed`: the last of them."""
    cells = [*(slide(10 * number) for number in range(1, SLIDES + 1 - len(changed))), *changed]
    cells.append(slide(800, "## Exercise 1\n\n5 min", slide_for="exercises 1"))
    cells.append(slide(810, "## Quiz", slide_for="quiz last"))
    cells.append([Cell("code", "x = 3", {"level": 1}, 900), Cell("code", "quiz()", {"quiz": "last"}, 910)])
    flat = tuple(cell for group in cells for cell in group)
    return Lesson(Path("42_deck.py"), "42", (1.0, 0.0, 0.0, 0.0), {"en": "A deck", "fr": "Des diapositives"}, flat, session=session)


def told(faulty: Lesson) -> list[tuple[int, str]]:
    return sorted({(fault.line, fault.en) for fault in slide_faults(faulty)})


def test_a_good_deck_has_no_fault():
    assert told(lesson()) == []
    assert told(lesson(slide(700, "## Forty\n\n" + "word " * 38 + "\n\n$$ x $$"))) == []


@pytest.mark.parametrize(
    ("faulty", "line", "said"),
    [
        (slide(700, "## Forty-one\n\n" + "word " * 39 + "\n\n$$ x $$"), 700, "41 words, more than 40"),
        (slide(700, "## Code\n\n```python\n" + "x = 1\n" * 13 + "```"), 700, "13 lines of code, more than 12"),
        (slide(700, "## Words\n\nand nothing to look at"), 700, "words alone"),
        (slide(700, slide_for="lunch"), 700, 'slide_for="lunch"'),
        (slide(700, slide_for="quiz unknown"), 700, "quizzes last"),
        (slide(700, slide_for="exercises 1-2"), 700, "has 1 exercises"),
        (slide(700, "## Exercise", slide_for="exercises 1"), 700, "how long it has"),
        (both("## Mute\n\n$$ x $$", 700, slide="slide"), 700, "no notes"),
        (slide(700, notes="Say it in five minutes."), 700, "do not begin with their minutes"),
    ],
)
def test_a_faulty_slide_is_told_with_its_line(faulty, line, said):
    found = told(lesson(faulty))
    assert any(place == line and said in text for place, text in found), found


def test_the_languages_have_the_same_minutes():
    cells = slide(700)
    cells[2] = Cell("markdown", "7 min. Dites-le.", {"lang": "fr", "slide": "notes"}, 701)
    assert (700, f"slide {SLIDES + 1}: minutes is 7 in French and 5 in English; make them the same") in told(lesson(cells))


def test_the_deck_as_a_whole_is_judged():
    assert told(lesson(session=None)) == [
        (1, f"the header does not say how long the class is; add session: {SESSION}, the minutes of all notes")
    ]
    assert told(lesson(session=90)) == [(1, f"the notes have {SESSION} minutes and the session 90; make them the same")]
    silent = lesson()
    without = tuple(cell for cell in silent.cells if "slide_for" not in cell.metadata)
    found = told(Lesson(silent.path, "42", silent.hours, silent.title, without, session=SESSION))
    assert (900, 'no slide announces exercise 1; name it on one, slide_for="exercises 1"') in found
    assert (910, 'no slide announces the quiz last; make one with slide_for="quiz last"') in found
    few = Lesson(silent.path, "42", silent.hours, silent.title, silent.cells[:8], session=SESSION)
    assert any("a deck has 25 to 50" in text for _, text in told(few))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("## 1. A neuron votes", 4),
        ("L'erreur : $x_1 + x_2$ vaut 3 !", 4),
        ("`x @ w` and **bold**", 4),
        ("See <details><summary>A hint</summary>long text</details> ![what it shows](x.png) [this page](a.html)", 3),
        ("```python\nx = 1\n```\n\n$$ a = b $$", 1),
    ],
)
def test_words_are_counted_as_they_are_read(text, words):
    assert words_of(text) == words


def test_exercises_are_read_as_spans():
    cells = (*both("## Work", 1, slide="slide", slide_for="exercises 1, 4-6"),)
    found = slides_of(Lesson(Path("42_deck.py"), "42", (1.0,), {"en": "A", "fr": "A"}, cells), "en")
    assert found[1].exercises == (1, 4, 5, 6)


def executed(said: str):
    cells = [v4.new_markdown_cell("# 42", metadata={"slideshow": {"slide_type": "slide"}})]
    for number in range(3):
        cells.append(v4.new_code_cell("x", metadata={"slideshow": {"slide_type": "slide"}}))
        cells[-1].outputs = [v4.new_output("stream", name="stdout", text=said if number == 1 else "97.5")]
    return v4.new_notebook(cells=cells)


@pytest.mark.parametrize("said", ["{'red': 3}", "0.12345678901", "tensor([1., 2.])", "<torch.nn.Module object at 0x1>"])
def test_what_only_python_reads_is_refused(said):
    faults = list(output_faults(lesson(), executed(said), "en"))
    assert [(fault.line, "slide 3" in fault.en) for fault in faults] == [(20, True)]
    assert not list(output_faults(lesson(), executed("loss 0.125, {x, y}, 1,234,567"), "en"))


def test_pixels_are_judged():
    good = {"height": 672, "width": 1280, "prose": 24, "small": 20, "refused": 0}
    sizes = [dict(good) for _ in slides_of(lesson(), "en")]
    assert not list(pixel_faults(lesson(), "en", sizes))
    for place, (key, value) in enumerate([("height", 673), ("width", 1281), ("prose", 23), ("small", 19.4), ("refused", 1)], 1):
        sizes[place][key] = value
    sizes[8] |= {"prose": None, "small": None}
    assert sorted(fault.line for fault in pixel_faults(lesson(), "en", sizes)) == [10, 20, 30, 40, 50]


def test_the_table_has_a_line_for_each_slide():
    text = table(lesson(), {})
    assert text.count("\n") + 1 == 2 * (3 + len(counts(lesson(), "en")))
    assert f"{SESSION}" in text.splitlines()[-1]
