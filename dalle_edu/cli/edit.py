"""`dalle-edu edit`: what the systems do with a given picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dalle_edu.cli.app import (
    PNG,
    SYSTEM,
    DeviceOption,
    JsonOption,
    SeedOption,
    app,
    models,
    ready,
    ready_to_draw,
    write_json,
    written,
)
from dalle_edu.cli.generate import told
from dalle_edu.cli.given import contents_of, decoded
from dalle_edu.cli.marking import document, mark_all
from dalle_edu.cli.sampling_options import sampling_options
from dalle_edu.cli.typer_in_french import Command, Group
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

edit = typer.Typer(cls=Group, add_completion=False)
app.add_typer(
    edit,
    name="edit",
    help=say(
        "Work on a picture: finish it, change it, vary it, mix it with another.",
        "Travaille sur une image : la finit, la change, la varie, la mélange à une autre.",
    ),
)

_PICTURE = say("a picture; of one that is no square, its middle", "une image ; d'une image qui n'est pas carrée, le milieu")
Picture = Annotated[Path, typer.Argument(help=_PICTURE)]
Prompt = Annotated[str, typer.Argument(help=say("what it should show", "ce qu'elle doit montrer"))]
Before = Annotated[str, typer.Argument(help=say("what it shows", "ce qu'elle montre"))]
Count = Annotated[int, typer.Option("-n", min=1, max=64, help=say("pictures to draw", "images à dessiner"))]
Out = Annotated[Path, typer.Option("--out", "-o", help=PNG)]
_ABLE = SYSTEM + say("; dalle-edu systems says what each can", " ; dalle-edu systems dit ce que chacun sait faire")
SystemOption = Annotated[str, typer.Option("--system", help=_ABLE)]


def _command(help: str) -> Callable:
    """Make a function a command of `dalle-edu edit`; `help` is in the reader's language."""
    return edit.command(cls=Command, help=help)


