"""Paraphrases: captions that say the same in other words, in the other language or
naming the other object first; and captions without their colours. Lesson 12.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch

from dalle_edu.systems.hard_negatives.attributes import described
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import caption, guess_language, phrasings
from dalle_edu.world.scenes import Description


def paraphrase(
    captions: Sequence[str],
    generator: torch.Generator | None = None,
    catalogue: Catalogue | None = SHAPES,
) -> list[str]:
    """A random phrasing of what each caption says, in either language and naming
    either object first; it may be the caption itself. One that the grammar cannot
    read stays as it is. Random numbers come from `generator`.
    """
    device = generator.device if generator else None
    draws = torch.rand(len(captions), generator=generator, device=device).tolist()
    paraphrases = []
    for text, draw in zip(captions, draws, strict=True):
        said = described(text, catalogue)
        ways: tuple[str, ...] = (text,)
        if said is not None and catalogue is not None:
            ways = _ways(said, catalogue)
        paraphrases.append(ways[int(draw * len(ways))])
    return paraphrases


@lru_cache(maxsize=1 << 16)
def _ways(description: Description, catalogue: Catalogue) -> tuple[str, ...]:
    """Every phrasing of a description, in both languages."""
    sides = dict.fromkeys((description, description.turned()))
    return tuple(
        way
        for side in sides
        for language in LANGUAGES
        for way in phrasings(side, language, catalogue)
    )


@lru_cache(maxsize=1 << 16)
def without_colours(text: str, catalogue: Catalogue = SHAPES) -> str:
    """The caption, in its own language, without its colours. One that the grammar
    cannot read comes back as it is.
    """
    said = described(text, catalogue)
    if said is None:
        return text
    mentions = tuple(replace(mention, colour=None) for mention in said.mentions)
    language = guess_language(text, catalogue)
    return caption(replace(said, mentions=mentions), language, catalogue=catalogue)
