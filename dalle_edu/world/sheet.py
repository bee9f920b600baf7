"""Picture sheets: a grid of pictures, each above its caption, as one image; PNG and GIF files."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside

_INK, _PAPER, _FRAME = (34, 34, 34), (255, 255, 255), (205, 205, 205)


def picture_sheet(images: Float[Tensor, "n 3 h w"], captions: Sequence[str], columns: int = 4, tile: int = 192) -> Image.Image:
    """Lay pictures in [-1, 1] out in rows of `columns`, each scaled to `tile` pixels on a side, with its caption below.

    Raises `DalleEduError` where the numbers of pictures and captions differ, and where matplotlib, whose font is used, is missing.
    """
    if len(images) != len(captions):
        raise DalleEduError(
            f"{len(images)} pictures came with {len(captions)} captions; a sheet takes one for each",
            f"{len(images)} images sont venues avec {len(captions)} légendes ; une planche en prend une par image",
        )
    font = _font(caption_size(tile))
    wrapped = [_wrapped(text, font, tile) for text in captions]
    line_height, gap = int(font.size * 1.3), max(8, tile // 16)
    text_height = line_height * max((len(lines) for lines in wrapped), default=0)
    columns = max(1, min(columns, len(images)))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * (tile + gap) + gap, rows * (tile + text_height + gap) + gap), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pixels = as_pixels(images)
    for i, (picture, lines) in enumerate(zip(pixels, wrapped, strict=True)):
        left = gap + (i % columns) * (tile + gap)
        top = gap + (i // columns) * (tile + text_height + gap)
        shrink = picture.shape[0] > tile
        sheet.paste(
            Image.fromarray(picture).resize((tile, tile), Image.Resampling.LANCZOS if shrink else Image.Resampling.NEAREST), (left, top)
        )
        pen.rectangle((left - 1, top - 1, left + tile, top + tile), outline=_FRAME)
        for row, line in enumerate(lines):
            pen.text((left, top + tile + 3 + row * line_height), line, fill=_INK, font=font)
    return sheet


def caption_size(tile: int = 192) -> int:
    """The size in pixels of the captions of a sheet whose pictures are `tile` pixels wide."""
    return max(11, 3 * tile // 32)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """A text wrapped in lines of at most `width` pixels; a word longer than that has a line of its own."""
    lines: list[str] = []
    for word in filter(None, text.split(" ")):
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def as_pixels(images: Float[Tensor, "n 3 h w"]) -> Any:
    """Pictures in [-1, 1] as a NumPy array of bytes, (n, h, w, 3) in 0 to 255, for Pillow."""
    return ((images.detach().float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def picture_of(image: Float[Tensor, "3 h w"]) -> Image.Image:
    """A picture in [-1, 1] as a Pillow image of the same size."""
    return Image.fromarray(as_pixels(image.unsqueeze(0))[0])


def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which has every French letter and comes with matplotlib; `size` in pixels.

    The file is found without importing matplotlib, which takes long. Raises `DalleEduError` where matplotlib is missing.
    """
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise DalleEduError(
            "matplotlib is missing and its fonts with it; install it with: pip install matplotlib",
            "matplotlib manque, et ses polices avec lui ; installez-le : pip install matplotlib",
        )
    return ImageFont.truetype(Path(package.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf", size)


def save_picture(picture: Image.Image, path: str | Path) -> None:
    """Write a PNG atomically: into another file, then renamed. Raises `DalleEduError` where the name does not end in .png."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise not_png(path)
    write_aside(path, lambda file: picture.save(file, format="PNG"))


def save_animation(frames: Float[Tensor, "n 3 h w"], path: str | Path, tile: int = 192, seconds: float = 0.25) -> None:
    """Write pictures in [-1, 1] atomically as a GIF that repeats, `tile` pixels on a side, each shown for `seconds`."""
    pixels = as_pixels(frames)
    first, *others = (Image.fromarray(picture).resize((tile, tile), Image.Resampling.NEAREST) for picture in pixels)
    duration = round(1000 * seconds)
    write_aside(path, lambda file: first.save(file, format="GIF", save_all=True, append_images=others, duration=duration, loop=0))


def not_png(path: Path) -> DalleEduError:
    """The error to raise for a picture whose name does not end in .png."""
    return DalleEduError(
        f'pictures are written as PNG and the file is "{path.name}"; end its name in .png',
        f"les images s'écrivent en PNG et le fichier est « {path.name} » ; terminez son nom par .png",
    )
