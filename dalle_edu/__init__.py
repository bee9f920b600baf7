"""Build DALL·E yourself, from the perceptron to the picture.

import dalle_edu
system = dalle_edu.load("dalle1", device="auto")
images = system.pictures("un grand cercle rouge à gauche d'un petit carré bleu", n=4, seed=0)
"""

from typing import TYPE_CHECKING

from dalle_edu import torchvision_without_cuda

if TYPE_CHECKING:
    from pathlib import Path

    from dalle_edu.systems.interface.system import System

__version__ = "0.2.0"
__all__ = ["__version__", "load"]

torchvision_without_cuda.watch()


def load(name_or_path: "str | Path", device: str = "cpu") -> "System":
    """A trained system, ready to generate pictures, on `device`; "auto" is the fastest there is, as the command line chooses it.

    `name_or_path` is the name of a system whose weights come with the package ("dalle1") or the path of a checkpoint. Raises
    `DalleEduError` when there is no such system, and when the file is not a whole checkpoint of this library.
    """
    from dalle_edu.loading import load_system  # here, because it imports torch

    return load_system(name_or_path, device)
