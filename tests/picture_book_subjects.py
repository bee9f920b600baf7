"""The subjects of the picture book: each function draws one, at a random place, in random colours where its caption names none."""

import random
from math import cos, pi, sin

from picture_book_scenery import (
    BROWN,
    GAY,
    INK,
    ORANGE,
    RED,
    SEAS,
    SKIES,
    WHITE,
    YELLOW,
    Pen,
    cloud,
    ground,
    night,
    sea,
    smoke,
    wall,
)


def house(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng)
    size = rng.uniform(0.25, 0.32)
    home = pen.at(rng.uniform(0.38, 0.62), horizon - 0.7 * size, size)
    home.box("#a8402f", 0.35, -1.2, 0.62, -0.5)
    smoke(home, rng, 0.48, -1.35)
    home.box(rng.choice(("#f6ead2", "#ffe0b5", "#e8eef2")), -0.8, -0.4, 0.8, 0.85)
    home.shape("#b5382d", (-1.05, -0.35), (0, -1.2), (1.05, -0.35))
    home.box(rng.choice(GAY), -0.2, 0.2, 0.2, 0.85)
    for x in (-0.55, 0.5):
        home.box("#6fb7de", x - 0.18, -0.1, x + 0.18, 0.25)


def sailing_boat(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(SKIES), 0, 0, 1, 1)
    top, size = rng.uniform(0.62, 0.7), rng.uniform(0.3, 0.38)
    if rng.random() < 0.5:
        cloud(pen.at(rng.uniform(0.12, 0.88), 0.12, 0.07))
    boat = pen.at(rng.uniform(0.38, 0.62), top + 0.02, size)
    boat.stroke(BROWN, 0.07, (0, 0), (0, -1.55))
    boat.shape(WHITE, (0.08, -1.5), (0.08, -0.22), (0.85, -0.22))
    boat.shape("#f4e3c0", (-0.08, -1.3), (-0.08, -0.22), (-0.65, -0.22))
    boat.shape(RED, (-0.95, -0.12), (0.95, -0.12), (0.62, 0.35), (-0.65, 0.35))
    sea(pen, rng, top + 0.06)


def sun_and_hills(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(("#ffd9a0", "#fbc9a8", "#ffe6a8", "#f9c6c9")), 0, 0, 1, 1)
    x, y, r = rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.48), rng.uniform(0.17, 0.22)
    for k in range(12):
        a = 2 * pi * k / 12
        pen.stroke("#fff0a6", 0.025, (x, y), (x + 1.7 * r * cos(a), y + 1.7 * r * sin(a)))
    pen.disc("#ffb52e", x, y, r)
    pen.disc("#4f9d69", rng.uniform(0.0, 0.2), 1.05, 0.6, 0.48)
    pen.disc("#6bb05d", rng.uniform(0.75, 1.0), 1.1, 0.65, 0.56)


def fish_bowl(pen: Pen, rng: random.Random) -> None:
    wall(pen, rng)
    size = rng.uniform(0.3, 0.36)
    bowl = pen.at(rng.uniform(0.4, 0.6), 0.85 - size, size)
    bowl.disc("#eef8fb", 0, 0, 1)
    bowl.pie("#8fd0e6", 0, 0, 0.94, 0.94, -20, 200)
    bowl.box("#eef8fb", -0.6, -1.08, 0.6, -0.88, 0.1)
    bowl.disc("#d9c08a", 0, 0.78, 0.55, 0.14)
    way, y = rng.choice((-1, 1)), rng.uniform(0.05, 0.25)
    bowl.shape(ORANGE, (-way * 0.25, y), (-way * 0.68, y - 0.28), (-way * 0.68, y + 0.28))
    bowl.disc(ORANGE, way * 0.06, y, 0.42, 0.27)
    bowl.disc(WHITE, way * 0.26, y - 0.06, 0.1)
    bowl.disc(INK, way * 0.28, y - 0.06, 0.05)


