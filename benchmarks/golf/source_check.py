"""The check of a record's source, before anything of it runs: its size, what it imports, what it calls, and the constants it holds.

It reads the file as a syntax tree. What a record knows must come from training, so there are no long constants; and what it does must be
plain to whoever reads it, so there are no ways around Python's own imports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from benchmarks.golf import rules
from benchmarks.golf.guard import LIBRARY
from dalle_edu.errors import DalleEduError
from dalle_edu.files import read_file

MODULES = (
    "torch", "numpy", "math", "random", "itertools", "functools", "collections", "dataclasses", "typing", "types", "time", "os",
    "multiprocessing", "threading", "queue", "contextlib", "copy", "statistics", "operator", "enum", "abc", "warnings", "einops",
    "jaxtyping", "__future__",
)  # fmt: skip
_CALLS = {
    "eval", "exec", "compile", "open", "input", "breakpoint", "globals", "locals", "vars", "__import__", "__builtins__", "__loader__",
    "__spec__", "__file__",
}  # fmt: skip
# ways out of what is given: modules that other modules hold, and readers of files that Python does not see
_ATTRIBUTES = {
    "os", "sys", "builtins", "importlib", "subprocess", "socket", "ctypes", "pickle", "hub", "package", "cpp_extension", "_C", "ops",
    "classes", "modules", "from_file", "fromfile", "memmap", "load", "loads", "loadtxt", "genfromtxt",
    "load_library", "jit", "mmap", "urllib",
    "sched_setaffinity", "system", "popen", "setsid", "setpgid", "fork", "forkpty", "posix_spawn", "spawnv",
    "spawnl", "execv", "execl", "execve", "execvp", "f_globals", "f_builtins", "gi_frame", "tb_frame",
    "meta_path", "path_hooks", "f2py", "ctypeslib", "DataSource",
}  # fmt: skip
_DUNDERS = {"__init__", "__name__", "__len__", "__iter__", "__next__", "__getitem__", "__call__", "__post_init__", "__enter__", "__exit__"}
_FUNCTIONS = {"build": 0, "train": 2, "draw": 3}


def check_source(path: str | Path) -> bytes:
    """The bytes of a record's file. Raises `DalleEduError`, with file and line, for one that breaks a rule."""
    path = Path(path)
    source = read_file(path, en="give a record's file", fr="donnez le fichier d'un record")
    if len(source) > rules.FILE_BYTES:
        raise DalleEduError(
            f"{path} has {len(source):,} bytes; a record has at most {rules.FILE_BYTES:,}",
            f"{path} a {len(source)} octets ; un record en a au plus {rules.FILE_BYTES}",
        )
    try:
        tree = ast.parse(source, filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise DalleEduError(
            f"{path}:{line}: this is no Python ({error}); correct it", f"{path}:{line} : ce n'est pas du Python ({error}) ; corrigez-le"
        ) from error
    for node in ast.walk(tree):
        for why in (*_imports(node), *_names(node), *_literals(node)):
            raise _at(path, node, *why)
    _check_constants(path, tree)
    _check_functions(path, tree)
    return source


Why = tuple[str, str]


def _at(path: Path, node: ast.AST, english: str, french: str) -> DalleEduError:
    line = getattr(node, "lineno", 1)
    return DalleEduError(f"{path}:{line}: {english}", f"{path}:{line} : {french}")


def _imports(node: ast.AST) -> Iterator[Why]:
    """What is wrong with an import."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        if node.level or any(alias.name == "*" for alias in node.names):
            yield ("import by full names, without a star", "importez par des noms complets, sans étoile")
        names = [node.module or ""]
        for alias in node.names:
            if alias.name in _ATTRIBUTES or _is_hidden(alias.name):
                yield (f"a record may not import {alias.name}", f"un record ne peut pas importer {alias.name}")
    for name in names:
        ours = name.startswith("dalle_edu.bricks.") or (name in LIBRARY and name != "dalle_edu")
        others = name.partition(".")[0] in MODULES and not set(name.split(".")[1:]) & _ATTRIBUTES
        if not ours and not others:
            yield (
                f"a record may not import {name}; it may import dalle_edu.bricks, dalle_edu.device, dalle_edu.training.muon, ema and "
                f"learning_rate, and {', '.join(MODULES[:-1])}",
                f"un record ne peut pas importer {name} ; il a droit à dalle_edu.bricks, à dalle_edu.device, à muon, ema et learning_rate "
                f"de dalle_edu.training, et à {', '.join(MODULES[:-1])}",
            )


def _names(node: ast.AST) -> Iterator[Why]:
    """What is wrong with a name that is used."""
    if isinstance(node, ast.Name) and node.id in _CALLS:
        yield (f"a record may not use {node.id}", f"un record ne peut pas se servir de {node.id}")
    elif isinstance(node, ast.Attribute) and (node.attr in _ATTRIBUTES or _is_hidden(node.attr)):
        yield (f"a record may not use .{node.attr}", f"un record ne peut pas se servir de .{node.attr}")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "delattr"):
        name = node.args[1] if len(node.args) > 1 else None
        said = name.value if isinstance(name, ast.Constant) else None
        if not isinstance(said, str) or said in _ATTRIBUTES or _is_hidden(said):
            yield (f"{node.func.id} needs a name that is written out and allowed", f"{node.func.id} veut un nom écrit en clair et permis")


def _is_hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _DUNDERS


def _literals(node: ast.AST) -> Iterator[Why]:
    """What is wrong with one list, tuple, set, dictionary or constant."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        count = _numbers(node)
        if count > rules.LITERAL_NUMBERS:
            yield (
                f"{count} numbers stand in one literal, and {rules.LITERAL_NUMBERS} may; a record learns its numbers",
                f"{count} nombres sont dans un seul littéral, qui peut en avoir {rules.LITERAL_NUMBERS} ; un record apprend ses nombres",
            )
    elif isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) > rules.LARGEST_INTEGER:
        yield ("a whole number is over 2**64", "un nombre entier dépasse 2**64")


