"""Quizzes: right and wrong answers, both forms, and numbers that are computed again."""

import pytest

from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import Picture, legend, picture, plot
from dalle_edu.classroom.quiz import Choice, Number, quiz
from dalle_edu.classroom.quiz_replies import Reply, Tries, reply
from dalle_edu.classroom.suspect import suspect
from dalle_edu.errors import DalleEduError

CHOICE = Choice("2 + 2 is", ["3", "4", "5"], right=1, why="Count.", why_not=["That is 2 + 1.", "That is <2 + 3>."])
NUMBER = Number("Half of one is", right=0.5, why="One in two.", computed=lambda: 1 / 2)
COUNT = Number("How many?", right=49280, why="Count.")
THIRD = Number("A third?", right=1 / 3, why="One in three.")


@pytest.fixture
def french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")


def test_answers_are_judged():
    assert reply(CHOICE, "4") == Reply("right", "Right. Count.")
    assert reply(CHOICE, "5") == Reply("wrong", "That is <2 + 3>. Think again.")
    assert reply(Choice("?", ["a", "b"], right=0, why=""), "b") == Reply("wrong", "Not quite: think again.")
    assert reply(NUMBER, "0,5").kind == reply(NUMBER, "0.5").kind == "right"
    assert reply(NUMBER, "0.6") == Reply("wrong", "Not quite: think again.")


@pytest.mark.parametrize("given", [None, "", "  "])
def test_an_empty_answer_is_told_so(given):
    assert reply(CHOICE, given) == Reply("unread", "Choose an answer first.")
    assert reply(NUMBER, given) == Reply("unread", "Write an answer first.")


def test_what_cannot_be_read_is_told_with_an_example(monkeypatch):
    assert "like 0.25, 1/4, 3,610 or 2e-3" in reply(NUMBER, "half").text
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert "comme 0,25, 1/4, 3\u00a0610 ou 2e-3" in reply(NUMBER, "la moitié").text


@pytest.mark.parametrize(
    ("right", "given", "kind"),
    [
        (12, "12", "right"),
        (12, "12.0", "right"),
        (12, "11.99", "wrong"),
        (12, "12.01", "wrong"),
        (12, "10", "wrong"),
        (-2, "−2", "right"),
        (-2, "2", "wrong"),
        (0, "0", "right"),
        (0, "0.0001", "wrong"),
        (3610, "3609", "wrong"),
        (3610, "3,61e3", "right"),
        (3610, "3600", "nearly"),
        (3610, "3610 weights", "right"),
        (49280, "49 300", "right"),
        (49280, "49,281", "wrong"),
        (49280, "49000", "nearly"),
        (49280, "50000", "nearly"),
        (49280, "40000", "wrong"),
        (0.5, "50 %", "right"),
        (0.5, "50", "wrong"),
        (1 / 3, "1/3", "right"),
        (1 / 3, "0.333", "right"),
        (1 / 3, "0.33333333", "right"),
        (1 / 3, "0.33", "nearly"),
        (1 / 3, "0,3", "nearly"),
        (1 / 3, "0.34", "wrong"),
        (1 / 3, "-0.33", "wrong"),
        (1 / 3, "0", "wrong"),
        (2 / 3, "0.66", "nearly"),
        (2 / 3, "0.65", "wrong"),
        (2.30, "2.3", "right"),
        (2.30, "2.3026", "right"),
        (2.30, "2,303 nats", "right"),
        (2.30, "2", "wrong"),
        (2.30, "2.31", "wrong"),
        (-0.75, "-0.8", "nearly"),
        (0.75, "1", "wrong"),
        (0.0, "0", "right"),
        (1e-5, "1e-5", "right"),
        (1e-5, "2e-5", "wrong"),
    ],
)
def test_how_near_a_number_must_be(right, given, kind):
    assert reply(Number("?", right, ""), given).kind == kind


def test_decimals_that_are_asked_for_say_how_near():
    measured = Number("log 2, to two decimals?", 0.69, "", decimals=2)
    assert [reply(measured, given).kind for given in ("0.693", "0.69", "0.7", "0.68", "0.696")] == [
        "right",
        "right",
        "nearly",
        "wrong",
        "wrong",
    ]
    assert reply(Number("?", 0.69, ""), "0.693").kind == "wrong"
    assert Number("?", 2.3, "", decimals=2).answer == "2.30"


def test_a_number_that_lacks_digits_is_asked_for_them():
    assert reply(THIRD, "0.33") == Reply("nearly", "Nearly: give more digits.")
    assert reply(COUNT, "49000") == Reply("nearly", "Nearly: give all its digits.")


def test_a_question_in_percent_takes_both_writings():
    asked = Number("How many percent?", 25, "")
    assert reply(asked, "25").kind == reply(asked, "25 %").kind == "right"
    assert reply(Number("How many?", 25, ""), "25 %").kind == "wrong"


