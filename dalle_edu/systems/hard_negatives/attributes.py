"""Caption attributes: what captions say, as rows of numbers, and which captions can
be true of one picture.

The contrastive loss takes every other caption of a batch for a negative. In a small
world many are not: "un cercle rouge" is true of the picture that came with "a red
circle", and so may "a large red circle" be. These false negatives are found here. A
caption is a row of attributes, and two captions are compatible unless they both
state an attribute and state it differently. Lesson 12.

Letters: n and m captions, each with 8 attributes.
"""

import zlib
from collections.abc import Sequence
from functools import cache, lru_cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import read_caption
from dalle_edu.world.scenes import OPPOSITE, RELATIONS, Description, Mention

UNSAID = -1  # of an attribute that a caption does not state
# the columns of a caption that names its second object first, but for the relation
_OTHER_WAY_ROUND = [0, 4, 5, 6, 1, 2, 3]
# and its relation: the opposite one; index -1, of an unsaid one, gives UNSAID
_TURNED = torch.tensor(
    [*(RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS), UNSAID]
)
# from here on, the first column stands for a caption that the grammar cannot read,
# which is compatible with itself alone
_FOREIGN = 100


@cache
def attribute_names(catalogue: Catalogue = SHAPES) -> list[list[str]]:
    """The names of a catalogue's shapes, of its colours and of its sizes."""
    things = (catalogue.shapes, catalogue.colours, catalogue.sizes)
    return [[thing.name for thing in each] for each in things]


def caption_attributes(
    captions: Sequence[str], catalogue: Catalogue | None = SHAPES
) -> Int[Tensor, "n 8"]:
    """Each caption as a row: the number of objects; the shape, colour and size of
    the first object, as indices into `attribute_names`; the same of the second; and
    the index of their relation. `UNSAID` stands for what a caption does not state.
    Without a catalogue no caption can be read, and each states only itself.
    """
    return torch.tensor([_attributes(text, catalogue) for text in captions])


def described(text: str, catalogue: Catalogue | None) -> Description | None:
    """What a caption says; None where the catalogue's grammar cannot read it, and
    where there is no catalogue, since people wrote the captions.
    """
    return None if catalogue is None else read_caption(text, catalogue)


@lru_cache(maxsize=1 << 16)
def _attributes(text: str, catalogue: Catalogue | None) -> tuple[int, ...]:
    description = described(text, catalogue)
    if description is None or catalogue is None:
        return (_FOREIGN + zlib.crc32(text.encode()), *[UNSAID] * 7)
    # of one object, or of several alike, both are the same
    first, second = description.mentions[0], description.mentions[-1]
    stated = description.relation
    relation = RELATIONS.index(stated) if stated else UNSAID
    sides = (_indices(mention, catalogue) for mention in (first, second))
    return (description.number, *sum(sides, ()), relation)


def _indices(mention: Mention, catalogue: Catalogue) -> tuple[int, ...]:
    words = (mention.shape, mention.colour, mention.size)
    return tuple(
        UNSAID if word is None else names.index(word)
        for word, names in zip(words, attribute_names(catalogue), strict=True)
    )


def compatible(
    some: Int[Tensor, "n 8"], others: Int[Tensor, "m 8"]
) -> Bool[Tensor, "n m"]:
    """Whether both captions can be true of one picture: they differ in no attribute
    that both state, whichever object each names first. `some` and `others` are rows
    of `caption_attributes`.
    """
    turned = torch.cat(
        [others[:, _OTHER_WAY_ROUND], _TURNED.to(others.device)[others[:, 7:]]],
        dim=1,
    )
    return _agree(some, others) | _agree(some, turned)


def _agree(some: Tensor, others: Tensor) -> Tensor:
    some, others = some[:, None], others[None]
    return ((some == others) | (some == UNSAID) | (others == UNSAID)).all(dim=2)
