"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from dalle_edu.errors import DalleEduError, reasons


def write_aside(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file in the same folder, then rename it to `path`.

    A reader sees the old file or the new one, never a part, whatever happens in between. Missing folders are made.
    Raises `DalleEduError` where the place cannot be written or is full.
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


def check_writable(path: str | Path) -> None:
    """Raise `DalleEduError` now rather than after the work when `path` cannot be written."""
    path = Path(path)
    if os.path.isdir(path):
        raise DalleEduError(
            f"{path} is a folder; give the name of a file in it", f"{path} est un dossier ; donnez le nom d'un fichier dedans"
        )
    if _is_special(path):
        raise _not_a_file(path)
    folder = path.parent
    while not os.path.exists(folder):  # unlike Path.exists, this says no to a name too long to exist
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
    """Raise `DalleEduError` where there is something already in a folder that is to be filled."""
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
