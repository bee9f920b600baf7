"""A catalogue of a dozen sprites, drawn here with Pillow, and of a moon, by its signed distance: nothing of it stands in the package."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageDraw

from dalle_edu.world.catalogue import SHAPES, Catalogue, Noun, Shape
from dalle_edu.world.drawings import SignedDistance, Sprite

SIDE, ABOVE = 64, 4  # texels of a sprite, and how much larger it is drawn
DARK, MIDDLE, LIGHT, WHITE = 40, 178, 225, 255  # greys: of outlines, of the colour itself, of lit parts, of eyes and windows


class Pen:
    """Shapes on a large transparent canvas, whose coordinates go from 0 to 64."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (SIDE * ABOVE, SIDE * ABOVE), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def disc(self, x: float, y: float, rx: float, ry: float, grey: int = MIDDLE) -> "Pen":
        self.pen.ellipse([v * ABOVE for v in (x - rx, y - ry, x + rx, y + ry)], (grey,) * 3 + (255,), (DARK,) * 3 + (255,), 6)
        return self

    def polygon(self, *points: tuple[float, float], grey: int = MIDDLE) -> "Pen":
        corners = [(x * ABOVE, y * ABOVE) for x, y in points]
        self.pen.polygon(corners, (grey,) * 3 + (255,), (DARK,) * 3 + (255,), 6)
        return self

    def dot(self, x: float, y: float, r: float, grey: int = DARK) -> "Pen":
        self.pen.ellipse([v * ABOVE for v in (x - r, y - r, x + r, y + r)], (grey,) * 3 + (255,))
        return self

    def sprite(self) -> Sprite:
        small = np.asarray(self.image.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32) / 255
        return Sprite(torch.from_numpy(small).permute(2, 0, 1).contiguous())


def _cat() -> Pen:
    return (
        Pen()
        .polygon((10, 4), (30, 18), (10, 30))
        .polygon((54, 4), (34, 18), (54, 30))
        .disc(32, 36, 25, 23)
        .dot(22, 33, 4)
        .dot(42, 33, 4)
        .dot(32, 44, 3)
    )


def _fish() -> Pen:
    return Pen().polygon((40, 32), (62, 14), (62, 50)).disc(26, 32, 24, 17).dot(13, 28, 3.5)


def _house() -> Pen:
    return (
        Pen()
        .polygon((10, 30), (54, 30), (54, 60), (10, 60))
        .polygon((2, 32), (32, 3), (62, 32), grey=110)
        .polygon((26, 42), (38, 42), (38, 60), (26, 60), grey=LIGHT)
    )


def _tree() -> Pen:
    return Pen().polygon((27, 40), (37, 40), (37, 62), (27, 62), grey=90).disc(32, 24, 22, 22)


def _boat() -> Pen:
    return (
        Pen()
        .polygon((30, 4), (34, 4), (34, 44), (30, 44), grey=DARK)
        .polygon((34, 6), (58, 38), (34, 38), grey=LIGHT)
        .polygon((2, 42), (62, 42), (48, 60), (16, 60))
    )


def _umbrella() -> Pen:
    pen = Pen().polygon((30, 26), (34, 26), (34, 60), (30, 60), grey=DARK)
    pen.pen.pieslice([2 * ABOVE, 4 * ABOVE, 62 * ABOVE, 60 * ABOVE], 180, 360, (MIDDLE,) * 3 + (255,), (DARK,) * 3 + (255,), 6)
    return pen


def _apple() -> Pen:
    return (
        Pen()
        .polygon((30, 2), (35, 2), (34, 18), (30, 18), grey=DARK)
        .disc(22, 38, 18, 22)
        .disc(42, 38, 18, 22)
        .disc(32, 40, 16, 18, grey=MIDDLE)
    )


def _car() -> Pen:
    return (
        Pen()
        .polygon((14, 32), (22, 14), (44, 14), (52, 32), grey=LIGHT)
        .polygon((1, 31), (63, 31), (63, 48), (1, 48))
        .dot(16, 49, 9)
        .dot(48, 49, 9)
        .dot(16, 49, 4, LIGHT)
        .dot(48, 49, 4, LIGHT)
    )


def _mug() -> Pen:
    return Pen().disc(48, 34, 14, 14).dot(48, 34, 8, WHITE).polygon((6, 10), (44, 10), (40, 58), (10, 58))


def _octopus() -> Pen:
    pen = Pen()
    for x in (10, 24, 40, 54):
        pen.disc(x, 50, 6, 12)
    return pen.disc(32, 26, 25, 24).dot(23, 24, 4).dot(41, 24, 4)


def _ice_cream() -> Pen:
    return Pen().polygon((16, 30), (48, 30), (32, 63), grey=LIGHT).disc(32, 20, 18, 18)


def _hourglass() -> Pen:
    return (
        Pen()
        .polygon((12, 8), (52, 8), (36, 32), (28, 32))
        .polygon((28, 32), (36, 32), (52, 56), (12, 56))
        .polygon((8, 2), (56, 2), (56, 9), (8, 9), grey=DARK)
        .polygon((8, 55), (56, 55), (56, 62), (8, 62), grey=DARK)
    )


def _words(french: str, plural: str, english: str, english_plural: str = "", feminine: bool = False) -> dict[str, Noun]:
    return {"fr": Noun(french, plural, feminine), "en": Noun(english, english_plural or english + "s")}


def moon(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The left half of a disc of radius 0.92, moved to the middle."""
    x = x - 0.35
    return torch.maximum(torch.hypot(x, y) - 0.92, x)


def sprites() -> Catalogue:
    """Twelve nouns and the eight colours, with combinations held out."""
    drawn = (
        ("cat", _cat, _words("chat", "chats", "cat")),
        ("fish", _fish, _words("poisson", "poissons", "fish", "fish")),
        ("house", _house, _words("maison", "maisons", "house", feminine=True)),
        ("tree", _tree, _words("arbre", "arbres", "tree")),
        ("boat", _boat, _words("bateau", "bateaux", "boat")),
        ("umbrella", _umbrella, _words("parapluie", "parapluies", "umbrella")),
        ("apple", _apple, _words("pomme", "pommes", "apple", feminine=True)),
        ("car", _car, _words("voiture", "voitures", "car", feminine=True)),
        ("mug", _mug, _words("tasse", "tasses", "mug", feminine=True)),
        ("octopus", _octopus, _words("pieuvre", "pieuvres", "octopus", "octopuses", feminine=True)),
        ("ice_cream", _ice_cream, _words("glace", "glaces", "ice cream", "ice creams", feminine=True)),
        ("hourglass", _hourglass, _words("sablier", "sabliers", "hourglass", "hourglasses")),
    )
    names, colours = [name for name, _, _ in drawn], [colour.name for colour in SHAPES.colours]
    return replace(
        SHAPES,
        shapes=tuple(Shape(name, draw().sprite(), words) for name, draw, words in drawn),
        held_out_objects=frozenset((name, colours[(3 * i + 1) % 8]) for i, name in enumerate(names)),
        held_out_relations=frozenset((names[i], "left", names[(i + 5) % 12]) for i in range(12)),
    )


def moons() -> Catalogue:
    """The eight shapes and a moon."""
    words = {"fr": Noun("lune", "lunes", feminine=True), "en": Noun("moon", "moons")}
    return replace(SHAPES, shapes=(*SHAPES.shapes, Shape("moon", SignedDistance(moon), words)))
