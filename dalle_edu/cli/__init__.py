"""The command line: a file for each command of `dalle-edu`.

Every failure that a user can cause ends in one sentence on standard error and a non-zero exit status. What a command does, and its options,
are in its help, in English and in French.
"""

import sys
from typing import NoReturn

from dalle_edu.cli import book, doctor, edit, export, generate, lessons, rank, score, study, study_diffusion, systems, train, world  # noqa: F401  each brings its command
from dalle_edu.cli.app import app, err, out
from dalle_edu.cli.typer_in_french import complaint
from dalle_edu.errors import DalleEduError, Stopped, lacks_memory, no_memory, printable, reasons
from dalle_edu.language import say

_INTERRUPTED = 130  # the exit status that shells give to what Ctrl-C ended


def main() -> None:
    """The entry point: runs a command and turns what went wrong into one sentence. Raises `SystemExit` with the status, and any exception
    that no user can cause.
    """
    out.stderr = False
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except Stopped as stopped:
        _fail(str(stopped), _INTERRUPTED)
    except DalleEduError as error:
        _fail(str(error))
    except (MemoryError, RuntimeError, ImportError) as error:
        if lacks_memory(error):
            _fail(str(no_memory()))
        raise
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        if lacks_memory(error):
            _fail(str(no_memory()))
        english, french = reasons(error)
        _fail(say(f"the system refuses: {english}", f"le système refuse : {french}"))
    except Exception as error:
        sentence = complaint(error)
        if sentence is None:
            raise
        _fail(sentence, 2)
    if status == _INTERRUPTED:  # typer's answer to Ctrl-C
        _fail(say("interrupted", "interrompu"), _INTERRUPTED)
    sys.exit(status)


def _fail(sentence: str, status: int = 1) -> NoReturn:
    """Print a sentence on standard error and exit. Raises `SystemExit`."""
    err.print(f"dalle-edu: {printable(sentence)}", style="red", highlight=False, soft_wrap=True)
    sys.exit(status)
