import math
from dataclasses import replace
from itertools import permutations
from statistics import NormalDist

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dalle_edu.scorecard import SKILLS, Rate, mark, why_no_marks, wilson_interval
from dalle_edu.scorecard.marks import tally
from dalle_edu.world import Description, Mention, Object, read_caption, sample_scene
from dalle_edu.world.scenes import RELATIONS

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # beartype does, to look into containers

LEFT, RIGHT, TOP, BOTTOM = {"x": 0.2}, {"x": 0.8}, {"y": 0.2}, {"y": 0.8}


def thing(shape: str, colour: str, size: str = "small", **place: float) -> Object:
    return Object(shape, colour, size, **{"x": 0.5, "y": 0.5} | place, radius=0.14 if size == "small" else 0.2)


# ---------------------------------------------------------------- one skill after the other, on scenes made by hand

ONE = Description((Mention("star", "green"),))
ANY_STAR = Description((Mention("star"),))
THREE = Description((Mention("cross", "pink"),), count=3)
PAIR = Description((Mention("circle", "red"), Mention("square", "blue")))
RELATED = replace(PAIR, relation="left")
SIZED = Description((Mention("circle", "red", "large"), Mention("square", "blue", "small")))
HALF_SAID = Description((Mention("circle"), Mention("square", "blue")))
TWINS = Description((Mention("circle", "red"), Mention("circle", "blue")))

STAR, CIRCLE, SQUARE = thing("star", "green"), thing("circle", "red", **LEFT), thing("square", "blue", **RIGHT)
CROSSES = [thing("cross", "pink", **place) for place in (LEFT, RIGHT, TOP)]


@pytest.mark.parametrize(
    ("description", "objects", "skill", "right"),
    [
        (ONE, [STAR], "single_object", True),
        (ONE, [], "single_object", False),
        (ONE, [STAR, STAR], "single_object", False),
        (ONE, [thing("star", "red")], "single_object", False),
        (ONE, [thing("heart", "green")], "single_object", False),
        (ANY_STAR, [thing("star", "black")], "single_object", True),
        (ANY_STAR, [thing("", "black")], "single_object", False),
        (PAIR, [CIRCLE, SQUARE], "two_objects", True),
        (PAIR, [SQUARE, CIRCLE], "two_objects", True),
        (PAIR, [thing("circle", "blue"), thing("square", "red")], "two_objects", True),  # colours are another skill
        (PAIR, [CIRCLE], "two_objects", False),
        (PAIR, [CIRCLE, SQUARE, SQUARE], "two_objects", False),
        (PAIR, [CIRCLE, CIRCLE], "two_objects", False),
        (TWINS, [thing("circle", "blue"), thing("circle", "red")], "two_objects", True),
        (TWINS, [thing("circle", "blue"), thing("square", "red")], "two_objects", False),
        (THREE, CROSSES, "counting", True),
        (THREE, CROSSES[:2], "counting", False),
        (THREE, [*CROSSES, CROSSES[0]], "counting", False),
        (THREE, [thing("star", "blue")] * 3, "counting", True),  # of what is another skill
        (ONE, [STAR], "colours", True),
        (ONE, [thing("heart", "green"), STAR], "colours", True),
        (ONE, [thing("star", "red")], "colours", False),
        (ONE, [STAR, thing("star", "red")], "colours", False),
        (ONE, [], "colours", False),
        (PAIR, [thing("circle", "blue"), thing("square", "red")], "colours", True),
        (PAIR, [CIRCLE, thing("square", "red")], "colours", False),
        (ONE, [thing("star", "red")], "shape", True),
        (ONE, [thing("heart", "green")], "shape", False),
        (ONE, [STAR, thing("heart", "green")], "shape", False),
        (ONE, [], "shape", False),
        (THREE, CROSSES[:2], "shape", True),
        (PAIR, [CIRCLE, SQUARE], "shape", True),
        (PAIR, [CIRCLE, CIRCLE], "shape", False),
        (SIZED, [thing("circle", "red", "large"), thing("square", "blue")], "size", True),
        (SIZED, [thing("square", "blue"), thing("circle", "red", "large")], "size", True),
        (SIZED, [thing("circle", "red"), thing("square", "blue", "large")], "size", False),
        (SIZED, [thing("circle", "red", "large"), thing("square", "blue", "large")], "size", False),
        (SIZED, [thing("circle", "red", "large")], "size", False),
        (Description((Mention("cross", "pink", "small"),), count=3), CROSSES, "size", True),
        (Description((Mention("cross", "pink", "large"),), count=3), CROSSES, "size", False),
        (Description((Mention("cross", None, "small"),), count=3), [*CROSSES[:2], thing("cross", "pink", "large")], "size", False),
        (RELATED, [CIRCLE, SQUARE], "position", True),
        (RELATED, [SQUARE, CIRCLE], "position", True),
        (RELATED, [thing("circle", "red", **RIGHT), thing("square", "blue", **LEFT)], "position", False),
        (RELATED, [thing("circle", "red", **TOP), thing("square", "blue", **BOTTOM)], "position", False),
        (RELATED, [thing("circle", "green", **LEFT), SQUARE], "position", False),  # not the objects that were said
        (RELATED, [CIRCLE], "position", False),
        (replace(PAIR, relation="right"), [thing("circle", "red", **RIGHT), thing("square", "blue", **LEFT)], "position", True),
        (replace(PAIR, relation="above"), [thing("circle", "red", **TOP), thing("square", "blue", **BOTTOM)], "position", True),
        (replace(PAIR, relation="below"), [thing("circle", "red", **BOTTOM), thing("square", "blue", **TOP)], "position", True),
        (replace(TWINS, relation="left"), [thing("circle", "blue", **RIGHT), thing("circle", "red", **LEFT)], "position", True),
        (replace(TWINS, relation="left"), [thing("circle", "blue", **LEFT), thing("circle", "red", **RIGHT)], "position", False),
        (PAIR, [SQUARE, CIRCLE], "colour_attribution", True),
        (PAIR, [thing("circle", "blue"), thing("square", "red")], "colour_attribution", False),
        (PAIR, [CIRCLE, SQUARE, SQUARE], "colour_attribution", False),
    ],
)
def test_marks_by_hand(description, objects, skill, right):
    assert mark(description, objects)[skill] is right


