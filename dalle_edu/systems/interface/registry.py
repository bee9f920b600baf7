"""The registry: which systems there are, and how one from outside the package
joins.

A system is one file and one class, decorated by `register`:

    @register
    class DallE1(AutoregressiveSystem):
        name = "dalle1"

Those of the package are the files of `dalle_edu/systems`, each called by its
system's name and imported when it is first asked for. A system from outside is
called by its file and its class, "mine.py:Mine", wherever a command takes a system,
and its weights are "mine.py:Mine@weights.safetensors". A notebook that defines such
a class needs `register` alone; the class is then found by its `name`. Nothing here
imports torch at import, so that commands answer at once.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dalle_edu.errors import DalleEduError
from dalle_edu.python_files import named_in_file, names_a_file

if TYPE_CHECKING:
    from dalle_edu.systems.interface.trainable import Trainable

_PACKAGE = "dalle_edu.systems"
_registered: dict[str, type["Trainable"]] = {}
_Kind = TypeVar("_Kind", bound=type)


def register(kind: _Kind) -> _Kind:
    """Make a class known by its `name`, and return it: a decorator. Raises
    `DalleEduError` where a class that is called otherwise has that name already.
    """
    name = kind.name  # type: ignore[attr-defined]
    other = _registered.get(name)
    if other is not None and other.__qualname__ != kind.__qualname__:
        raise DalleEduError(
            f'there is a system "{name}" already ({other.__module__}); give yours '
            "another name",
            f"il y a déjà un système « {name} » ({other.__module__}) ; donnez un "
            "autre nom au vôtre",
        )
    _registered[name] = kind
    return kind


def system_names() -> list[str]:
    """The names of all systems: those of the package in alphabetical order, then
    those registered from outside.
    """
    folder = Path(__file__).parents[1]
    shipped = [m.name for m in pkgutil.iter_modules([str(folder)]) if not m.ispkg]
    return [*shipped, *(name for name in _registered if name not in shipped)]


def drawing_systems() -> list[str]:
    """The names of the systems that draw: first those that learn, then those that
    are put together from others, both in the order of the lessons.
    """
    from dalle_edu.systems.interface.system import System

    kinds = [model_class(name) for name in system_names()]
    drawing = [kind for kind in kinds if issubclass(kind, System)]
    drawing.sort(key=lambda kind: (not kind.learns(), kind.lesson))
    return [kind.name for kind in drawing]


def model_class(name: str) -> type["Trainable"]:
    """The class of a system, by the system's name ("dalle1") or by a file and a
    class in it ("mine.py:Mine"), which imports the file.

    Raises `DalleEduError` where there is no such system, file or class.
    """
    if names_a_file(name):
        return _from_file(name)
    if name not in _registered and name in system_names():
        importlib.import_module(f"{_PACKAGE}.{name}")
    if name not in _registered:
        known = ", ".join(system_names())
        raise DalleEduError(
            f'there is no system "{name}"; choose among: {known}, or name a file '
            "and a class, as in mine.py:Mine",
            f"il n'y a pas de système « {name} » ; choisissez parmi : {known}, ou "
            "nommez un fichier et une classe, comme mine.py:Mine",
        )
    return _registered[name]


def _from_file(name: str) -> type["Trainable"]:
    """The class called "mine.py:Mine". Raises `DalleEduError` where there is no
    such file, or it has no such system.
    """
    from dalle_edu.systems.interface.trainable import Trainable

    file, _, attribute = name.rpartition(":")
    kind = named_in_file(name)
    if not (isinstance(kind, type) and issubclass(kind, Trainable)):
        raise DalleEduError(
            f"{file} has no system called {attribute}; give the name of a class "
            "made from System",
            f"{file} n'a pas de système appelé {attribute} ; donnez le nom d'une "
            "classe tirée de System",
        )
    return register(kind)
