"""`dalle-edu study`: a command for each measurement that the course cites beyond the systems' marks."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dalle_edu.cli.app import (
    EXAMINEE,
    PNG,
    SYSTEM,
    ClipOption,
    DeviceOption,
    JsonOption,
    SeedOption,
    app,
    out,
    reachable,
    ready,
    ready_to_draw,
    write_json,
    written,
)
from dalle_edu.cli.tables import LEGEND, rate_cell, rate_tables
from dalle_edu.cli.typer_in_french import Command, Group
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say, scientific, sentence_language, typeset

study = typer.Typer(cls=Group, add_completion=False)
app.add_typer(
    study,
    name="study",
    help=say(
        "Measure what edits keep, and what candidates, wording, thresholding, priors and text encoders change.",
        "Mesure ce que gardent les retouches, et ce que changent candidates, tournure, seuillage, priors et encodeurs de texte.",
    ),
)

SystemArgument = Annotated[str, typer.Argument(help=SYSTEM)]
PromptsOption = Annotated[int, typer.Option(min=8, max=10_000, help=say("pictures of each kind", "images de chaque sorte"))]
PngOption = Annotated[Path | None, typer.Option("--out", "-o", help=PNG)]
_EDITS = ("vary", "mix", "inpaint", "complete", "alter")
OPENING_NAMES = {
    "fr": {
        "plain": "sans rien",
        "picture of": typeset("« une image de »"),
        "there is": typeset("« il y a »"),
        "never heard": typeset("« dessine » (jamais vu)"),
    },
    "en": {"plain": "nothing", "picture of": "“a picture of”", "there is": "“there is”", "never heard": "“draw” (never seen)"},
}


def load(system: str, device: str | None) -> Any:
    """A system by its name or its file, on a device, or the fastest device. Raises `DalleEduError` as `load_system` does."""
    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_system

    return load_system(system, str(choose_device(device).torch_device))


def _critic(clip: str, device: str | None) -> Any:
    """A critic by its name or its file, on a device."""
    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_critic

    return load_critic(clip, str(choose_device(device).torch_device))


def by_skill(title: str, reports: Mapping[Any, Any], names: Mapping[Any, str], json_file: Path | None) -> None:
    """Print a table of skills with a column for each report. The columns are called by `names`; the JSON file has the keys of `reports`,
    which are the same in every language.
    """
    from dalle_edu.scorecard import SKILL_NAMES

    columns = {names.get(key, str(key)): report.rates() for key, report in reports.items()}
    for table in rate_tables(title, "", SKILL_NAMES[sentence_language()], columns):
        out.print(table)
    if json_file:
        write_json(json_file, {str(key): report.to_json() for key, report in reports.items()})


@study.command(cls=Command, help=say("What a system's edits keep of a picture.", "Ce que les retouches d'un système gardent d'une image."))
def edits(
    system: SystemArgument,
    prompts: PromptsOption = 128,
    seed: SeedOption = 0,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure what a system's edits keep of a picture. Raises `DalleEduError` for a system that edits nothing."""
    from dalle_edu.studies.edits import alterations, completions, inpaintings, mixtures, variations
    from dalle_edu.systems.interface.registry import drawing_systems, model_class

    ready(json_file)
    machine = load(system, device)
    table = Table(
        title=say(f"{machine.name}, {prompts} edits of each kind", f"{machine.name}, {prompts} retouches de chaque sorte"), caption=LEGEND
    )
    for column in (say("edit", "retouche"), say("asked", "question")):
        table.add_column(column)
    table.add_column(say("answer", "réponse"), justify="right")
    found: dict[str, Any] = {}

    as_said = say("is what is said", "conforme à la phrase")
    touched = say("largest change of a kept pixel", "plus grand écart d'un pixel gardé")
    moved = say("mean change of a pixel", "écart moyen d'un pixel")
    if hasattr(machine, "vary"):
        kept = variations(machine, prompts, seed)
        found["vary"] = {**kept.rate.to_json(), "changed": kept.changed}
        table.add_row("vary", say("shape, colour, number kept", "forme, couleur, nombre gardés"), rate_cell(kept.rate))
        table.add_row("", moved, decimal(kept.changed, 3))
    if hasattr(machine, "mix"):
        rates = mixtures(machine, prompts, seed=seed)
        found["mix"] = {name: rate.to_json() for name, rate in rates.items()}
        table.add_row("mix 30 %", say("between its parents", "entre ses parents"), rate_cell(rates["between"]))
        table.add_row("", say("nearer to the first", "plus près du premier"), rate_cell(rates["nearer_to_the_first"]))
    for edit, examine in (("inpaint", inpaintings), ("complete", completions)):
        if hasattr(machine, edit):
            kept, most = examine(machine, prompts, seed=seed)
            found[edit] = {**kept.rate.to_json(), "changed": kept.changed, "touched": most}
            table.add_row(edit, as_said, rate_cell(kept.rate))
            table.add_row("", touched, scientific(most))
    if hasattr(machine, "alter"):
        for attribute, label in (
            ("colour", say("another colour", "une autre couleur")),
            ("shape", say("another shape", "une autre forme")),
        ):
            kept = alterations(machine, attribute, prompts, seed)
            found[f"alter {attribute}"] = {**kept.rate.to_json(), "changed": kept.changed}
            table.add_row(f"alter, {label}", as_said, rate_cell(kept.rate))
    if not found:
        able = ", ".join(name for name in drawing_systems() if any(hasattr(model_class(name), edit) for edit in _EDITS))
        raise DalleEduError(
            f"{machine.name} edits nothing; choose among: {able}", f"{machine.name} ne retouche rien ; choisissez parmi : {able}"
        )
    out.print(table)
    if json_file:
        write_json(json_file, {"system": machine.name, "prompts": prompts, "seed": seed, "edits": found})


