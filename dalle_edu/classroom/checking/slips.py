"""Slips: the library's function with one small thing changed, and what has been changed, in words.

A student's version that answers all cases as one of them does has made this slip, or one that nobody can tell from it. No exercise needs a
list of its own for that; the slips that deserve an explanation are in `mistakes/`.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dalle_edu.classroom.checking.proof import library_version
from dalle_edu.classroom.checking.slip_kinds import Edit, edits
from dalle_edu.language import say


@dataclass(frozen=True)
class Slip:
    """A version with one thing changed; `sentence` says in the reader's language what."""

    version: Any
    sentence: str


def slips(target: str) -> Iterator[Slip]:
    """The versions of `target` that have one thing changed in their code; those that do not compile are left out."""
    library = library_version(target)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(library)))
    except (OSError, TypeError):  # not written in Python
        return
    module, name = importlib.import_module(library.__module__), target.split(":")[1]
    definition = tree.body[0]
    if not isinstance(definition, (ast.FunctionDef, ast.ClassDef)):
        return
    definition.decorator_list = []
    members = [definition] if isinstance(definition, ast.FunctionDef) else definition.body
    functions = [node for node in members if isinstance(node, ast.FunctionDef) and node.name != "__init__"]
    for function in functions:
        for edit in edits(function):
            version = _compiled(tree, edit, module, name)
            if version is not None:
                yield Slip(version, say(f"It answers as if {edit.en}.", f"Elle répond comme si {edit.fr}."))


def _compiled(tree: ast.Module, edit: Edit, module: Any, name: str) -> Any:
    scope = dict(vars(module))
    with edit:
        try:
            exec(compile(ast.fix_missing_locations(tree), "<slip>", "exec"), scope)  # the library's own code
        except (SyntaxError, ValueError, NameError, TypeError):
            return None
    return scope[name]
