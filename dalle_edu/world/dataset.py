"""The world as a `torch.utils.data.Dataset`: a seeded series of scenes, of any length, with a caption for each."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral

import torch
from torch.utils.data import Dataset

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption
from dalle_edu.world.renderer import Layout, lay_out, render
from dalle_edu.world.scene_sampler import KINDS, check_split, sample_scene
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

    Raises `DalleEduError` for a length that is no whole number or below 0, for an unknown split, language or kind, and for "held_out" where
    the catalogue holds nothing out, and for what is no seed.
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
        """Note what is asked for. Raises `DalleEduError` as the class says."""
        self.length, self.seed, self.split, self.languages = length, check_seed(seed), split, tuple(languages)
        self.catalogue, self.kinds = catalogue, kinds
        if not isinstance(length, Integral) or length < 0:
            raise DalleEduError(
                f"a world of {length!r} scenes was asked for; give a whole number from 0 on",
                f"un monde de {length!r} scènes est demandé ; donnez un nombre entier à partir de 0",
            )
        check_split(split, catalogue)
        _check_names("the languages of captions are", "les langues des légendes sont", self.languages, LANGUAGES)
        _check_names("the kinds of captions are", "les genres de légendes sont", tuple(kinds), tuple(KINDS))
        if not all(share >= 0 for share in kinds.values()) or not sum(kinds.values()) > 0:
            raise DalleEduError(
                f"the kinds of captions have the shares {dict(kinds)}; give none below 0, and one above it",
                f"les genres de légendes ont les parts {dict(kinds)} ; n'en donnez aucune sous 0, et une au-dessus",
            )

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Scene, str]:
        """A scene and its caption. Raises `IndexError` outside 0 to `length` - 1."""
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


def _check_names(what: str, quoi: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise `DalleEduError` unless at least one name was given, and all of them are known."""
    if not given or not set(given) <= set(known):
        came, choices = ", ".join(map(str, given)), ", ".join(known)
        raise DalleEduError(f"{what} ({came}); choose among: {choices}", f"{quoi} ({came}) ; choisissez parmi : {choices}")
