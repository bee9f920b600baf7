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
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.parsing import parse
from dalle_edu.language import SOURCE, Language, language_named, typeset
from dalle_edu.world.catalogue import LANGUAGES

HEADER = ("number", "hours", "title")
OPTIONAL = ("session",)


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson: "markdown" or "code", its text, the metadata in its first line, and in the file, counted from 1, the number of
    that line and of the line at which the text begins."""

    kind: str
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    line: int = 0
    first: int = 0

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

    @property
    def is_claims(self) -> bool:
        """Whether the cell asserts what the prose says of outputs."""
        return bool(self.metadata.get("claims"))

    @property
    def is_quiz(self) -> bool:
        """Whether the cell is a quiz."""
        return "quiz" in self.metadata


@dataclass(frozen=True)
class Lesson:
    """A lesson as its source file has it, in both languages; `hours` is the time that a student needs: for reading, then for the exercises
    of each level. `lines` are those of the header's keys. `session` is the length in minutes of the class that its slides are for."""

    path: Path
    number: str
    hours: tuple[float, ...]
    title: dict[str, str]
    cells: tuple[Cell, ...]
    lines: dict[str, int] = field(default_factory=dict)
    session: int | None = None

    @property
    def name(self) -> str:
        """The name of its files, such as "05_attention"."""
        return self.path.stem


def read_lesson(path: Path) -> Lesson:
    """Read a source file.

    Raises `Faults` for what cannot be read: a file that is not UTF-8, an incomplete header, the marker of a cell. `faults.problems` finds
    what else is wrong.
    """
    lesson, faults = read(path)
    if faults:
        raise Faults(faults)
    return lesson


def read(path: Path) -> tuple[Lesson, list[Complaint]]:
    """What can be read of a source file, and what is wrong where it cannot."""
    found = parse(path)
    known = found.header.get("lesson")
    header: dict[str, Any] = known if isinstance(known, dict) else {}
    faults = [*found.faults, *([] if found.faults and not header else _faults_of_header(path, header, found.lines))]
    hours, title = header.get("hours"), header.get("title")
    cells = tuple(Cell(block.kind, block.text, block.metadata, block.line, block.first) for block in found.blocks)
    lesson = Lesson(
        path,
        str(header.get("number", "")),
        tuple(map(float, hours or ())) if _is_hours(hours) else (0.0,) * 4,
        {language: str(title.get(language, "")) if isinstance(title, dict) else "" for language in LANGUAGES},
        cells,
        found.lines,
        header.get("session") if _is_session(header.get("session")) else None,
    )
    return lesson, faults


def _faults_of_header(path: Path, header: dict[str, Any], lines: dict[str, int]) -> Iterator[Complaint]:
    where = lines.get("lesson", 1)
    for key in sorted(set(header) - {*HEADER, *OPTIONAL}, key=str):
        known = ", ".join([*HEADER, *OPTIONAL])
        yield Complaint(
            path,
            lines.get(key, where),
            f"the header has an unknown key {key}; it has {known}",
            f"l'en-tête a une clé inconnue, {key} ; il a {known}",
        )
    for key in HEADER:
        if key not in header:
            yield Complaint(
                path,
                where,
                f"the header lacks {key}; it needs `lesson:` with number, hours, and a title in each language",
                f"il manque {key} à l'en-tête ; il demande `lesson:` avec number, hours, et un titre (title) par langue",
            )
    if "number" in header and not isinstance(header["number"], str):
        yield Complaint(
            path,
            lines.get("number", where),
            f'the number is {header["number"]!r}; write it between quotation marks, "05"',
            f'number vaut {header["number"]!r} ; écrivez-le entre guillemets, "05"',
        )
    if "hours" in header and not _is_hours(hours := header["hours"]):
        yield Complaint(
            path,
            lines.get("hours", where),
            f"hours are {hours}; they are four: for reading, and for the exercises of levels 1, 2 and 3, as in [1, 0.5, 1, 2]",
            f"hours vaut {hours} ; il y en a quatre : la lecture, puis les exercices de niveaux 1, 2 et 3, comme [1, 0.5, 1, 2]",
        )
    if "title" in header:
        title = header["title"]
        good = isinstance(title, dict) and set(title) == set(LANGUAGES)
        if not good or not all(isinstance(text, str) and text.strip() for text in title.values()):
            yield Complaint(
                path,
                lines.get("title", where),
                'the header needs a title in each language; write title: {en: "…", fr: "…"}',
                'l\'en-tête demande un titre par langue ; écrivez title: {en: "…", fr: "…"}',
            )
    if not _is_session(session := header.get("session")):
        yield Complaint(
            path,
            lines.get("session", where),
            f"session is {session!r}; it is a whole number of minutes, as in session: 120",
            f"session vaut {session!r} ; c'est un nombre entier de minutes, comme session: 120",
        )


