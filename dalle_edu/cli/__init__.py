"""The command line: a file for each command of `dalle-edu`.

Every failure ends in one sentence on standard error and a non-zero exit status: 1 for what a user can cause, 2 for a command that is not
understood, 70 for a fault of the program itself. What a command does, and its options, are in its help, in English and in French.
"""

import contextlib
import sys
from typing import NoReturn

from dalle_edu.cli import book, doctor, edit, export, generate, lab, lessons, rank, score, study, study_diffusion, systems, train, world  # noqa: F401  each brings its command
from dalle_edu.cli.app import FLAGS, app, err, out
from dalle_edu.cli.typer_in_french import complaint
from dalle_edu.errors import DalleEduError, Stopped, lacks_memory, no_memory, printable, reasons
from dalle_edu.language import say
from dalle_edu.progress_bar import without_bars

_INTERRUPTED = 130  # the exit status that shells give to what Ctrl-C ended


def main() -> None:
    """The entry point: runs a command and turns what went wrong into one sentence. Raises `SystemExit` with the status."""
    out.stderr = out.quiet = False
    flags, arguments = _flags(sys.argv[1:])
    quiet = {"--quiet", "-q"}.intersection(flags)
    try:
        with without_bars() if quiet else contextlib.nullcontext():
            status = app([*flags, *arguments] or ["--help"], standalone_mode=False)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if "--debug" in flags:
            err.print_exception()
        _fail(*_told(error))
    if status == _INTERRUPTED:  # typer's answer to Ctrl-C
        _fail(say("interrupted", "interrompu"), _INTERRUPTED)
    sys.exit(status)


def _flags(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options of the program itself, wherever they stand before a `--`, and the other words."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before, after = arguments[:end], arguments[end:]
    return [word for word in before if word in FLAGS], [word for word in before if word not in FLAGS] + after


def _told(error: Exception) -> tuple[str, int]:
    """The sentence for an error, and the exit status."""
    from dalle_edu.cli import unforeseen

    if isinstance(error, Stopped):
        return str(error), _INTERRUPTED
    if isinstance(error, DalleEduError):
        return str(error), 1
    if lacks_memory(error):
        return str(no_memory()), 1
    if isinstance(error, OSError):
        english, french = reasons(error)
        return say(f"the system refuses: {english}", f"le système refuse : {french}"), 1
    sentence = complaint(error)
    return (unforeseen.sentence(error), unforeseen.STATUS) if sentence is None else (sentence, 2)


def _fail(sentence: str, status: int = 1) -> NoReturn:
    """Print a sentence on standard error and exit. Raises `SystemExit`."""
    err.print(f"dalle-edu: {printable(sentence)}", style="red", highlight=False, soft_wrap=True)
    sys.exit(status)
