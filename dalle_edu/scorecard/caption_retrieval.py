"""Retrieval and CLIP score: whether pictures show what their captions say, judged by a critic where no examiner can judge.

What a critic says is no truth. It is shown beside what the same critic says of true pictures, the most that can be reached, and of captions
of other pictures, the least.

Letters: n pictures, m distinct captions, e channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.world.words import normalize

GALLERY = 20  # captions searched at a time, where there are so many


@dataclass(frozen=True)
class Captions:
    """The captions of a batch: the `distinct` ones, as they were first written, and for each picture the number of `own`.

    Captions that are equal once normalised (case, accents, hyphens) count as one.
    """

    distinct: tuple[str, ...]
    own: Int[Tensor, " n"]

    @classmethod
    def of(cls, captions: Sequence[str]) -> "Captions":
        """Those of a batch's captions, in order."""
        first: dict[str, str] = {}
        for text in captions:
            first.setdefault(normalize(text), text)
        numbers = {text: i for i, text in enumerate(first)}
        return cls(tuple(first.values()), torch.tensor([numbers[normalize(text)] for text in captions]))

    @property
    def gallery(self) -> int:
        """The number of captions searched at a time."""
        return min(GALLERY, len(self.distinct))

    def galleries(self, seed: int = 0) -> Int[Tensor, "n gallery"]:
        """The captions among which the own one of each picture is searched: the own one first, then others chosen at random by `seed`."""
        chances = torch.rand(len(self.own), len(self.distinct), generator=torch.Generator().manual_seed(seed))
        chances.scatter_(1, self.own[:, None], 2.0)  # before all others
        return chances.topk(self.gallery, dim=1).indices


@dataclass(frozen=True)
class Match:
    """How well pictures match their captions, by a critic.

    `found` is how often a picture's own caption is nearer to it than every other of its gallery. `clip_score` is the CLIP score with its
    own caption, and `clip_score_of_others` the mean with the captions of all other pictures, its floor.
    """

    found: Rate
    clip_score: float
    clip_score_of_others: float


def match(pictures: Float[Tensor, "n e"], texts: Float[Tensor, "m e"], captions: Captions, galleries: Int[Tensor, "n gallery"]) -> Match:
    """The match of pictures and captions, both as unit vectors; `texts` are those of the distinct captions.

    The CLIP score of a picture and a caption is max(0, 100 x cosine), as torchmetrics has it. Hessel et al. 2021 (section 3) weigh the
    cosine by 2.5 instead, for one model of OpenAI, whose cosines stay below 0.4. Where all captions are one, nothing can be found, and the
    score of others is 0. A tie is not found.
    """
    cosines = pictures.float().cpu() @ texts.float().cpu().T  # n m
    searched = cosines.gather(1, galleries)
    found = (searched[:, :1] > searched[:, 1:]).all(dim=1)
    asked = len(found) if captions.gallery > 1 else 0
    scores = 100 * cosines.clamp(min=0)
    pictures_of = torch.bincount(captions.own, minlength=len(captions.distinct)).float()
    others = pictures_of.expand_as(scores).scatter(1, captions.own[:, None], 0.0)
    own = scores.gather(1, captions.own[:, None])
    of_others = float((scores * others).sum() / others.sum().clamp(min=1))
    return Match(Rate(asked, int(found.sum()) if asked else 0), float(own.mean()), of_others)
