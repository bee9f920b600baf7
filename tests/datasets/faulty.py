"""What the tests of all data sets share: good pictures, bad ones, and a watch over what is opened."""

import io
import os
import stat
import struct
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dalle_edu.datasets import CaptionedDataset, Why

NOT_UTF8 = "été".encode("latin-1")


def picture(width: int = 40, height: int = 30, seed: int = 0, format: str = "PNG", mode: str = "RGB") -> bytes:
    """A picture of coloured noise, as a file."""
    channels = {"RGB": (3,), "RGBA": (4,), "L": ()}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A few bytes that say they are a picture of 2.5 thousand million pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


BAD_PICTURES = {  # the bytes, why they are left out, and what the reader is told of it
    "truncated": (picture()[:-400], Why.DAMAGED, "truncated or damaged"),
    "only a header": (picture()[:20], Why.DAMAGED, "truncated or damaged"),
    "truncated JPEG": (picture(format="JPEG")[:-300], Why.DAMAGED, "truncated or damaged"),
    "empty": (b"", Why.EMPTY, "is empty; fetch or save it again"),
    "a web page": (b"<html>404 not found</html>", Why.FORMAT, "not a picture that can be read here; save it as PNG"),
    "a TIFF": (picture(format="TIFF"), Why.FORMAT, "not a picture that can be read here; save it as PNG"),
    "a bomb": (bomb(), Why.TOO_LARGE, "absurdly large"),
    "a smaller bomb": (bomb(9000, 8000), Why.TOO_LARGE, "absurdly large (9000 x 8000 > 64000000 pixels); make it smaller"),
}


def left_out(dataset: CaptionedDataset) -> list[tuple[str, Why]]:
    return [(item.name, item.why) for item in dataset.report.left_out]


def everything(dataset: CaptionedDataset, workers: int = 0) -> list[tuple[torch.Tensor, str]]:
    """All items of a data set, through a loader."""
    batches = list(DataLoader(dataset, batch_size=4, num_workers=workers))
    return [(image, caption) for images, captions in batches for image, caption in zip(images, captions, strict=True)]


def same(some: list[tuple[torch.Tensor, str]], others: list[tuple[torch.Tensor, str]]) -> bool:
    return len(some) == len(others) and all(a == b and torch.equal(x, y) for (x, a), (y, b) in zip(some, others, strict=True))


_opened: list[str] | None = None


def _watch(event: str, arguments: tuple) -> None:
    if _opened is not None and event in ("open", "os.mkdir", "os.remove", "os.rename", "os.symlink", "os.link"):
        _opened.extend(
            os.fsdecode(a) for a in arguments[:2] if isinstance(a, (str, bytes, os.PathLike)) and a not in ("r", "rb", "w", "wb")
        )


sys.addaudithook(_watch)  # for good: Python knows no way to take one away


@contextmanager
def nothing_touched_but(folder: Path):
    """Fails when a file is opened, made, moved or removed that is neither in the folder nor part of Python and its packages."""
    global _opened
    _opened = []
    own = [folder.resolve(), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), Path(__file__).resolve().parents[2]]
    try:
        yield
    finally:
        touched, _opened = _opened, None
    paths = [Path(os.path.realpath(name)) for name in touched]
    assert paths, "the watch saw nothing"
    strangers = [path for path in paths if path.is_absolute() and not any(path.is_relative_to(place) for place in own)]
    assert [path for path in strangers if not str(path).startswith(("/dev", "/proc", "/sys", "/usr/share/zoneinfo"))] == []


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file under a folder, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else None
        for path in sorted(folder.rglob("*"))
    }
