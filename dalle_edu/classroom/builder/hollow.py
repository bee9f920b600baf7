"""The library's own code in lessons: its source is the solution of an exercise, and the same without function bodies is the exercise.

Checks of the input, which public functions of the library begin with, are left out, because they would hide the idea; so are the sentences
of docstrings that begin with "Raises `", which speak of them. The French edition has docstrings and comments in French; the exercise's cell
in the lesson's source gives them:

    # %% implements="perceptron:step" level=1
    \"""1 là où z >= 0, 0 ailleurs : un neurone s'active ou se tait.\"""
    # the comment in the code => le commentaire
"""

import ast
import builtins
import importlib
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from dalle_edu.classroom.builder.source import replace_node
from dalle_edu.errors import DalleEduError
from dalle_edu.language import Language, chosen, language_named

Definition = ast.FunctionDef | ast.ClassDef
WIDTH = 84  # columns of what exercises show
_RAISES = re.compile(r"(?:(?<=\s)|\A)Raises\s+`.*?\.(?:\s+|\Z)", re.DOTALL)
TO_DO = {"en": "your turn: replace this line", "fr": "à vous : remplacez cette ligne"}


@dataclass(frozen=True)
class French:
    """The French docstrings of an exercise, in the order of the code, and its French comments, by the English ones."""

    docstrings: tuple[str, ...]
    comments: dict[str, str]

    @classmethod
    def read(cls, text: str) -> "French":
        """The docstrings and comments in the cell of an exercise."""
        strings = [
            node.value.value
            for node in ast.parse(text).body
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        ]
        return cls(tuple(strings), dict(re.findall(r"^# (.+?) => (.+)$", text, flags=re.MULTILINE)))


def taught_module(target: str) -> ModuleType:
    """The module of a target such as "attention:attend"; names without a dot are bricks."""
    module = target.split(":")[0]
    return importlib.import_module(f"dalle_edu.{module}" if "." in module else f"dalle_edu.bricks.{module}")


def solution(target: str, language: str, french: French) -> str:
    """A target's source in one language, without checks of the input.

    Raises `DalleEduError` where a docstring or comment has no translation, or a translation has no docstring or comment.
    """
    name = target.split(":")[1]
    code = _without_raises(_without_guards(textwrap.dedent(inspect.getsource(getattr(taught_module(target), name))).rstrip()))
    documented = [node for node in _definitions(ast.parse(code)) if ast.get_docstring(node)]
    comments = _comments(code)
    if len(documented) != len(french.docstrings) or set(comments) != set(french.comments):
        found, given = f"{len(documented)} docstrings, {comments}", f"{len(french.docstrings)} docstrings, {list(french.comments)}"
        raise DalleEduError(
            f"{target} is to be put into French: the code has {found}; the lesson gives {given}",
            f"{target} est à mettre en français : le code a {found} ; la leçon donne {given}",
        )
    if language != "fr":
        return _phrased(code, documented, language_named(language))
    for node, text in reversed(list(zip(documented, french.docstrings, strict=True))):
        code = _with_docstring(code, node, inspect.cleandoc(text))
    for english, translated in french.comments.items():
        code = code.replace(f"# {english}", f"# {translated}")
    return code


def _phrased(code: str, documented: Sequence[Definition], language: Language) -> str:
    """English code whose docstrings and comments are put into another language by its phrasebook."""
    if language.phrases is None:
        return code
    for node in reversed(documented):
        code = _with_docstring(code, node, "\n\n".join(map(language.phrase, (ast.get_docstring(node) or "").split("\n\n"))))
    for english in _comments(code):
        code = code.replace(f"# {english}", f"# {language.phrase(english)}")
    return code


def hollowed(code: str, language: str, methods: Sequence[str] | None = None) -> str:
    """Code whose functions raise `NotImplementedError` in place of their bodies; of a class, `methods` only, or all but `__init__`."""
    while True:
        for node in _definitions(ast.parse(code)):
            if isinstance(node, ast.FunctionDef) and _is_full(node) and _is_asked(code, node, methods):
                code = _emptied(code, node, language)
                break
        else:
            return code


def imports_for(codes: Sequence[tuple[str, str]], known: set[str]) -> str:
    """The import statements that pieces of code, given as (target, code), need; `known` are the names that the lesson itself defines."""
    froms: dict[str, set[str]] = {}
    plain: set[str] = set()
    for target, code in codes:
        module = taught_module(target)
        imported = _module_imports(module)
        for name in sorted(free_names(code) - known):
            if name in imported:
                source, original = imported[name]
                if original is None:
                    plain.add(source)
                else:
                    froms.setdefault(source, set()).add(original if original == name else f"{original} as {name}")
            elif hasattr(module, name):
                froms.setdefault(module.__name__, set()).add(name)
    lines = sorted(plain) + [f"from {source} import {', '.join(sorted(names, key=str.lower))}" for source, names in sorted(froms.items())]
    return "\n".join(sorted(lines, key=lambda line: (line.split()[1].startswith("dalle_edu"), line.split()[1])))


