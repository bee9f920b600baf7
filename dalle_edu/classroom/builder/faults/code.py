"""Cells of code: Python that parses, comments in both languages, `say` with two plain strings, and lines that readers can see whole."""

import ast
import difflib
import io
import tokenize
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import says
from dalle_edu.classroom.builder.source import Cell, Lesson, one_language
from dalle_edu.world.catalogue import LANGUAGES

COLUMNS = 84  # the most that a reader sees without scrolling
_KEPT = ("en: ", "fr: ", "type: ", "noqa", "fmt: ", "→ ")


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """The faults of all cells of code."""
    for cell in lesson.cells:
        if cell.kind == "code":
            for line, en, fr in _wrong(cell):
                yield Complaint(lesson.path, cell.first + line - 1, en, fr)


def nearest(written: str, lines: list[str]) -> int:
    """The number, counted from 1, of the line that a line of an edition was made of."""
    plain = written.replace("\u00a0", " ").strip()
    if plain in (stripped := [line.strip() for line in lines]):
        return stripped.index(plain) + 1
    found = difflib.get_close_matches(plain, stripped, 1, cutoff=0)
    return stripped.index(found[0]) + 1 if found else 1


def syntax_error(code: str) -> tuple[int, str] | None:
    """The line and the message of what makes code no Python; none where it parses."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return min(error.lineno or 1, code.count("\n") + 1), error.msg
    except ValueError as error:
        return 1, str(error)
    return None


def _wrong(cell: Cell) -> Iterator[tuple[int, str, str]]:
    if error := syntax_error(cell.text):
        yield error[0], f"this is no Python: {error[1]}; mend it", f"ce n'est pas du Python : {error[1]} ; corrigez"
        return
    for call in says(cell):
        if len(call.args) != 2 or call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
            yield (
                call.lineno,
                "say takes two strings: say(English, French); write both, without names",
                "say prend deux chaînes : say(anglais, français) ; écrivez les deux, sans noms",
            )
    if cell.implements or cell.is_claims:
        return
    for line, comment in prose_in_code(cell.text):
        yield (
            line,
            f"a comment is in one language only; write `# en: …` and `# fr: …`: # {comment}",
            f"un commentaire n'est que dans une langue ; écrivez `# en: …` et `# fr: …` : # {comment}",
        )
    yield from _unpaired(cell)
    yield from _too_wide(cell)


def prose_in_code(code: str) -> list[tuple[int, str]]:
    """The comments in code that are given in one language only, with their lines."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [(token.start[0], token.string.lstrip("# ")) for token in tokens if token.type == tokenize.COMMENT]
    return [(line, comment) for line, comment in comments if not comment.startswith(_KEPT)]


def _unpaired(cell: Cell) -> Iterator[tuple[int, str, str]]:
    """Comments of one language with none of the other beside them."""
    lines = cell.text.split("\n")
    block: dict[str, list[int]] = {language: [] for language in LANGUAGES}
    for number, line in enumerate([*lines, ""], 1):
        language = next((each for each in LANGUAGES if line.strip().startswith(f"# {each}: ")), None)
        if language:
            block[language].append(number)
            continue
        for each in LANGUAGES:
            if block[each] and not all(block.values()):
                yield (
                    block[each][0],
                    "a comment in one language only; write `# en: …` and `# fr: …`, one under the other",
                    "un commentaire dans une seule langue ; écrivez `# en: …` et `# fr: …`, l'un sous l'autre",
                )
        block = {each: [] for each in LANGUAGES}


def _too_wide(cell: Cell) -> Iterator[tuple[int, str, str]]:
    """Lines of more columns than readers see, in either edition. Quizzes are folded, and of some slides only the output is seen."""
    unseen = cell.metadata.get("slide_only") and "hide-input" in cell.metadata.get("tags", ())
    if cell.is_quiz or unseen or max(map(len, cell.text.split("\n"))) <= COLUMNS:
        return
    told: set[int] = set()
    if any(len(call.args) != 2 or call.keywords for call in says(cell)):
        return
    for language in LANGUAGES:
        for line in one_language(cell.text, language).split("\n"):
            place = nearest(line, cell.text.split("\n"))
            if len(line) > COLUMNS and place not in told:
                told.add(place)
                yield (
                    place,
                    f"{len(line)} columns in the {language} edition, more than {COLUMNS}; break the line",
                    f"{len(line)} colonnes dans l'édition {language}, plus de {COLUMNS} ; coupez la ligne",
                )
