"""Whatever happens to a run's log, the run goes on from its checkpoint to the same weights."""

import os
from pathlib import Path
from typing import Any

import pytest
from broken_run import entries, goes_on

from dalle_edu.training import loop
from dalle_edu.training.log import RunLog

LINES = {
    "no update": b'{"stage": "codec"}\n',
    "a number": b"5\n",
    "null": b"null\n",
    "a list": b"[]\n",
    "a byte FF": b"\xff\n",
    "deep": b"[" * 100_000 + b"\n",
    "a long line": b'{"stage": "codec", "update": 1, "x": "' + b"x" * (3 << 20) + b'"}\n',
    "a long number": b'{"stage": "codec", "update": ' + b"9" * 5000 + b"}\n",
    "an update of another kind": b'{"stage": "codec", "update": [1]}\n{"stage": ["codec"], "update": 1}\n',
    "zeros": bytes(5000) + b"\n",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_the_lines_that_can_be_read_are_kept(line, folder):
    log, told = folder / "log.jsonl", list[str]()
    good = log.read_bytes()
    log.write_bytes(line + good + line)
    RunLog(log, told.append).trim({"codec": 6})
    assert log.read_bytes() == good
    assert (folder / "log.aside-1.jsonl").read_bytes() == line + good + line
    assert len(told) == 1
    assert "log.aside-1.jsonl" in told[0]


def test_a_damaged_log_is_put_aside_and_stops_nothing(folder, undisturbed, capsys):
    log = folder / "log.jsonl"
    log.write_bytes(b"".join(LINES.values()) + log.read_bytes())
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "has 11 lines that cannot be read; it is now called log.aside-1.jsonl" in said


def test_a_line_that_was_cut_short_is_dropped_without_a_word(folder, undisturbed, capsys):
    with (folder / "log.jsonl").open("ab") as file:
        file.write(b'{"stage": "cod')
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]
    assert capsys.readouterr().err == ""
    assert not list(folder.glob("log.aside*"))


def _pipe(log: Path) -> None:
    os.mkfifo(log)


def _loop(log: Path) -> None:
    log.symlink_to(log)


def _folder(log: Path) -> None:
    log.mkdir()
    (log / "mine.txt").write_text("mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
@pytest.mark.parametrize("make", [_pipe, _folder, _loop])
def test_what_stands_in_the_place_of_a_log_is_put_aside(make, folder, undisturbed, capsys):
    (folder / "log.jsonl").unlink()
    make(folder / "log.jsonl")
    goes_on(folder, undisturbed)
    assert os.path.lexists(folder / "log.aside-1.jsonl")
    assert (folder / "log.jsonl").is_file()
    assert "log.aside-1.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["at the start", "later"])
def test_where_nothing_can_be_logged_the_run_goes_on(when, folder, undisturbed, capsys, monkeypatch):
    """A pipe that nobody reads stands in the log's place, from the start (and cannot be renamed) or from the first entry on."""

    def cannot(*_: Any) -> None:
        raise PermissionError(13, "no")

    if when == "at the start":
        (folder / "log.jsonl").unlink()
        (folder / "log.jsonl").mkdir()
        monkeypatch.setattr(os, "rename", cannot)
    else:
        monkeypatch.setattr(loop.RunLog, "trim", lambda self, reached: (self.path.unlink(), os.mkfifo(self.path)))
    goes_on(folder, undisturbed)
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "logs nothing more" in said


def test_a_log_that_may_only_be_read_is_written_all_the_same(folder, undisturbed):
    (folder / "log.jsonl").chmod(0o444)
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]
