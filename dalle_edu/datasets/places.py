"""Reading files of a folder safely: a path that leads out of the folder is refused before it is opened."""

import stat
import unicodedata
from pathlib import Path

from dalle_edu.datasets.pictures import MAX_BYTES
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.download import Remote, has_digest
from dalle_edu.errors import DalleEduError


class Names:
    """Files by name, found in whichever form of Unicode the name is written: macOS writes « é » as two characters, lists usually as one.

    A name found as it is written comes before one in another form.
    """

    def __init__(self, files: dict[str, str]):
        self.files = files
        self.composed = {unicodedata.normalize("NFC", name): file for name, file in reversed(files.items())}

    def find(self, name: str) -> str | None:
        """The file of a name, None where there is none."""
        return self.files.get(name) or self.composed.get(unicodedata.normalize("NFC", name))


def existing_folder(folder: str | Path, make: bool = False) -> Path:
    """The path of a folder, with links resolved; with `make`, a missing folder is made. Raises `DalleEduError` where there is no folder."""
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
    """The path of a name in a folder, itself from `existing_folder`.

    Raises `Unusable` where `..`, an absolute path or a link leads out of it, or where the name cannot be a path.
    """
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, links in a circle
        raise Unusable(Why.UNREADABLE) from error
    if not path.is_relative_to(folder):
        raise Unusable(Why.OUTSIDE)
    return path


def file_inside(folder: Path, name: str, limit: int = MAX_BYTES) -> Path:
    """The path of a file in a folder. Raises `Unusable` unless it is a regular file inside it, not empty, and of at most `limit` bytes."""
    path = inside(folder, name)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Unusable(Why.MISSING) from error
    except OSError as error:
        raise Unusable(Why.UNREADABLE) from error
    if not stat.S_ISREG(status.st_mode):  # reading a pipe could block for ever
        raise Unusable(Why.UNREADABLE)
    if status.st_size == 0:
        raise Unusable(Why.EMPTY)
    if status.st_size > limit:
        raise Unusable(Why.TOO_LARGE, f"{status.st_size} > {limit}")
    return path


def read_inside(folder: Path, name: str, offset: int = 0, size: int = -1, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file in a folder, or `size` of them from `offset` on.

    Raises `Unusable` as `file_inside` does, and where reading fails.
    """
    path = file_inside(folder, name, limit)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise Unusable(Why.UNREADABLE) from error


def verify(folder: Path, remote: Remote) -> None:
    """Raise `DalleEduError` unless the file of a `Remote` is in `folder` and has the published size and checksum."""
    try:
        path = file_inside(folder, remote.path.relative_to(folder).as_posix(), limit=1 << 50)
        if path.stat().st_size != remote.bytes or not has_digest(path, remote):
            raise Unusable(Why.CHECKSUM)
    except Unusable as fault:
        raise fault.of(remote.path) from fault
