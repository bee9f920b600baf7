"""What the drawings of the picture book share: a pen with coordinates of its own, colours, and what surrounds a subject."""

import random
from dataclasses import dataclass

from PIL import ImageDraw

SIDE, FINE = 64, 4  # pixels of a picture on a side, and how many times finer it is drawn
SKIES = ("#bfe3f5", "#fde2c4", "#d9f0dc", "#f6d5e0", "#e5defa", "#fff3bf")
NIGHTS = ("#1d2951", "#2b2350", "#143049", "#322a4b")
GRASS = ("#7fbf6a", "#98c25d", "#5fae7c", "#b1c96a")
SEAS = ("#3f8fbf", "#2f7fa8", "#4aa3b8", "#5b83c4")
WALLS = ("#f2dcc2", "#dfe8d8", "#e9d8e8", "#d7e6ee")
GAY = ("#e4572e", "#f3a712", "#3c91e6", "#8f5bc9", "#e86a92", "#2a9d8f")
INK, WHITE, YELLOW, RED, ORANGE, BROWN = "#33302c", "#ffffff", "#ffd23f", "#d62f3c", "#f58a25", "#7a4b2a"

Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """Draws in coordinates of its own: (0, 0) is `centre` and 1 is `size`, both in parts of the picture's side; y points down."""

    draw: ImageDraw.ImageDraw
    centre: Point = (0.0, 0.0)
    size: float = 1.0

    def at(self, x: float, y: float, size: float) -> "Pen":
        return Pen(self.draw, (x, y), size)

    def _pixels(self, *points: Point) -> list[Point]:
        (x0, y0), scale = self.centre, SIDE * FINE
        return [((x0 + x * self.size) * scale, (y0 + y * self.size) * scale) for x, y in points]

    def shape(self, colour: str, *points: Point) -> None:
        self.draw.polygon(self._pixels(*points), fill=colour)

    def box(self, colour: str, left: float, top: float, right: float, bottom: float, round_: float = 0.0) -> None:
        radius = round_ * self.size * SIDE * FINE
        self.draw.rounded_rectangle(self._pixels((left, top), (right, bottom)), radius, fill=colour)

    def disc(self, colour: str, x: float, y: float, rx: float, ry: float | None = None) -> None:
        ry = rx if ry is None else ry
        self.draw.ellipse(self._pixels((x - rx, y - ry), (x + rx, y + ry)), fill=colour)

    def pie(self, colour: str, x: float, y: float, rx: float, ry: float, start: float, end: float) -> None:
        self.draw.pieslice(self._pixels((x - rx, y - ry), (x + rx, y + ry)), start, end, fill=colour)

    def stroke(self, colour: str, width: float, *points: Point) -> None:
        self.draw.line(self._pixels(*points), fill=colour, width=max(1, round(width * self.size * SIDE * FINE)), joint="curve")


# ------------------------------------------------------------- what surrounds


def ground(pen: Pen, rng: random.Random, horizon: float = 0.72) -> float:
    """A sky, sometimes a cloud, and grass. Returns the height of the horizon."""
    horizon += rng.uniform(-0.05, 0.05)
    pen.box(rng.choice(SKIES), 0, 0, 1, 1)
    if rng.random() < 0.6:
        cloud(pen.at(rng.uniform(0.15, 0.85), rng.uniform(0.08, 0.18), rng.uniform(0.07, 0.1)))
    pen.box(rng.choice(GRASS), 0, horizon, 1, 1)
    return horizon


def night(pen: Pen, rng: random.Random, moon: bool = False) -> None:
    pen.box(rng.choice(NIGHTS), 0, 0, 1, 1)
    for _ in range(9):
        pen.disc("#fff6cf", rng.random(), rng.uniform(0, 0.6), 0.012)
    if moon:
        x, y = rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.2)
        pen.disc("#f7eec3", x, y, 0.1)


def sea(pen: Pen, rng: random.Random, top: float) -> None:
    colour = rng.choice(SEAS)
    pen.box(colour, 0, top, 1, 1)
    phase = rng.random()
    for row in range(3):
        y = top + 0.02 + 0.11 * row
        for k in range(-1, 7):
            x = (k + phase + row / 2) / 6
            pen.draw.arc(pen._pixels((x - 0.09, y - 0.045), (x + 0.09, y + 0.045)), 200, 340, fill="#cfe9f2", width=5)


def wall(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(WALLS), 0, 0, 1, 1)
    pen.box(rng.choice(("#b98a5e", "#a2765b", "#8d9db6", "#c9a27e")), 0, 0.8, 1, 1)


def cloud(pen: Pen, colour: str = WHITE) -> None:
    for x, y, r in ((-1.1, 0.2, 0.6), (0, -0.1, 0.9), (1.1, 0.2, 0.65)):
        pen.disc(colour, x, y, r)
    pen.box(colour, -1.5, 0.2, 1.6, 0.82, 0.3)


def smoke(pen: Pen, rng: random.Random, x: float, y: float, colour: str = "#f4f4f4") -> None:
    lean = rng.choice((-1, 1))
    for k in range(4):
        pen.disc(colour, x + lean * 0.12 * k * (1 + 0.3 * k), y - 0.3 * k, 0.14 + 0.06 * k)
