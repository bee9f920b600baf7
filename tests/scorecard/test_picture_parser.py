import pytest
import torch

from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard import Found, parse_pictures
from dalle_edu.world import SHAPES, Description, Mention, Object, Scene, render, sample_scene


def draw(*objects: Object, resolution: int = 64) -> torch.Tensor:
    return render([Scene(objects, Description((Mention("circle"),)))], resolution)


@pytest.mark.parametrize(("resolution", "tolerance"), [(32, 0.01), (64, 0.006), (128, 0.004)])
def test_objects_are_found_where_they_were_drawn(resolution, tolerance):
    scenes = [sample_scene(31, i, "all") for i in range(80)]
    for scene, found in zip(scenes, parse_pictures(render(scenes, resolution)), strict=True):
        assert len(found) == len(scene.objects)
        assert [thing.radius for thing in found] == sorted((thing.radius for thing in found), reverse=True)
        for thing in scene.objects:
            match = min(found, key=lambda other: (other.x - thing.x) ** 2 + (other.y - thing.y) ** 2)
            assert (match.shape, match.colour, match.size) == (thing.shape, thing.colour, thing.size)
            assert (match.x, match.y) == pytest.approx((thing.x, thing.y), abs=tolerance)
            assert match.radius == pytest.approx(thing.radius, abs=tolerance)
            assert 0.75 < match.fit <= 1


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("resolution", [32, 64])
def test_every_shape_in_every_colour(resolution, size):
    low, high = SHAPES.size(size).radius
    drawn = [
        Object(shape.name, colour.name, size, 0.5 + 0.013 * i, 0.5 - 0.011 * j, low + (high - low) * (i + j) / 14)
        for i, shape in enumerate(SHAPES.shapes)
        for j, colour in enumerate(SHAPES.colours)
    ]
    images = torch.cat([draw(thing, resolution=resolution) for thing in drawn])
    for thing, found in zip(drawn, parse_pictures(images), strict=True):
        assert [(f.shape, f.colour, f.size) for f in found] == [(thing.shape, thing.colour, thing.size)]


def test_two_objects_of_two_colours_that_touch_are_two():
    found = parse_pictures(draw(Object("square", "red", "large", 0.35, 0.5, 0.2), Object("square", "blue", "large", 0.63, 0.5, 0.2)))[0]
    assert sorted(thing.colour for thing in found) == ["blue", "red"]


def test_what_looks_like_no_shape_has_no_name():
    line = torch.ones(1, 3, 64, 64)
    line[:, :2, 31:34, 4:60] = -1  # a thin blue line
    found = parse_pictures(line)[0]
    assert [thing.shape for thing in found] == [""]
    assert found[0].fit < 0.55


def test_specks_are_not_objects():
    image = draw(Object("star", "green", "large", 0.5, 0.5, 0.2))
    image[:, 1:, 3:6, 3:6] = -1  # nine red pixels
    assert [thing.shape for thing in parse_pictures(image)[0]] == ["star"]


def test_pictures_without_objects():
    white, black = torch.ones(1, 3, 32, 32), -torch.ones(1, 3, 32, 32)
    grey, unsaid = torch.full((1, 3, 32, 32), 0.6), torch.full((1, 3, 32, 32), float("nan"))
    chaos = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert parse_pictures(white) == [[]]
    assert parse_pictures(grey) == [[]]
    assert parse_pictures(unsaid) == [[]]
    assert all(thing.shape in ("", "square") for thing in parse_pictures(black)[0])
    assert len(parse_pictures(chaos)) == 4


def test_no_pictures():
    assert parse_pictures(torch.empty(0, 3, 32, 32)) == []


def test_a_batch_is_read_like_its_members_and_left_alone():
    images = render([sample_scene(32, i) for i in range(20)], 32)
    before = images.clone()
    together = parse_pictures(images, chunk=7)
    for image, objects in zip(images, together, strict=True):
        for thing, alone in zip(objects, parse_pictures(image[None])[0], strict=True):
            assert isinstance(thing, Found)
            assert (thing.shape, thing.colour, thing.size) == (alone.shape, alone.colour, alone.size)
            assert (thing.x, thing.y, thing.radius, thing.fit) == pytest.approx((alone.x, alone.y, alone.radius, alone.fit), abs=1e-5)
    assert torch.equal(images, before)


def test_half_precision_and_values_outside_the_range_are_read():
    image = draw(Object("heart", "pink", "large", 0.4, 0.6, 0.2))
    for other in (image.bfloat16(), image.half(), image.double(), image * 1.2):
        assert [(thing.shape, thing.colour) for thing in parse_pictures(other)[0]] == [("heart", "pink")]


@pytest.mark.parametrize("shape", [(1, 3, 32, 64), (1, 3, 8, 8)])
def test_other_tensors_are_refused(shape):
    with pytest.raises(DalleEduError, match="the examiner was given a tensor of shape"):
        parse_pictures(torch.zeros(shape))
