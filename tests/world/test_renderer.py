import pytest
import torch
import torch.nn.functional as F

from dalle_edu.errors import DalleEduError
from dalle_edu.world import RESOLUTIONS, SHAPES, Description, Mention, Object, Scene, render, sample_scene
from dalle_edu.world.renderer import lay_out

RED, BLUE = (torch.tensor(SHAPES.colour(name).rgb) * 2 - 1 for name in ("red", "blue"))


def showing(*objects: Object) -> Scene:
    return Scene(objects, Description((Mention(objects[0].shape),) if objects else ()))


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(21, i, "all") for i in range(120)]


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_pictures_are_in_range_on_a_white_canvas(scenes, resolution):
    images = render(scenes, resolution)
    assert images.shape == (len(scenes), 3, resolution, resolution)
    assert images.dtype == torch.float32
    assert images.min() >= -1
    assert images.max() == 1
    corners = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 1).all()  # no object reaches a corner


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_a_batch_draws_what_one_at_a_time_draws(scenes, resolution):
    alone = torch.cat([render([scene], resolution) for scene in scenes[:40]])
    assert torch.equal(render(scenes[:40], resolution), alone)
    assert torch.equal(render(scenes[:40], resolution, chunk=7), alone)
    assert torch.equal(render(lay_out(scenes[:40]), resolution), alone)


@pytest.mark.parametrize(("fine", "coarse"), [(64, 32), (128, 64), (128, 32)])
def test_resolutions_show_the_same_scene(scenes, fine, coarse):
    averaged = F.avg_pool2d(render(scenes, fine), fine // coarse)
    difference = (averaged - render(scenes, coarse)).abs()
    assert difference.mean() < 0.004  # thin points and notches are all that a coarser ramp sees otherwise
    assert difference.flatten(1).mean(dim=1).max() < 0.02  # and in no scene more


def test_a_circle_covers_its_area():
    for resolution in RESOLUTIONS:
        image = render([showing(Object("circle", "black", "large", 0.43, 0.57, 0.2))], resolution)
        black = torch.tensor(SHAPES.colour("black").rgb)
        covered = ((1 - image[0]) / 2 / (1 - black).view(3, 1, 1)).mean()
        assert float(covered) == pytest.approx(3.14159265 * (0.9 * 0.2) ** 2, rel=0.005)


def test_x_runs_right_and_y_runs_down():
    image = render([showing(Object("square", "red", "small", 0.25, 0.75, 0.14))], 64)[0]
    assert torch.allclose(image[:, 48, 16], RED)  # row 48 of 64 is y = 0.75, column 16 is x = 0.25
    assert torch.equal(image[:, 16, 48], torch.ones(3))


def test_shapes_stand_upright():
    """A triangle is wider at its foot, which is below on the canvas."""
    image = render([showing(Object("triangle", "red", "large", 0.5, 0.5, 0.2))], 64)[0]
    ink = (image[1] < 0).sum(dim=1)
    assert 0 < ink[26] < ink[37]


@pytest.mark.parametrize("shape", [shape.name for shape in SHAPES.shapes])
def test_a_later_object_covers_an_earlier_one(shape):
    under = Object("square", "red", "large", 0.5, 0.5, 0.21)
    over = Object(shape, "blue", "small", 0.5, 0.5, 0.13)
    image = render([showing(under, over), showing(over, under)], 64)
    alone = render([showing(over)], 64)[0]
    blue = (alone - BLUE.view(3, 1, 1)).abs().amax(dim=0) < 1e-6
    assert blue.sum() > 20
    assert torch.allclose(image[0][:, blue], BLUE.view(3, 1))
    assert torch.allclose(image[1][:, blue], RED.view(3, 1))  # the square hides all of it


def test_edges_mix_colour_and_white_only():
    """Each pixel lies on the straight line from white to the colour: the examiner counts on it."""
    image = render([showing(Object("star", "purple", "large", 0.47, 0.51, 0.2))], 64)[0]
    absorbed = (1 - image) / 2
    full = 1 - torch.tensor(SHAPES.colour("purple").rgb)
    coverage = absorbed / full.view(3, 1, 1)
    assert (coverage - coverage[:1]).abs().max() < 1e-5
    assert ((coverage[0] > 0.01) & (coverage[0] < 0.99)).sum() > 20  # and there are such edges


def test_drawing_does_not_change_the_layout(scenes):
    layout = lay_out(scenes[:8])
    before = [(group.slot.clone(), group.geometry.clone(), group.colour.clone()) for group in layout.groups]
    render(layout, 32)
    for group, (slot, geometry, colour) in zip(layout.groups, before, strict=True):
        assert torch.equal(group.slot, slot)
        assert torch.equal(group.geometry, geometry)
        assert torch.equal(group.colour, colour)


def test_no_scene_and_an_empty_scene():
    assert render([], 32).shape == (0, 3, 32, 32)
    assert torch.equal(render([showing()], 32), torch.ones(1, 3, 32, 32))
    filled = showing(Object("ring", "green", "small", 0.5, 0.5, 0.14))
    together = render([showing(), filled], 32)
    assert torch.equal(together[0], torch.ones(3, 32, 32))
    assert torch.equal(together[1:], render([filled], 32))


@pytest.mark.parametrize("resolution", [0, 7, 1025, -64])
def test_an_impossible_resolution_is_refused(resolution):
    with pytest.raises(DalleEduError, match=f"{resolution}.*8 to 1024"):
        render([showing()], resolution)


@pytest.mark.parametrize("thing", [Object("dragon", "red", "small", 0.5, 0.5, 0.14), Object("circle", "beige", "small", 0.5, 0.5, 0.14)])
def test_what_the_catalogue_does_not_know_is_never_silently_left_out(thing):
    with pytest.raises((DalleEduError, KeyError), match="dragon|beige"):
        render([showing(thing)], 32)


@pytest.mark.gpu
def test_a_gpu_draws_the_same(scenes):
    for resolution in RESOLUTIONS:
        assert (render(scenes, resolution, device="cuda").cpu() - render(scenes, resolution)).abs().max() < 1e-3
