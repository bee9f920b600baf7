"""The exceptions for bad input. Their message says what was given, what was expected and what to do."""

import errno
import os
import re

from dalle_edu.language import say

_FRENCH = {
    errno.ENOENT: "ce fichier n'existe pas",
    errno.EACCES: "l'accès est refusé",
    errno.EPERM: "l'accès est refusé",
    errno.EEXIST: "un fichier porte déjà ce nom",
    errno.ENOTDIR: "un fichier tient la place d'un dossier",
    errno.EISDIR: "c'est un dossier",
    errno.ENOSPC: "il n'y a plus de place",
    errno.EROFS: "on ne peut qu'y lire",
    errno.ENAMETOOLONG: "ce nom est trop long",
    errno.ELOOP: "ce lien mène à lui-même",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.ENFILE: "trop de fichiers sont ouverts",
    errno.EFBIG: "ce fichier est trop grand",
    errno.EIO: "le disque a une panne",
    errno.ENOMEM: "la mémoire ne suffit pas",
    errno.EDQUOT: "il n'y a plus de place",
    errno.EINVAL: "ce nom ne convient pas",
}
_ENGLISH = {errno.ELOOP: "this link leads to itself"}
_NO_MEMORY = ("allocat", "out of memory", "failed to map segment", "bad_alloc", "can't start new thread")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, and bytes of a name that is not UTF-8


class DalleEduError(ValueError):
    """Bad input, described in English and in French; the message is the one in the reader's language.

    The command line prints it and exits with status 1. Bytes of a name that are no UTF-8 are shown by their numbers, since no console
    writes them.
    """

    def __init__(self, en: str, fr: str):
        super().__init__(printable(say(en, fr)))


class Stopped(DalleEduError):
    """Work that the reader interrupted; the message says how to resume it. The command line exits with status 130."""


def reasons(error: OSError) -> tuple[str, str]:
    """The operating system's reason for an error, in English and in French."""
    english = _ENGLISH.get(error.errno or 0) or (os.strerror(error.errno) if error.errno else str(error)).lower()
    return english, _FRENCH.get(error.errno or 0, english)


def printable(text: str) -> str:
    """A text that any terminal and any file can take: control characters, and bytes of file names that are not UTF-8, are escaped."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice: Python's own, torch's, or the system's where a library cannot be loaded."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


def no_memory() -> DalleEduError:
    """The error to raise where memory does not suffice."""
    return DalleEduError(
        "there is not enough memory; ask for fewer pictures, a smaller batch or a smaller preset",
        "la mémoire ne suffit pas ; demandez moins d'images, un lot plus petit ou un préréglage plus petit",
    )