def test_a_known_slip_has_its_explanation():
    asked = Number("Weights of nn.Linear(3, 4)?", 16, "12 and 4.", near_misses={12: "The biases count, too."})
    assert reply(asked, "3 × 4") == Reply("wrong", "The biases count, too. Think again.")
    assert reply(asked, "13").text == "Not quite: think again."
    assert reply(Number("?", 2.3026, "", near_misses={1.0: "To base ten."}), "1").text.startswith("To base ten.")
    with pytest.raises(DalleEduError, match="near miss 2.3026 .* would be accepted"):
        Number("log 10?", 2.30, "", near_misses={2.3026: "?"})


def test_the_second_wrong_try_opens_the_reasoning_and_the_same_answer_is_one_try():
    tries = Tries(NUMBER)
    opened = [tries.reply(given).opened for given in ("2", "2.0", "", "half", "0.4", "2", "0.5")]
    assert opened == [False, False, False, False, True, True, False]
    nearly = Tries(THIRD)
    assert not any(nearly.reply(given).opened for given in ("0.33", "0.3", "7"))
    choice = Tries(CHOICE)
    assert [choice.reply(given).opened for given in ("3", "3", "5")] == [False, False, True]


def test_a_number_that_does_not_agree_with_its_computation_is_refused():
    with pytest.raises(DalleEduError, match="given as 3 and computed as 4"):
        Number("2 + 2", right=3, why="", computed=lambda: 4.0)
    with pytest.raises(DalleEduError, match="number 2 of 2"):
        Choice("?", ["a", "b"], right=2, why="")


@pytest.mark.parametrize("why_not", [["one"], ["one", "two", "three"], "ab"])
def test_each_wrong_answer_is_explained_or_none(why_not):
    with pytest.raises(DalleEduError, match="2 wrong answers"):
        Choice("?", ["a", "b", "c"], right=1, why="", why_not=why_not)
    assert CHOICE.explanations == {"3": "That is 2 + 1.", "5": "That is <2 + 3>."}


def test_answers_are_written_as_the_reader_does(french):
    assert Number("?", 1234567, "").answer == "1\u00a0234\u00a0567"
    assert Number("?", 0.25, "").answer == "0,25"


def test_the_page_folds_every_answer_and_escapes_what_it_shows():
    asked = Number("How many?", 16, "12 and 4.", near_misses={12: "The biases count."})
    html = quiz(Choice("<b>?", ["x", "y"], right=0, why="z", why_not=["<i>no"]), NUMBER, asked)._repr_html_()
    assert html.count("<details>") == 3
    assert "&lt;b&gt;" in html
    assert "<b>?" not in html
    assert '<summary aria-label="Answer to question 2">' in html
    assert "<p>✓ <strong>x</strong> z</p><ul><li>✗ <em>y</em> &lt;i&gt;no</li></ul></details>" in html
    assert "<li>✗ <em>12</em> The biases count.</li>" in html


def parts(box, number):
    return box.children[number].children[1:]


def test_the_widget_answers():
    field, button, said = parts(quiz(CHOICE, NUMBER).widget(), 0)
    button.click()
    assert "Choose an answer first." in said.value
    field.value = "3"
    button.click()
    assert "✗" in said.value
    assert "That is 2 + 1." in said.value
    assert "<details" not in said.value
    field.value = "5"
    button.click()
    assert "That is &lt;2 + 3&gt;." in said.value
    assert "<details open><summary>Answer</summary><strong>4</strong> Count.</details>" in said.value
    field.value = "4"
    button.click()
    assert "Right. Count." in said.value
    assert 'role="status" aria-live="polite"' in said.value


def test_enter_submits_a_number_and_all_right_is_counted():
    box = quiz(CHOICE, NUMBER).widget()
    choice, button, _ = parts(box, 0)
    number, _, said = parts(box, 1)
    assert (choice.description, number.description) == ("Answer 1", "Answer 2")
    number.value = "1/2"
    number._handle_custom_msg({"event": "submit"}, [])
    assert "Right." in said.value
    assert box.children[-1].value == ""
    choice.value = "4"
    button.click()
    assert "2 of 2" in box.children[-1].value
    choice.value = "3"
    button.click()
    assert box.children[-1].value == ""


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
    mystery, question = suspect("mlp:softmax", "softmax_over_the_batch")
    assert mystery.__name__ == "mystery"
    assert len(question.answers) == len(question.why_not) + 1 == 4
    assert "over the batch" in question.answer
    with pytest.raises(DalleEduError, match="softmax_over_the_batch.* was asked for"):
        suspect("mlp:softmax", "no_such_mistake")


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
