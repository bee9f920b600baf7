"""The notebooks of a lesson, made from its source: the student's, the solved one, and the one for slides.

The student's notebook has exercises to fill in, the solved one has the library's own code in their place; all other cells are the same.
The id of a cell is a hash of its text, so that the same source gives the same bytes.
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dalle_edu import __version__, address
from dalle_edu.classroom.builder.hollow import French, hollowed, imports_for, names_bound, solution
from dalle_edu.classroom.builder.links.linking import in_notebook
from dalle_edu.classroom.builder.source import Cell, Lesson, edition, replace_node
from dalle_edu.classroom.desk.code_read import ONE_AT_A_TIME
from dalle_edu.classroom.identity import identity
from dalle_edu.language import SOURCE, chosen, language_named, typeset

MACHINES_READ = "The machines of this course read English and French: the sentences that they are given stay in English."
LEVELS = {1: "●", 2: "●●", 3: "●●●"}
_EXERCISE = {"en": "Exercise", "fr": "Exercice"}
_RUN_FIRST = {
    "en": "# Run this cell before all others: click in it, and press Shift+Enter.",
    "fr": "# Lancez cette cellule avant toutes les autres : cliquez dedans, puis Maj+Entrée.",
}
_IF_MISSING = 'import importlib.util\n\nif importlib.util.find_spec("dalle_edu") is None:'
_ON_COLAB = {"en": "on Colab, for instance", "fr": "sur Colab, par exemple"}
_NOT_HERE = {
    "en": "dalle_edu is not installed here: install it from the folder that this notebook came with (pip install FOLDER), then run this "
    "cell again",
    "fr": typeset(
        "dalle_edu n'est pas installé ici : installez-le à partir du dossier d'où vient ce notebook (pip install DOSSIER), puis relancez "
        "cette cellule"
    ),
}
_TRY = {
    "en": "# Try yours here, with other values too.",
    "fr": "# Essayez la vôtre ici, avec d'autres valeurs aussi.",
}
_STANDING = {
    "en": "**Where you stand.** Run the cell below at any time. `reset(3)` begins the third exercise again; `solution(3)` shows its\n"
    "solution once you have tried twice.",
    "fr": typeset(
        "**Où vous en êtes.** Lancez la cellule ci-dessous quand vous voulez. `reset(3)` recommence le troisième exercice ; `solution(3)`\n"
        "montre sa solution après deux essais."
    ),
}
CHECK_IMPORT = "from dalle_edu.classroom.checks import check\n\n"
_HELPERS = (("checks", ("check", "expect")), ("desk", ("progress",)), ("quiz", ("Choice", "Number", "quiz")))
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


_FIRST = 2  # the place of the first cell of code, after the title and the cost


@dataclass(frozen=True)
class Piece:
    """A cell of a notebook before it is written: "markdown" or "code", and its text.

    `solved` is what the solution has in place of `text`. `slide` is a slide type of reveal.js; `slide_only` cells are in the deck alone.
    """

    kind: str
    text: str
    solved: str | None = None
    slide: str = "skip"
    slide_only: bool = False
    tags: tuple[str, ...] = ()
    grade: str | None = None  # "solution" or "test", for nbgrader
    points: int = 0  # of a test: the level of its exercise
    exercise: str = ""  # its target, or the names that it asks for
    claims: bool = False  # assertions of what the prose says, which are run with the solutions and are in no notebook
    line: int = 0  # of its cell's marker in the lesson's source; none for what the builder adds


def pieces(lesson: Lesson, language: str, measured: dict[str, Any] | None = None, graded: bool = False) -> list[Piece]:
    """The cells of a lesson in one language, with exercises and their checks. Raises `DalleEduError` for a missing translation."""
    with ONE_AT_A_TIME:
        cells = edition(lesson.cells, language)
        taught = [(cell.implements, solution(cell.implements, language, French.read(cell.text))) for cell in cells if cell.implements]
        return [
            Piece("markdown", "# " + " · ".join(filter(None, (lesson.number, chosen(lesson.title, language)))), slide="slide"),
            Piece("markdown", "\n\n".join([cost_line(lesson, language, measured or {}), *_what_machines_read(language)])),
            Piece("code", _preamble(lesson.name, cells, taught, language, graded), tags=("hide-input",)),
            *_body(cells, dict(taught), language),
        ]


def student(lesson: Lesson, language: str, measured: dict[str, Any] | None = None, lines: bool = False) -> Any:
    """The notebook for students: exercises to fill in, quizzes folded, and the first cell of code in sight, since all depends on it.

    It ends with the student's progress. With `lines` the metadata of each cell say its line in the source, for what goes wrong in a run.
    """
    with ONE_AT_A_TIME:
        read = [_without_computing(cell) for cell in pieces(lesson, language, measured) if not cell.slide_only and not cell.claims]
        if lesson.number:
            read += [Piece("markdown", chosen(_STANDING, language)), Piece("code", "progress()", tags=("progress",))]
        read = in_notebook(read, lesson, language)
        first = replace(read[_FIRST], tags=())
        notebook = notebook_of([*read[:_FIRST], first, *map(_with_judges, read[_FIRST + 1 :])], solved=False)
    for cell, piece in zip(notebook.cells, read, strict=True) if lines else ():
        cell.metadata["dalle_edu"] = {**cell.metadata.get("dalle_edu", {}), "line": piece.line}
    notebook.metadata["dalle_edu"] = {"version": __version__, "lesson": lesson.name, "language": language}
    notebook.metadata["dalle_edu"]["cells"] = [cell.id for cell in notebook.cells]
    return notebook


def solved(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> Any:
    """The notebook with its solutions, for instructors and for the book."""
    read = [cell for cell in pieces(lesson, language, measured) if not cell.slide_only and not cell.claims]
    return notebook_of(in_notebook(read, lesson, language), solved=True)


def everything(lesson: Lesson, language: str, measured: dict[str, Any] | None = None) -> Any:
    """The solved notebook with the cells for slides alone and the claims of the prose.

    Executed once, it gives the book's page and the deck, each of which resolves the references in the prose. The metadata of each cell say
    its line in the source, for what goes wrong in it.
    """
    read = pieces(lesson, language, measured)
    notebook = notebook_of(read, solved=True)
    for cell, piece in zip(notebook.cells, read, strict=True):
        cell.metadata["dalle_edu"] = {"line": piece.line}
    return notebook


def with_lessons(start: Lesson, lessons: Sequence[Lesson]) -> Lesson:
    """The page that students begin on, with a link to each lesson where its text says `LESSONS`."""
    lists = {
        language: "\n".join(f"- [{lesson.number} · {lesson.title[language]}]({lesson.name}.ipynb)" for lesson in lessons)
        for language in start.title
    }
    cells = [replace(cell, text=cell.text.replace("LESSONS", lists[cell.language])) if cell.language else cell for cell in start.cells]
    return replace(start, cells=tuple(cells))


def cost_line(lesson: Lesson, language: str, measured: dict[str, Any]) -> str:
    """A line on the cost of a lesson.

    Its author gives the hours of reading, and of exercises by level; `make measure` found those of computing.
    """
    cost, spoken = measured.get(lesson.number), language_named(language)
    reading, *levels = (spoken.number(f"{hours:g}") for hours in lesson.hours)
    total = spoken.number(f"{sum(lesson.hours):g}")
    exercises = ", ".join(f"{LEVELS[level]} {hours} h" for level, hours in enumerate(levels, 1) if hours != "0")
    if not lesson.number:
        return f"*{spoken.phrase(f'About {total} h.')}*" if language != "fr" else f"*Environ {total} h.*"
    if language == "fr":
        line = f"*Environ {total} h : lecture {reading} h, exercices {exercises}."
        if cost:
            line += f" Calcul : {_rounded(cost['cpu_seconds'])} s de processeur, {_rounded(cost['peak_mb'])} Mo de mémoire, "
            line += f"{_rounded(cost['download_mb'])} Mo à télécharger ({cost['machine']['fr']})."
    else:
        line = "*" + spoken.phrase(f"About {total} h: reading {reading} h, exercises {exercises}.")
        if cost:
            computing = f"Computing: {_rounded(cost['cpu_seconds'])} s of processor time, {_rounded(cost['peak_mb'])} MB of memory, "
            computing += f"{_rounded(cost['download_mb'])} MB to download ({cost['machine']['en']})."
            line += " " + spoken.phrase(computing)
    return line + "*"


def _what_machines_read(language: str) -> list[str]:
    """Of an edition from a phrasebook, the sentence that says which languages machines read."""
    return [] if language in SOURCE else [language_named(language).phrase(MACHINES_READ)]


# ---------------------------------------------------------------- from cells to pieces


def _body(cells: Sequence[Cell], taught: dict[str, str], language: str) -> Iterator[Piece]:
    number, last, checked = 0, None, False
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        slide, only, tags = cell.metadata.get("slide", "skip"), bool(cell.metadata.get("slide_only")), tuple(cell.metadata.get("tags", ()))
        if cell.is_exercise:
            number += 1
        if cell.metadata.get("claims"):
            yield Piece("code", cell.text, tags=("claims",), claims=True, line=cell.line)
            continue
        if cell.is_scratch:
            if last is None or not last.implements:  # after an exercise on the library's code, it came with it
                yield _scratch(cell, language)
            continue
        points = last.metadata["level"] if last is not None and last.is_exercise and not last.implements and cell.kind == "code" else 0
        last = cell
        asked = _asked(number + 1, following, language) if following is not None and following.is_exercise else ""
        if cell.implements:
            code, name = taught[cell.implements], cell.implements.split(":")[1]
            empty = hollowed(code, language, cell.metadata.get("hollow"))
            yield Piece("code", empty, code, slide, only, (*tags, "solution"), "solution", exercise=cell.implements, line=cell.line)
            if following is not None and following.is_scratch:
                yield _scratch(following, language)
            asks = f'{name} = check("{cell.implements}")'
            if not checked:  # so that who has skipped the first cell is told so
                checked, asks = True, f"{CHECK_IMPORT}{asks}"
            yield Piece("code", asks, grade="test", points=cell.metadata["level"], line=cell.line)
        elif cell.is_exercise:
            names = ",".join(sorted(names_bound(cell.text)))
            asked_for = to_do(cell.text, language)
            yield Piece("code", asked_for, cell.text, slide, only, (*tags, "solution"), "solution", exercise=names, line=cell.line)
        else:
            folded = ("quiz", "hide-input") if "quiz" in cell.metadata else ()
            text = _below_headings(asked, cell.text) if asked and cell.kind == "markdown" else cell.text
            yield Piece(cell.kind, text, None, slide, only, (*tags, *folded), "test" if points else None, points, line=cell.line)
        if asked and cell.kind == "code":
            yield Piece("markdown", asked)


def _scratch(cell: Cell, language: str) -> Piece:
    return Piece("code", f"{chosen(_TRY, language)}\n{cell.text}", tags=("raises-exception", "scratch"), line=cell.line)


def _with_judges(piece: Piece) -> Piece:
    """A cell that judges, or asks, with the imports of what it calls: whoever has skipped the first cell is told so, not stopped."""
    if piece.kind != "code" or "scratch" in piece.tags:
        return piece
    text = piece.text.removeprefix(CHECK_IMPORT)
    called = {node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    lines = [
        f"from dalle_edu.classroom.{module} import {', '.join(names)}"
        for module, all in _HELPERS
        if (names := [n for n in all if n in called])
    ]
    return replace(piece, text="\n".join([*lines, "", text])) if lines else piece


def _without_computing(piece: Piece) -> Piece:
    """A quiz without `computed`, which would run what the student wrote."""
    if "quiz" not in piece.tags:
        return piece
    code = piece.text
    while True:
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        call = next((call for call in calls if any(keyword.arg == "computed" for keyword in call.keywords)), None)
        if call is None:
            return replace(piece, text=code)
        given: list[ast.expr | ast.keyword] = sorted([*call.args, *call.keywords], key=lambda part: (part.lineno, part.col_offset))
        place = next(i for i, part in enumerate(given) if isinstance(part, ast.keyword) and part.arg == "computed")
        before, computed = given[place - 1], given[place]  # it is never the first
        gap = ast.Pass(
            lineno=before.end_lineno or 0,
            col_offset=before.end_col_offset or 0,
            end_lineno=computed.end_lineno,
            end_col_offset=computed.end_col_offset,
        )
        code = replace_node(code, gap, "")


def _asked(number: int, cell: Cell, language: str) -> str:
    return f"### {chosen(_EXERCISE, language)} {number} {LEVELS[cell.metadata['level']]}"


def _below_headings(asked: str, text: str) -> str:
    """The heading of an exercise and the prose that states it, after the headings that the prose begins with."""
    headings = re.match(r"(?:#+ .*\n+)*", text)
    assert headings is not None
    return "\n\n".join(filter(None, (headings.group().strip(), asked, text[headings.end() :])))


def to_do(code: str, language: str) -> str:
    """An exercise of the lesson's own without its solution: functions without bodies, and `...` as the value of variables."""
    code = hollowed(code, language)
    lines = code.splitlines()
    for node in reversed(ast.parse(code).body):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            lines[node.lineno - 1 : node.end_lineno] = [f"{', '.join(ast.unparse(target) for target in targets)} = ..."]
    return "\n".join(lines)


