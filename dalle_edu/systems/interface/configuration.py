"""Configurations: what a system is, how it learns and how it draws, as nested
values.

Every system has one: a frozen dataclass of three fields, `model`, `recipe` and
`sampling`, each a frozen dataclass too. Their fields hold numbers, strings,
booleans, None, tuples and other dataclasses, with type hints that say so. A preset
is a value of the configuration, a checkpoint holds it as JSON, and `rebuild` makes
it again from that. A field added later needs a default value, so that earlier
checkpoints still load.
"""

from dataclasses import fields, is_dataclass
from typing import Any, Protocol, get_args, get_origin, get_type_hints

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


def rebuild(kind: Any, values: Any) -> Any:
    """A value of type `kind` from what `dataclasses.asdict` and JSON made of it.

    Dataclasses are rebuilt field by field and lists become tuples again. Fields
    that are missing take their defaults. Raises `TypeError` for a field that `kind`
    does not have.
    """
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        known = {field.name for field in fields(kind)}
        if unknown := set(values) - known:
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")  # type: ignore[union-attr]
        rebuilt = {
            name: rebuild(hints[name], each) for name, each in values.items()
        }
        return kind(**rebuilt)  # type: ignore[operator]
    if get_origin(kind) is tuple and values is not None:
        inside = get_args(kind)
        kinds = [inside[0]] * len(values) if inside[-1] is Ellipsis else inside
        return tuple(rebuild(*each) for each in zip(kinds, values, strict=True))
    return tuple(values) if isinstance(values, list) else values
