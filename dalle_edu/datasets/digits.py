"""The digits of scikit-learn: 1,797 real handwritten digits that come with the package, so that nothing is downloaded."""

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.errors import DalleEduError

DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
}


def captions_of_digit(label: int) -> tuple[str, str]:
    """The captions of a handwritten digit, 0 to 9, in English and in French."""
    return f"the handwritten digit {DIGITS['en'][label]}", f"le chiffre {DIGITS['fr'][label]} écrit à la main"


def digits(resolution: int = 8) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, " n"]]:
    """The digits and their labels: pictures of (1,797, 1, resolution, resolution) in [-1, 1], white on black, and labels 0 to 9.

    They were scanned at 8 x 8 with 17 levels of grey (Alpaydin & Kaynak 1998, from 43 people); 16 and 32 are bilinear interpolations.
    Raises `DalleEduError` for another resolution.
    """
    if resolution not in (8, 16, 32):
        raise DalleEduError(
            f"the resolution is {resolution}; the digits come at 8, 16 or 32 pixels",
            f"la résolution est {resolution} ; les chiffres viennent en 8, 16 ou 32 pixels",
        )
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    if resolution != 8:
        images = F.interpolate(images, size=resolution, mode="bilinear", align_corners=False)
    return images, torch.tensor(bunch.target, dtype=torch.long)


class Digits(CaptionedDataset):
    """The digits of scikit-learn with captions in English and in French: arguments, items and errors as in `CaptionedDataset`.

    They come at any resolution, as bilinear interpolations of the scans.
    """

    EXPECTED = ("the digits of scikit-learn", "les chiffres de scikit-learn")

    def __init__(self, resolution: int = 32, *, seed: int = 0, every_caption: bool = False, first: int | None = None, keep: int = 0):
        import sklearn.datasets

        super().__init__(Path(sklearn.datasets.__file__).parent, resolution, seed, every_caption, first, keep)

    @property
    def name(self) -> str:
        """What the data set is called on screen."""
        return "digits"

    def find(self) -> Iterator[Pair]:
        """Yield the digits in their order, each with one caption in English and one in French."""
        self._images, labels = digits()
        for i, label in enumerate(labels.tolist()):
            yield Pair(f"digits[{i}]", captions_of_digit(label), i)

    def examine(self, pair: Pair) -> None:
        """Do nothing: any pixels make a picture."""

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The digit of a pair, in [-1, 1], in three equal channels."""
        scan = self._images[pair.place : pair.place + 1]
        return F.interpolate(scan, size=self.resolution, mode="bilinear", align_corners=False)[0].expand(3, -1, -1).clone()
