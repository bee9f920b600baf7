"""Links lead somewhere: to an address, a file beside the notebooks, a work of the bibliography. `references.py` looks at the others.

A work that is named by its authors and its year, as in "(Novikoff, 1962)", is a link to the bibliography.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from dalle_edu.classroom.builder.complaints import REPOSITORY, Complaint
from dalle_edu.classroom.builder.faults.passages import HOLE, masked, without_code
from dalle_edu.classroom.builder.links.linking import KINDS
from dalle_edu.classroom.builder.links.works import Work, works
from dalle_edu.classroom.builder.source import Cell, Lesson
from dalle_edu.world.catalogue import LANGUAGES

REFERENCES = REPOSITORY / "book" / "references.bib"
_LINK = re.compile(r"\[([^\]\n]*(?:\n[^\]\n]+)?)\]\(([^)\s]*)\)")
_REFERENCE = re.compile(rf"#|({'|'.join(KINDS)}):")
_OTHERS = r"(?:,\s[\w'-]+){0,4},?\s(?:and|et|&)\s[\w'-]+(?:\s[\w'-]+){0,2}|\set\sal\."
_BEFORE_YEAR = rf"(?:{_OTHERS})?,?\s\(?$"  # what stands between the first author of a work and its year
_CITE = re.compile(r"\{cite(?::[a-z]+)?\}`([^`]*)`")


def faults(lesson: Lesson, lessons: Sequence[str] = ()) -> Iterator[Complaint]:
    """Links that lead nowhere, empty ones, works that the bibliography lacks, and those named without a link.

    `lessons` are the names of the other lessons.
    """
    for cell in lesson.cells:
        if cell.kind == "markdown":
            text = without_code(cell.text)
            for found in _LINK.finditer(text):
                for en, fr in _wrong(lesson, cell, found[1], found[2], {lesson.name, *lessons}):
                    yield Complaint(lesson.path, cell.first + text.count("\n", 0, found.start(2)), en, fr)
            for found in _CITE.finditer(cell.text):
                for key in filter(None, (key.strip() for key in found[1].split(","))):
                    if key not in references():
                        yield Complaint(
                            lesson.path,
                            cell.first + cell.text.count("\n", 0, found.start()),
                            f"no work is called {key} in book/references.bib; add it, or mend the key",
                            f"aucun ouvrage ne s'appelle {key} dans book/references.bib ; ajoutez-le, ou corrigez la clé",
                        )
            for place, words, key in _uncited(cell.text):
                yield Complaint(
                    lesson.path,
                    cell.first + cell.text.count("\n", 0, place),
                    f"“{words}” names a work and is no link to it; write [](work:{key})",
                    f"« {words} » nomme un ouvrage sans lien vers lui ; écrivez [](work:{key})",
                )


def _uncited(text: str) -> Iterator[tuple[int, str, str]]:
    """Works named by their authors and their year outside links and code: the place, the words, the key of the bibliography."""
    prose = masked(_LINK.sub(lambda found: HOLE * len(found[0]), text))
    for year in re.finditer(r"\b\d{4}\b", prose):
        named = []
        for work in _works_of(year[0]):
            if before := re.search(rf"\b{re.escape(work.names[0])}{_BEFORE_YEAR}", prose[: year.start()]):
                said = f"{before[0]}{year[0]}{')' if '(' in before[0] else ''}"
                named.append((sum(name in said for name in work.names), -before.start(), " ".join(said.split()), work.key))
        if named:
            _, place, words, key = max(named)  # the work whose authors are named the most
            yield -place, words, key


@lru_cache
def _works_of(year: str) -> tuple[Work, ...]:
    return tuple(work for work in works().values() if work.year == year)


@lru_cache
def references() -> frozenset[str]:
    """The keys of the bibliography."""
    return frozenset(re.findall(r"^@\w+\{([^,\s]+),", REFERENCES.read_text(encoding="utf-8"), flags=re.MULTILINE))


def _wrong(lesson: Lesson, cell: Cell, words: str, target: str, names: set[str]) -> Iterator[tuple[str, str]]:
    if _REFERENCE.match(target):
        return
    if not target or not words.strip():
        if not target:
            yield f"a link without an address: [{words}](); give one", f"un lien sans adresse : [{words}]() ; donnez-en une"
        elif words == "":
            yield f"a link without words: []({target}); say where it leads", f"un lien sans mots : []({target}) ; dites où il mène"
        return
    if re.match(r"[a-z]+:", target):
        if not re.match(r"(https?://[^/\s]+\.[^/\s]|mailto:\S+@)", target):
            yield f"{target} is no address; write https://…", f"{target} n'est pas une adresse ; écrivez https://…"
        return
    path = target.partition("#")[0]
    languages = [cell.language] if cell.language in LANGUAGES else list(LANGUAGES)
    if Path(path).suffix in ("", ".ipynb", ".md", ".html") and Path(path).stem in names and "/" not in path:
        return
    folder = lesson.path.parents[1]
    if not all(((folder / language) / path).exists() for language in languages if language):
        yield (
            f"{target} leads to no file; the path is from lessons/{languages[0]}/",
            f"{target} ne mène à aucun fichier ; le chemin part de lessons/{languages[0]}/",
        )
