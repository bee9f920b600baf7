"""The source of a lesson: a file in jupytext's percent format, with prose in both languages side by side, and code once.

    # %% [markdown] lang="en" slide="slide"       prose of one edition; the other language's cell follows
    # %% slide="fragment"                         code; `say("Red", "Rouge")` and comments `# en: …`, `# fr: …` become one language
    # %% implements="attention:attend" level=2    an exercise on the library's own code, which the builder fetches
    # %% level=1                                  an exercise of the lesson's own; the cell is its solution
    # %% scratch=true                             after an exercise: an example call, for the student to try; `# → 3` is its value
    # %% claims=true                              assertions of what the prose says of outputs; run by the tests, in no notebook
    # %% quiz="neuron"                            a quiz, folded in notebooks

`slide` is a slide type of reveal.js; `slide_only` cells are in the deck alone. A markdown cell without `lang` is for what both languages
share, such as a formula or a picture. The first cell of a slide may say what the slide is for, `slide_for="exercises 1-3"`: `deck.py`
says what there is. The header's `session` is how many minutes the slides take in class. Hints,
`<details><summary>A hint</summary>…</details>`, stand one after the other; graded editions leave them out.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.language import typeset
from dalle_edu.world.catalogue import LANGUAGES

SLIDE_TYPES = ("slide", "subslide", "fragment", "notes", "skip")
_KNOWN = {"lang", "slide", "slide_only", "implements", "hollow", "level", "quiz", "tags", "scratch", "claims", "slide_for"}


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson: "markdown" or "code", its text, the metadata in its first line, and the number of that line in the file."""

    kind: str
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    line: int = 0

    @property
    def language(self) -> str | None:
        """The edition that the cell is in, "fr" or "en"; none for a cell that is in both."""
        return self.metadata.get("lang")

    @property
    def implements(self) -> str | None:
        """The object of the library that an exercise is about, such as "attention:attend"."""
        return self.metadata.get("implements")

    @property
    def is_exercise(self) -> bool:
        """Whether the student fills in the cell."""
        return self.kind == "code" and "level" in self.metadata

    @property
    def is_scratch(self) -> bool:
        """Whether the cell is an example call, to try an exercise on."""
        return bool(self.metadata.get("scratch"))


@dataclass(frozen=True)
class Lesson:
    """A lesson as its source file has it, in both languages; `hours` is the time that a student needs: for reading, then for the exercises
    of each level. `session` is the length in minutes of the class that its slides are for."""

    path: Path
    number: str
    hours: tuple[float, ...]
    title: dict[str, str]
    cells: tuple[Cell, ...]
    session: int | None = None

    @property
    def name(self) -> str:
        """The name of its files, such as "05_attention"."""
        return self.path.stem


def read_lesson(path: Path) -> Lesson:
    """Read a source file.

    Raises `Faults` for an incomplete header, unknown metadata of a cell, an unknown slide type, and code in one language only.
    """
    import jupytext

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, "py:percent")
    header, faults = notebook.metadata.get("lesson", {}), list(_faults_of_header(path, notebook.metadata.get("lesson", {})))
    lines, cells = _lines_of_cells(text, len(notebook.cells)), []
    for cell, line in zip(notebook.cells, lines, strict=True):
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note on blank lines
        unknown = sorted(set(cell.metadata) - _KNOWN)
        if unknown:
            known = ", ".join(sorted(_KNOWN))
            faults.append(
                Complaint(path, line, f"unknown metadata {unknown}; known are {known}", f"métadonnées inconnues {unknown} ; il y a {known}")
            )
        slide = cell.metadata.get("slide", "skip")
        if slide not in SLIDE_TYPES:
            types = ", ".join(SLIDE_TYPES)
            faults.append(
                Complaint(path, line, f"slide is {slide!r}; it is one of {types}", f"slide vaut {slide!r} ; il faut l'un de {types}")
            )
        if cell.cell_type == "code" and "lang" in cell.metadata:
            faults.append(
                Complaint(
                    path,
                    line,
                    "code with a language; code exists once: leave lang out",
                    "du code avec une langue ; le code est unique : ôtez lang",
                )
            )
        cells.append(Cell(cell.cell_type, cell.source, dict(cell.metadata), line))
    if faults:
        raise Faults(faults)
    return Lesson(
        path, str(header["number"]), tuple(map(float, header["hours"])), dict(header["title"]), tuple(cells), header.get("session")
    )


