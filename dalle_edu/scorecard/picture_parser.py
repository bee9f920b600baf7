"""The picture parser: from a picture back to its objects, by analysis by synthesis.

A pixel on the outline of an object mixes its colour with white, so that a colour is a line from white in RGB space. Each pixel gets the
palette colour whose line is nearest, and its coverage, which is its position on that line. Connected pixels make an object. Its shape is
the one that overlaps it best when the world's renderer draws it with the same area and centre of mass.

Letters: n pictures, m objects, c colours, h = w pixels on a side.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from scipy import ndimage
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.found import SMALLEST_FIT, SPECK, Found
from dalle_edu.scorecard.sprite_parser import read_sprites
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.drawings import Drawing

_SECOND_COLOUR = 0.25  # a spot of which a second colour covers this part is two objects that touch


@torch.no_grad()
def parse_pictures(images: Float[Tensor, "n 3 h w"], catalogue: Catalogue = SHAPES, chunk: int = 128) -> list[list[Found]]:
    """Parse pictures into the objects of each, the largest first.

    Pictures are square, in [-1, 1], 16 pixels or more on a side. They are parsed `chunk` at a time, on the CPU; where the catalogue has
    sprites, by `sprite_parser.py`. Raises `DalleEduError` for another shape of tensor.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3] or images.shape[2] < 16:
        raise DalleEduError(
            f"the examiner was given a tensor of shape {tuple(images.shape)}; it reads (n, 3, h, h) with h of at least 16",
            f"l'examinateur a reçu un tenseur de forme {tuple(images.shape)} ; il lit (n, 3, h, h) avec h d'au moins 16",
        )
    read = _read if all(shape.drawing.flat for shape in catalogue.shapes) else read_sprites
    found: list[list[Found]] = []
    for part in images.split(chunk) if len(images) else ():
        found += read(part.float().cpu(), catalogue)
    return found


def _read(images: Float[Tensor, "n 3 h w"], catalogue: Catalogue) -> list[list[Found]]:
    colour, alpha = unmix(images, catalogue)
    spots = _spots(colour.numpy(), alpha.numpy(), len(catalogue.colours))
    found: list[list[Found]] = [[] for _ in images]
    if not spots:
        return found
    masks = torch.from_numpy(np.stack([mask for _, _, mask in spots])).float()
    grown = F.max_pool2d(masks, 3, stride=1, padding=1)  # includes the pixels of the outline with little coverage
    ink = alpha[[picture for picture, _, _ in spots]] * grown
    for (picture, hue, _), (shape, x, y, radius, fit) in zip(spots, _fit_shapes(ink, catalogue), strict=True):
        size = min(catalogue.sizes, key=lambda size: abs(sum(size.radius) / 2 - radius)).name
        found[picture].append(Found(shape, catalogue.colours[hue].name, size, x, y, radius, fit))
    return [sorted(objects, key=lambda thing: -thing.radius) for objects in found]


def unmix(images: Float[Tensor, "n 3 h w"], catalogue: Catalogue = SHAPES) -> tuple[Int[Tensor, "n h w"], Float[Tensor, "n h w"]]:
    """Unmix each pixel into the index of the palette colour whose line from white is nearest, and its coverage in [0, 1], 0 at white."""
    absorbed = 1 - (images.clamp(-1, 1) + 1) / 2
    palette = 1 - torch.tensor([colour.rgb for colour in catalogue.colours], dtype=images.dtype)
    along = torch.einsum("nrhw,cr->nchw", absorbed, palette) / palette.square().sum(1).view(1, -1, 1, 1)
    along = along.clamp(0, 1)
    # |absorbed - along * palette|² without the (n, c, 3, h, w) tensor
    missed = along.square() * palette.square().sum(1).view(1, -1, 1, 1) - 2 * along * torch.einsum("nrhw,cr->nchw", absorbed, palette)
    colour = missed.argmin(dim=1)
    return colour, along.gather(1, colour.unsqueeze(1)).squeeze(1)


Spot = tuple[int, int, np.ndarray]  # picture, colour, mask


def _spots(colour: np.ndarray, alpha: np.ndarray, num_colours: int) -> list[Spot]:
    speck = SPECK * alpha.shape[1] * alpha.shape[2]
    in_plane = np.zeros((3, 3, 3), dtype=bool)
    in_plane[1] = True  # neighbours within a picture, diagonal ones too, and none in another picture
    labels, _ = ndimage.label(alpha > 0.5, structure=in_plane)
    spots: list[Spot] = []
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        picture = where[0].start
        mask = labels[picture] == number
        if mask.sum() < speck:
            continue
        votes = np.bincount(colour[picture][mask], weights=alpha[picture][mask], minlength=num_colours)
        hues = [hue for hue in np.argsort(-votes) if votes[hue] >= max(speck, _SECOND_COLOUR * votes.sum())]
        if len(hues) < 2:
            spots.append((picture, int(votes.argmax()), mask))
            continue
        for hue in hues:
            pieces, count = ndimage.label(mask & (colour[picture] == hue), structure=in_plane[1])
            spots += [(picture, int(hue), pieces == piece) for piece in range(1, count + 1) if (pieces == piece).sum() >= speck]
    return spots


@cache
def _moments(drawing: Drawing) -> tuple[float, float, float]:
    """The area and the centre of mass (x, y, downwards) of a drawing at radius 1."""
    side = 512
    alpha = drawing.draw(torch.tensor([[0.5, 0.5, 0.5]]), torch.zeros(1, 3), side)[0][0]
    inside = (alpha > 0.5).float()
    grid = (torch.arange(side, dtype=torch.float32) + 0.5) / side * 2 - 1
    mass = inside.sum()
    return float(mass) * (2 / side) ** 2, float((inside * grid).sum() / mass), float((inside * grid[:, None]).sum() / mass)


def _fit_shapes(ink: Float[Tensor, "m h w"], catalogue: Catalogue) -> Sequence[tuple[str, float, float, float, float]]:
    """For each object its shape, centre x and y, radius and fit, by analysis by synthesis.

    Every shape is drawn with the object's area and centre of mass, and compared by intersection over union.
    """
    side = ink.shape[1]
    centres = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    mass = ink.sum(dim=(1, 2))
    mean_x = (ink.sum(dim=1) * centres).sum(dim=1) / mass
    mean_y = (ink.sum(dim=2) * centres).sum(dim=1) / mass
    fits, geometries = [], []
    for shape in catalogue.shapes:
        area, dx, dy = _moments(shape.drawing)
        radius = (mass / side**2 / area).sqrt()
        geometry = torch.stack([mean_x - dx * radius, mean_y - dy * radius, radius], dim=1)
        drawn, _ = shape.drawing.draw(geometry, torch.zeros(len(ink), 3), side)
        fits.append(torch.minimum(drawn, ink).sum(dim=(1, 2)) / torch.maximum(drawn, ink).sum(dim=(1, 2)))
        geometries.append(geometry)
    best_fit, best = torch.stack(fits, dim=1).max(dim=1)
    chosen = torch.stack(geometries, dim=1)[torch.arange(len(ink)), best]
    names = [catalogue.shapes[i].name if fit >= SMALLEST_FIT else "" for i, fit in zip(best.tolist(), best_fit.tolist(), strict=True)]
    return [(name, *place, fit) for name, place, fit in zip(names, chosen.tolist(), best_fit.tolist(), strict=True)]
