"""Learning from what is false: captions wrong in one thing, a loss that forgives
what may be true, and what was learned by it.

CLIP compares pictures with captions by it, Imagen's text encoder captions with
captions.

Letters: n things seen (pictures, or captions said otherwise), m captions, of which
the first n are theirs and the others false, e channels.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.bricks.contrastive import similarity
from dalle_edu.systems.hard_negatives.attributes import (
    caption_attributes,
    compatible,
)
from dalle_edu.systems.hard_negatives.negatives import hard_negative

QUESTIONS = {
    "space": "opposite",
    "binding": "colours_swapped",
    "number": "number",
    "size": "size",
    "shape": "shape",
    "colour": "colour",
}


def compatible_captions(
    captions: Sequence[str], texts: Sequence[str]
) -> Bool[Tensor, "n m"]:
    """Which of the texts may be true of what a caption was said of, and so are not
    held against it.
    """
    return compatible(caption_attributes(captions), caption_attributes(texts))


def masked_clip_loss(
    seen: Float[Tensor, "n e"],
    texts: Float[Tensor, "m e"],
    scale: Float[Tensor, ""] | float,
    excused: Bool[Tensor, "n m"],
) -> Float[Tensor, ""]:
    """The contrastive loss, where the first n texts are each one's own, the others
    are only false, and excused pairs do not count.

    Where nothing but the pairs themselves is excused, and m is n, it is
    `clip_loss`.
    """
    n = len(seen)
    own = torch.arange(n, device=seen.device)
    logits = scale * similarity(seen, texts)
    excused = excused.clone()
    excused[own, own] = False
    logits = logits.masked_fill(excused, -torch.inf)
    return (
        F.cross_entropy(logits, own) + F.cross_entropy(logits[:, :n].T, own)
    ) / 2


@torch.no_grad()
def hard_negative_accuracy(
    seen: Float[Tensor, "n e"],
    captions: Sequence[str],
    encode: Callable[[Sequence[str]], Tensor],
) -> dict[str, float]:
    """How often what was seen is nearer to its own caption than to one that is
    wrong in space, binding, number, size, shape or colour alone. A question that no
    caption allows is left out.
    """
    own, numbers = (seen * encode(captions)).sum(dim=1), {}
    for question, change in QUESTIONS.items():
        wrong = [
            hard_negative(text, (0.0, i * 0.618 % 1), change)
            for i, text in enumerate(captions)
        ]
        asked = ~compatible_captions(captions, wrong).diagonal().to(seen.device)
        if asked.any():
            against = (seen * encode(wrong)).sum(dim=1)
            numbers[question] = float((own > against)[asked].float().mean())
    return numbers
