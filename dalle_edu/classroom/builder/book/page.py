"""A lesson as a page of the book, made of its executed notebook.

A page opens with a picture and a question; what it costs and its first cell come after. An exercise shows what is asked, then its solution,
folded. Checks are left out, since a page has no kernel, and every heading has an id that both languages share.
"""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from dalle_edu.classroom.builder.links.anchors import EXERCISE, headings, slug
from dalle_edu.classroom.builder.notebooks import Piece, pieces
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.language import language_named

OPENING = 12  # the most cells before the first picture
_FENCE_OR_HEADING = re.compile(r"^```.*?^```|^#+ +.+?$", re.DOTALL | re.MULTILINE)
_EXERCISE = re.compile(r"### \S+ (\d+) ●")
_PROMPTS = {
    "solution": {
        "fr": {"code_prompt_show": "Voir la solution", "code_prompt_hide": "Cacher la solution"},
        "en": {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"},
    },
    "test": {
        "fr": {"code_prompt_show": "Voir la vérification", "code_prompt_hide": "Cacher la vérification"},
        "en": {"code_prompt_show": "Show the check", "code_prompt_hide": "Hide the check"},
    },
    "first": {
        "fr": {"code_prompt_show": "Voir la première cellule du notebook", "code_prompt_hide": "Cacher la première cellule"},
        "en": {"code_prompt_show": "Show the notebook's first cell", "code_prompt_hide": "Hide the first cell"},
    },
}


def as_page(notebook: Any, lesson: Lesson, language: str, measured: dict[str, Any]) -> Any:
    """The notebook as the book shows it; `notebook` is what `notebooks.everything` made of the lesson, executed."""
    page = deepcopy(notebook)
    made = list(zip(pieces(lesson, language, measured), page.cells, strict=True))
    title, cost, first, *body = made
    shown = list(_shown(body, language))
    cost[1].source = f":::{{container}} cost\n{cost[1].source}\n:::"
    first[1].metadata["tags"], first[1].metadata["mystnb"] = ["hide-input"], _prompts("first", language)
    opening = _opening(shown)
    page.cells = _folded_together([title[1], *shown[:opening], cost[1], first[1], *shown[opening:]])
    named = iter([slug(lesson.title["en"]), *(name for _, name in headings(lesson, language))])
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = _with_ids(cell.source, named)
    assert next(named, None) is None, f"{lesson.name} ({language}): a heading is missing on its page"
    return page


def _prompts(what: str, language: str) -> dict[str, str]:
    """What a folded cell says before and after it is unfolded."""
    texts = _PROMPTS[what]
    return texts.get(language) or {key: language_named(language).phrase(text) for key, text in texts["en"].items()}


def paired(text: str, english: str) -> str:
    """The Markdown of a page of the book's own with the ids of its headings, which are made of the English page's words.

    Raises `ValueError` where the two pages have not as many headings.
    """
    heads = [found for found in _FENCE_OR_HEADING.findall(english) if not found.startswith("```")]
    here = [found for found in _FENCE_OR_HEADING.findall(text) if not found.startswith("```")]
    if len(heads) != len(here):
        raise ValueError(f"{len(here)} headings, and {len(heads)} in English: {here}")
    return _with_ids(text, iter([slug(head.lstrip("# ")) for head in heads]))


def pictured(cell: Any) -> bool:
    """Whether an output of the cell is, or holds, a picture."""
    return any("<img" in output.get("data", {}).get("text/html", "") or "image/png" in output.get("data", {}) for output in outputs(cell))


def outputs(cell: Any) -> list[Any]:
    """The outputs of a cell; prose has none."""
    return list(cell.get("outputs", []))


def _shown(made: Sequence[tuple[Piece, Any]], language: str) -> Iterator[Any]:
    for piece, cell in made:
        tags = set(piece.tags)
        if piece.slide_only or piece.claims or (piece.grade == "test" and ' = check("' in piece.text):
            continue
        if piece.grade == "solution":
            yield _prose(cell, f"```python\n{asked_for(piece.text)}\n```")
            cell.metadata["mystnb"] = _prompts("solution", language)
            tags.add("hide-input")
        if piece.grade == "test":
            cell.metadata["mystnb"], cell.outputs = _prompts("test", language), []
            tags.add("hide-input")
        if "quiz" in tags:
            tags = (tags - {"hide-input"}) | {"remove-input"}
        cell.metadata["tags"] = sorted(tags)
        yield cell


def asked_for(code: str) -> str:
    """An exercise as a page shows it: signatures and docstrings, with dots where the answer goes."""
    return re.sub(r"raise NotImplementedError.*", "...", code)


def _prose(before: Any, text: str) -> Any:
    import nbformat.v4 as v4

    return v4.new_markdown_cell(text, id=f"{before.id[:56]}-asked")


def _opening(cells: Sequence[Any]) -> int:
    """The number of cells that open a page: to its first picture, or its first prose where no picture is near."""
    near = [place for place, cell in enumerate(cells[:OPENING]) if pictured(cell)]
    return (near or [0])[0] + 1


def _folded_together(cells: Sequence[Any]) -> list[Any]:
    """Cells in which neighbours whose code is folded, and which show nothing, are one with the next folded cell."""
    kept: list[Any] = []
    for cell in cells:
        before = kept[-1] if kept else None
        if before is not None and _folds(cell) and _folds(before) and not outputs(before):
            cell.source = f"{before.source}\n\n\n{cell.source}"
            kept.pop()
        kept.append(cell)
    return kept


def _folds(cell: Any) -> bool:
    return cell.cell_type == "code" and "hide-input" in cell.metadata.get("tags", []) and "mystnb" not in cell.metadata


def _with_ids(text: str, named: Iterator[str]) -> str:
    """Prose with the comment `% id: NAME`, which `neutral_ids` reads, before each heading."""

    def mark(found: re.Match[str]) -> str:
        if found.group().startswith("```"):
            return found.group()
        exercise = _EXERCISE.match(found.group())
        return f"\n% id: {EXERCISE.format(number=exercise.group(1)) if exercise else next(named)}\n\n{found.group()}"

    return _FENCE_OR_HEADING.sub(mark, text)
