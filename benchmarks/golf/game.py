"""The game, as a record's `train` sees it: a clock, pictures with their captions, and a log.

Letters: n pictures, t tokens, h = w pixels on a side.
"""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.golf.rules import RESOLUTION, TEXT_LENGTH
from benchmarks.golf.timed_process import tree_seconds
from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import SEEDS
from dalle_edu.world import scene_sampler
from dalle_edu.world.dataset import World
from dalle_edu.world.scene_sampler import PRACTICE
from dalle_edu.world.tokenizer import caption_tokenizer

_ENDLESS = 2**40
_GLANCE = 0.2  # seconds for which a reading of the CPU's clock is taken to hold


@dataclass(frozen=True)
class Batch:
    """Pictures in [-1, 1], their captions as token numbers, in which 0 is padding, and the captions themselves."""

    pictures: Float[Tensor, "n 3 h w"]
    tokens: Int[Tensor, "n t"]
    captions: list[str]


class Game:
    """What training is given. `seed` is the game's; all scenes are of the split "seen", and depend on it alone."""

    def __init__(self, seed: int, seconds: float, by: str, begun: float, log: Path):
        self.seed = seed
        self._seconds, self._by, self._begun, self._log_path = seconds, by, begun, log
        self._series, self.samples, self.updates = 0, 0, 0
        self._own, self._read, self._cpu = psutil.Process(), -1.0, 0.0
        self._world, self._next = self._series_of(PRACTICE), 0

    # ------------------------------------------------------------ the clock

    def progress(self) -> float:
        """The part of the time that is spent, in [0, 1]. It counts from the start of the process, imports included."""
        spent = self.wall_seconds() if self._by == "wall" else self.cpu_seconds()
        return min(1.0, spent / self._seconds)

    def wall_seconds(self) -> float:
        """The seconds since the process was started."""
        return time.time() - self._begun

    def cpu_seconds(self) -> float:
        """The CPU seconds of this process and of all that it started."""
        now = time.monotonic()
        if now - self._read > _GLANCE:
            self._read, self._cpu = now, tree_seconds(self._own)
        return self._cpu

    # ------------------------------------------------------------ pictures

    def batch(self, size: int, kinds: Mapping[str, float] = PRACTICE) -> Batch:
        """The next `size` pictures of the game's series, with their captions. `kinds` gives the probability of each kind of caption:
        "single", "pair", "relation", "count". Raises `DalleEduError` for other kinds.
        """
        if kinds is not self._world.kinds:
            self._world = self._series_of(kinds)
        first, self._next = self._next, self._next + size
        self.samples += size
        return _collate([self._world[index] for index in range(first, first + size)], self._world)

    def ahead(self, size: int, kinds: Mapping[str, float] = PRACTICE, workers: int = 1) -> Iterator[Batch]:
        """Batches of `size` from another series of the same seed, without end, made ahead by `workers` other processes.

        Raises `DalleEduError` for other kinds of captions than those of `batch`.
        """
        world = self._series_of(kinds)
        order = (range(start, start + size) for start in range(0, _ENDLESS - size, size))
        loader = DataLoader(
            world,
            batch_sampler=order,  # type: ignore[arg-type]
            collate_fn=_Collate(world),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
        )
        for batch in loader:
            self.samples += size
            yield batch

    def _series_of(self, kinds: Mapping[str, float]) -> World:
        self._series += 1
        return World(_ENDLESS, (self.seed * 1_000_003 + self._series) % SEEDS, "seen", kinds=kinds)

    # ------------------------------------------------------------ the log

    def log(self, update: int | None = None, **numbers: float | Tensor) -> None:
        """Write a line of `log.jsonl`: the update, the time, the samples so far, and `numbers`. Raises `DalleEduError` for one that is not
        finite, since nothing good comes of training after that.
        """
        said = {name: float(value) for name, value in numbers.items()}
        spoilt = [name for name, value in said.items() if not math.isfinite(value)]
        if spoilt:
            raise DalleEduError(
                f"{spoilt[0]} is no longer finite at update {update}; lower the learning rate",
                f"{spoilt[0]} n'est plus un nombre fini à la mise à jour {update} ; baissez le pas d'apprentissage",
            )
        self.updates = max(self.updates, update or 0)
        times = {"seconds": round(self.wall_seconds(), 2), "cpu_seconds": round(self.cpu_seconds(), 2), "samples": self.samples}
        entry = {"update": update, **times, **{name: float(f"{value:.6g}") for name, value in said.items()}}
        with self._log_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


class _Collate:
    """`_collate` as workers are given it."""

    def __init__(self, world: World):
        self.world = world

    def __call__(self, items: list) -> Batch:
        return _collate(items, self.world)


def _collate(items: list, world: World) -> Batch:
    batch = world.collate(items)
    return Batch(batch.images(RESOLUTION), caption_tokenizer().encode(batch.captions, TEXT_LENGTH), batch.captions)


def only_seen_scenes() -> None:
    """From now on in this process, scenes of other splits than "seen" are refused: held-out ones are for the exam."""
    original = scene_sampler.sample_scene

    def sample_scene(seed, index=0, split="seen", *more, **named):
        if split != "seen":
            raise DalleEduError(
                f'training asked for scenes of the split "{split}"; it may see "seen" alone',
                f"l'entraînement a demandé des scènes de la partie « {split} » ; il n'a droit qu'à « seen »",
            )
        return original(seed, index, split, *more, **named)

    for module in [module for name, module in sys.modules.items() if name.startswith("dalle_edu.")]:
        if getattr(module, "sample_scene", None) is original:
            module.sample_scene = sample_scene  # type: ignore[attr-defined]
