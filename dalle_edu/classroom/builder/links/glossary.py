"""The glossary: its terms, their first uses in each lesson, which become links, and the places of these uses, which the glossary gives.

An entry of book/LANGUAGE/glossary.md begins with its term and an id, which is the same in every language:

    [Attention layer]{#term-attention-layer} (*couche d'attention*)

Prose is searched for what stands outside the parentheses, or in them without asterisks: "Loss", "GAN". Names are separated by commas.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.links.works import BOOK
from dalle_edu.classroom.builder.source import Lesson

_ENTRY = re.compile(r"^\[(?P<name>[^\]]+)\]\{#term-(?P<id>[a-z0-9-]+)\}(?P<rest>.*)\n(?P<meaning>(?:  .*\n)+)", re.MULTILINE)
_LESSONS = {"fr": ("Leçon", "Leçons"), "en": ("Lesson", "Lessons")}
_NOT_SEARCHED = (
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$]*\$"  # code and formulas
    r"|^\#.*?$|!?\[(?:`[^`]*`|[^\[\]`])*\]\([^)]*\)|<details>.*?</details>|<a\b[^>]*>.*?</a>"
    r"|<span class=.no-term.>.*?</span>|<[^>]+>"  # headings, links and HTML
    r"|(?<![*\w])\*(?![*\s])(?:(?!\n\n)[^*])+\*(?!\*)"  # titles, and words of the other language
)


@dataclass(frozen=True)
class Entry:
    """An entry of the glossary: its id, the same in every language, and the names by which prose calls it."""

    id: str
    names: tuple[str, ...]


def glossary(language: str, book: Path = BOOK) -> dict[str, Entry]:
    """The entries of the glossary in a language, by their ids; none where the book has no glossary in it."""
    path = next(
        path for path in (book / language / "glossary.md", book / "en" / "glossary.md") if path.exists() or path.parent.name == "en"
    )
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {found["id"]: Entry(found["id"], _names(found["name"] + found["rest"])) for found in _ENTRY.finditer(text)}


class FirstUses:
    """The first use of each term in a lesson's page, which becomes a link to the glossary, with an id: "use-attention-layer"."""

    def __init__(self, entries: dict[str, Entry]):
        self._used: set[str] = set()
        self._of = {name: entry.id for entry in entries.values() for name in entry.names}
        longest = sorted(self._of, key=len, reverse=True)
        self._names = [(re.compile(_inflected(name)), self._of[name]) for name in longest]
        names = "|".join(_inflected(name) for name in longest) or r"(?!)"
        self._pattern = re.compile(
            rf'(?P<given><a class="term" href="[^"]*#term-(?P<id>[a-z0-9-]+)">)(?P<words>.*?</a>)|(?P<other>{_NOT_SEARCHED})'
            rf"|(?<![\w-])(?P<name>{names})(?![\w-])",
            re.DOTALL | re.MULTILINE,
        )

    def linked(self, text: str) -> str:
        """A cell's text, after those before it, with its first uses linked; terms that its author linked count as uses."""
        return self._pattern.sub(self._link, text)

    def _link(self, found: re.Match[str]) -> str:
        if found["other"]:
            return found[0]
        term = found["id"] or next(term for name, term in self._names if name.fullmatch(found[0]))
        if term in self._used:
            return found[0]
        self._used.add(term)
        words = found["words"] or f"{found[0]}</a>"
        return f'<a class="term" id="use-{term}" href="../glossary.html#term-{term}">{words}'


def say_where(pages: Path, language: str, lessons: Sequence[Lesson]) -> None:
    """Add to each entry of `pages/glossary.md` the lessons that use its term, with links to their first uses in `pages/lessons`."""
    uses: dict[str, list[str]] = {}
    for lesson in lessons:
        page = json.loads((pages / "lessons" / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))
        for term in re.findall(r'<a class="term" id="use-([a-z0-9-]+)"', "\n".join(map(_text, page["cells"]))):
            uses.setdefault(term, []).append(f'<a href="lessons/{lesson.name}.html#use-{term}">{lesson.number}</a>')

    def placed(entry: re.Match[str]) -> str:
        places = uses.get(entry["id"], [])
        word = _LESSONS.get(language, _LESSONS["en"])[len(places) > 1]
        return f'{entry[0]}\n  <span class="uses">{word} {", ".join(places)}</span>\n' if places else entry[0]

    path = pages / "glossary.md"
    path.write_text(_ENTRY.sub(placed, path.read_text(encoding="utf-8")), encoding="utf-8")


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""


def _names(term: str) -> tuple[str, ...]:
    """ "GAN (*generative adversarial network*), réseau antagoniste" gives GAN and réseau antagoniste."""
    plain = re.sub(r"\*[^*]*\*", "", term)
    parts = (re.sub(r"^(?:or|ou)\s+", "", part.strip()) for part in re.split(r"[,()]", plain))
    return tuple(part for part in parts if part)


def _inflected(name: str) -> str:
    """A pattern of a name and its plural; a capital that only begins the name may be small, and the words may be on two lines."""
    first, *others = name.split()
    begin = f"[{first[0].upper()}{first[0].lower()}]" if first[1:] == first[1:].lower() and len(first) > 1 else first[0]
    words = [begin + re.escape(first[1:]), *map(re.escape, others)]
    return r"\s+".join(word + ("(?:s|x|es)?" if len(word) > 3 else "") for word in words)
