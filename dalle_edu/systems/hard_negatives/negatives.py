"""Hard negatives: from a caption, others that are wrong in one thing only
(Yuksekgonul et al. 2023).

Without them word order hardly matters to a contrastive loss: a batch seldom holds
two captions that differ in it alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from dalle_edu.systems.hard_negatives.attributes import ATTRIBUTE_NAMES
from dalle_edu.world.catalogue import LANGUAGES
from dalle_edu.world.grammar import caption, guess_language, phrasings, read_caption
from dalle_edu.world.held_out import names_held_out
from dalle_edu.world.scenes import OPPOSITE, Description


def _opposite(said: Description, draw: float) -> Description:
    return replace(said, relation=OPPOSITE[said.relation or "left"])


def _across(said: Description, draw: float) -> Description:
    return replace(
        said,
        relation=("above", "below")[int(2 * draw)]
        if said.relation in ("left", "right")
        else ("left", "right")[int(2 * draw)],
    )


def _colours_swapped(said: Description, draw: float) -> Description:
    first, second = said.mentions
    return replace(
        said,
        mentions=(
            replace(first, colour=second.colour),
            replace(second, colour=first.colour),
        ),
    )


def _shapes_swapped(said: Description, draw: float) -> Description:
    first, second = said.mentions
    return replace(
        said,
        mentions=(
            replace(first, shape=second.shape),
            replace(second, shape=first.shape),
        ),
    )


def _number(said: Description, draw: float) -> Description:
    return replace(said, count=1 + (said.count + int(3 * draw)) % 4)


def _change(
    field: str, names: Sequence[str]
) -> Callable[[Description, float], Description]:
    """Another shape, colour or size for one of the objects of which one is said."""

    def change(said: Description, draw: float) -> Description:
        mentions = list(said.mentions)
        places = [
            i
            for i, mention in enumerate(mentions)
            if getattr(mention, field) is not None
        ]
        place = places[int(draw * len(places))]
        now = getattr(mentions[place], field)
        others = [name for name in names if name != now]
        mentions[place] = replace(
            mentions[place], **{field: others[int(draw * 1009) % len(others)]}
        )
        return replace(said, mentions=tuple(mentions))

    return change


_shape, _colour, _size = (
    _change(field, names)
    for field, names in zip(
        ("shape", "colour", "size"), ATTRIBUTE_NAMES, strict=True
    )
)
CHANGES: dict[
    str,
    tuple[
        Callable[[Description], object], Callable[[Description, float], Description]
    ],
] = {
    # what must have been said, and the change
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


# How often each change comes, against 1 for the others: what is learned last comes
# most. Of three false captions, taken from as many parts of this order, the first
# nearly always turns the relation round, where there is one.
_OFTEN = {
    "opposite": 6,
    "across": 2,
    "colours_swapped": 3,
    "shapes_swapped": 3,
    "shape": 4,
}


def hard_negative(
    text: str, draws: Sequence[float], change: str | None = None
) -> str:
    """The caption changed in one thing.

    For training, the first of `draws` says in what, of all that it allows, the
    second how, and the third chooses the language and the words; what training
    holds out is not said, since, heard of in false captions alone, it would be
    learned as what is never true. For an exam, `change` says in what, and the
    caption keeps its language and its words. One that the grammar cannot read, that
    does not say what is to change or that would say what is held out comes back as
    it is.
    """
    said = read_caption(text)
    if said is None:
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
    made = make(said, draws[1])
    if change is None and names_held_out(made):
        return text
    if change is not None:
        language = guess_language(text)
        ways = phrasings(said, language)
        return caption(made, language, ways.index(text) if text in ways else 0)
    choice = int(draws[2] * 720720)
    return caption(made, LANGUAGES[choice % 2], choice // 2)


def hard_negatives(
    captions: Sequence[str],
    each: int,
    generator: torch.Generator | None,
    device: torch.device | str,
) -> list[str]:
    """`each` captions that contradict each caption in one thing, in as many sorts:
    first one for all, then another for all, and so on.
    """
    draws = torch.rand(
        each, len(captions), 3, generator=generator, device=device
    ).cpu()
    # one of each sort
    draws[..., 0] = (draws[..., 0] + torch.arange(each)[:, None]) / each
    return [
        hard_negative(text, draw)
        for some in draws.tolist()
        for text, draw in zip(captions, some, strict=True)
    ]