def _is_session(session: Any) -> bool:
    return session is None or (type(session) is int and session > 0)


def _is_hours(hours: Any) -> bool:
    return isinstance(hours, list) and len(hours) == 4 and all(type(each) in (int, float) and each >= 0 for each in hours)


def edition(cells: Sequence[Cell], language: str) -> list[Cell]:
    """The cells of one language; of strings and comments given in both languages, one is kept."""
    kept = [cell for cell in cells if cell.language in (None, source_language(language))]
    return [replace(cell, text=(one_language if cell.kind == "code" else in_language)(cell.text, language)) for cell in kept]


def source_language(language: str) -> str:
    """The language of the source that an edition is made from: itself, or English where it has a phrasebook."""
    return language if language in SOURCE else "en"


def in_language(text: str, language: str) -> str:
    """Prose of the source typeset, or put into another language by its phrasebook, paragraph by paragraph."""
    if language in SOURCE:
        return _typeset(text, language)
    return "\n\n".join(map(language_named(language).phrase, text.split("\n\n")))


def one_language(code: str, language: str) -> str:
    """Code in one language: `say(en, fr)` becomes one of the two strings, and of the comments `# en: …` and `# fr: …` one is kept.

    A language with a phrasebook has the English ones, translated.
    """
    return _kept(code, language) if language in SOURCE else _in_one_language(code, language)  # a phrasebook may have changed


def _in_one_language(code: str, language: str) -> str:
    return "\n".join(_one_comment(line, language) for line in _one_string(code, language).splitlines() if not _is_other(line, language))


_kept = lru_cache(maxsize=10_000)(_in_one_language)  # pages, decks and checks ask for the same cells many times

_AS_WRITTEN = re.compile(r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]+>|https?://\S+)", re.DOTALL)


def _typeset(text: str, language: str) -> str:
    """French typography everywhere but in code, formulas and addresses."""
    if language != "fr":
        return text
    pieces = _AS_WRITTEN.split(text)
    after = [typeset("}" + piece)[1:] for piece in pieces]  # a piece begins behind code, a formula or an address, never at a space
    return "".join(piece if number % 2 else after[number] if number else typeset(piece) for number, piece in enumerate(pieces))


def _is_other(line: str, language: str) -> bool:
    return any(line.strip().startswith(f"# {other}: ") for other in LANGUAGES if other != source_language(language))


def _one_comment(line: str, language: str) -> str:
    start = f"# {source_language(language)}: "
    before, mark, comment = line.partition(start)
    if before.strip() or not mark:
        return line
    return f"{before}# {comment if language in SOURCE else language_named(language).phrase(comment)}"


def _one_string(code: str, language: str) -> str:
    """Replace each call `say(en, fr)` by its string, as it is written."""
    while "say(" in code:
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and _is_say(node)]
        if not calls:
            break
        inner = max(calls, key=lambda call: (call.lineno, call.col_offset))
        kept = inner.args[("en", "fr").index(source_language(language))]
        string = _typeset(ast.get_source_segment(code, kept) or "", language)
        if language not in SOURCE:
            string = _phrased(kept, string, language_named(language))
        code = replace_node(code, inner, f"({string})" if "\n" in string else string)
    return code


def _phrased(string: ast.expr, written: str, language: Language) -> str:
    """The source of an English string with its words translated: what an f-string holds stays, in the order of the translation's `{}`."""
    if isinstance(string, ast.Constant) and isinstance(string.value, str):
        translated = language.phrase(string.value)
        return written if translated == string.value else repr(translated)
    if not isinstance(string, ast.JoinedStr):
        return written
    held = [ast.unparse(ast.JoinedStr([part]))[2:-1] for part in string.values if isinstance(part, ast.FormattedValue)]
    english = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in string.values)
    around = (language.phrases or {}).get(english, "").split("{}")
    if len(around) != len(held) + 1:
        return written
    texts = [json.dumps(text, ensure_ascii=False)[1:-1].replace("{", "{{").replace("}", "}}") for text in around]
    return 'f"' + texts[0] + "".join(piece + text for piece, text in zip(held, texts[1:], strict=True)) + '"'


def _is_say(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "say" and len(call.args) == 2


def replace_node(code: str, node: ast.expr | ast.stmt, text: str) -> str:
    """Code in which the source of one node is replaced by `text`."""
    lines = [line.encode() for line in code.splitlines(keepends=True)]  # ast gives columns in bytes
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    assert node.end_lineno is not None
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return before.decode() + text + after.decode()
