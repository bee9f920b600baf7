"""From a lesson's source to its notebooks: the student's, the solved one, the slides, and nbgrader's.

The student's has every exercise hollowed out, the solved one has the library's own code; they differ in nothing else. Ids of cells come
from their text, so that the same source gives the same bytes.
"""

import ast
import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dalle_edu.classroom.builder.hollow import French, hollowed, imports_for, names_bound, solution
from dalle_edu.classroom.builder.source import Cell, Lesson, edition

LEVELS = {1: "●", 2: "●●", 3: "●●●"}
_EXERCISE = {"en": "Exercise", "fr": "Exercice"}
_INSTALLING = {
    language: f"""import importlib.util

if importlib.util.find_spec("dalle_edu") is None:  # {where}
    %pip install --quiet "dalle-edu @ git+https://github.com/dalle-edu/dalle-edu"
"""
    for language, where in (("en", "on Colab, for instance"), ("fr", "sur Colab, par exemple"))
}
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


_ONE_AT_A_TIME = threading.Lock()  # lessons are built side by side, and Python 3.11 cannot parse in two threads at once


@dataclass(frozen=True)
class Piece:
    """A cell of a notebook to be: `solved` is what the solution has in place of `text`."""

    kind: str
    text: str
    solved: str | None = None
    slide: str = "skip"
    slide_only: bool = False
    tags: tuple[str, ...] = ()
    grade: str | None = None  # "solution" or "test", for nbgrader


