"""The catalogue of the world: its shapes, colours and sizes, their words in each language, and the combinations held out of training.

A new shape is a signed distance or a sprite, and its words. A new colour is an RGB triple and its words. Renderer, grammar, examiner and
tokenizer read the catalogue and need no change.
"""

from dataclasses import dataclass

from dalle_edu.world import shapes
from dalle_edu.world.drawings import Drawing, SignedDistance

LANGUAGES = ("fr", "en")
WORLD = 1  # the number of this world: marks taken in worlds of different numbers do not compare


@dataclass(frozen=True)
class Noun:
    """A noun: its singular, its plural and its grammatical gender. Captions in English ignore the gender.

    `article` is "a" or "an", for an English word of which `words.indefinite_article` does not guess it.
    """

    singular: str
    plural: str
    feminine: bool = False
    article: str = ""

    def form(self, feminine: bool, plural: bool) -> str:
        """The form of this number; `feminine` is there for the likeness with adjectives, and a noun has a gender of its own."""
        return self.plural if plural else self.singular


@dataclass(frozen=True)
class Adjective:
    """An adjective in its four forms. A plural left empty equals the singular, and a feminine left empty equals the masculine.

    `article` is "a" or "an", for an English word of which `words.indefinite_article` does not guess it.
    """

    masculine: str
    feminine: str = ""
    masculine_plural: str = ""
    feminine_plural: str = ""
    article: str = ""

    def form(self, feminine: bool, plural: bool) -> str:
        """The form that agrees with a noun of this gender and number."""
        if plural:
            return (self.feminine_plural if feminine else self.masculine_plural) or self.form(feminine, plural=False)
        return (feminine and self.feminine) or self.masculine


@dataclass(frozen=True)
class Shape:
    """A shape: what draws it, a signed distance or a sprite (`drawings.py`), and, by language, its noun."""

    name: str
    drawing: Drawing
    words: dict[str, Noun]


@dataclass(frozen=True)
class Colour:
    """A colour: red, green and blue in [0, 1] and, by language, its adjective."""

    name: str
    rgb: tuple[float, float, float]
    words: dict[str, Adjective]


@dataclass(frozen=True)
class Size:
    """A size: the lowest and the highest radius, as parts of the canvas's side in [0, 1], and, by language, its adjective."""

    name: str
    radius: tuple[float, float]
    words: dict[str, Adjective]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The shapes, colours and sizes that scenes are sampled from, and the held-out combinations that training never shows.

    `held_out_objects` are (shape, colour) pairs. `held_out_relations` are (shape, "left" | "above", shape) triples. Both measure
    compositional generalisation: whether a system can combine known words in a way that it never saw. A catalogue equals itself alone.
    """

    shapes: tuple[Shape, ...]
    colours: tuple[Colour, ...]
    sizes: tuple[Size, ...]
    held_out_objects: frozenset[tuple[str, str]] = frozenset()
    held_out_relations: frozenset[tuple[str, str, str]] = frozenset()

    def shape(self, name: str) -> Shape:
        """The shape of a name. Raises `StopIteration` where the catalogue has none."""
        return next(shape for shape in self.shapes if shape.name == name)

    def colour(self, name: str) -> Colour:
        """The colour of a name. Raises `StopIteration` where the catalogue has none."""
        return next(colour for colour in self.colours if colour.name == name)

    def size(self, name: str) -> Size:
        """The size of a name. Raises `StopIteration` where the catalogue has none."""
        return next(size for size in self.sizes if size.name == name)


def _invariable(french: str, english: str) -> dict[str, Adjective]:
    return {"fr": Adjective(french), "en": Adjective(english)}


def _regular(french: str, english: str, feminine: str | None = None) -> dict[str, Adjective]:
    feminine = feminine or french + ("" if french.endswith("e") else "e")
    return {"fr": Adjective(french, feminine, french + "s", feminine + "s"), "en": Adjective(english)}


def _nouns(french: Noun, english: str) -> dict[str, Noun]:
    return {"fr": french, "en": Noun(english, english + ("es" if english.endswith("s") else "s"))}


_SHAPES = (
    Shape("circle", SignedDistance(shapes.circle), _nouns(Noun("cercle", "cercles"), "circle")),
    Shape("square", SignedDistance(shapes.square), _nouns(Noun("carré", "carrés"), "square")),
    Shape("triangle", SignedDistance(shapes.triangle), _nouns(Noun("triangle", "triangles"), "triangle")),
    Shape("star", SignedDistance(shapes.star), _nouns(Noun("étoile", "étoiles", feminine=True), "star")),
    Shape("cross", SignedDistance(shapes.cross), _nouns(Noun("croix", "croix", feminine=True), "cross")),
    Shape("ring", SignedDistance(shapes.ring), _nouns(Noun("anneau", "anneaux"), "ring")),
    Shape("heart", SignedDistance(shapes.heart), _nouns(Noun("cœur", "cœurs"), "heart")),
    Shape("diamond", SignedDistance(shapes.diamond), _nouns(Noun("losange", "losanges"), "diamond")),
)

_COLOURS = (
    Colour("red", (0.90, 0.10, 0.12), _regular("rouge", "red")),
    Colour("green", (0.10, 0.62, 0.20), _regular("vert", "green")),
    Colour("blue", (0.10, 0.32, 0.88), _regular("bleu", "blue")),
    Colour("yellow", (0.98, 0.82, 0.05), _regular("jaune", "yellow")),
    Colour("purple", (0.52, 0.16, 0.68), _regular("violet", "purple", feminine="violette")),
    Colour("orange", (0.98, 0.52, 0.05), _invariable("orange", "orange")),
    Colour("black", (0.06, 0.06, 0.08), _regular("noir", "black")),
    Colour("pink", (1.00, 0.45, 0.72), _regular("rose", "pink")),
)

_SIZES = (
    Size("small", (0.13, 0.15), _regular("petit", "small")),
    Size("large", (0.19, 0.21), _regular("grand", "large")),
)

_CIRCLE = [shape.name for shape in _SHAPES]  # both lists are read modulo 8, so that each name is held out exactly once in each role
_HUES = [colour.name for colour in _COLOURS]

SHAPES = Catalogue(
    shapes=_SHAPES,
    colours=_COLOURS,
    sizes=_SIZES,
    held_out_objects=frozenset((_CIRCLE[i], _HUES[(5 * i + 2) % 8]) for i in range(8)),
    held_out_relations=frozenset((_CIRCLE[i], "left", _CIRCLE[(i + 3) % 8]) for i in range(8))
    | frozenset((_CIRCLE[i], "above", _CIRCLE[(i + 5) % 8]) for i in range(8)),
)
