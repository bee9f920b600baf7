"""Decoding picture files from untrusted sources into tensors.

Letters: h = w pixels on a side.
"""

import io
import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.datasets.report import Unusable, Why

FORMATS = {"PNG": b"\x89PNG", "JPEG": b"\xff\xd8\xff", "WEBP": b"RIFF", "GIF": b"GIF8", "BMP": b"BM"}  # and the first bytes of each
SUFFIXES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib")
OTHER_SUFFIXES = (
    *(".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".svg", ".psd", ".eps", ".ico", ".raw", ".pdf"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".exr", ".xcf"),
)
MAX_PIXELS = 64_000_000
MAX_BYTES = 256_000_000


def decode(data: bytes, resolution: int) -> Float[Tensor, "3 h w"]:
    """Decode a picture file: the square at its centre, scaled to `resolution` pixels on a side, in [-1, 1].

    Transparency becomes white, as the world's canvases are. The orientation in EXIF is applied. Raises `Unusable` where the data is empty,
    damaged, of another format, or has more than `MAX_PIXELS` pixels, which is checked before decoding.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise Unusable(Why.EMPTY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large pictures, refused below, and of harmless oddities
        try:
            image: Any = Image.open(io.BytesIO(data), formats=tuple(FORMATS))
            if image.width * image.height > MAX_PIXELS:
                raise Unusable(Why.TOO_LARGE, f"{image.width} x {image.height} > {MAX_PIXELS} pixels")
            _scale_transparent_shade(image, data)
            image.draft(None, (2 * resolution, 2 * resolution))  # decode a JPEG at a reduced size where possible, which saves time
            return fit(_to_rgb(ImageOps.exif_transpose(image)), resolution)
        except Unusable:
            raise
        except Image.DecompressionBombError as error:
            raise Unusable(Why.TOO_LARGE, f"> {MAX_PIXELS} pixels") from error
        except UnidentifiedImageError as error:
            begun = data.startswith(tuple(FORMATS.values()))
            raise Unusable(Why.DAMAGED if begun else Why.FORMAT) from error
        except Exception as error:  # decoders raise errors of many kinds, from struct.error to MemoryError
            raise Unusable(Why.DAMAGED) from error


def fit(image: Any, resolution: int) -> Float[Tensor, "3 h w"]:
    """The square at the centre of a Pillow image, `resolution` pixels on a side, in [-1, 1].

    The square is cut and scaled in one step, bicubically and anti-aliased, so that a strip of 1 x 100,000 pixels costs no more than another
    picture.
    """
    from PIL import Image

    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    square = image.convert("RGB").resize((resolution, resolution), Image.Resampling.BICUBIC, box=box)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).float() / 127.5 - 1


def _scale_transparent_shade(image: Any, data: bytes) -> None:
    """Give the shade or colour that a PNG declares transparent (its chunk tRNS) the depth that pixels have after decoding, 8 bits.

    Pillow leaves it as the file has it: 3 where a pixel of 2 bits becomes 255, and 40000 where a channel of 16 bits keeps its upper 8.
    """
    shade = image.info.get("transparency")
    if image.format != "PNG" or isinstance(shade, bytes | None):  # bytes are the transparency of a palette, which needs nothing
        return
    depth = data[24]  # in the chunk IHDR, which comes first
    if isinstance(shade, tuple):
        image.info["transparency"] = tuple(value >> 8 if depth == 16 else value for value in shade)
    elif depth < 8:
        image.info["transparency"] = shade * (255 // (2**depth - 1))


def _to_rgb(image: Any) -> Any:
    """The picture in 8 bits a channel, on white where it is transparent."""
    from PIL import Image

    if image.mode.startswith("I"):  # grey of 16 bits: keep the upper 8
        grey, shade = np.asarray(image), image.info.get("transparency", -1)
        return Image.fromarray(np.where(grey == shade, 255, grey >> 8).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA"))
    return image