def umbrella(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(("#9fb2c4", "#a9b0bd", "#92a6ab", "#b3b8c9")), 0, 0, 1, 1)
    pen.box(rng.choice(("#6d7f8c", "#71806f", "#7d7787")), 0, 0.84, 1, 1)
    for _ in range(26):
        x, y = rng.random(), rng.uniform(-0.05, 0.9)
        pen.stroke("#e9f3fa", 0.014, (x, y), (x - 0.03, y + 0.1))
    size = rng.uniform(0.32, 0.4)
    open_ = pen.at(rng.uniform(0.4, 0.6), rng.uniform(0.46, 0.54), size)
    open_.stroke(BROWN, 0.08, (0, -0.9), (0, 0.75), (0.12, 0.9), (0.27, 0.75))
    open_.pie("#ffcf33", 0, 0, 1, 0.95, 180, 360)
    for x in (-2 / 3, 0, 2 / 3):
        open_.pie("#e5a91f", x, 0, 1 / 3, 0.16, 180, 360)
    open_.stroke("#e5a91f", 0.05, (0, -0.94), (-0.33, 0))
    open_.stroke("#e5a91f", 0.05, (0, -0.94), (0.33, 0))


def snowman(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(("#9cc4e4", "#b6b9e3", "#8fb9c9", "#e2b9c8")), 0, 0, 1, 1)
    pen.box("#eef3f8", 0, 0.75, 1, 1)
    for _ in range(14):
        pen.disc(WHITE, rng.random(), rng.uniform(0, 0.75), 0.018)
    size = rng.uniform(0.24, 0.29)
    man = pen.at(rng.uniform(0.38, 0.62), rng.uniform(0.52, 0.56), size)
    for x in (-1, 1):
        man.stroke(BROWN, 0.08, (x * 0.5, 0.15), (x * 1.25, -0.3))
    man.disc(WHITE, 0, 0.65, 0.8)
    man.disc(WHITE, 0, -0.6, 0.55)
    man.box(rng.choice(GAY), -0.5, -0.22, 0.5, 0.02, 0.1)
    man.disc(INK, 0, 0.45, 0.08)
    man.disc(INK, 0, 0.8, 0.08)
    man.disc(INK, -0.2, -0.7, 0.08)
    man.disc(INK, 0.2, -0.7, 0.08)
    man.shape(ORANGE, (0, -0.62), (0.5, -0.5), (0, -0.45))
    man.box(INK, -0.6, -1.1, 0.6, -0.98)
    man.box(INK, -0.36, -1.6, 0.36, -1.0)


def apple_tree(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng, 0.8)
    size = rng.uniform(0.32, 0.38)
    tree = pen.at(rng.uniform(0.42, 0.58), horizon - 0.98 * size, size)
    tree.shape(BROWN, (-0.16, 0.2), (0.16, 0.2), (0.26, 1.1), (-0.26, 1.1))
    green = rng.choice(("#3f8f4e", "#4f9a3f", "#2f7d57"))
    for x, y, r in ((-0.55, 0, 0.5), (0.55, 0, 0.5), (0, -0.5, 0.62), (0, 0.1, 0.55)):
        tree.disc(green, x, y, r)
    for x, y in ((-0.6, 0.05), (-0.2, -0.65), (0.25, -0.3), (0.65, 0.05), (-0.15, 0.1), (0.3, 0.35), (-0.5, -0.35)):
        tree.disc(RED, x + rng.uniform(-0.07, 0.07), y + rng.uniform(-0.07, 0.07), 0.12)