def _numbers(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex) for node in ast.walk(tree))


def _check_constants(path: Path, tree: ast.Module) -> None:
    """Raise `DalleEduError` for a string that is too long, and for too much of strings or of numbers in literals altogether."""
    own = {id(text) for text in _docstrings(tree)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in own]
    texts = [node for node in constants if isinstance(node.value, str | bytes)]
    for text in texts:
        if len(text.value) > rules.TEXT_CHARACTERS:  # type: ignore[arg-type]
            raise _at(
                path,
                text,
                f"a string has {len(text.value)} characters, and may have {rules.TEXT_CHARACTERS}; a record learns what it knows",  # type: ignore[arg-type]
                f"une chaîne a {len(text.value)} caractères, et peut en avoir {rules.TEXT_CHARACTERS} ; un record apprend ce qu'il sait",  # type: ignore[arg-type]
            )
    characters = sum(len(text.value) for text in texts)  # type: ignore[arg-type]
    outermost = sum(_numbers(node) for node in _outermost(tree))
    for count, most, english, french in (
        (characters, rules.ALL_TEXT_CHARACTERS, "characters of strings", "caractères de chaînes"),
        (outermost, rules.ALL_LITERAL_NUMBERS, "numbers in literals", "nombres dans des littéraux"),
    ):
        if count > most:
            raise _at(
                path,
                tree,
                f"the file has {count} {english}, and may have {most}; a record learns what it knows",
                f"le fichier a {count} {french}, et peut en avoir {most} ; un record apprend ce qu'il sait",
            )


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _outermost(tree: ast.AST) -> Iterator[ast.AST]:
    """The literals that are in no other."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            yield node
        else:
            yield from _outermost(node)


def _check_functions(path: Path, tree: ast.Module) -> None:
    """Raise `DalleEduError` unless the three functions of a record are there, with as many parameters as they are given."""
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, count in _FUNCTIONS.items():
        if name not in found or len(found[name].args.posonlyargs + found[name].args.args) != count:
            raise _at(
                path,
                found.get(name, tree),
                "a record defines build(), train(model, game) and draw(model, tokens, seed)",
                "un record définit build(), train(model, game) et draw(model, tokens, seed)",
            )
