"""Epochs of a data set with an end: in which order its items come, again and again.

    epochs = Epochs(1000, seed=0)
    [epochs[k] for k in range(1000)]        # 0 to 999 in the order of the first epoch
    epochs[1000]                            # the first of the second

Number k of the series is item `order(k // n)[k % n]`, where the order of an epoch depends on the seed and the epoch alone. Whoever shares
out the numbers, each item comes once an epoch, and a run goes on exactly from any number.
"""

import hashlib
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

_ORDERS_KEPT = 2  # a batch at the end of an epoch needs the next


class Epochs:
    """An endless series of the items 0 to `n` - 1, each once an epoch."""

    def __init__(self, n: int, seed: int):
        self.n, self.seed = n, seed
        self._orders: dict[int, Int[Tensor, " n"]] = {}

    def __getitem__(self, number: int) -> int:
        """The item that comes as number `number` of the series, from 0 on."""
        epoch, place = divmod(number, self.n)
        return int(self.order(epoch)[place])

    def order(self, epoch: int) -> Int[Tensor, " n"]:
        """The items in the order of an epoch."""
        if epoch not in self._orders:
            while len(self._orders) >= _ORDERS_KEPT:
                del self._orders[next(iter(self._orders))]
            digest = hashlib.blake2b(f"{self.seed}:{epoch}".encode(), digest_size=8).digest()
            self._orders[epoch] = torch.randperm(self.n, generator=torch.Generator().manual_seed(int.from_bytes(digest) >> 1))
        return self._orders[epoch]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_orders": {}}