def black_cat(pen: Pen, rng: random.Random) -> None:
    wall(pen, rng)
    size, way = rng.uniform(0.28, 0.33), rng.choice((-1, 1))
    cat = pen.at(rng.uniform(0.42, 0.58), 0.84 - size, size)
    cat.disc(rng.choice(GAY), 0, 1.02, 1.35, 0.22)
    cat.stroke("#2b2a30", 0.2, (way * 0.4, 0.75), (way * 1.0, 0.6), (way * 1.1, 0.1), (way * 0.95, -0.1))
    cat.disc("#2b2a30", 0, 0.5, 0.55, 0.6)
    cat.disc("#2b2a30", 0, -0.4, 0.56, 0.48)
    for x in (-1, 1):
        cat.shape("#2b2a30", (x * 0.54, -0.45), (x * 0.5, -1.15), (x * 0.08, -0.75))
        cat.disc("#c6e35a", x * 0.23, -0.45, 0.13)
        cat.disc(INK, x * 0.23, -0.45, 0.05, 0.11)
        cat.stroke("#e8e8e8", 0.04, (x * 0.2, -0.2), (x * 0.8, -0.1))
        cat.stroke("#e8e8e8", 0.04, (x * 0.2, -0.18), (x * 0.8, -0.28))
    cat.shape("#e86a92", (-0.08, -0.28), (0.08, -0.28), (0, -0.18))


def night_car(pen: Pen, rng: random.Random) -> None:
    night(pen, rng, moon=True)
    pen.box("#4a4a55", 0, 0.76, 1, 1)
    for x in range(5):
        pen.box("#d8d5b0", 0.05 + 0.22 * x, 0.89, 0.15 + 0.22 * x, 0.91)
    size, way = rng.uniform(0.27, 0.33), rng.choice((-1, 1))
    car = pen.at(0.5 - way * rng.uniform(0.06, 0.14), rng.uniform(0.68, 0.73), size)
    car.shape("#f7e89a", (way * 0.95, -0.05), (way * 2.6, -0.3), (way * 2.6, 0.5))
    car.shape(RED, (-0.65, -0.2), (-0.4, -0.72), (0.4, -0.72), (0.65, -0.2))
    car.box(RED, -1.05, -0.25, 1.05, 0.28, 0.12)
    car.shape("#bfe0ee", (-0.46, -0.22), (-0.3, -0.58), (-0.05, -0.58), (-0.05, -0.22))
    car.shape("#bfe0ee", (0.46, -0.22), (0.3, -0.58), (0.05, -0.58), (0.05, -0.22))
    for x in (-0.58, 0.58):
        car.disc("#17171c", x, 0.3, 0.26)
        car.disc("#c8c8cc", x, 0.3, 0.11)


def potted_flower(pen: Pen, rng: random.Random) -> None:
    wall(pen, rng)
    size = rng.uniform(0.3, 0.35)
    plant = pen.at(rng.uniform(0.38, 0.62), 0.88 - 1.1 * size, size)
    lean = rng.uniform(-0.2, 0.2)
    plant.stroke("#3f8f4e", 0.1, (0, 0.5), (lean, -0.6))
    plant.disc("#4f9a3f", -0.3, 0.25, 0.32, 0.14)
    plant.disc("#4f9a3f", 0.32, 0.05, 0.32, 0.14)
    for k in range(6):
        a = 2 * pi * k / 6
        plant.disc("#e86a92", lean + 0.36 * cos(a), -0.75 + 0.36 * sin(a), 0.27)
    plant.disc(YELLOW, lean, -0.75, 0.25)
    plant.shape("#2f62b5", (-0.48, 0.5), (0.48, 0.5), (0.34, 1.1), (-0.34, 1.1))
    plant.box("#3c78d0", -0.56, 0.38, 0.56, 0.58)


