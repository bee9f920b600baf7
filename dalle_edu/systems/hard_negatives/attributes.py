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
from functools import lru_cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from dalle_edu.world.catalogue import SHAPES
from dalle_edu.world.grammar import read_caption
from dalle_edu.world.scenes import OPPOSITE, RELATIONS, Mention

UNSAID = -1  # of an attribute that a caption does not state
ATTRIBUTE_NAMES = [
    [thing.name for thing in things]
    for things in (SHAPES.shapes, SHAPES.colours, SHAPES.sizes)
]
# the columns of a caption that names its second object first, but for the relation
_OTHER_WAY_ROUND = [0, 4, 5, 6, 1, 2, 3]
# and its relation: the opposite one; index -1, of an unsaid one, gives UNSAID
_TURNED = torch.tensor(
    [*(RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS), UNSAID]
)
# from here on, the first column stands for a caption that the grammar cannot read,
# which is compatible with itself alone
_FOREIGN = 100


def caption_attributes(captions: Sequence[str]) -> Int[Tensor, "n 8"]:
    """Each caption as a row: the number of objects; the shape, colour and size of
    the first object, as indices into `ATTRIBUTE_NAMES`; the same of the second; and
    the index of their relation. `UNSAID` stands for what a caption does not state.
    """
    return torch.tensor([_attributes(text) for text in captions])


@lru_cache(maxsize=1 << 16)
def _attributes(text: str) -> tuple[int, ...]:
    description = read_caption(text)
    if description is None:
        return (_FOREIGN + zlib.crc32(text.encode()), *[UNSAID] * 7)
    # of one object, or of several alike, both are the same
    first, second = description.mentions[0], description.mentions[-1]
    stated = description.relation
    relation = RELATIONS.index(stated) if stated else UNSAID
    return (description.number, *_indices(first), *_indices(second), relation)


def _indices(mention: Mention) -> tuple[int, ...]:
    words = (mention.shape, mention.colour, mention.size)
    return tuple(
        UNSAID if word is None else names.index(word)
        for word, names in zip(words, ATTRIBUTE_NAMES, strict=True)
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
