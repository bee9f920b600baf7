"""A parallel corpus for translation: captions of the world in French and in English, with nothing to download."""

from collections.abc import Sequence

from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import PHRASEBOOKS, phrasings
from dalle_edu.world.held_out import names_held_out
from dalle_edu.world.scene_sampler import sample_scene


def split_words(sentence: str) -> list[str]:
    """Split a sentence in words: « à gauche d'une étoile » gives à, gauche, d', une, étoile."""
    return sentence.replace("'", "' ").split()


def join_words(words: Sequence[str]) -> str:
    """The sentence of words, as `split_words` gave them."""
    return " ".join(words).replace("' ", "'")


def caption_pairs(length: int, seed: int = 0, split: str = "seen", catalogue: Catalogue = SHAPES) -> list[tuple[str, str]]:
    """`length` pairs of captions, French and English, of one scene, with the same of three openings and each language's plainest words.

    Each sentence has one translation, with the same meaning. `split` is "seen", "held_out" or "all"; pairs of "held_out" name a
    combination that those of "seen" never name. Raises `ValueError` for another split.
    """
    pairs: list[tuple[str, str]] = []
    index = 0
    while len(pairs) < length:
        description = sample_scene(seed, index, split, catalogue).description
        if split != "held_out" or names_held_out(description, catalogue):
            french, english = (phrasings(description, language, catalogue) for language in ("fr", "en"))
            openings = len(PHRASEBOOKS["fr"].openings)
            opening = index % openings
            pairs.append((french[opening * len(french) // openings], english[opening * len(english) // openings]))
        index += 1
    return pairs
