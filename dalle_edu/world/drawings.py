"""How objects draw themselves: by a signed distance, in one colour, or by a sprite, whose tints are those of a picture.

A drawing is asked for objects at given places, in given colours, on a canvas of some resolution. It answers with their alpha, how much of
each pixel each covers, and with their ink, the colour that they have there. Renderer and examiner know no more of an object.

Letters: m objects, h = w pixels of the canvas on a side, s texels of a sprite on a side.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.world.shapes import Distance

SMALLEST, LARGEST = 8, 512  # texels on a side of a sprite
_FINER = 2  # how much finer than the canvas a sprite is drawn, so that its thin lines keep their weight wherever they fall
_MIDDLE = 0.7  # the grey of a sprite that becomes the colour itself: darker greys go to black, lighter ones to white
_INVISIBLE = 1 / 64  # alpha below which a texel does not count as part of the object


@runtime_checkable
class Drawing(Protocol):
    """What draws the objects of one shape. It fits in the disc of radius 1 around its centre."""

    @property
    def flat(self) -> bool:
        """Whether its ink is the object's colour everywhere."""

    def __hash__(self) -> int: ...

    def draw(
        self, geometry: Float[Tensor, "m 3"], colour: Float[Tensor, "m 3"], resolution: int
    ) -> tuple[Float[Tensor, "m h w"], Float[Tensor, "m 3 ..."]]:
        """The alpha of objects in [0, 1] on an empty canvas, and their ink, (m, 3, h, w) or (m, 3, 1, 1) in [0, 1].

        `geometry` gives centre x, centre y and radius, as parts of the canvas's side, x to the right and y downwards. `colour` is red,
        green and blue in [0, 1].
        """


