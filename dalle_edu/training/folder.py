"""The folder of a run, which one process at a time works in."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from dalle_edu.errors import DalleEduError, reasons
from dalle_edu.files import remove_leftovers

CHECKPOINT, BEFORE, WRITTEN = "checkpoint.safetensors", "checkpoint.before.safetensors", "checkpoint.new.safetensors"
_LOCK = "run.lock"


@contextlib.contextmanager
def occupied(folder: Path, weights: str) -> Iterator[None]:
    """Make a run's folder, keep other processes out of it, and remove the temporary files that killed ones left there.

    The lock is the operating system's, so that of a process that was killed is free again. `weights` is the name of the file that the run
    ends with. A folder that was made here and is empty in the end is removed. Raises `DalleEduError` where another process has it, and
    where it cannot be written.
    """
    lock = FileLock(folder / _LOCK)
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DalleEduError(
            f"another process is training in {folder}; wait until it has ended, or use another folder (--run)",
            f"un autre processus s'entraîne dans {folder} ; attendez qu'il ait fini, ou prenez un autre dossier (--run)",
        ) from error
    except OSError as error:
        en, fr = reasons(error)
        raise DalleEduError(
            f"nothing can be written in {folder}: {en}; use another folder (--run)",
            f"on ne peut rien écrire dans {folder} : {fr} ; prenez un autre dossier (--run)",
        ) from error
    try:
        for name in (CHECKPOINT, WRITTEN, "run.json", "log.jsonl", "log.jsonl.kept", weights):
            remove_leftovers(folder / name)
        with contextlib.suppress(OSError):
            (folder / WRITTEN).unlink(missing_ok=True)  # whole, but never put in its place: it will be written again
        with contextlib.suppress(OSError):
            (folder / "log.jsonl.kept").unlink(missing_ok=True)
        _sweep_sheets(folder / "sheets")
        yield
    finally:
        if made and not any(each.name != _LOCK for each in folder.iterdir()):
            with contextlib.suppress(OSError):
                (folder / _LOCK).unlink(missing_ok=True)
        lock.release()
        if made:
            if os.name == "nt":  # where a file that is open cannot be removed before
                with contextlib.suppress(OSError):
                    (folder / _LOCK).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # which fails where something is in it


def _sweep_sheets(sheets: Path) -> None:
    """Remove what killed exams left beside their sheets, `.STAGE-UPDATE.png.` and eight letters."""
    if sheets.is_dir():
        for name in {place.name[1:-9] for place in sheets.glob(".*.png.????????")}:
            remove_leftovers(sheets / name)
