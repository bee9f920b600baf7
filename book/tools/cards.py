"""The pictures that stand for the book where it is shared: `python book/tools/cards.py` lays the front page's drawings out, 1200 by 630."""

import json
from pathlib import Path

from PIL import Image, ImageDraw

from dalle_edu.language import typeset
from dalle_edu.world.sheet import _font, _wrapped

BOOK = Path(__file__).parents[1]
TITLES = {"en": "DALL·E, from the perceptron to the picture", "fr": "DALL·E, du perceptron à l'image"}
SIDE, GAP = 256, 35


def main() -> None:
    front = json.loads((BOOK / "front.json").read_text(encoding="utf-8"))
    for language, title in TITLES.items():
        card = Image.new("RGB", (1200, 630), "white")
        pen = ImageDraw.Draw(card)
        pen.text((GAP, 40), title, fill="#111", font=_font(46))
        said = front["sentence"][language]
        pen.text((GAP, 112), typeset(said) if language == "fr" else said, fill="#333", font=_font(26))
        for place, drawing in enumerate(front["drawings"]):
            left, top = GAP + place * (SIDE + GAP), 190
            picture = Image.open(BOOK / "shared" / "drawings" / f"{drawing['system']}.{language}.webp")
            card.paste(picture, (left, top))
            pen.rectangle((left - 1, top - 1, left + SIDE, top + SIDE), outline="#ccc")
            for row, line in enumerate(_wrapped(drawing[language], _font(24), SIDE)):
                pen.text((left, top + SIDE + 14 + 32 * row), line, fill="#111", font=_font(24))
        path = BOOK / "shared" / "cards" / f"{language}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        card.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"→ {path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
