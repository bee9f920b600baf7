"""Exercises and quizzes: names that exist and are used once, translations that fit, examples that follow, values that are asked for."""

import ast
import re
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.code import COLUMNS, nearest
from dalle_edu.classroom.builder.faults.markers import LEVELS
from dalle_edu.classroom.builder.faults.passages import tree
from dalle_edu.classroom.builder.hollow import French, hollowed, names_bound, solution, taught_module
from dalle_edu.classroom.builder.source import Cell, Lesson, one_language
from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import LANGUAGES


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """The faults of all exercises and quizzes, and of the examples behind them."""
    seen: dict[tuple[str, str], int] = {}
    last: Cell | None = None
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    for cell, following in zip(code, [*code[1:], None][: len(code)], strict=True):
        for what, quoi, name in _named(cell):
            if first := seen.get((what, name)):
                yield Complaint(
                    lesson.path,
                    cell.line,
                    f"{what} {name} is used at line {first} already; use it once",
                    f"{quoi} {name} sert déjà à la ligne {first} ; prenez-le une seule fois",
                )
            seen.setdefault((what, name), cell.line)
        if cell.is_scratch:
            yield from _examples(lesson, cell, last)
        elif cell.implements:
            yield from _taught(lesson, cell)
        elif cell.is_exercise and cell.metadata["level"] in LEVELS:
            yield from _own(lesson, cell, following)
        elif cell.is_quiz and tree(cell.text) is not None and not _calls(cell, "quiz"):
            yield Complaint(lesson.path, cell.line, "a quiz without quiz(…); write the call", "un quiz sans quiz(…) ; écrivez l'appel")
        last = cell


def _named(cell: Cell) -> Iterator[tuple[str, str, str]]:
    """What a cell names that is named once: a target, what an exercise of the lesson's own defines, a quiz."""
    if cell.implements:
        yield "the exercise", "l'exercice", str(cell.implements)
    elif cell.is_exercise and tree(cell.text) is not None:
        for name in sorted(names_bound(_without_imports(cell.text))):
            yield "the name", "le nom", name
    elif cell.is_quiz:
        yield "the quiz", "le quiz", str(cell.metadata["quiz"])


def _without_imports(code: str) -> str:
    return "\n".join(ast.unparse(node) for node in ast.parse(code).body if not isinstance(node, (ast.Import, ast.ImportFrom)))


def _taught(lesson: Lesson, cell: Cell) -> Iterator[Complaint]:
    """The faults of an exercise on the library's code."""
    target = str(cell.implements)
    module, _, name = target.partition(":")
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", target) or tree(cell.text) is None:
        return  # told of its marker, or of its code
    try:
        found = getattr(taught_module(target), name, None)
    except ImportError:
        where = f"dalle_edu.{module}" if "." in module else f"dalle_edu.bricks.{module}"
        yield Complaint(
            lesson.path,
            cell.line,
            f"there is no module {where}; name one that exists",
            f"il n'y a pas de module {where} ; nommez-en un qui existe",
        )
        return
    if not callable(found):
        yield Complaint(
            lesson.path,
            cell.line,
            f"{module} has no function or class {name}; mend the name",
            f"{module} n'a ni fonction ni classe {name} ; corrigez",
        )
        return
    yield from _methods(lesson, cell, found)
    french = French.read(cell.text)
    try:
        codes = {language: solution(target, language, french) for language in LANGUAGES}
    except DalleEduError as error:
        yield Complaint(lesson.path, cell.line, str(error), str(error))
        return
    except (TypeError, OSError, SyntaxError):
        yield Complaint(
            lesson.path,
            cell.line,
            f"{target} has no source of its own; name a function or a class",
            f"{target} n'a pas de source ; nommez une fonction",
        )
        return
    for language, text in codes.items():
        for line in (text + "\n" + hollowed(text, language)).split("\n"):
            if len(line) > COLUMNS:
                place = cell.first + nearest(line, cell.text.split("\n")) - 1 if language == "fr" else cell.line
                yield Complaint(
                    lesson.path,
                    place,
                    f"{len(line)} columns in the {language} edition, more than {COLUMNS}; break the line: {line.strip()[:40]}",
                    f"{len(line)} colonnes dans l'édition {language}, plus de {COLUMNS} ; coupez la ligne : {line.strip()[:40]}",
                )
                break


def _methods(lesson: Lesson, cell: Cell, found: object) -> Iterator[Complaint]:
    hollow = cell.metadata.get("hollow")
    for method in hollow if isinstance(hollow, list) else ():
        if not isinstance(found, type) or not callable(vars(found).get(str(method))):
            yield Complaint(
                lesson.path,
                cell.line,
                f"{cell.implements} has no method {method} of its own; name one that it defines",
                f"{cell.implements} n'a pas de méthode {method} à elle ; nommez-en une qu'elle définit",
            )


def _own(lesson: Lesson, cell: Cell, following: Cell | None) -> Iterator[Complaint]:
    """The faults of an exercise of the lesson's own."""
    if tree(cell.text) is None:
        return
    if not names_bound(_without_imports(cell.text)):
        yield Complaint(
            lesson.path,
            cell.line,
            "an exercise defines no name; bind what is asked for",
            "un exercice ne définit aucun nom ; nommez ce qui est demandé",
        )
    rest = lesson.cells[lesson.cells.index(cell) + 1 :]
    until = next((place for place, each in enumerate(rest) if each.is_exercise), len(rest))
    if following is None or not any(_calls(each, "expect") or _calls(each, "check") for each in rest[:until] if each.kind == "code"):
        yield Complaint(
            lesson.path,
            cell.line,
            "nothing checks this exercise; add a cell with expect(value, wanted, say(…, …))",
            "rien ne vérifie cet exercice ; ajoutez une cellule avec expect(valeur, voulu, say(…, …))",
        )


def _calls(cell: Cell, name: str) -> bool:
    nodes = ast.walk(tree(cell.text) or ast.Module([], []))
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in nodes)


def _examples(lesson: Lesson, cell: Cell, last: Cell | None) -> Iterator[Complaint]:
    """The faults of an example call: it stands after an exercise, and says its value once."""
    if last is None or not last.is_exercise:
        yield Complaint(
            lesson.path,
            cell.line,
            "an example (scratch) stands after no exercise; put it behind the cell of one",
            "un essai (scratch) ne suit aucun exercice ; mettez-le derrière la cellule d'un exercice",
        )
    if tree(cell.text) is not None:
        for language in LANGUAGES:
            count = len(re.findall(r"# → .+", one_language(cell.text, language)))
            if count != 1:
                yield Complaint(
                    lesson.path,
                    cell.line,
                    f"an example says its value {count} times; write it once, behind # →",
                    f"un essai dit {count} fois sa valeur ; écrivez-la une fois, derrière # →",
                )
                break
