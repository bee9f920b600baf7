"""The guard of a drawing process: from the moment it stands, only torch, the bricks and the record's own file can be imported or read.

A record draws in a room of its own: a folder with copies of the few modules of the library that it may use (`LIBRARY`). The world that
renders scenes, the examiner and the shipped weights are not there; a finder refuses to import them from elsewhere, and an audit hook
refuses to read them as text, to write, to start programs and to reach the network. An audit hook cannot be taken away. It sees what goes
through Python, so `source_check` refuses the ways around Python beforehand.
"""

import os
import sys
import sysconfig
from importlib.abc import MetaPathFinder
from pathlib import Path

from dalle_edu.errors import DalleEduError

# what a record may use of the library; "dalle_edu.bricks" with all its modules
LIBRARY = (
    "dalle_edu", "dalle_edu.bricks", "dalle_edu.device", "dalle_edu.errors", "dalle_edu.language", "dalle_edu.torchvision_without_cuda",
    "dalle_edu.training", "dalle_edu.training.ema", "dalle_edu.training.learning_rate", "dalle_edu.training.muon",
)  # fmt: skip
WORLD = ("dalle_edu.world", "dalle_edu.files", "dalle_edu.seeds", "dalle_edu.python_files")  # what the training process needs besides
_OURS = ("dalle_edu", "benchmarks", "lessons", "tests", "tools")
_PAINTERS = ("PIL", "matplotlib", "cv2", "cairo", "skimage", "imageio", "pygame", "tkinter", "turtle", "torchvision")
_EVENTS = (
    "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "socket.", "ctypes.dlopen", "urllib.",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "shutil.", "os.kill",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(DalleEduError, ImportError):
    """An import that the guard refuses. It is an `ImportError` too, so that a library which can do without goes on."""


class Finder(MetaPathFinder):
    """The first of the finders: it finds nothing, and refuses what is out of bounds."""

    def __init__(self, besides: tuple[str, ...] = (), painters: bool = False):
        self.besides, self.painters = besides, painters

    def find_spec(self, name, path=None, target=None):
        """Nothing, so that the other finders are asked. Raises `Refused` for a module out of bounds."""
        _check_import(name, self.besides, self.painters)


def _check_import(name: str, besides: tuple[str, ...] = (), painters: bool = False) -> None:
    if out_of_bounds(name, besides, painters):
        raise Refused(
            f"a record may not import {name}; of the library it may use dalle_edu.bricks, dalle_edu.device and dalle_edu.training.muon, "
            "ema and learning_rate",
            f"un record ne peut pas importer {name} ; de la bibliothèque, il a droit à dalle_edu.bricks, à dalle_edu.device et à muon, "
            "ema et learning_rate de dalle_edu.training",
        )


def out_of_bounds(name: str, besides: tuple[str, ...] = (), painters: bool = False) -> bool:
    """Whether a module is one of ours that a record may not use, or one that draws, unless `painters` are let in."""
    top = name.partition(".")[0]
    if top in _PAINTERS:
        return not painters
    within = any(name.startswith(f"{package}.") for package in ("dalle_edu.bricks", *besides))
    return top in _OURS and name not in LIBRARY and name not in besides and not within


def stand_guard(room: Path) -> None:
    """Put up the guard for the rest of this process: imports and files come from Python, its packages and `room`; nothing is written."""
    allowed = [os.path.realpath(place) for place in {*sysconfig.get_paths().values(), *_packages()}]
    here = os.path.realpath(room)
    sys.path[:] = [place for place in sys.path if place and _within(os.path.realpath(place), [*allowed, here])]
    sys.meta_path.insert(0, Finder())

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            _check_open(*arguments, allowed, here)
        elif event.startswith(_EVENTS):
            raise DalleEduError(
                f"a record that draws may not do this: {event}; it draws from its weights and the tokens alone",
                f"un record qui dessine n'a pas droit à cela : {event} ; il dessine à partir de ses poids et des jetons seuls",
            )
        elif event == "import":
            _check_import(arguments[0])

    sys.addaudithook(hook)
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]  # so that nobody finds this module, and changes what the hook calls


def _packages() -> list[str]:
    """The folders from which the packages that are already loaded came: torch's, wherever it is installed."""
    return [str(Path(sys.modules[name].__file__ or "").parents[1]) for name in ("torch", "numpy", "einops") if name in sys.modules]


def _check_open(path: object, mode: object, flags: object, allowed: list[str], here: str) -> None:
    """Raise `DalleEduError` where a file is written, or read outside of the room, Python and its packages."""
    if path is None or isinstance(path, int):
        return
    name = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
    writing = bool(isinstance(flags, int) and flags & _WRITING) or bool(isinstance(mode, str) and set(mode) & set("wax+"))
    ours = "dalle_edu" in Path(name).parts and not _within(name, [here])
    if writing or ours or not _within(name, [*allowed, here]):
        raise DalleEduError(
            f"a record that draws may not open {name}; it draws from its weights and the tokens alone",
            f"un record qui dessine ne peut pas ouvrir {name} ; il dessine à partir de ses poids et des jetons seuls",
        )


def _within(name: str, places: list[str]) -> bool:
    return any(name == place or name.startswith(place + os.sep) for place in places)
