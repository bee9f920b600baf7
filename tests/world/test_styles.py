import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.errors import DalleEduError
from dalle_edu.world import SHAPES, Description, Mention, Object, Scene, render, sample_scene
from dalle_edu.world.shapes import circle
from dalle_edu.world.styles import outline, outlined


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(3, i, "all") for i in range(60)]


@given(st.floats(0.05, 0.6), st.floats(0, 1.5))
def test_the_outline_of_a_disc_is_a_band_inside_its_edge(stroke, radius):
    distance = outline(circle, stroke)(torch.tensor(radius), torch.tensor(0.0))
    inside = 0.9 - stroke < radius < 0.9
    assert (distance < 1e-6) if inside else (distance > -1e-6)


@pytest.mark.parametrize("resolution", [32, 64])
def test_outlines_lie_within_the_filled_shapes_and_leave_part_of_them_white(scenes, resolution):
    filled, lines = render(scenes, resolution), render(scenes, resolution, catalogue=outlined())
    assert (lines >= filled - 1e-5).all()  # ink takes light away, and lines have less of it everywhere
    ink = [(1 - images).flatten(1).sum(dim=1) for images in (filled, lines)]
    assert (ink[1] < 0.9 * ink[0]).all()
    assert (ink[1] > 0.3 * ink[0]).all()


def test_silhouettes_stay_where_they_are():
    """The first and last inked row and column of each shape are those of the filled one."""
    for shape in SHAPES.shapes:
        scene = Scene((Object(shape.name, "black", "large", 0.5, 0.5, 0.2),), Description((Mention(shape.name),)))
        extents = []
        for catalogue in (SHAPES, outlined()):
            ink = render([scene], 128, catalogue=catalogue)[0].mean(dim=0) < 0
            rows, columns = ink.any(dim=1).nonzero(), ink.any(dim=0).nonzero()
            extents.append((int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())))
        assert max(abs(a - b) for a, b in zip(*extents, strict=True)) <= 1, shape.name


def test_everything_but_the_drawing_is_the_same():
    style = outlined()
    assert [shape.name for shape in style.shapes] == [shape.name for shape in SHAPES.shapes]
    assert all(new.words == old.words for new, old in zip(style.shapes, SHAPES.shapes, strict=True))
    assert (style.colours, style.sizes, style.held_out_objects) == (SHAPES.colours, SHAPES.sizes, SHAPES.held_out_objects)


def test_a_wider_stroke_inks_more(scenes):
    thin, wide = (render(scenes, 64, catalogue=outlined(stroke=stroke)).mean() for stroke in (0.15, 0.35))
    assert wide < thin


@pytest.mark.parametrize("stroke", [0.0, -0.1, 1.5])
def test_an_impossible_stroke_is_refused(stroke):
    with pytest.raises(DalleEduError, match=f"stroke is {stroke}; it is a part of the object's radius"):
        outlined(stroke=stroke)
