"""The base class of data sets of pictures with captions, as a `torch.utils.data.Dataset`.

    pictures = Folder("holidays", resolution=64)
    print(pictures.report)                                # what was left out, why, and what to do
    picture, caption = pictures[0]                        # (3, 64, 64) in [-1, 1], and a sentence
    loader = DataLoader(pictures, batch_size=16, shuffle=True, num_workers=2)

A data set examines every item once, when it opens: it decodes the picture, reads the caption, and leaves bad items out. Good items are then
numbered. An item depends on its number alone, so that each comes once an epoch for any number of workers.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from dalle_edu.datasets.places import existing_folder
from dalle_edu.datasets.report import Report, Unusable, shown
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
    describes those left out. Raises `DalleEduError` where the folder is missing, a number is out of range, or no item is good.
    """

    EXPECTED: tuple[str, str]  # what the folder should hold, in English and in French

    def __init__(self, folder: str | Path, resolution: int, seed: int, every_caption: bool, first: int | None):
        """Open the data set and examine every item. Raises `DalleEduError` as the class says."""
        check_range(resolution, first)
        self.folder, self.resolution, self.seed = existing_folder(folder), resolution, seed
        self.report = Report()
        self.pairs = self._good_pairs(first)
        self.report.good = len(self.pairs)
        if not self.pairs:
            raise self.report.nothing_left(self.folder, *self.EXPECTED)
        if every_caption:
            self.pairs = [replace(pair, captions=(caption,)) for pair in self.pairs for caption in pair.captions]

    @abstractmethod
    def find(self) -> Iterator[Pair]:
        """Yield every picture that has a caption, in a fixed order, and note in `report` what is left out."""

    @abstractmethod
    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair, in [-1, 1]. Raises `Unusable` where it is bad."""

    def examine(self, pair: Pair) -> None:
        """Raise `Unusable` where a pair is bad. The whole picture is decoded, since a truncated file can have a sound header."""
        self.picture(pair)

    def _good_pairs(self, first: int | None) -> list[Pair]:
        pairs, good = list(self.find()), []
        with progress_bar(say("looking at the pictures", "examen des images"), len(pairs)) as bar:
            for number, pair in enumerate(pairs, start=1):
                try:
                    self.examine(pair)
                except Unusable as fault:
                    self.report.leave_out(pair.name, fault)
                else:
                    good.append(pair)
                if len(good) == first:
                    break
                bar.reach(number)
        return good

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, str]:
        """A picture and its caption.

        Raises `IndexError` for an index out of range, and `DalleEduError` where the picture has become bad since the data set opened.
        """
        if not 0 <= index < len(self.pairs):
            raise IndexError(f"item {index} of a data set with {len(self.pairs)} items")
        pair = self.pairs[index]
        try:
            picture = self.picture(pair)
        except Unusable as fault:
            reason_en, _, reason_fr, _ = fault.why.value
            raise DalleEduError(
                f"{shown(pair.name)} was good when the data set opened, and now {reason_en}; open the data set again",
                f"{shown(pair.name)} était bon à l'ouverture du jeu de données, et maintenant {reason_fr} ; ouvrez-le de nouveau",
            ) from fault
        rng = random.Random(f"{self.seed}:{pair.name}".encode(errors="surrogatepass"))  # a name may be no UTF-8, and is bytes to Python
        return picture, pair.captions[int(rng.random() * len(pair.captions))]


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
