"""The scene sampler: random scenes, of which the same seed gives the same on every machine.

All random numbers come from Python's Mersenne Twister and all arithmetic is that of IEEE doubles, which makes scenes reproducible. Places
and radii are parts of the canvas's side, x to the right and y downwards.
"""

import random
from collections.abc import Callable, Mapping

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import check_seed
from dalle_edu.world.catalogue import SHAPES, Catalogue, Size
from dalle_edu.world.held_out import is_held_out
from dalle_edu.world.scenes import RELATIONS, Description, Mention, Object, Scene

KINDS = {"single": 0.36, "pair": 0.12, "relation": 0.28, "count": 0.24}  # the probability of each kind of caption
PRACTICE = {"single": 0.13, "pair": 0.45, "relation": 0.25, "count": 0.17}  # the same for training, with more of the hard kinds
SPLITS = ("seen", "held_out", "all")
_GAP, _MARGIN = 0.04, 0.01  # least distance between two objects, and of an object to the edge
_SIZE_SAID, _COLOUR_SAID = 0.35, 0.93  # the probability that a caption gives the size, and the colour


def sample_scene(
    seed: int, index: int = 0, split: str = "seen", catalogue: Catalogue = SHAPES, kinds: Mapping[str, float] = KINDS
) -> Scene:
    """Sample scene number `index` of the series `seed`.

    `split` is "seen" (without held-out combinations), "held_out" (with one at least) or "all". `kinds` gives the probability of each kind
    of caption. Raises `DalleEduError` as `check_split` and `check_seed` do.
    """
    check_split(split, catalogue)
    rng = random.Random(f"{check_seed(seed)}:{index}:{split}")
    while True:
        scene = _draw(rng, catalogue, kinds)
        if split == "all" or is_held_out(scene.objects, catalogue) == (split == "held_out"):
            return scene


def check_split(split: str, catalogue: Catalogue = SHAPES) -> None:
    """Raise `DalleEduError` for a split outside `SPLITS`, and for "held_out" where the catalogue holds nothing out."""
    if split not in SPLITS:
        known = ", ".join(SPLITS)
        raise DalleEduError(f'the split is "{split}"; choose among: {known}', f"la partie est « {split} » ; choisissez parmi : {known}")
    if split == "held_out" and not (catalogue.held_out_objects or catalogue.held_out_relations):
        raise DalleEduError(
            'this catalogue holds no combination out; ask for the split "seen" or "all"',
            "ce catalogue ne réserve aucune combinaison ; demandez la partie « seen » ou « all »",
        )


def _choose(rng: random.Random, options):
    return options[int(rng.random() * len(options))]


def _draw(rng: random.Random, catalogue: Catalogue, kinds: Mapping[str, float]) -> Scene:
    kind = _kind(rng.random(), kinds)
    first = _mention(rng, catalogue)
    if kind == "single":
        description = Description((first,))
    elif kind == "count":
        description = Description((first,), count=2 + int(rng.random() * 3))
    else:
        second = _mention(rng, catalogue)
        while (second.shape, second.colour) == (first.shape, first.colour):
            second = _mention(rng, catalogue)
        description = Description((first, second), relation=_choose(rng, RELATIONS) if kind == "relation" else None)
    mentions = description.mentions if description.count == 1 else (first,) * description.count
    sizes = [catalogue.size(mention.size or "") for mention in mentions]
    radii = [low + rng.random() * (high - low) for low, high in (size.radius for size in sizes)]
    places = _places(rng, radii, sizes, description.relation)
    objects = tuple(
        Object(mention.shape, mention.colour or "", mention.size or "", x, y, radius)
        for mention, (x, y), radius in zip(mentions, places, radii, strict=True)
    )
    said = tuple(_leave_open(rng, mention) for mention in description.mentions)
    return Scene(objects, Description(said, description.count, description.relation))


def _kind(point: float, kinds: Mapping[str, float]) -> str:
    """The kind of caption that a uniform number in [0, 1) selects (inverse transform sampling)."""
    for kind, share in kinds.items():
        point -= share
        if point < 0:
            return kind
    return next(reversed(list(kinds)))


def _mention(rng: random.Random, catalogue: Catalogue) -> Mention:
    shape, colour, size = (_choose(rng, options).name for options in (catalogue.shapes, catalogue.colours, catalogue.sizes))
    return Mention(shape, colour, size)


def _leave_open(rng: random.Random, mention: Mention) -> Mention:
    colour = mention.colour if rng.random() < _COLOUR_SAID else None
    size = mention.size if rng.random() < _SIZE_SAID else None
    return Mention(mention.shape, colour, size)


Place = tuple[float, float]


def _places(rng: random.Random, radii: list[float], sizes: list[Size], relation: str | None) -> list[Place]:
    """Centres at which objects neither touch nor leave the canvas, and the first has `relation` to the second (rejection sampling)."""
    if len(radii) > 2 and max(radii) > 0.16:
        return _quadrants(rng, radii)
    while True:
        places: list[Place] = []
        for radius in radii:
            low, room = radius + _MARGIN, 1 - 2 * (radius + _MARGIN)
            places.append((low + rng.random() * room, low + rng.random() * room))
        if _apart(places, radii) and (relation is None or _clearly(relation, places[0], places[1])):
            return places


def _quadrants(rng: random.Random, radii: list[float]) -> list[Place]:
    """Centres of three or four objects, each in a random quarter of the canvas: rejection would take too long for large objects."""
    quarters = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]
    places = []
    for radius in radii:
        left, top = quarters.pop(int(rng.random() * len(quarters)))
        low, room = radius + _GAP / 2, 0.5 - 2 * (radius + _GAP / 2)
        places.append((left + low + rng.random() * room, top + low + rng.random() * room))
    return places


def _apart(places: list[Place], radii: list[float]) -> bool:
    return all(
        (places[i][0] - places[j][0]) ** 2 + (places[i][1] - places[j][1]) ** 2 >= (radii[i] + radii[j] + _GAP) ** 2
        for i in range(len(places))
        for j in range(i)
    )


_ACROSS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "left": lambda dx, dy: (-dx, dy),
    "right": lambda dx, dy: (dx, dy),
    "above": lambda dx, dy: (-dy, dx),
    "below": lambda dx, dy: (dy, dx),
}


def _clearly(relation: str, first: Place, second: Place) -> bool:
    """Whether a relation is unambiguous: the centres lie at least twice as far apart along its axis as across it."""
    along, across = _ACROSS[relation](first[0] - second[0], first[1] - second[1])
    return along >= 2 * abs(across)
