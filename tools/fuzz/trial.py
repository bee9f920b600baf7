"""One bad input: what it is, and what came of it."""

import io
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from dalle_edu.errors import DalleEduError

SECONDS, BYTES = 20.0, 2 << 30  # that a trial may take
_SENTENCE = 4000  # characters at most


@dataclass(frozen=True)
class Trial:
    """A bad input. `words` are given to `dalle-edu` in a folder that `prepare` fills, or else `call` is called there.

    `ends` says whether it must be refused (True), must do its work (False), or may do either (None). `outputs` are the names that it may
    leave there.
    """

    says: str
    prepare: Callable[[Path], object] = lambda folder: None
    words: tuple[str, ...] = ()
    call: Callable[[Path], object] | None = None
    refused: bool | None = True
    outputs: tuple[str, ...] = ()


Maker = Callable[[random.Random], Trial]


@dataclass(frozen=True)
class Verdict:
    """What came of a trial: a kind of fault ("traceback", "exit", "leftover", "sentence"), or none, and what was said."""

    fault: str | None
    said: str


def make(maker: Maker, kind: str, seed: int, number: int) -> Trial:
    """The trial of a kind that has this number, always the same under a seed."""
    return maker(random.Random(f"{kind}/{seed}/{number}"))


def attempt(trial: Trial) -> Verdict:
    """Try an input, in this process and in a folder of its own, which is removed."""
    folder, before = Path(tempfile.mkdtemp(prefix="fuzz_")), Path.cwd()
    os.chdir(folder)
    try:
        trial.prepare(folder)
        there = _names(folder)
        verdict = _called(trial, folder) if trial.call else _commanded(trial)
        left = sorted(name for name in _names(folder) - there if name.split("/")[0] not in trial.outputs)
        return Verdict("leftover", f"{left}: {verdict.said}") if left and verdict.fault is None else verdict
    finally:
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)


def _names(folder: Path) -> set[str]:
    return {os.path.relpath(os.path.join(root, name), folder) for root, folders, files in os.walk(folder) for name in (*folders, *files)}


def _called(trial: Trial, folder: Path) -> Verdict:
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            trial.call(folder)  # type: ignore[misc]
    except DalleEduError as error:
        return _judged(trial, True, str(error))
    except BaseException as error:
        return Verdict("traceback", f"{type(error).__name__}: {error}")
    return _judged(trial, False, "")


def _commanded(trial: Trial) -> Verdict:
    """What the command line says to a trial's words, in this process."""
    from dalle_edu import cli

    words, status = sys.argv, 0
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace", write_through=True) for _ in range(2))
    sys.argv = ["dalle-edu", *trial.words]
    try:
        with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(err):
            warnings.simplefilter("ignore")
            cli.main()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException as error:
        return Verdict("traceback", f"{type(error).__name__}: {error}")
    finally:
        sys.argv = words
    said = err.buffer.getvalue().decode()
    if status not in (0, 1, 2):
        return Verdict("exit", f"{status}: {said}")
    return _judged(trial, status != 0, said)


def _judged(trial: Trial, refused: bool, said: str) -> Verdict:
    if trial.refused is not None and refused != trial.refused:
        return Verdict("exit", f"it was {'refused' if refused else 'accepted'}: {said}")
    if "Traceback" in said or (refused and (not said.strip() or len(said) > _SENTENCE)):
        return Verdict("sentence", said)
    return Verdict(None, said)
