"""Paraphrases: captions that say the same in other words, in the other language or
naming the other object first; and captions without their colours. Lesson 12.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch

from dalle_edu.world.catalogue import LANGUAGES
from dalle_edu.world.grammar import caption, guess_language, phrasings, read_caption
from dalle_edu.world.scenes import Description


def paraphrase(
    captions: Sequence[str], generator: torch.Generator | None = None
) -> list[str]:
    """A random phrasing of what each caption says, in either language and naming
    either object first; it may be the caption itself. One that the grammar cannot
    read stays as it is. Random numbers come from `generator`.
    """
    device = generator.device if generator else None
    draws = torch.rand(len(captions), generator=generator, device=device).tolist()
    paraphrases = []
    for text, draw in zip(captions, draws, strict=True):
        description = read_caption(text)
        ways = (text,) if description is None else _ways(description)
        paraphrases.append(ways[int(draw * len(ways))])
    return paraphrases


@lru_cache(maxsize=1 << 16)
def _ways(description: Description) -> tuple[str, ...]:
    """Every phrasing of a description, in both languages."""
    sides = dict.fromkeys((description, description.turned()))
    return tuple(
        way
        for side in sides
        for language in LANGUAGES
        for way in phrasings(side, language)
    )


@lru_cache(maxsize=1 << 16)
def without_colours(text: str) -> str:
    """The caption, in its own language, without its colours. One that the grammar
    cannot read comes back as it is.
    """
    description = read_caption(text)
    if description is None:
        return text
    mentions = tuple(
        replace(mention, colour=None) for mention in description.mentions
    )
    return caption(replace(description, mentions=mentions), guess_language(text))