def kite(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng, 0.88)
    size, way = rng.uniform(0.24, 0.3), rng.choice((-1, 1))
    toy = pen.at(0.5 + way * rng.uniform(0.05, 0.2), rng.uniform(0.3, 0.38), size)
    first, second = rng.sample(GAY, 2)
    start = (-way * 0.35, 1.0)
    toy.stroke("#6a6258", 0.04, start, (-way * 0.6, 1.4), (-way * 1.4, (horizon - toy.centre[1]) / size))
    top, right, left = (way * 0.3, -1.0), (0.72, -0.05), (-0.72, -0.25)
    toy.shape(first, top, right, start, left)
    toy.shape(second, top, right, (0, -0.15))
    toy.shape(second, start, left, (0, -0.15))
    for k in range(3):
        x, y = -way * (0.45 + 0.2 * k), 1.25 + 0.3 * k
        toy.shape(rng.choice((first, second)), (x - 0.2, y - 0.12), (x + 0.2, y + 0.12), (x + 0.2, y - 0.12), (x - 0.2, y + 0.12))


def rocket(pen: Pen, rng: random.Random) -> None:
    night(pen, rng)
    size = rng.uniform(0.27, 0.32)
    ship = pen.at(rng.uniform(0.35, 0.65), rng.uniform(0.4, 0.48), size)
    if rng.random() < 0.7:
        pen.disc(rng.choice(GAY), rng.choice((0.1, 0.9)), rng.uniform(0.1, 0.25), 0.08)
    ship.shape(ORANGE, (-0.3, 0.75), (0.3, 0.75), (0.12, 1.5), (0, 1.75), (-0.12, 1.5))
    ship.shape(YELLOW, (-0.17, 0.75), (0.17, 0.75), (0, 1.35))
    ship.shape(RED, (-0.35, 0.2), (-0.8, 0.95), (-0.3, 0.75))
    ship.shape(RED, (0.35, 0.2), (0.8, 0.95), (0.3, 0.75))
    ship.disc("#e9ecef", 0, -0.1, 0.42, 1.1)
    ship.pie(RED, 0, -0.1, 0.42, 1.1, 232, 308)
    ship.box("#9aa3ad", -0.32, 0.62, 0.32, 0.8)
    ship.disc("#4aa3d8", 0, 0.0, 0.2)


def hot_air_balloon(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(SKIES), 0, 0, 1, 1)
    for x in (rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0), rng.uniform(0.4, 0.6)):
        cloud(pen.at(x, rng.uniform(0.86, 0.95), rng.uniform(0.1, 0.13)))
    size = rng.uniform(0.27, 0.32)
    craft = pen.at(rng.uniform(0.38, 0.62), rng.uniform(0.36, 0.42), size)
    first, second = rng.sample(GAY, 2)
    craft.shape(first, (-0.92, 0.3), (0.92, 0.3), (0.24, 1.15), (-0.24, 1.15))
    craft.disc(first, 0, 0, 1)
    craft.disc(second, 0, 0, 0.62, 1)
    craft.shape(second, (-0.55, 0.4), (0.55, 0.4), (0.15, 1.15), (-0.15, 1.15))
    craft.disc(first, 0, 0, 0.22, 1)
    craft.stroke(BROWN, 0.04, (-0.22, 1.15), (-0.2, 1.5))
    craft.stroke(BROWN, 0.04, (0.22, 1.15), (0.2, 1.5))
    craft.box(BROWN, -0.26, 1.42, 0.26, 1.8, 0.05)


def mushroom(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng, 0.74)
    size = rng.uniform(0.3, 0.36)
    cap = pen.at(rng.uniform(0.38, 0.62), horizon - 0.55 * size, size)
    cap.box("#f5e9d3", -0.33, -0.1, 0.33, 0.95, 0.2)
    cap.pie(RED, 0, 0.1, 1.05, 1.0, 180, 360)
    cap.disc("#e8d9bd", 0, 0.1, 1.05, 0.13)
    for x, y, r in ((-0.55, -0.25, 0.16), (0, -0.55, 0.2), (0.55, -0.25, 0.15), (0.05, -0.1, 0.12)):
        cap.disc(WHITE, x + rng.uniform(-0.06, 0.06), y, r)
    dark = rng.choice(("#4c8a3f", "#3f7f58"))
    for x in (-0.8, -0.6, 0.55, 0.85):
        cap.shape(dark, (x - 0.09, 1.0), (x + 0.09, 1.0), (x + rng.uniform(-0.15, 0.15), 0.5))


