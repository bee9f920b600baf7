"""Objects draw themselves: sprites are placed, shrunk and tinted as area averaging and the eye would have it."""

import pytest
import torch
import torch.nn.functional as F
from sprites import sprites

from dalle_edu.errors import DalleEduError
from dalle_edu.world import Description, Mention, Object, Scene, render
from dalle_edu.world.drawings import SignedDistance, Sprite, shade_and_light, tint
from dalle_edu.world.shapes import circle

CATALOGUE = sprites()
RED = torch.tensor([[0.9, 0.1, 0.12]])


def random_sprite(side: int = 64, seed: int = 0) -> Sprite:
    """Opaque greys in a disc."""
    generator = torch.Generator().manual_seed(seed)
    grey = F.interpolate(torch.rand(1, 1, 8, 8, generator=generator), size=side, mode="bilinear")[0, 0]
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    alpha = (torch.hypot(line[:, None], line[None, :]) < 0.95).float()
    return Sprite(torch.stack([grey, grey, grey, alpha]))


def filling(sprite: Sprite) -> torch.Tensor:
    """The geometry at which a sprite's side is the canvas's."""
    return torch.tensor([[0.5, 0.5, 0.5 * sprite.reach]])


@pytest.mark.parametrize("shrink", [2, 4])
def test_a_sprite_over_the_whole_canvas_is_the_area_average_of_its_texels(shrink):
    sprite = random_sprite()
    alpha, ink = sprite.draw(filling(sprite), RED, 64 // shrink)
    grey, opaque = sprite.pixels[0], sprite.pixels[3]
    torch.testing.assert_close(alpha[0], F.avg_pool2d(opaque[None], shrink)[0], atol=1e-5, rtol=0)
    fine = tint(*(part[None] for part in shade_and_light(grey)), RED) * opaque
    inside = alpha[0] > 0.5
    expected = F.avg_pool2d(fine, shrink)[0] / alpha[0].clamp(min=1e-6)
    torch.testing.assert_close(ink[0][:, inside], expected[:, inside], atol=1e-4, rtol=0)


def test_a_sprite_moves_with_its_centre():
    sprite = CATALOGUE.shape("cat").drawing
    one, other = (sprite.draw(torch.tensor([[x, 0.5, 0.2]]), RED, 64)[0][0] for x in (0.4, 0.4 + 8 / 64))
    torch.testing.assert_close(one.roll(8, dims=1), other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [shape.name for shape in CATALOGUE.shapes])
@pytest.mark.parametrize("side", [32, 64, 128])
def test_every_sprite_fits_in_its_disc_and_reaches_it(shape, side):
    geometry = torch.tensor([[0.5, 0.5, 0.25]])
    alpha = CATALOGUE.shape(shape).drawing.draw(geometry, RED, side)[0][0]
    line = (torch.arange(side) + 0.5) / side - 0.5
    far = torch.hypot(line[:, None], line[None, :])
    assert float(alpha[far > 0.25 + 1.5 / side].max()) < 0.05
    assert float(alpha[far > 0.25 - 3 / side].max()) > 0.2


def test_greys_become_shades_of_the_colour():
    grey = torch.tensor([0.0, 0.35, 0.7, 0.85, 1.0]).view(1, 1, 5)
    shades = tint(*shade_and_light(grey), RED)[0, :, 0].T
    torch.testing.assert_close(shades[0], torch.zeros(3))
    torch.testing.assert_close(shades[1], RED[0] / 2)
    torch.testing.assert_close(shades[2], RED[0])
    torch.testing.assert_close(shades[3], (RED[0] + 1) / 2)
    torch.testing.assert_close(shades[4], torch.ones(3))


def test_flat_and_tinted_objects_stand_in_one_picture():
    from dataclasses import replace

    from dalle_edu.world import SHAPES

    both = replace(CATALOGUE, shapes=(*CATALOGUE.shapes, SHAPES.shape("circle")))
    things = (Object("cat", "red", "small", 0.3, 0.5, 0.15), Object("circle", "blue", "small", 0.7, 0.5, 0.15))
    alone = [render([Scene((thing,), Description((Mention(thing.shape),)))], 64, catalogue=both)[0] for thing in things]
    together = render([Scene(things, Description((Mention("cat"), Mention("circle"))))], 64, catalogue=both)[0]
    torch.testing.assert_close(together, torch.minimum(*alone), atol=1e-6, rtol=0)  # white everywhere else
    assert SignedDistance(circle).flat
    assert not both.shape("cat").drawing.flat


@pytest.mark.parametrize(
    "pixels",
    [
        torch.zeros(4, 16, 16),
        torch.ones(3, 16, 16),
        torch.ones(4, 16, 17),
        torch.ones(4, 4, 4),
        torch.ones(4, 16, 16) * 2,
        torch.full((4, 16, 16), float("nan")),
        torch.ones(4, 16, 16, dtype=torch.uint8),
        torch.ones(4, 600, 600),
    ],
    ids=["transparent", "no alpha", "not square", "tiny", "beyond 1", "no numbers", "bytes", "huge"],
)
def test_what_is_no_sprite_is_refused(pixels, no_shape_checking):
    with pytest.raises(DalleEduError):
        Sprite(pixels)
