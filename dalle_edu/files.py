"""The gates of files: what is read is a regular file of a bounded size, what is written is written whole or not at all, and outputs are
compared before any work is done.
"""

import contextlib
import os
import re
import stat
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dalle_edu.errors import DalleEduError, no_memory, reasons

WINDOWS = os.name == "nt"
MAX_TEXT = 64_000_000  # bytes of a JSON file, or of another text
_PATIENCE = 2.0  # seconds in which another program, such as one that looks for viruses, may let go of a file
_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)\s*(\..*)?$")  # whose names Windows keeps for itself
_UNWRITABLE = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')  # in a name on Windows


@contextmanager
def opened(
    path: str | Path, most: int, en: str = "give the path of a file", fr: str = "donnez le chemin d'un fichier"
) -> Iterator[BinaryIO]:
    """A regular file opened for reading, a context manager, and the gate of every path that is read.

    Raises `DalleEduError`, without waiting for a device or a pipe, where `path` is no regular file, has more than `most` bytes, or cannot
    be read, then or while the block reads it; `en` and `fr` tell what to do. A lack of memory in the block is told too.
    """
    try:
        _check_regular(os.stat(path), path, most)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, UnicodeError) as error:  # UnicodeError: half a character in a name
        raise _unreadable(path, error, en, fr) from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            _check_regular(os.fstat(descriptor), path, most)  # it may have been replaced meanwhile
            yield file
    except MemoryError as error:
        raise no_memory() from error
    except OSError as error:
        raise _unreadable(path, error, en, fr) from error


def read_file(
    path: str | Path, most: int = MAX_TEXT, en: str = "give the path of a file", fr: str = "donnez le chemin d'un fichier"
) -> bytes:
    """The contents of a regular file of at most `most` bytes. Raises `DalleEduError` as `opened` does."""
    with opened(path, most, en, fr) as file:
        return file.read(most)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, or of standard input where `path` is -, without those that are empty. Raises `DalleEduError` as
    `opened` does, and for what is no text.
    """
    contents = sys.stdin.buffer.read(MAX_TEXT) if path == Path("-") else read_file(path)
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DalleEduError(
            f"{path} is no text in UTF-8 (byte {error.start}); save it as UTF-8",
            f"{path} n'est pas un texte en UTF-8 (octet {error.start}) ; enregistrez-le en UTF-8",
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _unreadable(path: str | Path, error: OSError | UnicodeError, en: str, fr: str) -> DalleEduError:
    why_en, why_fr = reasons(error) if isinstance(error, OSError) else ("this is no name of a file", "ce n'est pas un nom de fichier")
    return DalleEduError(f"{path} cannot be read: {why_en}; {en}", f"{path} ne se lit pas : {why_fr} ; {fr}")


def _check_regular(found: os.stat_result, path: str | Path, most: int) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise DalleEduError(f"{path} is a folder; give the path of a file", f"{path} est un dossier ; donnez le chemin d'un fichier")
    if not stat.S_ISREG(found.st_mode):
        raise DalleEduError(
            f"{path} is a device or a pipe, and only files are read; give the path of a file",
            f"{path} est un périphérique ou un tube, et seuls des fichiers se lisent ; donnez le chemin d'un fichier",
        )
    if found.st_size > most:
        size, limit = (-(-count // 1_000_000) for count in (found.st_size, most))
        raise DalleEduError(
            f"{path} has {size:,} MB, and files of this kind may have {limit:,}; give a smaller one",
            f"{path} a {size} Mo, et un fichier de ce genre peut en avoir {limit} ; donnez-en un plus petit",
        )


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
        os.chmod(temporary, _mode(path))
        _replace(temporary, path)
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
    if WINDOWS:
        _check_name(path)
    folder = path.parent
    for place in (path, *path.parents):
        _check_no_loop(place)
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
    """Raise `DalleEduError` when a folder that is to be filled exists and is not empty, or cannot be made."""
    check_writable(folder / "x")
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise DalleEduError(
            f"{folder} holds something already; give a new or an empty folder",
            f"{folder} contient déjà quelque chose ; donnez un dossier nouveau ou vide",
        )


def _replace(temporary: str, path: Path) -> None:
    """Rename a file over another. Windows refuses while another program has that one open: then again, until patience ends."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if not WINDOWS or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _check_name(path: Path) -> None:
    """Raise `DalleEduError` for a name that Windows takes for a device or for a part of another file, where what is written is lost."""
    for part in path.parts[bool(path.anchor) :]:
        if part not in (".", "..") and (_DEVICES.match(part) or _UNWRITABLE.search(part)):
            raise DalleEduError(
                f"Windows keeps the name {part} for itself, and {path} would be lost; choose another",
                f"Windows se réserve le nom {part}, et {path} serait perdu ; choisissez-en un autre",
            )


def _not_a_file(path: Path) -> DalleEduError:
    return DalleEduError(
        f"{path} is a device or a pipe, and only a file can be replaced whole; give another name",
        f"{path} est un périphérique ou un tube, et seul un fichier se remplace d'un coup ; donnez un autre nom",
    )


def _is_special(path: Path) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_outputs(files: Iterable[Path], given: Iterable[Path] = ()) -> None:
    """Raise `DalleEduError` where one of the files that a command is to write would replace another of them, or one that is `given` to be
    read; or where one is to be a folder for another. To be called before the work.

    Links are followed, and names that differ in case or in accents' Unicode form alone are the same where the file system says so. The
    files of a folder that is filled are named one by one.
    """
    taken = {_identity(path): path for path in given}
    written: dict[tuple[str, ...], Path] = {}
    for path in files:
        identity = _identity(path)
        if identity in taken:
            raise DalleEduError(
                f"{path} is named twice, and what is there would be lost; give another name to what is written",
                f"{path} est nommé deux fois, et ce qui s'y trouve serait perdu ; donnez un autre nom à ce qui s'écrit",
            )
        taken[identity] = written[identity] = path
    for identity, path in written.items():
        folder = next((written[identity[:n]] for n in range(1, len(identity)) if identity[:n] in written), None)
        if folder is not None:
            raise DalleEduError(
                f"{folder} cannot be a file and a folder, with {path.name} in it; give another name",
                f"{folder} ne peut pas être un fichier et un dossier, qui contient {path.name} ; donnez un autre nom",
            )


def _identity(path: Path) -> tuple[str, ...]:
    """What two names of one file have in common, part by part."""
    parts = Path(os.path.realpath(path)).parts  # Path.resolve raises RuntimeError for a loop
    if _ignores_case(Path(*parts)):
        return tuple(unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold()) for part in parts)
    return parts


def _ignores_case(path: Path) -> bool:
    """Whether the file system of a path takes "a" and "A" for one name, seen at the nearest folder that exists and has letters."""
    for folder in path.parents:
        other = folder.with_name(folder.name.swapcase()) if folder.name else folder
        if other != folder and os.path.isdir(folder):
            return os.path.exists(other) and os.path.samefile(folder, other)
    return sys.platform in ("win32", "darwin")


def _check_no_loop(path: Path) -> None:
    """Raise `DalleEduError` for a symbolic link that leads to itself."""
    try:
        os.stat(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError) or not os.path.islink(path):
            return
        en, fr = reasons(error)
        raise DalleEduError(
            f"{path} cannot be written: {en}; give another name", f"{path} ne peut pas être écrit : {fr} ; donnez un autre nom"
        ) from error


def _mode(path: Path) -> int:
    """The permissions of a file that replaces `path`: those of the file that is there, or those of any new file."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode) & 0o777
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
