"""The works that the course cites: book/references.bib, by key, and how prose names them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

BOOK = Path(__file__).parents[4] / "book"
_AND = {"fr": "et"}  # "and" in every other language


@dataclass(frozen=True)
class Work:
    """A publication: the surnames of its authors, its title and its year; `names_all` is false where the bibliography has "and others"."""

    key: str
    names: tuple[str, ...]
    title: str
    year: str
    names_all: bool = True

    def named(self, language: str) -> str:
        """How prose names it: "Cox 1958", "Nair and Hinton 2010", "Vaswani et al. 2017"."""
        if self.names_all and len(self.names) <= 2:
            between = f" {_AND.get(language, 'and')} "
            return f"{between.join(self.names)} {self.year}"
        return f"{self.names[0]} et al. {self.year}"


@cache
def works(path: Path = BOOK / "references.bib") -> dict[str, Work]:
    """The works of a bibliography by their keys."""
    from pybtex.database import parse_file

    return {key: _work(key, entry) for key, entry in parse_file(str(path)).entries.items()}


def _work(key: str, entry: object) -> Work:
    from pybtex.database import Entry
    from pybtex.richtext import Text

    assert isinstance(entry, Entry)
    names = tuple(str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in entry.persons["author"])
    known = tuple(name for name in names if name != "others")
    return Work(key, known, str(Text.from_latex(entry.fields["title"])), entry.fields["year"], known == names)
