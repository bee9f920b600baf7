"""The drawings of the front page: `python book/tools/drawings.py` has each system draw its sentence in each language, into book/shared."""

import json
from pathlib import Path

from PIL import Image

import dalle_edu
from dalle_edu.world.sheet import picture_of

BOOK = Path(__file__).parents[1]
SIDE = 256  # pixels


def main() -> None:
    for drawing in json.loads((BOOK / "front.json").read_text(encoding="utf-8"))["drawings"]:
        system = dalle_edu.load(drawing["system"])
        for language in ("en", "fr"):
            picture = picture_of(system.generate([drawing[language]], seed=drawing.get("seed", 0))[0])
            path = BOOK / "shared" / "drawings" / f"{drawing['system']}.{language}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=85, method=6)
            print(f"→ {path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
