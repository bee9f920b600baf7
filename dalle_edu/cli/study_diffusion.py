"""`dalle-edu study` for the systems that draw by diffusion: thresholding, priors, text encoders."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dalle_edu.cli.app import DeviceOption, SeedOption, out, ready, ready_to_draw, write_json
from dalle_edu.cli.study import JsonOption, PngOption, PromptsOption, SystemArgument, by_skill, load, study
from dalle_edu.cli.tables import LEGEND, rate_cell
from dalle_edu.cli.typer_in_french import Command
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, sentence_language

_APART = {  # the ways in which hard negatives are wrong
    "space": say("left or right", "gauche ou droite"),
    "binding": say("whose colour", "couleur de quel objet"),
    "number": say("number", "nombre"),
    "size": say("size", "taille"),
    "shape": say("shape", "forme"),
    "colour": say("colour", "couleur"),
}


@study.command(
    cls=Command,
    help=say(
        "Guidance, with Imagen's dynamic thresholding and with plain clipping: a sheet of pictures, and marks.",
        "Le guidage, avec le seuillage dynamique d'Imagen et avec un simple écrêtage : une planche d'images, et des notes.",
    ),
)
def thresholds(
    system: SystemArgument = "imagen",
    guidances: Annotated[
        str, typer.Option(help=say("guidances, with commas between them", "guidages, séparés par des virgules"))
    ] = "1,2,4,8,16",
    prompts: PromptsOption = 64,
    seed: SeedOption = 0,
    out_file: PngOption = Path("thresholds.png"),
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure guidance with dynamic thresholding and with clipping. Raises `DalleEduError` for guidances that are no numbers."""
    import torch

    from dalle_edu.cli.generate import accepted
    from dalle_edu.scorecard import questions, score
    from dalle_edu.systems.interface.sampling import check_settings
    from dalle_edu.world.sheet import picture_sheet, save_picture

    try:
        scales = list({f"{scale:g}": scale for scale in map(float, guidances.split(","))}.values())
    except ValueError:
        raise DalleEduError(
            f'the guidances are "{guidances}"; give numbers with commas, as in 1,2,4',
            f"les guidages sont « {guidances} » ; donnez des nombres séparés par des virgules, comme 1,2,4",
        ) from None
    for scale in scales:
        check_settings({"guidance_scale": scale})
    ready_to_draw(out_file, json_file)
    machine = load(system, device)
    accepted(machine, {"threshold": True})
    sentence = next(question.text for question in questions(64, seed) if question.language == sentence_language())
    ways = {True: say("dynamic", "dynamique"), False: say("clipping", "écrêtage")}
    pictures, names, reports = [], {}, {}
    for threshold, way in ways.items():
        for scale in scales:
            pictures.append(machine.generate([sentence], seed=seed, guidance_scale=scale, threshold=threshold).cpu())
            key = f"{'dynamic' if threshold else 'clip'}, {scale:g}"
            names[key] = f"{way}, {say(f'{scale:g}', f'{scale:g}'.replace('.', ','))}"
            reports[key] = score(machine, machine.name, prompts, seed, guidance_scale=scale, threshold=threshold)
    by_skill(machine.name, reports, names, json_file)
    if out_file:
        save_picture(picture_sheet(torch.cat(pictures), list(names.values()), columns=len(scales)), out_file)
        out.print(f"{sentence} → {out_file}", highlight=False, soft_wrap=True)


