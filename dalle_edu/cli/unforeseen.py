"""Errors that nobody foresaw: one sentence for the reader, a note of the rest, and a report to send that names nobody."""

import contextlib
import getpass
import os
import platform
import re
import sys
import tempfile
import traceback
from pathlib import Path

from dalle_edu import __version__
from dalle_edu.address import REPOSITORY
from dalle_edu.language import say

STATUS = 70  # the exit status that BSD's sysexits give to a fault of the program itself
_KEPT = "last_error.txt"
_LONGEST = 200  # characters of an error's own words in the sentence


def sentence(error: BaseException) -> str:
    """The sentence for an error that nobody foresaw, which is noted for the report."""
    _keep(error)
    said = " ".join(str(error).split())[:_LONGEST]
    named = f"{type(error).__name__}: {said}" if said else type(error).__name__
    en = f"this should not have happened ({named}); the fault is the program's. --debug shows where it is, and dalle-edu doctor --report "
    fr = f"cela n'aurait pas dû arriver ({named}) ; la faute est au programme. --debug montre où elle est, et dalle-edu doctor --report "
    return say(en + f"report.txt writes what to send: {where()}", fr + f"rapport.txt écrit ce qu'il faut envoyer : {where()}")


def where() -> str:
    """Where a report is sent to."""
    if REPOSITORY:
        return say(f"open an issue at {REPOSITORY}", f"ouvrez un ticket sur {REPOSITORY}")
    return say("give it to whoever gave you the course", "donnez-le à la personne qui vous a donné le cours")


def report(findings: list[tuple[bool, str, str]]) -> str:
    """What is known of this installation and of the last error, without names or paths, in the reader's language.

    `findings` are what the doctor found: whether it is well, what it is, and what is said of it.
    """

    def mark(good: bool) -> str:
        return "ok" if good else "??"

    lines = [
        f"dalle_edu {__version__}",
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        *(say(f"{mark(good)} {subject}: {says}", f"{mark(good)} {subject} : {says}") for good, subject, says in findings),
        "",
        say("The last error that nobody foresaw:", "La dernière erreur que personne n'a prévue :"),
        _read() or say("none", "aucune"),
    ]
    return _without_names("\n".join(lines)) + "\n"


# ---------------------------------------------------------------- pieces


def _without_names(text: str) -> str:
    """A text in which folders of this machine, its name and its user's are replaced by three dots."""
    package = Path(__file__).parents[2]
    places = [package, Path.cwd(), Path(sys.prefix), Path(sys.base_prefix), Path.home(), Path(tempfile.gettempdir())]
    for place in sorted({str(place) for place in places if len(place.parts) > 1}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(place)}(?!\w)", "…", text)
    text = re.sub(r"(?:…|(?<![\w…])(?:[A-Za-z]:\\|/))[\\/]?(?:[^\s'\":,;()]+[\\/])+", "…/", text)
    names = [platform.node(), *platform.node().split("."), os.environ.get("USER", ""), os.environ.get("USERNAME", "")]
    with contextlib.suppress(OSError, KeyError, ImportError):
        names.append(getpass.getuser())
    for name in sorted({name for name in names if len(name) > 2}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text)
    return text


def _file() -> Path:
    from dalle_edu.classroom.desk.record import desk_folder

    return desk_folder() / _KEPT


def _keep(error: BaseException) -> None:
    """Note an error with the lines of code that it went through; nothing where that cannot be written."""
    from dalle_edu.errors import DalleEduError
    from dalle_edu.files import write_aside

    text = _without_names("".join(traceback.format_exception(error)))
    with contextlib.suppress(OSError, DalleEduError):
        write_aside(_file(), lambda file: file.write(text.encode("utf-8", "replace")))


def _read() -> str:
    try:
        return _file().read_text(encoding="utf-8")
    except OSError:
        return ""
