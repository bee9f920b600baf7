"""The bibliography's style in each language: the words between names, and before a book or a journal, are the language's own."""

import re
from typing import Any

from pybtex.plugin import register_plugin
from pybtex.richtext import String
from pybtex.style.formatting.alpha import Style
from pybtex.style.template import names, sentence

_WORDS = {"In": "Dans", "in": "dans", "of": "de", "edition": "édition", "editor": "dir.", "editors": "dir.", "Number": "Numéro"}
_REPORTS = {"PhD thesis": "Thèse de doctorat", "Technical Report": "Rapport technique"}


class English(Style):
    """Names joined by "and"; further authors are "et al."."""

    pair, last = " and ", ", and "

    def format_names(self, role: str, as_sentence: bool = True) -> Any:
        """The names of a work's authors or editors, joined as the language joins them."""
        joined = names(role, sep=", ", sep2=self.pair, last_sep=self.last)
        return sentence[joined] if as_sentence else joined

    def format_entry(self, label: str, entry: Any, bib_data: Any = None) -> Any:
        """A work as the bibliography shows it; "and others" is "et al."."""
        formatted = super().format_entry(label, entry, bib_data)
        formatted.text = _and_others(formatted.text, (f"{self.last}others", f"{self.pair}others"))
        return formatted


class French(English):
    """Names joined by « et », and French words around them."""

    pair, last = " et ", " et "

    def format_entry(self, label: str, entry: Any, bib_data: Any = None) -> Any:
        """A work as the bibliography shows it, its English words in French."""
        formatted = super().format_entry(label, entry, bib_data)
        formatted.text = _translated(formatted.text)
        return formatted


def _and_others(text: Any, endings: tuple[str, ...]) -> Any:
    if isinstance(text, String):
        value = str(text)
        for ending in endings:
            value = value.replace(ending, " et al")
        return String(value)
    return text._create_similar([_and_others(part, endings) for part in text.parts]) if hasattr(text, "parts") else text


def _translated(text: Any) -> Any:
    """The entry with the style's own words in French; they stand alone among its parts, or begin one."""
    if isinstance(text, String):
        value = str(text)
        alone = re.fullmatch(r"(\W*|\d+ )(\w+)(\W*)", value)
        if alone and alone.group(2) in _WORDS:
            return String(alone.group(1) + _WORDS[alone.group(2)] + alone.group(3))
        value = re.sub(r"^(\W*\d+) in\b", r"\1 dans", value)  # of a series
        return String(re.sub(r"^(PhD thesis|Technical Report)(?=,)", lambda found: _REPORTS[found.group()], value))
    return text._create_similar([_translated(part) for part in text.parts]) if hasattr(text, "parts") else text


def register() -> None:
    """Make the styles known to pybtex, as `dalle_edu_en` and `dalle_edu_fr`."""
    register_plugin("pybtex.style.formatting", "dalle_edu_en", English, force=True)
    register_plugin("pybtex.style.formatting", "dalle_edu_fr", French, force=True)
