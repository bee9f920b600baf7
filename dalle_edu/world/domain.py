"""The domain of a system: what the captions that it learned from can say. It travels with the weights.

Of a catalogue everything is known: each word, what contradicts a caption, which objects a picture must show (`ClosedDomain`). Of captions
that people wrote only their words are known (`OpenDomain`): what a prompt says beyond them is reported, and cannot be refused.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from dalle_edu.errors import DalleEduError
from dalle_edu.language import say, typeset
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import check_prompt, check_sentence
from dalle_edu.world.words import normal_words, written_words

MOST_WORDS = 1 << 17  # of an open domain


@runtime_checkable
class Domain(Protocol):
    """What a system knows of the sentences that it is given."""

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue whose grammar wrote the captions; None where people did."""

    def check_prompt(self, text: str) -> str | None:
        """A sentence that names what the system cannot know in a prompt, or None. Raises `DalleEduError` for what cannot be drawn."""


@dataclass(frozen=True)
class ClosedDomain:
    """The captions of a catalogue's grammar."""

    catalogue: Catalogue = SHAPES

    def check_prompt(self, text: str) -> str | None:
        """As `grammar.check_prompt` does: a prompt must name an object of the catalogue."""
        return check_prompt(text, self.catalogue)


@dataclass(frozen=True)
class OpenDomain:
    """Captions that people wrote. `words` are those of the training captions, in normalised form (`words.normal_words`), in order."""

    words: tuple[str, ...]
    catalogue: None = None

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def unknown(self, text: str) -> list[str]:
        """The words of a text that no training caption had, in order, each once, as they were written."""
        return list(dict.fromkeys(word for word in written_words(text) if not self._known.issuperset(normal_words(word))))

    def check_prompt(self, text: str) -> str | None:
        """A report of the words that never occurred in training. Raises `DalleEduError` for what is no sentence, as in every domain."""
        check_sentence(text)
        unknown = self.unknown(text)
        if not unknown:
            return None
        listed = ", ".join(say(f'"{word}"', f"« {word} »") for word in unknown)
        return say(
            f"words that never occurred in training: {listed}; what they add to the picture is chance",
            typeset(f"mots jamais rencontrés à l'entraînement : {listed} ; ce qu'ils ajoutent à l'image est un hasard"),
        )


SHAPES_DOMAIN: Domain = ClosedDomain()


def catalogue_of(model: Any) -> Catalogue:
    """The catalogue that a model learned, or that of the shapes where it says nothing of what it learned. Raises `DalleEduError` for one
    that learned from captions that people wrote: nobody but people can mark what it draws.
    """
    catalogue = getattr(model, "domain", SHAPES_DOMAIN).catalogue
    if catalogue is None:
        raise DalleEduError(
            "this model learned from captions that people wrote, which the examiner cannot read; examine it by: dalle-edu score FILE --data"
            " PLACE",
            "ce modèle a appris de légendes écrites par des gens, que l'examinateur ne lit pas ; examinez-le par : dalle-edu score FICHIER"
            " --data LIEU",
        )
    return catalogue


def domain_from_json(document: Any) -> Domain:
    """The domain that `domain_to_json` described. Raises `TypeError` or `ValueError` where it describes none."""
    if not isinstance(document, dict) or len(document) != 1:
        raise TypeError("a domain is a catalogue or a list of words")
    if "catalogue" in document:
        from dalle_edu.world.catalogue_files import catalogue_from_json

        return ClosedDomain(catalogue_from_json(document["catalogue"]))
    words = document.get("words")
    if not isinstance(words, list) or len(words) > MOST_WORDS or not all(isinstance(word, str) for word in words):
        raise TypeError("the words of a domain are a list of strings")
    return OpenDomain(tuple(words))


def domain_to_json(domain: Domain) -> dict[str, Any]:
    """A domain as JSON can hold it. Raises `DalleEduError` for one of another kind."""
    if isinstance(domain, OpenDomain):
        return {"words": list(domain.words)}
    if domain.catalogue is None:
        raise DalleEduError("this domain cannot be written in a file", "ce domaine ne peut pas s'écrire dans un fichier")
    from dalle_edu.world.catalogue_files import catalogue_to_json

    return {"catalogue": catalogue_to_json(domain.catalogue)}
