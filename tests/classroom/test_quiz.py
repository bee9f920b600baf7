"""Quizzes: right and wrong answers, both forms, and numbers that are computed again."""

import pytest

from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import Picture, legend, picture, plot
from dalle_edu.classroom.quiz import Choice, Number, quiz, verdict
from dalle_edu.classroom.suspect import suspect
from dalle_edu.errors import DalleEduError

CHOICE = Choice("2 + 2 is", ["3", "4"], right=1, why="Count.")
NUMBER = Number("Half of one is", right=0.5, why="One in two.", computed=lambda: 1 / 2)


def test_answers_are_judged():
    assert verdict(CHOICE, "4") == (True, "Right. Count.")
    assert not verdict(CHOICE, "3")[0]
    assert verdict(NUMBER, "0,5")[0]
    assert verdict(NUMBER, "0.5")[0]
    assert not verdict(NUMBER, "0.6")[0]
    assert verdict(NUMBER, "half") == (False, "Write a number.")


def test_a_number_that_does_not_agree_with_its_computation_is_refused():
    with pytest.raises(DalleEduError, match="given as 3 and computed as 4"):
        Number("2 + 2", right=3, why="", computed=lambda: 4.0)
    with pytest.raises(DalleEduError, match="number 2 of 2"):
        Choice("?", ["a", "b"], right=2, why="")


def test_the_page_folds_every_answer_and_escapes_what_it_shows():
    html = quiz(Choice("<b>?", ["x", "y"], right=0, why="z"), NUMBER)._repr_html_()
    assert html.count("<details>") == 2
    assert "&lt;b&gt;" in html
    assert "<b>?" not in html


def test_the_widget_answers():
    box = quiz(CHOICE, NUMBER).widget()
    _, field, row = box.children[0].children
    button, said = row.children
    field.value = "3"
    button.click()
    assert "✗" in said.value
    field.value = "4"
    button.click()
    assert "Right. Count." in said.value


def frame(a: int, b: str) -> Picture:
    figure, axes = plot(width=1.0, height=1.0)
    axes.set_title(f"{a}{b}")
    return picture(figure, f"a picture of {a} and {b}", density=0.2)


def test_an_explorer_draws_every_position_beforehand():
    explorer = Explorer(frame, a=Knob("number", [1, 2, 3], start=1), b=Knob("letter", ["x", "y"], names=["ex", "why"]))
    html = explorer.frames()
    assert html.count("data:image/png;base64,") == 7  # six, and the one that shows first
    assert 'alt="a picture of 2 and x"' in html
    assert 'type="range"' in html
    assert "<select" in html
    assert "http" not in html.replace("data:", "")
    assert explorer.frames() == html


def test_an_explorer_answers_live():
    box = Explorer(frame, a=Knob("number", [1, 2]), b=Knob("letter", ["x", "y"], names=["ex", "why"])).widget()
    number, letter, shown = box.children
    first = shown.value
    number.value = 1
    letter.value = 1
    assert shown.value != first
    assert "a picture of 2 and y" in shown.value


def test_a_page_holds_only_so_many_pictures():
    with pytest.raises(DalleEduError, match="100 positions together; a page holds at most 64"):
        Explorer(frame, a=Knob("number", list(range(100))))


def test_a_picture_without_a_description_is_refused():
    figure, _ = plot()
    with pytest.raises(DalleEduError, match="say in a sentence what it shows"):
        picture(figure, "plot")
    assert 'alt="A &quot;flat&quot; line."' in picture(figure, 'A "flat" line.')._repr_html_()


def test_a_suspect_is_wrong_and_does_not_say_its_name():
    mystery, question = suspect("mlp:softmax", 1)
    assert mystery.__name__ == "mystery"
    assert len(question.answers) == 2
    assert "batch" in question.answer
    with pytest.raises(DalleEduError, match="has 2 known mistakes"):
        suspect("mlp:softmax", 7)


def test_figures_write_numbers_as_their_reader_does(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    figure, axes = plot()
    axes.plot([0.0, 0.25, 0.5], label="pas 0.1")
    axes.set_title("τ = 0.25")
    legend(axes)
    shown = picture(figure, "Une ligne qui monte jusqu'à 0.5.")
    assert shown.alt == "Une ligne qui monte jusqu'à 0,5."
    texts = [axes.get_title(), axes.get_legend().get_texts()[0].get_text(), *(label.get_text() for label in axes.get_yticklabels())]
    assert all("." not in text for text in texts), texts
    assert any("," in label.get_text() for label in axes.get_yticklabels())
    assert Knob("pas", [0.25]).options == ["0,25"]
    figure, axes = plot()
    axes.bar(["rouge", "bleu"], [1, 2])
    picture(figure, "Deux barres de couleur.")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["rouge", "bleu"]


def test_what_is_pointed_at_stands_in_a_row():
    explorer = Explorer(
        frame, a=Knob("token", [1, 2], names=["<un>", "deux"], start=1, pointed=True), b=Knob("letter", ["x", "y"], names=["x", "y"])
    )
    html = explorer.frames()
    assert html.count('type="radio"') == 2
    assert 'value="1" checked> deux' in html
    assert "<un>" not in html
    tokens, _, shown = explorer.widget().children
    tokens.value = 0
    assert "a picture of 1 and x" in shown.value
