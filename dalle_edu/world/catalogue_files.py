"""Catalogues as JSON: words, colours, sizes and drawings as data, which travel with weights and are read without executing anything.

A signed distance of `shapes.py` travels by its name, any other as a table of its values on a fine grid, a sprite as a PNG.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.world import shapes
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, WORLD, Adjective, Catalogue, Colour, Noun, Shape, Size
from dalle_edu.world.drawings import LARGEST, Drawing, SignedDistance, Sprite
from dalle_edu.world.scenes import RELATIONS

MOST = 4096  # shapes, colours or held-out combinations
_LONGEST = 80  # characters of a word
_SIDE, _REACH = 193, 1.5  # of a table of distances: its values on a side, and how far it reaches, in radii
_KEYS = ("shapes", "colours", "sizes", "held_out_objects", "held_out_relations")


def catalogue_to_json(catalogue: Catalogue) -> dict[str, Any]:
    """A catalogue as JSON can hold it; `SHAPES` is {"name": "shapes"}."""
    if catalogue is SHAPES:
        return {"name": "shapes"}
    return {
        "shapes": [
            {"name": shape.name, "drawing": _drawing_to_json(shape.drawing), "words": _words_to_json(shape.words)}
            for shape in catalogue.shapes
        ],
        "colours": [{"name": colour.name, "rgb": list(colour.rgb), "words": _words_to_json(colour.words)} for colour in catalogue.colours],
        "sizes": [{"name": size.name, "radius": list(size.radius), "words": _words_to_json(size.words)} for size in catalogue.sizes],
        "held_out_objects": sorted(map(list, catalogue.held_out_objects)),
        "held_out_relations": sorted(map(list, catalogue.held_out_relations)),
    }


def world_of(catalogue: Catalogue) -> int | str:
    """The number of the world of a catalogue; for one that has none, a digest of all that it says."""
    if catalogue is SHAPES:
        return WORLD
    text = json.dumps(catalogue_to_json(catalogue), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def catalogue_from_json(document: Any) -> Catalogue:
    """The catalogue that `catalogue_to_json` described. Raises `TypeError`, `ValueError` or `DalleEduError` where it describes none."""
    if document == {"name": "shapes"}:
        return SHAPES
    values = _record(document, *_KEYS)
    drawn = tuple(
        Shape(_text(name), _drawing_from_json(drawing), _words_from_json(Noun, words))
        for name, drawing, words in (_record(each, "name", "drawing", "words") for each in _list(values[0]))
    )
    colours = tuple(
        Colour(_text(name), _numbers(rgb, 3), _words_from_json(Adjective, words))  # type: ignore[arg-type]
        for name, rgb, words in (_record(each, "name", "rgb", "words") for each in _list(values[1]))
    )
    sizes = tuple(
        Size(_text(name), _numbers(radius, 2), _words_from_json(Adjective, words))  # type: ignore[arg-type]
        for name, radius, words in (_record(each, "name", "radius", "words") for each in _list(values[2]))
    )
    if not (drawn and colours and sizes):
        raise ValueError("a catalogue has at least one shape, one colour and one size")
    names = [{thing.name for thing in things} for things in (drawn, colours, sizes)]
    if [len(each) for each in names] != [len(drawn), len(colours), len(sizes)]:
        raise ValueError("two things of a catalogue have one name")
    if not all(0 < low <= high <= 0.25 for low, high in (size.radius for size in sizes)):
        raise ValueError("a size goes from a radius above 0 to one of at most 0.25")
    objects = frozenset(_combination(each, names[0], names[1]) for each in _list(values[3]))
    relations = frozenset(_combination(each, names[0], set(RELATIONS), names[0]) for each in _list(values[4]))
    return Catalogue(drawn, colours, sizes, objects, relations)  # type: ignore[arg-type]


# ---------------------------------------------------------------- words


def _words_to_json(words: dict[str, Any]) -> dict[str, Any]:
    return {language: {name: value for name, value in asdict(word).items() if value} for language, word in words.items()}


def _words_from_json(kind: Callable[..., Any], values: Any) -> dict[str, Any]:
    """The word of each language. `kind` is `Noun` or `Adjective`."""
    words = {}
    for language, forms in zip(LANGUAGES, _record(values, *LANGUAGES), strict=True):
        known = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
        if not isinstance(forms, dict) or not set(forms) <= set(known):
            raise TypeError("a word has forms that it cannot have")
        for name, value in forms.items():
            if known[name] is bool:
                if not isinstance(value, bool):
                    raise TypeError("a gender is true or false")
            else:
                _text(value)
        words[language] = kind(**forms)
    return words


# ---------------------------------------------------------------- drawings


def _drawing_to_json(drawing: Drawing) -> dict[str, Any]:
    if isinstance(drawing, Sprite):
        return {"sprite": base64.b64encode(_png(drawing.pixels)).decode()}
    assert isinstance(drawing, SignedDistance), "a drawing is a signed distance or a sprite"
    if isinstance(drawing.distance, Table):
        return {"table": drawing.distance.written()}
    name = getattr(drawing.distance, "__name__", "")
    if getattr(shapes, name, None) is drawing.distance:
        return {"distance": name}
    return {"table": Table.of(drawing.distance).written()}


def _drawing_from_json(values: Any) -> Drawing:
    if not isinstance(values, dict) or len(values) != 1:
        raise TypeError("a drawing is a distance, a table or a sprite")
    (kind, value), *_ = values.items()
    if kind == "distance" and value in _named():
        return SignedDistance(getattr(shapes, value))
    if kind == "table" and isinstance(value, str):
        return SignedDistance(Table.read(value))
    if kind == "sprite" and isinstance(value, str):
        return Sprite(_pixels(base64.b64decode(value, validate=True)))
    raise ValueError("a drawing is of an unknown kind")


def _named() -> list[str]:
    """The names of the shapes of `shapes.py`."""
    public = [(name, value) for name, value in vars(shapes).items() if not name.startswith("_")]
    return [name for name, value in public if getattr(value, "__module__", "") == shapes.__name__]


class Table:
    """A signed distance as a table of its values, interpolated between them: what travels of a function that is no part of the package."""

    def __init__(self, values: Tensor):
        self.values = values  # (side, side), y upwards along the first axis

    @classmethod
    def of(cls, distance: shapes.Distance) -> "Table":
        """The table of a signed distance. Its values are rounded to half precision, as they will be where it is read."""
        line = torch.linspace(-_REACH, _REACH, _SIDE)
        y, x = torch.meshgrid(line, line, indexing="ij")
        return cls(distance(x, y).half().float())

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The distances of points. Beyond the table they are those at its edge."""
        x, y = torch.broadcast_tensors(x, y)
        points = (torch.stack([x, y], dim=-1) / _REACH).reshape(1, -1, 1, 2)
        table = self.values.to(points.device, points.dtype)[None, None]
        return F.grid_sample(table, points, padding_mode="border", align_corners=True).reshape(x.shape)

    def written(self) -> str:
        """The table as text."""
        return base64.b64encode(self.values.half().numpy().tobytes()).decode()

    @classmethod
    def read(cls, text: str) -> "Table":
        """The table that `written` wrote. Raises `ValueError` for another length, and for values that are not finite."""
        data = base64.b64decode(text, validate=True)
        if len(data) != 2 * _SIDE**2:
            raise ValueError("a table of distances has another size")
        values = torch.frombuffer(bytearray(data), dtype=torch.float16).float().view(_SIDE, _SIDE)
        if not bool(values.isfinite().all()):
            raise ValueError("a table of distances is not finite")
        return cls(values)


def _png(pixels: Tensor) -> bytes:
    from PIL import Image

    contents = io.BytesIO()
    Image.fromarray((pixels * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy(), "RGBA").save(contents, "PNG")
    return contents.getvalue()


def _pixels(png: bytes) -> Tensor:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.mode != "RGBA" or max(image.size) > LARGEST:
            raise ValueError("a sprite is no PNG of the right kind")
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


# ---------------------------------------------------------------- what files may hold


def _record(values: Any, *keys: str) -> list[Any]:
    if not isinstance(values, dict) or set(values) != set(keys):
        raise TypeError(f"a record has the fields {', '.join(keys)}")
    return [values[key] for key in keys]


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) > MOST:
        raise TypeError(f"a list of at most {MOST} was expected")
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise TypeError(f"a word of at most {_LONGEST} characters was expected")
    return value


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != count or not all(type(x) in (int, float) and 0 <= x <= 1 for x in values):
        raise TypeError(f"{count} numbers from 0 to 1 were expected")
    return tuple(map(float, values))


def _combination(values: Any, *known: set[str]) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) != len(known) or not all(x in names for x, names in zip(values, known, strict=True)):
        raise ValueError("a held-out combination names what the catalogue does not have")
    return tuple(values)
