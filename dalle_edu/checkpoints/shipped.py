"""Where the weights that come with the package are looked for."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def weights_path(name: str) -> Path:
    """Where the weights of a model are: inside an installed package, or in `data/weights` of a clone."""
    places = [_PACKAGE / "_shipped" / "weights", _PACKAGE.parent / "data" / "weights"]
    return next(
        (place / f"{name}.safetensors" for place in places if (place / f"{name}.safetensors").is_file()), places[-1] / f"{name}.safetensors"
    )
