"""Configurations: what a system is, how it learns and how it draws, as nested
values.

Every system has one: a frozen dataclass of three fields, `model`, `recipe` and
`sampling`, each a frozen dataclass too. Their fields hold numbers, strings,
booleans, None, tuples and other dataclasses, with type hints that say so. A preset
is a value of the configuration, a checkpoint holds it as JSON, and `rebuild` makes
it again from that. A field added later needs a default value, so that earlier
checkpoints still load.
"""

import sys
from dataclasses import MISSING, fields, is_dataclass, replace
from types import UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

from dalle_edu.systems.interface.recipe import Recipe


class Configuration(Protocol):
    """What the library reads in every system's configuration."""

    @property
    def model(self) -> Any:
        """The shapes of the networks: what a checkpoint's weights depend on."""

    @property
    def recipe(self) -> Recipe:
        """The stages of training, dropouts and weights of losses."""

    @property
    def sampling(self) -> Any:
        """What may be chosen anew for each picture; its fields are the settings of
        `generate`, and their values those used unless others are given.
        """


LARGEST = 1 << 16  # of the sizes in a configuration's `model`
DEEPEST = 256  # entries of a tuple: levels of a U-Net, stages of a recipe


def rebuild(kind: Any, values: Any, where: str = "") -> Any:
    """A value of type `kind` from what `dataclasses.asdict` and JSON made of it.

    Dataclasses are rebuilt field by field and lists become tuples again. Fields
    that are missing take their defaults. Raises `TypeError` for a value of another
    type than its field's hint says and for a field that `kind` does not have, and
    `ValueError` for a number that is infinite or none, and a tuple of more than
    `DEEPEST` entries. `where` is what the error calls the value.
    """
    if is_dataclass(kind):
        return kind(**_fields(kind, values, where))  # type: ignore[operator]
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _first_that_fits(inside, values, where)
    if origin is tuple or kind is tuple:
        return _entries(inside or (Any, ...), values, where)
    if origin is not None or not isinstance(kind, type):
        return tuple(values) if isinstance(values, list) else values
    # an int may stand for a float, and a bool is no number
    fitting = (int, float) if kind is float else (kind,)
    if not (
        isinstance(values, fitting) and isinstance(values, bool) <= (kind is bool)
    ):
        raise TypeError(f"{where} is {shortened(values)}; {kind.__name__} expected")
    return _finite(values, where) if kind is float else values


def _finite(number: Any, where: str) -> float:
    if not -sys.float_info.max <= number <= sys.float_info.max:
        shown = shortened(number)
        raise ValueError(f"{where} is {shown}; a finite number was expected")
    return float(number)


def check_sizes(model: Any, where: str = "model", largest: int = LARGEST) -> None:
    """Raise `ValueError` where a number in a configuration's `model`, or in a
    dataclass inside it, is below zero or larger than `largest`, and where a `grid`
    does not divide its `resolution`.
    """
    if isinstance(model, int | float) and not 0 <= model <= largest:
        raise ValueError(f"{where} is {shortened(model)}; 0 to {largest} expected")
    if isinstance(model, tuple):
        for each in model:
            check_sizes(each, where, largest)
    if is_dataclass(model):
        grid, side = (getattr(model, name, 0) for name in ("grid", "resolution"))
        if grid and side % grid:
            raise ValueError(f"{where} has a grid of {grid} and {side} pixels")
        for field in fields(model):
            check_sizes(
                getattr(model, field.name), f"{where}.{field.name}", largest
            )


def check_vocabulary(model: Any, tokens: int, where: str = "model") -> None:
    """Raise `ValueError` where a network of a configuration's `model`, by its
    field `vocabulary` or `text_vocabulary`, knows fewer than so many `tokens`.
    """
    for field in fields(model) if is_dataclass(model) else ():
        value, name = getattr(model, field.name), f"{where}.{field.name}"
        if field.name in ("vocabulary", "text_vocabulary") and value < tokens:
            raise ValueError(f"{name} is {value}, and the tokenizer has {tokens}")
        check_vocabulary(value, tokens, name)


def fitted(config: Any, tokens: int, text_length: int) -> Any:
    """A configuration for captions of another tokenizer: in its `model`, and in the
    dataclasses inside it, `vocabulary` and `text_vocabulary` are the number of
    `tokens`, and `text_length` that of a caption.
    """

    def changed(model: Any) -> Any:
        values = {}
        for field in fields(model):
            value = getattr(model, field.name)
            if is_dataclass(value):
                values[field.name] = changed(value)
            elif field.name in ("vocabulary", "text_vocabulary"):
                values[field.name] = tokens
            elif field.name == "text_length":
                values[field.name] = text_length
        return replace(model, **values)

    return replace(config, model=changed(config.model))


def shortened(value: Any) -> str:
    """A value from a file as an error shows it, in at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _fields(kind: Any, values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        name = where or kind.__name__
        raise TypeError(f"{name} is {shortened(values)}; fields expected")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind) if field.init}
    if unknown := set(values) - set(known):
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    for name, field in known.items():
        optional = (field.default, field.default_factory) != (MISSING, MISSING)
        if name not in values and not optional:
            raise TypeError(f"{kind.__name__} lacks {name}")
    return {
        name: rebuild(hints[name], each, f"{where}.{name}".lstrip("."))
        for name, each in values.items()
    }


def _first_that_fits(kinds: tuple[Any, ...], values: Any, where: str) -> Any:
    if values is None and type(None) in kinds:
        return None
    error: Exception = TypeError(f"{where} is {shortened(values)}")
    for kind in kinds:
        if kind is not type(None):
            try:
                return rebuild(kind, values, where)
            except (TypeError, ValueError) as caught:
                error = caught
    raise error


def _entries(kinds: tuple[Any, ...], values: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"{where} is {shortened(values)}; a list was expected")
    if len(values) > DEEPEST:
        raise ValueError(f"{where} has {len(values)} entries; {DEEPEST} at most")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise ValueError(
            f"{where} has {len(values)} entries; {len(kinds)} expected"
        )
    pairs = zip(kinds, values, strict=True)
    return tuple(
        rebuild(kind, each, f"{where}[{i}]") for i, (kind, each) in enumerate(pairs)
    )
