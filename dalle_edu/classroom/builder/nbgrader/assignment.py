"""The graded edition of a lesson, for nbgrader: its exercises, their statements and checks, and what these need of the lesson.

Nothing in it trains, draws or asks, but what an exercise itself does. The source notebook holds the solutions; `dalle_edu.classroom.course`
puts what the student fills in back in their place when the assignment is made.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from dalle_edu.classroom.builder.links.linking import in_notebook
from dalle_edu.classroom.builder.nbgrader.needed import made_anew, needed
from dalle_edu.classroom.builder.notebooks import CHECK_IMPORT, Piece, notebook_of, pieces
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.classroom.caution import ALLOWED
from dalle_edu.language import chosen

_JUDGES = """import importlib

import dalle_edu.classroom.grading

check, expect = importlib.reload(dalle_edu.classroom.grading).judges()"""
_RULES = {
    "en": "This notebook is graded: hand it in under its name. Write in the cells of the exercises and in cells that you add; all others "
    "are put back as they were. Your cells may import {modules}, and nothing else; a cell that reaches into the notebook itself is not "
    "run.",
    "fr": "Ce notebook est noté : rendez-le sous son nom. Écrivez dans les cellules des exercices et dans des cellules que vous ajoutez ; "
    "toutes les autres seront rétablies. Vos cellules peuvent importer {modules}, et rien d'autre ; une cellule qui touche au notebook "
    "lui-même n'est pas exécutée.",
}


def assignment(lesson: Lesson, language: str) -> Any:
    """The notebook for nbgrader's source folder.

    A check is worth as many points as its exercise has dots, and raises where the answer is wrong. It takes its judges from the library's
    files anew, and the data that it compares with are made anew, too. Hints are left out. What the student does not write is read-only.
    """
    read = graded_pieces(in_notebook(pieces(lesson, language, graded=True), lesson, language), language)
    notebook = notebook_of(read, solved=True)
    for cell, piece in zip(notebook.cells, read, strict=True):
        if piece.grade == "solution":
            cell.metadata["nbgrader"] = _grading(cell.id, solution=True)
            cell.metadata["dalle_edu"] = {"stub": piece.text}
        elif piece.grade == "test":
            cell.metadata["nbgrader"] = _grading(cell.id, points=piece.points)
        elif piece.kind == "code" and "scratch" not in piece.tags:
            cell.metadata["nbgrader"] = _grading(cell.id)
    return notebook


def graded_pieces(read: Sequence[Piece], language: str) -> list[Piece]:
    """The pieces of a lesson that its graded edition has, in order."""
    read = [_without_hints(piece) for piece in read if not piece.slide_only and not piece.claims and "quiz" not in piece.tags]
    statements = _statements(read)
    first, *code = [place for place, piece in enumerate(read) if piece.kind == "code"]  # the first one, of imports, stays as it is
    texts = [read[place].solved or read[place].text.removeprefix(CHECK_IMPORT) for place in code]
    whole = [read[place].grade == "solution" or "scratch" in read[place].tags for place in code]
    short = {first: read[first].text, **dict(zip(code, needed(texts, whole, _mentioned([first, *code], statements)), strict=True))}
    found: list[Piece] = []
    for place, piece in enumerate(read):
        if place == 0:
            rules = chosen(_RULES, language).format(modules=", ".join(f"`{name}`" for name in sorted(ALLOWED)))
            found += [piece, Piece("markdown", rules)]
        elif place in statements:
            found.append(replace(piece, text=statements[place]))
        elif piece.grade == "test":
            before = [at for at in code if at < place and "scratch" not in read[at].tags]
            exercises = [short[at] for at in before if read[at].grade == "solution"]
            given = made_anew([short[at] for at in before if read[at].grade != "solution"], exercises, short[place])
            found.append(replace(piece, text="\n\n".join(part for part in (given, _JUDGES, short[place]) if part)))
        elif piece.kind == "code" and piece.grade == "solution":
            found.append(piece)
        elif piece.kind == "code" and short[place].strip():
            found.append(replace(piece, text=short[place]))
    return found


# ---------------------------------------------------------------- prose


def _statements(read: Sequence[Piece]) -> dict[int, str]:
    """The prose that is kept, by its place: what stands directly above an exercise, from its last heading on, and headings of sections."""
    found: dict[int, str] = {}
    for place, piece in enumerate(read):
        if piece.grade != "solution":
            continue
        said = False
        for above in range(place - 1, 0, -1):
            before = read[above]
            if before.grade or (before.kind == "code" and said):
                break
            if before.kind == "code":
                continue
            found[above] = before.text
            said = said or not re.fullmatch(r"\*\*\w+ \d+\*\* ●+", before.text)
            if re.search(r"^#", before.text, flags=re.MULTILINE):
                break
        _add_heading(found, read, place)
    return found


def _add_heading(found: dict[int, str], read: Sequence[Piece], place: int) -> None:
    """Add the heading of the section that a place is in, where it is not among what is found."""
    for above in range(place - 1, 0, -1):
        headings = re.findall(r"^## .+", read[above].text, flags=re.MULTILINE) if read[above].kind == "markdown" else []
        if headings:
            found.setdefault(above, headings[-1])
            return


def _mentioned(code: Sequence[int], statements: dict[int, str]) -> list[str]:
    """For each cell of code but the first, the statements between it and the cell of code before it."""
    return ["\n".join(text for at, text in statements.items() if before < at < place) for before, place in pairwise(code)]


def _without_hints(piece: Piece) -> Piece:
    return replace(piece, text=re.sub(r"\n*<details>.*?</details>", "", piece.text, flags=re.DOTALL)) if piece.kind == "markdown" else piece


def _grading(identity: str, solution: bool = False, points: int = 0) -> dict[str, Any]:
    marks = {"schema_version": 3, "grade_id": identity, "solution": solution, "grade": bool(points), "locked": not solution, "task": False}
    return {**marks, **({"points": points} if points else {})}
