"""The exercises of a lesson as the student's desk knows them: stub, solution, and the names by which `check` and `expect` call them."""

import ast
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from dalle_edu.classroom.builder.hollow import French, hollowed, names_bound, solution
from dalle_edu.classroom.builder.notebooks import to_do
from dalle_edu.classroom.builder.source import Cell, Lesson, edition
from dalle_edu.classroom.desk.code_read import ONE_AT_A_TIME
from dalle_edu.classroom.desk.exercises import Exercise


def exercises(lesson: Lesson, language: str) -> list[dict[str, Any]]:
    """The exercises of a lesson in one language, as JSON holds them. Raises `DalleEduError` for a missing translation."""
    with ONE_AT_A_TIME:
        return [asdict(each) for each in _exercises(edition(lesson.cells, language), language)]


def _exercises(cells: list[Cell], language: str) -> Iterator[Exercise]:
    places = [place for place, cell in enumerate(cells) if cell.is_exercise]
    for number, (place, end) in enumerate(zip(places, [*places[1:], len(cells)], strict=True), 1):
        cell = cells[place]
        level = cell.metadata["level"]
        if cell.implements:
            code, name = solution(cell.implements, language, French.read(cell.text)), cell.implements.split(":")[1]
            yield Exercise(number, level, cell.implements, (name,), hollowed(code, language, cell.metadata.get("hollow")), code)
        else:
            names = tuple(_in_order(cell.text))
            asked = tuple(what for each in cells[place + 1 : end] if each.kind == "code" for what in _asked(each.text))
            yield Exercise(number, level, names[0], names, to_do(cell.text, language), cell.text, asked)


def _in_order(code: str) -> list[str]:
    """The names that a cell defines, in the order of its statements."""
    found: dict[str, None] = {}
    for node in ast.parse(code).body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= dict.fromkeys(sorted(names_bound(ast.unparse(node))))
    return list(found)


def _asked(code: str) -> Iterator[str]:
    """The texts by which calls of `expect` name their values; they are plain strings."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "expect":
            given = [*node.args[2:3], *(keyword.value for keyword in node.keywords if keyword.arg == "what")]
            yield from (what.value for what in given if isinstance(what, ast.Constant) and isinstance(what.value, str))
