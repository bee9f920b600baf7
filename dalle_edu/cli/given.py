"""Pictures that a command is given."""

from pathlib import Path
from typing import Any


def contents_of(path: Path) -> bytes:
    """A picture file's bytes. Raises `DalleEduError` for what is no file of at most 256 MB, or cannot be read."""
    from dalle_edu.datasets.pictures import MAX_BYTES
    from dalle_edu.files import read_file

    return read_file(path, MAX_BYTES, "give the path of a picture", "donnez le chemin d'une image")


def decoded(paths: list[Path], contents: list[bytes], resolution: int, n: int) -> Any:
    """Picture files as one batch in [-1, 1], each `n` times. Raises `DalleEduError` for a file that holds no picture."""
    import torch

    from dalle_edu.datasets.pictures import decode
    from dalle_edu.datasets.report import Unusable

    images = []
    for path, data in zip(paths, contents, strict=True):
        try:
            images += [decode(data, resolution)] * n
        except Unusable as unusable:
            raise unusable.of(path) from None
    return torch.stack(images)