def stone_bridge(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng, 0.55)
    water = rng.choice(SEAS)
    pen.box(water, 0, 0.76, 1, 1)
    grey, y = rng.choice(("#a9a195", "#9c9aa2", "#b5a48f")), horizon + rng.uniform(-0.02, 0.04)
    pen.shape(grey, (0, y), (0.5, y - 0.13), (1, y), (1, 0.84), (0, 0.84))
    shift = rng.uniform(-0.05, 0.05)
    for x in (0.22 + shift, 0.5 + shift, 0.78 + shift):
        pen.draw.pieslice(pen._pixels((x - 0.11, y + 0.06), (x + 0.11, y + 0.42)), 180, 360, fill=water)
        pen.draw.rectangle(pen._pixels((x - 0.11, y + 0.24), (x + 0.11, 0.85)), fill=water)
    pen.stroke("#77706a", 0.03, (0, y), (0.5, y - 0.13), (1, y))
    pen.box("#cfe9f2", 0.1, 0.92, 0.3, 0.935)
    pen.box("#cfe9f2", 0.6, 0.9, 0.85, 0.915)


def lighthouse(pen: Pen, rng: random.Random) -> None:
    night(pen, rng)
    size, x = rng.uniform(0.28, 0.33), rng.uniform(0.35, 0.65)
    top = 0.9 - 1.95 * size
    for way in (-1, 1):
        pen.shape("#f5e59a", (x, top), (x + way * 1.0, top - 0.16), (x + way * 1.0, top + 0.16))
    tower = pen.at(x, 0.9 - size, size)
    tower.shape(WHITE, (-0.28, -0.75), (0.28, -0.75), (0.45, 1), (-0.45, 1))
    tower.shape(RED, (-0.31, -0.4), (0.31, -0.4), (0.36, 0.05), (-0.36, 0.05))
    tower.shape(RED, (-0.4, 0.45), (0.4, 0.45), (0.45, 0.9), (-0.45, 0.9))
    tower.box("#ffe97a", -0.2, -1.12, 0.2, -0.75)
    tower.shape("#c0392b", (-0.32, -1.1), (0.32, -1.1), (0, -1.5))
    pen.box(rng.choice(("#16425b", "#1f4e6b", "#27496d")), 0, 0.87, 1, 1)


def birthday_cake(pen: Pen, rng: random.Random) -> None:
    wall(pen, rng)
    size = rng.uniform(0.3, 0.35)
    cake = pen.at(rng.uniform(0.42, 0.58), 0.84 - 0.6 * size, size)
    cake.disc(WHITE, 0, 0.62, 1.25, 0.16)
    dough, icing = rng.choice(("#e8b98a", "#8a5a3b", "#f2d0a0")), rng.choice(("#f7b5c8", "#fff0e0", "#bfe3d0"))
    cake.box(dough, -0.95, -0.1, 0.95, 0.62, 0.08)
    cake.box(icing, -0.95, -0.3, 0.95, 0.08, 0.1)
    for k in range(5):
        cake.disc(icing, -0.76 + 0.38 * k, 0.08, 0.17)
    number = rng.randint(3, 5)
    for k in range(number):
        x = -0.65 + 1.3 * k / (number - 1)
        cake.box(GAY[(k + number) % 6], x - 0.07, -0.85, x + 0.07, -0.3)
        cake.disc("#ff9f1c", x, -1.02, 0.11, 0.18)
        cake.disc("#fff1a8", x, -0.98, 0.05, 0.09)


