"""Pictures have descriptions: in prose, in HTML, and in code, where a figure is shown by `picture(figure, alt)`."""

import ast
import re
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import tree, without_code, written
from dalle_edu.classroom.builder.source import Cell, Lesson

WORDS = 3  # the fewest of a description; `figures.Picture` refuses less
_MAKERS = {"plot", "plt.figure", "plt.subplots", "Figure"}
_SHOWN = {"show", "imshow", "plot", "scatter", "bar", "hist"}


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """Pictures without a description, or with one of fewer than three words."""
    for cell in lesson.cells:
        find = _in_prose if cell.kind == "markdown" else _in_code
        for line, en, fr in find(cell) if not cell.implements else ():
            yield Complaint(lesson.path, line, en, fr)


def _in_prose(cell: Cell) -> Iterator[tuple[int, str, str]]:
    text = without_code(cell.text)
    for found in re.finditer(r"!\[([^\]]*)\]\(([^)]*)\)", text):
        if len(found[1].split()) < WORDS:
            yield (
                cell.first + text.count("\n", 0, found.start()),
                f"a picture without a description; write ![what it shows, in three words or more]({found[2]})",
                f"une image sans description ; écrivez ![ce qu'elle montre, en trois mots ou plus]({found[2]})",
            )
    for found in re.finditer(r"<img\b[^>]*>", text):
        alt = re.search(r"\balt\s*=\s*([\"'])(.*?)\1", found.group(), re.DOTALL)
        if alt is None or len(alt[2].split()) < WORDS:
            yield (
                cell.first + text.count("\n", 0, found.start()),
                'a picture without a description; write <img alt="what it shows, in three words or more" …>',
                'une image sans description ; écrivez <img alt="ce qu\'elle montre, en trois mots ou plus" …>',
            )


def _in_code(cell: Cell) -> Iterator[tuple[int, str, str]]:
    module = tree(cell.text)
    if module is None:
        return
    en = "a figure shown without a description; end the cell with picture(figure, say(…, …))"
    fr = "une figure sans description ; finissez la cellule par picture(figure, say(…, …))"
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        line = cell.first + node.lineno - 1
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in ("plt.show", "pyplot.show", "figure.show", "fig.show"):
            yield line, en, fr
        elif isinstance(node.func, ast.Name) and node.func.id == "picture":
            given = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "alt")]
            if not given:
                yield line, en, fr
            for alt in given:
                for text in _texts(alt):
                    if len(text.split()) < WORDS:
                        yield (
                            line,
                            f"a figure is described as {text!r}; say in three words or more what it shows",
                            f"une figure est décrite par {text!r} ; dites en trois mots ou plus ce qu'elle montre",
                        )
    last = module.body[-1] if module.body else None
    if isinstance(last, ast.Expr) and not cell.text.rstrip().endswith(";") and _is_figure(module, last.value):
        yield cell.first + last.lineno - 1, en, fr


def _texts(alt: ast.expr) -> list[str]:
    """The texts of a description that are written where it is given."""
    if isinstance(alt, ast.Call) and isinstance(alt.func, ast.Name) and alt.func.id == "say":
        return [written(part) for part in alt.args if isinstance(part, (ast.Constant, ast.JoinedStr))]
    return [written(alt)] if isinstance(alt, (ast.Constant, ast.JoinedStr)) else []


def _is_figure(module: ast.Module, value: ast.expr) -> bool:
    """Whether the last value of a cell is a figure of matplotlib, or what drawing on axes gives."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, (ast.Name, ast.Subscript)):
        owner: ast.expr = value.func.value
        while isinstance(owner, ast.Subscript):
            owner = owner.value
        name = owner.id if isinstance(owner, ast.Name) else ""
        return name in {"axes", "axis", "ax", "plt"} or (name in _bound_to_plot(module) and value.func.attr in _SHOWN)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id == "plot"
    return isinstance(value, ast.Name) and (value.id in {"figure", "fig"} or value.id in _bound_to_plot(module))


def _bound_to_plot(module: ast.Module) -> set[str]:
    """The names that hold what `plot()`, `plt.figure()` or `plt.subplots()` gave."""
    names: set[str] = set()
    for node in ast.walk(module):
        call = node.value if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(call, ast.Call) and ast.unparse(call.func) in _MAKERS:
            names |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return names
