"""Hard negatives: from a caption, others that are wrong in one thing only
(Yuksekgonul et al. 2023).

Without them word order hardly matters to a contrastive loss: a batch seldom holds
two captions that differ in word order alone. Lesson 12.

Each change below takes what a caption says and a random number in [0, 1), which
decides how.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from dalle_edu.systems.hard_negatives.attributes import attribute_names, described
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption, guess_language, phrasings
from dalle_edu.world.held_out import names_held_out
from dalle_edu.world.scenes import OPPOSITE, Description

Change = Callable[..., Description]  # of a description, by a number in [0, 1)
_FIELDS = ("shape", "colour", "size")


def _opposite(
    said: Description, draw: float, catalogue: Catalogue = SHAPES
) -> Description:
    return replace(said, relation=OPPOSITE[said.relation or "left"])


def _across(
    said: Description, draw: float, catalogue: Catalogue = SHAPES
) -> Description:
    beside = said.relation in ("left", "right")
    relations = ("above", "below") if beside else ("left", "right")
    return replace(said, relation=relations[int(2 * draw)])


def _colours_swapped(
    said: Description, draw: float, catalogue: Catalogue = SHAPES
) -> Description:
    first, second = said.mentions
    new_first = replace(first, colour=second.colour)
    new_second = replace(second, colour=first.colour)
    return replace(said, mentions=(new_first, new_second))


def _shapes_swapped(
    said: Description, draw: float, catalogue: Catalogue = SHAPES
) -> Description:
    first, second = said.mentions
    new_first = replace(first, shape=second.shape)
    new_second = replace(second, shape=first.shape)
    return replace(said, mentions=(new_first, new_second))


def _number(
    said: Description, draw: float, catalogue: Catalogue = SHAPES
) -> Description:
    return replace(said, count=1 + (said.count + int(3 * draw)) % 4)


def _change(field: str) -> Change:
    """A change of one attribute, `field`, of one of the objects of which it is
    stated, to another of the catalogue's.
    """

    def change(
        said: Description, draw: float, catalogue: Catalogue = SHAPES
    ) -> Description:
        names = attribute_names(catalogue)[_FIELDS.index(field)]
        mentions = list(said.mentions)
        places = [
            i
            for i, mention in enumerate(mentions)
            if getattr(mention, field) is not None
        ]
        place = places[int(draw * len(places))]
        now = getattr(mentions[place], field)
        others = [name for name in names if name != now] or [now]
        other = others[int(draw * 1009) % len(others)]
        mentions[place] = replace(mentions[place], **{field: other})
        return replace(said, mentions=tuple(mentions))

    return change


_shape, _colour, _size = (_change(field) for field in _FIELDS)
CHANGES: dict[str, tuple[Callable[[Description], object], Change]] = {
    # what a caption must state, and the change
    "opposite": (lambda said: said.relation, _opposite),
    "across": (lambda said: said.relation, _across),
    "colours_swapped": (
        lambda said: (
            len(said.mentions) == 2 and all(m.colour for m in said.mentions)
        ),
        _colours_swapped,
    ),
    "shapes_swapped": (lambda said: len(said.mentions) == 2, _shapes_swapped),
    "number": (lambda said: len(said.mentions) == 1, _number),
    "shape": (lambda said: True, _shape),
    "colour": (lambda said: all(m.colour for m in said.mentions), _colour),
    "size": (lambda said: any(m.size for m in said.mentions), _size),
}


# How often each change is made, against 1 for the others: those that are learned
# last are made most. `hard_negatives` takes its three from three parts of this
# order, so the first nearly always reverses the relation, where there is one.
_OFTEN = {
    "opposite": 6,
    "across": 2,
    "colours_swapped": 3,
    "shapes_swapped": 3,
    "shape": 4,
}


def hard_negative(
    text: str,
    draws: Sequence[float],
    change: str | None = None,
    catalogue: Catalogue | None = SHAPES,
) -> str:
    """A caption changed in one thing. `draws` are random numbers in [0, 1).

    For training, the first of `draws` chooses among the changes that the caption
    allows, the second says how it is changed, and the third chooses the language
    and the words. The result never names a combination that training holds out: in
    hard negatives alone, it would be learned as always false.

    For an exam, `change` is a key of `CHANGES`, the second of `draws` says how, and
    the caption keeps its language and its words.

    A caption comes back as it is if the grammar of the catalogue cannot read it, if
    it does not state what is to change, or if the result would be held out.
    """
    said = described(text, catalogue)
    if said is None or catalogue is None:
        return text
    possible = [
        name
        for name, (says, _) in CHANGES.items()
        if says(said) and change in (None, name)
        for _ in range(_OFTEN.get(name, 1))
    ]
    if not possible:
        return text
    _, make = CHANGES[possible[int(draws[0] * len(possible))]]
    made = make(said, draws[1], catalogue)
    if change is None and names_held_out(made, catalogue):
        return text
    if change is not None:
        language = guess_language(text, catalogue)
        ways = phrasings(said, language, catalogue)
        way = ways.index(text) if text in ways else 0
        return caption(made, language, way, catalogue)
    choice = int(draws[2] * 720720)
    return caption(made, LANGUAGES[choice % 2], choice // 2, catalogue)


def hard_negatives(
    captions: Sequence[str],
    each: int,
    generator: torch.Generator | None,
    device: torch.device | str,
    catalogue: Catalogue | None = SHAPES,
) -> list[str]:
    """`each` hard negatives of each caption: first one of every caption, then a
    second of every caption, and so on. The negatives of a caption come from
    different parts of the range of changes. Random numbers come from `generator`,
    which is on `device`. Captions that people wrote, of no catalogue, have none.
    """
    if catalogue is None:
        return []
    shape = (each, len(captions), 3)
    draws = torch.rand(shape, generator=generator, device=device).cpu()
    # stratified: the i-th negative takes its change from the i-th part of the range
    draws[..., 0] = (draws[..., 0] + torch.arange(each)[:, None]) / each
    return [
        hard_negative(text, draw, catalogue=catalogue)
        for round_of_draws in draws.tolist()
        for text, draw in zip(captions, round_of_draws, strict=True)
    ]
