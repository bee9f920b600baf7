"""How well a prior reads: whether the codes of a picture are likelier under its
caption than under one that is wrong in one thing (Yuksekgonul et al. 2023).

Drawing shows it late, when pictures are sharp enough to be marked. The likelihood
of true pictures shows it as soon as the caption has a say. Lesson 11.

Letters: n captions, t text tokens, i codes of a picture, v entries of the codebook.
"""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.systems.hard_negatives.contrastive_loss import compatible_captions
from dalle_edu.systems.hard_negatives.negatives import hard_negative
from dalle_edu.world.catalogue import Catalogue

# what is read, and the change of `negatives.py` that makes a caption wrong in it
READS = {"reads_relation": "opposite", "reads_colours": "colours_swapped"}


def contradictions(
    captions: Sequence[str], change: str, catalogue: Catalogue | None
) -> dict[int, str]:
    """By the index of a caption, the same with one `change`, a key of `CHANGES`.

    Left out are captions that do not state what is to change, and those that can
    be true of the same picture once they are changed.
    """
    wrong = [
        hard_negative(text, (0.0, 0.0), change, catalogue) for text in captions
    ]
    return {
        index: other
        for index, (text, other) in enumerate(zip(captions, wrong, strict=True))
        if not compatible_captions([text], [other], catalogue)
    }


def reading_accuracy(
    captions: Sequence[str],
    codes: Int[Tensor, "n i"],
    log_likelihood: Callable[[Sequence[str], Tensor], Tensor],
    catalogue: Catalogue | None,
) -> dict[str, float]:
    """How often a picture's codes are likelier under its own caption than under one
    with the opposite relation ("reads_relation") or with the colours of its two
    objects exchanged ("reads_colours"), in [0, 1].

    `log_likelihood` gives one number for each caption and row of codes. Chance is
    0.5; two captions that are equally likely count as wrong. What no caption asks
    is left out, as both are without a catalogue.
    """
    numbers = {}
    for name, change in READS.items():
        wrong = contradictions(captions, change, catalogue)
        if wrong:
            seen = codes[list(wrong)]
            own = log_likelihood([captions[index] for index in wrong], seen)
            against = log_likelihood(list(wrong.values()), seen)
            numbers[name] = float((own > against).float().mean())
    return numbers


def sequence_log_likelihood(
    logits: Float[Tensor, "n i v"], codes: Int[Tensor, "n i"]
) -> Float[Tensor, " n"]:
    """The log-probability of each row of codes, in nats: the sum over its codes."""
    each = F.cross_entropy(logits.float().mT, codes, reduction="none")
    return -each.sum(dim=1)
