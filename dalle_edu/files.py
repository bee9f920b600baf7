"""Atomic writing of files, and checks that a path can be written before any work is done."""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from dalle_edu.errors import DalleEduError, reasons


def write_aside(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file atomically: `write` fills a temporary file in the same folder, which is then renamed to `path`.

    Whoever reads `path` meanwhile finds the old file or the new one, and never a part. Missing folders are made. Raises `DalleEduError`
    where the place cannot be written, is full, or is a device or a pipe.
    """
    path = Path(path)
    if _is_special(path):
        raise _not_a_file(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        en, fr = reasons(error)
        raise DalleEduError(
            f"{path} could not be written: {en}; what was there before is as it was",
            f"{path} n'a pas pu être écrit : {fr} ; ce qui s'y trouvait n'a pas changé",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def remove_leftovers(path: str | Path) -> None:
    """Remove the temporary files that killed `write_aside`s of `path` left beside it. Nobody else may be writing `path` meanwhile.

    A file that cannot be removed stays.
    """
    path = Path(path)
    named = re.compile(re.escape(f".{path.name}.") + "[a-z0-9_]{8}")  # as `tempfile` names them
    with contextlib.suppress(OSError):
        for place in path.parent.iterdir():
            if named.fullmatch(place.name) and place.is_file() and not place.is_symlink():
                with contextlib.suppress(OSError):
                    place.unlink()


def check_writable(path: str | Path) -> None:
    """Raise `DalleEduError` when `path` cannot be written; to be called before the work whose result goes there."""
    path = Path(path)
    if os.path.isdir(path):
        raise DalleEduError(
            f"{path} is a folder; give the name of a file in it", f"{path} est un dossier ; donnez le nom d'un fichier dedans"
        )
    if _is_special(path):
        raise _not_a_file(path)
    folder = path.parent
    while not os.path.exists(folder):  # Path.exists raises for a name that is too long
        folder = folder.parent
    longest = max(len(os.fsencode(part)) for part in path.parts)
    if longest > 240:  # most file systems allow 255 bytes, and a temporary name is a little longer
        raise DalleEduError(
            f"{path} cannot be written: a name in it has {longest} bytes; choose a shorter one",
            f"{path} ne peut pas être écrit : un de ses noms a {longest} octets ; choisissez-en un plus court",
        )
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DalleEduError(
            f"{path} cannot be written: {folder} is not a folder one may write in; choose another place",
            f"{path} ne peut pas être écrit : on ne peut pas écrire dans {folder} ; choisissez un autre endroit",
        )


def check_new_folder(folder: Path) -> None:
    """Raise `DalleEduError` when a folder that is to be filled exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DalleEduError(
            f"{folder} holds something already; give a new or an empty folder",
            f"{folder} contient déjà quelque chose ; donnez un dossier nouveau ou vide",
        )


def _not_a_file(path: Path) -> DalleEduError:
    return DalleEduError(
        f"{path} is a device or a pipe, and only a file can be replaced whole; give another name",
        f"{path} est un périphérique ou un tube, et seul un fichier se remplace d'un coup ; donnez un autre nom",
    )


def _is_special(path: Path) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