def _faults_of_header(path: Path, header: dict[str, Any]) -> Iterator[Complaint]:
    if set(header) - {"session"} != {"number", "hours", "title"} or set(header["title"]) != set(LANGUAGES):
        yield Complaint(
            path,
            1,
            "the header needs `lesson:` with number, hours, and a title in each language",
            "l'en-tête demande `lesson:` avec number, hours, et un titre (title) par langue",
        )
    elif not isinstance(hours := header["hours"], list) or len(hours) != 4:
        yield Complaint(
            path,
            1,
            f"hours are {hours}; they are four: for reading, and for the exercises of levels 1, 2 and 3, as in [1, 0.5, 1, 2]",
            f"hours vaut {hours} ; il y en a quatre : la lecture, puis les exercices de niveaux 1, 2 et 3, comme [1, 0.5, 1, 2]",
        )
    elif not isinstance(session := header.get("session", 1), int) or session < 1:
        yield Complaint(
            path,
            1,
            f"session is {session!r}; it is a whole number of minutes, as in session: 120",
            f"session vaut {session!r} ; c'est un nombre entier de minutes, comme session: 120",
        )


def _lines_of_cells(text: str, count: int) -> list[int]:
    """The line at which each cell begins, counted from 1."""
    lines = text.splitlines()
    marks = [number for number, line in enumerate(lines, 1) if re.match(r"# %%", line)]
    body = next((number for number, line in enumerate(lines, 1) if number > 1 and line.rstrip() == "# ---"), 0)  # the end of the header
    found = marks if len(marks) == count else [body + 1, *marks]
    return found if len(found) == count else [1] * count


def edition(cells: Sequence[Cell], language: str) -> list[Cell]:
    """The cells of one language; of strings and comments given in both languages, one is kept."""
    kept = [cell for cell in cells if cell.language in (None, language)]
    return [replace(cell, text=(one_language if cell.kind == "code" else _typeset)(cell.text, language)) for cell in kept]


def one_language(code: str, language: str) -> str:
    """Code in one language: `say(en, fr)` becomes one of the two strings, and of the comments `# en: …` and `# fr: …` one is kept."""
    return "\n".join(_one_comment(line, language) for line in _one_string(code, language).splitlines() if not _is_other(line, language))


def prose_in_code(code: str) -> list[str]:
    """The comments in code that are given in one language only."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT]
    return [comment for comment in comments if not comment.startswith(("en: ", "fr: ", "type: ", "noqa", "→ "))]


_AS_WRITTEN = re.compile(r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]+>|https?://\S+)", re.DOTALL)


def _typeset(text: str, language: str) -> str:
    """French typography everywhere but in code, formulas and addresses."""
    if language != "fr":
        return text
    return "".join(piece if number % 2 else typeset(piece) for number, piece in enumerate(_AS_WRITTEN.split(text)))


def _is_other(line: str, language: str) -> bool:
    return any(line.strip().startswith(f"# {other}: ") for other in LANGUAGES if other != language)


def _one_comment(line: str, language: str) -> str:
    start = f"# {language}: "
    return line.replace(start, "# ", 1) if line.strip().startswith(start) else line


def _one_string(code: str, language: str) -> str:
    """Replace each call `say(en, fr)` by its string, as it is written."""
    while True:
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and _is_say(node)]
        if not calls:
            return code
        inner = max(calls, key=lambda call: (call.lineno, call.col_offset))
        string = _typeset(ast.get_source_segment(code, inner.args[("en", "fr").index(language)]) or "", language)
        code = replace_node(code, inner, f"({string})" if "\n" in string else string)


def _is_say(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "say" and len(call.args) == 2


def replace_node(code: str, node: ast.expr | ast.stmt, text: str) -> str:
    """Code in which the source of one node is replaced by `text`."""
    lines = [line.encode() for line in code.splitlines(keepends=True)]  # ast gives columns in bytes
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    assert node.end_lineno is not None
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return before.decode() + text + after.decode()