def _preamble(name: str, cells: Sequence[Cell], taught: Sequence[tuple[str, str]], language: str, graded: bool) -> str:
    """The first code cell of a notebook: it installs the library, imports what exercises need, and opens the lesson."""
    given = {name for cell in cells if cell.kind == "code" and not cell.implements for name in names_bound(_without_imports(cell.text))}
    given |= {target.split(":")[1] for target, _ in taught}
    desk = "open_lesson" if graded else "open_lesson, progress, reset, solution, take_up"
    helpers = ["from dalle_edu.classroom.checks import check, expect", f"from dalle_edu.classroom.desk import {desk}"]
    helpers += ["from dalle_edu.classroom.quiz import Choice, Number, quiz", ""]
    opening = f'open_lesson("{name}", "{language}"{", graded=True" if graded else ""})'
    lines = [*imports_for(taught, given).splitlines(), *helpers, opening]
    return "\n".join([chosen(_RUN_FIRST, language), _installing(language), *lines])


def _installing(language: str) -> str:
    """The lines that install the library where a notebook is opened alone; where no address is set, that say that it is missing."""
    if address.REPOSITORY:
        return f'{_IF_MISSING}  # {chosen(_ON_COLAB, language)}\n    %pip install --quiet "dalle-edu @ git+{address.REPOSITORY}"\n'
    words = ' "\n        "'.join(textwrap.wrap(chosen(_NOT_HERE, language), 72))
    return f'{_IF_MISSING}\n    raise ModuleNotFoundError(\n        "{words}"\n    )\n'


def _without_imports(code: str) -> str:
    """Code without its imports: what answers need is imported in the first cell, whatever the lesson imports later."""
    return "\n".join(ast.unparse(node) for node in ast.parse(code).body if not isinstance(node, (ast.Import, ast.ImportFrom)))


# ---------------------------------------------------------------- from pieces to notebooks


def notebook_of(cells: Sequence[Piece], solved: bool) -> Any:
    """The notebook of these pieces, each cell with an id; `solved` says whether its exercises hold their solutions."""
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
        if piece.exercise and not solved:
            cell.metadata["dalle_edu"] = {"exercise": piece.exercise, "stub": cell.id}
        notebook.cells.append(cell)
    return notebook


def _identity(piece: Piece, seen: set[str]) -> str:
    """A hash of a cell's kind and text, and of a number, which tells equal cells apart."""
    for again in range(1000):
        name = identity(piece.kind, piece.text, again)
        if name not in seen:
            seen.add(name)
            return name
    raise AssertionError("a thousand equal cells")


def _rounded(value: float | int) -> str:
    """A number rounded to what its measure is worth: to 1 below 20, to 10 below 200, to 50 above."""
    size = 1 if value < 20 else 10 if value < 200 else 50
    return f"{size * round(value / size):g}"