@_command(say("Finish a picture whose top is given.", "Finit une image dont le haut est donné."))
@sampling_options
def complete(
    picture: Picture,
    prompt: Prompt,
    rows: Annotated[float, typer.Option(help=say("the part of its height that is kept", "la part de sa hauteur qui est gardée"))] = 0.5,
    n: Count = 4,
    system: SystemOption = "dalle1",
    seed: SeedOption = 0,
    out_file: Out = Path("complete.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Finish a picture whose top is given (`Rewriting.complete`)."""

    def work(machine: Any, images: Any, options: dict) -> Any:
        return machine.complete(images, [prompt] * n, rows=rows, **options)

    _edit("complete", [picture], [prompt], n, system, seed, settings, out_file, json_file, device, work)


@_command(say("Change a picture as its caption is changed.", "Modifie une image comme sa légende est modifiée."))
@sampling_options
def alter(
    picture: Picture,
    before: Before,
    after: Prompt,
    n: Count = 4,
    system: SystemOption = "dalle1",
    seed: SeedOption = 0,
    out_file: Out = Path("alter.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Change a picture as its caption is changed (`Rewriting.alter`)."""

    def work(machine: Any, images: Any, options: dict) -> Any:
        return machine.alter(images, [before] * n, [after] * n, **options)

    _edit("alter", [picture], [before, after], n, system, seed, settings, out_file, json_file, device, work)


@_command(say("Paint a part of a picture anew.", "Repeint une partie d'une image."))
@sampling_options
def inpaint(
    picture: Picture,
    prompt: Prompt,
    box: Annotated[
        str,
        typer.Option(
            help=say(
                "left,top,right,bottom of what is painted anew, as fractions of the side",
                "gauche,haut,droite,bas de ce qui est repeint, en fractions du côté",
            )
        ),
    ] = "0.5,0,1,1",
    n: Count = 4,
    system: SystemOption = "imagen",
    seed: SeedOption = 0,
    out_file: Out = Path("inpaint.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Draw a part of a picture anew (`Inpainting.inpaint`). Raises `DalleEduError` for a box without a pixel."""
    left, top, right, bottom = _box(box)

    def work(machine: Any, images: Any, options: dict) -> Any:
        import torch

        side = machine.resolution
        keep = torch.ones(len(images), 1, side, side, dtype=torch.bool)
        anew = keep[:, :, round(top * side) : round(bottom * side), round(left * side) : round(right * side)]
        if not anew.numel():
            raise DalleEduError(
                f'the box "{box}" holds no pixel of a picture of {side} × {side}; give a larger one',
                f"le cadre « {box} » ne contient aucun pixel d'une image de {side} × {side} ; donnez-en un plus grand",
            )
        anew.fill_(False)
        return machine.inpaint(images, keep, [prompt] * n, **options)

    _edit("inpaint", [picture], [prompt], n, system, seed, settings, out_file, json_file, device, work)


@_command(say("Draw other pictures that CLIP takes for the same.", "Dessine d'autres images que CLIP tient pour la même."))
@sampling_options
def vary(
    picture: Picture,
    n: Count = 4,
    system: SystemOption = "dalle2",
    seed: SeedOption = 0,
    out_file: Out = Path("vary.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Draw variations of a picture (`ImageVariations.vary`)."""
    _edit(
        "vary",
        [picture],
        [],
        n,
        system,
        seed,
        settings,
        out_file,
        json_file,
        device,
        lambda machine, images, options: machine.vary(images, **options),
    )


@_command(say("Draw what lies between two pictures.", "Dessine ce qu'il y a entre deux images."))
@sampling_options
def mix(
    first: Picture,
    second: Picture,
    ratio: Annotated[
        float,
        typer.Option(help=say("how far from the first (0) to the second (1)", "à quelle distance entre la première (0) et la seconde (1)")),
    ] = 0.3,
    n: Count = 4,
    system: SystemOption = "dalle2",
    seed: SeedOption = 0,
    out_file: Out = Path("mix.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Draw what lies between two pictures (`ImageVariations.mix`)."""

    def work(machine: Any, images: Any, options: dict) -> Any:
        return machine.mix(images[:n], images[n:], ratio, **options)

    _edit("mix", [first, second], [], n, system, seed, settings, out_file, json_file, device, work)


@_command(
    say(
        "Draw a picture whose CLIP embedding is moved as one caption differs from another.",
        "Dessine une image dont le plongement CLIP est déplacé comme une légende diffère d'une autre.",
    )
)
@sampling_options
def steer(
    picture: Picture,
    before: Before,
    after: Prompt,
    ratio: Annotated[float, typer.Option(help=say("how far, 0 to 1", "jusqu'où, de 0 à 1"))] = 0.4,
    n: Count = 4,
    system: SystemOption = "dalle2",
    seed: SeedOption = 0,
    out_file: Out = Path("steer.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Move a picture as one caption differs from another (`ImageVariations.steer`)."""

    def work(machine: Any, images: Any, options: dict) -> Any:
        return machine.steer(images, [before] * n, [after] * n, ratio, **options)

    _edit("steer", [picture], [before, after], n, system, seed, settings, out_file, json_file, device, work)


@_command(
    say(
        "Vary a picture, then the variation, and so on: an animation.",
        "Varie une image, puis la variation, et ainsi de suite : une animation.",
    )
)
@sampling_options
def loop(
    picture: Picture,
    frames: Annotated[int, typer.Option(min=2, max=200, help=say("pictures in the animation", "images de l'animation"))] = 24,
    system: SystemOption = "dalle2",
    seed: SeedOption = 0,
    out_file: Annotated[Path, typer.Option("--out", "-o", help=say("the GIF to write", "le GIF à écrire"))] = Path("loop.gif"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Vary a picture, then the variation, and so on (`ImageVariations.loop`). Raises `DalleEduError` for a file that is no GIF."""
    from dalle_edu.world.sheet import save_animation

    if out_file.suffix.lower() != ".gif":
        raise DalleEduError(
            f'the animation is written as GIF and the file is "{out_file.name}"; end its name in .gif',
            f"l'animation s'écrit en GIF et le fichier est « {out_file.name} » ; terminez son nom par .gif",
        )
    ready(out_file, json_file, given=[picture, *models(system)])
    contents = contents_of(picture)
    machine = _machine("loop", system, device)
    images = decoded([picture], [contents], machine.resolution, 1)
    drawn = machine.loop(images, frames, seed=seed, **settings)[:, 0].cpu()
    save_animation(drawn, out_file)
    if json_file:
        write_json(json_file, _document("loop", machine, drawn, [picture], [], seed, settings, out_file))
    written(out_file)


def _edit(
    verb: str,
    pictures: list[Path],
    sentences: list[str],
    n: int,
    system: str,
    seed: int,
    settings: dict[str, Any],
    out_file: Path,
    json_file: Path | None,
    device: str | None,
    work: Callable[[Any, Any, dict], Any],
) -> None:
    """Read the pictures, `n` times each, edit them by `work`, and write a sheet of the given pictures and the edited ones, with the last
    sentence below these.

    `verb` is the method that the system must have.
    """
    import torch

    from dalle_edu.world.sheet import picture_sheet, save_picture

    ready_to_draw(out_file, json_file, given=[*pictures, *models(system)])
    contents = [contents_of(picture) for picture in pictures]
    machine = _machine(verb, system, device)
    told(sentences, machine.domain)
    images = decoded(pictures, contents, machine.resolution, n)
    options = {"seed": seed, **settings}
    drawn = work(machine, images, options).cpu()
    given = say("given", "donnée")
    labels = [given] * len(pictures) + (sentences[-1:] or [""]) * n
    save_picture(picture_sheet(torch.cat([images[::n], drawn]), labels, columns=min(len(labels), 8)), out_file)
    if json_file:
        write_json(json_file, _document(verb, machine, drawn, pictures, sentences, seed, settings, out_file))
    written(out_file)


def _document(
    verb: str, machine: Any, drawn: Any, given: list[Path], sentences: list[str], seed: int, settings: dict[str, Any], out_file: Path
) -> dict[str, Any]:
    """What `--json` writes of an edit: what was given and asked, and the marks of every picture by the last sentence."""
    asked = {"prompt": sentences[-1]} if sentences else {}
    pictures = [{**asked, "image": image} for image in drawn]
    mark_all(pictures, machine.domain)
    more = {"edit": verb, "given": [str(path) for path in given], "sentences": sentences, "file": str(out_file)}
    return document(machine.name, seed, settings, pictures, **more)


def _machine(verb: str, system: str, device: str | None) -> Any:
    """A system that has the method `verb`. Raises `DalleEduError` for one that has not."""
    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_system
    from dalle_edu.systems.interface.registry import drawing_systems, model_class

    machine = load_system(system, str(choose_device(device).torch_device))
    if not hasattr(machine, verb):
        able = ", ".join(name for name in drawing_systems() if hasattr(model_class(name), verb))
        raise DalleEduError(
            f"{machine.name} cannot {verb}; these systems can: {able}",
            f"{machine.name} ne sait pas faire {verb} ; ceux qui savent le faire : {able}",
        )
    return machine


def _box(text: str) -> tuple[float, float, float, float]:
    """ "0.5,0,1,1" as four numbers. Raises `DalleEduError` unless they are left < right and top < bottom, in [0, 1]."""
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        left = top = right = bottom = -1.0
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise DalleEduError(
            f'the box is "{text}"; give left,top,right,bottom as fractions of the side, as in 0.5,0,1,1',
            f"le cadre est « {text} » ; donnez gauche,haut,droite,bas en fractions du côté, comme 0.5,0,1,1",
        )
    return left, top, right, bottom
