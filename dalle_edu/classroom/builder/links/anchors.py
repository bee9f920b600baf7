"""The ids of a lesson's headings: the same in every language, made of the English heading, so that a change of language keeps the place."""

import re
import unicodedata
from collections.abc import Iterator

from dalle_edu.classroom.builder.source import Lesson, source_language

EXERCISE = "exercise-{number}"  # the id of an exercise's heading


def headings(lesson: Lesson, language: str, slides: bool = False) -> list[tuple[str, str]]:
    """The headings of a lesson in one language, each with its id, in the order of the text; of what only slides show if `slides`.

    A heading is named by its English words without its number: "## 3. Looking back" gives "looking-back"; of equal ones the second is
    "looking-back-2". Where a heading is not translated, which is a fault, those of the language itself give the names.
    """
    texts, english = (_headings(lesson, each, slides) for each in (language, "en"))
    return list(zip(texts, _distinct(english if len(english) == len(texts) else texts), strict=True))


def slug(text: str) -> str:
    """Words as an id: small letters without accents, digits and hyphens; formulas, code marks and a number in front are left out."""
    plain = unicodedata.normalize("NFKD", re.sub(r"^\d+\.\s*|\$[^$]*\$", "", text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"


def _headings(lesson: Lesson, language: str, slides: bool) -> list[str]:
    cells = [
        cell.text
        for cell in lesson.cells
        if cell.kind == "markdown"
        and cell.language in (None, source_language(language))
        and bool(cell.metadata.get("slide_only")) == slides
    ]
    plain = re.sub(r"```.*?```", "", "\n\n".join(cells), flags=re.DOTALL)
    return re.findall(r"^#+ +(.+?)\s*$", plain, flags=re.MULTILINE)


def _distinct(texts: list[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for text in map(slug, texts):
        seen[text] = seen.get(text, 0) + 1
        yield text if seen[text] == 1 else f"{text}-{seen[text]}"
