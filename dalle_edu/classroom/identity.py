"""The identity of a notebook's cells: a hash of their text as the lesson has it, by which a student's changes are told."""

import hashlib
from collections.abc import Collection
from typing import Any

_EQUAL = 20  # at most so many equal cells are told apart


def identity(kind: str, text: str, again: int = 0) -> str:
    """The id of a cell, "markdown" or "code", made from its text; `again` tells equal cells of a notebook apart."""
    return hashlib.sha256(f"{kind} {again} {text}".encode()).hexdigest()[:12]


def source(cell: dict[str, Any]) -> str:
    """The text of a cell, which files of notebooks write as one string or as lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def as_made(cell: dict[str, Any], made: Collection[str]) -> bool:
    """Whether a cell is as the lesson made it: its text gives its id, or one of `made`, those of the lesson's cells."""
    names = {identity(cell.get("cell_type", ""), source(cell), again) for again in range(_EQUAL)}
    return cell.get("id") in names or not names.isdisjoint(made)


def facts(part: dict[str, Any]) -> dict[str, Any]:
    """What the builder noted in the metadata of a notebook, or of a cell; empty where it noted nothing."""
    found = part.get("metadata", {}).get("dalle_edu")
    return found if isinstance(found, dict) else {}


def made_of(notebook: dict[str, Any]) -> list[str]:
    """The ids of the cells that a notebook was made with, as the builder noted them: two editions of a lesson differ in it where any text
    differs. Before they were noted, those of its cells that are still as they were made.
    """
    return list(facts(notebook).get("cells", [])) or [cell.get("id") for cell in notebook["cells"] if as_made(cell, ())]
