"""The log of a run, `log.jsonl`: a line of JSON for each entry, which holds losses, the results of an exam along the way, or conditions.

A log never stops a run. What cannot be read in it is read around, what stands in its place is put aside, and where nothing can be written
the run goes on without it; each is said once.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dalle_edu.errors import DalleEduError, reasons
from dalle_edu.files import write_aside
from dalle_edu.language import say
from dalle_edu.training.clock import Clock
from dalle_edu.training.run import is_whole

_LONGEST = 1 << 20  # bytes of a line; those of this library have a few hundred


class RunLog:
    """A file to whose end entries are added. With None in place of a path, as in all processes but the first, entries are dropped.

    `tell` is called with each sentence about the log that the reader should see.
    """

    def __init__(self, path: Path | None, tell: Callable[[str], object] = print):
        self.path, self.tell = path, tell

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry: anything that JSON can hold. Where it cannot be written, that is told, and nothing is written any more."""
        if self.path is not None:
            try:
                with open(self.path, "a", encoding="utf-8", opener=_at_once) as file:
                    file.write(json.dumps(entry) + "\n")
            except OSError as error:
                self._give_up(*reasons(error))

    def entry(self, stage: str, clock: Clock, reading: dict[str, int | float], values: dict[str, Any]) -> None:
        """Add an entry of a stage: what its clock reads, and what was measured."""
        self.write({"stage": stage, **reading, **values})

    def trim(self, reached: dict[str, int] | None) -> None:
        """Drop what was logged after the checkpoint, since training will log it again.

        `reached` gives for each stage the number of updates in the checkpoint; a stage that it does not name had none. Without a
        checkpoint, None, everything is dropped.
        """
        if self.path is None or not os.path.lexists(self.path):
            return
        try:
            if not self.path.is_file():
                self._put_aside(say("is no file", "n'est pas un fichier"))
                return
            self._rewrite(self.path, reached)
        except (OSError, DalleEduError) as error:
            try:
                self._put_aside(say("cannot be read or written", "ne peut être ni lu ni écrit"))
            except OSError:
                self._give_up(*(reasons(error) if isinstance(error, OSError) else (str(error), str(error))))

    def _rewrite(self, path: Path, reached: dict[str, int] | None) -> None:
        """Keep the entries that count. Where a line is none of ours, the log as it was is put aside first."""
        foreign = 0

        def copy(into: BinaryIO) -> None:
            nonlocal foreign
            with path.open("rb") as file:
                for line in _lines(file):
                    entry = _entry(line)
                    if entry is None:
                        foreign += line.endswith(b"\n") or len(line) >= _LONGEST  # else it was cut short when the process was killed
                    elif reached is not None and entry["update"] <= reached.get(entry["stage"], 0):
                        into.write(line.rstrip(b"\r\n") + b"\n")

        kept = path.with_name(f"{path.name}.kept")
        write_aside(kept, copy)
        if foreign:
            lines = say(f"has {foreign} lines that cannot be read", f"a {foreign} lignes qu'on ne peut pas lire")
            self._put_aside(say("has a line that cannot be read", "a une ligne qu'on ne peut pas lire") if foreign == 1 else lines)
        os.replace(kept, path)

    def _put_aside(self, why: str) -> None:
        """Rename what stands at the log's place, and tell it. Raises `OSError` where it cannot be renamed."""
        assert self.path is not None
        places = (self.path.with_name(f"{self.path.stem}.aside-{number}.jsonl") for number in range(1, 10**6))
        place = next(place for place in places if not os.path.lexists(place))
        os.rename(self.path, place)
        self.tell(
            say(
                f"{self.path} {why}; it is now called {place.name}, and the run goes on from its checkpoint",
                f"{self.path} {why} ; il s'appelle maintenant {place.name}, et l'entraînement continue depuis sa sauvegarde",
            )
        )

    def _give_up(self, en: str, fr: str) -> None:
        self.tell(
            say(
                f"{self.path} cannot be written ({en}); the run goes on, and logs nothing more",
                f"{self.path} ne peut pas être écrit ({fr}) ; l'entraînement continue, sans plus rien y noter",
            )
        )
        self.path = None


def read_entries(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a log, in order; lines that are none are left out, and so is what cannot be read."""
    try:
        with path.open("rb") as file:
            yield from (entry for line in _lines(file) if (entry := _entry(line)) is not None)
    except OSError:
        return


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting, as a pipe that nobody reads would have us do."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, with their ends; of a line that is too long the beginning."""
    while line := file.readline(_LONGEST):
        yield line
        while len(line) >= _LONGEST and not line.endswith(b"\n"):
            line = file.readline(_LONGEST)


def _entry(line: bytes) -> dict[str, Any] | None:
    """The entry of a line; None where it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(entry, dict) and isinstance(entry.get("stage"), str) and is_whole(entry.get("update"), 0, 2**62)
    return entry if fits else None
