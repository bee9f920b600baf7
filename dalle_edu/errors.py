"""The exceptions for bad input. Their message says what was given, what was expected and what to do."""

import errno
import os

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
}


class DalleEduError(ValueError):
    """Bad input, described in English and in French; the message is the one in the reader's language.

    The command line prints it and exits with status 1. Bytes of a name that are no UTF-8 are shown by their numbers, since no console
    writes them.
    """

    def __init__(self, en: str, fr: str):
        super().__init__(say(en, fr).encode(errors="backslashreplace").decode())


class Stopped(DalleEduError):
    """Work that the reader interrupted; the message says how to resume it. The command line exits with status 130."""


def reasons(error: OSError) -> tuple[str, str]:
    """The operating system's reason for an error, in English and in French."""
    english = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return english, _FRENCH.get(error.errno or 0, english)
