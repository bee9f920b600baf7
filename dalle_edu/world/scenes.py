"""Scenes: the objects of a picture, and the description that its caption gives.

Places and radii are parts of the canvas's side, x to the right and y downwards.
"""

from dataclasses import dataclass, replace

RELATIONS = ("left", "right", "above", "below")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


@dataclass(frozen=True)
class Object:
    """An object: names from the catalogue, centre and radius as parts of the canvas's side, in [0, 1]."""

    shape: str
    colour: str
    size: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Mention:
    """What a caption says of an object; None where it does not say."""

    shape: str
    colour: str | None = None
    size: str | None = None


@dataclass(frozen=True)
class Description:
    """What a caption says: one mention of `count` objects alike (1 to 4), or two mentions.

    `relation` is that of the first mention to the second, one of `RELATIONS`, or None where the caption gives none.
    """

    mentions: tuple[Mention, ...]
    count: int = 1
    relation: str | None = None

    @property
    def number(self) -> int:
        """The number of objects that the picture must show."""
        return self.count if len(self.mentions) == 1 else len(self.mentions)

    def turned(self) -> "Description":
        """The same facts in the other order: the second mention first, and the opposite relation. One mention stays as it is."""
        relation = OPPOSITE[self.relation] if self.relation else None
        return replace(self, mentions=self.mentions[::-1], relation=relation)


@dataclass(frozen=True)
class Scene:
    """A scene: the objects of a picture, each drawn over those before it, and the description in its caption."""

    objects: tuple[Object, ...]
    description: Description


def relation_between(first: Object, second: Object) -> str:
    """The relation of the first object to the second, along the axis on which their centres lie farther apart: one of `RELATIONS`."""
    dx, dy = first.x - second.x, first.y - second.y
    if abs(dx) >= abs(dy):
        return "left" if dx < 0 else "right"
    return "above" if dy < 0 else "below"
