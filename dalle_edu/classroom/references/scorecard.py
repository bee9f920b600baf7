"""Marks, their rates and intervals against SciPy and plain Python that tries every order of the objects."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.marks import SKILLS
from dalle_edu.world.scenes import RELATIONS, Description, Mention, Object, Scene

SHAPES, COLOURS, SIZES = ("star", "circle", "square"), ("red", "green", "blue"), ("small", "large")


def thing(shape: str, colour: str, x: float = 0.5, y: float = 0.5, size: str = "small") -> Object:
    """An object of the world at a place, with the radius that its size has."""
    return Object(shape, colour, size, x, y, 0.14 if size == "small" else 0.2)


def drawn_object(rng: np.random.Generator) -> Object:
    x, y = (round(float(part), 2) for part in rng.uniform(0.15, 0.85, 2))
    return thing(str(rng.choice(SHAPES)), str(rng.choice(COLOURS)), x, y, str(rng.choice(SIZES)))


def drawn_description(rng: np.random.Generator) -> Description:
    """One object, several alike or two, of which colours, sizes and the relation may be left unsaid."""

    def mention() -> Mention:
        colour, size = (str(rng.choice(names)) if rng.random() < 0.7 else None for names in (COLOURS, SIZES))
        return Mention(str(rng.choice(SHAPES)), colour, size)

    if rng.random() < 0.4:
        return Description((mention(),), int(rng.integers(1, 4)))
    return Description((mention(), mention()), relation=str(rng.choice(RELATIONS)) if rng.random() < 0.7 else None)


def as_said(description: Description, rng: np.random.Generator) -> list[Object]:
    """Objects that a description is true of, in any order, of which one may then be spoilt."""
    mentions = description.mentions if len(description.mentions) == 2 else description.mentions * description.count
    left_out = [(m.colour or str(rng.choice(COLOURS)), m.size or str(rng.choice(SIZES))) for m in mentions]
    away = {"left": (0.2, 0.5), "right": (0.8, 0.5), "above": (0.5, 0.2), "below": (0.5, 0.8), None: (0.3, 0.4)}[description.relation]
    places = [away, (0.5, 0.45), (0.7, 0.8), (0.2, 0.8)]
    objects = [thing(m.shape, c, x, y, s) for m, (c, s), (x, y) in zip(mentions, left_out, places, strict=False)]
    spoilt, which = rng.integers(0, 5), int(rng.integers(len(objects)))
    if spoilt == 1:
        objects[which] = replace(objects[which], colour="pink")
    elif spoilt == 2:
        objects[which] = replace(objects[which], shape="")
    elif spoilt == 3:
        objects[which] = replace(objects[which], x=1 - objects[which].x, y=1 - objects[which].y)
    return [objects[place] for place in rng.permutation(len(objects))]


def _relation(one: Object, other: Object) -> str:
    """Where the first of two objects is: of the two distances, the longer decides, and the horizontal one where they are equal."""
    right, down = one.x - other.x, one.y - other.y
    horizontal = abs(right) >= abs(down)
    return ("right" if right >= 0 else "left") if horizontal else ("below" if down >= 0 else "above")


def _marked(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    mentions = [*description.mentions] * (description.count if len(description.mentions) == 1 else 1)
    related, alike = description.relation, len(description.mentions) == 1
    best: tuple[int, int, int, int] = (-1, 0, 0, 0)
    for order in permutations(objects) if len(objects) == len(mentions) else ():
        pairs = [*zip(mentions, order, strict=True)]
        shapes = sum(m.shape == o.shape for m, o in pairs)
        colours = sum(m.colour is None or m.colour == o.colour for m, o in pairs)
        sizes = sum(m.size is None or m.size == o.size for m, o in pairs)
        best = max(best, (shapes, colours, sizes, int(related is not None and _relation(order[0], order[1]) == related)))
    n, number = len(mentions), len(objects) == len(mentions)
    bound = best[:2] == (n, n)
    every = Counter(m.shape for m in mentions), Counter(o.shape for o in objects)
    asks = {
        "single_object": n == 1,
        "two_objects": not alike,
        "counting": alike and n > 1,
        "colours": all(m.colour for m in mentions),
        "shape": True,
        "size": any(m.size for m in mentions),
        "position": related is not None,
        "colour_attribution": not alike and all(len({getattr(m, what) for m in mentions} - {None}) == 2 for what in ("shape", "colour")),
    }
    answers = {
        "single_object": bound,
        "two_objects": every[0] == every[1],
        "counting": number,
        "colours": {m.colour for m in mentions} == {o.colour for o in objects},
        "shape": every[0].keys() == every[1].keys(),
        "size": number and best[2] == n,
        "position": bound and best[3] == 1,
        "colour_attribution": bound,
    }
    return {skill: answers[skill] for skill in SKILLS if asks[skill]}


ONE, ANY_STAR, THREE = (
    Description((Mention("star", "green"),)),
    Description((Mention("star"),)),
    Description((Mention("cross", "pink"),), 3),
)
PAIR = Description((Mention("circle", "red"), Mention("square", "blue")))
LARGE = Description((Mention("circle", "red", "large"), Mention("square", "blue", "small")))
LEFT = replace(PAIR, relation="left")
HALF_SAID, TWINS = (
    Description((Mention("circle"), Mention("square", "blue"))),
    Description((Mention("circle", "red"), Mention("circle", "blue"))),
)
STAR, CIRCLE, SQUARE = thing("star", "green"), thing("circle", "red", 0.2), thing("square", "blue", 0.8)
CROSSES = [thing("cross", "pink", x) for x in (0.2, 0.5, 0.8)]
BY_HAND: list[tuple[Description, list[Object]]] = [
    (ONE, [STAR]),
    (ONE, []),
    (ONE, [STAR, STAR]),
    (ONE, [thing("star", "red")]),
    (ANY_STAR, [thing("star", "black")]),
    (ANY_STAR, [thing("", "black")]),
    (PAIR, [SQUARE, CIRCLE]),
    (PAIR, [thing("circle", "blue"), thing("square", "red")]),
    (PAIR, [CIRCLE, SQUARE, SQUARE]),
    (PAIR, [CIRCLE, CIRCLE]),
    (LEFT, [CIRCLE, SQUARE]),
    (LEFT, [SQUARE, CIRCLE]),
    (LEFT, [thing("circle", "red", 0.8), thing("square", "blue", 0.2)]),
    (LEFT, [thing("square", "blue", 0.7, 0.7), thing("circle", "red", 0.2, 0.2)]),
    (replace(PAIR, relation="above"), [thing("circle", "red", 0.2, 0.2), thing("square", "blue", 0.7, 0.7)]),
    (replace(LEFT, mentions=HALF_SAID.mentions), [SQUARE, thing("circle", "green", 0.2)]),
    (LARGE, [SQUARE, replace(CIRCLE, size="large")]),
    (LARGE, [SQUARE, CIRCLE]),
    (TWINS, [thing("circle", "blue"), thing("circle", "red")]),
    (replace(TWINS, relation="left"), [thing("circle", "blue", 0.8), thing("circle", "red", 0.2)]),
    (replace(TWINS, relation="left"), [thing("circle", "blue", 0.2), thing("circle", "red", 0.8)]),
    (Description((Mention("star"), Mention("star")), relation="below"), [thing("star", "red", y=0.2), thing("star", "red", y=0.9)]),
    (THREE, CROSSES),
    (THREE, CROSSES[:2]),
    (THREE, [STAR] * 3),
    (THREE, [*CROSSES[:2], thing("cross", "red")]),
]


def _pictures(seed: int) -> list[tuple[Description, list[Object]]]:
    """Descriptions and what pictures show: by hand, then drawn, most of them nearly as said."""
    rng, pictures = np.random.default_rng(seed), list(BY_HAND)
    for _ in range(40):
        said = drawn_description(rng)
        pictures.append((said, as_said(said, rng) if rng.random() < 0.8 else [drawn_object(rng) for _ in range(rng.integers(0, 4))]))
    return pictures


def _mark(seed: int) -> list[Case]:
    return [call(_marked, said, objects) for said, objects in _pictures(seed)]


def _true_of(seed: int) -> list[Case]:
    def peer(description: Description, scene: Scene) -> bool:
        wanted = [*description.mentions] * (description.count if len(description.mentions) == 1 else 1)
        return len(wanted) == len(scene.objects) and any(
            all(
                m.shape == o.shape and m.colour in (None, o.colour) and m.size in (None, o.size) for m, o in zip(wanted, order, strict=True)
            )
            and (not description.relation or _relation(order[0], order[1]) == description.relation)
            for order in permutations(scene.objects)
        )

    return [call(peer, said, Scene(tuple(objects), said)) for said, objects in _pictures(seed)]


# ---------------------------------------------------------------- rates


def _wilson(seed: int) -> list[Case]:
    def peer(correct: int, n: int) -> tuple[float, float]:
        from scipy.stats import binomtest

        if n == 0:
            return 0.0, 1.0
        low, high = binomtest(correct, n).proportion_ci(0.95, method="wilson")
        return float(low), float(high)

    rng = np.random.default_rng(seed)
    drawn = [(int(rng.integers(0, n + 1)), int(n)) for n in rng.integers(2, 2000, 12)]
    return [call(peer, *counts) for counts in [(9, 10), (0, 10), (10, 10), (5, 10), (0, 1), (1, 1), (38, 40), (0, 0), *drawn]]


def _tally(seed: int) -> list[Case]:
    def peer(marks: Sequence[dict[str, bool]]) -> dict[str, Rate]:
        asked, right = (Counter(skill for each in marks for skill in each if all_of_them or each[skill]) for all_of_them in (True, False))
        return {skill: Rate(asked[skill], right[skill]) for skill in SKILLS}

    rng = np.random.default_rng(seed)
    drawn = [{skill: bool(rng.random() < 0.7) for skill in SKILLS if rng.random() < 0.5} for _ in range(30)]
    few = [{"shape": True, "single_object": False}, {"shape": False}, {"shape": True, "counting": True}]
    asked: list[list[dict[str, bool]]] = [[{"shape": True}], few, [], [{}], drawn]
    return [call(peer, marks) for marks in asked]


REFERENCES = [
    Reference("scorecard.marks:mark", say("every order of the objects", "tous les ordres des objets"), cases=_mark, tolerance=0.0),
    Reference("scorecard.marks:tally", "collections.Counter", cases=_tally, tolerance=0.0),
    Reference("scorecard.critic_exam:true_of", say("every order of the objects", "tous les ordres des objets"), _true_of, 0.0),
    Reference("scorecard.confidence_interval:wilson_interval", "scipy.stats.binomtest", cases=_wilson, tolerance=1e-10),
]