def names_bound(code: str) -> set[str]:
    """The names that a cell defines at its top level: imports, functions, classes, variables."""
    bound: set[str] = set()
    for node in ast.parse(code).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            bound |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    return bound


def free_names(code: str) -> set[str]:
    """The names that code reads and does not define, builtins apart. A method is reached through its object: its name is none of them."""
    tree = ast.parse(code)
    methods = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for inner in node.body}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and id(node) not in methods}
    return read - bound - set(dir(builtins))


# ---------------------------------------------------------------- pieces


def _definitions(tree: ast.Module) -> Iterator[Definition]:
    """Functions and classes, and the methods of classes, in the order of the code."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node
        if isinstance(node, ast.ClassDef):
            yield from (inner for inner in node.body if isinstance(inner, ast.FunctionDef))


def _without_guards(code: str) -> str:
    """Code without `if …: raise DalleEduError(…)` and without calls of helpers that only check."""
    guards = [node for node in ast.walk(ast.parse(code)) if _is_guard(node)]
    lines = code.splitlines()
    for guard in sorted(guards, key=lambda node: node.lineno, reverse=True):  # type: ignore[attr-defined]
        del lines[guard.lineno - 1 : guard.end_lineno]  # type: ignore[attr-defined]
    return "\n".join(lines)


def _without_raises(code: str) -> str:
    """Code without the sentences of docstrings that say what is raised: the checks that raise are left out too."""
    for node in reversed([node for node in _definitions(ast.parse(code)) if ast.get_docstring(node)]):
        paragraphs = (ast.get_docstring(node) or "").split("\n\n")
        kept = [_refilled(paragraph, WIDTH - node.body[0].col_offset) for paragraph in paragraphs]
        if kept != paragraphs:
            code = _with_docstring(code, node, "\n\n".join(filter(None, kept)))
    return code


def _refilled(paragraph: str, width: int) -> str:
    """A paragraph without its sentences "Raises `…` …"; what is left of one that had some is filled again to `width` columns."""
    kept = _RAISES.sub("", paragraph)
    return paragraph if kept == paragraph else textwrap.fill(" ".join(kept.split()), width, break_on_hyphens=False)


def _with_docstring(code: str, node: Definition, text: str) -> str:
    """Code in which the docstring of a definition is replaced by another, whose lines have no margin."""
    docstring = node.body[0]
    margin = " " * docstring.col_offset
    first, *others = text.splitlines()
    lines = [first, *(margin + line if line else "" for line in others)]
    body = "\n".join([*lines, margin] if others else lines)
    return replace_node(code, docstring, f'"""{body}"""')


def _is_guard(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        raised = [inner.exc for inner in node.body if isinstance(inner, ast.Raise)]
        names = [exc.func.id for exc in raised if isinstance(exc, ast.Call) and isinstance(exc.func, ast.Name)]
        return not node.orelse and len(names) == len(node.body) and set(names) <= {"DalleEduError", "ValueError"}
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("_check")


def _comments(code: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token.string.removeprefix("#").strip() for token in tokens if token.type == tokenize.COMMENT]
    return [comment for comment in comments if not comment.startswith(("type:", "noqa"))]


def _is_full(node: ast.FunctionDef) -> bool:
    last = node.body[-1]
    return not (isinstance(last, ast.Raise) and isinstance(last.exc, ast.Name) and last.exc.id == "NotImplementedError")


def _is_asked(code: str, node: ast.FunctionDef, methods: Sequence[str] | None) -> bool:
    if node in ast.parse(code).body or node.col_offset == 0:
        return True
    return node.name in methods if methods is not None else node.name != "__init__"


def _emptied(code: str, node: ast.FunctionDef, language: str) -> str:
    first = node.body[1 if ast.get_docstring(node) else 0 :]
    lines, margin = code.splitlines(), " " * (node.col_offset + 4)
    start = first[0].lineno - 1 if first else (node.end_lineno or 0)
    return "\n".join([*lines[:start], f"{margin}raise NotImplementedError  # {chosen(TO_DO, language)}", *lines[node.end_lineno :]])


def _module_imports(module: ModuleType) -> dict[str, tuple[str, str | None]]:
    """The import behind each imported name of a module: ("import torch", None) or ("torch", "nn")."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[(alias.asname or alias.name).split(".")[0]] = (ast.unparse(ast.Import([alias])), None)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
    return found
