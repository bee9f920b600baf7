"""What a student's cell reaches into, found in its text before it is run: the notebook, Python itself, the files, the library.

In the process that grades, whoever can run any code can forge any grade. So the cells of a student are read first, in another process, and
those that need more than the exercises do are not run. It is a reading of names: proof neither of fraud nor of innocence.
"""

import ast
from collections.abc import Collection, Iterator

from dalle_edu.language import say

ALLOWED = {
    *("collections", "copy", "dataclasses", "einops", "functools", "itertools", "math", "matplotlib", "numpy", "random", "re"),
    *("scipy", "sklearn", "statistics", "time", "torch", "typing", "warnings"),
}
_OUT_OF_REACH = {
    *("__builtins__", "__import__", "breakpoint", "builtins", "compile", "ctypes", "delattr", "eval", "exec", "exit", "gc", "get_ipython"),
    *("getattr", "globals", "importlib", "inspect", "io", "locals", "multiprocessing", "open", "os", "pickle", "quit", "setattr", "signal"),
    *("subprocess", "sys", "threading", "types", "vars", "attrgetter", "methodcaller", "tb_frame", "f_back", "f_globals", "f_locals"),
    *("f_builtins", "gi_frame", "cr_frame", "ag_frame", "In", "ctypeslib", "f2py", "cpp_extension", "hub"),
}
_SPECIAL = {"__init__", "__call__", "__len__", "__getitem__", "__iter__", "__next__", "__repr__", "__str__", "__post_init__", "__name__"}
_SHOWING = ("%matplotlib ", "%%time", "%time", "%%timeit", "%timeit")


def reaches(code: str, answers: Collection[str] = ()) -> str:
    """What a cell reaches into that no exercise needs, as it is written there; "" where it is nothing, or where the cell is not Python.

    `answers` are the names of what the check of the exercise compares with.
    """
    lines = code.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(_SHOWING):
            lines[number] = line.partition(" ")[2] if "time" in line.partition(" ")[0] else ""
        elif line.lstrip().startswith(("%", "!")) or line.rstrip().endswith("?"):
            return line.strip()
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "!" if "!" in code or "%" in code else ""
    return next(_reached(tree, set(answers)), "")


def explained(what: str) -> str:
    """The reason that a cell was not run, for the student and for who grades."""
    en = f"This cell was not run: it reaches into `{what}`, which no exercise needs. It will be read by whoever grades."
    fr = f"Cette cellule n'a pas été exécutée : elle touche à `{what}`, dont aucun exercice n'a besoin. Elle sera lue par qui note."
    return say(en, fr)


def _reached(tree: ast.Module, answers: set[str]) -> Iterator[str]:
    modules = {"np", "torch", "nn", "F", "math", "random"} - {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _is_made(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if not _is_allowed(alias.name))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "." for _ in [0] if node.level or not _is_allowed(node.module or ""))
            yield from (alias.name for alias in node.names if alias.name in _OUT_OF_REACH or _is_hidden(alias.name))
        elif isinstance(node, ast.Name):
            if node.id in _OUT_OF_REACH or _is_hidden(node.id) or (node.id in answers and node.id not in defined):
                yield node.id
            elif isinstance(node.ctx, ast.Load) and node.id in modules and id(node) not in owners:
                yield node.id  # a module that is handed on, or whose attribute is set
        elif isinstance(node, ast.Attribute):
            hidden = node.attr in (_OUT_OF_REACH | answers) - {"compile", "eval"} or _is_hidden(node.attr)
            if hidden or ((node.attr.startswith("_") or not isinstance(node.ctx, ast.Load)) and _is_of_module(node, modules)):
                yield ast.unparse(node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in _OUT_OF_REACH:
            yield node.name


def _is_allowed(module: str) -> bool:
    return module.split(".")[0] in ALLOWED and not any(part in _OUT_OF_REACH or part.startswith("_") for part in module.split("."))


def _is_hidden(name: str) -> bool:
    """Whether a name is for Python's own use; a single `_` and one in front of one's own names are not."""
    return name.startswith("__") and name not in _SPECIAL


def _is_made(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store) and name.id in ("F", "nn", "math", "random")


def _is_of_module(node: ast.Attribute, modules: set[str]) -> bool:
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) and inner.id in modules
