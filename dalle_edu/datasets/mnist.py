"""MNIST (LeCun, Cortes & Burges 1998): 70,000 handwritten digits, read by torchvision, with captions.

The pictures are white on black and 28 x 28; the data set gives them in three equal channels at any resolution. Captions name the digit in
English or in French.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair, check_range
from dalle_edu.datasets.digits import captions_of_digit
from dalle_edu.datasets.pictures import fit
from dalle_edu.datasets.places import existing_folder, file_inside, inside, verify
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.download import Remote, by_hand, fetch, size_in_words, tell
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside

BYTES = {  # torchvision gives the addresses and the MD5 of the files, not their sizes
    "train-images-idx3-ubyte.gz": 9_912_422,
    "train-labels-idx1-ubyte.gz": 28_881,
    "t10k-images-idx3-ubyte.gz": 1_648_877,
    "t10k-labels-idx1-ubyte.gz": 4_542,
}


class MNIST(CaptionedDataset):
    """The digits of `split` "train" (60,000) or "test" (10,000), with captions: arguments and items as in `CaptionedDataset`.

    The files are those of torchvision, in `folder/MNIST/raw`. With `download`, missing files are fetched (11.6 MB for all four). Their size
    is first passed to `say`, which writes to stderr by default. Compressed files that were put there by hand are verified and unpacked.
    Raises `DalleEduError` as `CaptionedDataset` does, for another split, and where files are missing or differ from those published.
    """

    EXPECTED = (
        "the four files of MNIST in MNIST/raw; download=True fetches them (11.6 MB)",
        "les quatre fichiers de MNIST dans MNIST/raw ; download=True les télécharge (11,6 Mo)",
    )

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        resolution: int = 32,
        *,
        download: bool = False,
        seed: int = 0,
        first: int | None = None,
        keep: int = 0,
        say: Callable[[str], object] = tell,
    ):
        """Open a split, fetching it first where `download` allows. Raises `DalleEduError` as the class says."""
        if split not in ("train", "test"):
            raise DalleEduError(
                f'the split is "{split}"; MNIST has "train" and "test"',
                f"la partie est « {split} » ; MNIST a « train » et « test »",
            )
        check_range(resolution, first)
        self._prefix = "train" if split == "train" else "t10k"
        _fetch_what_is_missing(existing_folder(folder, make=download), self._prefix, download, say)
        super().__init__(folder, resolution, seed, every_caption=False, first=first, keep=keep)

    @property
    def name(self) -> str:
        """What the data set is called on screen."""
        return f"mnist {'train' if self._prefix == 'train' else 'test'}"

    def find(self) -> Iterator[Pair]:
        """Yield the digits in the order of the files, each with one caption in English and one in French."""
        self._images = self._read("images-idx3", dimensions=3)
        labels = self._read("labels-idx1", dimensions=1).tolist()
        for i in range(max(len(self._images), len(labels))):
            name = f"{self._prefix}[{i}]"
            if i >= len(labels) or i >= len(self._images):
                self.report.leave_out(name, Unusable(Why.NO_CAPTION if i >= len(labels) else Why.NO_PICTURE))
            elif not 0 <= labels[i] <= 9:
                self.report.leave_out(name, Unusable(Why.LABEL, str(labels[i])))
            else:
                yield Pair(name, captions_of_digit(labels[i]), i)

    def examine(self, pair: Pair) -> None:
        """Do nothing: `find` has read the files, and any pixels make a picture."""

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The digit of a pair, in [-1, 1], in three equal channels."""
        from PIL import Image

        return fit(Image.fromarray(self._images[pair.place].numpy()), self.resolution)

    def _read(self, kind: str, dimensions: int) -> Tensor:
        """All pictures or all labels. Raises nothing: a bad file gives none and is reported."""
        from torchvision.datasets.mnist import read_image_file, read_label_file

        name = f"MNIST/raw/{self._prefix}-{kind}-ubyte"
        try:
            path = file_inside(self.folder, name)
            try:
                return read_image_file(str(path)) if dimensions == 3 else read_label_file(str(path))
            except Exception as error:  # torchvision reads a damaged file with errors of many kinds
                raise Unusable(Why.DAMAGED) from error
        except Unusable as fault:
            self.report.leave_out(name, fault)
            return torch.empty(0, 28, 28, dtype=torch.uint8) if dimensions == 3 else torch.empty(0, dtype=torch.long)


def remote_files(folder: Path) -> list[Remote]:
    """The four compressed files of MNIST, with the addresses and MD5 sums of torchvision."""
    from torchvision.datasets import MNIST as Torchvision

    raw = folder / "MNIST" / "raw"
    return [Remote(Torchvision.mirrors[0] + name, raw / name, BYTES[name], "md5", md5) for name, md5 in Torchvision.resources]


def _fetch_what_is_missing(folder: Path, prefix: str, download: bool, say: Any) -> None:
    """Fetch, verify and unpack the files of a split where needed. Raises `DalleEduError` where one is missing or bad."""
    try:
        inside(folder, "MNIST/raw")
    except Unusable as fault:
        raise fault.of(folder / "MNIST/raw") from fault
    wanted = [remote for remote in remote_files(folder) if remote.path.name.startswith(prefix) or download]
    wanted = [remote for remote in wanted if not remote.path.with_suffix("").exists()]
    absent = [remote for remote in wanted if not remote.path.exists()]
    if absent and not download:
        en, fr = by_hand(absent)
        total = sum(BYTES.values())
        raise DalleEduError(
            f"MNIST is not in {folder}; add download=True ({size_in_words(total, 'en')}), or {en}",
            f"MNIST n'est pas dans {folder} ; ajoutez download=True ({size_in_words(total, 'fr')}), ou {fr}",
        )
    fetch(absent, say)
    for remote in wanted:
        verify(folder, remote)
        _unpack(remote.path)


def _unpack(path: Path) -> None:
    contents = gzip.decompress(path.read_bytes())
    write_aside(path.with_suffix(""), lambda file: file.write(contents))
