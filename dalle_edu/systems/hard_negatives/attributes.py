"""What captions say, as rows of numbers, and which captions can be true of one
picture.

CLIP takes every other caption of a batch for a negative. In a small world many are
not: "un cercle rouge" is true of the picture that came with "a red circle", and so
may "a large red circle" be. Such false negatives are found here: a caption is a row
of numbers, one for each thing that it can say, and two captions contradict each
other where they both say something and say it differently.

Letters: n and m captions, f = 8 fields.
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

UNSAID = -1
ATTRIBUTE_NAMES = [
    [thing.name for thing in things]
    for things in (SHAPES.shapes, SHAPES.colours, SHAPES.sizes)
]
_OTHER_WAY_ROUND = [0, 4, 5, 6, 1, 2, 3]
_TURNED = torch.tensor(
    [*(RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS), UNSAID]
)
# numbers from here on stand for captions that the grammar cannot read, each like
# itself alone
_FOREIGN = 100


def caption_attributes(captions: Sequence[str]) -> Int[Tensor, "n 8"]:
    """Each caption as a row: how many objects, shape, colour and size of the first,
    the same of the second, and their relation.
    """
    return torch.tensor([_claim(text) for text in captions])


@lru_cache(maxsize=1 << 16)
def _claim(text: str) -> tuple[int, ...]:
    said = read_caption(text)
    if said is None:
        return (_FOREIGN + zlib.crc32(text.encode()), *[UNSAID] * 7)
    # one object, or several alike, say the same twice
    first, second = said.mentions[0], said.mentions[-1]
    relation = RELATIONS.index(said.relation) if said.relation else UNSAID
    return (said.number, *_mention(first), *_mention(second), relation)


def _mention(mention: Mention) -> tuple[int, ...]:
    said = zip(
        (mention.shape, mention.colour, mention.size), ATTRIBUTE_NAMES, strict=True
    )
    return tuple(
        UNSAID if word is None else names.index(word) for word, names in said
    )


def compatible(
    some: Int[Tensor, "n 8"], others: Int[Tensor, "m 8"]
) -> Bool[Tensor, "n m"]:
    """Whether one picture could bear both captions: they contradict each other in
    nothing, whichever object each names first.
    """
    turned = torch.cat(
        [others[:, _OTHER_WAY_ROUND], _TURNED.to(others.device)[others[:, 7:]]],
        dim=1,
    )
    return _agree(some, others) | _agree(some, turned)


def _agree(some: Tensor, others: Tensor) -> Tensor:
    some, others = some[:, None], others[None]
    return ((some == others) | (some == UNSAID) | (others == UNSAID)).all(dim=2)
