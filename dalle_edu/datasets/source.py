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


@runtime_checkable
class Batch(Protocol):
    """Some captioned pictures on their way to a device."""

    captions: list[str]

    def images(self, resolution: int, device: torch.device | str = "cpu") -> Float[Tensor, "n 3 h w"]:
        """The pictures, on `device`: (n, 3, resolution, resolution) in [-1, 1]."""


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

    name: str  # what it is called on screen
    fingerprint: str  # what it is recognised by: a run goes on with no other
    domain: Domain  # what its captions can say, which travels with the weights
    tokenizer: CaptionTokenizer
    text_length: int | None  # tokens of its longest caption; None where a preset's own will do
    size: int | None  # pictures to train on; None where they have no end

    def series(self, seed: int) -> Series:
        """The series of items of a stage of training. Of a source with an end each item comes once an epoch, in a new order each."""

    def held_out(self, n: int) -> Batch:
        """At most `n` captioned pictures that training never shows, always the same."""
