"""The weights that come with the package, and where they are looked for."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def weights_path(name: str) -> Path:
    """The path of a model's weights: inside an installed package, or in `data/weights` of a clone.

    Where neither has them, it is the path that they would have in the clone.
    """
    places = [_PACKAGE / "_shipped" / "weights", _PACKAGE.parent / "data" / "weights"]
    return next(
        (place / f"{name}.safetensors" for place in places if (place / f"{name}.safetensors").is_file()), places[-1] / f"{name}.safetensors"
    )
