"""What the examiner finds in a picture."""

from dataclasses import dataclass

from dalle_edu.world.scenes import Object

SPECK = 0.006  # parts of the canvas's area: smaller spots are not objects (the smallest object of the world covers 0.020)
SMALLEST_FIT = 0.55  # an object whose overlap with every shape is below this has no shape of the catalogue


@dataclass(frozen=True)
class Found(Object):
    """An object parsed in a picture.

    `fit` is its overlap with the best shape, as intersection over union in [0, 1]. `shape` is "" where no shape overlaps it enough.
    """

    fit: float = 1.0