@pytest.mark.parametrize(
    ("description", "skills"),
    [
        (ONE, {"single_object", "colours", "shape"}),
        (ANY_STAR, {"single_object", "shape"}),
        (THREE, {"counting", "colours", "shape"}),
        (PAIR, {"two_objects", "colours", "shape", "colour_attribution"}),
        (RELATED, {"two_objects", "colours", "shape", "colour_attribution", "position"}),
        (SIZED, {"two_objects", "colours", "shape", "colour_attribution", "size"}),
        (HALF_SAID, {"two_objects", "shape"}),
        (TWINS, {"two_objects", "colours", "shape"}),
    ],
)
def test_a_skill_is_asked_only_of_captions_that_call_on_it(description, skills):
    assert set(mark(description, [])) == skills
    assert not any(mark(description, []).values())  # an empty picture gets nothing right


@pytest.mark.parametrize("order", [0, 1])
def test_what_a_caption_leaves_open_is_read_in_its_favour(order):
    """ "A circle to the left of a circle": whichever circle is listed first, the picture shows what was said."""
    circles = [thing("circle", "red", **LEFT), thing("circle", "blue", "large", **RIGHT)]
    for mentions in ((Mention("circle"), Mention("circle")), (Mention("circle", None, None), Mention("circle", "blue"))):
        marks = mark(Description(mentions, relation="left"), circles[::-1] if order else circles)
        assert marks["position"]


# ---------------------------------------------------------------- any caption, any picture

shapes = st.sampled_from(["circle", "square", "star"])
colours = st.sampled_from(["red", "blue", "green"])
sizes = st.sampled_from(["small", "large"])
mentions = st.builds(Mention, shapes, st.none() | colours, st.none() | sizes)
descriptions = st.one_of(
    st.builds(lambda m, count: Description((m,), count), mentions, st.integers(1, 4)),
    st.builds(lambda a, b, relation: Description((a, b), relation=relation), mentions, mentions, st.sampled_from((None, *RELATIONS))),
)
places = st.floats(0.1, 0.9)
things = st.builds(Object, shapes, colours, sizes, places, places, st.just(0.14))


