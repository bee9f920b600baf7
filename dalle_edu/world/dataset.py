"""The world as a `torch.utils.data.Dataset`: a seeded series of scenes, of any length, with a caption for each."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import Dataset

from dalle_edu.seeds import check_seed
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption
from dalle_edu.world.renderer import Layout, lay_out, render
from dalle_edu.world.scene_sampler import KINDS, sample_scene
from dalle_edu.world.scenes import Scene


@dataclass(frozen=True)
class Batch:
    """A batch: the layout of its scenes, ready to be rendered on any device, and a caption for each scene."""

    layout: Layout
    captions: list[str]
    catalogue: Catalogue = SHAPES

    def images(self, resolution: int, device: torch.device | str = "cpu") -> torch.Tensor:
        """The pictures, rendered on `device`: (n, 3, resolution, resolution) in [-1, 1]. Raises `DalleEduError` as `render` does."""
        return render(self.layout, resolution, device, self.catalogue)


class World(Dataset):
    """`length` pairs of a scene and its caption; item `i` depends on `seed` and `i` alone.

    `split` is "seen", "held_out" or "all". The language of a caption is sampled uniformly from `languages`. `kinds` gives the
    probability of each kind of caption. `collate` makes a `Batch` of items:

        world = World(10_000, seed=0)
        loader = DataLoader(world, batch_size=64, collate_fn=world.collate)

    Raises `DalleEduError` for what is no seed.
    """

    def __init__(
        self,
        length: int,
        seed: int = 0,
        split: str = "seen",
        languages: Sequence[str] = LANGUAGES,
        catalogue: Catalogue = SHAPES,
        kinds: Mapping[str, float] = KINDS,
    ):
        self.length, self.seed, self.split, self.languages = length, check_seed(seed), split, tuple(languages)
        self.catalogue, self.kinds = catalogue, kinds

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Scene, str]:
        """A scene and its caption. Raises `IndexError` outside 0 to `length` - 1, and `ValueError` for an unknown split."""
        if not 0 <= index < self.length:
            raise IndexError(f"item {index} of a world of {self.length} scenes")
        rng = random.Random(f"{self.seed}:{index}:caption")
        scene = sample_scene(self.seed, index, self.split, self.catalogue, self.kinds)
        language = self.languages[int(rng.random() * len(self.languages))]
        return scene, caption(scene.description, language, int(rng.random() * 720720), self.catalogue)

    def collate(self, items: Sequence[tuple[Scene, str]]) -> Batch:
        """Put items together in a `Batch`: the `collate_fn` of a `DataLoader`."""
        scenes, captions = zip(*items, strict=True)
        return Batch(lay_out(scenes, self.catalogue), list(captions), self.catalogue)
