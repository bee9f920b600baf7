import math

import pytest
import torch

from dalle_edu.world import SHAPES

every_shape = pytest.mark.parametrize("shape", SHAPES.shapes, ids=lambda shape: shape.name)


def grid(side: int, reach: float = 1.3) -> tuple[torch.Tensor, torch.Tensor]:
    axis = torch.linspace(-reach, reach, side, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return x, y


def test_the_catalogue_holds_the_eight_shapes_and_eight_colours():
    assert [shape.name for shape in SHAPES.shapes] == ["circle", "square", "triangle", "star", "cross", "ring", "heart", "diamond"]
    assert [colour.name for colour in SHAPES.colours] == ["red", "green", "blue", "yellow", "purple", "orange", "black", "pink"]


@every_shape
def test_negative_inside_positive_outside(shape):
    """The area where the distance is negative is that of the shape's own formula."""
    x, y = grid(1301)
    star_area = 10 * 0.5 * 0.45 * math.sin(math.pi / 5)  # ten triangles between a tip (radius 1) and a notch (radius 0.45)
    side = 0.36 * math.sqrt(2)
    areas = {
        "circle": math.pi * 0.9**2,
        "square": 1.4**2,
        "triangle": 3 * math.sqrt(3) * 0.48**2,  # of inscribed radius 0.48
        "star": star_area,
        "cross": 2 * 1.88 * 0.6 - 0.6**2,
        "ring": math.pi * (0.96**2 - 0.48**2),
        "heart": (2 * side) ** 2 + math.pi * side**2,  # a square and two half discs
        "diamond": 2 * 0.68 * 1.0,
    }
    pixel = (2.6 / 1300) ** 2
    assert float((shape.drawing.distance(x, y) < 0).double().sum() * pixel) == pytest.approx(areas[shape.name], rel=0.01)


@every_shape
def test_fits_in_the_unit_disc(shape):
    angle = torch.linspace(0, 2 * math.pi, 40_001, dtype=torch.float64)
    for radius in (1 + 1e-6, 1.01, 1.1, 1.5, 3.0):
        assert float(shape.drawing.distance(radius * angle.cos(), radius * angle.sin()).min()) > 0


@every_shape
def test_nearly_fills_the_unit_disc(shape):
    """Radius 1 is the size of the shape, not just a bound: it reaches beyond 0.85 somewhere."""
    x, y = grid(401)
    inside = shape.drawing.distance(x, y) < 0
    assert float(torch.hypot(x, y)[inside].max()) > 0.85


@every_shape
def test_is_a_signed_distance(shape):
    """Never more than the distance to any outline point (so rays and ramps are safe), and one unit per unit across the outline."""
    x, y = grid(261)
    x.requires_grad_(), y.requires_grad_()
    distance = shape.drawing.distance(x, y)
    slope = torch.hypot(*torch.autograd.grad(distance.sum(), (x, y)))
    assert float(slope.max()) <= 1 + 1e-9
    near = distance.detach().abs() < 0.02
    assert near.sum() > 100
    assert float((slope[near] - 1).abs().quantile(0.95)) < 1e-9  # the few others lie on a mirror or a corner


@every_shape
def test_left_mirrors_right(shape):
    x, y = grid(101)
    torch.testing.assert_close(shape.drawing.distance(x, y), shape.drawing.distance(-x, y))


def test_the_pointed_shapes_point_up():
    up, down = torch.tensor(0.8), torch.tensor(-0.8)
    zero = torch.tensor(0.0)
    for name in ("triangle", "star"):
        distance = SHAPES.shape(name).drawing.distance
        assert distance(zero, up) < 0 < distance(zero, down)
    heart = SHAPES.shape("heart").drawing.distance
    assert heart(zero, down) < 0 < heart(zero, up)