@study.command(
    cls=Command,
    help=say("What choosing among more pictures brings.", "Ce qu'apporte de choisir parmi plus d'images."),
)
def candidates(
    system: SystemArgument = "dalle1",
    most: Annotated[int, typer.Option(min=2, max=512, help=say("candidates at most", "candidates, au plus"))] = 32,
    clip: ClipOption = "clip",
    prompts: PromptsOption = 128,
    seed: SeedOption = 0,
    out_file: PngOption = None,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure what choosing among more candidates brings."""
    from dalle_edu.files import write_aside
    from dalle_edu.scorecard.curves import against_candidates
    from dalle_edu.studies.candidates import score_against_candidates

    ready_to_draw(out_file, json_file)
    machine, critic = load(system, device), _critic(clip, device)
    numbers = [2**power for power in range(most.bit_length()) if 2**power <= most]
    reports = score_against_candidates(machine, critic, prompts, numbers, seed)
    title = say(
        f"{machine.name}: the best picture of N, by {critic.title}",
        f"{machine.name} : la meilleure image parmi N, selon {critic.title}",
    )
    names = {"any": say("one right among them", "une juste dans le lot")}
    by_skill(title, {**{number: reports[number] for number in numbers}, "any": reports[0]}, names, json_file)
    if out_file:
        figure = against_candidates({number: report.rates() for number, report in reports.items()}, title, sentence_language())
        write_aside(out_file, partial(figure.savefig, format="png", dpi=120))
        written(out_file)


@study.command(
    cls=Command,
    help=say(
        "What the opening of a prompt changes, for a system or for a critic such as clip.",
        "Ce que change le début d'une phrase, pour un système ou pour un critique comme clip.",
    ),
)
def wording(
    system: Annotated[str, typer.Argument(help=EXAMINEE, callback=reachable)] = "dalle1",
    prompts: PromptsOption = 256,
    seed: SeedOption = 0,
    json_file: JsonOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure what the opening of a prompt changes."""
    from dalle_edu.device import choose_device
    from dalle_edu.loading import load_examinee
    from dalle_edu.studies.wording import study_openings, study_prompts
    from dalle_edu.systems.critics.critic import Critic

    ready(json_file)
    examinee: Any = load_examinee(system, str(choose_device(device).torch_device))
    if isinstance(examinee, Critic):
        _critic_wording(study_prompts(examinee, prompts, seed=seed), examinee.title, json_file)
        return
    reports = study_openings(examinee, examinee.name, prompts, seed)
    title = say(f"{examinee.name}: how the prompt begins", f"{examinee.name} : par quoi la phrase commence")
    by_skill(title, reports, OPENING_NAMES[sentence_language()], json_file)


def _critic_wording(results: Sequence[Any], title: str, json_file: Path | None) -> None:
    """Print, and write as JSON, what the wording of a class changes for a critic."""
    table = Table(title=say(f"{title}: how a class is asked for", f"{title} : comment on demande une classe"), caption=LEGEND)
    for column in (say("what", "quoi"), say("asked with", "demandé avec"), say("for example", "par exemple")):
        table.add_column(column)
    table.add_column(say("right", "juste"), justify="right")
    kinds = {"shape": say("shape", "forme"), "colour": say("colour", "couleur")}
    for each in results:
        if each.language == sentence_language():
            count = say(f"{each.sentences} sentences", f"{each.sentences} phrases") if each.sentences > 1 else say("1 sentence", "1 phrase")
            table.add_row(kinds[each.kind], count, each.example, rate_cell(each.rate))
    out.print(table)
    if json_file:
        facts = [
            {"kind": e.kind, "language": e.language, "wording": e.wording, "sentences": e.sentences, **e.rate.to_json()} for e in results
        ]
        write_json(json_file, {"critic": title, "wordings": facts})
