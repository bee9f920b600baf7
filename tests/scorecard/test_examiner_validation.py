"""The examiner examined: what it says of pictures whose scene is known, of other people's captions, and of noisy and blurred pictures."""

from itertools import pairwise

import pytest

from dalle_edu.scorecard import SKILLS, Question, mark, parse_pictures, questions
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.examiner_validation import PROMPTS as EXAMINED
from dalle_edu.scorecard.examiner_validation import RESOLUTIONS, TABLES, tables, validate_examiner
from dalle_edu.scorecard.marks import tally
from dalle_edu.world import render

PROMPTS = 600
SHIFTS = range(2, 32, 2)  # questions come in pairs of one scene, so an even shift is another scene
COURSES = (("ground truth", "noise 0.1", "noise 0.2", "noise 0.4"), ("ground truth", "blur 0.5 px", "blur 1 px", "blur 2 px"))


@pytest.fixture(scope="module", params=[32, 64], ids=["32px", "64px"])
def resolution(request) -> int:
    return request.param


# ---------------------------------------------------------------- pictures and captions that belong together, or not


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return questions(PROMPTS, seed=0)


@pytest.fixture(scope="module")
def rates(asked, resolution) -> tuple[dict[str, Rate], dict[str, Rate]]:
    """Of the pictures' own captions, and of the captions of others."""
    descriptions = [question.scene.description for question in asked]
    read = parse_pictures(render([question.scene for question in asked[::2]], resolution))  # each scene is asked twice, and read once
    found = [objects for objects in read for _ in range(2)]
    own = [mark(*pair) for pair in zip(descriptions, found, strict=True)]
    shifts = SHIFTS if resolution == 64 else SHIFTS[:1]
    others = [mark(*pair) for shift in shifts for pair in zip(descriptions, found[shift:] + found[:shift], strict=True)]
    return tally(own), tally(others)


@pytest.mark.parametrize("skill", SKILLS)
def test_ground_truth_is_right(rates, resolution, skill):
    own, _ = rates
    assert own[skill].n >= 100
    assert own[skill].correct >= (0.99 if resolution == 64 else 0.98) * own[skill].n


@pytest.mark.parametrize("skill", SKILLS)
def test_other_peoples_captions_are_wrong(rates, resolution, skill):
    """Chance alone gets a number or a size right now and then."""
    _, others = rates
    assert others[skill].n >= (2000 if resolution == 64 else 100)
    assert others[skill].correct <= (0.25 if skill in ("counting", "size") else 0.15) * others[skill].n


# ---------------------------------------------------------------- noise and blur, and the table that is published


@pytest.fixture(scope="module")
def table(resolution) -> dict[str, dict[str, float]]:
    return validate_examiner(resolution)


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("course", COURSES, ids=["noise", "blur"])
def test_harm_never_helps(table, course, skill):
    rates = [table[condition][skill] for condition in course]
    assert all(after <= before + 0.02 for before, after in pairwise(rates))
    if skill == "shape":  # the first to suffer
        assert rates[-1] < rates[0]


def test_light_harm_is_forgiven_and_heavy_harm_is_not(table, resolution):
    assert all(rate >= 0.98 for rate in table["noise 0.1"].values())
    assert all(rate >= 0.98 for rate in table["blur 0.5 px"].values())
    harm = table[{32: "blur 1 px", 64: "blur 2 px"}[resolution]]
    assert harm["shape"] < 0.9
    assert harm["counting"] > 0.98  # what is blurred can still be counted


def test_the_published_tables_are_this_one(table, resolution):
    """`python -m dalle_edu.scorecard.examiner_validation` writes them anew after a change that is meant."""
    assert_published(resolution, table)
    assert list(published(resolution)) == list(table)


@pytest.mark.slow
def test_the_published_table_holds_for_the_largest_pictures():
    assert_published(128, validate_examiner(128, conditions=("noise 0.4",)))


def test_the_published_table_is_the_same_in_french():
    rates = {
        resolution: {condition: {skill: rate / 100 for skill, rate in zip(SKILLS, row, strict=True)} for condition, row in rows.items()}
        for resolution in RESOLUTIONS
        if (rows := published(resolution))
    }
    assert list(rates) == list(RESOLUTIONS)
    assert tables(rates, EXAMINED) == {language: file.read_text(encoding="utf-8") for language, file in TABLES.items()}


def published(resolution: int) -> dict[str, list[float]]:
    lines = TABLES["en"].read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[1]: [float(cell) for cell in row[2:]] for row in rows[2:] if row[0] == str(resolution)}


def assert_published(resolution: int, table: dict[str, dict[str, float]]) -> None:
    for condition, rates in table.items():
        assert [100 * rates[skill] for skill in SKILLS] == pytest.approx(published(resolution)[condition], abs=1), condition
