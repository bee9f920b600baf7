"""A fingerprint of what a call computes from: a function's code, and whatever that reads from the notebook, all the way down.

Of the functions and classes of libraries the name is enough; of a network the weights count, and of a generator of random numbers nothing.
Comments and docstrings count for nothing. The builder, whose cells hold the library's code, takes an exercise that is
right and the library's version that stands in for one as the same.
"""

import ast
import dis
import hashlib
import inspect
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import nn

from dalle_edu import __version__

ONE_AT_A_TIME = threading.RLock()  # lessons are built in several threads, and Python 3.11's parser fails where two parse at a time
_SHORT = 16  # hexadecimal digits
_GLOBALS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}  # operations that read a name of the notebook


def fingerprint_of_call(function: Callable[..., Any], same: Callable[[Any], Any] = lambda _: None) -> str:
    """What tells the code of a call, and the values that it reads, from others; it changes when one of them does.

    Where `same` gives the library's version of a function or class, that one's name is enough.
    """
    home = getattr(function, "__globals__", {})
    digest = hashlib.sha256(__version__.encode())
    for part in _described(function, home, {}, same):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()[:_SHORT]


def _described(value: Any, home: dict[str, Any], seen: dict[int, Any], same: Callable[[Any], Any]) -> Iterator[bytes]:
    """A value piece by piece; `home` are the names of the notebook, whose functions and classes are read unless `same` knows them."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        yield repr(value).encode()
        return
    yield _name(same(type(value)) or type(value))
    if id(value) in seen:
        return
    seen[id(value)] = value  # and held, so that no other value gets its place in memory, and is taken for it
    if isinstance(value, (FunctionType, type)) and (library := same(value)) is not None:
        yield _name(library)
    elif isinstance(value, MethodType):
        yield from _described(value.__func__, home, seen, same)
        yield from _described(value.__self__, home, seen, same)
    elif isinstance(value, FunctionType):
        yield _name(value)
        if value.__globals__ is home:
            yield from _function(value, home, seen, same)
    elif isinstance(value, type):
        yield _name(value)
        if value.__module__ == home.get("__name__"):
            parts = [part for key, part in sorted(vars(value).items()) if not key.startswith("__") or callable(part)]
            yield from _described([*value.__bases__, *parts], home, seen, same)
    elif isinstance(value, nn.Module):
        yield from _described(type(value), home, seen, same)
        yield from _described(dict(value.state_dict()), home, seen, same)
    elif isinstance(value, torch.Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype} {value.shape}".encode() + value.tobytes()
    elif isinstance(value, np.generic):
        yield repr(value).encode()
    elif is_dataclass(value):
        yield from _described({part.name: getattr(value, part.name) for part in fields(value)}, home, seen, same)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _described(key, home, seen, same)
            yield from _described(part, home, seen, same)
    elif isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for part in value:
            yield from _described(part, home, seen, same)
    elif isinstance(value, (set, frozenset)):
        yield repr(sorted(map(repr, value))).encode()
    elif type(value).__module__.startswith("dalle_edu."):  # a set of data, for instance: its settings
        yield from _described(getattr(value, "__dict__", {}), home, seen, same)


def _name(value: Any) -> bytes:
    return f"{value.__module__}.{value.__qualname__}".encode()


def _function(function: FunctionType, home: dict[str, Any], seen: dict[int, Any], same: Callable[[Any], Any]) -> Iterator[bytes]:
    try:
        yield ast.dump(without_docstrings(ast.parse(textwrap.dedent(inspect.getsource(function))))).encode()
    except (OSError, TypeError, SyntaxError):  # no source, or a lambda that its lines alone do not hold
        yield from _code(function.__code__)
    yield from _described([function.__defaults__, function.__kwdefaults__], home, seen, same)
    for cell in function.__closure__ or ():
        try:
            yield from _described(cell.cell_contents, home, seen, same)
        except ValueError:  # not filled yet
            yield b"empty"
    for name in sorted(set(_names_read(function.__code__)) & set(home)):
        yield name.encode()
        yield from _described(home[name], home, seen, same)


def _code(code: CodeType) -> Iterator[bytes]:
    yield code.co_code + repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(constant).encode()


def without_docstrings(tree: ast.AST) -> ast.AST:
    """The same tree, changed in place, whose modules, classes and functions have no docstrings. Comments are in no tree."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, holders) and ast.get_docstring(node, False) is not None:
            del node.body[0]
    return tree


def _names_read(code: CodeType) -> Iterator[str]:
    """The global names that code reads, and the functions within it; attributes are not among them."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname in _GLOBALS)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_read(constant)
