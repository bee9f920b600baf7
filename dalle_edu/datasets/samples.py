"""Samples: pictures of the synthetic world in the formats of other data sets, so that their code runs without the network."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.world.dataset import World
from dalle_edu.world.grammar import phrasings
from dalle_edu.world.renderer import render
from dalle_edu.world.sheet import as_pixels

CAPTIONS_A_PICTURE = 5  # as in COCO


def sample_pictures(n: int, seed: int, resolution: int = 128) -> Iterator[tuple[Any, list[str]]]:
    """Yield `n` Pillow images of the world, each with five captions, sampled among its phrasings in French and in English.

    Raises `DalleEduError` where `n` is below one.
    """
    if n < 1:
        raise DalleEduError(
            f"a sample of {n} pictures was asked for; ask for at least one",
            f"un échantillon de {n} images est demandé ; demandez-en au moins une",
        )
    from PIL import Image

    world = World(n, seed)
    for i in range(n):
        scene, _ = world[i]
        pixels = as_pixels(render([scene], resolution))[0]
        ways = [way for language in world.languages for way in phrasings(scene.description, language)]
        yield Image.fromarray(pixels), random.Random(f"{seed}:{i}:captions").sample(ways, CAPTIONS_A_PICTURE)


def write_new(path: Path, contents: bytes) -> None:
    """Write a file of a sample. Raises `DalleEduError` where something else is at its path."""
    if path.is_file() and path.read_bytes() == contents:
        return
    if path.exists() or path.is_symlink():
        raise DalleEduError(
            f"{path} is there already and holds something else; give another folder",
            f"{path} existe déjà et contient autre chose ; donnez un autre dossier",
        )
    write_aside(path, lambda file: file.write(contents))