def wall_clock(pen: Pen, rng: random.Random) -> None:
    wall(pen, rng)
    size = rng.uniform(0.28, 0.34)
    face = pen.at(rng.uniform(0.4, 0.6), rng.uniform(0.38, 0.45), size)
    face.disc(rng.choice(GAY), 0, 0, 1.05)
    face.disc("#fffdf5", 0, 0, 0.85)
    for k in range(12):
        a = 2 * pi * k / 12
        face.disc(INK, 0.7 * cos(a), 0.7 * sin(a), 0.06 if k % 3 else 0.09)
    for length, angle in ((0.42, -150 + rng.uniform(-4, 4)), (0.62, -30 + rng.uniform(-10, 10))):
        a = angle * pi / 180
        face.stroke(INK, 0.11, (0, 0), (length * cos(a), length * sin(a)))
    face.disc(INK, 0, 0, 0.1)


def little_train(pen: Pen, rng: random.Random) -> None:
    horizon = ground(pen, rng, 0.66)
    rail, size, way = horizon + 0.14, rng.uniform(0.2, 0.24), rng.choice((-1, 1))
    pen.box("#6f5a48", 0, rail, 1, rail + 0.025)
    engine = pen.at(0.5 + way * rng.uniform(0.12, 0.2), rail - 0.45 * size, size)
    body, other = rng.sample(GAY[:5], 2)
    for k in (-1, 1):
        for x in (-0.6, 0.1, 0.75) if k > 0 else (-2.6, -1.9):
            engine.disc(INK, way * x, 0.22, 0.26)
    left, right = sorted((way * -2.9, way * -1.35))
    engine.box(other, left, -0.75, right, 0.12, 0.08)
    for x in (-2.5, -1.8):
        engine.box("#fdf6df", way * x - 0.22, -0.58, way * x + 0.22, -0.22)
    engine.box(INK, min(way * -1.4, way * -0.8), -0.02, max(way * -1.4, way * -0.8), 0.1)
    left, right = sorted((way * -0.2, way * 1.0))
    engine.box(body, left, -0.6, right, 0.12, 0.12)
    left, right = sorted((way * -0.95, way * -0.1))
    engine.box(body, left, -1.15, right, 0.12, 0.05)
    engine.box("#fdf6df", way * -0.52 - 0.22, -0.95, way * -0.52 + 0.22, -0.55)
    engine.box(INK, way * 0.62 - 0.15, -1.05, way * 0.62 + 0.15, -0.58)
    for k in range(4):
        engine.disc("#f7f7f7", way * (0.6 - 0.45 * k), -1.35 - 0.28 * k, 0.2 + 0.08 * k)


def blue_whale(pen: Pen, rng: random.Random) -> None:
    pen.box(rng.choice(SKIES), 0, 0, 1, 1)
    top, size, way = rng.uniform(0.7, 0.76), rng.uniform(0.3, 0.35), rng.choice((-1, 1))
    whale = pen.at(0.5 + way * rng.uniform(0.0, 0.08), top - 0.05, size)
    for x in (-1, 1):
        whale.stroke(
            "#4fa8d8", 0.1, (way * 0.3, -0.65), (way * 0.3 + x * 0.12, -1.15), (way * 0.3 + x * 0.4, -1.3), (way * 0.3 + x * 0.52, -1.05)
        )
    tail = (-way * 1.25, -0.75)
    whale.shape("#2456a6", (-way * 0.75, 0.2), tail, (-way * 1.0, 0.55))
    whale.shape("#2456a6", tail, (tail[0] - way * 0.4, -1.05), (tail[0] + way * 0.05, -0.55))
    whale.shape("#2456a6", tail, (tail[0] + way * 0.35, -1.15), (tail[0] + way * 0.1, -0.6))
    whale.disc("#2456a6", 0, 0.15, 1.1, 0.78)
    whale.disc("#dbe9f4", way * 0.25, 0.55, 0.8, 0.34)
    whale.disc(WHITE, way * 0.62, 0.0, 0.12)
    whale.disc(INK, way * 0.64, 0.0, 0.07)
    sea(pen, rng, top + 0.1)
