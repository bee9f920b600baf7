"""The base class of data sets of pictures with captions, as a `torch.utils.data.Dataset`.

    pictures = Folder("holidays", resolution=64)
    print(pictures.report)                                # what was left out, why, and what to do
    picture, caption = pictures[0]                        # (3, 64, 64) in [-1, 1], and a sentence
    loader = DataLoader(pictures, batch_size=16, shuffle=True, num_workers=2)

A data set examines every item once, when it opens: it decodes the picture, reads the caption, and leaves bad items out. Good items are then
numbered. An item depends on its number alone, so that each comes once an epoch for any number of workers.
"""

import random
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from dalle_edu.datasets.memory import empty_pictures
from dalle_edu.datasets.places import existing_folder
from dalle_edu.datasets.report import Report, Unusable, shown
from dalle_edu.datasets.threads import in_threads
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.progress_bar import progress_bar


@dataclass(frozen=True)
class Pair:
    """A picture and its captions. `name` is its name in reports; `place` is where its data set finds it: a path, an index or an offset."""

    name: str
    captions: tuple[str, ...]
    place: Any


class CaptionedDataset(Dataset[tuple[Tensor, str]], ABC):
    """Items of a picture, (3, resolution, resolution) in [-1, 1], and a caption, read from `folder`.

    `resolution` is 8 to 1024 pixels. One caption of each picture is sampled by `seed` and the picture's name; with `every_caption`, each
    caption makes an item. `first` limits the number of good pictures. `pairs` holds the good ones with all their captions; `report`
    describes those left out. All pictures are kept in memory, in 8 bits a channel, where they take at most `keep` bytes together; others
    are decoded each time. Raises `DalleEduError` where the folder is missing, a number is out of range, or no item is good.
    """

    EXPECTED: tuple[str, str]  # what the folder should hold, in English and in French

    def __init__(self, folder: str | Path, resolution: int, seed: int, every_caption: bool, first: int | None, keep: int = 0):
        """Open the data set and examine every item. Raises `DalleEduError` as the class says."""
        check_range(resolution, first)
        self.folder, self.resolution, self.seed = existing_folder(folder), resolution, seed
        self.report = Report()
        self.kept: UInt8[Tensor, "n 3 h w"] | None = None  # the pictures in memory
        self.sizes: list[int] = []  # of the file of each good picture, in bytes
        self.uniform: list[str] = []  # the names of good pictures of one colour all over, as a picture of one pixel is
        self.pairs = self._good_pairs(first, keep)
        self.report.good = len(self.pairs)
        if not self.pairs:
            raise self.report.nothing_left(self.folder, *self.EXPECTED)
        self._rows = list(range(len(self.pairs)))  # where each item stands in `kept`
        if every_caption:
            self._rows = [row for row, pair in enumerate(self.pairs) for _ in pair.captions]
            self.sizes = [self.sizes[row] for row in self._rows]
            self.pairs = [replace(pair, captions=(caption,)) for pair in self.pairs for caption in pair.captions]

    @property
    def name(self) -> str:
        """What the data set is called on screen."""
        return f"{type(self).__name__.lower()} {shown(self.folder.name)}"

    @abstractmethod
    def find(self) -> Iterator[Pair]:
        """Yield every picture that has a caption, in a fixed order, and note in `report` what is left out."""

    @abstractmethod
    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair, in [-1, 1]. Raises `Unusable` where it is bad. Threads may ask for several at once."""

    def size(self, pair: Pair) -> int:
        """The bytes of the file of a pair's picture; 0 where it has no file of its own. Raises `Unusable` where it is bad."""
        return 0

    def examine(self, pair: Pair) -> Float[Tensor, "3 h w"] | None:
        """Raise `Unusable` where a pair is bad. The whole picture is decoded, since a truncated file can have a sound header.

        Returns the picture, or None where there was no need to decode it.
        """
        return self.picture(pair)

    def _good_pairs(self, first: int | None, keep: int) -> list[Pair]:
        pairs, good = list(self.find()), list[Pair]()
        at_most = min(len(pairs), first or len(pairs))
        if 0 < at_most * 3 * self.resolution**2 <= keep:
            self.kept = empty_pictures(at_most, self.resolution)
        progress = progress_bar(say("looking at the pictures", "examen des images"), len(pairs))
        with progress as bar, warnings.catch_warnings():  # around the threads, which would restore each other's filters
            for number, (pair, seen) in enumerate(zip(pairs, in_threads(self._look, pairs), strict=False), start=1):
                if isinstance(seen, Unusable):
                    self.report.leave_out(pair.name, seen)
                else:
                    self._note(pair, len(good), *seen)
                    good.append(pair)
                if len(good) == first:
                    break
                bar.reach(number)
        if self.kept is not None:
            self.kept = self.kept[: len(good)]
        return good

    def _look(self, pair: Pair) -> tuple[UInt8[Tensor, "3 h w"] | None, int] | Unusable:
        """The picture of a pair in 8 bits, None where there was no need to decode it, and the size of its file; or why the pair is bad."""
        try:
            picture = self.examine(pair) if self.kept is None else self.picture(pair)
            return None if picture is None else _in_8_bits(picture), self.size(pair)
        except Unusable as fault:
            return fault

    def _note(self, pair: Pair, row: int, pixels: UInt8[Tensor, "3 h w"] | None, size: int) -> None:
        """Note what was seen of a good pair, the next row of those kept."""
        self.sizes.append(size)
        if pixels is not None:
            if bool((pixels == pixels[:, :1, :1]).all()):
                self.uniform.append(pair.name)
            if self.kept is not None:
                self.kept[row] = pixels

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, str]:
        """A picture and its caption.

        Raises `IndexError` for an index out of range, and `DalleEduError` where the picture has become bad since the data set opened.
        """
        if not 0 <= index < len(self.pairs):
            raise IndexError(f"item {index} of a data set with {len(self.pairs)} items")
        pair = self.pairs[index]
        picture = self._decoded(pair) if self.kept is None else self.pixels(index).float() / 127.5 - 1
        rng = random.Random(f"{self.seed}:{pair.name}".encode(errors="surrogatepass"))  # a name may be no UTF-8, and is bytes to Python
        return picture, pair.captions[int(rng.random() * len(pair.captions))]

    def pixels(self, index: int) -> UInt8[Tensor, "3 h w"]:
        """The picture of an item in 8 bits a channel, from 0 to 255. Raises `DalleEduError` as an item does."""
        return _in_8_bits(self._decoded(self.pairs[index])) if self.kept is None else self.kept[self._rows[index]]

    def _decoded(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair. Raises `DalleEduError` where it has become bad since the data set opened."""
        try:
            return self.picture(pair)
        except Unusable as fault:
            reason_en, _, reason_fr, _ = fault.why.value
            raise DalleEduError(
                f"{shown(pair.name)} was good when the data set opened, and now {reason_en}; open the data set again",
                f"{shown(pair.name)} était bon à l'ouverture du jeu de données, et maintenant {reason_fr} ; ouvrez-le de nouveau",
            ) from fault

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process: pictures in memory that is not shared stay behind, and are decoded there."""
        shared = self.kept is None or self.kept.is_shared()
        return self.__dict__ if shared else self.__dict__ | {"kept": None}


def _in_8_bits(picture: Float[Tensor, "3 h w"]) -> UInt8[Tensor, "3 h w"]:
    return ((picture + 1) * 127.5).round().to(torch.uint8)


def check_range(resolution: int, first: int | None) -> None:
    """Raise `DalleEduError` for a resolution outside 8 to 1024, or for fewer than one picture."""
    if not 8 <= resolution <= 1024:
        raise DalleEduError(
            f"the resolution is {resolution}; a data set gives pictures of 8 to 1024 pixels, usually 32, 64 or 128",
            f"la résolution est {resolution} ; un jeu de données donne des images de 8 à 1024 pixels, d'ordinaire 32, 64 ou 128",
        )
    if first is not None and first < 1:
        raise DalleEduError(
            f"first is {first}; ask for at least one picture, or leave it out to have them all",
            f"first vaut {first} ; demandez au moins une image, ou omettez-le pour les avoir toutes",
        )
