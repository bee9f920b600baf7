"""Scenes: what stands where, and what a caption will say of it.

A `Scene` is a value. Places and radii are parts of the canvas's side, x to the right and y downwards.
"""

from dataclasses import dataclass, replace

RELATIONS = ("left", "right", "above", "below")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


@dataclass(frozen=True)
class Object:
    """One drawn object: names from the catalogue, centre and radius as parts of the canvas's side."""

    shape: str
    colour: str
    size: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Mention:
    """What a caption says of an object; None is what it leaves open."""

    shape: str
    colour: str | None = None
    size: str | None = None


@dataclass(frozen=True)
class Description:
    """What a caption says: one mention, `count` objects alike, or two mentions and perhaps the relation of the first to the second."""

    mentions: tuple[Mention, ...]
    count: int = 1
    relation: str | None = None

    @property
    def number(self) -> int:
        """How many objects the picture must hold."""
        return self.count if len(self.mentions) == 1 else len(self.mentions)

    def turned(self) -> "Description":
        """The same said from the other side: the second object first, and the opposite relation. One mention has no other side."""
        relation = OPPOSITE[self.relation] if self.relation else None
        return replace(self, mentions=self.mentions[::-1], relation=relation)


@dataclass(frozen=True)
class Scene:
    """The objects of a picture and what its caption says of them."""

    objects: tuple[Object, ...]
    description: Description


def relation_between(first: Object, second: Object) -> str:
    """The relation of the first object to the second: along the axis on which their centres lie farther apart."""
    dx, dy = first.x - second.x, first.y - second.y
    if abs(dx) >= abs(dy):
        return "left" if dx < 0 else "right"
    return "above" if dy < 0 else "below"
