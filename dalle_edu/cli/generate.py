"""`dalle-edu generate`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from dalle_edu.cli.app import (
    ALL,
    PNG,
    SYSTEM,
    CandidatesOption,
    DeviceOption,
    JsonOption,
    OtherClipOption,
    SeedOption,
    command,
    err,
    models,
    out,
    ready_to_draw,
    write_json,
    written,
)
from dalle_edu.cli.marking import document, mark_all
from dalle_edu.cli.sampling_options import sampling_options
from dalle_edu.errors import DalleEduError
from dalle_edu.language import language_named, say, typeset


@command(
    say(
        "Draw sentences: a grid of pictures with their captions, and a mark for each.",
        "Dessine des phrases : une grille d'images légendées, et une note pour chacune.",
    ),
)
@sampling_options
def generate(
    prompts: Annotated[
        list[str] | None, typer.Argument(help=say("sentences, in French or in English", "des phrases, en français ou en anglais"))
    ] = None,
    more: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help=say(
                "a file with more sentences, one a line; - for standard input",
                "un fichier d'autres phrases, une par ligne ; - pour l'entrée standard",
            ),
        ),
    ] = None,
    system: Annotated[
        str, typer.Option(help=say(SYSTEM + "; or all, that draw", SYSTEM + " ; ou all, tous ceux qui dessinent"))
    ] = "dalle1",
    n: Annotated[int, typer.Option("-n", help=say("pictures for each sentence", "images par phrase"))] = 4,
    seed: SeedOption = 0,
    candidates: CandidatesOption = None,
    clip: OtherClipOption = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help=PNG + say("; SYSTEM.png unless given", " ; à défaut, SYSTÈME.png"))
    ] = None,
    apart: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "a folder to fill with the pictures one by one, without captions, as edit takes them",
                "un dossier à remplir des images une à une, sans légende, telles qu'edit les prend",
            )
        ),
    ] = None,
    json_file: JsonOption = None,
    device: DeviceOption = None,
    *,
    settings: dict[str, Any],
) -> None:
    """Draw sentences and mark the pictures. Raises `DalleEduError` for more than 1,024 pictures."""
    from dalle_edu.device import choose_device
    from dalle_edu.files import check_new_folder, read_lines
    from dalle_edu.loading import load_critic, load_system
    from dalle_edu.systems.critics.reranking import check_candidates

    prompts = [*(prompts or []), *(read_lines(more) if more else [])]
    if not prompts:
        raise DalleEduError(
            'no sentence was given; write one, as in: dalle-edu generate "a red circle"',
            'aucune phrase n\'est donnée ; écrivez-en une : dalle-edu generate "un cercle rouge"',
        )
    if not 1 <= n <= 1024 or n * len(prompts) > 1024:
        asked = n * len(prompts)
        raise DalleEduError(
            f"{asked} pictures were asked for; one call draws 1 to 1024", f"{asked} images sont demandées ; un appel en dessine de 1 à 1024"
        )
    out_file = out_file or Path(f"{Path(system).stem or ALL}.png")
    only_with_candidates(clip, candidates)
    if candidates is not None:
        check_candidates(candidates, keep=n)
    names = all_trained() if system == ALL else [system]
    alone = [] if apart is None else [apart / f"{number}.png" for number in range(n * len(prompts) * len(names))]
    if apart is not None:
        check_new_folder(apart)
    ready_to_draw(out_file, json_file, *alone, given=[*models(system, clip), *([more] if more else [])])
    place = str(choose_device(device).torch_device)
    machines = [load_system(name, place) for name in names]
    told(prompts, machines[0].domain)
    used = {machine.name: accepted(machine, settings, strict=system != ALL) for machine in machines}
    critic = None if candidates is None else load_critic(clip or "clip", place)
    pictures = [each for machine in machines for each in _drawn(machine, prompts, n, seed, critic, candidates or 1, used[machine.name])]
    pictures.sort(key=lambda picture: picture["asked"])  # all that was drawn of a sentence side by side
    mark_all(pictures, machines[0].domain)
    _save_sheet(out_file, pictures, n, machines, prompts)
    if apart is not None:
        _save_apart(apart, pictures)
    if json_file:
        choice = {} if candidates is None else {"candidates": candidates, "clip": clip or "clip"}
        drawing = ", ".join(machine.name for machine in machines)
        write_json(json_file, document(drawing, seed, used if system == ALL else used[machines[0].name], pictures, **choice))
    for machine in machines:
        if len(machines) > 1:
            out.print(machine.name, style="bold", highlight=False)
        for index, prompt in enumerate(prompts):
            marks = [each["marks"] for each in pictures if (each["asked"], each["system"]) == (index, machine.name)]
            _print_marks(prompt, marks, machine.domain)
    written(out_file)
    if apart is not None:
        written(apart)


def told(prompts: list[str], domain: Any) -> None:
    """Say of each sentence what a system cannot know in it. Raises `DalleEduError` for one that cannot be drawn."""
    for prompt in prompts:
        report = domain.check_prompt(prompt)
        if report:
            err.print(report, style="yellow", highlight=False, soft_wrap=True)


def only_with_candidates(clip: str | None, candidates: int | None) -> None:
    """Raise `DalleEduError` where a critic is named, but no number of candidates."""
    if clip is not None and candidates is None:
        raise DalleEduError(
            "--clip chooses among candidates; say how many with --candidates",
            "--clip choisit parmi des candidates ; dites combien avec --candidates",
        )


def all_trained() -> list[str]:
    """Every system that has its weights. Raises `DalleEduError` where none has."""
    from dalle_edu.loading import trained_systems

    names = trained_systems()
    if not names:
        raise DalleEduError(
            "no system has its weights here; train one with: dalle-edu train dalle1",
            "aucun système n'a ses poids ici ; entraînez-en un : dalle-edu train dalle1",
        )
    return names


def accepted(machine: Any, settings: dict[str, Any], strict: bool = True) -> dict[str, Any]:
    """Those settings of a command that a system has. Raises `DalleEduError`, if `strict`, for one that it has not."""
    if strict:
        machine.sampling(settings)
    return {name: value for name, value in settings.items() if name in machine.settings()}


def _drawn(
    machine: Any, prompts: list[str], n: int, seed: int, critic: Any, candidates: int, options: dict[str, Any]
) -> list[dict[str, Any]]:
    """n pictures that a system draws of each sentence; with a critic, the best of so many candidates, with their scores."""
    from dalle_edu.systems.critics.reranking import best_of

    likings = None
    if critic is None:
        images = machine.generate([prompt for prompt in prompts for _ in range(n)], seed=seed, **options).unflatten(0, (-1, n))
    else:
        images, likings = best_of(machine, prompts, critic, candidates, n, seed, **options)
    drawn = []
    for index, prompt in enumerate(prompts):
        for number, image in enumerate(images[index].cpu()):
            liking = {} if likings is None else {"clip_score": round(float(likings[index, number]), 4)}
            drawn.append({"prompt": prompt, "system": machine.name, "asked": index, "image": image} | liking)
    return drawn


def _save_sheet(file: Path, pictures: list[dict[str, Any]], n: int, machines: list, prompts: list[str]) -> None:
    """Write a sheet of all pictures with their captions, at the size of the largest."""
    import torch

    from dalle_edu.systems.parts.augment import resized
    from dalle_edu.world.sheet import picture_sheet, save_picture

    side = max(picture["image"].shape[-1] for picture in pictures)
    images = torch.cat([resized(picture["image"].unsqueeze(0), side) for picture in pictures])
    labels = [_label(each, len(machines) > 1) for each in pictures]
    save_picture(picture_sheet(images, labels, columns=_columns(n, machines, prompts)), file)


def _save_apart(folder: Path, pictures: list[dict[str, Any]]) -> None:
    """Write each picture to a file of its own, and note the name under "file"."""
    from dalle_edu.world.sheet import picture_of, save_picture

    for number, picture in enumerate(pictures):
        picture["file"] = f"{number}.png"
        save_picture(picture_of(picture["image"]), folder / picture["file"])


def _columns(n: int, machines: list, prompts: list[str]) -> int:
    """The number of pictures in a row of the sheet: those that all systems drew of one sentence, if they are at most 8."""
    of_one = n * len(machines)
    if of_one <= 8:
        return of_one
    return max(c for c in range(1, 9) if of_one % c == 0) if len(prompts) > 1 else 8


def _label(picture: dict[str, Any], several: bool) -> str:
    """What a sheet says under a picture: its sentence, the system where there are several, and how many marks are right."""
    from dalle_edu.world.grammar import guess_language

    marks, text = picture["marks"], picture["prompt"]
    if several:
        text = f"{picture['system']}: {text}" if guess_language(text) == "en" else typeset(f"{picture['system']} : {text}")
    return text if marks is None else f"{text}  ({sum(marks.values())}/{len(marks)})"


def _print_marks(prompt: str, marks: list[dict[str, bool] | None], domain: Any) -> None:
    """Print how many pictures of a sentence are right, as a whole and by skill; nothing where there is no catalogue to mark them by."""
    from dalle_edu.scorecard import SKILL_NAMES, why_no_marks
    from dalle_edu.world.grammar import guess_language

    if domain.catalogue is None:
        return
    language = guess_language(prompt, domain.catalogue)
    known = [mark for mark in marks if mark is not None]
    if not known:
        en, fr = why_no_marks(prompt, domain.catalogue)
        line = Text(language_named(language).worded(f"{prompt}: {en}", f"{prompt} : {fr}"))
        line.stylize("bold", 0, len(prompt))
        out.print(line, highlight=False, soft_wrap=True)
        return
    rates = " · ".join(f"{SKILL_NAMES[language][skill]} {sum(mark[skill] for mark in known)}/{len(known)}" for skill in known[0])
    right = sum(all(mark.values()) for mark in known)
    verdict = f"{right} sur {len(known)} sans faute" if language == "fr" else f"{right} of {len(known)} entirely right"
    out.print(Text.assemble((prompt, "bold"), f"\n  {verdict} — {rates}"), highlight=False, soft_wrap=True)
