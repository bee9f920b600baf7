"""`dalle-edu train`."""

from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import DeviceOption, JsonOption, SeedOption, command, models, ready, write_json, written
from dalle_edu.errors import DalleEduError, Stopped
from dalle_edu.language import say
from dalle_edu.python_files import names_a_file
from dalle_edu.systems.interface.registry import model_class, system_names

_PRESETS = say(
    "laptop, standard or gpu, or one that only this system has (dalle-edu systems lists them)",
    "laptop, standard ou gpu, ou un que seul ce système a (dalle-edu systems les énumère)",
)
_NAMES = ", ".join(system_names())


@command(
    say(
        "Train a system; the folder fills with a log, sheets of pictures, checkpoints, and the weights at the end.",
        "Entraîne un système ; le dossier se remplit d'un journal, de planches d'images, de sauvegardes, et des poids à la fin.",
    ),
)
def train(
    system: Annotated[
        str, typer.Argument(help=say(f"one of {_NAMES}, or FILE.py:CLASS", f"un nom parmi {_NAMES}, ou FICHIER.py:CLASSE"))
    ] = "dalle1",
    preset: Annotated[str, typer.Option(help=_PRESETS)] = "laptop",
    minutes: Annotated[
        float | None,
        typer.Option(
            help=say(
                "minutes of training for all stages together, exams not counted (12 unless --updates is given)",
                "minutes d'entraînement de toutes les étapes ensemble, examens non compris (12, sauf si --updates est donné)",
            )
        ),
    ] = None,
    updates: Annotated[
        int | None,
        typer.Option(
            help=say(
                "updates for all stages together: exactly repeatable with the same torch, threads and processes",
                "mises à jour de toutes les étapes ensemble : exactement reproductible avec les mêmes torch, fils et processus",
            )
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "the run's folder; a run that is already there goes on", "le dossier de l'entraînement ; s'il y en a déjà un, il continue"
            )
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help=say(
                "captioned pictures of yours to learn from: a folder, coco:FOLDER, shards (a folder of .tar, or data/{00..12}.tar), mnist"
                " or digits",
                "vos images avec légendes, dont apprendre : un dossier, coco:DOSSIER, des fragments (un dossier de .tar, ou"
                " data/{00..12}.tar), mnist ou digits",
            )
        ),
    ] = None,
    world: Annotated[
        str | None,
        typer.Option(
            help=say(
                "a world of yours: a Python file and its catalogue, as in moon.py:MOONS",
                "un monde à vous : un fichier Python et son catalogue, comme moon.py:MOONS",
            )
        ),
    ] = None,
    seed: SeedOption = 0,
    batch_size: Annotated[int | None, typer.Option(help=say("pictures in an update", "images par mise à jour"))] = None,
    exam: Annotated[
        int,
        typer.Option(
            min=0,
            max=4096,
            help=say("prompts of each exam along the way; 0 for no exam", "phrases de chaque examen en chemin ; 0 : pas d'examen"),
        ),
    ] = 128,
    save_every: Annotated[float, typer.Option(min=0, help=say("seconds between checkpoints", "secondes entre deux sauvegardes"))] = 60.0,
    only: Annotated[
        str | None,
        typer.Option(help=say("the stages to train, with commas between them", "les étapes à entraîner, séparées par des virgules")),
    ] = None,
    begin_with: Annotated[
        str | None,
        typer.Option(
            help=say(
                "a file of weights to go on from, instead of from nothing", "un fichier de poids d'où partir, au lieu de partir de rien"
            )
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(
            help=say(
                "multiplies the learning rates: below 1 to refine the weights that --begin-with names",
                "multiplie les pas d'apprentissage : moins de 1 pour affiner les poids que nomme --begin-with",
            )
        ),
    ] = 1.0,
    foundation: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "weights of yours to stand on, as in clip=runs/clip/clip.safetensors; otherwise those of the package",
                "des poids à vous sur lesquels s'appuyer, comme clip=runs/clip/clip.safetensors ; sinon ceux du paquet",
            )
        ),
    ] = None,
    accumulate: Annotated[
        int,
        typer.Option(
            help=say(
                "parts that a batch goes through the networks in, one after the other: less memory, the same batch",
                "morceaux en lesquels un lot passe dans les réseaux, l'un après l'autre : moins de mémoire, le même lot",
            )
        ),
    ] = 1,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=256,
            help=say(
                "processes that make the batches (8 on a GPU and none elsewhere, unless given)",
                "processus qui préparent les lots (8 sur un GPU et aucun ailleurs, sauf indication)",
            ),
        ),
    ] = None,
    device: DeviceOption = None,
    compile: Annotated[
        bool, typer.Option("--compile", help=say("compile the networks (pays on a GPU)", "compile les réseaux (utile sur un GPU)"))
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Train a system. Raises `Stopped` after Ctrl-C, once the checkpoint is written. Started by torchrun, the first process says what is
    said.
    """
    import os

    from dalle_edu.training.folder import BEFORE, CHECKPOINT
    from dalle_edu.training.loop import train as train_system
    from dalle_edu.training.run import Run
    from dalle_edu.training.summary import summary

    if minutes is None and updates is None:
        minutes = 12.0
    name = model_class(system).name if names_a_file(system) else system
    folder = run or Path("runs") / "-".join([name, preset, *_learned_from(data, world)])
    foundations = _foundations(foundation or [])
    weights = folder / f"{name}.safetensors"
    ready(json_file, given=[folder / "log.jsonl", *models(begin_with, *foundations.values())])
    ready(folder / "run.json", folder / CHECKPOINT, folder / BEFORE, weights, json_file)
    settings = Run(
        system,
        preset,
        seed,
        updates,
        minutes,
        batch_size,
        exam,
        save_every,
        only=only,
        begin_with=begin_with,
        rate=rate,
        foundations=foundations,
        accumulate=accumulate,
        data=data,
        world=world,
    )
    rank = os.environ.get("RANK", "0")  # as torchrun numbers processes
    try:
        train_system(settings, folder, device, compile, workers)
    except KeyboardInterrupt:
        if rank != "0":
            raise Stopped(f"process {rank} stopped with the first", f"le processus {rank} s'est arrêté avec le premier") from None
        en = f"stopped; the checkpoint is in {folder}, and the same command goes on from it"
        fr = f"arrêté ; la sauvegarde est dans {folder}, et la même commande reprend à partir d'elle"
        raise Stopped(en, fr) from None
    if rank == "0":
        if json_file:
            write_json(json_file, {"system": name, "preset": preset, "seed": seed, "weights": str(weights), **summary(folder)})
        written(weights)


def _learned_from(data: str | None, world: str | None) -> list[str]:
    """What the name of a run's folder says of the pictures: the last part of their place, in letters and digits; nothing of the shapes."""
    place = data or (world or "").rpartition(":")[2]
    words = "".join(c if c.isalnum() else " " for c in place.rstrip("/").rpartition("/")[2]).split()
    return ["_".join(words).lower()[:40]] if words else []


def _foundations(options: list[str]) -> dict[str, str]:
    """["clip=PATH"] as {"clip": PATH}. Raises `DalleEduError` for what is not NAME=FILE, and for a name that is given twice."""
    pairs = [option.partition("=") for option in options]
    names = [name for name, _, _ in pairs]
    for option, (name, equals, path) in zip(options, pairs, strict=True):
        if not (name and equals and path):
            raise DalleEduError(
                f'the foundation is "{option}"; write NAME=FILE, as in clip=clip.safetensors',
                f"la fondation est « {option} » ; écrivez NOM=FICHIER, comme clip=clip.safetensors",
            )
        if names.count(name) > 1:
            raise DalleEduError(f"{name} has two foundations; give one", f"{name} a deux fondations ; donnez-en une")
    return {name: path for name, _, path in pairs}
