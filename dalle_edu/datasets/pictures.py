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
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
OTHER_SUFFIXES = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".svg", ".psd", ".eps", ".ico", ".raw", ".pdf")
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


def _to_rgb(image: Any) -> Any:
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel: keep the upper 8
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA"))
    return image
