"""A picture book: 240 small pictures with captions as people write them, drawn with Pillow alone, for the tests of training on a folder.

Neither the renderer of the world nor its grammar has a part in it: 20 subjects, each with one free caption, in English or in French. Where
things stand, how large they are and what colours surround them is different in each picture.
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import picture_book_subjects as draws
from picture_book_scenery import FINE, SIDE, WHITE, Pen
from PIL import Image, ImageDraw

SUBJECTS: dict[str, Callable[[Pen, random.Random], None]] = {
    "a little house with smoke rising from its chimney": draws.house,
    "un voilier rouge sur les vagues": draws.sailing_boat,
    "the sun comes up behind green hills": draws.sun_and_hills,
    "un poisson orange dans son bocal": draws.fish_bowl,
    "a yellow umbrella out in the rain": draws.umbrella,
    "le bonhomme de neige a mis son écharpe": draws.snowman,
    "an old tree full of apples": draws.apple_tree,
    "un chat noir assis sur le tapis": draws.black_cat,
    "a red car drives home under the moon": draws.night_car,
    "une fleur rose dans un pot bleu": draws.potted_flower,
    "a kite high up in the wind": draws.kite,
    "la fusée part vers les étoiles": draws.rocket,
    "a hot-air balloon above the clouds": draws.hot_air_balloon,
    "un champignon à pois blancs": draws.mushroom,
    "an old stone bridge over the river": draws.stone_bridge,
    "le phare éclaire la mer, la nuit": draws.lighthouse,
    "a birthday cake with its candles": draws.birthday_cake,
    "il est dix heures dix à l'horloge": draws.wall_clock,
    "the little train puffs through a meadow": draws.little_train,
    "une baleine bleue crache de l'eau": draws.blue_whale,
}
CAPTIONS = tuple(SUBJECTS)


def page(index: int, seed: int = 0) -> tuple[Image.Image, str]:
    """Picture number `index` of the book, 64 x 64 pixels in RGB, and its caption; subject follows subject."""
    caption, draw = list(SUBJECTS.items())[index % len(SUBJECTS)]
    picture = Image.new("RGB", (SIDE * FINE, SIDE * FINE))
    draw(Pen(ImageDraw.Draw(picture)), random.Random(f"{seed}:{index}"))
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), caption


def write_picture_book(folder: Path, n: int = 240, seed: int = 0) -> list[str]:
    """Write `n` pictures as 000.png, 001.png and so on, each with its caption in a .txt beside it. Returns the captions in order."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = []
    for index in range(n):
        picture, caption = page(index, seed)
        picture.save(folder / f"{index:03d}.png")
        (folder / f"{index:03d}.txt").write_text(caption + "\n", encoding="utf-8")
        captions.append(caption)
    return captions


if __name__ == "__main__":  # a sheet of the book, to look at: python tests/picture_book.py sheet.png
    side = int(sys.argv[2]) if len(sys.argv) > 2 else SIDE
    sheet = Image.new("RGB", (10 * 128, 8 * 128), WHITE)
    for index in range(80):
        tile = page(index)[0].resize((side, side), Image.Resampling.LANCZOS).resize((124, 124), Image.Resampling.NEAREST)
        sheet.paste(tile, (index % 10 * 128 + 2, index // 10 * 128 + 2))
    sheet.save(sys.argv[1])