@given(description=descriptions, objects=st.lists(things, max_size=4))
def test_marks_are_truth_values_of_known_skills(description, objects):
    marks = mark(description, objects)
    assert set(marks) <= set(SKILLS)
    assert all(value in (True, False) for value in marks.values())


@given(description=descriptions, objects=st.lists(things, min_size=2, max_size=3))
@example(  # sizes would pair them one way, colours the other
    description=Description((Mention("circle", "red", "small"), Mention("circle", None, "large"))),
    objects=[thing("circle", "red", "large"), thing("circle", "blue", "small")],
)
@example(  # nothing but the relation tells them apart
    description=Description((Mention("circle"), Mention("circle")), relation="left"),
    objects=[thing("circle", "red", **LEFT), thing("circle", "blue", **RIGHT)],
)
def test_the_order_in_which_objects_were_found_does_not_matter(description, objects):
    answers = [mark(description, list(order)) for order in permutations(objects)]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("split", ["seen", "held_out"])
def test_the_scene_itself_gets_every_mark(split):
    for i in range(60):
        scene = sample_scene(17, i, split)
        marks = mark(scene.description, sorted(scene.objects, key=lambda thing: -thing.radius))
        assert marks
        assert all(marks.values()), (scene, marks)


def test_no_object_of_the_scene_can_be_taken_away():
    for i in range(40):
        scene = sample_scene(17, i)
        marks = mark(scene.description, scene.objects[:-1])
        assert not any(marks.get(skill) for skill in ("single_object", "two_objects", "counting", "size", "position", "colour_attribution"))


# ---------------------------------------------------------------- rates and their intervals


def wilson_by_hand(correct: int, n: int) -> tuple[float, float]:
    """The interval by its formula (Wilson 1927)."""
    z = NormalDist().inv_cdf(0.975)
    rate, spread = correct / n, z * z / n
    middle = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(rate * (1 - rate) / n + spread / (4 * n))
    return middle - half, middle + half


@pytest.mark.parametrize("n", [1, 2, 5, 17, 100, 1024])
def test_wilson_interval_is_its_formula(n):
    for correct in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        low, high = wilson_interval(correct, n)
        assert (low, high) == pytest.approx(wilson_by_hand(correct, n), abs=1e-9)
        assert 0 <= low <= correct / n <= high <= 1
        assert low < high


def test_no_question_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert Rate(0, 0).to_json() == {"n": 0, "correct": 0, "rate": 0.0, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(("correct", "n"), [(3, 2), (-1, 2), (1, 0)])
def test_more_right_answers_than_questions_have_no_interval(correct, n):
    with pytest.raises(ValueError, match=f"{correct} right answers of {n}"):
        wilson_interval(correct, n)


def test_a_rate_as_json():
    told = Rate(8, 6).to_json()
    assert list(told) == ["n", "correct", "rate", "low", "high"]
    assert told["rate"] == 0.75
    assert told["low"] < 0.75 < told["high"]


def test_tally():
    marks = [{"shape": True, "single_object": False}, {"shape": False}, {"shape": True, "counting": True}]
    rates = tally(marks)
    assert list(rates) == list(SKILLS)
    assert rates["shape"] == Rate(3, 2)
    assert rates["single_object"] == Rate(1, 0)
    assert rates["counting"] == Rate(1, 1)
    assert rates["position"] == Rate(0, 0)


def test_skills_bear_the_documented_names():
    assert SKILLS == ("single_object", "two_objects", "counting", "colours", "shape", "size", "position", "colour_attribution")


@pytest.mark.parametrize(
    ("sentence", "english", "french"),
    [
        ("5 red circles", 'the examiner does not read "5": no marks', "l'examinateur ne lit pas « 5 » : pas de note"),
        (
            "no star on a boat",
            'the examiner does not read "no", "boat": no marks',
            "l'examinateur ne lit pas « no », « boat » : pas de note",
        ),
        ("red circles", "the examiner cannot read this sentence: no marks", "l'examinateur ne sait pas lire cette phrase : pas de note"),
    ],
)
def test_what_is_not_read_is_named(sentence, english, french):
    assert read_caption(sentence) is None
    assert why_no_marks(sentence) == (english, french)
