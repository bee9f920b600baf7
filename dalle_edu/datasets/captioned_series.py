"""The endless series of a data set's pictures that a `DataLoader` takes, and the batches that it makes of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from dalle_edu.datasets.captioned_dataset import CaptionedDataset
from dalle_edu.datasets.epochs import Epochs
from dalle_edu.datasets.source import ENDLESS
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class Spoilt:
    """An item that could not be read, with the sentence that says why. Raised in a worker, an error would arrive as its traceback."""

    sentence: str


Item = tuple[UInt8[Tensor, "3 h w"], str] | Spoilt


@dataclass(frozen=True)
class CaptionedBatch:
    """Pictures in 8 bits a channel and their captions. `spoilt` is that which could not be read, if any."""

    pixels: UInt8[Tensor, "n 3 h w"]
    captions: list[str]
    spoilt: Spoilt | None = None

    def images(self, resolution: int, device: torch.device | str = "cpu") -> Float[Tensor, "n 3 h w"]:
        """The pictures, on `device`: (n, 3, resolution, resolution) in [-1, 1]. They travel there in 8 bits.

        Raises `DalleEduError` for a resolution other than that of the data set, and where a picture has become bad since it was opened.
        """
        if self.spoilt is not None:
            raise DalleEduError(self.spoilt.sentence, self.spoilt.sentence)  # in the reader's language already
        own = self.pixels.shape[-1]
        if resolution != own:
            raise DalleEduError(
                f"pictures of {resolution} pixels were asked for, and the data set was opened with {own}; open it with {resolution}",
                f"des images de {resolution} pixels sont demandées, et le jeu de données a été ouvert en {own} ; ouvrez-le en {resolution}",
            )
        return self.pixels.to(device, non_blocking=True).float() / 127.5 - 1


class CaptionedSeries(Dataset[Item]):
    """An endless series of some items of a data set, each once an epoch, with one of its captions; item k depends on `seed` and k alone.

    `items` are their numbers in the data set, and `captions` those of each item of the data set.
    """

    def __init__(self, dataset: CaptionedDataset, items: Sequence[int], captions: Sequence[tuple[str, ...]], seed: int):
        self.dataset, self.items, self.captions, self.seed = dataset, torch.tensor(items), captions, seed
        self.epochs = Epochs(len(items), seed)

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, index: int) -> Item:
        """A picture in 8 bits and one of its captions, or what says why it cannot be read. Raises `IndexError` below 0 and past the end."""
        if not 0 <= index < ENDLESS:
            raise IndexError(f"item {index} of a series from 0 on")
        item = int(self.items[self.epochs[index]])
        captions = self.captions[item]
        caption = captions[int(random.Random(f"{self.seed}:{index}:caption").random() * len(captions))]
        try:
            return self.dataset.pixels(item), caption
        except DalleEduError as error:
            return Spoilt(str(error))

    def collate(self, items: Sequence[Item]) -> CaptionedBatch:
        """Put items together in a batch: the `collate_fn` of a `DataLoader`."""
        return batch_of(items, self.dataset.resolution)


def batch_of(items: Sequence[Item], resolution: int) -> CaptionedBatch:
    """A batch of items, of any number; where one is spoilt, the batch holds the others, and says so when its pictures are asked for."""
    sound = [item for item in items if not isinstance(item, Spoilt)]
    pixels = torch.stack([pixels for pixels, _ in sound]) if sound else torch.empty(0, 3, resolution, resolution, dtype=torch.uint8)
    return CaptionedBatch(pixels, [caption for _, caption in sound], next((item for item in items if isinstance(item, Spoilt)), None))
