"""The formulas of lessons and pages: found, and compiled by MathJax in Node.js, as the book and the decks will.

What MathJax cannot compile would be shown in red, or as it is written: a brace that is missing, a macro that it does not know.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dalle_edu.classroom.builder.complaints import REPOSITORY, Complaint
from dalle_edu.classroom.builder.faults.passages import said, unsaid, without_code
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import LANGUAGES

BOOK = REPOSITORY / "book"
_FORMULA = re.compile(r"\$\$(?P<display>[^$]*)\$\$|(?<!\\)\$(?P<inline>[^$]*)\$")


@dataclass(frozen=True)
class Formula:
    """A formula as it is written, where it stands, and whether it has lines of its own."""

    path: Path
    line: int
    text: str
    display: bool


def faults_of_formulas(lessons: Iterable[Lesson], pages: Iterable[Path] | None = None) -> list[Complaint]:
    """The faults of all formulas in lessons and in pages of the book, by default all of them.

    Raises `DalleEduError` where Node.js or MathJax is missing.
    """
    formulas, faults = list[Formula](), list[Complaint]()
    texts = [text for lesson in lessons for text in _texts(lesson)]
    for page in _pages() if pages is None else pages:
        texts.append((page, 1, page.read_text(encoding="utf-8")))
    for path, first, text in texts:
        for found in formulas_in(path, first, text):
            if isinstance(found, Formula):
                formulas.append(found)
            else:
                faults.append(found)
    for formula, error in zip(formulas, compiled([(formula.text, formula.display) for formula in formulas]), strict=True):
        if error:
            faults.append(_fault(formula, error))
    return faults


def formulas_in(path: Path, first: int, text: str) -> Iterator[Formula | Complaint]:
    """The formulas of a text in markdown that begins at line `first` of a file, and a complaint for a $ that is alone in its paragraph."""
    plain, begin = without_code(text), 0
    for paragraph in re.split(r"(\n[ \t]*\n)", plain):
        left = _FORMULA.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), paragraph)
        lone = re.search(r"(?<!\\)\$", left)
        if lone:
            line = first + plain.count("\n", 0, begin + _lone(paragraph, lone.start()))
            yield Complaint(
                path,
                line,
                "a $ without its other one; close the formula, or write \\$",
                "un $ sans l'autre ; fermez la formule, ou écrivez \\$",
            )
        else:
            for found in _FORMULA.finditer(paragraph):
                display = found["display"] is not None
                line = first + plain.count("\n", 0, begin + found.start())
                if re.search(r"[\x07\x08\t\x0b\x0c\r]", found.group()):
                    yield Complaint(
                        path,
                        line,
                        'Python has read a \\ of a formula as its own; write the string raw: r"…"',
                        'Python a lu un \\ d\'une formule comme sien ; écrivez la chaîne brute : r"…"',
                    )
                    continue
                yield Formula(path, line, found["display"] if display else found["inline"], display)
        begin += len(paragraph)


def compiled(formulas: Sequence[tuple[str, bool]]) -> list[str]:
    """What MathJax says of each formula, given with whether it is displayed: the error, or nothing.

    Raises `DalleEduError` where Node.js or MathJax is missing.
    """
    node = shutil.which("node")
    if node is None:
        raise DalleEduError(
            "formulas are compiled by Node.js, which is missing; install it (Debian: apt install nodejs npm)",
            "les formules sont compilées par Node.js, qui manque ; installez-le (Debian : apt install nodejs npm)",
        )
    if not (BOOK / "node_modules" / "mathjax").is_dir():
        raise DalleEduError(
            "formulas are compiled by MathJax, which is missing; run `npm ci` in book/",
            "les formules sont compilées par MathJax, qui manque ; lancez `npm ci` dans book/",
        )
    if not formulas:
        return []
    done = subprocess.run(
        [node, str(BOOK / "tools" / "latex.mjs")], input=json.dumps(formulas), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise DalleEduError(f"MathJax stopped: {done.stderr[-500:]}", f"MathJax s'est arrêté : {done.stderr[-500:]}")
    return list(json.loads(done.stdout))


def _fault(formula: Formula, error: str) -> Complaint:
    """The fault of a formula, at the line of the macro that it names, if it names one."""
    named = re.search(r"\\(?:[A-Za-z]+|.)", error)
    place = formula.text.find(named.group()) if named else -1
    line = formula.line + (formula.text.count("\n", 0, place) if place >= 0 else 0)
    shown = " ".join(formula.text.split())
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return Complaint(
        formula.path,
        line,
        f"a formula does not compile: {error}; mend ${shown}$",
        f"une formule ne se compile pas : {error} ; corrigez ${shown}$",
    )


def _texts(lesson: Lesson) -> Iterator[tuple[Path, int, str]]:
    """The texts of a lesson that are shown with formulas: prose, and the strings of quizzes."""
    for cell in lesson.cells:
        if cell.kind == "markdown":
            yield lesson.path, cell.first, cell.text
        elif cell.is_quiz:
            for passage in said(cell):
                for place, line in enumerate(passage.text.split("\n")):
                    if "$" in line:
                        yield (
                            lesson.path,
                            passage.line(sum(len(each) + 1 for each in passage.text.split("\n")[:place]) + line.index("$")),
                            line,
                        )
            for text, line_number in unsaid(cell):
                if "$" in text:
                    yield lesson.path, line_number, text


def _pages() -> list[Path]:
    return [page for language in LANGUAGES for page in sorted((BOOK / language).rglob("*.md"))]


def _lone(paragraph: str, default: int) -> int:
    """The place of the $ that is alone: on the first line with an odd number of them, if there is one."""
    place = 0
    for line in paragraph.split("\n"):
        marks = [found.start() for found in re.finditer(r"(?<!\\)\$", line)]
        if len(marks) % 2:
            return place + marks[-1]
        place += len(line) + 1
    return default
