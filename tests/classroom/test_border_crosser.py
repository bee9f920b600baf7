"""The border crosser of lesson 08: codes jump at borders, true slopes are 0 between them, the slope passed on is 1 everywhere."""

import re

import pytest
import torch

from dalle_edu.classroom.widgets.border_crosser import border_explorer, draw_crossing, slopes_at
from dalle_edu.errors import DalleEduError
from dalle_edu.language import speak

CODES = torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [2.0, 5.0]])
START, END = torch.tensor([0.0, 0.5]), torch.tensor([4.0, 0.5])  # it crosses borders at 25 % and 75 %


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")


@pytest.mark.parametrize(("part", "code", "came"), [(0.0, 0, 0), (0.2, 0, 0), (0.3, 1, 50), (0.7, 1, 50), (0.8, 2, 100), (1.0, 2, 100)])
def test_the_code_is_the_nearest_and_stays_where_it_is_between_borders(part, code, came):
    alt = draw_crossing(CODES, START, END, part).alt
    assert f"in the cell of code {code}, which is at {came} %; the true slope is 0, the one passed on 1." in alt


def test_slopes_on_a_border_and_beside_it():
    way = torch.tensor([1.0, 0.0])
    for first in (0.3, 0.9, 1.1, 3.5):
        assert slopes_at(torch.tensor([first, 0.5]), CODES, way) == (0.0, pytest.approx(1.0))
    true, passed_on = slopes_at(torch.tensor([1.0, 0.5]), CODES, way)
    assert true > 1000
    assert passed_on == pytest.approx(1.0)
    assert "the true slope is none (a jump), the one passed on 1." in draw_crossing(CODES, START, END, 0.25).alt


def test_a_page_has_a_picture_for_each_position():
    moved = border_explorer(CODES, START, END, steps=5)
    assert moved.knobs["part"].values == [0, 25, 50, 75, 100]
    assert len(set(re.findall(r"data:image/png;base64,[^\"]+", moved.frames()))) == 5


def test_a_codebook_that_learns_is_not_touched():
    learned = CODES.clone().requires_grad_()
    draw_crossing(learned, START, END, 0.4)
    assert learned.grad is None
    assert torch.equal(learned, CODES)


def test_french_says_the_same():
    speak("fr")
    assert draw_crossing(CODES, START, END, 0.3).alt.endswith("la pente vraie est 0, celle du passage direct 1.")


@pytest.mark.parametrize(
    ("codes", "start", "end", "steps"),
    [(torch.eye(3), torch.zeros(3), torch.ones(3), 5), (CODES[:1], START, END, 5), (CODES, START, START, 5), (CODES, START, END, 1)],
)
def test_what_makes_no_walk_is_refused(codes, start, end, steps):
    with pytest.raises(DalleEduError, match="at least 2 codes of 2 numbers"):
        border_explorer(codes, start, end, steps)


def test_too_many_pictures_are_refused():
    with pytest.raises(DalleEduError, match="at most 64"):
        border_explorer(CODES, START, END, steps=65)
