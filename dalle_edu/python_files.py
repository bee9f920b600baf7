"""Python files from outside the package that a user names: "mine.py:Mine" is what the file calls Mine. Naming one imports it."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from dalle_edu.errors import DalleEduError
from dalle_edu.files import read_file

_MAX_CODE = 16_000_000  # bytes of a file


def names_a_file(name: str) -> bool:
    """Whether a name consists of a file and something in it, as "mine.py:Mine"."""
    return ".py:" in name


def named_in_file(name: str) -> Any:
    """What the file of "mine.py:Mine" calls so; None where it calls nothing so. Raises `DalleEduError` where there is no such file, or it
    cannot be imported.
    """
    file, _, attribute = name.rpartition(":")
    path = Path(os.path.realpath(file))  # Path.resolve raises for a loop of links
    called = f"dalle_edu_outside_{path.stem}"  # a name of its own, so that it hides no other module
    module = sys.modules.get(called)
    if module is None or getattr(module, "__file__", None) != str(path):
        spec = importlib.util.spec_from_file_location(called, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise DalleEduError(
                f"there is no file {file}; name a Python file and what it defines, as in mine.py:Mine",
                f"il n'y a pas de fichier {file} ; nommez un fichier Python et ce qu'il définit, comme mine.py:Mine",
            )
        read_file(path, _MAX_CODE)  # no device, and nothing absurdly large
        module = importlib.util.module_from_spec(spec)
        sys.modules[called] = module  # so that dataclasses find their module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[called]
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            why = f"{type(error).__name__}: {error}{line}"
            raise DalleEduError(
                f"{file} cannot be imported ({why}); correct it", f"{file} ne s'importe pas ({why}) ; corrigez-le"
            ) from error
    return getattr(module, attribute, None)
