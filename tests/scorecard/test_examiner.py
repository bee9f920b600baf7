"""The examiner examined: what it says of pictures whose scene is known, of other people's captions, and of noisy and blurred pictures.

The table is kept in `examiner.json` beside this file, and recomputed here; after a change that is meant, write it anew with
`python tests/scorecard/test_examiner.py`.
"""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from scipy import ndimage

from dalle_edu.scorecard import SKILLS, mark, questions, read_pictures
from dalle_edu.scorecard.marks import tally
from dalle_edu.world import render

TABLE = Path(__file__).with_name("examiner.json")
PROMPTS = 600
NOISE = (0.1, 0.2, 0.3)  # standard deviation, where white is 1 and black -1
BLUR = {32: (0.5, 1.0, 1.5), 64: (1.0, 2.0, 3.0)}  # standard deviation, in pixels
SHIFTS = range(2, 40, 2)  # questions come in pairs of one scene, so an even shift is another scene

Table = dict[str, dict[str, dict[str, float]]]


def examine() -> Table:
    """The rate of each skill, in percent, and how many marks it stands on, for each way to treat the pictures."""
    asked = questions(PROMPTS, seed=0)
    descriptions = [question.scene.description for question in asked]
    scenes = [question.scene for question in asked[::2]]  # each is asked twice, and read once
    table: Table = {}

    def enter(row: str, marks: list[dict[str, bool]]) -> None:
        rates = tally(marks)
        table[row] = {skill: {"n": rates[skill].n, "percent": round(100 * rates[skill].correct / rates[skill].n, 1)} for skill in SKILLS}

    def read(images: torch.Tensor) -> list:
        return [objects for objects in read_pictures(images) for _ in range(2)]

    for resolution in (32, 64):
        images = render(scenes, resolution)
        found = read(images)
        enter(f"{resolution} px", [mark(*pair) for pair in zip(descriptions, found, strict=True)])
        if resolution == 64:
            shuffled = [found[shift:] + found[:shift] for shift in SHIFTS]
            enter("shuffled captions", [mark(*pair) for others in shuffled for pair in zip(descriptions, others, strict=True)])
        for sigma in NOISE:
            noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
            enter(f"{resolution} px, noise {sigma}", [mark(*pair) for pair in zip(descriptions, read(images + sigma * noise), strict=True)])
        for sigma in BLUR[resolution]:
            blurred = torch.from_numpy(ndimage.gaussian_filter(images.numpy(), (0, 0, sigma, sigma), mode="nearest"))
            enter(f"{resolution} px, blur {sigma}", [mark(*pair) for pair in zip(descriptions, read(blurred), strict=True)])
    return table


@pytest.fixture(scope="module")
def table() -> Table:
    return examine()


@pytest.mark.parametrize(("resolution", "least"), [(32, 98), (64, 99)])
def test_ground_truth_is_right(table, resolution, least):
    row = table[f"{resolution} px"]
    assert all(row[skill]["percent"] >= least for skill in SKILLS), row
    assert all(row[skill]["n"] >= 100 for skill in SKILLS)


@pytest.mark.parametrize("skill", SKILLS)
def test_other_peoples_captions_are_wrong(table, skill):
    """Chance alone gets a number or a size right now and then."""
    told = table["shuffled captions"][skill]
    assert told["n"] >= 2000
    assert told["percent"] <= (25 if skill in ("counting", "size") else 15)


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("resolution", [32, 64])
@pytest.mark.parametrize("harm", ["noise", "blur"])
def test_harm_never_helps(table, harm, resolution, skill):
    amounts = NOISE if harm == "noise" else BLUR[resolution]
    course = [table[f"{resolution} px"][skill], *(table[f"{resolution} px, {harm} {amount}"][skill] for amount in amounts)]
    for before, after in pairwise(course):
        assert after["percent"] <= before["percent"] + 2


@pytest.mark.parametrize("resolution", [32, 64])
def test_light_harm_is_forgiven_and_heavy_harm_is_not(table, resolution):
    light, blurred = table[f"{resolution} px, noise 0.1"], table[f"{resolution} px, blur {BLUR[resolution][-1]}"]
    assert all(light[skill]["percent"] >= 98 for skill in SKILLS)
    assert blurred["shape"]["percent"] < 60
    assert blurred["counting"]["percent"] > blurred["shape"]["percent"]  # a blurred picture can still be counted


def test_the_table_is_the_one_recorded(table):
    recorded = json.loads(TABLE.read_text(encoding="utf-8"))
    assert recorded.keys() == table.keys()
    for row, skills in table.items():
        for skill, told in skills.items():
            assert told["n"] == recorded[row][skill]["n"]
            assert told["percent"] == pytest.approx(recorded[row][skill]["percent"], abs=3), (row, skill)


if __name__ == "__main__":
    lines = [f"  {json.dumps(row)}: {json.dumps(skills)}" for row, skills in examine().items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