@dataclass(frozen=True)
class SignedDistance:
    """A shape of one colour, by its signed distance (`shapes.py`): in radii of the object, negative inside, y upwards."""

    distance: Distance
    flat: bool = True

    def draw(self, geometry: Tensor, colour: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
        """As `Drawing.draw` says."""
        return coverage(self.distance, geometry, resolution), colour[:, :, None, None]


def coverage(distance: Distance, geometry: Float[Tensor, "m 3"], resolution: int) -> Float[Tensor, "m h w"]:
    """The alpha of objects of one shape: how much of each pixel each covers, in [0, 1], by a ramp one pixel wide across its outline.

    `distance` is the shape's signed distance. `geometry` gives centre x, centre y and radius, as parts of the canvas's side.
    """
    x, y, radius = _local(geometry, resolution)
    return (0.5 - distance(x, -y) * (radius * resolution)).clamp(0, 1)


def _local(geometry: Tensor, resolution: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where the centres of the canvas's pixels lie, seen from each object and in its radii: x (m, 1, w), y (m, h, 1), downwards; and the
    radii (m, 1, 1).
    """
    centres = (torch.arange(resolution, device=geometry.device, dtype=geometry.dtype) + 0.5) / resolution
    x0, y0, radius = (column.view(-1, 1, 1) for column in geometry.unbind(1))
    return (centres.view(1, 1, -1) - x0) / radius, (centres.view(1, -1, 1) - y0) / radius, radius


@dataclass(frozen=True, eq=False)
class Sprite:
    """A small picture, tinted: its greys become shades of the object's colour, and what is black in it or white stays so.

    `pixels` are (4, s, s) in [0, 1]: red, green, blue and alpha, not multiplied by it; s is 8 to 512. What is opaque in it is scaled to
    fit in the disc of radius 1. White gaps inside it should be narrower than a pixel, since the examiner takes what white separates for
    two objects. Raises `DalleEduError` for pixels of another form, and where none is opaque.
    """

    pixels: Float[Tensor, "4 s s"]
    flat: bool = False

    def __post_init__(self) -> None:
        shape, floats = tuple(self.pixels.shape), self.pixels.is_floating_point()
        fits = len(shape) == 3 and shape[0] == 4 and shape[1] == shape[2] and SMALLEST <= shape[1] <= LARGEST and floats
        if not fits or not bool(((self.pixels >= 0) & (self.pixels <= 1)).all()):
            raise DalleEduError(
                f"the sprite is {self.pixels.dtype} of {shape}; give floats from 0 to 1 of (4, s, s), with s from {SMALLEST} to {LARGEST}",
                f"le sprite est {self.pixels.dtype} de {shape} ; donnez des réels de 0 à 1 de (4, s, s), avec s de {SMALLEST} à {LARGEST}",
            )
        if not bool((self.pixels[3] > _INVISIBLE).any()):
            raise DalleEduError(
                "the sprite is transparent everywhere; give one that shows something",
                "le sprite est transparent partout ; donnez-en un qui montre quelque chose",
            )

    @cached_property
    def reach(self) -> float:
        """How far its opaque texels reach from its middle, in halves of its side: up to √2."""
        side = self.pixels.shape[1]
        ends = (torch.arange(side) + 0.5) / side * 2 - 1
        ends = ends.abs() + 1 / side
        return float(torch.hypot(ends[:, None], ends[None, :])[self.pixels[3].cpu() > _INVISIBLE].max())

    @cached_property
    def levels(self) -> list[Tensor]:
        """The sprite at its own size, at half of it, a quarter… (mip maps, Williams 1983): alpha, shade and light, each times alpha.

        Each is (3, s, s), and in all of them a mean over texels is that of the tints that they become.
        """
        red, green, blue, alpha = self.pixels
        shade, light = shade_and_light(0.299 * red + 0.587 * green + 0.114 * blue)
        levels = [torch.stack([alpha, shade * alpha, light * alpha])]
        while levels[-1].shape[1] >= 2 * SMALLEST:
            side = levels[-1].shape[1] // 2
            levels.append(F.interpolate(levels[0][None], size=(side, side), mode="area")[0])
        return levels

    def draw(self, geometry: Tensor, colour: Tensor, resolution: int) -> tuple[Tensor, Tensor]:
        """As `Drawing.draw` says. Each object is drawn `_FINER` times larger, from the smallest level whose texels are no larger than its
        pixels, and shrunk.
        """
        fine = _FINER * resolution
        x, y, radius = _local(geometry, fine)
        places = torch.stack(torch.broadcast_tensors(x, y), dim=-1) * self.reach
        sides = torch.tensor([level.shape[1] for level in self.levels], device=geometry.device, dtype=geometry.dtype)
        texels = 2 * radius.flatten() * fine / self.reach  # that the sprite's side would have if they were pixels
        chosen = ((sides[None] >= texels[:, None]).sum(dim=1) - 1).clamp(min=0)  # sides fall from level to level
        drawn = torch.zeros(len(geometry), 3, resolution, resolution, device=geometry.device, dtype=geometry.dtype)
        for number, level in enumerate(self.levels):
            which = (chosen == number).nonzero().flatten()
            if len(which):
                level = level.to(geometry.device, geometry.dtype).expand(len(which), -1, -1, -1)
                found = F.grid_sample(level, places[which], padding_mode="zeros", align_corners=False)
                drawn[which] = F.avg_pool2d(found, _FINER)
        alpha, shade, light = drawn.unbind(1)
        inside = alpha.clamp(min=1e-6)
        return alpha, tint(shade / inside, light / inside, colour)


def shade_and_light(grey: Tensor) -> tuple[Tensor, Tensor]:
    """How much of a colour is in a grey in [0, 1], and how much white: a grey of 0.7 is the colour itself, darker ones go to black, lighter
    ones to white.
    """
    return (grey / _MIDDLE).clamp(max=1), ((grey - _MIDDLE) / (1 - _MIDDLE)).clamp(min=0)


def tint(shade: Float[Tensor, "m h w"], light: Float[Tensor, "m h w"], colour: Float[Tensor, "m 3"]) -> Float[Tensor, "m 3 h w"]:
    """Shade and light as tints of a colour."""
    colour = colour[:, :, None, None]
    return colour * shade[:, None] + (1 - colour) * light[:, None]