def pieces(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> list[Piece]:
    """The cells of one edition, exercises and their checks included."""
    with _ONE_AT_A_TIME:
        cells = edition(lesson.cells, language)
        taught = [(cell.implements, solution(cell.implements, language, French.read(cell.text))) for cell in cells if cell.implements]
        return [
            Piece("markdown", f"# {lesson.number} · {lesson.title[language]}", slide="slide"),
            Piece("markdown", cost_line(lesson, language, measured or {})),
            Piece("code", _preamble(cells, taught, language), tags=("hide-input",)),
            *_body(cells, dict(taught), language),
        ]


def student(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> Any:
    """The notebook that students open: exercises to fill in, quizzes folded."""
    return _notebook([cell for cell in pieces(lesson, language, measured) if not cell.slide_only], solved=False)


def solved(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> Any:
    """The notebook with its solutions, for instructors and for the book."""
    return _notebook([cell for cell in pieces(lesson, language, measured) if not cell.slide_only], solved=True)


def everything(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> Any:
    """The solved notebook with the slides' own cells: executed once, it gives the book's page and the deck."""
    return _notebook(pieces(lesson, language, measured), solved=True)


def assignment(lesson: Lesson, language: str) -> Any:
    """The notebook for nbgrader's source folder: solutions marked for removal, checks that raise and give points."""
    read = [piece for piece in pieces(lesson, language) if not piece.slide_only]
    notebook = _notebook(read, solved=True)
    for cell, piece in zip(notebook.cells, read, strict=True):
        if piece.grade == "solution":
            cell.source = marked_solution(piece.text, piece.solved or piece.text)
            cell.metadata["nbgrader"] = _grading(cell.id, solution=True)
        elif piece.grade == "test":
            cell.metadata["nbgrader"] = _grading(cell.id, points=1)
    notebook.cells[2].source += "\n\nfrom dalle_edu.classroom.checks import grade_strictly\n\ngrade_strictly()"
    return notebook


def cost_line(lesson: Lesson, language: str, measured: dict[str, Any]) -> str:
    """What a lesson costs: hours of work as its author gives them, computing as `make measure` found it."""
    hours = f"{lesson.hours:g}".replace(".", "," if language == "fr" else ".")
    cost = measured.get(lesson.number)
    if language == "fr":
        line = f"*Environ {hours} h de travail."
        if cost:
            line += f" Calcul : {_rounded(cost['cpu_seconds'])} s de processeur, {_rounded(cost['peak_mb'])} Mo de mémoire, "
            line += f"{_rounded(cost['download_mb'])} Mo à télécharger ({cost['machine']['fr']})."
    else:
        line = f"*About {hours} h of work."
        if cost:
            line += f" Computing: {_rounded(cost['cpu_seconds'])} s of processor time, {_rounded(cost['peak_mb'])} MB of memory, "
            line += f"{_rounded(cost['download_mb'])} MB to download ({cost['machine']['en']})."
    return line + "*"


# ---------------------------------------------------------------- from cells to pieces


def _body(cells: Sequence[Cell], taught: dict[str, str], language: str) -> Iterator[Piece]:
    number, last = 0, None
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        slide, only, tags = cell.facts.get("slide", "skip"), bool(cell.facts.get("slide_only")), tuple(cell.facts.get("tags", ()))
        if cell.is_exercise:
            number += 1
        checks_last = last is not None and last.is_exercise and not last.implements and cell.kind == "code"
        last = cell
        asked = _asked(number + 1, following, language) if following is not None and following.is_exercise else ""
        if cell.implements:
            code, name = taught[cell.implements], cell.implements.split(":")[1]
            empty = hollowed(code, language, cell.facts.get("hollow"))
            yield Piece("code", empty, code, slide, only, (*tags, "solution"), "solution")
            yield Piece("code", f'{name} = check({name}, "{cell.implements}")', grade="test")
        elif cell.is_exercise:
            yield Piece("code", to_do(cell.text, language), cell.text, slide, only, (*tags, "solution"), "solution")
        else:
            folded = ("quiz", "hide-input") if "quiz" in cell.facts else ()
            text = f"{asked}\n\n{cell.text}" if asked and cell.kind == "markdown" else cell.text
            yield Piece(cell.kind, text, None, slide, only, (*tags, *folded), "test" if checks_last else None)
        if asked and cell.kind == "code":
            yield Piece("markdown", asked)


def _asked(number: int, cell: Cell, language: str) -> str:
    return f"**{_EXERCISE[language]} {number}** {LEVELS[cell.facts['level']]}"


def to_do(code: str, language: str) -> str:
    """An exercise of the lesson's own, without its solution: functions hollowed out, variables left to be given."""
    code = hollowed(code, language)
    lines = code.splitlines()
    for node in reversed(ast.parse(code).body):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            lines[node.lineno - 1 : node.end_lineno] = [f"{', '.join(ast.unparse(target) for target in targets)} = ..."]
    return "\n".join(lines)


def _preamble(cells: Sequence[Cell], taught: Sequence[tuple[str, str]], language: str) -> str:
    """What every notebook begins with: the library itself, the imports that its exercises need, and the reader's language."""
    given = {name for cell in cells if cell.kind == "code" and not cell.implements for name in names_bound(cell.text)}
    given |= {target.split(":")[1] for target, _ in taught}
    helpers = ["from dalle_edu.classroom.checks import check, expect", "from dalle_edu.classroom.quiz import Choice, Number, quiz"]
    lines = [*imports_for(taught, given).splitlines(), *helpers, "from dalle_edu.language import speak", "", f'speak("{language}")']
    return "\n".join([_INSTALLING[language], *lines])


# ---------------------------------------------------------------- from pieces to notebooks


def _notebook(cells: Sequence[Piece], solved: bool) -> Any:
    import nbformat.v4 as v4

    notebook = v4.new_notebook(metadata=_KERNEL)
    seen: set[str] = set()
    for piece in cells:
        text = piece.solved if solved and piece.solved is not None else piece.text
        cell = (v4.new_markdown_cell if piece.kind == "markdown" else v4.new_code_cell)(text)
        cell.id = _identity(piece, seen)
        if piece.tags:
            cell.metadata["tags"] = sorted(set(piece.tags))
        if "hide-input" in piece.tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
        cell.metadata["slideshow"] = {"slide_type": piece.slide}
        if piece.slide_only:
            cell.metadata["slide_only"] = True
        notebook.cells.append(cell)
    return notebook


def _identity(piece: Piece, seen: set[str]) -> str:
    """A hash of the text, with a number for the second cell of the same text."""
    for again in range(1000):
        identity = hashlib.sha256(f"{piece.kind} {again} {piece.text}".encode()).hexdigest()[:12]
        if identity not in seen:
            seen.add(identity)
            return identity
    raise AssertionError("a thousand equal cells")


def marked_solution(empty: str, full: str) -> str:
    """The full code with nbgrader's marks around what the student is to write."""
    start, end = 0, 0
    few, many = empty.splitlines(), full.splitlines()
    while start < min(len(few), len(many)) and few[start] == many[start]:
        start += 1
    while end < min(len(few), len(many)) - start and few[-1 - end] == many[-1 - end]:
        end += 1
    margin = " " * (len(few[start]) - len(few[start].lstrip())) if start < len(few) else ""
    inside = many[start : len(many) - end]
    return "\n".join([*many[:start], f"{margin}### BEGIN SOLUTION", *inside, f"{margin}### END SOLUTION", *many[len(many) - end :]])


def _grading(identity: str, solution: bool = False, points: int = 0) -> dict[str, Any]:
    facts: dict[str, Any] = {"schema_version": 3, "grade_id": identity, "solution": solution, "grade": bool(points), "locked": bool(points)}
    return {**facts, "task": False, **({"points": points} if points else {})}


def _rounded(value: float | int) -> str:
    """One or two digits that mean something: 0, 7, 40, 350."""
    size = 1 if value < 20 else 10 if value < 200 else 50
    return f"{size * round(value / size):g}"
