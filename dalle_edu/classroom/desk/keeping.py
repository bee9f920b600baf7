"""Values that took long to compute, kept on disk: after a restart they are read instead of being computed again.

    forest = kept("forest", lambda: train(network), like=build)

What is kept belongs to the code that made it: the source of `make`, of the functions that it reads, and the values that those read. When
one of them changes, the value is computed anew. What else `make` does, such as to print, to draw from a generator that goes on to serve, or
to change a network in place, does not happen when the value is read: let it return all it makes.

The builder has a folder of its own, which solved and untouched notebooks in all languages share: what one has computed, the others read,
without a word.
"""

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from torch import nn

from dalle_edu.classroom.checking.standin import same_in_library
from dalle_edu.classroom.desk.code_read import fingerprint_of_call
from dalle_edu.classroom.desk.opening import opened
from dalle_edu.classroom.desk.record import desk_folder
from dalle_edu.classroom.desk.storable import NotStorable, read_value, write_value
from dalle_edu.classroom.static import is_static
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say

PATIENCE = 20.0  # seconds; what took less is not kept
KEPT_BY_THE_BUILDER = "DALLE_EDU_KEPT"  # the environment variable with its folder
_SHARED = 1.0  # processor seconds; what took the builder less is not kept


def kept(
    name: str, make: Callable[[], Any], like: Callable[[], nn.Module] | None = None, patience: float | int = PATIENCE, anew: bool = False
) -> Any:
    """What `make()` gives, read from disk where it was kept before.

    It is kept when it took longer than `patience` seconds and is made of tensors, arrays, numbers and strings, in lists, tuples and
    dictionaries; or when it is a network, and `like()` builds one of the same shape, into which its weights are read. `anew` computes it in
    any case. Raises `DalleEduError` for a name that is not made of letters, digits, - and _, and where `make` is no function.
    """
    if not re.fullmatch(r"[\w-]+", name):
        raise DalleEduError(
            f"the name is {name!r}; give letters, digits, - and _", f"le nom est {name!r} ; donnez lettres, chiffres, - et _"
        )
    if not isinstance(make, (FunctionType, MethodType)):
        raise DalleEduError(
            f"make is {make!r}; give a function without arguments", f"make est {make!r} ; donnez une fonction sans argument"
        )
    if is_static() or os.environ.get(KEPT_BY_THE_BUILDER):
        return _for_the_book(name, make, like, anew)
    path = _path(name, make)
    again = f'kept("{name}", …, anew=True)'
    if path.is_file() and not anew:
        try:
            value, seconds = read_value(path, like)
        except (DalleEduError, OSError):
            en = f"What was kept of “{name}” cannot be read: it is computed anew."
            print(say(en, f"« {name} », sur disque, est illisible : on recalcule."))
        else:
            en = f"“{name}” was computed before, in {decimal(seconds, 0)} s, and is read from disk. To compute it anew: {again}."
            fr = f"« {name} » a déjà été calculé, en {decimal(seconds, 0)} s, et est lu sur disque. Pour le recalculer : {again}."
            print(say(en, fr))
            return value
    begun = time.monotonic()
    made = make()
    seconds = time.monotonic() - begun
    if seconds > patience:
        _keep(path, name, made, seconds, like)
    return made


def _for_the_book(name: str, make: Callable[[], Any], like: Callable[[], nn.Module] | None, anew: bool) -> Any:
    """What `make()` gives, shared by the lessons of all languages; nothing is printed: a page is the same whether it is read or computed.

    The audit events tell the builder's record that a value was written, or read, and the processor seconds that it took; the record
    refuses one when what it was made of has changed.
    """
    folder = os.environ.get(KEPT_BY_THE_BUILDER)
    if not folder:
        return make()
    path = Path(folder) / f"{name}.{fingerprint_of_call(make, same_in_library)}.safetensors"
    if path.is_file() and not anew:
        try:
            value, seconds = read_value(path, like)
            sys.audit("dalle_edu.kept.read", path, seconds)
            return value
        except (DalleEduError, OSError, ValueError, KeyError, TypeError):  # damaged, or without its record: it is computed
            pass
    begun = time.process_time()
    made = make()
    seconds = time.process_time() - begun
    if seconds > _SHARED and not (isinstance(made, nn.Module) and like is None):
        try:
            write_value(path, made, seconds)
            sys.audit("dalle_edu.kept.write", path)
        except (NotStorable, DalleEduError, OSError):  # the next lesson computes it too
            pass
    return made


def _path(name: str, make: Callable[[], Any]) -> Path:
    lesson = opened()
    return desk_folder() / "kept" / (lesson.name if lesson else "no_lesson") / f"{name}.{fingerprint_of_call(make)}.safetensors"


def _keep(path: Path, name: str, made: Any, seconds: float, like: Callable[[], nn.Module] | None) -> None:
    try:
        if isinstance(made, nn.Module) and like is None:
            raise NotStorable(say("a network without `like`", "un réseau sans `like`"))
        write_value(path, made, seconds)
    except NotStorable as error:
        print(say(f"“{name}” is not kept on disk: it holds {error}.", f"« {name} » n'est pas gardé sur disque : il contient {error}."))
        return
    except (DalleEduError, OSError) as error:
        print(say(f"“{name}” is not kept on disk: {error}", f"« {name} » n'est pas gardé sur disque : {error}"))
        return
    for older in path.parent.glob(f"{name}.*.safetensors"):
        if older != path:
            older.unlink(missing_ok=True)
    en = f"“{name}” took {decimal(seconds, 0)} s and is kept on disk: after a restart it comes at once."
    print(say(en, f"« {name} » a pris {decimal(seconds, 0)} s et est gardé sur disque : après un redémarrage, il vient tout de suite."))
