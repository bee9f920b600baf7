"""What captions claim, and which claims go together: who is whose negative when CLIP learns.

CLIP takes every other caption of a batch for a false one. In a small world many are not: "un cercle rouge" is true of the picture that came
with "a red circle", and so may "a large red circle" be. Here a caption is a row of numbers, one for each thing that it can say, and two
captions contradict each other where they both say something and say it differently. And from a caption others are made that contradict it
in one thing only, the hard negatives of Yuksekgonul et al. 2023: without them word order hardly matters to the loss.

Letters: n and m captions, f = 8 fields.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption, guess_language, phrasings, read_caption
from dalle_edu.world.scenes import OPPOSITE, RELATIONS, Description, Mention

UNSAID = -1
_NAMES = [[thing.name for thing in things] for things in (SHAPES.shapes, SHAPES.colours, SHAPES.sizes)]
_OTHER_WAY_ROUND = [0, 4, 5, 6, 1, 2, 3]
_TURNED = torch.tensor([*(RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS), UNSAID])
_FOREIGN = 100  # numbers from here on stand for captions that the grammar cannot read, each like itself alone


def claims(captions: Sequence[str]) -> Int[Tensor, "n 8"]:
    """Each caption as a row: how many objects, shape, colour and size of the first, the same of the second, and their relation."""
    return torch.tensor([_claim(text) for text in captions])


@lru_cache(maxsize=1 << 16)
def _claim(text: str) -> tuple[int, ...]:
    said = read_caption(text)
    if said is None:
        return (_FOREIGN + zlib.crc32(text.encode()), *[UNSAID] * 7)
    first, second = said.mentions[0], said.mentions[-1]  # one object, or several alike, say the same twice
    relation = RELATIONS.index(said.relation) if said.relation else UNSAID
    return (said.number, *_mention(first), *_mention(second), relation)


def _mention(mention: Mention) -> tuple[int, ...]:
    said = zip((mention.shape, mention.colour, mention.size), _NAMES, strict=True)
    return tuple(UNSAID if word is None else names.index(word) for word, names in said)


def compatible(some: Int[Tensor, "n 8"], others: Int[Tensor, "m 8"]) -> Bool[Tensor, "n m"]:
    """Whether one picture could bear both captions: they contradict each other in nothing, whichever object each names first."""
    turned = torch.cat([others[:, _OTHER_WAY_ROUND], _TURNED.to(others.device)[others[:, 7:]]], dim=1)
    return _agree(some, others) | _agree(some, turned)


def _agree(some: Tensor, others: Tensor) -> Tensor:
    some, others = some[:, None], others[None]
    return ((some == others) | (some == UNSAID) | (others == UNSAID)).all(dim=2)


# ---------------------------------------------------------------- captions that claim the same


def say_otherwise(captions: Sequence[str], generator: torch.Generator | None = None) -> list[str]:
    """Each caption in other words of either language, naming either object first; one that the grammar cannot read stays as it is."""
    draws = torch.rand(len(captions), generator=generator, device=generator.device if generator else None).tolist()
    said = []
    for text, draw in zip(captions, draws, strict=True):
        description = read_caption(text)
        ways = (text,) if description is None else _ways(description)
        said.append(ways[int(draw * len(ways))])
    return said


@lru_cache(maxsize=1 << 16)
def _ways(description: Description) -> tuple[str, ...]:
    sides = dict.fromkeys((description, description.turned()))
    return tuple(way for side in sides for language in LANGUAGES for way in phrasings(side, language))


# ---------------------------------------------------------------- captions that are wrong in one thing


def _opposite(said: Description, draw: float) -> Description:
    return replace(said, relation=OPPOSITE[said.relation or "left"])


def _across(said: Description, draw: float) -> Description:
    return replace(
        said, relation=("above", "below")[int(2 * draw)] if said.relation in ("left", "right") else ("left", "right")[int(2 * draw)]
    )


def _colours_swapped(said: Description, draw: float) -> Description:
    first, second = said.mentions
    return replace(said, mentions=(replace(first, colour=second.colour), replace(second, colour=first.colour)))


def _shapes_swapped(said: Description, draw: float) -> Description:
    first, second = said.mentions
    return replace(said, mentions=(replace(first, shape=second.shape), replace(second, shape=first.shape)))


def _number(said: Description, draw: float) -> Description:
    return replace(said, count=1 + (said.count + int(3 * draw)) % 4)


def _change(field: str, names: Sequence[str]) -> Callable[[Description, float], Description]:
    """Another shape, colour or size for one of the objects of which one is said."""

    def change(said: Description, draw: float) -> Description:
        mentions = list(said.mentions)
        places = [i for i, mention in enumerate(mentions) if getattr(mention, field) is not None]
        place = places[int(draw * len(places))]
        now = getattr(mentions[place], field)
        others = [name for name in names if name != now]
        mentions[place] = replace(mentions[place], **{field: others[int(draw * 1009) % len(others)]})
        return replace(said, mentions=tuple(mentions))

    return change


_shape, _colour, _size = (_change(field, names) for field, names in zip(("shape", "colour", "size"), _NAMES, strict=True))
CHANGES: dict[str, tuple[Callable[[Description], object], Callable[[Description, float], Description]]] = {
    # what must have been said, and the change
    "opposite": (lambda said: said.relation, _opposite),
    "across": (lambda said: said.relation, _across),
    "colours_swapped": (lambda said: len(said.mentions) == 2 and all(m.colour for m in said.mentions), _colours_swapped),
    "shapes_swapped": (lambda said: len(said.mentions) == 2, _shapes_swapped),
    "number": (lambda said: len(said.mentions) == 1, _number),
    "shape": (lambda said: True, _shape),
    "colour": (lambda said: all(m.colour for m in said.mentions), _colour),
    "size": (lambda said: any(m.size for m in said.mentions), _size),
}


# How often each change comes, against 1 for the others: what is learned last comes most. Of three false captions, taken from as many parts
# of this order, the first nearly always turns the relation round, where there is one.
_OFTEN = {"opposite": 6, "across": 2, "colours_swapped": 3, "shapes_swapped": 3, "shape": 4}


def contradict(text: str, draws: Sequence[float], change: str | None = None) -> str:
    """The caption changed in one thing.

    For training, the first of `draws` says in what, of all that it allows, the second how, and the third chooses the language and the
    words; what training holds out is not said, since, heard of in false captions alone, it would be learned as what is never true. For an
    exam, `change` says in what, and the caption keeps its language and its words. One that the grammar cannot read, that does not say what
    is to change or that would say what is held out comes back as it is.
    """
    said = read_caption(text)
    if said is None:
        return text
    possible = [name for name, (says, _) in CHANGES.items() if says(said) and change in (None, name) for _ in range(_OFTEN.get(name, 1))]
    if not possible:
        return text
    _, make = CHANGES[possible[int(draws[0] * len(possible))]]
    made = make(said, draws[1])
    if change is None and says_what_is_held_out(made):
        return text
    if change is not None:
        language = guess_language(text)
        ways = phrasings(said, language)
        return caption(made, language, ways.index(text) if text in ways else 0)
    choice = int(draws[2] * 720720)
    return caption(made, LANGUAGES[choice % 2], choice // 2)


@lru_cache(maxsize=1 << 16)
def without_colours(text: str) -> str:
    """The caption, in its own language, with every colour left open. One that the grammar cannot read comes back as it is."""
    said = read_caption(text)
    if said is None:
        return text
    return caption(replace(said, mentions=tuple(replace(mention, colour=None) for mention in said.mentions)), guess_language(text))


def says_what_is_held_out(said: Description, catalogue: Catalogue = SHAPES) -> bool:
    """Whether the words themselves name a combination that training never shows."""
    if any((mention.shape, mention.colour) in catalogue.held_out_objects for mention in said.mentions):
        return True
    if said.relation is None:
        return False
    first, second = (mention.shape for mention in said.mentions)
    both = ((first, said.relation, second), (second, OPPOSITE[said.relation], first))
    return any(combination in catalogue.held_out_relations for combination in both)
