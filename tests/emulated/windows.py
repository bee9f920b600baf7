"""What Windows does otherwise, made on any system for one process: `become()` before anything else is imported.

No module or signal of Unix; a file that is open is neither replaced nor removed; text has the encoding cp1252 unless another is asked for;
a name such as CON or a:b swallows what is written to it; processes are spawned, not forked.
"""

import asyncio  # noqa: F401  its events of Unix, which Windows has not, look for `os.sysconf` when they are imported
import builtins
import errno
import io
import multiprocessing
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

_SWALLOWS = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|:")
_UNIX = ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog")


def become() -> None:
    """Make this process, from now on, one of Windows, in what the library could notice."""
    import dalle_edu.files

    dalle_edu.files.WINDOWS = True
    for name in _UNIX:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGCHLD", "SIGPIPE", "alarm", "setitimer", "pause", "pthread_kill"):
        if hasattr(signal, name):
            delattr(signal, name)
    for name in ("fork", "forkpty", "getuid", "geteuid", "getgid", "sysconf", "mkfifo", "killpg", "getpgid", "setsid", "sched_getaffinity"):
        if hasattr(os, name):
            delattr(os, name)
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    multiprocessing.set_start_method("spawn", force=True)
    multiprocessing.get_all_start_methods = lambda: ["spawn"]  # type: ignore[assignment]
    _files()


def _is_open(path: Any) -> bool:
    try:
        wanted = os.stat(path)
    except OSError:
        return False
    for number in os.listdir("/proc/self/fd"):
        try:
            seen = os.stat(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if (seen.st_dev, seen.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def _files() -> None:
    replace, rename, unlink, opened, low_open = os.replace, os.rename, os.unlink, io.open, os.open

    def refused(path: Any) -> PermissionError:
        return PermissionError(errno.EACCES, "Access is denied", os.fspath(path))

    def new_replace(source: Any, target: Any, **options: Any) -> None:
        for path in (source, target):
            if os.path.isfile(path) and _is_open(path):
                raise refused(path)
        replace(source, target, **options)

    def new_rename(source: Any, target: Any, **options: Any) -> None:
        if os.path.exists(target):
            raise FileExistsError(errno.EEXIST, "the file exists", os.fspath(target))
        rename(source, target, **options)

    def new_unlink(path: Any, **options: Any) -> None:
        if not options.get("dir_fd") and os.path.isfile(path) and _is_open(path):
            raise refused(path)
        unlink(path, **options)

    def swallows(path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and any(_SWALLOWS.search(part) for part in Path(os.fspath(path)).parts)

    def new_open(file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None, *others: Any, **options: Any) -> Any:
        if encoding in (None, "locale") and "b" not in mode:
            encoding = "cp1252"
        if swallows(file) and any(letter in mode for letter in "wax+"):
            file = os.devnull
        return opened(file, mode, buffering, encoding, *others, **options)

    def new_low_open(path: Any, *others: Any, **options: Any) -> int:
        return low_open(os.devnull if swallows(path) else path, *others, **options)

    os.replace, os.rename, os.unlink, os.remove, os.open = new_replace, new_rename, new_unlink, new_unlink, new_low_open  # type: ignore[assignment]
    io.open = builtins.open = new_open  # type: ignore[assignment, misc]
