"""The protocol of a source: captioned pictures that a system can be trained on, whatever they come from.

The world is one, with any catalogue (`WorldSource`); a folder, COCO, shards, MNIST and the digits are others (`CaptionedSource`). Training
knows no more of them than what is here.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.world.domain import Domain
from dalle_edu.world.tokenizer import CaptionTokenizer

ENDLESS = 2**62  # items of a series: more than any run takes


@runtime_checkable
class Batch(Protocol):
    """Some captioned pictures on their way to a device."""

    @property
    def captions(self) -> list[str]:
        """Their captions."""

    def images(self, resolution: int, device: torch.device | str = "cpu") -> Float[Tensor, "n 3 h w"]:
        """The pictures, on `device`: (n, 3, resolution, resolution) in [-1, 1].

        Raises `DalleEduError` for a resolution that the source cannot give, and where a picture can no longer be read.
        """


@runtime_checkable
class Series(Protocol):
    """An endless series of items, for a `DataLoader`: item i depends on the source, the seed of the series and i alone."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any:
        """Item number `index`."""

    def collate(self, items: Sequence[Any]) -> Batch:
        """Items together: the `collate_fn` of a `DataLoader`."""


@runtime_checkable
class Source(Protocol):
    """Captioned pictures that a system can be trained on."""

    @property
    def name(self) -> str:
        """What it is called on screen."""

    @property
    def fingerprint(self) -> str:
        """What it is recognised by: a run goes on with no other."""

    @property
    def domain(self) -> Domain:
        """What its captions can say, which travels with the weights."""

    @property
    def tokenizer(self) -> CaptionTokenizer:
        """The tokenizer of its captions."""

    @property
    def text_length(self) -> int | None:
        """The tokens of its longest caption; None where a preset's own length will do."""

    @property
    def size(self) -> int | None:
        """The number of pictures to train on; None where they have no end."""

    def series(self, seed: int) -> Series:
        """The series of items of a stage of training. Of a source with an end each item comes once an epoch, in a new order each."""

    def held_out(self, n: int) -> Batch:
        """At most `n` captioned pictures that training never shows, always the same. There may be none."""

    def remarks(self, batch_size: int | None = None) -> list[str]:
        """What to tell of it before training with batches of a size, in the reader's language."""
