"""Configurations: what a system is, how it learns, how it draws, as nested values.

Every system has one: a frozen dataclass of three fields, `model` (the shapes of its
networks), `recipe` (its stages, and what else training goes by) and `sampling`
(what may be chosen anew for each picture). A preset is a value of it, a checkpoint
carries it as JSON, and `rebuild` makes it again from that.
"""

from dataclasses import fields, is_dataclass
from typing import Any, Protocol, get_args, get_origin, get_type_hints

from dalle_edu.systems.interface.recipe import Recipe


class Configuration(Protocol):
    """What the library knows of every system's configuration."""

    @property
    def model(self) -> Any: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def sampling(self) -> Any: ...


def rebuild(kind: Any, values: Any) -> Any:
    """A value of `kind` from what `dataclasses.asdict` and JSON made of it.

    Dataclasses are rebuilt field by field and lists become tuples again. Raises
    `TypeError` for a field that `kind` does not have.
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
