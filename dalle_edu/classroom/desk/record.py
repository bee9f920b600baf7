"""The record of what was tried and what was right: one small JSON file for all lessons, in the user's data folder.

It holds the keys of exercises, fingerprints of wrong versions, the text of right ones, and names of classic mistakes; no person, no
machine, no date. DALLE_EDU_DESK names another folder. Where the file cannot be written, the record lasts as long as the notebook.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import say

FILE = "progress.json"
_WAIT = 5.0  # seconds for another notebook that is writing
_unkept: list["Record"] = []  # the record that could not be written, if there is one


@dataclass
class Entry:
    """What is known of one exercise: fingerprints of the wrong versions, whether it was ever right and that version's text, mistakes."""

    tries: list[str] = field(default_factory=list)
    done: bool = False
    right: str = ""
    mistakes: list[str] = field(default_factory=list)


Record = dict[str, dict[str, Entry]]  # by lesson, then by the exercise's key


def desk_folder() -> Path:
    """The folder in which the desk keeps things: the user's data folder, or the one that DALLE_EDU_DESK names."""
    return Path(os.environ.get("DALLE_EDU_DESK") or user_data_path("dalle-edu", appauthor=False))


def record_path() -> Path:
    """The path of the record."""
    return desk_folder() / FILE


def is_kept() -> bool:
    """Whether the record is on disk, and not in memory alone."""
    return not _unkept


def entries(lesson: str) -> dict[str, Entry]:
    """What is known of a lesson's exercises, by their keys."""
    return _now().get(lesson, {})


def change(lesson: str, key: str, edit: Callable[[Entry], None]) -> Entry:
    """Change what is known of one exercise, and write it; returns the entry. Another notebook's changes meanwhile are kept."""
    try:
        with _alone():
            record = _now()
            entry = record.setdefault(lesson, {}).setdefault(key, Entry())
            edit(entry)
            if not _unkept:
                text = json.dumps(_plain(record), ensure_ascii=False, indent=1)
                write_aside(record_path(), lambda file: file.write(text.encode()))
            return entry
    except (OSError, DalleEduError) as error:
        return _without_keeping(lesson, key, edit, error)


def forget(lesson: str | None = None, key: str | None = None) -> None:
    """Forget one exercise of a lesson; without arguments delete the record, and damaged ones that were moved aside.

    Raises `DalleEduError` where the file cannot be deleted.
    """
    if lesson is not None and key is not None:
        change(lesson, key, lambda entry: entry.__init__())  # type: ignore[misc]
        return
    _unkept.clear()
    try:
        for path in [record_path(), *desk_folder().glob("progress.damaged*.json")]:
            path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise DalleEduError(f"{record_path()} cannot be deleted: {error}", f"{record_path()} ne s'efface pas : {error}") from error


# ---------------------------------------------------------------- pieces


def _now() -> Record:
    if _unkept:
        return _unkept[0]
    try:
        text = record_path().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        text = ""
    try:
        return _parsed(text)
    except (ValueError, TypeError, AttributeError, KeyError):
        _move_aside()
        return {}


def _parsed(text: str) -> Record:
    """The record in a file's text. Raises `ValueError`, `TypeError`, `AttributeError` or `KeyError` for another text."""

    def entry(given: dict[str, Any]) -> Entry:
        tries, mistakes = ([str(one) for one in given[part]] for part in ("tries", "mistakes"))
        return Entry(tries, bool(given["done"]), str(given["right"]), mistakes)

    lessons = json.loads(text)["lessons"]
    return {str(lesson): {str(key): entry(given) for key, given in found.items()} for lesson, found in lessons.items()}


def _plain(record: Record) -> dict[str, Any]:
    known = {lesson: {key: asdict(entry) for key, entry in found.items() if entry != Entry()} for lesson, found in record.items()}
    return {"lessons": {lesson: found for lesson, found in known.items() if found}}


def _move_aside() -> None:
    path = record_path()
    aside = next(place for n in range(1, 1000) if not (place := path.with_name(f"progress.damaged-{n}.json")).exists())
    with contextlib.suppress(OSError):  # another notebook may have moved it
        os.replace(path, aside)
        en = f"The file of your progress was damaged: it is now {aside.name}, and a new one is begun."
        fr = f"Le fichier de votre progression était abîmé : il s'appelle maintenant {aside.name}, et un nouveau commence."
        print(say(en, fr))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """While no other notebook writes; after a long wait, or on a disk that has no locks, all the same."""
    if _unkept:
        yield
        return
    desk_folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(record_path().with_suffix(".lock"), timeout=_WAIT)
    with contextlib.ExitStack() as held:
        with contextlib.suppress(Timeout, NotImplementedError):
            held.enter_context(lock)
        yield


def _without_keeping(lesson: str, key: str, edit: Callable[[Entry], None], error: Exception) -> Entry:
    """Go on in memory, and say so; it happens once, as from then on nothing is written."""
    with contextlib.suppress(OSError):
        record = _now()
        _unkept.append(record)
    if not _unkept:
        _unkept.append({})
    en = f"Your progress lasts as long as this notebook: nothing can be written to {desk_folder()}."
    fr = f"Votre progression durera autant que ce notebook : on ne peut pas écrire dans {desk_folder()}."
    print(say(f"{en} Set DALLE_EDU_DESK to another folder.", f"{fr} Donnez un autre dossier par DALLE_EDU_DESK."))
    entry = _unkept[0].setdefault(lesson, {}).setdefault(key, Entry())
    edit(entry)
    return entry
