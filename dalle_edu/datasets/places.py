"""Reading files in a folder, and only there: a name that leaves the folder is refused before it is opened."""

import stat
from pathlib import Path

from dalle_edu.datasets.pictures import MAX_BYTES
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.download import Remote, has_digest
from dalle_edu.errors import DalleEduError


def existing_folder(folder: str | Path, make: bool = False) -> Path:
    """The folder's own path, without links; with `make`, it is made where it is missing. Raises `DalleEduError` where it is none."""
    folder = Path(folder).expanduser()
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        found = folder.is_dir()
    except (OSError, ValueError):  # a name too long, or with a null character
        found = False
    if not found:
        raise DalleEduError(
            f"there is no folder at {folder}; give the path of the folder that holds the data",
            f"il n'y a pas de dossier {folder} ; donnez le chemin du dossier qui contient les données",
        )
    return folder.resolve()


def inside(folder: Path, name: str) -> Path:
    """The path of a name in a folder, which `existing_folder` gave. Raises `Unusable` where `..`, a root or a link leads out of it."""
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, links in a circle
        raise Unusable(Why.UNREADABLE) from error
    if not path.is_relative_to(folder):
        raise Unusable(Why.OUTSIDE)
    return path


def file_inside(folder: Path, name: str, limit: int = MAX_BYTES) -> Path:
    """The path of a file in a folder that may be read: there, a plain file, not empty, at most `limit` bytes. Else raises `Unusable`."""
    path = inside(folder, name)
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Unusable(Why.MISSING) from error
    except OSError as error:
        raise Unusable(Why.UNREADABLE) from error
    if not stat.S_ISREG(facts.st_mode):  # reading a pipe would wait for ever
        raise Unusable(Why.UNREADABLE)
    if facts.st_size == 0:
        raise Unusable(Why.EMPTY)
    if facts.st_size > limit:
        raise Unusable(Why.TOO_LARGE, f"{facts.st_size} > {limit}")
    return path


def read_inside(folder: Path, name: str, offset: int = 0, size: int = -1, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file in a folder, or `size` of them from `offset` on. Raises `Unusable` as `file_inside` does."""
    path = file_inside(folder, name, limit)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise Unusable(Why.UNREADABLE) from error


def verify(folder: Path, remote: Remote) -> None:
    """Raise `DalleEduError` where the file in its place is not in `folder`, or not the one that was published."""
    try:
        path = file_inside(folder, remote.path.relative_to(folder).as_posix(), limit=1 << 50)
        if path.stat().st_size != remote.bytes or not has_digest(path, remote):
            raise Unusable(Why.CHECKSUM)
    except Unusable as fault:
        raise fault.of(remote.path) from fault
