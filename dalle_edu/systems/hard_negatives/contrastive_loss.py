"""A contrastive loss with hard negatives and masked false negatives, and a measure
of what was learned by it.

CLIP is trained by it on pictures and captions, Imagen's text encoder on captions
and paraphrases. Lessons 12 and 15.

Letters: n anchors (pictures, or paraphrases), m captions, of which the first n are
the anchors' own and the others hard negatives, e channels.
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
from dalle_edu.world.catalogue import SHAPES, Catalogue

# each way of being wrong, and the change of `negatives.py` that makes a caption so
QUESTIONS = {
    "space": "opposite",
    "binding": "colours_swapped",
    "number": "number",
    "size": "size",
    "shape": "shape",
    "colour": "colour",
}


def compatible_captions(
    captions: Sequence[str],
    texts: Sequence[str],
    catalogue: Catalogue | None = SHAPES,
) -> Bool[Tensor, "n m"]:
    """Which of the `texts` may be true of the picture of each caption: the pairs
    that must not count as negatives. Without a catalogue, those that are equal.
    """
    some, others = (
        caption_attributes(each, catalogue) for each in (captions, texts)
    )
    return compatible(some, others)


def masked_clip_loss(
    anchors: Float[Tensor, "n e"],
    texts: Float[Tensor, "m e"],
    scale: Float[Tensor, ""] | float,
    false_negatives: Bool[Tensor, "n m"],
) -> Float[Tensor, ""]:
    """The contrastive loss of n anchors and m texts, the first n of which are the
    anchors' own and the others hard negatives.

    `anchors` and `texts` are unit vectors, and `scale` multiplies their cosines.
    `false_negatives` are masked: they count neither as positives nor as negatives,
    unless they are an anchor and its own text. The loss is the mean of the
    cross-entropy of texts given anchors, over all m, and of anchors given texts,
    over the first n. Where m is n and no other pair is masked, it is `clip_loss`
    (Radford et al. 2021, figure 3).
    """
    n = len(anchors)
    own = torch.arange(n, device=anchors.device)
    logits = scale * similarity(anchors, texts)
    masked = false_negatives.clone()
    masked[own, own] = False
    logits = logits.masked_fill(masked, -torch.inf)
    text_of_anchor = F.cross_entropy(logits, own)
    anchor_of_text = F.cross_entropy(logits[:, :n].T, own)
    return (text_of_anchor + anchor_of_text) / 2


@torch.no_grad()
def hard_negative_accuracy(
    anchors: Float[Tensor, "n e"],
    captions: Sequence[str],
    encode: Callable[[Sequence[str]], Tensor],
    catalogue: Catalogue | None = SHAPES,
) -> dict[str, float]:
    """How often an anchor is nearer to its own caption than to a hard negative, in
    [0, 1], for each way of being wrong: "space", "binding", "number", "size",
    "shape", "colour".

    `anchors` are unit vectors, and `encode` makes such of captions. A question that
    no caption allows, as "binding" where none names two objects, is left out.
    """
    own, numbers = (anchors * encode(captions)).sum(dim=1), {}
    for question, change in QUESTIONS.items():
        wrong = [
            hard_negative(text, (0.0, i * 0.618 % 1), change, catalogue)
            for i, text in enumerate(captions)
        ]
        alike = compatible_captions(captions, wrong, catalogue).diagonal()
        asked = ~alike.to(anchors.device)
        if asked.any():
            against = (anchors * encode(wrong)).sum(dim=1)
            numbers[question] = float((own > against)[asked].float().mean())
    return numbers
