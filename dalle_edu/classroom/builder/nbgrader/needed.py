"""What exercises need of a lesson: from the cells given before them, the statements that make the names they read, and no others.

A figure, a training run or a print that no exercise looks at is left out. It is found by names, from the last cell to the first: a
statement stays if it makes a name that is read later, or changes what such a name holds.
"""

import ast
import builtins
import math
import re
import symtable
from collections.abc import Callable, Iterator

JUDGING = {"check", "expect"}


def needed(cells: list[str], kept: list[bool], mentioned: list[str]) -> list[str]:
    """The same cells of code, those that are not `kept` whole without the statements that nothing kept needs; "" where none is left.

    Of a cell with `expect` or `check` in it, these calls are always needed; so are imports before something needed, unless they are of
    widgets and figures. `mentioned` is prose for each cell: names between backticks, but for what the cell itself makes, are read there,
    since a student who follows it will read them.
    """
    read: set[str] = set()
    modules, short = _modules(cells), list[str]()

    def wanted(node: ast.stmt) -> bool:
        if isinstance(node, (ast.Import, ast.ImportFrom)) and _is_plain(node):
            return bool(read)
        return _makes(node, read, modules) or _judges(node)

    for code, whole, prose in zip(reversed(cells), reversed(kept), reversed(mentioned), strict=True):
        inside = _sliced(code, read, (lambda node: True) if whole else wanted)
        read |= set(re.findall(r"`([A-Za-z_]\w*)[(`.\[]", prose)) - _made(ast.parse(code))
        short.append(code if whole else inside)
    return short[::-1]


def made_anew(given: list[str], exercises: list[str], check: str) -> str:
    """The statements of the cells given before a check that make what it reads, but for what exercises make, to be run with it.

    So the check looks at what the course gave, whatever the student's cells have made of names and objects since.
    """
    theirs = set[str]().union(*(_bound(node) for code in exercises for node in ast.parse(code).body))
    read, modules, found = set[str](), _modules(given), list[str]()
    _sliced(check, read, lambda node: True)
    for code in reversed(given):
        found.append(_sliced(code, read, lambda node: _makes(node, read - theirs, modules) and not _judges(node)))
    return "\n".join(part for part in reversed(found) if part)


def names_of_answers(code: str) -> set[str]:
    """What the checks in a cell compare with: functions called in the second argument of `expect`, and a variable that is all of it.

    Methods count by their own name: of `expect(mine, machine.dvae.encode(images), …)`, that is "encode". What Python, NumPy and PyTorch
    bring, such as `torch.tensor` or `.sum()`, does not count.
    """
    import numpy as np
    import torch

    common = {name for owner in (builtins, np, np.ndarray, torch, torch.Tensor, math) for name in dir(owner)}
    found: set[str] = set()
    for call in [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and _called(node) == "expect"]:
        if len(call.args) < 2:
            continue
        right = call.args[1]
        found |= {_called(node) for node in ast.walk(right) if isinstance(node, ast.Call)}
        while isinstance(right, ast.Subscript):
            right = right.value
        if isinstance(right, ast.Name):
            found.add(right.id)
    return found - common - {""}


# ---------------------------------------------------------------- statements


def _sliced(code: str, read: set[str], wanted: Callable[[ast.stmt], bool]) -> str:
    """A cell's statements that are wanted, chosen from the last to the first; `read` becomes what they and all later ones read."""
    spans: list[tuple[int, int]] = []
    for node in reversed(ast.parse(code).body):
        if wanted(node) or (spans and _is_seed(node)):
            read -= _surely_bound(node)
            read |= _read(node)
            spans.append(_span(node))
    lines = code.splitlines()
    return "\n\n".join("\n".join(lines[start:end]) for start, end in _joined(reversed(spans), lines))


def _makes(node: ast.stmt, read: set[str], modules: set[str]) -> bool:
    return bool(_bound(node) & read or (_changed(node) - modules) & read)


def _judges(node: ast.stmt) -> bool:
    return any(_called(part) in JUDGING for part in ast.walk(node))


def _is_seed(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and _called(node.value) == "manual_seed"


def _modules(cells: list[str]) -> set[str]:
    imports = [node for code in cells for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return set[str]().union(*map(_bound, imports))


def _is_plain(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import is of what any student may use: not of widgets, figures and quizzes."""
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return not any(name.startswith(("dalle_edu.classroom", "matplotlib", "IPython")) for name in names)


def _made(tree: ast.Module) -> set[str]:
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}.union(*map(_bound, tree.body))


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {part.id for part in _here(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _surely_bound(node: ast.stmt) -> set[str]:
    """What a statement makes anew, whatever happens: an earlier value of it is not needed for what follows."""
    simple = isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign))
    return _bound(node) if simple else set()


def _changed(node: ast.stmt) -> set[str]:
    """Names whose objects a statement may change: `a[0] = …`, `a.b = …`, `a += …`, and a method called for its own sake, `a.append(…)`."""
    found: set[str] = set()
    for part in [] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else _here(node):
        if isinstance(part, (ast.Subscript, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            found.add(_root(part))
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call) and isinstance(part.value.func, ast.Attribute):
            found.add(_root(part.value.func))
    return found


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's parts, without what functions, classes and comprehensions in it keep to themselves."""
    yield node
    inner = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, inner):
            yield from _here(part)


def _read(node: ast.stmt) -> set[str]:
    """The names of the notebook that a statement reads: not those that functions and loops in it make for themselves."""
    own = {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)} if isinstance(node, ast.For) else set()
    return _globals(symtable.symtable(ast.unparse(node), "cell", "exec")) - own


def _globals(scope: symtable.SymbolTable) -> set[str]:
    top = scope.get_type() == "module"
    names = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())}
    return names.union(*(_globals(inner) for inner in scope.get_children()))


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def _span(node: ast.stmt) -> tuple[int, int]:
    first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", []))])
    return first - 1, node.end_lineno or node.lineno


def _joined(spans: Iterator[tuple[int, int]], lines: list[str]) -> list[tuple[int, int]]:
    """Spans of lines, each with the comments above it; neighbours are one span."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        while start > 0 and lines[start - 1].startswith("#"):
            start -= 1
        if found and not any(line.strip() for line in lines[found[-1][1] : start]):
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