@study.command(
    cls=Command,
    help=say(
        "DALL·E 2 with either prior, with the sentence beside the embedding and with the embedding alone.",
        "DALL·E 2 avec chacun des deux priors, avec la phrase à côté du plongement et avec le plongement seul.",
    ),
)
def priors(
    system: SystemArgument = "dalle2",
    prompts: PromptsOption = 128,
    seed: SeedOption = 0,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure a system with either prior, with and without the caption. Raises `DalleEduError` for a system without priors."""
    from dalle_edu.scorecard import score
    from dalle_edu.systems.families.unclip import UnCLIP
    from dalle_edu.systems.interface.sampling import SETTINGS

    ready(json_file)
    machine = load(system, device)
    if not isinstance(machine, UnCLIP):
        raise DalleEduError(
            f"{machine.name} has no prior between CLIP's embeddings; give dalle2, or the path of its weights",
            f"{machine.name} n'a pas de prior entre plongements de CLIP ; donnez dalle2, ou le chemin de ses poids",
        )
    spoken = {"diffusion": "diffusion", "autoregressive": "AR"}
    reports, names = {}, {}
    for prior in SETTINGS["prior"].choices:
        for text, told in ((True, "z, y"), (False, "z")):
            key = f"{prior}, {told}"
            names[key] = f"{spoken[prior]}, {told}"
            reports[key] = score(machine, machine.name, prompts, seed, prior=prior, text=text)
    title = say("with a diffusion prior or an autoregressive one (AR)", "avec un prior de diffusion ou autorégressif (AR)")
    by_skill(f"{machine.name}, {title}", reports, names, json_file)


@study.command(
    cls=Command,
    help=say(
        "Imagen with text encoders of several sizes: what each knows of captions, and what the base model makes of it.",
        "Imagen avec des encodeurs de texte de plusieurs tailles : ce que chacun sait des légendes, et ce que le modèle de base en fait.",
    ),
)
def text_encoders(
    systems: Annotated[
        list[str],
        typer.Argument(
            help=say(
                "weights of imagen, one file for each text encoder, as its presets small_text_encoder, laptop and large_text_encoder train "
                "them",
                "des poids d'imagen, un fichier par encodeur de texte, que donnent ses préréglages small_text_encoder, laptop et "
                "large_text_encoder",
            )
        ),
    ],
    prompts: PromptsOption = 256,
    seed: SeedOption = 0,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Compare Imagens with different text encoders. Raises `DalleEduError` for weights of another system."""
    from dalle_edu.scorecard import SKILL_NAMES, questions, score
    from dalle_edu.systems.imagen import Imagen

    ready(json_file)
    machines = [load(system, device) for system in systems]
    for machine in machines:
        if not isinstance(machine, Imagen):
            raise DalleEduError(
                f"{machine.name} has no text encoder; give files of weights of imagen",
                f"{machine.name} n'a pas d'encodeur de texte ; donnez des fichiers de poids d'imagen",
            )
    texts = [question.text for question in questions(prompts, seed)]
    apart = [machine.understands(texts) for machine in machines]
    reports = [score(machine, machine.name, prompts, seed) for machine in machines]
    weights = [sum(parameter.numel() for parameter in machine.text_encoder.parameters()) for machine in machines]
    table = Table(
        title=say(f"Text encoders of imagen, {prompts} captions", f"Encodeurs de texte d'imagen, {prompts} légendes"), caption=LEGEND
    )
    table.add_column("")
    for machine in machines:
        table.add_column(f"{machine.config.model.text_encoder.depth} × {machine.config.model.text_encoder.width}", justify="right")
    table.add_row(say("thousand parameters", "milliers de paramètres"), *(decimal(count / 1e3, 0) for count in weights))
    table.add_section()
    for question in apart[0]:
        table.add_row(f"{say('text', 'texte')}, {_APART[question]}", *(f"{decimal(100 * each[question])} %" for each in apart))
    table.add_section()
    for skill, name in SKILL_NAMES[sentence_language()].items():
        table.add_row(f"{say('pictures', 'images')}, {name}", *(rate_cell(report.rates()[skill]) for report in reports))
    out.print(table)
    if json_file:
        entries = [
            {"text_encoder_parameters": count, "told_apart": known} | report.to_json()
            for count, known, report in zip(weights, apart, reports, strict=True)
        ]
        write_json(json_file, {"prompts": prompts, "seed": seed, "text_encoders": entries})
