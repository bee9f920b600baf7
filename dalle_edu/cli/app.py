"""The program that the commands belong to, with the options and the output that they share."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: idle threads that spin make small models several times slower

import typer
from rich.console import Console

from dalle_edu import __version__
from dalle_edu.checkpoints.hub import check_reachable, is_pretrained
from dalle_edu.cli.typer_in_french import Command, Group
from dalle_edu.errors import printable
from dalle_edu.language import say
from dalle_edu.seeds import read_seed
from dalle_edu.systems.interface.registry import system_names

app = typer.Typer(
    cls=Group,
    help=say(
        "Pictures from sentences, by machines built from scratch.",
        "Des images à partir de phrases, par des machines construites à partir de zéro.",
    ),
)
for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="replace")  # a character that a terminal's encoding lacks must not end a command
# no markup: a file may be called "[/x]", and a sentence may hold ":smile:"
out, err = Console(markup=False, emoji=False), Console(stderr=True, markup=False, emoji=False)

_DEVICE = say(
    "cpu, cuda, mps or auto, the fastest there is, as by default", "cpu, cuda, mps ou auto, le plus rapide disponible, comme par défaut"
)
DeviceOption = Annotated[str | None, typer.Option(help=_DEVICE)]
_SEED = say("the same seed gives the same result", "la même graine donne le même résultat")
# a text until `read_seed` reads it, so that what is no seed is refused in the sentence that Python has for it
SeedOption = Annotated[int, typer.Option(parser=str, callback=read_seed, metavar="<int>", help=_SEED)]
ALL = "all"  # instead of a system's name
_NAMES = ", ".join(system_names())
SYSTEM = say(
    f"a system ({_NAMES}), the path of weights, or FILE.py:CLASS@WEIGHTS",
    f"un système ({_NAMES}), le chemin de poids, ou FICHIER.py:CLASSE@POIDS",
)
EXAMINEE = say(
    "a system's name, clip, the path of weights, or a model of open_clip such as ViT-B-32/laion2b_s34b_b79k",
    "le nom d'un système, clip, le chemin de poids, ou un modèle d'open_clip comme ViT-B-32/laion2b_s34b_b79k",
)
_CANDIDATES = say(
    "draw this many pictures of each sentence, and keep those that CLIP likes best",
    "dessine ce nombre d'images de chaque phrase, et garde celles que CLIP préfère",
)
CandidatesOption = Annotated[int | None, typer.Option(help=_CANDIDATES)]
_CLIP = say(
    "what compares: clip, the path of its weights, or a model of open_clip such as ViT-B-32/laion2b_s34b_b79k",
    "ce qui compare : clip, le chemin de ses poids, ou un modèle d'open_clip comme ViT-B-32/laion2b_s34b_b79k",
)


def reachable(name: str) -> str:
    """A model's name. Raises `DalleEduError`, before torch is imported, where it stands for weights that are not here and cannot be
    downloaded.
    """
    if is_pretrained(name):
        check_reachable(name)
    return name


ClipOption = Annotated[str, typer.Option(help=_CLIP, callback=reachable)]
OtherClipOption = Annotated[
    str | None, typer.Option(help=_CLIP + say("; clip unless given", " ; à défaut, clip"), callback=lambda name: name and reachable(name))
]
PNG = say("the PNG to write", "le PNG à écrire")
_JSON = say("write it as JSON here too; - for standard output", "l'écrit aussi en JSON ici ; - pour la sortie standard")
JsonOption = Annotated[Path | None, typer.Option("--json", help=_JSON)]


FLAGS = ("--version", "--quiet", "-q", "--debug")  # options of the program itself, which may stand anywhere


def _version(asked: bool) -> bool:
    """Print the version. Raises `typer.Exit` once it is printed."""
    if asked:
        print(f"dalle-edu {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help=say("show the version and exit", "affiche la version"))
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help=say("print nothing but errors and warnings", "n'affiche qu'erreurs et avertissements"))
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=say("show where in the code an error comes from", "montre d'où vient une erreur dans le code"))
    ] = False,
) -> None:
    """The options of the program itself."""
    out.quiet = quiet


def command(help: str) -> Callable:
    """Make a function a command of the program; `help` is in the reader's language."""
    return app.command(cls=Command, help=help)


STANDARD_OUTPUT = Path("-")  # as the file of --json


def ready(*files: Path | None, given: Sequence[Path] = ()) -> None:
    """Raise `DalleEduError`, before any work, where one of the files to write cannot be written, is named twice, or is among those `given`
    to be read. The files of a folder that is filled are named one by one.

    Where one is `STANDARD_OUTPUT`, everything else that a command prints goes to standard error.
    """
    from dalle_edu.files import check_outputs, check_writable

    places = [file for file in files if file and file != STANDARD_OUTPUT]
    out.stderr = len(places) < sum(file is not None for file in files)
    for place in places:
        check_writable(place)
    check_outputs(places, given)


def models(*names: str | None) -> list[Path]:
    """The files among names of models, for `ready`: what is read must not be written over."""
    return [Path(file) for file in (name.rpartition("@")[2] for name in names if name) if os.path.isfile(file)]


def ready_to_draw(picture: Path | None, *files: Path | None, given: Sequence[Path] = ()) -> None:
    """As `ready`, where the first file is a picture. Raises `DalleEduError` also where it is no PNG."""
    from dalle_edu.world.sheet import not_png

    if picture and picture.suffix.lower() != ".png":
        raise not_png(picture)
    ready(picture, *files, given=given)


def written(place: Path) -> None:
    """Print where something was written."""
    if place != STANDARD_OUTPUT:
        out.print(f"→ {printable(str(place))}", highlight=False, soft_wrap=True)


def list_written(paths: Sequence[Path], json_file: Path | None) -> None:
    """Print where the files are that were written, and list them as JSON where that is asked for."""
    if json_file:
        write_json(json_file, {"written": [str(path) for path in paths]})
    for path in paths:
        written(path)


def write_json(path: Path, document: Any) -> None:
    """Write a document as JSON, as `write_text` does. Raises `DalleEduError` where the file cannot be written."""
    import json

    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all, or to standard output where `path` is `STANDARD_OUTPUT`. Raises `DalleEduError` where the file
    cannot be written.
    """
    from dalle_edu.files import write_aside

    data = text.encode(errors="backslashreplace")  # bytes of a name that is not UTF-8
    if path == STANDARD_OUTPUT:
        sys.stdout.write(data.decode())
        sys.stdout.flush()
    else:
        write_aside(path, lambda file: file.write(data))
