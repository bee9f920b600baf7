"""Captions that say the same: in other words, in the other language, naming the
other object first, or leaving colours open.
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
    """Each caption in other words of either language, naming either object first;
    one that the grammar cannot read stays as it is.
    """
    draws = torch.rand(
        len(captions),
        generator=generator,
        device=generator.device if generator else None,
    ).tolist()
    said = []
    for text, draw in zip(captions, draws, strict=True):
        description = read_caption(text)
        ways = (text,) if description is None else _ways(description)
        said.append(ways[int(draw * len(ways))])
    return said


@lru_cache(maxsize=1 << 16)
def _ways(description: Description) -> tuple[str, ...]:
    sides = dict.fromkeys((description, description.turned()))
    return tuple(
        way
        for side in sides
        for language in LANGUAGES
        for way in phrasings(side, language)
    )


@lru_cache(maxsize=1 << 16)
def without_colours(text: str) -> str:
    """The caption, in its own language, with every colour left open. One that the
    grammar cannot read comes back as it is.
    """
    said = read_caption(text)
    if said is None:
        return text
    return caption(
        replace(
            said,
            mentions=tuple(
                replace(mention, colour=None) for mention in said.mentions
            ),
        ),
        guess_language(text),
    )
