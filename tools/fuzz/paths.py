"""Paths that are no plain files, wherever one is read or written."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

from tools.fuzz import small
from tools.fuzz.trial import Maker, Trial

STRANGE: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a loop": lambda place: place.symlink_to(place.name),
    "two links in a loop": lambda place: (place.symlink_to("other"), place.with_name("other").symlink_to(place.name)),
    "a dangling link": lambda place: place.symlink_to("nowhere"),
    "/dev/zero": lambda place: place.symlink_to("/dev/zero"),
    "/dev/null": lambda place: place.symlink_to("/dev/null"),
    "/dev/stdin": lambda place: place.symlink_to("/dev/full"),
    "a folder": Path.mkdir,
    "a socket": lambda place: _socket(place),
    "nothing": lambda place: None,
    "an empty file": Path.touch,
    "a huge file of zeros": lambda place: _sparse(place, 60 << 30),
    "a large file of zeros": lambda place: _sparse(place, 3 << 30),
    "text": lambda place: place.write_text("not what was asked for\n" * 50),
    "a pickle": lambda place: place.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94."),
    "below a file": lambda place: place.rename(place) if False else place.parent.joinpath("file").touch(),
}
NAMES = (
    "l[/x]",
    "[bold]",
    os.fsdecode(b"\xff\xfe"),
    "é",
    "e\u0301",
    "x" * 250,
    "a b",
    "-x",
    "a\nb",
    "\x1b[2Jx",
    ":smile:",
    "CON",
    "%s",
    "{}",
)


def _socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(place.parent)
        listener.bind(place.name)
        os.chdir(here)


def _sparse(place: Path, size: int) -> None:
    with place.open("wb") as file:
        file.truncate(size)


def of_reading(rng: random.Random) -> Trial:
    """A command that is to read a strange path, or a good file of a strange name."""
    says, prepare = rng.choice(sorted(STRANGE.items()))
    door = rng.choice(("picture", "second", "system", "clip", "export", "score", "outside", "folder", "open_clip"))
    place = "file/in.bin" if says == "below a file" else "in.bin" if door != "outside" else "in.py"
    system = str(small.checkpoint("dalle1"))
    words = {
        "picture": ("edit", "complete", place, "a red circle", "--system", system),
        "second": ("edit", "mix", "good.png", place, "--system", str(small.checkpoint("dalle2"))),
        "system": ("generate", "a red circle", "--system", f"./{place}"),
        "clip": ("generate", "a red circle", "--system", system, "--candidates", "4", "--clip", f"./{place}"),
        "export": ("export", "there", "--clip", f"./{place}"),
        "score": ("score", f"./{place}", "--prompts", "4"),
        "outside": ("generate", "a red circle", "--system", f"{place}:Mine@w.safetensors"),
        "folder": ("score", f"local-dir:{place}", "--prompts", "4"),
        "open_clip": ("generate", "a red circle", "--system", system, "--candidates", "4", "--clip", f"local-dir:{place}"),
    }[door]

    def make(folder: Path) -> None:
        (folder / "good.png").write_bytes(small.picture())
        prepare(folder / place.rpartition("/")[2])

    outside_code = door == "outside" and says in ("an empty file",)
    return Trial(f"{door}: {says}", make, words, refused=None if outside_code else True, outputs=("__pycache__",))


def of_names(rng: random.Random) -> Trial:
    """Good files of strange names, for what is read and what is written."""
    name, other = rng.choice(NAMES), rng.choice(NAMES)
    door = rng.choice(("picture", "system", "out", "apart", "json", "export", "missing"))
    system = str(small.checkpoint("dalle1"))
    ours = ("generate", "a red circle", "-n", "1")
    words = {
        "picture": ("edit", "complete", f"./{name}.png", "a red circle", "-n", "1", "--system", system),
        "system": (*ours, "--system", f"./{name}.safetensors", "--out", "o.png"),
        "out": (*ours, "--system", system, "--out", f"{name}.png", "--json", f"{other}.json"),
        "apart": (*ours, "--system", system, "--out", f"d/{other}.png", "--apart", f"./{name}"),
        "json": (*ours, "--system", system, "--out", "o.png", "--json", f"./{name}"),
        "export": ("export", f"./{name}", "--clip", str(small.checkpoint("clip"))),
        "missing": (*ours, "--system", f"./{name}.safetensors"),
    }[door]

    def make(folder: Path) -> None:
        if len(name) < 200:
            (folder / f"{name}.png").parent.mkdir(exist_ok=True)  # a name may have a "/" in it
            (folder / f"{name}.png").write_bytes(small.picture())
            if door != "missing":
                (folder / f"{name}.safetensors").write_bytes(small.contents("dalle1"))

    outputs = tuple(each.split("/")[0] for each in (f"{name}.png", f"{other}.png", f"{other}.json", name, "o.png", "d", "complete.png"))
    return Trial(f"{door}: {name!r}, {other!r}", make, words, refused=None, outputs=outputs)


def of_outputs(rng: random.Random) -> Trial:
    """Places that cannot be written: links in a loop, devices, folders, files on the way."""
    says, prepare = rng.choice([each for each in sorted(STRANGE.items()) if each[0] in _UNWRITABLE])
    under = rng.random() < 0.4
    base = "p/o" if under else "p"
    system, clip = str(small.checkpoint("dalle1")), str(small.checkpoint("clip"))
    made = ("generate", "a red circle", "-n", "1", "--system", system)
    words = rng.choice(
        (
            (*made, "--out", f"{base}.png"),
            (*made, "--out", "o.png", "--json", base if under else "p.png"),
            (*made, "--out", "o.png", "--apart", base if under else "p.png"),
            ("edit", "complete", "good.png", "a red circle", "--system", system, "--out", f"{base}.png"),
            ("export", f"{base}.png", "--clip", clip),
            ("score", system, "--prompts", "4", "--json", base if under else "p.png"),
            ("book", "--site", base if under else "p.png"),
            ("slides", "--site", base if under else "p.png"),
        )
    )

    def make(folder: Path) -> None:
        (folder / "good.png").write_bytes(small.picture())
        prepare(folder / ("p" if under else "p.png"))

    return Trial(f"{says}: {words[0]}", make, words)


_UNWRITABLE = ("a pipe", "a loop", "two links in a loop", "/dev/zero", "/dev/null", "a socket")

KINDS: dict[str, Maker] = {"reading": of_reading, "reading_again": of_reading, "names": of_names, "unwritable": of_outputs}
