"""The parser of pictures with sprites, whose inks are many: analysis by synthesis as in `picture_parser.py`, in colours, not in coverage.

What a pixel absorbs is one minus its red, green and blue. Connected pixels that absorb something make an object. It is the shape and the
colour that overlap it best when they are drawn with its mass and its centre of mass; overlap is intersection over union of what is absorbed
(the weighted Jaccard index, Ruzicka 1958).

Letters: n pictures, m objects, h = w pixels of a picture on a side, k = l pixels of the window around an object.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from scipy import ndimage
from torch import Tensor

from dalle_edu.scorecard.found import SMALLEST_FIT, SPECK, Found
from dalle_edu.world.catalogue import Catalogue
from dalle_edu.world.drawings import Drawing

_FAINT, _CLEAR = 0.12, 0.3  # what a pixel absorbs, in its most absorbed channel, to belong to an object, and to make one
_MARGIN = 2  # pixels around an object in its window
_TOGETHER = 64  # objects compared with the templates at a time


def read_sprites(images: Float[Tensor, "n 3 h w"], catalogue: Catalogue) -> list[list[Found]]:
    """Parse pictures in [-1, 1] into the objects of each, the largest first."""
    absorbed = 1 - (images.clamp(-1, 1) + 1) / 2
    where, masks = _spots(absorbed.amax(dim=1).numpy())
    found: list[list[Found]] = [[] for _ in images]
    for start in range(0, len(where), _TOGETHER):
        rows = where[start : start + _TOGETHER]
        grown = F.max_pool2d(masks[start : start + _TOGETHER].float(), 3, stride=1, padding=1)
        for picture, thing in zip(rows, _fitted(*_windows(absorbed[rows] * grown[:, None]), catalogue), strict=True):
            found[picture].append(thing)
    return [sorted(objects, key=lambda thing: -thing.radius) for objects in found]


def _spots(ink: np.ndarray) -> tuple[list[int], Tensor]:
    """The connected spots of pictures: the picture of each, and its mask. A spot is large enough by its clear pixels alone, and has its
    faint ones too (hysteresis, Canny 1986).
    """
    in_plane = np.zeros((3, 3, 3), dtype=bool)
    in_plane[1] = True
    labels, _ = ndimage.label(ink > _FAINT, structure=in_plane)
    where: list[int] = []
    masks: list[np.ndarray] = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        mask = labels[place[0].start] == number
        if (ink[place[0].start][mask] > _CLEAR).sum() >= SPECK * mask.size:
            where.append(place[0].start)
            masks.append(mask)
    return where, torch.from_numpy(np.stack(masks)) if masks else torch.empty(0, *ink.shape[1:])


def _windows(absorbed: Float[Tensor, "m 3 h w"]) -> tuple[Float[Tensor, "m 3 k l"], Int[Tensor, "m 2"], int]:
    """Square windows around objects, as large as the largest wants, the left and upper ends of each, and the side of the pictures."""
    side = absorbed.shape[-1]
    across, down = absorbed.amax(dim=(1, 2)) > 0, absorbed.amax(dim=(1, 3)) > 0
    ends = torch.stack([each.float().argmax(dim=1) for each in (across, down)], dim=1)
    last = torch.stack([side - each.flip(1).float().argmax(dim=1) for each in (across, down)], dim=1)
    wide = min(side, int((last - ends).max()) + 2 * _MARGIN)
    ends = ((ends + last - wide) // 2).clamp(0, side - wide)
    windows = [absorbed[i, :, y : y + wide, x : x + wide] for i, (x, y) in enumerate(ends.tolist())]
    return torch.stack(windows), ends, side


def _fitted(absorbed: Float[Tensor, "m 3 k l"], ends: Int[Tensor, "m 2"], whole: int, catalogue: Catalogue) -> list[Found]:
    """The shape, colour and place of each object that overlap what it absorbs best."""
    m, _, side, _ = absorbed.shape
    centres = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    colours = [torch.tensor([colour.rgb], dtype=torch.float32) for colour in catalogue.colours]
    overlaps, geometries, names = [], [], []
    for shape in catalogue.shapes:
        for colour, rgb in zip(catalogue.colours, colours, strict=True):
            weights, (area, dx, dy) = _moments(shape.drawing, colour.rgb)
            ink = torch.einsum("mchw,c->mhw", absorbed, weights)
            mass = ink.sum(dim=(1, 2)).clamp(min=1e-6)
            radius = (mass / side**2 / area).sqrt()
            x = (ink.sum(dim=1) * centres).sum(dim=1) / mass - dx * radius
            y = (ink.sum(dim=2) * centres).sum(dim=1) / mass - dy * radius
            geometry = torch.stack([x, y, radius], dim=1)
            alpha, painted = shape.drawing.draw(geometry, rgb.expand(m, -1), side)
            drawn = alpha[:, None] * (1 - painted)
            overlaps.append(torch.minimum(drawn, absorbed).sum(dim=(1, 2, 3)) / torch.maximum(drawn, absorbed).sum(dim=(1, 2, 3)))
            geometries.append(geometry)
            names.append((shape.name, colour.name))
    fit, best = torch.stack(overlaps, dim=1).max(dim=1)
    places = torch.stack(geometries, dim=1)[torch.arange(m), best] * (side / whole)
    places[:, :2] += ends / whole
    things = []
    for number, (x, y, radius), overlap in zip(best.tolist(), places.tolist(), fit.tolist(), strict=True):
        shape_name, colour_name = names[number]
        size = min(catalogue.sizes, key=lambda size: abs(sum(size.radius) / 2 - radius)).name
        things.append(Found(shape_name if overlap >= SMALLEST_FIT else "", colour_name, size, x, y, radius, overlap))
    return things


@cache
def _moments(drawing: Drawing, rgb: tuple[float, float, float]) -> tuple[Tensor, tuple[float, float, float]]:
    """The weights of the three channels by which mass is measured, those of what this colour absorbs; and the mass and its centre (x, y,
    downwards) of a drawing in this colour at radius 1.
    """
    side = 256
    colour = torch.tensor([rgb], dtype=torch.float32)
    weights = (1 - colour[0]) / (1 - colour[0]).sum().clamp(min=1e-6)
    alpha, painted = drawing.draw(torch.tensor([[0.5, 0.5, 0.5]]), colour, side)
    ink = torch.einsum("chw,c->hw", alpha * (1 - painted[0]), weights)
    grid = (torch.arange(side, dtype=torch.float32) + 0.5) / side * 2 - 1
    mass = ink.sum()
    return weights, (float(mass) * (2 / side) ** 2, float((ink * grid).sum() / mass), float((ink * grid[:, None]).sum() / mass))
